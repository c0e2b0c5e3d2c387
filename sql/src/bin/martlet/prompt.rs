//! A plain prompt: lines in, results out, until the input ends.

use std::io::{BufRead, Write};

use crate::script;
use crate::session::{Failure, Session};

const PROMPT: &str = "martlet> ";
const PROMPT_INSIDE: &str = "    ...> ";
const HELP: &str = "\
End a statement with a semicolon; it may have several lines. Try:
  SHOW TABLES;             DESCRIBE table;           SELECT count(*) FROM table;
  FROM 'file.parquet' LIMIT 5;                       EXPLAIN ANALYZE SELECT …;
  CREATE TABLE name FROM 'file.parquet';
Leave with quit or Ctrl-D.";

/// Reads statements from `input` and runs each at its semicolon; an error does not end it.
pub(crate) fn run<W: Write>(
    session: &mut Session<W>,
    mut input: impl BufRead,
    mut prompt: impl Write,
) -> Result<(), Failure> {
    let mut sql = String::new();
    loop {
        let text = if sql.is_empty() { PROMPT } else { PROMPT_INSIDE };
        write!(prompt, "{text}")?;
        prompt.flush()?;
        let start = sql.len();
        if input.read_line(&mut sql)? == 0 {
            writeln!(prompt)?;
            return session.run(&sql);
        }
        if start == 0 {
            match sql.trim().trim_end_matches(';').to_ascii_lowercase().as_str() {
                "quit" | "exit" | ".quit" | ".exit" | "\\q" => return Ok(()),
                "help" | ".help" | "\\?" => {
                    writeln!(prompt, "{HELP}")?;
                    sql.clear();
                    continue;
                }
                _ => (),
            }
        }
        let script = script::split(&sql);
        let Some(last) = script.statements.last() else {
            if script.rest.is_none() {
                sql.clear();
            }
            continue;
        };
        let rest = sql.split_off(last.end + 1);
        match session.run(&sql) {
            Err(Failure::Sql(text)) => write!(prompt, "{text}")?,
            outcome => outcome?,
        }
        sql = if script.rest.is_some() { rest } else { String::new() };
    }
}

#[cfg(test)]
mod tests {
    use martlet::Database;

    use super::*;
    use crate::printer::{Format, Printer};
    use crate::table::TableOptions;

    /// What the results and the prompt show for `input`.
    fn typed(input: &str) -> Result<(String, String), Failure> {
        let (mut results, mut prompt) = (Vec::new(), Vec::new());
        let options = TableOptions { width: 80, rows_max: 10 };
        let printer = Printer::new(&mut results, Format::Csv, options);
        let mut session = Session::new(Database::open_in_memory()?.connect(), printer);
        run(&mut session, input.as_bytes(), &mut prompt)?;
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ok((text(results), text(prompt)))
    }

    #[test]
    fn a_statement_may_have_several_lines_and_a_line_several_statements() -> Result<(), Failure> {
        let (results, prompt) = typed("SELECT 1\n AS a; SELECT\n2 AS b;\n\nSELECT 3 AS c")?;
        assert_eq!(results, "a\n1\nb\n2\nc\n3\n");
        assert_eq!(prompt.matches(PROMPT).count(), 3, "{prompt}");
        assert_eq!(prompt.matches(PROMPT_INSIDE).count(), 3, "{prompt}");
        Ok(())
    }

    #[test]
    fn an_error_is_shown_and_the_prompt_goes_on() -> Result<(), Failure> {
        let (results, prompt) = typed("SELECT nope;\nSELECT 1 AS a;\n")?;
        assert_eq!(results, "a\n1\n");
        assert!(prompt.contains("error[42703]"), "{prompt}");
        Ok(())
    }

    #[test]
    fn quit_ends_and_help_helps() -> Result<(), Failure> {
        let (results, prompt) = typed("help\nquit;\nSELECT 1 AS a;\n")?;
        assert_eq!(results, "");
        assert!(prompt.contains("Ctrl-D"), "{prompt}");
        Ok(())
    }
}
