//! A scan as bytes, so that another process, on another machine if it sees the files, can run it.
//!
//! The bytes say *what* is read, in words that outlive this process: the database's path and
//! identity, the snapshot's number, row groups, fields by id, and the filter with values, never with dictionary
//! codes or ids. All integers are LEB128 unless said otherwise, signed ones zigzag; a text is its
//! length and its bytes.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `MLSC` |
//! | 1 | version, 2 |
//! | … | database, identity (16 bytes), snapshot, row groups, source, columns, output count, filter |
//! | 8 | XXH3-64 of everything before, little-endian |
//!
//! A reader refuses other versions. Decoding any bytes gives an error or a scan whose expressions are
//! at most [`DEPTH_MAX`] deep; it allocates in proportion to the bytes.
//! Must not know how a scan is run.

mod codes;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

use super::logical::Scan;
use crate::types::{Error, Result};

use self::decode::Reader;
use self::encode::Writer;

const MAGIC: [u8; 4] = *b"MLSC";
const VERSION: u8 = 2;
const CHECKSUM_BYTES: usize = 8;
/// Deeper expressions are refused, written or read.
pub const DEPTH_MAX: usize = 1_000;

/// A scan of one snapshot, to be run elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanRequest {
    /// The database's path, as the reader is to open it.
    pub database: String,
    /// The number that the database got when it was created: another one at that path is refused.
    pub identity: [u8; 16],
    /// The snapshot that the scan was planned on.
    pub snapshot: u64,
    /// The row groups to read, by position; all when `None`.
    pub row_groups: Option<Vec<u32>>,
    /// What is read of them.
    pub scan: Scan,
}

impl ScanRequest {
    /// The bytes.
    ///
    /// # Errors
    /// `Unsupported` for expressions that are too deep; `Invalid` for a parameter without value.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::default();
        writer.raw(&MAGIC);
        writer.raw(&[VERSION]);
        writer.request(self)?;
        let mut bytes = writer.into_bytes();
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        Ok(bytes)
    }

    /// Reads what [`ScanRequest::to_bytes`] wrote.
    ///
    /// # Errors
    /// `Corrupt` for anything else; `Unsupported` for another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<ScanRequest> {
        let corrupt = |what: &str| Error::corrupt(format!("the scan's bytes {what}"));
        let (body, stored) =
            bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(|| corrupt("are cut off"))?;
        let (magic, rest) = body.split_first_chunk::<4>().ok_or_else(|| corrupt("are cut off"))?;
        if *magic != MAGIC {
            return Err(corrupt("do not begin with MLSC"));
        }
        let (version, rest) = rest.split_first().ok_or_else(|| corrupt("are cut off"))?;
        if *version != VERSION {
            return Err(Error::unsupported(format!(
                "version {version} of a scan is not supported"
            ))
            .with_hint("use the same version of Martlet on both sides"));
        }
        if checksum(body) != u64::from_le_bytes(*stored) {
            return Err(corrupt("do not match their checksum"));
        }
        let mut reader = Reader::new(rest);
        let request = reader.request()?;
        reader.end()?;
        Ok(request)
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot(bytes)
}
