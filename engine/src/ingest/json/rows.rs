//! JSON values that are rows: keys become cells.
//!
//! Keys come in the same order in nearly every row, so the column of a key is first looked for behind
//! that of the key before it. A key that a path goes through leads to a tree of its own; its value is
//! read where it lies and not skipped first.

use hashbrown::HashMap;

use super::syntax::{Fault, skip_blanks, string, value};
use crate::catalog::files::{JsonFraming, JsonLayout};
use crate::ingest::cell::{Cell, Escapes};

/// Finds the rows of a file and their cells.
#[derive(Clone, Debug)]
pub(in crate::ingest) struct JsonRows {
    framing: JsonFraming,
    root: Node,
}

/// Where the values of an object's keys go.
#[derive(Clone, Debug, Default)]
struct Node {
    keys: Vec<(Vec<u8>, Target)>,
    by_key: HashMap<Vec<u8>, usize>,
    /// The column of the value itself, for rows that are no objects.
    whole: Option<usize>,
}

#[derive(Clone, Debug)]
enum Target {
    Column(usize),
    Inside(Box<Node>),
}

/// What takes the cells of a row.
pub(in crate::ingest) trait TakeCells {
    /// A value of a column; a later one of the same row replaces it.
    fn cell(&mut self, column: usize, cell: Cell);
    /// A key that no column is for, or a value where there should be an object; whether that is right.
    fn stray(&mut self, at: usize) -> bool;
}

/// What the bytes that rows are looked for in end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Ending {
    /// Others follow in the file, or may.
    Cut,
    /// The file: an array must be closed.
    File,
}

impl Ending {
    /// For bytes of which it is known whether others follow.
    pub(in crate::ingest) fn of(is_cut: bool) -> Ending {
        if is_cut { Ending::Cut } else { Ending::File }
    }
}

const STRAY: &str = "a key that the sample did not have";
/// The fault of a file that was cut off between two rows.
pub(in crate::ingest) const SEVERAL: &str = "more than a value on a line";
pub(in crate::ingest) const UNCLOSED: &str =
    "the file ends inside the array: the closing ']' is missing";

impl JsonRows {
    /// For a layout.
    pub(in crate::ingest) fn new(layout: &JsonLayout) -> JsonRows {
        let mut root = Node::default();
        for (column, path) in layout.paths.iter().enumerate() {
            root.add(path, column);
        }
        JsonRows { framing: layout.framing, root }
    }

    /// For rows whose keys are not known.
    pub(in crate::ingest) fn framed(framing: JsonFraming) -> JsonRows {
        JsonRows { framing, root: Node::default() }
    }

    /// The next row from `at` on: where it begins; `None` when there is none.
    pub(in crate::ingest) fn next_row(
        &self,
        bytes: &[u8],
        at: usize,
        ending: Ending,
    ) -> Result<Option<usize>, Fault> {
        let mut at = skip_blanks(bytes, at);
        if self.framing == JsonFraming::Array {
            if bytes.get(at) == Some(&b',') {
                at = skip_blanks(bytes, at + 1);
            }
            if bytes.get(at) == Some(&b']') {
                let end = skip_blanks(bytes, at + 1);
                let is_end = end == bytes.len();
                return if is_end { Ok(None) } else { Err(Fault { at: end, what: BEHIND }) };
            }
            if at >= bytes.len() && ending == Ending::File {
                return Err(Fault { at, what: UNCLOSED });
            }
        }
        Ok((at < bytes.len()).then_some(at))
    }

    /// Reads the row at `at`; gives where it ends, behind the comma or newline that must be there.
    pub(in crate::ingest) fn row(
        &self,
        bytes: &[u8],
        at: usize,
        ending: Ending,
        taker: &mut impl TakeCells,
    ) -> Result<usize, Fault> {
        let end = match (bytes.get(at), self.root.whole) {
            (Some(b'{'), None) => self.root.object(bytes, at, taker)?,
            (_, Some(column)) => {
                let (cell, end) = value(bytes, at)?;
                taker.cell(column, cell);
                end
            }
            (_, None) => {
                let (cell, end) = value(bytes, at)?;
                // A row that is null has no values; anything else is no row.
                if !cell.is_missing() && !taker.stray(at) {
                    return Err(Fault { at, what: "a row that is no object" });
                }
                end
            }
        };
        self.behind(bytes, end, ending)
    }

    /// What must stand behind a row.
    pub(in crate::ingest) fn behind(
        &self,
        bytes: &[u8],
        end: usize,
        ending: Ending,
    ) -> Result<usize, Fault> {
        match self.framing {
            JsonFraming::Values => Ok(end),
            JsonFraming::Lines => {
                let blanks =
                    bytes[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
                let end = end + blanks.count();
                match bytes.get(end) {
                    None => Ok(end),
                    Some(b'\n') => Ok(end + 1),
                    Some(_) => Err(Fault { at: end, what: SEVERAL }),
                }
            }
            JsonFraming::Array => {
                let end = skip_blanks(bytes, end);
                match bytes.get(end) {
                    Some(b',') => match bytes.get(skip_blanks(bytes, end + 1)) {
                        Some(b']') => Err(Fault { at: end, what: "a comma before the end" }),
                        None if ending == Ending::File => {
                            Err(Fault { at: bytes.len(), what: UNCLOSED })
                        }
                        _ => Ok(end + 1),
                    },
                    None if ending == Ending::File => Err(Fault { at: end, what: UNCLOSED }),
                    Some(b']') | None => Ok(end),
                    Some(_) => Err(Fault { at: end, what: "no comma between two values" }),
                }
            }
        }
    }

    /// The first row that begins at or behind `target`, for bytes that begin with one; `None` when
    /// they do not show it.
    pub(in crate::ingest) fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        if self.framing == JsonFraming::Lines {
            let from = target.saturating_sub(1);
            let line = memchr::memchr(b'\n', bytes.get(from..)?)?;
            return Some(from + line + 1).filter(|next| *next < bytes.len());
        }
        self.cut_values(bytes, target).ok().flatten()
    }

    /// What is wrong with the values of `bytes`, which begin with a row and of which the first
    /// `target` show no other, unless they only end too early.
    pub(in crate::ingest) fn fault(&self, bytes: &[u8], target: usize) -> Option<Fault> {
        if self.framing == JsonFraming::Lines {
            return None;
        }
        let fault = self.cut_values(bytes, target).err()?;
        (!fault.may_be_a_cut(bytes.len())).then_some(fault)
    }

    fn cut_values(&self, bytes: &[u8], target: usize) -> Result<Option<usize>, Fault> {
        let mut at = 0;
        loop {
            let Some(begin) = self.next_row(bytes, at, Ending::Cut)? else { return Ok(None) };
            if begin >= target {
                return Ok(Some(begin));
            }
            at = self.behind(bytes, value(bytes, begin)?.1, Ending::Cut)?;
        }
    }

    /// Where to go on after a fault: the next line, if rows are lines.
    pub(in crate::ingest) fn recover(&self, bytes: &[u8], at: usize) -> usize {
        match self.framing {
            JsonFraming::Lines => {
                memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |len| at + len + 1)
            }
            JsonFraming::Values | JsonFraming::Array => bytes.len(),
        }
    }

    /// Whether a row with a fault can be left out.
    pub(in crate::ingest) fn can_recover(&self) -> bool {
        self.framing == JsonFraming::Lines
    }
}

const BEHIND: &str = "something behind the array";

impl Node {
    fn add(&mut self, path: &[String], column: usize) {
        let Some((first, rest)) = path.split_first() else {
            self.whole = Some(column);
            return;
        };
        let key = first.clone().into_bytes();
        let next = self.keys.len();
        let index = *self.by_key.entry(key.clone()).or_insert(next);
        if index == next {
            let target = match rest {
                [] => Target::Column(column),
                _ => Target::Inside(Box::default()),
            };
            self.keys.push((key, target));
        }
        if let (Target::Inside(node), false) = (&mut self.keys[index].1, rest.is_empty()) {
            node.add(rest, column);
        }
    }

    /// Reads the object at `at`; gives where it ends.
    fn object(&self, bytes: &[u8], at: usize, taker: &mut impl TakeCells) -> Result<usize, Fault> {
        let mut at = skip_blanks(bytes, at + 1);
        if bytes.get(at) == Some(&b'}') {
            return Ok(at + 1);
        }
        let mut likely = 0;
        loop {
            if bytes.get(at) != Some(&b'"') {
                return Err(Fault { at, what: "no key where there should be one" });
            }
            let key_at = at;
            let (key, end) = string(bytes, at)?;
            at = skip_blanks(bytes, end);
            if bytes.get(at) != Some(&b':') {
                return Err(Fault { at, what: "no ':' behind a key" });
            }
            at = skip_blanks(bytes, at + 1);
            let found = self.find(bytes, key, likely);
            at = match found.map(|index| &self.keys[index].1) {
                Some(Target::Column(column)) => {
                    let (cell, end) = value(bytes, at)?;
                    taker.cell(*column, cell);
                    end
                }
                Some(Target::Inside(node)) if bytes.get(at) == Some(&b'{') => {
                    node.object(bytes, at, taker)?
                }
                target => {
                    let (cell, end) = value(bytes, at)?;
                    let is_lost = target.is_none() || !cell.is_missing();
                    if is_lost && !taker.stray(key_at) {
                        return Err(Fault { at: key_at, what: STRAY });
                    }
                    end
                }
            };
            likely = found.map_or(likely, |index| index + 1);
            at = skip_blanks(bytes, at);
            match bytes.get(at) {
                Some(b',') => at = skip_blanks(bytes, at + 1),
                Some(b'}') => return Ok(at + 1),
                _ => {
                    return Err(Fault {
                        at,
                        what: "no comma and no end where there should be one",
                    });
                }
            }
        }
    }

    #[inline]
    fn find(&self, bytes: &[u8], key: Cell, likely: usize) -> Option<usize> {
        if key.is_escaped() {
            let mut text = Vec::new();
            Escapes::Json.undo(key.bytes(bytes), &mut text);
            return self.by_key.get(&text).copied();
        }
        let text = key.bytes(bytes);
        if self.keys.get(likely).is_some_and(|(key, _)| key == text) {
            return Some(likely);
        }
        self.by_key.get(text).copied()
    }
}

/// Whether the fault is a key or value that only a sample did not have.
pub(in crate::ingest) fn is_stray(fault: Fault) -> bool {
    fault.what == STRAY
}
