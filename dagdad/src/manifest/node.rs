//! Values that know their place in the file, so that a complaint about a field can point
//! at it.

use serde_json::{Map, Value};

use super::path::{Path, Step};

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub mark: Mark,
    /// What it is.
    pub content: Content,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Null, a boolean, a number or a text.
    Scalar(Value),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in the order written.
    Mapping(Vec<(String, Mark, Node)>),
}

impl Node {
    /// The value without places.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::Sequence(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Content::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, _, node)| (key.clone(), node.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// Whether there is nothing here.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.content == Content::Scalar(Value::Null)
    }

    /// The value that `path` leads to.
    #[must_use]
    pub fn find(&self, path: &Path) -> Option<&Self> {
        path.steps()
            .iter()
            .try_fold(self, |node, step| node.child(step).map(|(_, child)| child))
    }

    /// The place of what `path` leads to (of its key, in a mapping), or of its nearest
    /// ancestor that exists.
    #[must_use]
    pub fn place(&self, path: &Path) -> Mark {
        let (mut node, mut mark) = (self, self.mark);
        for step in path.steps() {
            let Some((at, child)) = node.child(step) else {
                break;
            };
            (mark, node) = (at, child);
        }
        mark
    }

    fn child(&self, step: &Step) -> Option<(Mark, &Self)> {
        match (&self.content, step) {
            (Content::Sequence(items), Step::Index(index)) => {
                items.get(*index).map(|item| (item.mark, item))
            }
            (Content::Mapping(entries), Step::Key(key)) => entries
                .iter()
                .find(|(name, ..)| name == key)
                .map(|(_, at, value)| (*at, value)),
            _ => None,
        }
    }
}
