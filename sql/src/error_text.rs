//! An error as a person reads it: code, sentence, the line with a caret, suggestions, a hint.

use std::fmt::Write;

use martlet_engine::types::Error;
use unicode_width::UnicodeWidthChar;

/// The widest piece of the SQL line that is shown.
const LINE_CHARS_MAX: usize = 76;

/// Draws `error` under the SQL text that caused it, in at most eight lines.
///
/// ```
/// let database = martlet::Database::open_in_memory()?;
/// let sql = "SELECT 1 + nothing";
/// let error = database.connect().query(sql).err().expect("there is no such column");
/// assert_eq!(
///     martlet::render_error(sql, &error),
///     "error[42703]: there is no column \"nothing\": the query has no FROM\n  \
///      |\n1 | SELECT 1 + nothing\n  |            ^\n"
/// );
/// # Ok::<(), martlet::Error>(())
/// ```
pub fn render_error(sql: &str, error: &Error) -> String {
    let mut text = format!("error[{}]: {}\n", error.kind().sqlstate(), one_line(error.message()));
    if let Some(position) = error.position() {
        draw_line(&mut text, sql, position.min(sql.len()));
    }
    if !error.suggestions().is_empty() {
        let names = error.suggestions().join(", ");
        append(&mut text, format_args!("did you mean: {}\n", one_line(&names)));
    }
    if let Some(hint) = error.hint() {
        append(&mut text, format_args!("hint: {}\n", one_line(hint)));
    }
    text
}

fn draw_line(text: &mut String, sql: &str, position: usize) {
    let position = (0..=position).rev().find(|at| sql.is_char_boundary(*at)).unwrap_or(0);
    let before = &sql[..position];
    let line_number = before.matches('\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end = sql[position..].find('\n').map_or(sql.len(), |at| position + at);
    let line: Vec<char> = sql[line_start..line_end].trim_end().chars().map(printable).collect();
    let caret = sql[line_start..position].chars().count();

    let first = if caret + 8 > LINE_CHARS_MAX { caret - LINE_CHARS_MAX / 2 } else { 0 };
    let last = line.len().min(first + LINE_CHARS_MAX).max(first.min(line.len()));
    let (head, tail) = (if first > 0 { "…" } else { "" }, if last < line.len() { "…" } else { "" });
    let shown: String = line.get(first..last).unwrap_or_default().iter().collect();

    let number = line_number.to_string();
    let margin = " ".repeat(number.len());
    // A caret stands under its character also behind ones that are two columns wide, or none.
    let before = line.iter().skip(first).take(caret - first);
    let width: usize = before.map(|c| c.width().unwrap_or(1)).sum();
    let beyond = caret.saturating_sub(line.len().max(first));
    let indent = " ".repeat(width + beyond + head.chars().count());
    append(
        text,
        format_args!("{margin} |\n{number} | {head}{shown}{tail}\n{margin} | {indent}^\n"),
    );
}

/// Tabs and control characters would move the caret.
fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

fn one_line(text: &str) -> String {
    const SENTENCE_CHARS_MAX: usize = 400;
    let mut line: String = text.chars().map(printable).take(SENTENCE_CHARS_MAX).collect();
    if text.chars().nth(SENTENCE_CHARS_MAX).is_some() {
        line.push('…');
    }
    line
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_position_in_its_line() {
        let sql = "SELECT a,\n  bé, nope\nFROM t";
        let at = sql.find("nope").unwrap();
        let error = Error::unknown_name("there is no column \"nope\"")
            .at(at)
            .with_suggestions(vec!["nape".into()])
            .with_hint("look closer");
        assert_eq!(
            render_error(sql, &error),
            "error[42703]: there is no column \"nope\"\n  |\n2 |   bé, nope\n  |       ^\n\
             did you mean: nape\nhint: look closer\n"
        );
    }

    #[test]
    fn wide_characters_take_two_columns_before_the_caret() {
        let sql = "SELECT '北京' + 1";
        let text = render_error(sql, &Error::syntax("no").at(sql.find('+').unwrap()));
        let caret = text.lines().nth(3).map(|line| line.find('^').unwrap());
        assert_eq!(caret, Some("1 | SELECT 'BBJJ' ".len()), "{text}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let sql = format!("SELECT {} nope FROM t", "column_name, ".repeat(4000));
        let at = sql.find("nope").unwrap();
        let text = render_error(&sql, &Error::unknown_name("no").at(at));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.chars().count() < 90));
        let caret = lines[3].chars().position(|c| c == '^').unwrap();
        let under: String = lines[2].chars().skip(caret).take(4).collect();
        assert_eq!(under, "nope");
    }

    #[test]
    fn positions_outside_the_text_and_inside_a_character_do_no_harm() {
        for position in 0..20 {
            let text = render_error("é\té\n", &Error::syntax("x").at(position));
            assert!(text.contains('^'));
        }
    }
}
