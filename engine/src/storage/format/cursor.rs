//! The one way to read bytes of a file: bounds-checked, little-endian, with a name for messages.

use bytes::Bytes;

use crate::types::{Error, Result};

/// A position in bytes that came from a file.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    what: &'a str,
}

impl<'a> Cursor<'a> {
    /// Reads `bytes` from the start; `what` names them in messages.
    pub fn new(bytes: &'a [u8], what: &'a str) -> Cursor<'a> {
        Cursor { bytes, position: 0, what }
    }

    /// A `Corrupt` error about these bytes.
    pub fn corrupt(&self, message: &str) -> Error {
        Error::corrupt(format!("{}: {message}", self.what))
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// `Corrupt` when there are fewer.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let taken = self
            .position
            .checked_add(len)
            .and_then(|end| Some((self.bytes.get(self.position..end)?, end)));
        let Some((taken, end)) = taken else {
            return Err(self.corrupt(&format!(
                "needs {len} bytes at byte {} of {}",
                self.position,
                self.bytes.len()
            )));
        };
        self.position = end;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// `Corrupt` when there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let what = self.what;
        self.take(N)?.try_into().map_err(|_| Error::corrupt(format!("{what}: too short")))
    }

    /// The next `len` bytes as text.
    ///
    /// # Errors
    /// `Corrupt` when there are fewer or they are no UTF-8.
    pub fn text(&mut self, len: usize) -> Result<&'a str> {
        let bytes = self.take(len)?;
        std::str::from_utf8(bytes).map_err(|_| self.corrupt("a text is not UTF-8"))
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// `Corrupt` otherwise.
    pub fn finish(&self) -> Result<()> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(self.corrupt(&format!("{left} bytes too many"))),
        }
    }
}

/// Something of fixed width in a file.
pub trait Wire: Sized {
    /// Its width in bytes.
    const SIZE: usize;

    /// Appends it.
    fn write(&self, target: &mut Vec<u8>);

    /// Reads it.
    ///
    /// # Errors
    /// `Corrupt` when the bytes end too early.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self>;
}

macro_rules! wire_integers {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const SIZE: usize = size_of::<$type>();

            fn write(&self, target: &mut Vec<u8>) {
                target.extend_from_slice(&self.to_le_bytes());
            }

            fn read(cursor: &mut Cursor<'_>) -> Result<$type> {
                Ok(<$type>::from_le_bytes(cursor.array()?))
            }
        }
    )*};
}

wire_integers!(u8, u16, u32, u64);

impl<const N: usize> Wire for [u8; N] {
    const SIZE: usize = N;

    fn write(&self, target: &mut Vec<u8>) {
        target.extend_from_slice(self);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<[u8; N]> {
        cursor.array()
    }
}

/// A run of records of one width, read one at a time.
#[derive(Clone, Debug)]
pub struct Records {
    bytes: Bytes,
    width: usize,
    len: usize,
}

impl Records {
    /// The first `len` records of `width` bytes in `bytes` from `offset` on, and where they end.
    ///
    /// # Errors
    /// `Corrupt` when `bytes` is too short for them.
    pub fn new(
        bytes: &Bytes,
        offset: usize,
        width: usize,
        len: u32,
        what: &str,
    ) -> Result<(Records, usize)> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let end = width.checked_mul(len).and_then(|size| offset.checked_add(size));
        match end {
            Some(end) if end <= bytes.len() => {
                Ok((Records { bytes: bytes.slice(offset..end), width, len }, end))
            }
            _ => Err(Error::corrupt(format!("{what}: too short for {len} records"))),
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The record at `index`.
    ///
    /// # Errors
    /// `Corrupt` when there are fewer.
    pub fn get<T: Wire>(&self, index: usize, what: &str) -> Result<T> {
        let start = index.saturating_mul(self.width);
        let bytes = self.bytes.get(start..).filter(|_| index < self.len).ok_or_else(|| {
            Error::corrupt(format!("{what}: record {index} of {} asked for", self.len))
        })?;
        T::read(&mut Cursor::new(bytes, what))
    }
}

/// Declares a record of fixed width: the struct, how it is written and read, and its table for
/// `tests/format_spec.rs`, from one list of fields.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident, $title:literal, $len:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $label:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $name {
            /// The record's table in FORMAT.md.
            pub const LAYOUT: $crate::storage::format::Layout = $crate::storage::format::Layout {
                title: $title,
                len: $len,
                fields: &[$((<$type as $crate::storage::format::Wire>::SIZE, $label)),*],
            };
        }

        impl $crate::storage::format::Wire for $name {
            const SIZE: usize = $len;

            fn write(&self, target: &mut Vec<u8>) {
                $(self.$field.write(target);)*
            }

            fn read(
                cursor: &mut $crate::storage::format::Cursor<'_>,
            ) -> $crate::types::Result<$name> {
                Ok($name { $($field: <$type as $crate::storage::format::Wire>::read(cursor)?,)* })
            }
        }

        const _: () = assert!(
            [$(<$type as $crate::storage::format::Wire>::SIZE),*].len() > 0
                && $crate::storage::format::widths(
                    &[$(<$type as $crate::storage::format::Wire>::SIZE),*]
                ) == $len,
            "the fields of a record fill its width"
        );
    };
}
pub(super) use record;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_past_the_end_is_corrupt() {
        let mut cursor = Cursor::new(&[1, 2, 3], "three bytes");
        assert_eq!(u16::read(&mut cursor).unwrap(), 0x0201);
        let error = u16::read(&mut cursor).unwrap_err();
        assert_eq!(error.message(), "three bytes: needs 2 bytes at byte 2 of 3");
        assert!(cursor.take(usize::MAX).is_err());
        assert!(cursor.finish().is_err());
    }

    #[test]
    fn records_are_read_only_inside_their_run() {
        let bytes = Bytes::from_static(&[1, 0, 2, 0, 3, 0]);
        let (records, end) = Records::new(&bytes, 0, 2, 2, "r").unwrap();
        assert_eq!((records.len(), end), (2, 4));
        assert_eq!(records.get::<u16>(1, "r").unwrap(), 2);
        assert!(records.get::<u16>(2, "r").is_err());
        assert!(Records::new(&bytes, 2, 2, u32::MAX, "r").is_err());
    }
}
