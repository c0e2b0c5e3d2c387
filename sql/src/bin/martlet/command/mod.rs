//! Commands to the shell: lines that begin with a dot, or with a backslash as in psql.
//!
//! `NAMES` is the one list of them: what runs, what `.help` tells and what is completed come from it.

mod catalog;
mod chart;
mod find;
mod grain;
mod help;
mod output;
mod settings;

pub(crate) use self::catalog::{is_new, place_of};
pub(crate) use self::help::man_sections;
use crate::session::{Failure, Next, Session};

/// A command.
pub(crate) struct Command {
    /// Its name behind the dot.
    pub(crate) name: &'static str,
    /// What it is called in psql, backslash included.
    aliases: &'static [&'static str],
    /// What it takes.
    arguments: &'static str,
    /// What it does, in a line.
    pub(crate) says: &'static str,
    /// More about it.
    details: &'static str,
    run: fn(&mut Session<'_>, &[String]) -> Result<Next, Failure>,
}

const ENDINGS: &str = "The file is created anew, in the format that its ending says (csv, tsv, json, jsonl, md, html, sql),\nor in the current mode.";

/// All commands, in the order in which `.help` lists them.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "tables",
        aliases: &["\\dt", "\\d"],
        arguments: "[PATTERN]",
        says: "lists tables with their rows, columns and size",
        details: "PATTERN has * and ? for any characters and any one; without them it is a part of the name.\n\\d TABLE describes a table, as DESCRIBE does.",
        run: catalog::tables,
    },
    Command {
        name: "schema",
        aliases: &[],
        arguments: "[TABLE]",
        says: "shows CREATE TABLE statements",
        details: "Without TABLE, those of all tables.",
        run: catalog::schema,
    },
    Command {
        name: "cols",
        aliases: &[],
        arguments: "[TABLE] PATTERN",
        says: "lists columns whose names match",
        details: "Of one table, or of all. PATTERN has * and ? as in .tables: .cols order*amount, .cols orders date.",
        run: catalog::columns,
    },
    Command {
        name: "find",
        aliases: &[],
        arguments: "TEXT",
        says: "looks for a text in names, descriptions and values",
        details: "Values are looked up in text columns of at most 10,000 distinct values. Case does not matter.",
        run: find::run,
    },
    Command {
        name: "grain",
        aliases: &[],
        arguments: "TABLE [MAX_COLUMNS]",
        says: "finds what identifies a row: candidate keys",
        details: "Single columns, then pairs and triples (MAX_COLUMNS 1, 2 or 3; 2 if not given) of columns\nwithout NULL whose distinct values are as many as the rows.",
        run: grain::run,
    },
    Command {
        name: "size",
        aliases: &[],
        arguments: "[TABLE]",
        says: "shows bytes on disk, in all and per row",
        details: "",
        run: catalog::size,
    },
    Command {
        name: "databases",
        aliases: &["\\l"],
        arguments: "",
        says: "shows the open database",
        details: "Where it is, whether it may be changed, its snapshot, how many tables it has.",
        run: catalog::databases,
    },
    Command {
        name: "open",
        aliases: &["\\c"],
        arguments: "[PATH] [--readonly]",
        says: "opens another database in place of this one",
        details: "Without PATH, a new one in memory.",
        run: catalog::open,
    },
    Command {
        name: "last",
        aliases: &[],
        arguments: "",
        says: "shows the last result again",
        details: ".once x.csv, then .last, writes what you see to a file.\nA query reads the last result as the table _: SELECT … FROM _.",
        run: output::last,
    },
    Command {
        name: "chart",
        aliases: &[],
        arguments: "bar|line|hist [COLUMN…]",
        says: "draws the last result",
        details: "bar and line take a column of labels and one of numbers, hist a column of numbers;\nwithout names, the first that suit.",
        run: chart::run,
    },
    Command {
        name: "mode",
        aliases: &[],
        arguments: "[FORMAT]",
        says: "sets how results are written",
        details: "FORMAT: table, box, vertical, line, csv, tsv, json, jsonl, markdown, html, insert [TABLE].\nWithout it, says which is set.",
        run: output::mode,
    },
    Command {
        name: "output",
        aliases: &["\\o"],
        arguments: "[FILE]",
        says: "writes results to a file; without FILE, to the terminal again",
        details: ENDINGS,
        run: output::output,
    },
    Command {
        name: "once",
        aliases: &[],
        arguments: "FILE",
        says: "writes the next result to a file",
        details: ENDINGS,
        run: output::once,
    },
    Command {
        name: "read",
        aliases: &["\\i"],
        arguments: "FILE",
        says: "runs the statements and commands of a file",
        details: "",
        run: output::read,
    },
    Command {
        name: "width",
        aliases: &[],
        arguments: "[COLUMNS|auto]",
        says: "sets how wide results may be",
        details: "auto: as wide as the terminal.",
        run: settings::width,
    },
    Command {
        name: "rows",
        aliases: &[],
        arguments: "[COUNT]",
        says: "sets how many rows of a table are shown",
        details: "The rows of csv, json and the other formats for programs are always written all.",
        run: settings::rows,
    },
    Command {
        name: "timer",
        aliases: &["\\timing"],
        arguments: "[on|off]",
        says: "tells the time and what was read under a result",
        details: "Without an argument it is switched.",
        run: settings::timer,
    },
    Command {
        name: "thousands",
        aliases: &[],
        arguments: "[on|off]",
        says: "groups the digits of large numbers",
        details: "In the formats for people, in columns with a number of five digits or more; not in columns whose\nnames end in id, key, code, year, number or hash.",
        run: settings::thousands,
    },
    Command {
        name: "pager",
        aliases: &[],
        arguments: "[on|off]",
        says: "shows what is longer than the screen in $PAGER",
        details: "On a terminal only; less if $PAGER is not set.",
        run: settings::pager,
    },
    Command {
        name: "settings",
        aliases: &[],
        arguments: "",
        says: "shows all settings",
        details: "Those of SQL are changed with SET name = value, those of the shell with the commands of their names.",
        run: settings::all,
    },
    Command {
        name: "help",
        aliases: &["\\?"],
        arguments: "[COMMAND]",
        says: "lists the commands, or tells about one",
        details: "",
        run: help::run,
    },
    Command {
        name: "quit",
        aliases: &["\\q"],
        arguments: "",
        says: "leaves the shell, as Ctrl-D does",
        details: ".exit, exit and quit do, too.",
        run: |_, arguments| {
            nothing_more(arguments, 0)?;
            Ok(Next::Quit)
        },
    },
];

/// Runs `line`.
pub(crate) fn run(session: &mut Session<'_>, line: &str) -> Result<Next, Failure> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let words = split_words(line);
    let (name, arguments) = words.split_first().ok_or_else(|| unknown(line))?;
    match name.as_str() {
        "\\d" if !arguments.is_empty() => return catalog::describe(session, arguments),
        "\\x" => return output::expand(session, arguments),
        ".exit" => return Ok(Next::Quit),
        _ => (),
    }
    let command = find(name).ok_or_else(|| unknown(name))?;
    (command.run)(session, arguments)
}

/// Whether `line` begins with a command's name.
pub(crate) fn is_command(line: &str) -> bool {
    let name = line.split_whitespace().next().unwrap_or_default();
    let name = name.trim_end_matches(';');
    [".exit", "\\x"].contains(&name) || find(name).is_some()
}

/// The command that `name`, dot or backslash included, stands for.
fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| {
        name.strip_prefix('.').is_some_and(|name| name.eq_ignore_ascii_case(command.name))
            || command.aliases.contains(&name)
    })
}

fn unknown(name: &str) -> Failure {
    let names: Vec<String> = COMMANDS.iter().map(|command| format!(".{}", command.name)).collect();
    let wanted = format!(".{}", name.trim_start_matches(['.', '\\']));
    let mut near = martlet::nearest(&wanted, names.iter().map(String::as_str));
    let begins = |known: &&String| wanted.len() > 2 && known.starts_with(&wanted);
    for known in names.iter().filter(begins) {
        if near.len() < 3 && !near.contains(known) {
            near.insert(0, known.clone());
        }
    }
    let hint = if near.is_empty() {
        "hint: .help lists the commands".to_owned()
    } else {
        format!("did you mean: {}", near.join(", "))
    };
    Failure::Sql(format!("error: there is no command {name}\n{hint}\n"))
}

/// The command was given wrong arguments.
fn usage(name: &str) -> Failure {
    let command = COMMANDS.iter().find(|command| command.name == name);
    let arguments = command.map_or("", |command| command.arguments);
    Failure::Sql(format!("error: usage: .{name} {arguments}\nhint: .help {name} tells more\n"))
}

/// An argument is not what it should be.
fn wrong(argument: &str, wanted: &str) -> Failure {
    Failure::Sql(format!("error: {argument:?} is not {wanted}\n"))
}

/// Refuses arguments beyond `count`.
fn nothing_more(arguments: &[String], count: usize) -> Result<(), Failure> {
    match arguments.get(count) {
        Some(extra) => Err(Failure::Sql(format!("error: unexpected argument {extra:?}\n"))),
        None => Ok(()),
    }
}

/// The words of a command; quotes, single or double, keep blanks together.
pub(crate) fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Whether `name` matches `pattern`, in any case: with `*` and `?` as a whole, else as a part.
fn matches(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.to_lowercase(), pattern.to_lowercase());
    if !pattern.contains(['*', '?', '%']) {
        return name.contains(&pattern);
    }
    let name: Vec<char> = name.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    // Where the last star stands, and how much of the name it has taken.
    let (mut at, mut place, mut star) = (0, 0, None);
    while at < name.len() {
        match pattern.get(place) {
            Some('*' | '%') => {
                star = Some((place, at));
                place += 1;
            }
            Some(c) if *c == '?' || *c == name[at] => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((star_place, taken)) = star else { return false };
                star = Some((star_place, taken + 1));
                (place, at) = (star_place + 1, taken + 1);
            }
        }
    }
    pattern[place..].iter().all(|c| matches!(c, '*' | '%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks_together() {
        assert_eq!(split_words(".read 'my file.sql' x"), [".read", "my file.sql", "x"]);
        assert_eq!(split_words(".find \"\""), [".find", ""]);
    }

    #[test]
    fn patterns_match_parts_or_with_stars_the_whole() {
        for (name, pattern) in [
            ("order_net_amount", "NET"),
            ("order_net_amount", "order*amount"),
            ("abc", "?b?"),
            ("aXbXc", "a*x*c"),
            ("", "*"),
        ] {
            assert!(matches(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [("order_net", "net*"), ("abc", "?"), ("abc", "a*d")] {
            assert!(!matches(name, pattern), "{name} {pattern}");
        }
    }

    #[test]
    fn commands_are_found_by_name_and_alias_and_slips_are_met_with_what_was_meant() {
        assert!(
            find(".TABLES").is_some() && find("\\timing").is_some() && find("tables").is_none()
        );
        let text = |name| unknown(name).to_string();
        assert!(text(".tabels").contains("did you mean: .tables"), "{}", text(".tabels"));
        assert!(text("\\setings").contains(".settings"), "{}", text("\\setings"));
        assert!(text(".sch").contains(".schema"), "{}", text(".sch"));
        assert!(text(".zzz").contains(".help"));
    }

    #[test]
    fn every_command_says_what_it_does() {
        for command in COMMANDS {
            assert!(command.says.len() > 10 && !command.says.ends_with('.'), "{}", command.name);
            assert!(command.details.lines().all(|line| line.chars().count() <= 100));
        }
    }
}
