//! A plain prompt for terminals that cannot be drawn on: lines in, results out, until the input ends.

use std::io::{BufRead, Write};

use super::as_command;
use crate::script::{self, Piece};
use crate::session::{Failure, Next, Session};

const PROMPT: &str = "martlet> ";
const PROMPT_INSIDE: &str = "    ...> ";
/// Reads statements from `input` and runs each at its semicolon; an error does not end it.
pub(super) fn run(
    session: &mut Session<'_>,
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
            return session.run(&sql).map(|_| ());
        }
        if start == 0
            && let Some(command) = as_command(&sql)
        {
            sql = command.to_owned();
        }
        let script = script::split(&sql);
        let Some(last) = script.pieces.last() else {
            if script.rest.is_none() {
                sql.clear();
            }
            continue;
        };
        let end = match last {
            Piece::Statement(range) => range.end + 1,
            Piece::Command(range) => range.end,
        };
        let rest = sql.split_off(end);
        match session.run(&sql) {
            Err(Failure::Sql(text)) => write!(prompt, "{text}")?,
            Err(failure @ Failure::Other(_)) => write!(prompt, "{failure}")?,
            Ok(Next::Quit) => return Ok(()),
            outcome => {
                outcome?;
            }
        }
        sql = if script.rest.is_some() { rest } else { String::new() };
    }
}

#[cfg(test)]
mod tests {
    use martlet::Database;

    use super::*;
    use crate::target::Target;
    use crate::view::{Format, View};

    /// What the results and the prompt show for `input`.
    fn typed(input: &str) -> Result<(String, String), Failure> {
        let (mut results, mut prompt) = (Vec::new(), Vec::new());
        let target = Target::new(&mut results, false);
        let connection = Database::open_in_memory()?.connect();
        let mut session = Session::new(connection, View::new(Format::Csv, 10), target);
        run(&mut session, input.as_bytes(), &mut prompt)?;
        drop(session);
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
    fn quit_ends_help_helps_and_commands_run() -> Result<(), Failure> {
        let (results, _) = typed("help\nquit;\nSELECT 1 AS a;\n")?;
        assert!(results.contains("Ctrl-D") && !results.contains("a\n1"), "{results}");
        let (results, prompt) =
            typed(".mode tsv\nSELECT 1 AS a, 2 AS b;\n.nope\n.mode\n\\q\nSELECT 3;")?;
        assert_eq!(results, "a\tb\n1\t2\nmode: tsv\n");
        assert!(prompt.contains("there is no command .nope"), "{prompt}");
        Ok(())
    }
}
