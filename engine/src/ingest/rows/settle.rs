//! The types of all values, not only of a sample.

use std::sync::Arc;

use super::taken::Taken;
use super::{RowFiles, is_text};
use crate::catalog::files::{FileSet, Origin, ReadAs};
use crate::context::Context;
use crate::ingest::cell::{Candidates, CellColumn};
use crate::ingest::parallel::fold_pieces;
use crate::types::Result;

/// The set with the inferred types of the columns at `columns` as all of their values allow them.
///
/// # Errors
/// `Io`, `Corrupt`, `Cancelled`.
pub fn settle(set: &Arc<FileSet>, columns: &[usize], context: &Context) -> Result<FileSet> {
    let is_open = |column: &&usize| match &set.columns[**column].origin {
        Origin::Cells(reading) => !reading.is_given() && !is_text(reading),
        _ => false,
    };
    let open: Vec<usize> = columns.iter().filter(is_open).copied().collect();
    let mut quiet = FileSet::clone(set);
    // What is rejected is written down when rows are read.
    quiet.reading.reject_limit = None;
    let files = RowFiles::open(&Arc::new(quiet))?;
    let found = all_pieces(&files, &open, context)?;
    let mut settled = FileSet::clone(set);
    for (column, candidates) in open.into_iter().zip(found) {
        let reading = match candidates.read_as(&set.reading.patterns) {
            ReadAs::Nothing => ReadAs::Text,
            reading => reading,
        };
        let column = &mut settled.columns[column];
        column.data_type = reading.data_type();
        column.origin = Origin::Cells(reading);
    }
    settled.is_sampled = false;
    Ok(settled)
}

fn all_pieces(files: &RowFiles, columns: &[usize], context: &Context) -> Result<Vec<Candidates>> {
    fold_pieces(
        files.piece_count(),
        context,
        || vec![Candidates::any(files.set().reading.points); columns.len()],
        |piece, own| narrow(files, piece, columns, own, context),
        |own| own.iter().all(|found| found.is_text()),
        |all, own| all.iter_mut().zip(own).for_each(|(all, own)| *all = all.and(own)),
    )
}

fn narrow(
    files: &RowFiles,
    piece: usize,
    columns: &[usize],
    own: &mut [Candidates],
    context: &Context,
) -> Result<()> {
    let file_idx = files.first_pieces.partition_point(|first| *first <= piece) - 1;
    let file = &files.files[file_idx];
    let index = piece - files.first_pieces[file_idx];
    let Some(text) = file.piece(index, &context.cancel)? else { return Ok(()) };
    let wanted = files.wanted(file_idx, columns);
    let mut taken = Taken::new(&file.format, &wanted, &files.set().reading);
    let mut at = 0;
    while at < text.bytes.len() {
        context.cancel.check()?;
        at = taken.fill(&file.format, &text, at, context.batch_len.max(1));
        for (slot, found) in own.iter_mut().enumerate() {
            let Some(cells) = taken.cells(slot) else { continue };
            let cells = CellColumn {
                piece: &text.bytes,
                cells,
                escapes: file.format.escapes(),
                nulls: &files.nulls,
                patterns: &files.set().reading.patterns,
            };
            file.format.narrow(found, &cells);
        }
    }
    Ok(())
}
