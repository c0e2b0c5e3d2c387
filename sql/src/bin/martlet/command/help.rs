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

/// What the man page tells beyond the options, as roff.
pub(crate) fn man_sections() -> String {
    let mut text =
        ".SH COMMANDS\nLines at the prompt or in a script that begin with a dot.\n".to_owned();
    for command in COMMANDS {
        let Command { name, arguments, says, .. } = command;
        let (arguments, says) = (roff(arguments), roff(says));
        append(&mut text, format_args!(".TP\n\\fB\\&.{name}\\fR {arguments}\n{says}\n"));
    }
    for (section, entries) in MAN_SECTIONS {
        append(&mut text, format_args!(".SH {section}\n"));
        for (name, says) in *entries {
            append(&mut text, format_args!(".TP\n\\fB{}\\fR\n{}\n", roff(name), roff(says)));
        }
    }
    text
}

const MAN_SECTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "FILES",
        &[
            ("~/.martletrc", "Commands and statements that run before the first prompt."),
            ("~/.martlet_history", "What was typed at the prompt."),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            ("MARTLET_HISTORY", "The file of what was typed; none when it is empty."),
            ("NO_COLOR", "No colours when it is not empty."),
            (
                "PAGER",
                "What shows results that are longer than the screen; less if not given, nothing when empty.",
            ),
        ],
    ),
    (
        "EXAMPLES",
        &[
            ("martlet sales.mart", "A prompt on a mart."),
            (
                "martlet -c \"FROM 'orders-*.csv' LIMIT 10\"",
                "The first rows of files, without a database.",
            ),
            (
                "martlet sales.mart --readonly -m csv -f report.sql > report.csv",
                "A report as a file.",
            ),
        ],
    ),
];

/// The text with what roff would take for its own escaped.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String does not fail");
}
