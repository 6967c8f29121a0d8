//! Values to the text that Podman reads.
//!
//! JSON is YAML, and it leaves nothing to be guessed: every text is quoted, so `yes`, `0644`
//! or `1.10` reach Podman as what they were found to be. A few characters that JSON allows
//! inside a text are none to a YAML reader (it folds U+2028 like a line break and refuses
//! control characters), so they go out escaped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// One line of JSON for `value`.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, YamlSafe);
    // Writing a `Value` to memory fails in no way: its keys are texts, its numbers finite.
    if value.serialize(&mut serializer).is_err() {
        bytes.clear();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

struct YamlSafe;

impl Formatter for YamlSafe {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, character)) = rest.char_indices().find(|&(_, c)| needs_escape(c)) {
            CompactFormatter.write_string_fragment(writer, &rest[..at])?;
            write!(writer, "\\u{:04x}", u32::from(character))?;
            rest = &rest[at + character.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

/// Outside YAML 1.2's printable characters, or a line break to YAML 1.1.
fn needs_escape(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}
