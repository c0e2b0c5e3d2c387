//! How results are shown: format, width, rows, digits, colours.

use std::io::{self, IsTerminal};
use std::path::Path;

use clap::ValueEnum;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned, for people, with a footer
    #[default]
    Table,
    /// As table, with a frame
    Box,
    /// A line per value; what table turns to when one row is too wide
    Vertical,
    /// name = value, a blank line between rows
    Line,
    /// RFC 4180 with a header; NULL is empty, the empty text is ""
    Csv,
    /// Between tabs, with a header; \N is NULL, \t \n \\ are escaped
    Tsv,
    /// An array of objects
    Json,
    /// An object per line
    Jsonl,
    /// A table for a Markdown document
    Markdown,
    /// A table for a web page
    Html,
    /// INSERT INTO statements
    Insert,
}

impl Format {
    /// Whether it is for people: notes may stand around it.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Format::Table | Format::Box | Format::Vertical | Format::Line)
    }

    /// The format that a file's name ends in.
    pub(crate) fn of_ending(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "csv" => Format::Csv,
            "tsv" | "tab" => Format::Tsv,
            "json" => Format::Json,
            "jsonl" | "ndjson" => Format::Jsonl,
            "md" => Format::Markdown,
            "html" | "htm" => Format::Html,
            "sql" => Format::Insert,
            _ => return None,
        })
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// How results are shown.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The format.
    pub(crate) format: Format,
    /// Columns of a line, if not the terminal's.
    pub(crate) width: Option<usize>,
    /// Rows shown at most.
    pub(crate) rows_max: usize,
    /// Whether the digits of large numbers stand in groups.
    pub(crate) groups_digits: bool,
    /// Whether one row that is too wide is shown vertically.
    pub(crate) turns_wide_rows: bool,
    /// Whether footers tell the time.
    pub(crate) tells_time: bool,
    /// Colours for what goes to the terminal.
    pub(crate) style: Style,
    /// The table that INSERT statements name.
    pub(crate) insert_table: String,
}

/// How wide a table is where no terminal says.
const WIDTH: usize = 120;

impl View {
    /// A view in `format` of at most `rows_max` rows on what standard output is.
    pub(crate) fn new(format: Format, rows_max: usize) -> View {
        View {
            format,
            width: None,
            rows_max,
            groups_digits: true,
            turns_wide_rows: true,
            tells_time: true,
            style: Style::of(io::stdout().is_terminal()),
            insert_table: "t".to_owned(),
        }
    }

    /// Columns of a line: as set, else the terminal's.
    pub(crate) fn line_width(&self) -> usize {
        self.width.or_else(terminal_width).unwrap_or(WIDTH)
    }
}

/// Columns of the terminal, if standard output is one.
pub(crate) fn terminal_width() -> Option<usize> {
    let (terminal_size::Width(width), _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(width).max(1))
}

/// Lines of the terminal, if standard output is one.
pub(crate) fn terminal_height() -> Option<usize> {
    let (_, terminal_size::Height(height)) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(height))
}

/// Colours, or none: on a terminal only, and not where `NO_COLOR` is set or the terminal is dumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    is_coloured: bool,
}

impl Style {
    /// No colours.
    pub(crate) const PLAIN: Style = Style { is_coloured: false };

    /// Colours if what is written to is a terminal that has them.
    pub(crate) fn of(is_terminal: bool) -> Style {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        Style { is_coloured: is_terminal && !is_refused && !is_dumb }
    }

    /// Whether there are colours.
    pub(crate) fn is_coloured(self) -> bool {
        self.is_coloured
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn bold_red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_coloured && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// An error as [`martlet::render_error`] draws it, its first words and its caret in red.
    pub(crate) fn error(self, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let mut painted = String::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let end = line.find(": ").unwrap_or(0);
            if index == 0 && line.starts_with("error") {
                painted += &self.bold_red(&line[..end]);
                painted += &line[end..];
            } else if line.trim_end().ends_with('^') && line.contains("| ") {
                let at = line.len() - line.trim_end().len();
                let caret = line.len() - at - 1;
                painted += &line[..caret];
                painted += &self.bold_red("^");
                painted.push('\n');
            } else if line.starts_with("did you mean: ") || line.starts_with("hint: ") {
                painted += &self.cyan(&line[..=end]);
                painted += &line[end + 1..];
            } else {
                painted += line;
            }
        }
        painted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_a_text_stays_as_it_is() {
        let error = "error[42703]: no\n  |\n1 | x\n  | ^\nhint: y\n";
        assert_eq!(Style::PLAIN.error(error), error);
        assert_eq!(Style::PLAIN.dim("x"), "x");
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let style = Style { is_coloured: true };
        let error = "error[42703]: there: no\n  |\n1 | x\n  | ^\ndid you mean: z\nhint: y\n";
        let painted = style.error(error);
        assert!(painted.contains("\x1b[1;31m^\x1b[0m\n"), "{painted:?}");
        let mut plain = painted;
        for code in ["\x1b[0m", "\x1b[1;31m", "\x1b[36m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, error);
    }
}
