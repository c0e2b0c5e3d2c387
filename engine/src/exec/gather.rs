//! Rows picked from several batches, put together.

use std::sync::Arc;

use arrow::array::Array;
use arrow::compute::interleave;

use super::source::ColumnKind;
use crate::types::{Error, Result, Value};
use crate::vector::{Batch, DictionaryVector, Vector};

/// A row of one of several batches: batch, then row.
pub(crate) type Pick = (u32, u32);

/// The rows `picks` of `batches`, whose columns are in ids (see
/// [`batch_to_ids`](super::source::batch_to_ids)).
///
/// # Errors
/// When Arrow cannot put them together (text beyond 2 GiB).
pub(crate) fn gather(batches: &[Batch], picks: &[Pick], kinds: &[ColumnKind]) -> Result<Batch> {
    if batches.is_empty() {
        let columns = kinds.iter().map(empty).collect::<Result<Vec<_>>>()?;
        return Ok(Batch::new(columns, 0));
    }
    let columns = (0..kinds.len())
        .map(|column| gather_column(batches, picks, column))
        .collect::<Result<Vec<_>>>()?;
    Ok(Batch::new(columns, picks.len()))
}

fn empty(kind: &ColumnKind) -> Result<Vector> {
    Ok(match kind {
        ColumnKind::Dictionary { identity, .. } => {
            Vector::Dictionary(DictionaryVector::new(Vec::new(), Arc::clone(identity)))
        }
        ColumnKind::Flat { data_type, .. } => Vector::Flat(Value::Null.to_array(*data_type, 0)?),
    })
}

fn gather_column(batches: &[Batch], picks: &[Pick], column: usize) -> Result<Vector> {
    let lost = || Error::internal("a column changed its representation");
    let vectors: Vec<&Vector> = batches.iter().map(|batch| &batch.columns()[column]).collect();
    if let Some(Vector::Dictionary(first)) = vectors.first() {
        let codes = picks.iter().map(|(batch, row)| match vectors[*batch as usize] {
            Vector::Dictionary(vector) => Ok(vector.codes()[*row as usize]),
            _ => Err(lost()),
        });
        let codes = codes.collect::<Result<Vec<u32>>>()?;
        return Ok(Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(first.book()))));
    }
    let arrays = vectors
        .iter()
        .map(|vector| match vector {
            Vector::Flat(array) => Ok(array.as_ref()),
            _ => Err(lost()),
        })
        .collect::<Result<Vec<&dyn Array>>>()?;
    let indices: Vec<(usize, usize)> =
        picks.iter().map(|(batch, row)| (*batch as usize, *row as usize)).collect();
    Ok(Vector::Flat(interleave(&arrays, &indices)?))
}
