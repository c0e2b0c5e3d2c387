//! `.help`.

use std::fmt::Write;

use super::{COMMANDS, Command, find, nothing_more, unknown};
use crate::session::{Failure, Next, Session};

const INTRODUCTION: &str = "\
SQL ends with a semicolon and may have several lines.
FROM 'file.parquet' reads a file, FROM _ the last result.
";

const KEYS: &str = "
Tab completes, Ctrl-R searches the history, Ctrl-C stops a statement or clears the line, Ctrl-D leaves.
.help COMMAND tells more about one.
";

pub(super) fn run(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    let text = match arguments.first() {
        None => all(),
        Some(name) => {
            let name = if name.starts_with('\\') {
                name.clone()
            } else {
                format!(".{}", name.trim_start_matches('.'))
            };
            one(find(&name).ok_or_else(|| unknown(&name))?)
        }
    };
    session.say(&text)?;
    Ok(Next::Go)
}

fn all() -> String {
    let mut text = format!("{INTRODUCTION}\n");
    let title = |command: &Command| format!(".{} {}", command.name, command.arguments);
    let width = COMMANDS.iter().map(|command| title(command).len()).max().unwrap_or(0);
    for command in COMMANDS {
        let aliases = match command.aliases {
            [] => String::new(),
            aliases => format!(" ({})", aliases.join(", ")),
        };
        append(&mut text, format_args!("  {:width$}  {}{aliases}\n", title(command), command.says));
    }
    append(&mut text, format_args!("  {:width$}  turns results to vertical and back\n", "\\x"));
    text + KEYS
}

fn one(command: &Command) -> String {
    let Command { name, aliases, arguments, says, details, run: _ } = command;
    let mut text = format!(".{name} {arguments}");
    text.truncate(text.trim_end().len());
    append(&mut text, format_args!("\n  {says}\n"));
    for line in details.lines() {
        append(&mut text, format_args!("  {line}\n"));
    }
    if !aliases.is_empty() {
        append(&mut text, format_args!("  also: {}\n", aliases.join(", ")));
    }
    text
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String does not fail");
}
