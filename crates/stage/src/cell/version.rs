//! What stands for the value of a binding: a number that is the same for equal values of the same type. So cells that
//! use a binding need not run again when its cell was evaluated again and has come to the same.
//!
//! It is made of the value's serialised form, if it has one and that is small. Chosen as in `export`: the first
//! implementation that method resolution finds.

use std::any::type_name;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// What is larger has no number: making it would cost more than it saves.
const MOST: usize = 64 << 10;

/// What can change without being another value: whoever has an old clone would miss what happens to the new one.
const CHANGEABLE: [&str; 5] = ["Mutex<", "RwLock<", "Cell<", "sync::atomic::", "OnceLock<"];

/// A value that a number may stand for.
#[derive(Debug)]
pub struct Versioned<'a, T>(pub &'a T);

/// The tag of types that have a serialised form.
#[derive(Clone, Copy, Debug)]
pub struct SerializeTag;

/// The tag of types that have none.
#[derive(Clone, Copy, Debug)]
pub struct UnknownTag;

/// Chosen where the type is `Serialize`.
pub trait BySerialize {
    /// The tag that makes the number.
    fn tag(&self) -> SerializeTag {
        SerializeTag
    }
}

/// Chosen where it is not.
pub trait ByNothing {
    /// The tag that makes none.
    fn tag(&self) -> UnknownTag {
        UnknownTag
    }
}

impl<T: Serialize> BySerialize for &Versioned<'_, T> {}
impl<T> ByNothing for Versioned<'_, T> {}

impl SerializeTag {
    /// The number of a value.
    pub fn of<T: Serialize>(self, value: &T) -> Option<u64> {
        let mut digest = Digest::of_type(type_name::<T>())?;
        value.serialize(&mut digest).ok().map(|()| digest.hasher.finish())
    }
}

impl UnknownTag {
    /// No number.
    pub fn of<T>(self, _: &T) -> Option<u64> {
        None
    }
}

/// Takes in a serialised form, up to a limit.
struct Digest {
    hasher: DefaultHasher,
    room: usize,
}

/// There is no number for it.
#[derive(Debug)]
struct NoNumber;

impl fmt::Display for NoNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too large, or nothing that can be serialised")
    }
}

impl std::error::Error for NoNumber {}

impl Error for NoNumber {
    fn custom<T: fmt::Display>(_: T) -> Self {
        NoNumber
    }
}

impl Digest {
    fn of_type(name: &str) -> Option<Digest> {
        if CHANGEABLE.iter().any(|changeable| name.contains(changeable)) {
            return None;
        }
        let mut digest = Digest { hasher: DefaultHasher::new(), room: MOST };
        digest.take(0, name.as_bytes()).ok().map(|()| digest)
    }

    /// Takes in bytes of a kind; with their length, so that no two values look the same.
    fn take(&mut self, kind: u8, bytes: &[u8]) -> Result<(), NoNumber> {
        self.room = self.room.checked_sub(bytes.len() + 1).ok_or(NoNumber)?;
        self.hasher.write_u8(kind);
        self.hasher.write_usize(bytes.len());
        self.hasher.write(bytes);
        Ok(())
    }

    fn begin(&mut self, kind: u8, name: &str) -> Result<&mut Self, NoNumber> {
        self.take(kind, name.as_bytes())?;
        Ok(self)
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty, $kind:literal;)*) => {
        $(fn $method(self, value: $type) -> Result<(), NoNumber> {
            self.take($kind, &value.to_le_bytes())
        })*
    };
}

impl<'a> Serializer for &'a mut Digest {
    type Ok = ();
    type Error = NoNumber;
    type SerializeSeq = &'a mut Digest;
    type SerializeTuple = &'a mut Digest;
    type SerializeTupleStruct = &'a mut Digest;
    type SerializeTupleVariant = &'a mut Digest;
    type SerializeMap = &'a mut Digest;
    type SerializeStruct = &'a mut Digest;
    type SerializeStructVariant = &'a mut Digest;

    numbers! {
        serialize_i8: i8, 1;
        serialize_i16: i16, 2;
        serialize_i32: i32, 3;
        serialize_i64: i64, 4;
        serialize_i128: i128, 5;
        serialize_u8: u8, 6;
        serialize_u16: u16, 7;
        serialize_u32: u32, 8;
        serialize_u64: u64, 9;
        serialize_u128: u128, 10;
        serialize_f32: f32, 11;
        serialize_f64: f64, 12;
    }

    fn serialize_bool(self, value: bool) -> Result<(), NoNumber> {
        self.take(13, &[u8::from(value)])
    }

    fn serialize_char(self, value: char) -> Result<(), NoNumber> {
        self.take(14, &u32::from(value).to_le_bytes())
    }

    fn serialize_str(self, value: &str) -> Result<(), NoNumber> {
        self.take(15, value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), NoNumber> {
        self.take(16, value)
    }

    fn serialize_none(self) -> Result<(), NoNumber> {
        self.take(17, &[])
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), NoNumber> {
        value.serialize(self.begin(18, "")?)
    }

    fn serialize_unit(self) -> Result<(), NoNumber> {
        self.take(19, &[])
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), NoNumber> {
        self.take(20, name.as_bytes())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), NoNumber> {
        self.take(21, variant.as_bytes())
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Result<(), NoNumber> {
        value.serialize(self.begin(22, name)?)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NoNumber> {
        value.serialize(self.begin(23, variant)?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NoNumber> {
        self.begin(24, "")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NoNumber> {
        self.begin(25, "")
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self, NoNumber> {
        self.begin(26, name)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, NoNumber> {
        self.begin(27, variant)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, NoNumber> {
        self.begin(28, "")
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, NoNumber> {
        self.begin(29, name)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, NoNumber> {
        self.begin(30, variant)
    }
}

macro_rules! parts {
    ($($trait:ident::$method:ident;)*) => {
        $(impl $trait for &mut Digest {
            type Ok = ();
            type Error = NoNumber;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), NoNumber> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), NoNumber> {
                self.take(31, &[])
            }
        })*
    };
}

parts! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! named_parts {
    ($($trait:ident;)*) => {
        $(impl $trait for &mut Digest {
            type Ok = ();
            type Error = NoNumber;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), NoNumber> {
                value.serialize(self.begin(32, name)?)
            }

            fn end(self) -> Result<(), NoNumber> {
                self.take(31, &[])
            }
        })*
    };
}

named_parts! {
    SerializeStruct;
    SerializeStructVariant;
}

impl SerializeMap for &mut Digest {
    type Ok = ();
    type Error = NoNumber;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), NoNumber> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), NoNumber> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), NoNumber> {
        self.take(31, &[])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;

    /// As the generated code asks for it.
    macro_rules! number {
        ($value:expr) => {{
            let value = $value;
            (&&Versioned(&value)).tag().of(&value)
        }};
    }

    #[derive(serde::Serialize)]
    struct Point {
        x: i32,
        name: &'static str,
    }

    #[test]
    fn equal_values_of_a_type_have_the_same_number_and_others_another() {
        let point = |x, name| number!(Point { x, name });
        assert!(point(1, "a").is_some());
        assert_eq!(point(1, "a"), point(1, "a"));
        assert_ne!(point(1, "a"), point(2, "a"));
        assert_ne!(point(1, "a"), point(1, "b"));
        assert_ne!(number!(1_u8), number!(1_u16));
        assert_ne!(number!(vec!["a", "bc"]), number!(vec!["ab", "c"]));
        assert_ne!(number!(vec![vec![1], vec![]]), number!(vec![vec![], vec![1]]));
        assert_ne!(number!(Some(None::<u8>)), number!(None::<Option<u8>>));
        assert_eq!(number!(BTreeMap::from([(1, 'a')])), number!(BTreeMap::from([(1, 'a')])));
    }

    #[test]
    fn what_is_large_or_can_change_or_has_no_form_has_no_number() {
        struct Opaque;
        assert_eq!(number!(Opaque), None);
        assert_eq!(number!(Mutex::new(1)), None);
        assert!(number!(vec![0_u8; 1 << 10]).is_some());
        assert_eq!(number!(vec![0_u8; 1 << 16]), None);
    }
}
