//! Files as the binder sees a table.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use hashbrown::HashMap;
use martlet_engine::catalog::files::{FileSet, Origin, way_out};
use martlet_engine::catalog::{
    ColumnStatistics, Field, FieldId, NameMatch, NewField, Table, TableId,
};
use martlet_engine::context::Context;
use martlet_engine::ingest::parquet::{
    ParquetDescription, ParquetFiles, ParquetOptions, describe_parquet,
};
use martlet_engine::ingest::rows::settle;
use martlet_engine::ingest::{
    TableOptions, describe_arrow, describe_csv, describe_json, describe_sheets, sheet_names,
};
use martlet_engine::plan::Source;
use martlet_engine::types::{Error, ErrorKind, Result};

use crate::bind::{FileFormat, FileNames, Files, SheetFormat};
use crate::suggest;

/// Open files.
#[derive(Clone, Debug)]
pub(crate) enum OpenFiles {
    /// Read by column.
    Parquet { files: ParquetFiles, binary_as_string: bool },
    /// Read by row.
    Rows(Arc<FileSet>),
}

/// Opens the files that a statement names.
pub(crate) fn open(names: &FileNames) -> Result<OpenFiles> {
    let patterns = &names.patterns;
    match &names.format {
        FileFormat::Parquet { binary_as_string, table } => {
            let binary_as_string = *binary_as_string;
            Ok(match describe_parquet(patterns, binary_as_string, table)? {
                ParquetDescription::Columns(files) => {
                    OpenFiles::Parquet { files, binary_as_string }
                }
                ParquetDescription::Rows(set) => OpenFiles::Rows(set),
            })
        }
        FileFormat::Csv(format) => {
            let set = describe_csv(patterns, &format.csv, &format.table, &format.reading)?;
            Ok(OpenFiles::Rows(Arc::new(set)))
        }
        FileFormat::Arrow(table) => Ok(OpenFiles::Rows(Arc::new(describe_arrow(patterns, table)?))),
        FileFormat::Sheet(format) => {
            let set = describe_sheets(patterns, &format.sheet, &format.table)
                .map_err(|error| with_sheets(error, patterns, format))?;
            Ok(OpenFiles::Rows(Arc::new(set)))
        }
        FileFormat::Json(format) => {
            let (json, table) = (&format.json, &format.table);
            let set = describe_json(patterns, json, table, &format.reading, None)?;
            Ok(OpenFiles::Rows(Arc::new(set)))
        }
        FileFormat::Detect => {
            let format = detect(patterns.first().map_or("", String::as_str))?;
            open(&FileNames { patterns: patterns.clone(), format })
        }
    }
}

/// The error with the sheets that may have been meant, if it is about one.
fn with_sheets(error: Error, patterns: &[String], format: &SheetFormat) -> Error {
    let Some(sheet) = format.sheet.sheet.as_ref() else { return error };
    let names = match (error.kind(), patterns.first()) {
        (ErrorKind::UnknownName, Some(first)) => sheet_names(first).unwrap_or_default(),
        _ => return error,
    };
    let names = names.iter().map(String::as_str);
    error.with_suggestions(suggest::nearest(sheet, names.filter(|name| name != sheet)))
}

/// The files with the types of all values of the columns at `columns`, and for JSON all keys.
pub(crate) fn settled(
    names: &FileNames,
    set: &Arc<FileSet>,
    columns: &[usize],
    context: &Context,
) -> Result<FileSet> {
    let format = match &names.format {
        FileFormat::Detect => detect(names.patterns.first().map_or("", String::as_str))?,
        told => told.clone(),
    };
    match format {
        FileFormat::Json(format) => {
            let (json, table) = (&format.json, &format.table);
            describe_json(&names.patterns, json, table, &format.reading, Some(context))
        }
        _ => settle(set, columns, context),
    }
}

/// Opens the Parquet files that the patterns name, which are of one schema.
pub(crate) fn open_parquet(patterns: &[String], binary_as_string: bool) -> Result<ParquetFiles> {
    ParquetFiles::open(patterns, ParquetOptions { binary_as_string, ..ParquetOptions::default() })
}

/// The format that a path's ending or the file's first bytes say.
pub(crate) fn detect(path: &str) -> Result<FileFormat> {
    let lower = path.to_ascii_lowercase();
    let plain = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    let ending = plain.rsplit_once('.').map_or("", |(_, ending)| ending);
    let named = match ending {
        "parquet" | "parq" | "pq" => "parquet",
        "csv" | "tsv" | "tab" | "psv" | "txt" => "csv",
        "arrow" | "arrows" | "feather" | "ipc" => "arrow",
        "json" => "json",
        "jsonl" | "ndjson" => "jsonl",
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" if cfg!(feature = "excel") => "excel",
        _ => "",
    };
    if let Some(format) = FileFormat::named(named) {
        return Ok(format);
    }
    let foreign = match ending {
        "xlsx" | "xlsm" | "xlsb" | "xls" => Some("an Excel workbook"),
        "ods" => Some("an OpenDocument workbook"),
        "orc" => Some("an ORC file"),
        "avro" => Some("an Avro file"),
        "xml" => Some("an XML file"),
        _ => None,
    };
    if let Some(what) = foreign {
        let hint = if what.ends_with("workbook") {
            "save it as CSV first; a build with --features excel reads it"
        } else {
            "save it as CSV, JSON, Parquet or Arrow first"
        };
        return Err(
            Error::unsupported(format!("{path} is {what}, which cannot be read")).with_hint(hint)
        );
    }
    let mut head = [0; 6];
    let has_head = File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok();
    if has_head && &head == b"ARROW1" {
        return Ok(FileFormat::Arrow(TableOptions::default()));
    }
    if (has_head && head.starts_with(b"PAR1")) || !std::path::Path::new(path).is_file() {
        // What is missing is told by whoever opens it.
        return Ok(FileFormat::parquet());
    }
    Err(Error::unsupported(format!("{path} does not say what format it has"))
        .with_hint("say it: FROM read_csv('…'), read_parquet('…')"))
}

impl OpenFiles {
    /// What a query needs to know of them.
    pub(crate) fn described(&self, names: &FileNames) -> Files {
        let name = names.patterns.first().map_or("", String::as_str);
        Files { source: self.source(), table: Arc::new(FileTable::new(name, self.clone())) }
    }

    /// They as what a scan reads.
    pub(crate) fn source(&self) -> Source {
        match self {
            OpenFiles::Parquet { files, binary_as_string } => Source::Parquet {
                paths: files.paths().map(str::to_owned).collect(),
                binary_as_string: *binary_as_string,
            },
            OpenFiles::Rows(set) => Source::Files(Arc::clone(set)),
        }
    }

    /// Their columns.
    pub(crate) fn fields(&self) -> Vec<NewField> {
        match self {
            OpenFiles::Parquet { files, .. } => files.fields().to_vec(),
            OpenFiles::Rows(set) => {
                let field = |column: &martlet_engine::catalog::files::FileColumn| NewField {
                    name: column.name.clone(),
                    data_type: column.data_type,
                    nullable: true,
                };
                set.columns.iter().map(field).collect()
            }
        }
    }

    /// Why the column at `column` cannot be read, as a phrase.
    pub(crate) fn unsupported(&self, column: usize) -> Option<&str> {
        match self {
            OpenFiles::Parquet { files, .. } => files.unsupported(column),
            OpenFiles::Rows(set) => match &set.columns[column].origin {
                Origin::Unreadable(reason) => Some(reason),
                _ => None,
            },
        }
    }

    pub(crate) fn check_supported(&self, column: usize) -> Result<()> {
        match self {
            OpenFiles::Parquet { files, .. } => files.check_supported(column),
            OpenFiles::Rows(set) => match &set.columns[column].origin {
                Origin::Unreadable(reason) => Err(Error::unsupported(format!(
                    "{}: column \"{}\" is {reason}",
                    set.files[0].path, set.columns[column].name
                ))
                .with_hint(way_out(&unreadable(set), set.columns.len()))),
                _ => Ok(()),
            },
        }
    }

    fn row_count(&self) -> u64 {
        match self {
            OpenFiles::Parquet { files, .. } => files.row_count(),
            // Nobody knows before they are read.
            OpenFiles::Rows(_) => 0,
        }
    }
}

/// The names of the columns that cannot be read.
fn unreadable(set: &FileSet) -> Vec<&str> {
    let columns = set.columns.iter();
    let columns = columns.filter(|column| matches!(column.origin, Origin::Unreadable(_)));
    columns.map(|column| column.name.as_str()).collect()
}

/// Open files; a field's id is its position.
#[derive(Debug)]
struct FileTable {
    name: String,
    files: OpenFiles,
    fields: Vec<NewField>,
    exact: HashMap<String, usize>,
    /// By lower-cased name.
    folded: HashMap<String, Vec<usize>>,
}

impl FileTable {
    fn new(name: &str, files: OpenFiles) -> FileTable {
        let fields = files.fields();
        let mut exact = HashMap::new();
        let mut folded: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, field) in fields.iter().enumerate() {
            exact.entry(field.name.clone()).or_insert(position);
            folded.entry(field.name.to_lowercase()).or_default().push(position);
        }
        FileTable { name: name.to_owned(), files, fields, exact, folded }
    }
}

impl Table for FileTable {
    fn id(&self) -> TableId {
        TableId(u32::MAX)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn row_count(&self) -> u64 {
        self.files.row_count()
    }

    fn field_count(&self) -> usize {
        self.fields.len()
    }

    fn field(&self, position: usize) -> Field {
        let field = &self.fields[position];
        Field {
            id: FieldId(u32::try_from(position).expect("a file has fewer than 2^32 columns")),
            name: field.name.clone(),
            data_type: field.data_type,
            nullable: field.nullable,
        }
    }

    fn find(&self, name: &str) -> NameMatch {
        if let Some(position) = self.exact.get(name) {
            return NameMatch::Found(*position);
        }
        match self.folded.get(&name.to_lowercase()).map(Vec::as_slice) {
            None | Some([]) => NameMatch::Missing,
            Some([position]) => NameMatch::Found(*position),
            Some(several) => NameMatch::Ambiguous(
                several.iter().map(|position| self.field(*position).name).collect(),
            ),
        }
    }

    /// Nothing is known over all row groups; for a column that cannot be read, an error says why.
    fn statistics(&self, field: FieldId) -> Result<ColumnStatistics> {
        if let Ok(position) = usize::try_from(field.0) {
            self.files.check_supported(position)?;
        }
        Ok(ColumnStatistics::default())
    }
}
