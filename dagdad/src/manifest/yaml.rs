//! YAML text to [`Node`]s.
//!
//! The scanner and parser are serde-saphyr's; what a plain scalar means is decided in
//! [`super::scalar`], the way Podman decides it. Files from anybody are read, so what one
//! may weigh is limited.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use serde_saphyr::granit_parser::{
    Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag,
};

use super::node::{Content, Mark, Node};
use super::scalar;

/// Deeper nesting is refused, that of what aliases stand for included. A Pod needs about ten
/// levels.
pub const MAX_DEPTH: usize = 64;
/// More values in one file are refused, aliases counted as often as they are used, and a
/// long text as one for each [`TEXT_PER_NODE`] bytes.
pub const MAX_NODES: usize = 100_000;
/// So many bytes of text weigh as much as one value.
const TEXT_PER_NODE: usize = 64;

/// Why a text is not YAML that is read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Where it was noticed.
    pub mark: Mark,
    /// What is wrong.
    pub message: String,
}

/// One YAML document of a text that may hold several.
#[derive(Debug, Clone, PartialEq)]
pub struct YamlDocument {
    /// Its root.
    pub root: Node,
    /// Byte offset where `---` stands; `None` where the document begins without.
    pub marker: Option<usize>,
    /// Byte offset where it ends: at its `...`, at the next `---` or with the text.
    pub end: usize,
    /// Byte offset where what belongs to the next document begins.
    pub next: usize,
}

/// Reads all documents of `text`, empty ones too.
///
/// # Errors
/// The first thing that is not YAML, a key given twice in one mapping, an alias without an
/// anchor, a tag beyond the standard ones, or more than [`MAX_DEPTH`] and [`MAX_NODES`] allow.
pub fn read(text: &str) -> Result<Vec<YamlDocument>, YamlError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut composer = Composer {
        events: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        weight: 0,
        end: Mark { line: 1, column: 1 },
    };
    let mut documents: Vec<YamlDocument> = Vec::new();
    loop {
        let (event, span) = composer.next()?;
        match event {
            Event::DocumentStart(explicit, _) => {
                let start = span.byte_range().map_or(0, |range| range.start);
                let marker = explicit.then_some(start);
                if let (Some(previous), Some(marker)) = (documents.last_mut(), marker)
                    && previous.end == text.len()
                {
                    (previous.end, previous.next) = (marker, marker);
                }
                composer.anchors.clear();
                let (event, at) = composer.next()?;
                let root = composer.node(event, at, 0)?;
                let (_, span) = composer.next()?;
                let (end, next) = match span.byte_range() {
                    Some(range) if text.get(range.clone()) == Some("...") => {
                        let line = text[range.end..]
                            .find('\n')
                            .map_or(text.len(), |at| range.end + at + 1);
                        (range.start, line)
                    }
                    _ => (text.len(), text.len()),
                };
                documents.push(YamlDocument {
                    root,
                    marker,
                    end,
                    next,
                });
            }
            Event::StreamEnd => return Ok(documents),
            _ => {}
        }
    }
}

struct Composer<'text> {
    events: Parser<'text, StrInput<'text>>,
    /// What each anchor of the current document stands for.
    anchors: HashMap<usize, Anchored>,
    /// What was read so far, in nodes; a copy weighs as much as the original.
    weight: usize,
    end: Mark,
}

/// What an anchor stands for.
struct Anchored {
    node: Node,
    /// In nodes.
    weight: usize,
    /// How many levels lie below the node.
    height: usize,
}

impl<'text> Composer<'text> {
    fn next(&mut self) -> Result<(Event<'text>, Span), YamlError> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                self.end = mark(span);
                Ok((event, span))
            }
            Some(Err(error)) => Err(syntax_error(&error)),
            None => Err(YamlError {
                mark: self.end,
                message: "the text ends too early".to_owned(),
            }),
        }
    }

    fn node(&mut self, event: Event<'text>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let at = mark(span);
        check_depth(depth, at)?;
        let before = self.weight;
        self.count(1, at)?;
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(text.len() / TEXT_PER_NODE, at)?;
                let value = typed_scalar(&text, style, tag.as_deref(), at)?;
                (Content::Scalar(value), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                collection_tag(tag.as_deref(), "seq", at)?;
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if event == Event::SequenceEnd {
                        break (Content::Sequence(items), anchor);
                    }
                    items.push(self.node(event, span, depth + 1)?);
                }
            }
            Event::MappingStart(_, anchor, tag) => {
                collection_tag(tag.as_deref(), "map", at)?;
                (self.mapping(depth)?, anchor)
            }
            Event::Alias(anchor) => {
                let Some(anchored) = self.anchors.get(&anchor) else {
                    return Err(YamlError {
                        mark: at,
                        message: "an alias inside the value it stands for".to_owned(),
                    });
                };
                check_depth(depth + anchored.height, at)?;
                let weight = anchored.weight;
                let content = anchored.node.content.clone();
                self.count(weight, at)?;
                (content, 0)
            }
            _ => {
                return Err(YamlError {
                    mark: at,
                    message: "a value is missing here".to_owned(),
                });
            }
        };
        let node = Node { mark: at, content };
        if anchor != 0 {
            let weight = self.weight - before;
            self.count(weight, at)?;
            let anchored = Anchored {
                height: height(&node),
                node: node.clone(),
                weight,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(node)
    }

    /// A mapping's entries, `<<` merged in: what the mapping says itself goes first, then
    /// what the first merged mapping says, and so on.
    fn mapping(&mut self, depth: usize) -> Result<Content, YamlError> {
        let mut entries: Vec<(String, Mark, Node)> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let mut merged: Vec<(Mark, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let at = mark(span);
            let Event::Scalar(key, style, anchor, _) = event else {
                return Err(YamlError {
                    mark: at,
                    message: "a mapping's key must be a plain text".to_owned(),
                });
            };
            let weight = key.len() / TEXT_PER_NODE;
            self.count(weight, at)?;
            if anchor != 0 {
                let content = Content::Scalar(Value::String(key.to_string()));
                let anchored = Anchored {
                    node: Node { mark: at, content },
                    weight: 1 + weight,
                    height: 0,
                };
                self.anchors.insert(anchor, anchored);
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if key == "<<" && style == ScalarStyle::Plain {
                merged.push((at, value));
            } else if seen.insert(key.to_string()) {
                entries.push((key.into_owned(), at, value));
            } else {
                return Err(YamlError {
                    mark: at,
                    message: format!("key {key:?} is given twice in one mapping; keep one of them"),
                });
            }
        }
        for (at, value) in merged {
            let sources = match value.content {
                Content::Sequence(items) => items,
                _ => vec![value],
            };
            for source in sources {
                let Content::Mapping(more) = source.content else {
                    return Err(YamlError {
                        mark: at,
                        message: "`<<` merges a mapping, or a sequence of mappings".to_owned(),
                    });
                };
                entries.extend(
                    more.into_iter()
                        .filter(|(key, ..)| seen.insert(key.clone())),
                );
            }
        }
        Ok(Content::Mapping(entries))
    }

    fn count(&mut self, more: usize, at: Mark) -> Result<(), YamlError> {
        self.weight = self.weight.saturating_add(more);
        if self.weight > MAX_NODES {
            return Err(YamlError {
                mark: at,
                message: format!(
                    "more than {MAX_NODES} values, aliases counted as often as they are used; split the file"
                ),
            });
        }
        Ok(())
    }
}

fn check_depth(depth: usize, at: Mark) -> Result<(), YamlError> {
    if depth <= MAX_DEPTH {
        return Ok(());
    }
    Err(YamlError {
        mark: at,
        message: format!("nested more than {MAX_DEPTH} levels deep; a manifest needs about ten"),
    })
}

/// How many levels lie below `node`: 0 for a scalar and for what is empty.
fn height(node: &Node) -> usize {
    match &node.content {
        Content::Scalar(_) => 0,
        Content::Sequence(items) => items.iter().map(|item| height(item) + 1).max().unwrap_or(0),
        Content::Mapping(entries) => {
            let heights = entries.iter().map(|(_, _, value)| height(value) + 1);
            heights.max().unwrap_or(0)
        }
    }
}

fn mark(span: Span) -> Mark {
    Mark {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn syntax_error(error: &ScanError) -> YamlError {
    let at = error.marker();
    YamlError {
        mark: Mark {
            line: at.line(),
            column: at.col() + 1,
        },
        message: format!("invalid YAML: {}", error.info()),
    }
}

fn typed_scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    at: Mark,
) -> Result<Value, YamlError> {
    let error = |message: String| YamlError { mark: at, message };
    let Some(tag) = tag else {
        return Ok(match style {
            ScalarStyle::Plain => scalar::resolve(text),
            _ => Value::String(text.to_owned()),
        });
    };
    let Some(kind) = tag.core_suffix() else {
        // `!` alone says "not resolved": a text.
        return match tag.to_string().as_str() {
            "!" => Ok(Value::String(text.to_owned())),
            other => Err(error(format!("tag {other} is not supported; leave it out"))),
        };
    };
    let value = scalar::resolve(text);
    let fits = match kind {
        "str" => return Ok(Value::String(text.to_owned())),
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_u64() || value.is_i64(),
        "float" => value.is_number(),
        _ => false,
    };
    if fits {
        Ok(value)
    } else {
        Err(error(format!("{text:?} is not of type !!{kind}")))
    }
}

fn collection_tag(tag: Option<&Tag>, expected: &str, at: Mark) -> Result<(), YamlError> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema_tag(expected) => Err(YamlError {
            mark: at,
            message: format!("tag {tag} is not supported here; leave it out"),
        }),
        _ => Ok(()),
    }
}
