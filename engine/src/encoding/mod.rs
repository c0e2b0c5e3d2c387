//! Encodings: how the values of one page become bytes, and back. Must not know files, tables or
//! threads.
//!
//! A page has 1 to 65,536 rows of one type and is cut into blocks of [`BLOCK_LEN`] rows. Its bytes
//! are self-contained and little-endian; offsets and alignments below count from the first byte of
//! the page, which storage puts on a 64-byte boundary:
//!
//! ```text
//! page      = validity body                   the body's grammar depends on the encoding
//! validity  = kind:u8 0:u8 0:u16 count:u32 [ bits | positions ] pad8
//! ```
//!
//! Each file here says the grammar of one part: `validity`, `frame` (frame of reference and bit
//! packing, which most others nest), `run_length`, `delta`, `sparse`, `alp`, `text` and
//! `pieces`. The encoding of a page is chosen by computed size, with a handicap for what decodes
//! slower (`integers`).
//!
//! Bytes that no encoder wrote are refused with `Corrupt`; they never make a reader panic or take
//! memory out of proportion to the rows and bytes of the page.

mod alp;
mod delta;
mod encode;
mod filter;
mod fixed;
mod frame;
mod integers;
mod layout;
mod listed;
mod page;
pub mod pieces;
mod run_length;
mod sparse;
mod text;
mod validity;
mod zone_map;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod examples;

pub use self::encode::{encode, encode_as, encode_codes};
pub use self::filter::CodeFilter;
pub use self::page::{Page, PageKind};
pub use self::zone_map::{BOUND_BYTES_MAX, FloatRange, ZoneMap};

use crate::kernel;
use crate::types::{Error, Result};

/// Rows of a block: what is packed, and decoded, at a time. The last block of a page may be short.
pub const BLOCK_LEN: usize = kernel::BLOCK_LEN;

/// The most rows a page has.
pub const PAGE_LEN_MAX: usize = 65_536;

/// How the values of a page are laid out. The numbers are in files and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// One value for all rows, or all NULL.
    Constant = 0,
    /// Runs of equal values.
    RunLength = 1,
    /// Offsets from a base per block, bit-packed, with exceptions.
    FrameOfReference = 2,
    /// Differences between neighbours in a frame of reference.
    Delta = 3,
    /// One dominant value, and the rows that have another.
    Sparse = 4,
    /// Floats as decimal integers in a frame of reference, with exceptions.
    Alp = 5,
    /// The values as they are in memory.
    Raw = 6,
    /// One bit per row.
    Bitmap = 7,
    /// Text or bytes in pieces.
    Text = 8,
}

impl Encoding {
    /// All encodings, by number.
    pub const ALL: [Encoding; 9] = [
        Encoding::Constant,
        Encoding::RunLength,
        Encoding::FrameOfReference,
        Encoding::Delta,
        Encoding::Sparse,
        Encoding::Alp,
        Encoding::Raw,
        Encoding::Bitmap,
        Encoding::Text,
    ];

    /// The number that files hold.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// The encoding with that number.
    ///
    /// # Errors
    /// `Corrupt` when there is none.
    pub fn from_id(id: u8) -> Result<Encoding> {
        Encoding::ALL
            .get(usize::from(id))
            .copied()
            .ok_or_else(|| Error::corrupt(format!("no encoding has the number {id}")))
    }
}

/// The bytes of a page and how they are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedPage {
    /// The layout of `bytes`.
    pub encoding: Encoding,
    /// What to write, from a 64-byte boundary on.
    pub bytes: Vec<u8>,
}
