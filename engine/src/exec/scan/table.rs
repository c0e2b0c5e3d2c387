//! The scan of a stored table.
//!
//! Opening it asks statistics and dictionaries which row groups can hold a matching row, and decides
//! for each filter term how it is tested there. A morsel is some pages of a row group. In a page the
//! tests of codes and integers are tried one after the other, a bit for each row; other terms are
//! evaluated on windows of the rows that are left. The columns that are given out are decoded for
//! those rows only.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use arrow::array::UInt64Array;
use roaring::RoaringBitmap;

use super::conjunct::{IdSet, Test, page_verdict, test_for};
use super::page_rows::PageRows;
use super::reader::{OpenColumn, ReadCounters, Reader};
use super::term_order::TermOrder;
use super::terms::term_sets;
use super::top_bound;
use super::value_set::{ValueSet, Verdict};
use super::view::{CodesView, Column, DictionaryView, TableView, unread};
use crate::context::Context;
use crate::exec::per_value::true_rows;
use crate::exec::profile::OperatorStats;
use crate::exec::program::Program;
use crate::exec::source::{ColumnKind, Sink, Source, TopBound};
use crate::plan::{Expr, ScanColumn};
use crate::types::{DataType, Result, Value};
use crate::vector::{Batch, CodeBook, CodeIds, DistinctValues, Selection, Vector};

/// Morsels per worker that are aimed at, so that workers end at about the same time.
const MORSELS_PER_WORKER: usize = 8;
/// Pages of a morsel, at most.
const MORSEL_PAGES_MAX: usize = 8;
/// Windows start at so many batches.
const WINDOW_BATCHES: usize = 8;

/// One term of the filter.
#[derive(Debug)]
struct Term {
    /// The values for which it is true, with their column, where it is about one column.
    set: Option<(usize, ValueSet)>,
    /// The columns that it names.
    columns: Vec<usize>,
    /// Over batches of those columns.
    program: Program,
}

/// A row group that may hold matching rows.
#[derive(Debug)]
struct OpenRowGroup {
    index: usize,
    row_count: u32,
    deletions: Option<Arc<RoaringBitmap>>,
    columns: Vec<OpenColumn>,
    /// The terms in the order in which they are tried, with their test.
    tests: Vec<(usize, Test)>,
}

#[derive(Debug)]
struct Morsel {
    row_group: usize,
    pages: Vec<usize>,
}

/// The scan of a stored table.
#[derive(Debug)]
pub(crate) struct TableScan {
    /// Of all columns, those for the filter included.
    column_kinds: Vec<ColumnKind>,
    terms: Vec<Term>,
    row_groups: Vec<OpenRowGroup>,
    morsels: Vec<Morsel>,
    term_order: TermOrder,
    page_len: u32,
    /// The columns given out, by position; then the row's address, if asked for.
    given: Vec<usize>,
    with_address: bool,
    kinds: Vec<ColumnKind>,
    /// What a bounded sort behind lets the scan leave out; its column is one of the scan's.
    bound: OnceLock<TopBound>,
    counters: ReadCounters,
    stats: Arc<OperatorStats>,
}

impl TableScan {
    /// Opens a scan that gives the first `output_count` of `columns`.
    ///
    /// # Errors
    /// When statistics cannot be read.
    pub(crate) fn open(
        view: &dyn TableView,
        (columns, output_count): (&[ScanColumn], usize),
        filter: &[Expr],
        context: &Context,
        stats: &Arc<OperatorStats>,
    ) -> Result<TableScan> {
        let dictionaries = columns
            .iter()
            .map(|column| view.dictionary(column.field))
            .collect::<Result<Vec<_>>>()?;
        let mut kind = |column: usize| filter_kind(view, &columns[column]).ok().flatten();
        let row_count = (0..view.row_group_count()).map(|index| u64::from(view.row_count(index)));
        let (exprs, sets): (Vec<Expr>, Vec<ColumnSet>) =
            term_sets(filter, &mut kind, row_count.sum(), context).into_iter().unzip();
        let ids = sets
            .iter()
            .map(|set| match set {
                Some((column, set)) => match &dictionaries[*column] {
                    Some(dictionary) => Ok(Some(IdSet::new(set, dictionary.as_ref())?)),
                    None => Ok(None),
                },
                None => Ok(None),
            })
            .collect::<Result<Vec<_>>>()?;
        let mut row_groups = Vec::new();
        for index in 0..view.row_group_count() {
            context.cancel.check()?;
            let open = open_row_group(view, index, columns, &dictionaries, (&sets, &ids))?;
            row_groups.extend(open);
        }
        let kinds = column_kinds(columns, &dictionaries, &row_groups);
        for row_group in &mut row_groups {
            for (column, kind) in row_group.columns.iter_mut().zip(&kinds) {
                column.give_codes = matches!(kind, ColumnKind::Dictionary { .. });
            }
        }
        let terms =
            exprs.iter().zip(sets).map(|(expr, set)| Term::new(expr, set, &kinds)).collect();
        let given: Vec<usize> = (0..output_count).collect();
        let given_kinds = kinds[..output_count].to_vec();
        let mut scan = TableScan {
            column_kinds: kinds,
            terms,
            row_groups,
            morsels: Vec::new(),
            term_order: TermOrder::new(0, 0),
            page_len: view.page_len().max(1),
            given,
            with_address: false,
            kinds: given_kinds,
            bound: OnceLock::new(),
            counters: ReadCounters::new(columns.iter().map(|column| column.field)),
            stats: Arc::clone(stats),
        };
        scan.cut_morsels(context);
        context.progress.expect(scan.rows_of_morsels());
        scan.note_opening(view);
        Ok(scan)
    }

    /// The same scan that gives the columns `given` and behind them each row's address.
    #[must_use]
    pub(crate) fn with_addresses(mut self, given: Vec<usize>) -> TableScan {
        self.kinds = given.iter().map(|column| self.column_kinds[*column].clone()).collect();
        self.kinds.push(ColumnKind::Flat {
            data_type: DataType::UInt64,
            nullable: false,
            bounds: None,
        });
        self.given = given;
        self.with_address = true;
        self
    }

    /// How column `column` of the scan is represented.
    pub(crate) fn kind(&self, column: usize) -> &ColumnKind {
        &self.column_kinds[column]
    }

    /// The values of `columns` at rows given by their addresses, in that order.
    ///
    /// # Errors
    /// When pages cannot be read.
    pub(crate) fn fetch(&self, columns: &[usize], addresses: &[u64]) -> Result<Vec<Vector>> {
        let mut order: Vec<u32> = (0..len_u32(addresses.len())).collect();
        order.sort_unstable_by_key(|index| addresses[*index as usize]);
        let mut batches: Vec<Batch> = Vec::new();
        let mut picks: Vec<(u32, u32)> = vec![(0, 0); addresses.len()];
        let mut start = 0;
        while start < order.len() {
            let (row_group, page, _) = self.place(addresses[order[start] as usize]);
            let same = |index: &&u32| {
                let (other, other_page, _) = self.place(addresses[**index as usize]);
                (other, other_page) == (row_group, page)
            };
            let count = order[start..].iter().take_while(same).count();
            let run = &order[start..start + count];
            let mut rows: Vec<u32> =
                run.iter().map(|index| self.place(addresses[*index as usize]).2).collect();
            for (row, index) in run.iter().enumerate() {
                picks[*index as usize] = (len_u32(batches.len()), len_u32(row));
            }
            rows.dedup();
            if rows.len() < run.len() {
                return Err(crate::types::Error::internal("a row was fetched twice"));
            }
            batches.push(self.fetch_page(columns, row_group, page, rows)?);
            start += count;
        }
        let kinds: Vec<ColumnKind> =
            columns.iter().map(|column| self.column_kinds[*column].clone()).collect();
        Ok(crate::exec::gather::gather(&batches, &picks, &kinds)?.into_columns())
    }

    fn fetch_page(
        &self,
        columns: &[usize],
        row_group: usize,
        page: usize,
        rows: Vec<u32>,
    ) -> Result<Batch> {
        let open = self
            .row_groups
            .iter()
            .find(|open| open.index == row_group)
            .expect("addresses come from open row groups");
        let mut reader = Reader::new(&open.columns, &self.counters);
        let len = rows.len();
        let selection = Selection::Rows(rows);
        let vectors = columns
            .iter()
            .map(|column| {
                let vector = reader.read(*column, page, &selection)?;
                crate::exec::source::to_ids(vector, &self.column_kinds[*column])
            })
            .collect::<Result<Vec<_>>>()?;
        self.note_reading();
        Ok(Batch::new(vectors, len))
    }

    /// Row group, page, and row in the page of an address.
    fn place(&self, address: u64) -> (usize, usize, u32) {
        let row_group = usize::try_from(address >> 32).expect("row groups are counted in u32");
        let row = u32::try_from(address & 0xffff_ffff).expect("32 bits");
        (row_group, (row / self.page_len) as usize, row % self.page_len)
    }

    /// Cuts the pages that may hold a matching row, so that each worker has its share of those.
    fn cut_morsels(&mut self, context: &Context) {
        let kept = |row_group: &OpenRowGroup| -> Vec<usize> {
            let page_count = row_group.row_count.div_ceil(self.page_len) as usize;
            (0..page_count).filter(|page| self.page_tests(row_group, *page).is_some()).collect()
        };
        let pages: Vec<Vec<usize>> = self.row_groups.iter().map(kept).collect();
        let total: usize = pages.iter().map(Vec::len).sum();
        self.term_order = TermOrder::new(self.terms.len(), total);
        let aim = total / (context.worker_count.max(1) * MORSELS_PER_WORKER);
        let morsel_pages = aim.clamp(1, MORSEL_PAGES_MAX);
        self.morsels = (0..)
            .zip(&pages)
            .flat_map(|(row_group, pages)| {
                let morsel = move |pages: &[usize]| Morsel { row_group, pages: pages.to_vec() };
                pages.chunks(morsel_pages).map(morsel)
            })
            .collect();
    }

    fn rows_of_morsels(&self) -> u64 {
        let rows = self.morsels.iter().map(|morsel| {
            let row_group = &self.row_groups[morsel.row_group];
            morsel
                .pages
                .iter()
                .map(|page| u64::from(self.page_rows(row_group, *page).1))
                .sum::<u64>()
        });
        rows.sum()
    }

    /// The first row of a page in its row group, and how many rows it has.
    fn page_rows(&self, row_group: &OpenRowGroup, page: usize) -> (u32, u32) {
        let first_row = len_u32(page) * self.page_len;
        (first_row, self.page_len.min(row_group.row_count - first_row))
    }

    fn note_opening(&self, view: &dyn TableView) {
        self.stats.scan(|scan| {
            *scan = unread(view, self.column_kinds.len());
            scan.row_groups_pruned = scan.row_groups_total - self.row_groups.len() as u64;
        });
        for row_group in &self.row_groups {
            for (_, test) in &row_group.tests {
                self.stats.note(test.name(), 1);
            }
        }
    }

    fn note_reading(&self) {
        self.stats.scan(|scan| {
            scan.columns_read = self.counters.columns();
            scan.pages_read = self.counters.page_count();
            scan.bytes_read = self.counters.byte_count();
        });
    }

    fn run_page(
        &self,
        row_group: &OpenRowGroup,
        page: usize,
        reader: &mut Reader<'_>,
        context: &Context,
        sink: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>> {
        let (first_row, page_rows) = self.page_rows(row_group, page);
        context.progress.advance(page_rows.into());
        self.counters.begin_rows(page_rows);
        let Some(tests) = self.page_tests(row_group, page) else {
            return Ok(ControlFlow::Continue(()));
        };
        let bound = self.bound_test(row_group, page)?;
        if matches!(bound, Some((_, Test::None))) {
            return Ok(ControlFlow::Continue(()));
        }
        let mut rows = PageRows::all(page_rows);
        if let Some(deletions) = &row_group.deletions {
            rows.delete(deletions, first_row);
        }
        let others = self.filter_by_page(page, tests, reader, &mut rows)?;
        if let Some((column, test)) = &bound
            && !rows.is_empty()
        {
            reader.filter(*column, page, test, rows.words_mut())?;
        }
        let mut evaluated = Vec::new();
        for term in others {
            if rows.is_empty() {
                break;
            }
            if !self.filter_by_value((term, page), row_group, reader, &mut rows, context)? {
                evaluated.push(term);
            }
        }
        if rows.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let place = (row_group.index, page, first_row);
        if evaluated.is_empty() {
            return self.give(place, &rows, reader, context, sink);
        }
        self.evaluate_and_give(place, (&rows, &evaluated), reader, context, sink)
    }

    /// Tests codes and integers of a page; gives the terms that are to be tested otherwise.
    fn filter_by_page(
        &self,
        page: usize,
        tests: Vec<(usize, &Test)>,
        reader: &mut Reader<'_>,
        rows: &mut PageRows,
    ) -> Result<Vec<usize>> {
        let mut others = Vec::new();
        let mut by_page = Vec::with_capacity(tests.len());
        for (term, test) in tests {
            match (test, &self.terms[term].set) {
                (Test::Codes(_) | Test::Integers { .. }, Some((column, _))) => {
                    by_page.push((term, *column, test));
                }
                _ => others.push(term),
            }
        }
        self.term_order.arrange(&mut by_page, |(term, ..)| *term);
        for (place, (term, column, test)) in by_page.into_iter().enumerate() {
            let mut run = |rows: &mut PageRows| reader.filter(column, page, test, rows.words_mut());
            if place == 0 {
                self.term_order.lead(term, rows, PageRows::count, run)?;
            } else if !rows.is_empty() {
                run(rows)?;
            }
        }
        Ok(others)
    }

    /// The test of a bounded sort that a page still needs, if any, with its column; `Test::None` when no
    /// row of the page is wanted.
    fn bound_test(&self, row_group: &OpenRowGroup, page: usize) -> Result<Option<(usize, Test)>> {
        let Some(bound) = self.bound.get() else { return Ok(None) };
        let open = &row_group.columns[bound.column];
        let Column::Stored(chunk) = &open.column else { return Ok(None) };
        let test = top_bound::test(bound, open)?;
        Ok(match top_bound::page_verdict(&test, chunk.as_ref(), page) {
            Verdict::None => Some((bound.column, Test::None)),
            Verdict::All => None,
            Verdict::Some => Some((bound.column, test)),
        })
    }

    /// Tests the codes of a page against the results of a term for all values, if that is worth it.
    fn filter_by_value(
        &self,
        (term, page): (usize, usize),
        row_group: &OpenRowGroup,
        reader: &mut Reader<'_>,
        rows: &mut PageRows,
        context: &Context,
    ) -> Result<bool> {
        let term = &self.terms[term];
        let (Some(per_value), [column]) = (term.program.per_value(0), &term.columns[..]) else {
            return Ok(false);
        };
        let open = &row_group.columns[*column];
        let (Some(book), Column::Stored(_)) = (&open.book, &open.column) else { return Ok(false) };
        let Some(table) = per_value.passing(book, rows.count() as usize, context) else {
            return Ok(false);
        };
        reader.filter_listed(*column, page, &table, rows.words_mut())?;
        Ok(true)
    }

    /// Gives out the rows that are left.
    fn give(
        &self,
        place: (usize, usize, u32),
        rows: &PageRows,
        reader: &mut Reader<'_>,
        context: &Context,
        sink: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>> {
        let batch_len = context.batch_len.clamp(1, 1 << 20);
        if self.given.is_empty() && !self.with_address {
            let mut left = rows.count() as usize;
            while left > 0 {
                let len = left.min(batch_len);
                if sink(Batch::new(Vec::new(), len))?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                left -= len;
            }
            return Ok(ControlFlow::Continue(()));
        }
        let mut pieces = rows.pieces();
        while let Some(piece) = pieces.next(batch_len) {
            if self.emit(place, &piece, batch_len, reader, sink)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Evaluates the other terms on the rows that are left, window by window, and gives out what
    /// passes.
    fn evaluate_and_give(
        &self,
        place: (usize, usize, u32),
        (rows, terms): (&PageRows, &[usize]),
        reader: &mut Reader<'_>,
        context: &Context,
        sink: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>> {
        let batch_len = context.batch_len.clamp(1, 1 << 20);
        let mut window = batch_len * WINDOW_BATCHES;
        let mut pieces = rows.pieces();
        while let Some(mut selection) = pieces.next(window) {
            let asked = selection.len();
            for term in terms {
                if selection.is_empty() {
                    break;
                }
                self.evaluate(*term, place.1, reader, &mut selection, context)?;
            }
            // Few survivors: look further ahead, so that batches do not become tiny.
            if selection.len() < asked / 8 {
                window = window.saturating_mul(2);
            }
            if self.emit(place, &selection, batch_len, reader, sink)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The tests that a page still needs; `None` when no row of it can pass.
    fn page_tests<'a>(
        &self,
        row_group: &'a OpenRowGroup,
        page: usize,
    ) -> Option<Vec<(usize, &'a Test)>> {
        let mut tests = Vec::with_capacity(row_group.tests.len());
        for (term, test) in &row_group.tests {
            let verdict = match &self.terms[*term].set {
                Some((column, set)) => match &row_group.columns[*column].column {
                    Column::Stored(chunk) => page_verdict(set, test, chunk.as_ref(), page),
                    Column::Constant(_) => Verdict::Some,
                },
                None => Verdict::Some,
            };
            match verdict {
                Verdict::None => return None,
                Verdict::All => {}
                Verdict::Some => tests.push((*term, test)),
            }
        }
        Some(tests)
    }

    /// Keeps the rows for which a term is true.
    fn evaluate(
        &self,
        term: usize,
        page: usize,
        reader: &mut Reader<'_>,
        selection: &mut Selection,
        context: &Context,
    ) -> Result<()> {
        let term = &self.terms[term];
        let vectors = term
            .columns
            .iter()
            .map(|column| reader.read(*column, page, selection))
            .collect::<Result<Vec<_>>>()?;
        let batch = Batch::new(vectors, selection.len());
        let verdict = term.program.run(&batch, context)?;
        let rows = true_rows(&verdict[0])?;
        if rows.len() < selection.len() {
            let mut keep = vec![false; selection.len()];
            for row in rows {
                keep[row as usize] = true;
            }
            selection.retain(|index| keep[index]);
        }
        Ok(())
    }

    fn emit(
        &self,
        (row_group, page, first_row): (usize, usize, u32),
        selection: &Selection,
        batch_len: usize,
        reader: &mut Reader<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>> {
        let mut offset = 0;
        while offset < selection.len() {
            let len = batch_len.min(selection.len() - offset);
            let piece = match selection {
                Selection::All(range) => {
                    let start = range.start + len_u32(offset);
                    Selection::All(start..start + len_u32(len))
                }
                Selection::Rows(rows) => Selection::Rows(rows[offset..offset + len].to_vec()),
            };
            let mut columns = self
                .given
                .iter()
                .map(|column| reader.read(*column, page, &piece))
                .collect::<Result<Vec<_>>>()?;
            if self.with_address {
                let base = (row_group as u64) << 32 | u64::from(first_row);
                let rows = piece.to_rows();
                let addresses: UInt64Array =
                    rows.iter().map(|row| base + u64::from(*row)).collect();
                columns.push(Vector::Flat(Arc::new(addresses)));
            }
            if sink(Batch::new(columns, len))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            offset += len;
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Source for TableScan {
    fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    fn morsel_count(&self) -> usize {
        self.morsels.len()
    }

    fn run(&self, morsel: usize, context: &Context, sink: &mut Sink<'_>) -> Result<()> {
        let morsel = &self.morsels[morsel];
        let row_group = &self.row_groups[morsel.row_group];
        let mut reader = Reader::new(&row_group.columns, &self.counters);
        let mut result = Ok(ControlFlow::Continue(()));
        for page in morsel.pages.iter().copied() {
            context.cancel.check()?;
            result = self.run_page(row_group, page, &mut reader, context, sink);
            if !matches!(result, Ok(ControlFlow::Continue(()))) {
                break;
            }
        }
        self.note_reading();
        result.map(|_| ())
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn follow(&self, bound: TopBound) {
        let Some(column) = self.given.get(bound.column) else { return };
        if top_bound::is_supported(&self.column_kinds[*column]) {
            // Only the first sort behind is followed.
            let _was_followed = self.bound.set(TopBound { column: *column, ..bound });
        }
    }

    fn rows_passed(&self) -> Option<(u64, u64)> {
        Some((self.counters.rows_begun(), self.rows_of_morsels()))
    }

    fn morsel_order(&self) -> Option<Vec<usize>> {
        let bound = self.bound.get()?;
        let rank = |morsel: &usize| {
            let morsel = &self.morsels[*morsel];
            match &self.row_groups[morsel.row_group].columns[bound.column].column {
                Column::Stored(chunk) => top_bound::rank(bound, chunk.as_ref(), &morsel.pages),
                Column::Constant(_) => i128::MIN,
            }
        };
        let mut order: Vec<usize> = (0..self.morsels.len()).collect();
        order.sort_by_cached_key(rank);
        Some(order)
    }
}

impl Term {
    fn new(expr: &Expr, set: Option<(usize, ValueSet)>, kinds: &[ColumnKind]) -> Term {
        let mut columns = Vec::new();
        expr.for_each_column(&mut |index| {
            if !columns.contains(&index) {
                columns.push(index);
            }
        });
        let mut expr = expr.clone();
        expr.map_columns(&|index| {
            columns.iter().position(|column| *column == index).expect("collected above")
        });
        let needed: Vec<ColumnKind> = columns.iter().map(|index| kinds[*index].clone()).collect();
        let program = Program::new(&[expr], &needed, false);
        Term { set, columns, program }
    }
}

/// The values of a column for which a term is true; `None` for terms of another kind.
type ColumnSet = Option<(usize, ValueSet)>;
type Dictionaries = [Option<Arc<dyn DictionaryView>>];

/// Opens a row group; `None` when it can hold no matching row.
fn open_row_group(
    view: &dyn TableView,
    index: usize,
    columns: &[ScanColumn],
    dictionaries: &Dictionaries,
    (sets, ids): (&[ColumnSet], &[Option<IdSet>]),
) -> Result<Option<OpenRowGroup>> {
    let row_count = view.row_count(index);
    let mut tests = Vec::with_capacity(sets.len());
    // Filters come first: a row group that they prune opens no other column.
    for (term, (set, ids)) in sets.iter().zip(ids).enumerate() {
        let test = match set {
            Some((column, set)) => {
                let field = &columns[*column];
                let chunk = view.chunk(index, field.field)?;
                test_for(set, ids.as_ref(), field.data_type, &chunk)?
            }
            None => Test::Evaluate,
        };
        match test {
            Test::None => return Ok(None),
            Test::All => {}
            test => tests.push((term, test)),
        }
    }
    tests.sort_by(|(_, a), (_, b)| {
        let ((a_class, a_share), (b_class, b_share)) = (a.cost(), b.cost());
        a_class.cmp(&b_class).then(a_share.total_cmp(&b_share))
    });
    let deletions = view.deletions(index)?.filter(|deletions| !deletions.is_empty());
    if row_count == 0 || deletions.as_ref().is_some_and(|d| d.len() >= u64::from(row_count)) {
        return Ok(None);
    }
    let columns = columns
        .iter()
        .zip(dictionaries)
        .map(|(column, dictionary)| {
            let chunk = view.chunk(index, column.field)?;
            open_column(chunk, column.data_type, dictionary.as_ref())
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Some(OpenRowGroup { index, row_count, deletions, columns, tests }))
}

fn open_column(
    column: Column,
    data_type: DataType,
    dictionary: Option<&Arc<dyn DictionaryView>>,
) -> Result<OpenColumn> {
    let ids: Option<Arc<dyn CodeIds>> = match (&column, dictionary) {
        (_, None) => None,
        (Column::Stored(chunk), Some(_)) => chunk.codes()?.map(CodesView::into_ids),
        // One code: NULL's in a book without values, or that of the value, if it has an id.
        (Column::Constant(Value::Null), Some(_)) => Some(Arc::new(Vec::new())),
        (Column::Constant(value), Some(dictionary)) => {
            dictionary.find(value)?.map(|id| Arc::new(vec![id]) as _)
        }
    };
    let has_null = match &column {
        Column::Stored(chunk) => chunk.zone().null_count > 0,
        Column::Constant(value) => value.is_null(),
    };
    let book = dictionary.zip(ids).map(|(dictionary, ids)| {
        let values: Arc<dyn DistinctValues> = Arc::clone(dictionary) as _;
        let book = CodeBook::mapped(values, ids);
        Arc::new(if has_null { book } else { book.without_null() })
    });
    Ok(OpenColumn { column, data_type, book, give_codes: false })
}

/// How columns are given out: as codes when every open row group has codes.
fn column_kinds(
    columns: &[ScanColumn],
    dictionaries: &Dictionaries,
    row_groups: &[OpenRowGroup],
) -> Vec<ColumnKind> {
    let kind = |(index, (column, dictionary)): (usize, (&ScanColumn, _))| {
        let dictionary: &Option<Arc<dyn DictionaryView>> = dictionary;
        let open = || row_groups.iter().map(|row_group| &row_group.columns[index]);
        match dictionary {
            Some(dictionary) if open().all(|column| column.book.is_some()) => {
                let code_count: u64 = open()
                    .filter_map(|column| column.book.as_ref())
                    .map(|book| u64::from(book.code_count()))
                    .sum();
                let id_count = u64::from(dictionary.id_count());
                let values: Arc<dyn DistinctValues> = Arc::clone(dictionary) as _;
                ColumnKind::Dictionary {
                    identity: Arc::new(CodeBook::identity(values)),
                    by_id: code_count > id_count + id_count / 2,
                }
            }
            _ => flat_kind(column.data_type, open().map(|open| &open.column)),
        }
    };
    columns.iter().zip(dictionaries).enumerate().map(kind).collect()
}

/// What is known of a column of integers before row groups are opened; `None` for other columns.
fn filter_kind(view: &dyn TableView, column: &ScanColumn) -> Result<Option<ColumnKind>> {
    if !column.data_type.is_integer() && !column.data_type.is_temporal() {
        return Ok(None);
    }
    let chunks = (0..view.row_group_count())
        .map(|index| view.chunk(index, column.field))
        .collect::<Result<Vec<_>>>()?;
    Ok(Some(flat_kind(column.data_type, chunks.iter())))
}

fn flat_kind<'a>(data_type: DataType, columns: impl Iterator<Item = &'a Column>) -> ColumnKind {
    let mut nullable = false;
    let mut bounds: Option<(i128, i128)> = None;
    let mut known = true;
    for column in columns {
        let (min, max) = match column {
            Column::Constant(value) => {
                nullable |= value.is_null();
                (Some(value.clone()), Some(value.clone()))
            }
            Column::Stored(chunk) => {
                let zone = chunk.zone();
                nullable |= zone.null_count > 0;
                if zone.null_count >= zone.row_count {
                    continue;
                }
                (zone.min, zone.max)
            }
        };
        match (min, max) {
            (Some(Value::Int(min)), Some(Value::Int(max))) => {
                let (low, high) = bounds.unwrap_or((min, max));
                bounds = Some((low.min(min), high.max(max)));
            }
            (Some(Value::Null), _) => {}
            _ => known = false,
        }
    }
    ColumnKind::Flat { data_type, nullable, bounds: bounds.filter(|_| known) }
}

pub(super) fn len_u32(len: usize) -> u32 {
    u32::try_from(len).expect("rows of a row group are counted in u32")
}
