//! Reads the columns of one morsel, page by page, as vectors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::conjunct::Test;
use super::view::{ChunkView, Column, PageView};
use crate::catalog::FieldId;
use crate::encoding::CodeFilter;
use crate::types::{DataType, Error, Result, Value};
use crate::vector::{CodeBook, DictionaryVector, Selection, Vector};

/// A column of one row group, as the scan gives it.
#[derive(Clone, Debug)]
pub(crate) struct OpenColumn {
    pub(crate) column: Column,
    pub(crate) data_type: DataType,
    /// What its codes stand for, where it has codes.
    pub(crate) book: Option<Arc<CodeBook>>,
    /// Whether codes are given out, not values.
    pub(crate) give_codes: bool,
}

/// Which columns and how many pages and bytes were read, and how many rows the pages begun have, over
/// all workers.
#[derive(Debug)]
pub(crate) struct ReadCounters {
    fields: Vec<FieldId>,
    /// Whether something of the field was read.
    columns: Vec<AtomicBool>,
    pages: AtomicU64,
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl ReadCounters {
    /// Counters for these columns.
    pub(crate) fn new(fields: impl Iterator<Item = FieldId>) -> ReadCounters {
        let (fields, columns) = fields.map(|field| (field, AtomicBool::new(false))).unzip();
        let [pages, bytes, rows] = [0; 3].map(AtomicU64::new);
        ReadCounters { fields, columns, pages, bytes, rows }
    }

    /// Columns of which something was read.
    pub(crate) fn columns(&self) -> Vec<FieldId> {
        let columns = self.fields.iter().zip(&self.columns);
        let read = columns.filter(|(_, is_read)| is_read.load(Ordering::Relaxed));
        read.map(|(field, _)| *field).collect()
    }

    /// Pages read.
    pub(crate) fn page_count(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    /// Counts the rows of a page that is begun.
    pub(crate) fn begin_rows(&self, row_count: u32) {
        self.rows.fetch_add(row_count.into(), Ordering::Relaxed);
    }

    /// Rows of the pages that were begun.
    pub(crate) fn rows_begun(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Encoded bytes of the pages read.
    pub(crate) fn byte_count(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Reads columns of one row group; keeps the present page of each open.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    columns: &'a [OpenColumn],
    pages: Vec<Option<(usize, Arc<dyn PageView>)>>,
    counters: &'a ReadCounters,
}

impl<'a> Reader<'a> {
    /// A reader of `columns`.
    pub(crate) fn new(columns: &'a [OpenColumn], counters: &'a ReadCounters) -> Reader<'a> {
        Reader { columns, pages: vec![None; columns.len()], counters }
    }

    /// The values or codes of the selected rows of a page.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub(crate) fn read(&mut self, column: usize, page: usize, rows: &Selection) -> Result<Vector> {
        let open = &self.columns[column];
        let chunk = match &open.column {
            Column::Constant(value) => return Ok(constant(open, value, rows.len())),
            Column::Stored(chunk) => Arc::clone(chunk),
        };
        let Some(book) = &open.book else {
            return Ok(Vector::Flat(self.page(column, page, chunk.as_ref())?.values(rows)?));
        };
        let codes = self.page(column, page, chunk.as_ref())?.codes(rows)?;
        let vector = DictionaryVector::new(codes, Arc::clone(book));
        Ok(if open.give_codes {
            Vector::Dictionary(vector)
        } else {
            Vector::Flat(vector.decode()?)
        })
    }

    /// Clears the bits of `rows` that fail a test of codes or integers.
    ///
    /// # Errors
    /// When the page cannot be read; `Internal` for a test of another kind.
    pub(crate) fn filter(
        &mut self,
        column: usize,
        page: usize,
        test: &Test,
        rows: &mut [u64],
    ) -> Result<()> {
        let Column::Stored(chunk) = &self.columns[column].column else {
            return Err(Error::internal("a constant was to be filtered by page"));
        };
        let chunk = Arc::clone(chunk);
        let page = self.page(column, page, chunk.as_ref())?;
        match test {
            Test::Codes(test) => page.filter_codes(test.filter(), rows),
            Test::Integers { ranges, null } => page.filter_integers(ranges, *null, rows),
            Test::All | Test::None | Test::Evaluate => {
                Err(Error::internal("a test without a page's answer"))
            }
        }
    }

    /// Clears the bits of `rows` whose code has no bit in `table`.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub(crate) fn filter_listed(
        &mut self,
        column: usize,
        page: usize,
        table: &[u64],
        rows: &mut [u64],
    ) -> Result<()> {
        let Column::Stored(chunk) = &self.columns[column].column else {
            return Err(Error::internal("a constant was to be filtered by page"));
        };
        let chunk = Arc::clone(chunk);
        self.page(column, page, chunk.as_ref())?.filter_codes(CodeFilter::Table(table), rows)
    }

    fn page(
        &mut self,
        column: usize,
        page: usize,
        chunk: &dyn ChunkView,
    ) -> Result<&Arc<dyn PageView>> {
        let slot = &mut self.pages[column];
        if slot.as_ref().is_none_or(|(open, _)| *open != page) {
            self.counters.columns[column].store(true, Ordering::Relaxed);
            self.counters.pages.fetch_add(1, Ordering::Relaxed);
            let view = chunk.page(page)?;
            self.counters.bytes.fetch_add(view.bytes_len(), Ordering::Relaxed);
            *slot = Some((page, view));
        }
        Ok(&slot.as_ref().expect("set above").1)
    }
}

fn constant(open: &OpenColumn, value: &Value, len: usize) -> Vector {
    match &open.book {
        Some(book) if open.give_codes => {
            Vector::Dictionary(DictionaryVector::new(vec![0; len], Arc::clone(book)))
        }
        _ => Vector::Constant { value: value.clone(), data_type: open.data_type, len },
    }
}
