//! JSON: what keys and types the rows of a file have.
//!
//! `syntax` finds where values end and `rows` takes rows apart; here their keys are discovered, in a
//! sample or in all of a file. Must not know SQL, plans or storage.

pub(super) mod rows;
pub(super) mod syntax;

use hashbrown::HashMap;

use self::rows::{Ending, JsonRows, SEVERAL, UNCLOSED};
use self::syntax::{Fault, skip_blanks, string, value};
use super::cell::{Candidates, Cell, Escapes};
use super::column_names::COLUMNS_MAX;
use super::content::Content;
use super::parallel::fold_pieces;
use super::rows::pieces::{OpenFile, RowFormat};
use super::table_of_files::{FileSchema, Named};
use crate::catalog::files::{JsonFraming, JsonLayout, Layout, Points, Reading};
use crate::context::Context;
use crate::types::{Error, Result};

/// What is said of JSON files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonOptions {
    /// How values are strung together, if that is not to be found out.
    pub framing: Option<JsonFraming>,
    /// Whether the keys of nested objects become columns `outer.inner`.
    pub flatten: bool,
    /// The columns, if not all that there are.
    pub columns: Option<Vec<String>>,
    /// Rows that keys and types are inferred from.
    pub sample_rows: Option<usize>,
}

/// Bytes of a sample, at first.
const SAMPLE_BYTES: usize = 1 << 20;
const MANY: &str = "more than 100,000 keys";
/// Levels of objects that are flattened.
const FLATTEN_MAX: usize = 32;

/// The keys of an object, or a value.
#[derive(Clone, Debug)]
struct Keys {
    /// Where it was first seen: piece and order.
    first: (usize, usize),
    /// What its values that are no objects may be.
    candidates: Candidates,
    has_scalars: bool,
    has_objects: bool,
    children: HashMap<String, Keys>,
}

impl Keys {
    fn new(first: (usize, usize)) -> Keys {
        Keys {
            first,
            candidates: Candidates::any(Points::Point),
            has_scalars: false,
            has_objects: false,
            children: HashMap::new(),
        }
    }

    fn merge(&mut self, other: Keys) {
        self.first = self.first.min(other.first);
        self.candidates = self.candidates.and(other.candidates);
        self.has_scalars |= other.has_scalars;
        self.has_objects |= other.has_objects;
        for (key, child) in other.children {
            match self.children.get_mut(&key) {
                Some(known) => known.merge(child),
                None => {
                    self.children.insert(key, child);
                }
            }
        }
    }

    /// Adds the columns below this value, whose path is `path`.
    fn columns(
        &self,
        path: &mut Vec<String>,
        is_inside: bool,
        out: &mut Vec<(Vec<String>, Candidates)>,
    ) {
        let is_object = is_inside && self.has_objects && !self.has_scalars;
        if !is_object || self.children.is_empty() {
            let candidates = if self.has_objects { Candidates::TEXT } else { self.candidates };
            out.push((path.clone(), candidates));
            return;
        }
        let mut children: Vec<(&String, &Keys)> = self.children.iter().collect();
        children.sort_unstable_by_key(|(_, child)| child.first);
        for (key, child) in children {
            path.push(key.clone());
            // A child has children of its own only when it was to be flattened.
            child.columns(path, true, out);
            path.pop();
        }
    }
}

/// Discovers keys.
struct Discovery {
    root: Keys,
    flatten: bool,
    piece: usize,
    seen: usize,
}

impl Discovery {
    fn new(flatten: bool) -> Discovery {
        Discovery { root: Keys::new((0, 0)), flatten, piece: 0, seen: 0 }
    }

    /// Takes the value at `at` into account; gives where it ends.
    fn observe(&mut self, bytes: &[u8], at: usize) -> Result<usize, Fault> {
        let Discovery { root, flatten, piece, seen } = self;
        observe(root, bytes, at, (*flatten, 0), &mut || {
            *seen += 1;
            (*piece, *seen)
        })
    }

    fn columns(&self) -> Vec<(Vec<String>, Candidates)> {
        let mut columns = Vec::new();
        if self.root.has_objects || self.root.has_scalars {
            self.root.columns(&mut Vec::new(), true, &mut columns);
        }
        // Rows without any key have no columns.
        columns.retain(|(path, _)| !path.is_empty() || self.root.has_scalars);
        columns
    }
}

fn observe(
    node: &mut Keys,
    bytes: &[u8],
    at: usize,
    (flatten, depth): (bool, usize),
    place: &mut dyn FnMut() -> (usize, usize),
) -> Result<usize, Fault> {
    let is_open = depth == 0 || (flatten && depth < FLATTEN_MAX);
    if bytes.get(at) != Some(&b'{') || !is_open {
        let (cell, end) = value(bytes, at)?;
        let is_object = bytes.get(at) == Some(&b'{');
        node.has_objects |= is_object;
        node.has_scalars |= !is_object && !cell.is_missing();
        node.candidates.narrow_by_json(bytes, cell);
        return Ok(end);
    }
    node.has_objects = true;
    let mut at = skip_blanks(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return Err(Fault { at, what: "no key where there should be one" });
        }
        let (key, end) = string(bytes, at)?;
        at = skip_blanks(bytes, end);
        if bytes.get(at) != Some(&b':') {
            return Err(Fault { at, what: "no ':' behind a key" });
        }
        at = skip_blanks(bytes, at + 1);
        let key = text_of(bytes, key);
        if node.children.len() >= COLUMNS_MAX && !node.children.contains_key(&key) {
            return Err(Fault { at, what: MANY });
        }
        let child = node.children.entry(key).or_insert_with(|| Keys::new(place()));
        at = skip_blanks(bytes, observe(child, bytes, at, (flatten, depth + 1), place)?);
        match bytes.get(at) {
            Some(b',') => at = skip_blanks(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(Fault { at, what: "no comma and no end where there should be one" }),
        }
    }
}

fn text_of(bytes: &[u8], cell: Cell) -> String {
    let mut text = Vec::new();
    Escapes::Json.undo(cell.bytes(bytes), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// What the file at `path` holds; with `whole`, all of it is looked at and not a sample.
///
/// # Errors
/// `Io`, `Corrupt`; `InvalidText` when it does not begin with a JSON value.
pub(super) fn examine(
    path: &str,
    options: &JsonOptions,
    reading: &Reading,
    whole: Option<&Context>,
) -> Result<FileSchema> {
    let content = Content::open(path, reading.compression, reading.encoding)?;
    let mut sample_bytes = SAMPLE_BYTES;
    let (framing, start, mut discovery, is_cut) = loop {
        let mut sample = Vec::new();
        content.read(0, sample_bytes + 1, &mut sample)?;
        let is_cut = sample.len() > sample_bytes;
        sample.truncate(sample_bytes);
        let (framing, start) = framing(&sample, is_cut, options.framing);
        let mut discovery = Discovery::new(options.flatten);
        let shown = (&sample[..], Ending::of(is_cut));
        let (row_count, fault) = sample_rows(shown, start, framing, options, &mut discovery);
        match fault {
            Some(_) if is_cut && row_count == 0 && sample_bytes < reading.record_bytes_max => {
                sample_bytes = (sample_bytes * 4).min(reading.record_bytes_max);
            }
            Some(fault) if is_cut && row_count == 0 && fault.may_be_a_cut(sample.len()) => {
                let line = line_of(&sample, usize::try_from(start).unwrap_or(0));
                return Err(too_long(path, line, reading.record_bytes_max));
            }
            Some(fault) if row_count == 0 => return Err(no_json(path, &sample, fault)),
            _ => {
                let rows_max = options.sample_rows.unwrap_or(super::csv::SAMPLE_ROWS);
                break (framing, start, discovery, is_cut || row_count >= rows_max);
            }
        }
    };
    if let Some(context) = whole {
        discovery = discover_all(path, (framing, start), options.flatten, reading, context)?;
    }
    let mut columns = discovery.columns();
    if let Some(wanted) = &options.columns {
        columns = chosen(columns, wanted);
    }
    let paths: Vec<Vec<String>> = columns.iter().map(|(path, _)| path.clone()).collect();
    let named = columns.into_iter().map(|(path, candidates)| {
        let name = if path.is_empty() { "json".to_owned() } else { path.join(".") };
        Named { name, found: candidates }
    });
    Ok(FileSchema {
        path: path.to_owned(),
        columns: named.collect(),
        layout: Layout::Json(JsonLayout {
            framing,
            offset: start,
            paths,
            is_complete: options.columns.is_none(),
        }),
        has_names: true,
        points: Points::Point,
        is_sampled: is_cut && whole.is_none(),
    })
}

/// The columns asked for, in that order; one that the file does not have is never filled.
fn chosen(
    columns: Vec<(Vec<String>, Candidates)>,
    wanted: &[String],
) -> Vec<(Vec<String>, Candidates)> {
    let find = |name: &String| columns.iter().find(|(path, _)| path.join(".") == *name).cloned();
    wanted
        .iter()
        .map(|name| {
            find(name).unwrap_or_else(|| (vec![name.clone()], Candidates::any(Points::Point)))
        })
        .collect()
}

/// How values are strung together, and where the first one begins.
fn framing(sample: &[u8], is_cut: bool, told: Option<JsonFraming>) -> (JsonFraming, u64) {
    let start = skip_blanks(sample, 0);
    let found = match told {
        Some(JsonFraming::Array) if sample.get(start) != Some(&b'[') => JsonFraming::Values,
        Some(framing) => framing,
        None if sample.get(start) == Some(&b'[') => match value(sample, start) {
            Err(_) if is_cut => JsonFraming::Array,
            Ok((_, end)) if skip_blanks(sample, end) < sample.len() => {
                lines_or_values(sample, start)
            }
            _ => JsonFraming::Array,
        },
        None => lines_or_values(sample, start),
    };
    let start = if found == JsonFraming::Array { start + 1 } else { start };
    (found, u64::try_from(start).unwrap_or(0))
}

/// Lines, unless a value goes over several or a line has several.
fn lines_or_values(sample: &[u8], start: usize) -> JsonFraming {
    let mut at = start;
    while at < sample.len() {
        let Ok((_, end)) = value(sample, at) else { break };
        let next = skip_blanks(sample, end);
        let is_last = next >= sample.len();
        if sample[at..end].contains(&b'\n') || (!is_last && !sample[end..next].contains(&b'\n')) {
            return JsonFraming::Values;
        }
        at = next;
    }
    JsonFraming::Lines
}

/// Discovers the keys of a sample: how many rows it has, and what ended it.
fn sample_rows(
    (sample, ending): (&[u8], Ending),
    start: u64,
    framing: JsonFraming,
    options: &JsonOptions,
    discovery: &mut Discovery,
) -> (usize, Option<Fault>) {
    let rows = JsonRows::framed(framing);
    let rows_max = options.sample_rows.unwrap_or(super::csv::SAMPLE_ROWS).max(1);
    let mut at = usize::try_from(start).unwrap_or(0);
    let mut row_count = 0;
    while row_count < rows_max {
        at = match next(&rows, (sample, ending), at, discovery) {
            Ok(None) => return (row_count, None),
            Ok(Some(at)) => at,
            Err(fault) => return (row_count, Some(fault)),
        };
        row_count += 1;
    }
    (row_count, None)
}

fn next(
    rows: &JsonRows,
    (bytes, ending): (&[u8], Ending),
    at: usize,
    discovery: &mut Discovery,
) -> Result<Option<usize>, Fault> {
    let Some(at) = rows.next_row(bytes, at, ending)? else { return Ok(None) };
    let end = discovery.observe(bytes, at)?;
    rows.behind(bytes, end, ending).map(Some)
}

fn no_json(path: &str, sample: &[u8], fault: Fault) -> Error {
    let line = line_of(sample, fault.at);
    Error::invalid_text(format!("{path}, line {line}: {}", fault.what)).with_hint(
        match fault.what {
            UNCLOSED => "was the file cut off?",
            MANY => "keys that are data are no columns: jq 'to_entries[]' makes rows of them",
            SEVERAL => {
                "FROM read_json('…', format => 'values') reads values however they are strung"
            }
            _ => "is it JSON? FROM read_csv('…') reads delimited text",
        },
    )
}

/// A record that does not end within the bytes allowed.
pub(super) fn too_long(path: &str, line: u64, record_bytes_max: usize) -> Error {
    Error::invalid_text(format!(
        "{path}, line {line}: a record does not end within {record_bytes_max} bytes"
    ))
    .with_hint(
        "max_line_size => 100000000 allows longer records, if no string or bracket is left open",
    )
}

/// The number of the line in which byte `at` is, counted from 1.
fn line_of(sample: &[u8], at: usize) -> u64 {
    let newlines = memchr::memchr_iter(b'\n', &sample[..at.min(sample.len())]).count();
    u64::try_from(newlines).unwrap_or(u64::MAX).saturating_add(1)
}

/// Discovers the keys of all rows, piece by piece on all workers. Rows with faults are left to whoever
/// reads them.
fn discover_all(
    path: &str,
    (framing, start): (JsonFraming, u64),
    flatten: bool,
    reading: &Reading,
    context: &Context,
) -> Result<Discovery> {
    let rows = JsonRows::framed(framing);
    let format = RowFormat::Json { rows: rows.clone(), width: 0 };
    let file = OpenFile::open(path, format, start, reading)?;
    let begin = || Discovery::new(flatten);
    let observe = |piece: usize, own: &mut Discovery| {
        (own.piece, own.seen) = (piece + 1, 0);
        let Some(piece) = file.piece(piece, &context.cancel)? else { return Ok(()) };
        let (bytes, ending) = (&piece.bytes[..], Ending::of(!piece.is_last));
        let mut at = 0;
        while at < bytes.len() {
            at = match next(&rows, (bytes, ending), at, own) {
                Ok(Some(at)) => at,
                Ok(None) => break,
                Err(fault) => rows.recover(bytes, fault.at.max(at)),
            };
        }
        Ok(())
    };
    let merge = |all: &mut Discovery, own: Discovery| all.root.merge(own.root);
    fold_pieces(file.piece_count(), context, begin, observe, |_| false, merge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::files::Patterns;

    fn columns(text: &str, flatten: bool) -> (JsonFraming, Vec<String>) {
        let bytes = text.as_bytes();
        let (framing, start) = framing(bytes, false, None);
        let mut discovery = Discovery::new(flatten);
        let options = JsonOptions::default();
        let shown = (bytes, Ending::File);
        let (_, fault) = sample_rows(shown, start, framing, &options, &mut discovery);
        assert_eq!(fault, None, "{text}");
        let described = discovery.columns().into_iter().map(|(path, candidates)| {
            format!("{} {:?}", path.join("."), candidates.read_as(&Patterns::default()))
        });
        (framing, described.collect())
    }

    #[test]
    fn framings_are_told_apart() {
        for (text, expected) in [
            ("{\"a\":1}\n{\"a\":2}\n", JsonFraming::Lines),
            ("{\"a\":1}", JsonFraming::Lines),
            ("{\n\"a\":1}\n{\"a\":2}", JsonFraming::Values),
            ("{\"a\":1} {\"a\":2}", JsonFraming::Values),
            (" [{\"a\":1},\n{\"a\":2}]\n", JsonFraming::Array),
            ("[1]\n[2]\n", JsonFraming::Lines),
            ("", JsonFraming::Lines),
            ("[]", JsonFraming::Array),
        ] {
            assert_eq!(columns(text, false).0, expected, "{text:?}");
        }
    }

    #[test]
    fn types_widen_over_rows_and_nested_values_are_text() {
        let text = "{\"i\":1,\"d\":2,\"s\":\"x\",\"n\":{\"a\":1},\"m\":1,\"u\":null,\"t\":\"2024-01-02\"}\n\
                    {\"d\":2.5,\"i\":-3,\"m\":\"y\",\"l\":[1],\"b\":true}\n";
        assert_eq!(
            columns(text, false).1,
            [
                "i Integer",
                "d Float",
                "s Text",
                "n Text",
                "m Text",
                "u Nothing",
                "t Date(Ymd)",
                "l Text",
                "b Bool"
            ]
        );
    }

    #[test]
    fn nested_objects_are_flattened_unless_they_are_something_else_too() {
        let text = "{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}},\"e\":{\"f\":1},\"g\":{}}\n{\"a\":null,\"e\":5}\n";
        assert_eq!(columns(text, true).1, ["a.b Integer", "a.c.d Text", "e Text", "g Text"]);
        assert_eq!(columns("1\n2\n", true).1, [" Integer"]);
    }
}
