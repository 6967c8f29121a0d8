//! Untyped values to Kubernetes' types, with the types deciding what a scalar becomes.
//!
//! After `${NAME}` was filled in, every such value is a text, also where a Pod has a number
//! or a boolean (`hostPort: "${LLAMA_PORT}"`). Which field has which type is known to
//! k8s-openapi's `Deserialize` implementations: they ask for it. So the deserializer here
//! answers the question "a 32-bit integer, please" for a text of digits with that integer,
//! and writes the integer back into the value, which then goes to Podman. Free-form maps
//! (labels, `ConfigMap.data`) ask for texts and keep them. No table of field names is needed,
//! and none can go stale.
//!
//! A null where no `Option` is asked for is the type's zero value, as Go reads it.
//!
//! A number or boolean where a text is wanted (`value: 8080`) is read as text and left as it
//! is, since Podman turns it into a text by itself, by its own rules.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor, value::StrDeserializer,
};
use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;

use super::path::{Path, Step};

/// A value whose form does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The value.
    pub path: Path,
    /// What the field takes, such as `a whole number`.
    pub expected: String,
}

/// Reads `value` as a `T`, and turns texts into the numbers and booleans that `T` wants in
/// their place. What does not fit is returned and emptied (set to null), so that one bad field
/// does not hide the others.
///
/// Each mismatch costs another reading; after `limit` of them the reading is given up.
/// `None` comes with at least one mismatch.
pub fn read<T: DeserializeOwned>(value: &mut Value, limit: usize) -> (Option<T>, Vec<Mismatch>) {
    let mut mismatches: Vec<Mismatch> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize(Coercing(value)) {
            Ok(typed) => return (Some(typed), mismatches),
            Err(error) => error,
        };
        let path: Path = error
            .path()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Seq { index } => Some(Step::Index(*index)),
                Segment::Map { key } => Some(Step::Key(key.clone())),
                Segment::Enum { .. } | Segment::Unknown => None,
            })
            .collect();
        let emptied = empty(value, &path);
        mismatches.push(Mismatch {
            path,
            expected: error.into_inner().0,
        });
        if !emptied || mismatches.len() >= limit {
            return (None, mismatches);
        }
    }
}

/// Sets the value at `path` to null, or where it is null already, the nearest value above
/// that is not. False where nothing is left to be emptied.
fn empty(value: &mut Value, path: &Path) -> bool {
    let mut path = path.clone();
    loop {
        if let Some(found) = find_mut(value, &path)
            && !found.is_null()
        {
            *found = Value::Null;
            return !path.is_root();
        }
        if path.is_root() {
            return false;
        }
        path = path.parent();
    }
}

/// The value that `path` leads to.
pub fn find_mut<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    path.steps()
        .iter()
        .try_fold(value, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::Index(index) => value.get_mut(index),
        })
}

/// What was expected. The offending value is left out on purpose: it may be a secret.
#[derive(Debug)]
struct TypeError(String);

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TypeError {}

impl Error for TypeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("a value of another form".to_owned())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(in_words(&expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(in_words(&expected.to_string()))
    }
}

fn in_words(expected: &str) -> String {
    match expected {
        "i32" | "i64" | "a 32-bit integer" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "Quantity" => "a text".to_owned(),
        "IntOrString" => "a number or a name".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        other => other.to_owned(),
    }
}

struct Coercing<'v>(&'v mut Value);

impl Coercing<'_> {
    fn coerce_integer(&mut self) {
        if let Value::String(text) = &*self.0
            && let Ok(number) = text.trim().parse::<i64>()
        {
            *self.0 = Value::Number(Number::from(number));
        }
    }

    fn coerce_boolean(&mut self) {
        let Value::String(text) = &*self.0 else {
            return;
        };
        let boolean = match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => true,
            "false" | "no" | "off" => false,
            _ => return,
        };
        *self.0 = Value::Bool(boolean);
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, TypeError> {
            self.coerce_integer();
            if self.0.is_null() { visitor.visit_u64(0) } else { self.plain(visitor) }
        }
    )*};
}

impl Coercing<'_> {
    fn plain<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(boolean) => visitor.visit_bool(*boolean),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter_mut())),
            Value::Object(entries) => visitor.visit_map(Entries::of(entries)),
        }
    }
}

impl<'de> Deserializer<'de> for Coercing<'_> {
    type Error = TypeError;

    /// In a Pod only `IntOrString` asks for any type.
    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, TypeError> {
        self.coerce_integer();
        self.plain(visitor)
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, TypeError> {
        self.coerce_boolean();
        if self.0.is_null() {
            visitor.visit_bool(false)
        } else {
            self.plain(visitor)
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        match self.0 {
            Value::Null => visitor.visit_str(""),
            Value::Bool(boolean) => visitor.visit_string(boolean.to_string()),
            Value::Number(number) => visitor.visit_string(number.to_string()),
            _ => self.plain(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        match self.0 {
            Value::Null => visitor.visit_map(Entries::of(&mut Map::new())),
            Value::Object(entries) => visitor.visit_map(Entries::of(entries)),
            _ => Err(TypeError(format!("a mapping ({name})"))),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        if self.0.is_null() {
            visitor.visit_seq(Items([].iter_mut()))
        } else {
            self.plain(visitor)
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        if self.0.is_null() {
            visitor.visit_map(Entries::of(&mut Map::new()))
        } else {
            self.plain(visitor)
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

struct Items<'v>(std::slice::IterMut<'v, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = TypeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TypeError> {
        self.0
            .next()
            .map(|value| seed.deserialize(Coercing(value)))
            .transpose()
    }
}

struct Entries<'v> {
    entries: serde_json::map::IterMut<'v>,
    value: Option<&'v mut Value>,
}

impl<'v> Entries<'v> {
    fn of(entries: &'v mut Map<String, Value>) -> Self {
        Self {
            entries: entries.iter_mut(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = TypeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TypeError> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        let key: StrDeserializer<'_, TypeError> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TypeError> {
        let value = self
            .value
            .take()
            .ok_or_else(|| TypeError("a value".to_owned()))?;
        seed.deserialize(Coercing(value))
    }
}
