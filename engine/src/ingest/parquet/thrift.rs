//! Just enough of Thrift's compact protocol to distrust it: page headers, and a check of the footer
//! before the Parquet crate may parse it.
//!
//! The crate reserves memory for as many schema children and row groups as a footer claims, and
//! follows its nesting by recursion; [`check_footer`] bounds both. Must not know files.

use parquet::basic::Encoding;

/// How deep a footer's values may be nested; the format needs about 6.
const VALUE_DEPTH_MAX: usize = 32;
/// How deep a schema may be nested. The Parquet crate recurses over it.
const SCHEMA_DEPTH_MAX: usize = 100;

/// Why some bytes are no Thrift value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ThriftError {
    /// They end too early.
    Truncated,
    /// They are wrong.
    Malformed(&'static str),
}

type ThriftResult<T> = Result<T, ThriftError>;

use ThriftError::{Malformed, Truncated};

/// What kind of page a header announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageKind {
    /// Values, with their levels compressed along with them.
    Data,
    /// Values after uncompressed levels.
    DataV2,
    /// The chunk's distinct values.
    Dictionary,
    /// Something to skip.
    Other,
}

/// A page header; counts are not yet checked against anything.
#[derive(Clone, Debug)]
pub(super) struct PageHeader {
    /// Kind.
    pub(super) kind: PageKind,
    /// Bytes of the header itself.
    pub(super) header_bytes: usize,
    /// Bytes of the page behind the header.
    pub(super) compressed_bytes: usize,
    /// Bytes of the page when decompressed, uncompressed levels included.
    pub(super) uncompressed_bytes: usize,
    /// CRC-32 of the page behind the header.
    pub(super) crc: Option<u32>,
    /// Values, NULLs included.
    pub(super) value_count: usize,
    /// Encoding of the values.
    pub(super) encoding: Encoding,
    /// Encoding of the definition levels of a `Data` page.
    pub(super) level_encoding: Encoding,
    /// NULLs in a `DataV2` page.
    pub(super) null_count: usize,
    /// Bytes of the definition levels of a `DataV2` page.
    pub(super) definition_bytes: usize,
    /// Bytes of the repetition levels of a `DataV2` page.
    pub(super) repetition_bytes: usize,
    /// Whether the values of a `DataV2` page are compressed.
    pub(super) compressed: bool,
}

impl PageHeader {
    /// Parses the header that `bytes` start with.
    pub(super) fn parse(bytes: &[u8]) -> ThriftResult<PageHeader> {
        let mut cursor = Cursor { bytes, position: 0 };
        let mut header = PageHeader {
            kind: PageKind::Other,
            header_bytes: 0,
            compressed_bytes: 0,
            uncompressed_bytes: 0,
            crc: None,
            value_count: 0,
            encoding: Encoding::PLAIN,
            level_encoding: Encoding::RLE,
            null_count: 0,
            definition_bytes: 0,
            repetition_bytes: 0,
            compressed: true,
        };
        let (mut kind, mut sizes, mut detail) = (None, (None, None), None);
        let mut last_id = 0;
        while let Some((id, wire_type)) = cursor.field(&mut last_id)? {
            match id {
                1 => kind = Some(cursor.integer(wire_type)?),
                2 => sizes.0 = Some(cursor.size(wire_type)?),
                3 => sizes.1 = Some(cursor.size(wire_type)?),
                // A CRC is written as a signed integer; its 32 bits are what counts.
                4 => crc_of(&mut header, cursor.integer(wire_type)?)?,
                5 | 7 | 8 => {
                    cursor.page_detail(id, wire_type, &mut header)?;
                    detail = Some(id);
                }
                _ => cursor.skip(wire_type, 1)?,
            }
        }
        let (Some(uncompressed), Some(compressed)) = sizes else {
            return Err(Malformed("a page header without sizes"));
        };
        header.kind = match (kind, detail) {
            (Some(0), Some(5)) => PageKind::Data,
            (Some(2), Some(7)) => PageKind::Dictionary,
            (Some(3), Some(8)) => PageKind::DataV2,
            (Some(0 | 2 | 3) | None, _) => return Err(Malformed("a page header without its part")),
            _ => PageKind::Other,
        };
        header.header_bytes = cursor.position;
        header.uncompressed_bytes = uncompressed;
        header.compressed_bytes = compressed;
        Ok(header)
    }
}

fn crc_of(header: &mut PageHeader, value: i64) -> ThriftResult<()> {
    let signed = i32::try_from(value).map_err(|_| Malformed("a CRC of more than 32 bits"))?;
    header.crc = Some(signed.cast_unsigned());
    Ok(())
}

/// What a footer says that must be known before it is parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FooterCheck {
    /// Whether columns are encrypted under a plain footer.
    pub(super) encrypted: bool,
}

/// Checks that every list in a footer is as long as it says, that nothing is nested absurdly, and
/// that the schema is one tree.
pub(super) fn check_footer(bytes: &[u8]) -> ThriftResult<FooterCheck> {
    let mut cursor = Cursor { bytes, position: 0 };
    let mut check = FooterCheck::default();
    let mut last_id = 0;
    while let Some((id, wire_type)) = cursor.field(&mut last_id)? {
        match id {
            2 if wire_type == LIST => cursor.check_schema()?,
            8 => {
                check.encrypted = true;
                cursor.skip(wire_type, 0)?;
            }
            _ => cursor.skip(wire_type, 0)?,
        }
    }
    Ok(check)
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> ThriftResult<u8> {
        let byte = *self.bytes.get(self.position).ok_or(Truncated)?;
        self.position += 1;
        Ok(byte)
    }

    fn skip_bytes(&mut self, count: u64) -> ThriftResult<()> {
        let left = self.bytes.len() - self.position;
        let count = usize::try_from(count).map_err(|_| Truncated)?;
        if count > left {
            return Err(Truncated);
        }
        self.position += count;
        Ok(())
    }

    fn variable(&mut self) -> ThriftResult<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed("an integer of more than 64 bits"))
    }

    /// The next field's id and type; `None` at the end of the struct.
    fn field(&mut self, last_id: &mut i64) -> ThriftResult<Option<(i64, u8)>> {
        let byte = self.byte()?;
        let wire_type = byte & 0x0f;
        if wire_type == 0 {
            return Ok(None);
        }
        *last_id = match byte >> 4 {
            0 => unzigzag(self.variable()?),
            delta => last_id.wrapping_add(i64::from(delta)),
        };
        Ok(Some((*last_id, wire_type)))
    }

    fn integer(&mut self, wire_type: u8) -> ThriftResult<i64> {
        match wire_type {
            BYTE => Ok(i64::from(self.byte()?.cast_signed())),
            4..=6 => Ok(unzigzag(self.variable()?)),
            _ => Err(Malformed("not an integer")),
        }
    }

    fn size(&mut self, wire_type: u8) -> ThriftResult<usize> {
        let value = self.integer(wire_type)?;
        let size = i32::try_from(value).ok().and_then(|size| usize::try_from(size).ok());
        size.ok_or(Malformed("a count or size that is negative or too large"))
    }

    fn encoding(&mut self, wire_type: u8) -> ThriftResult<Encoding> {
        Ok(match self.integer(wire_type)? {
            0 => Encoding::PLAIN,
            2 => Encoding::PLAIN_DICTIONARY,
            3 => Encoding::RLE,
            #[expect(deprecated, reason = "old files have it for levels")]
            4 => Encoding::BIT_PACKED,
            5 => Encoding::DELTA_BINARY_PACKED,
            6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            7 => Encoding::DELTA_BYTE_ARRAY,
            8 => Encoding::RLE_DICTIONARY,
            9 => Encoding::BYTE_STREAM_SPLIT,
            _ => return Err(Malformed("an unknown encoding")),
        })
    }

    /// `DataPageHeader` (5), `DictionaryPageHeader` (7) or `DataPageHeaderV2` (8).
    fn page_detail(&mut self, part: i64, wire: u8, header: &mut PageHeader) -> ThriftResult<()> {
        if wire != STRUCT {
            return Err(Malformed("a page header's part is no struct"));
        }
        let (mut counted, mut encoded) = (false, false);
        let mut last_id = 0;
        while let Some((id, wire_type)) = self.field(&mut last_id)? {
            match (part, id) {
                (_, 1) => {
                    header.value_count = self.size(wire_type)?;
                    counted = true;
                }
                (5 | 7, 2) | (8, 4) => {
                    header.encoding = self.encoding(wire_type)?;
                    encoded = true;
                }
                (5, 3) => header.level_encoding = self.encoding(wire_type)?,
                (8, 2) => header.null_count = self.size(wire_type)?,
                (8, 5) => header.definition_bytes = self.size(wire_type)?,
                (8, 6) => header.repetition_bytes = self.size(wire_type)?,
                (8, 7) => header.compressed = wire_type == TRUE,
                _ => self.skip(wire_type, 2)?,
            }
        }
        if counted && encoded { Ok(()) } else { Err(Malformed("a page header without its counts")) }
    }

    /// Passes over a field's value.
    fn skip(&mut self, wire_type: u8, depth: usize) -> ThriftResult<()> {
        if depth > VALUE_DEPTH_MAX {
            return Err(Malformed("values nested too deep"));
        }
        match wire_type {
            TRUE | FALSE => Ok(()),
            BYTE => self.byte().map(|_| ()),
            4..=6 => self.variable().map(|_| ()),
            DOUBLE => self.skip_bytes(8),
            UUID => self.skip_bytes(16),
            BINARY => {
                let length = self.variable()?;
                self.skip_bytes(length)
            }
            LIST | SET => {
                let (count, element) = self.list()?;
                (0..count).try_for_each(|_| self.skip_element(element, depth + 1))
            }
            MAP => self.skip_map(depth),
            STRUCT => {
                let mut last_id = 0;
                while let Some((_, wire_type)) = self.field(&mut last_id)? {
                    self.skip(wire_type, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(Malformed("an unknown wire type")),
        }
    }

    /// In lists and maps a boolean takes a byte; as a field it is in the type.
    fn skip_element(&mut self, wire_type: u8, depth: usize) -> ThriftResult<()> {
        match wire_type {
            TRUE | FALSE => self.byte().map(|_| ()),
            _ => self.skip(wire_type, depth),
        }
    }

    fn skip_map(&mut self, depth: usize) -> ThriftResult<()> {
        let count = self.variable()?;
        if count == 0 {
            return Ok(());
        }
        let types = self.byte()?;
        (0..count).try_for_each(|_| {
            self.skip_element(types >> 4, depth + 1)?;
            self.skip_element(types & 0x0f, depth + 1)
        })
    }

    /// A list's length, which its bytes can hold, and element type.
    fn list(&mut self) -> ThriftResult<(u64, u8)> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.variable()?,
            count => u64::from(count),
        };
        // Every element takes at least a byte.
        let left = u64::try_from(self.bytes.len() - self.position).unwrap_or(u64::MAX);
        if count > left { Err(Truncated) } else { Ok((count, byte & 0x0f)) }
    }

    /// The schema: its elements in depth-first order, each with its number of children.
    fn check_schema(&mut self) -> ThriftResult<()> {
        let (count, element) = self.list()?;
        if element != STRUCT {
            return Err(Malformed("a schema that is no list of structs"));
        }
        let mut open: Vec<u64> = vec![1];
        for index in 0..count {
            while open.last() == Some(&0) {
                open.pop();
            }
            let parent = open.last_mut().ok_or(Malformed("a schema with more than one root"))?;
            *parent -= 1;
            let children = self.schema_children()?;
            if children > count - index {
                return Err(Malformed("a schema with fewer elements than it says"));
            }
            open.push(children);
            if open.len() > SCHEMA_DEPTH_MAX {
                return Err(Malformed("a schema nested too deep"));
            }
        }
        if open.iter().any(|left| *left > 0) {
            return Err(Malformed("a schema with fewer elements than it says"));
        }
        Ok(())
    }

    fn schema_children(&mut self) -> ThriftResult<u64> {
        let mut children = 0;
        let mut last_id = 0;
        while let Some((id, wire_type)) = self.field(&mut last_id)? {
            match id {
                5 => {
                    let size = self.size(wire_type)?;
                    children = u64::try_from(size).unwrap_or(u64::MAX);
                }
                _ => self.skip(wire_type, 1)?,
            }
        }
        Ok(children)
    }
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_page_header_is_read_and_any_part_of_it_is_truncated() {
        // type 0, uncompressed 100, compressed 50, crc -1, { 7 values, PLAIN, RLE, RLE }
        let bytes =
            [0x15, 0, 0x15, 0xc8, 1, 0x15, 100, 0x15, 1, 0x1c, 0x15, 14, 0x15, 0, 0x15, 6, 0x15, 6]
                .iter()
                .chain(&[0, 0])
                .copied()
                .collect::<Vec<u8>>();
        let header = PageHeader::parse(&bytes).expect("a header");
        assert_eq!(header.kind, PageKind::Data);
        assert_eq!((header.uncompressed_bytes, header.compressed_bytes), (100, 50));
        assert_eq!((header.value_count, header.crc), (7, Some(u32::MAX)));
        assert_eq!(header.header_bytes, bytes.len());
        for length in 0..bytes.len() {
            assert_eq!(PageHeader::parse(&bytes[..length]).unwrap_err(), Truncated);
        }
    }

    #[test]
    fn lists_longer_than_the_footer_and_deep_values_are_refused() {
        // Field 4, a list of 2^31 structs.
        let long = [0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        assert_eq!(check_footer(&long).unwrap_err(), Truncated);
        let deep: Vec<u8> = std::iter::repeat_n(0x1c, 1_000).collect();
        assert_eq!(check_footer(&deep).unwrap_err(), Malformed("values nested too deep"));
    }

    #[test]
    fn a_schema_is_one_tree_of_bounded_depth() {
        // Field 2, a list of structs, each with field 5 (children) and an end mark.
        let schema = |children: &[u8]| {
            let count = u8::try_from(children.len()).expect("short");
            let mut bytes = vec![0x29, 0xfc, count];
            for child_count in children {
                bytes.extend([0x55, child_count * 2, 0]);
            }
            bytes.push(0);
            check_footer(&bytes)
        };
        assert!(schema(&[2, 0, 1, 0]).is_ok());
        assert!(schema(&[2, 0]).is_err());
        assert!(schema(&[0, 0]).is_err());
        assert!(schema(&[60, 0]).is_err());
        let chain: Vec<u8> = std::iter::repeat_n(1, 120).chain([0]).collect();
        assert_eq!(schema(&chain).unwrap_err(), Malformed("a schema nested too deep"));
    }
}
