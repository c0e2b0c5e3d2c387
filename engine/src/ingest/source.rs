//! Where rows to load come from, column by column.
//!
//! Must not know formats or storage: a Parquet file and a spool of Arrow batches look alike here.

use arrow::array::ArrayRef;

use crate::catalog::NewField;
use crate::types::Result;

/// The values of one column, in order, as arrays of a bounded length.
pub type ColumnArrays<'a> = Box<dyn Iterator<Item = Result<ArrayRef>> + Send + 'a>;

/// Rows that can be read column by column, each as often as wanted and several at a time.
pub trait ColumnSource: Sync {
    /// The columns.
    fn fields(&self) -> &[NewField];

    /// How many rows there are, where that is known before they are read.
    fn row_count(&self) -> Option<u64>;

    /// About how many bytes the column at `index` takes in the source, which says what to begin with;
    /// 0 where that is not known.
    fn column_bytes(&self, index: usize) -> u64 {
        let _ = index;
        0
    }

    /// The values of the column at `index`: arrays of `fields()[index].data_type.to_arrow()` with 1
    /// to `batch_len` rows. All columns have the same number of rows in total, but their arrays may
    /// end in different places: an array is short where a row group ends or its values are long.
    ///
    /// Instead an array may be a dictionary with `Int32` keys of such values: loading then hashes
    /// each of them once. Arrays that share a dictionary share the very same values array.
    ///
    /// # Errors
    /// When the column cannot be read at all. An error in its midst is the iterator's last item.
    fn column(&self, index: usize, batch_len: usize) -> Result<ColumnArrays<'_>>;
}
