//! What a query did: per operator rows, time and memory; per scan what was read and what was proven
//! away.
//!
//! Counters are shared by the workers while the query runs; [`Profile`] is the plain copy that
//! `EXPLAIN ANALYZE` and the shell print. Times add up over workers.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::catalog::FieldId;
use crate::context::Progress;

/// What a scan read, and what it did not have to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanProfile {
    /// Columns of which something was read, each once.
    pub columns_read: Vec<FieldId>,
    /// Columns of the table.
    pub columns_total: u64,
    /// Pages read, over all columns.
    pub pages_read: u64,
    /// Pages of the row groups, over the columns that the query names.
    pub pages_total: u64,
    /// Encoded bytes of the pages read; dictionaries are not counted.
    pub bytes_read: u64,
    /// Row groups that statistics proved empty of matches.
    pub row_groups_pruned: u64,
    /// Row groups of the table.
    pub row_groups_total: u64,
}

/// What one operator did.
#[derive(Clone, Debug, Default)]
pub struct OperatorProfile {
    /// What it is, as `EXPLAIN` names it.
    pub name: String,
    /// How deep it stands in the plan; the root is 0.
    pub depth: usize,
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows that went out.
    pub rows_out: u64,
    /// Time in it, summed over workers, without its inputs.
    pub time: Duration,
    /// The most bytes that it had reserved.
    pub bytes: usize,
    /// Alternatives chosen and how often: rungs, filters.
    pub notes: Vec<(String, u64)>,
    /// For scans.
    pub scan: Option<ScanProfile>,
}

/// What a query did.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// Operators in plan order: each before its inputs.
    pub operators: Vec<OperatorProfile>,
    /// Time since execution began.
    pub elapsed: Duration,
    /// The most bytes that were reserved at once from the memory budget that the query draws on.
    pub bytes_peak: usize,
}

impl Profile {
    /// The scans' counters added up, for `read 3 of 105 columns, 2 of 160 pages`. A query reads one
    /// table: two scans of it, for an order and then for the rest, have its columns once.
    pub fn scan_total(&self) -> ScanProfile {
        let mut total = ScanProfile::default();
        for scan in self.operators.iter().filter_map(|operator| operator.scan.as_ref()) {
            total.columns_read.extend_from_slice(&scan.columns_read);
            total.columns_total = total.columns_total.max(scan.columns_total);
            total.pages_read += scan.pages_read;
            total.pages_total += scan.pages_total;
            total.bytes_read += scan.bytes_read;
            total.row_groups_pruned += scan.row_groups_pruned;
            total.row_groups_total += scan.row_groups_total;
        }
        total.columns_read.sort_unstable();
        total.columns_read.dedup();
        total
    }
}

impl fmt::Display for ScanProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "read {} of {} columns, {} of {} pages; pruned {} of {} row groups",
            self.columns_read.len(),
            self.columns_total,
            self.pages_read,
            self.pages_total,
            self.row_groups_pruned,
            self.row_groups_total
        )
    }
}

/// The operators as a tree, a line each, with a line for what was read and one for each choice.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for operator in &self.operators {
            let indent = operator.depth * 2;
            writeln!(
                f,
                "{:indent$}{}: {} rows in, {} out, {}, {}",
                "",
                operator.name,
                operator.rows_in,
                operator.rows_out,
                Milliseconds(operator.time),
                Bytes(operator.bytes)
            )?;
            if let Some(scan) = &operator.scan {
                writeln!(f, "{:indent$}  {scan}", "")?;
            }
            for (note, count) in &operator.notes {
                writeln!(f, "{:indent$}  {note}: {count}", "")?;
            }
        }
        write!(f, "{}, at most {} reserved", Milliseconds(self.elapsed), Bytes(self.bytes_peak))
    }
}

struct Milliseconds(Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.0.as_secs_f64() * 1e3)
    }
}

struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        for (unit, size) in UNITS {
            if self.0 >= size {
                let tenths = self.0.saturating_mul(10) / size;
                return write!(f, "{}.{} {unit}", tenths / 10, tenths % 10);
            }
        }
        write!(f, "{} B", self.0)
    }
}

/// Counters of one operator, which workers add to.
#[derive(Debug, Default)]
pub(crate) struct OperatorStats {
    name: String,
    depth: usize,
    rows_in: AtomicU64,
    rows_out: AtomicU64,
    nanoseconds: AtomicU64,
    bytes: AtomicUsize,
    notes: Mutex<Vec<(String, u64)>>,
    scan: Mutex<Option<ScanProfile>>,
    /// Told of the bytes that a scan reads.
    progress: Option<Arc<Progress>>,
}

impl OperatorStats {
    /// Counters of the operator `name` at `depth` in the plan.
    pub(crate) fn new(name: impl Into<String>, depth: usize) -> OperatorStats {
        OperatorStats { name: name.into(), depth, ..OperatorStats::default() }
    }

    /// The same counters, which tell `progress` of the bytes that a scan reads.
    pub(crate) fn telling(self, progress: &Arc<Progress>) -> OperatorStats {
        OperatorStats { progress: Some(Arc::clone(progress)), ..self }
    }

    /// Runs `work` and counts its time.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add_time(start.elapsed());
        result
    }

    /// Adds time.
    pub(crate) fn add_time(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Counts rows that came in.
    pub(crate) fn add_rows_in(&self, count: usize) {
        self.rows_in.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts rows that went out.
    pub(crate) fn add_rows_out(&self, count: usize) {
        self.rows_out.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Says that `bytes` were reserved at once.
    pub(crate) fn bytes_at_least(&self, bytes: usize) {
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Adds `count` to the counter `note`; nothing when 0.
    pub(crate) fn note(&self, note: &str, count: u64) {
        if count == 0 {
            return;
        }
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match notes.iter_mut().find(|(name, _)| name == note) {
            Some((_, total)) => *total += count,
            None => notes.push((note.to_owned(), count)),
        }
    }

    /// Tells the progress that the scan has so many rows to read.
    pub(crate) fn expect_rows(&self, row_count: u64) {
        if let Some(progress) = &self.progress {
            progress.expect(row_count);
        }
    }

    /// Changes the scan's counters.
    pub(crate) fn scan(&self, change: impl FnOnce(&mut ScanProfile)) {
        let mut scan = self.scan.lock().unwrap_or_else(PoisonError::into_inner);
        let scan = scan.get_or_insert_default();
        let bytes_before = scan.bytes_read;
        change(scan);
        if let Some(progress) = &self.progress {
            progress.read(scan.bytes_read.saturating_sub(bytes_before));
        }
    }

    /// A copy of the counters.
    pub(crate) fn profile(&self) -> OperatorProfile {
        OperatorProfile {
            name: self.name.clone(),
            depth: self.depth,
            rows_in: self.rows_in.load(Ordering::Relaxed),
            rows_out: self.rows_out.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
            bytes: self.bytes.load(Ordering::Relaxed),
            notes: self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            scan: self.scan.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_after_the_point() {
        let texts = [0, 1023, 1536, 10 << 20].map(|size| Bytes(size).to_string());
        assert_eq!(texts, ["0 B", "1023 B", "1.5 KiB", "10.0 MiB"]);
    }
}
