//! The line under a result: how many rows, how long it took, how little was read.

use std::time::Duration;

use martlet::output::format_count;

/// What a query read, of what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadCounts {
    /// Columns of the scanned tables that were read.
    pub(crate) columns: u64,
    /// Columns that they have.
    pub(crate) columns_all: u64,
    /// Pages of those columns that were read.
    pub(crate) pages: u64,
    /// Pages that those columns have.
    pub(crate) pages_all: u64,
    /// Rows of files that were left out.
    pub(crate) rejected: u64,
}

/// `(3 rows, 1.25 ms, read 3 of 105 columns, 2 of 160 pages)`; without a time, `(3 rows)`; with rows left
/// out, `(3 rows, 1 rejected, …)`.
pub(crate) fn footer(row_count: u64, elapsed: Option<Duration>, read: ReadCounts) -> String {
    let rows = if row_count == 1 { "row" } else { "rows" };
    let mut counts = format!("{} {rows}", format_count(row_count));
    if read.rejected > 0 {
        counts = format!("{counts}, {} rejected", format_count(read.rejected));
    }
    let Some(elapsed) = elapsed.map(duration) else { return format!("({counts})") };
    if read.columns_all == 0 {
        return format!("({counts}, {elapsed})");
    }
    let (columns, columns_all) = (format_count(read.columns), format_count(read.columns_all));
    if read.pages_all == 0 {
        return format!("({counts}, {elapsed}, read {columns} of {columns_all} columns)");
    }
    let (pages, pages_all) = (format_count(read.pages), format_count(read.pages_all));
    format!(
        "({counts}, {elapsed}, read {columns} of {columns_all} columns, \
         {pages} of {pages_all} pages)"
    )
}

/// Three digits: `0.42 ms`, `12.3 ms`, `1.24 s`, `75.0 s`.
pub(crate) fn duration(elapsed: Duration) -> String {
    let milliseconds = elapsed.as_secs_f64() * 1e3;
    match milliseconds {
        ..9.995 => format!("{milliseconds:.2} ms"),
        ..99.95 => format!("{milliseconds:.1} ms"),
        ..999.5 => format!("{milliseconds:.0} ms"),
        ..9_995.0 => format!("{:.2} s", milliseconds / 1e3),
        _ => format!("{:.1} s", milliseconds / 1e3),
    }
}

/// Minutes and seconds: `1:05`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_names_rows_time_and_what_was_read() {
        let read =
            ReadCounts { columns: 3, columns_all: 105, pages: 2, pages_all: 1_160, rejected: 0 };
        assert_eq!(
            footer(1_234, Some(Duration::from_micros(1_250)), read),
            "(1,234 rows, 1.25 ms, read 3 of 105 columns, 2 of 1,160 pages)"
        );
        let nothing = ReadCounts::default();
        assert_eq!(footer(1, Some(Duration::from_secs(2)), nothing), "(1 row, 2.00 s)");
        assert_eq!(footer(2, None, read), "(2 rows)");
        let left_out = ReadCounts { rejected: 1_000, ..nothing };
        assert_eq!(footer(2, None, left_out), "(2 rows, 1,000 rejected)");
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
    }

    #[test]
    fn durations_have_three_digits() {
        for (microseconds, text) in [
            (4, "0.00 ms"),
            (420, "0.42 ms"),
            (12_345, "12.3 ms"),
            (999_000, "999 ms"),
            (61_000_000, "61.0 s"),
        ] {
            assert_eq!(duration(Duration::from_micros(microseconds)), text);
        }
    }
}
