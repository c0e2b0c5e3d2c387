//! Predicates and lengths of a dictionary's texts, computed where the texts lie: a piece at a time,
//! without an array of them. A substring is searched in all bytes of a piece at once; a length in
//! bytes is the distance of two offsets. Must not know codes or rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use arrow::buffer::{BooleanBuffer, Buffer, OffsetBuffer};

use super::expression::LikeMatcher;
use crate::plan::{Expr, Function};
use crate::types::{DataType, Error, Result};
use crate::vector::TextPiece;

/// What is computed of each text.
#[derive(Debug)]
pub(crate) enum PieceKernel {
    /// Whether it matches, or does not.
    Like { matcher: LikeMatcher, negated: bool },
    /// Its bytes.
    ByteLength,
    /// Its code points.
    Length,
}

impl PieceKernel {
    /// The kernel of an expression over text column 0; `None` for any other.
    pub(crate) fn of(expr: &Expr) -> Option<PieceKernel> {
        match expr {
            Expr::Like { input, pattern } if is_text(input) => {
                Some(PieceKernel::Like { matcher: LikeMatcher::new(pattern), negated: false })
            }
            Expr::Not(input) => match PieceKernel::of(input)? {
                PieceKernel::Like { matcher, negated } => {
                    Some(PieceKernel::Like { matcher, negated: !negated })
                }
                PieceKernel::ByteLength | PieceKernel::Length => None,
            },
            Expr::Call { function, arguments, data_type: DataType::Int64 } => {
                match (function, &arguments[..]) {
                    (Function::ByteLength, [input]) if is_text(input) => {
                        Some(PieceKernel::ByteLength)
                    }
                    (Function::Length, [input]) if is_text(input) => Some(PieceKernel::Length),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The results for the texts of a piece.
    ///
    /// # Errors
    /// `Corrupt` when the piece is not UTF-8 and that matters.
    pub(crate) fn run(&self, piece: TextPiece<'_>) -> Result<ArrayRef> {
        match self {
            PieceKernel::Like { matcher, negated } => {
                let fill = if *negated { u64::MAX } else { 0 };
                let mut words = vec![fill; piece.len().div_ceil(64)];
                matcher
                    .matches_in(piece, |index| words[index / 64] ^= 1 << (index % 64))
                    .ok_or_else(|| Error::corrupt("a piece of text is not UTF-8"))?;
                let bits = BooleanBuffer::new(Buffer::from_vec(words), 0, piece.len());
                Ok(Arc::new(BooleanArray::new(bits, None)))
            }
            PieceKernel::Length if !piece.is_ascii => {
                let count = |index: usize| {
                    let is_start = |byte: &&u8| **byte & 0xC0 != 0x80;
                    i64::try_from(piece.value(index).iter().filter(is_start).count())
                        .unwrap_or(i64::MAX)
                };
                Ok(Arc::new((0..piece.len()).map(count).collect::<Int64Array>()))
            }
            PieceKernel::ByteLength | PieceKernel::Length => {
                let lengths = piece.offsets.windows(2).map(|pair| i64::from(pair[1] - pair[0]));
                Ok(Arc::new(Int64Array::from(lengths.collect::<Vec<_>>())))
            }
        }
    }
}

/// The texts of a piece as an array.
///
/// # Errors
/// `Corrupt` when they are not UTF-8 or too long.
pub(crate) fn texts_of(piece: TextPiece<'_>) -> Result<ArrayRef> {
    let corrupt = |error: String| Error::corrupt(format!("a piece of text: {error}"));
    let offsets = piece.offsets.iter().map(|offset| i32::try_from(*offset));
    let offsets = offsets.collect::<Result<Vec<_>, _>>().map_err(|e| corrupt(e.to_string()))?;
    let offsets = OffsetBuffer::new(offsets.into());
    let bytes = Buffer::from(piece.bytes);
    let texts = StringArray::try_new(offsets, bytes, None).map_err(|e| corrupt(e.to_string()))?;
    Ok(Arc::new(texts))
}

fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Column { index: 0, data_type: DataType::Utf8 })
}
