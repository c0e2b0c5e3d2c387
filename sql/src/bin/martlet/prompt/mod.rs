//! The prompt: a line editor with history, colours and completion; results below.

mod colour;
mod complete;
mod names;
mod plain;

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use martlet::Database;
use reedline::{
    Color, CompletionResult, DefaultHinter, EditCommand, Emacs, FileBackedHistory, IdeMenu,
    KeyCode, KeyModifiers, MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch,
    PromptHistorySearchStatus, Reedline, ReedlineEvent, ReedlineMenu, Signal, Span, Suggestion,
    ValidationResult, Validator, default_emacs_keybindings,
};

use self::colour::SqlHighlighter;
use self::names::Names;
use crate::command;
use crate::script;
use crate::session::{Failure, Next, Session};
use crate::view::Style;

/// Lines of the history file.
const HISTORY_MAX: usize = 10_000;
const MENU: &str = "completion";

/// Runs what is typed until somebody leaves. An error does not end it.
pub(crate) fn run(session: &mut Session<'_>) -> Result<(), Failure> {
    session
        .interrupt
        .listen()
        .map_err(|error| Failure::Other(format!("cannot listen to Ctrl-C: {error}")))?;
    if std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb") {
        return plain::run(session, io::stdin().lock(), io::stderr());
    }
    let names = Arc::new(Mutex::new(Names::new(session.database().clone())));
    let style = Style::of(io::IsTerminal::is_terminal(&io::stdout()));
    let mut editor = editor(&names, style);
    loop {
        let mut known = names.lock().unwrap_or_else(PoisonError::into_inner);
        known.use_database(session.database());
        drop(known);
        let prompt = ShellPrompt::of(session.database());
        let text = match editor.read_line(&prompt)? {
            Signal::Success(text) => text,
            Signal::CtrlD => return Ok(()),
            // Ctrl-C clears the line.
            _ => continue,
        };
        let outcome = match stranded_command(&text) {
            Some(line) if leaves(line) => return Ok(()),
            Some(line) => Err(unfinished_before(line)),
            None => session.run(as_command(&text).unwrap_or(&text)),
        };
        match outcome {
            Ok(Next::Go) => (),
            Ok(Next::Quit) => return Ok(()),
            // The pager was left before everything was written.
            Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => (),
            Err(failure) => eprint!("{}", style.error(&failure.to_string())),
        }
    }
}

/// The command that a bare word is.
fn as_command(text: &str) -> Option<&'static str> {
    match text.trim().trim_end_matches(';').to_ascii_lowercase().as_str() {
        "help" | "?" => Some(".help"),
        "quit" | "exit" => Some(".quit"),
        _ => None,
    }
}

/// The command on the last line of a statement that has no semicolon yet.
fn stranded_command(text: &str) -> Option<&str> {
    let rest = script::split(text).rest?;
    let (statement, line) = text[rest].rsplit_once('\n')?;
    // A line of a quoted text is no command.
    let is_open = script::split(&format!("{statement}\n;")).rest.is_some();
    (!is_open && command::is_command(line)).then(|| line.trim())
}

fn leaves(line: &str) -> bool {
    matches!(line.trim_end_matches(';'), ".quit" | ".exit" | "\\q")
}

fn unfinished_before(line: &str) -> Failure {
    Failure::Sql(format!(
        "error: the statement before {line} has no semicolon: nothing was run\n\
         hint: the arrow up brings it back\n"
    ))
}

fn editor(names: &Arc<Mutex<Names>>, style: Style) -> Reedline {
    let mut keys = default_emacs_keybindings();
    keys.add_binding(
        KeyModifiers::NONE,
        KeyCode::Tab,
        ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Menu(MENU.to_owned()),
            ReedlineEvent::MenuNext,
        ]),
    );
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    keys.add_binding(
        KeyModifiers::ALT,
        KeyCode::Enter,
        ReedlineEvent::Edit(vec![EditCommand::InsertNewline]),
    );
    let menu = IdeMenu::default()
        .with_name(MENU)
        .with_marker("> ")
        .with_max_completion_height(12)
        .with_max_completion_width(44)
        .with_padding(1);
    let menu = if style.is_coloured() {
        menu.with_text_style(nu_style(Color::Default))
            .with_selected_text_style(nu_style(Color::Cyan).reverse())
            .with_match_text_style(nu_style(Color::Cyan))
            .with_description_text_style(nu_style(Color::DarkGray))
    } else {
        menu
    };
    let mut editor = Reedline::create()
        .with_validator(Box::new(Finished))
        .with_completer(Box::new(SqlCompleter(Arc::clone(names))))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .use_bracketed_paste(true)
        .with_ansi_colors(style.is_coloured());
    if style.is_coloured() {
        editor = editor
            .with_highlighter(Box::new(SqlHighlighter::new()))
            .with_hinter(Box::new(DefaultHinter::default().with_style(nu_style(Color::DarkGray))));
    }
    let history = history_path()
        .and_then(|path| FileBackedHistory::with_file(HISTORY_MAX, path).ok())
        .or_else(|| FileBackedHistory::new(HISTORY_MAX).ok());
    match history {
        Some(history) => editor.with_history(Box::new(history)),
        None => editor,
    }
}

fn nu_style(colour: Color) -> colour::NuStyle {
    colour.normal()
}

/// `$MARTLET_HISTORY`, or else `~/.martlet_history`; none when the variable is empty.
fn history_path() -> Option<PathBuf> {
    match std::env::var_os("MARTLET_HISTORY") {
        Some(path) if path.is_empty() => None,
        Some(path) => Some(path.into()),
        None => std::env::home_dir().map(|home| home.join(".martlet_history")),
    }
}

/// Enter ends what is typed when it is a command, or SQL up to a semicolon.
struct Finished;

impl Validator for Finished {
    fn validate(&self, text: &str) -> ValidationResult {
        if as_command(text).is_some()
            || script::split(text).rest.is_none()
            || stranded_command(text).is_some()
        {
            ValidationResult::Complete
        } else {
            ValidationResult::Incomplete
        }
    }
}

struct SqlCompleter(Arc<Mutex<Names>>);

impl reedline::Completer for SqlCompleter {
    fn complete(&mut self, text: &str, at: usize) -> CompletionResult {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = complete::complete(text, at, &mut *names);
        let mut suggestions: Vec<Suggestion> = found
            .candidates
            .into_iter()
            .map(|candidate| Suggestion {
                display_override: (candidate.value != candidate.shown).then_some(candidate.shown),
                value: candidate.value,
                description: (!candidate.detail.is_empty()).then_some(candidate.detail),
                span: Span::new(found.start, at),
                match_indices: Some(candidate.matched),
                ..Suggestion::default()
            })
            .collect();
        if suggestions.is_empty() {
            // What stands there stays: of nothing at all the menu would make a noise.
            suggestions.push(Suggestion {
                value: text[found.start..at].to_owned(),
                span: Span::new(found.start, at),
                ..Suggestion::default()
            });
        }
        CompletionResult::fresh(suggestions)
    }
}

/// `sales> `, and dots under it.
struct ShellPrompt {
    name: String,
}

impl ShellPrompt {
    fn of(database: &Database) -> ShellPrompt {
        let path = database.path().and_then(|path| path.file_stem());
        let name =
            path.map_or_else(|| "martlet".into(), |stem| stem.to_string_lossy().into_owned());
        ShellPrompt { name: crate::format::fitted(&name, 24) }
    }
}

impl Prompt for ShellPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _mode: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        let width = unicode_width::UnicodeWidthStr::width(self.name.as_str());
        Cow::Owned(format!("{:>width$}> ", "…"))
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let found = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing has ",
        };
        Cow::Owned(format!(" ({found}{})> ", search.term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_finished(text: &str) -> bool {
        matches!(Finished.validate(text), ValidationResult::Complete)
    }

    #[test]
    fn enter_runs_commands_and_statements_with_a_semicolon() {
        for text in ["", "SELECT 1;", ".tables", "\\d t", "help", "quit", "-- only a comment"] {
            assert!(is_finished(text), "{text}");
        }
        for text in ["SELECT 1", "SELECT ';", "SELECT 1;\nSELECT 2", "helpless"] {
            assert!(!is_finished(text), "{text}");
        }
    }

    #[test]
    fn a_command_below_a_statement_without_semicolon_is_seen() {
        for (text, command) in [
            ("SELECT 1\n.tables", Some(".tables")),
            ("SELECT 1; SELECT 2\n  \\q ", Some("\\q")),
            ("SELECT\n.5", None),
            ("SELECT 'a\n.quit", None),
            ("SELECT 1 /*\n.quit", None),
            ("SELECT 1;\n.quit", None),
        ] {
            assert_eq!(stranded_command(text), command, "{text}");
            assert_eq!(is_finished(text), command.is_some() || text.contains(';'), "{text}");
        }
        assert!(leaves(".exit") && leaves(".quit;") && !leaves(".tables"));
    }
}
