//! Worksheets: those of Excel and of `OpenDocument`.
//!
//! The way of a sheet: `workbook` opens the file and gives its cells one by one, after `archive`,
//! `compound` and `open_document` have looked for what would take more memory than there is; `survey`
//! finds where the table is and of what kinds its cells are, all of them; `files` reads it, keeps the
//! cells by column (`columns`) and makes arrays of them. Without the feature `excel` a workbook is
//! refused. Must not know SQL, plans or storage.

#[cfg(feature = "excel")]
mod archive;
#[cfg(feature = "excel")]
mod cell;
#[cfg(feature = "excel")]
mod columns;
#[cfg(feature = "excel")]
mod compound;
#[cfg(feature = "excel")]
mod files;
#[cfg(feature = "excel")]
mod open_document;
mod range;
#[cfg(feature = "excel")]
mod survey;
#[cfg(feature = "excel")]
mod workbook;

#[cfg(feature = "excel")]
pub(super) use self::files::SheetFiles;
pub use self::range::CellRange;

use super::table_of_files::FileSchema;
use crate::types::Result;

/// What is said of worksheets; the rest is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetOptions {
    /// The sheet's name; the first one when `None`.
    pub sheet: Option<String>,
    /// Where in the sheet the table is.
    pub range: Option<CellRange>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// Names of the first columns.
    pub names: Vec<String>,
    /// Whether the table ends before the first empty row.
    pub stop_at_empty: bool,
    /// Whether errors, and values that are none of the type asked for, are NULL.
    pub errors_are_null: bool,
}

/// What the sheet of the workbook at `path` holds.
///
/// # Errors
/// `Io`, `Corrupt`; `UnknownName` for a sheet that there is not; `Unsupported` for what is too long or
/// protected.
#[cfg(feature = "excel")]
pub(super) fn examine(path: &str, options: &SheetOptions) -> Result<FileSchema<cell::Kinds>> {
    use crate::catalog::files::{Layout, Points};

    let mut book = workbook::Workbook::open(path)?;
    let sheet = book.sheet(options.sheet.as_deref())?;
    let mut survey = survey::Survey::new(options);
    book.cells(&sheet, &mut |row, column, cell| Ok(survey.see(row, column, cell)))?;
    let surveyed = survey.finish(&sheet);
    Ok(FileSchema {
        path: path.to_owned(),
        layout: Layout::Sheet(surveyed.layout),
        columns: surveyed.columns,
        has_names: surveyed.has_names,
        points: Points::Point,
        is_sampled: false,
    })
}

/// A build that reads no workbooks.
#[cfg(not(feature = "excel"))]
pub(super) fn examine(path: &str, _: &SheetOptions) -> Result<FileSchema> {
    Err(crate::types::Error::unsupported(format!("{path} is a workbook, which cannot be read"))
        .with_hint("a build with --features excel reads it"))
}

/// The names of the worksheets in the first workbook that `pattern` names.
///
/// # Errors
/// As opening it.
pub fn sheet_names(pattern: &str) -> Result<Vec<String>> {
    #[cfg(feature = "excel")]
    if let Some(path) = super::glob::expand(pattern)?.first() {
        return Ok(workbook::Workbook::open(path)?.names().to_vec());
    }
    let _ = pattern;
    Ok(Vec::new())
}
