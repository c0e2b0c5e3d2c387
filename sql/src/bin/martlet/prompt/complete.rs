//! What may follow: completion by context.
//!
//! A few rules over the words around the cursor decide what fits (tables behind FROM, columns of those
//! tables elsewhere, settings behind SET, files inside quotes, commands behind a dot); then names are
//! ranked: those that begin with what was typed, those with a word that does, those that have its
//! letters in this order.

use super::names::{Lookup, Name};
use crate::command::COMMANDS;
use crate::script::{Piece, split};
use crate::sql_text::{Kind, Token, is_word_part, tokens};
use crate::view::Format;
use clap::ValueEnum;
use martlet::words;

/// Candidates that are offered at most.
const CANDIDATES_MAX: usize = 100;

/// What may stand at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Completion {
    /// Where what is replaced begins; it ends at the cursor.
    pub(super) start: usize,
    /// Best first.
    pub(super) candidates: Vec<Candidate>,
}

/// One thing that may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What is inserted.
    pub(super) value: String,
    /// What the menu shows.
    pub(super) shown: String,
    /// What the menu tells about it.
    pub(super) detail: String,
    /// Which characters of what is shown were typed.
    pub(super) matched: Vec<usize>,
}

/// What may stand at byte `at` of `text`.
pub(super) fn complete(text: &str, at: usize, lookup: &mut dyn Lookup) -> Completion {
    let statement_start = statement_start(text, at);
    let typed = &text[statement_start..at];
    if typed.trim_start().starts_with(['.', '\\']) {
        return complete_command(text, at, lookup);
    }
    let mut before = tokens(typed);
    if before.last().is_some_and(|token| is_open_comment(typed, token)) {
        return Completion { start: at, candidates: Vec::new() };
    }
    before.retain(|token| token.kind != Kind::Comment);
    if let Some(open) = before.last().filter(|token| is_open_text(typed, token)) {
        return complete_file(text, statement_start + open.range.start + 1, at, lookup);
    }
    let (prefix, before) = split_prefix(typed, &before);
    let statement = &text[statement_start..statement_end(text, at)];
    let mut ranking = Ranking::new(prefix.trim_start_matches('"'));
    offer(&mut ranking, (typed, before), statement, lookup);
    Completion { start: at - prefix.len(), candidates: ranking.finish() }
}

/// The word that the cursor stands behind, and the tokens before it.
fn split_prefix<'t>(typed: &'t str, tokens: &'t [Token]) -> (&'t str, &'t [Token]) {
    match tokens.split_last() {
        Some((last, rest))
            if last.range.end == typed.len()
                && (last.kind == Kind::Word || is_open_quote(typed, last)) =>
        {
            (last.of(typed), rest)
        }
        _ => ("", tokens),
    }
}

fn is_open_comment(typed: &str, token: &Token) -> bool {
    let text = token.of(typed);
    token.kind == Kind::Comment && !text.ends_with('\n') && !text.ends_with("*/")
}

fn is_open_quote(typed: &str, token: &Token) -> bool {
    let text = token.of(typed);
    token.kind == Kind::QuotedName && (text.len() == 1 || !text.ends_with('"'))
}

fn is_open_text(typed: &str, token: &Token) -> bool {
    let text = token.of(typed);
    token.kind == Kind::Text
        && text.starts_with('\'')
        && token.range.end == typed.len()
        && (text.len() == 1 || !text.ends_with('\''))
}

/// Where the statement or command that the cursor is in begins: behind the one before it.
fn statement_start(text: &str, at: usize) -> usize {
    match split(&text[..at]).pieces.last() {
        None => 0,
        Some(Piece::Statement(range)) => range.end + 1,
        Some(Piece::Command(range)) if text[range.end..at].contains('\n') => range.end,
        Some(Piece::Command(range)) => range.start,
    }
}

fn statement_end(text: &str, at: usize) -> usize {
    text[at..].find(';').map_or(text.len(), |len| at + len)
}

/// Offers what fits behind the tokens `before`.
fn offer(
    ranking: &mut Ranking<'_>,
    (typed, before): (&str, &[Token]),
    statement: &str,
    lookup: &mut dyn Lookup,
) {
    let word = |back: usize| {
        let token = before.len().checked_sub(back).and_then(|index| before.get(index));
        token.map_or("", |token| token.of(typed))
    };
    let is = |back: usize, words: &[&str]| {
        words.iter().any(|known| word(back).eq_ignore_ascii_case(known))
    };
    if before.is_empty() {
        return ranking.keywords(words::STATEMENTS);
    }
    let first = before[0].of(typed).to_ascii_uppercase();
    if word(1) == "." {
        let qualifier = unquoted(word(2));
        return ranking.columns_of(&sources(statement, lookup), Some(&qualifier), lookup);
    }
    if first == "SET" && before.len() == 1 {
        return ranking.settings();
    }
    let names_table = is(1, &["FROM", "INTO", "TABLE", "DESCRIBE", "SUMMARIZE", "EXISTS"])
        || (is(1, &["DESC", "REPLACE"]) && before.len() == 1);
    if names_table && !(is(1, &["FROM"]) && is_extract(before, typed)) {
        return ranking.tables(&lookup.tables());
    }
    if is(1, &["COLUMN"]) && first == "COMMENT" {
        return ranking.tables(&lookup.tables());
    }
    if is(1, &["IS"]) {
        return ranking.keywords(&["NULL", "NOT NULL"]);
    }
    if is(1, &["GROUP", "ORDER", "PARTITION"]) {
        return ranking.keywords(&["BY"]);
    }
    let sources = sources(statement, lookup);
    let is_after_operand = before.last().is_some_and(|token| match token.kind {
        Kind::Number | Kind::Text | Kind::QuotedName => true,
        Kind::Symbol => matches!(token.of(typed), ")" | "*"),
        Kind::Word => !is_keyword(token.of(typed)),
        Kind::Comment => false,
    });
    if is_after_operand {
        ranking.keywords(words::KEYWORDS);
        ranking.columns_of(&sources, None, lookup);
        ranking.functions();
    } else {
        ranking.columns_of(&sources, None, lookup);
        ranking.names(&aliases(statement));
        ranking.functions();
        ranking.keywords(words::KEYWORDS);
    }
}

/// `extract(year FROM …` names no table.
fn is_extract(before: &[Token], typed: &str) -> bool {
    before.len() >= 4
        && before[before.len() - 3].of(typed) == "("
        && ["extract", "trim", "substring"]
            .iter()
            .any(|name| before[before.len() - 4].is_word(typed, name))
}

fn is_keyword(word: &str) -> bool {
    let all = words::KEYWORDS.iter().chain(words::STATEMENTS).flat_map(|words| words.split(' '));
    all.chain(["ON", "BY"]).any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// A table or a file that a statement reads, and its alias.
struct SourceName {
    name: String,
    alias: Option<String>,
    is_file: bool,
}

/// What stands behind FROM, INTO, UPDATE, DESCRIBE … in the whole statement; all tables when nothing does.
fn sources(statement: &str, lookup: &mut dyn Lookup) -> Vec<SourceName> {
    let tokens = tokens(statement);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let is_before = ["FROM", "INTO", "DESCRIBE", "SUMMARIZE", "TABLE", "COLUMN"]
            .iter()
            .any(|word| token.is_word(statement, word));
        let Some(name) = tokens.get(index + 1).filter(|_| is_before) else { continue };
        // FROM ('a.parquet', …), read_parquet('a.parquet').
        let quoted = tokens[index + 1..].iter().take(3).find(|token| token.kind == Kind::Text);
        let is_called = tokens.get(index + 2).is_some_and(|next| next.of(statement) == "(");
        let file =
            quoted.filter(|_| name.kind == Kind::Text || name.of(statement) == "(" || is_called);
        let is_name = matches!(name.kind, Kind::Word | Kind::QuotedName);
        if file.is_none() && !is_name {
            continue;
        }
        let alias = tokens[index + 2..].iter().find(|token| !token.is_word(statement, "AS"));
        let alias = alias
            .filter(|token| matches!(token.kind, Kind::Word | Kind::QuotedName))
            .map(|token| token.of(statement))
            .filter(|word| !is_keyword(word));
        found.push(SourceName {
            name: unquoted(file.unwrap_or(name).of(statement)),
            alias: alias.map(unquoted),
            is_file: file.is_some(),
        });
    }
    if found.is_empty() {
        let tables = lookup.tables();
        let all = tables.iter().map(|table| SourceName {
            name: table.text.clone(),
            alias: None,
            is_file: false,
        });
        return all.collect();
    }
    found
}

/// Names that AS gives in the statement.
fn aliases(statement: &str) -> Vec<Name> {
    let tokens = tokens(statement);
    let pairs = tokens.windows(2).filter(|pair| pair[0].is_word(statement, "AS"));
    let named = pairs.filter(|pair| matches!(pair[1].kind, Kind::Word | Kind::QuotedName));
    named.map(|pair| Name::new(unquoted(pair[1].of(statement)), "alias")).collect()
}

fn unquoted(word: &str) -> String {
    let quote = word.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else { return word.to_owned() };
    let word = &word[1..];
    let inner = word.strip_suffix(quote).unwrap_or(word);
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}

fn complete_file(text: &str, start: usize, at: usize, lookup: &mut dyn Lookup) -> Completion {
    let path = &text[start..at];
    let folder_len = path.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, prefix) = path.split_at(folder_len);
    let mut ranking = Ranking::new(prefix);
    for name in lookup.files(folder) {
        let is_hidden = name.text.starts_with('.') && !prefix.starts_with('.');
        if !is_hidden {
            ranking.add(&name, str::to_owned);
        }
    }
    Completion { start: start + folder_len, candidates: ranking.finish() }
}

/// Commands, and what they take.
fn complete_command(text: &str, at: usize, lookup: &mut dyn Lookup) -> Completion {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let typed = &text[line..at];
    let indent = typed.len() - typed.trim_start().len();
    let word_start = typed
        .rfind(char::is_whitespace)
        .map_or(0, |blank| blank + typed[blank..].chars().next().map_or(1, char::len_utf8));
    let prefix = &typed[word_start..];
    let words: Vec<&str> = typed[indent..word_start].split_whitespace().collect();
    let Some(command) = words.first() else {
        let mut ranking = Ranking::new(prefix.trim_start_matches(['.', '\\']));
        for command in COMMANDS {
            let name = Name::new(command.name, command.says);
            ranking.add(&name, |name| format!(".{name}"));
        }
        return Completion { start: at - prefix.len(), candidates: ranking.finish() };
    };
    let name = command.trim_start_matches(['.', '\\']);
    let is_file = matches!(name, "read" | "i" | "output" | "o" | "once" | "open" | "c");
    if is_file {
        let quote = usize::from(prefix.starts_with('\''));
        return complete_file(text, at - prefix.len() + quote, at, lookup);
    }
    let mut ranking = Ranking::new(prefix);
    match name {
        "schema" | "size" | "grain" | "d" | "dt" | "tables" => {
            ranking.plain(&lookup.tables());
        }
        "cols" if words.len() == 1 => ranking.plain(&lookup.tables()),
        "cols" => ranking.plain(&lookup.columns(words[1])),
        "mode" => {
            let names = Format::value_variants().iter().map(|format| {
                let help = format.to_possible_value().and_then(|value| value.get_help().cloned());
                Name::new(format.name(), help.map_or(String::new(), |help| help.to_string()))
            });
            ranking.plain(&names.collect::<Vec<_>>());
        }
        "timer" | "timing" | "thousands" | "pager" => {
            ranking.plain(&[Name::new("on", ""), Name::new("off", "")]);
        }
        "chart" if words.len() == 1 => {
            ranking.plain(&["bar", "line", "hist"].map(|kind| Name::new(kind, "")));
        }
        "help" | "?" => {
            let names = COMMANDS.iter().map(|command| Name::new(command.name, command.says));
            ranking.plain(&names.collect::<Vec<_>>());
        }
        "width" => ranking.plain(&[Name::new("auto", "as wide as the terminal")]),
        _ => (),
    }
    Completion { start: at - prefix.len(), candidates: ranking.finish() }
}

/// How well a name fits what was typed; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Begins,
    WordBegins,
    HasLetters,
}

/// Collects candidates and keeps the best.
struct Ranking<'p> {
    prefix: &'p str,
    lowered: String,
    /// Which kind of thing is being added: those added first come first.
    kind: usize,
    found: Vec<(Fit, usize, Candidate)>,
    /// How many were found of each fit.
    counts: [usize; 3],
}

impl<'p> Ranking<'p> {
    fn new(prefix: &'p str) -> Ranking<'p> {
        let lowered = prefix.to_lowercase();
        Ranking { prefix, lowered, kind: 0, found: Vec::new(), counts: [0; 3] }
    }

    /// Adds `name`, to be inserted as `value` says, if it fits and may be among the best.
    fn add(&mut self, name: &Name, value: impl FnOnce(&str) -> String) {
        let Some((fit, place)) = fit(&self.lowered, name) else { return };
        // Those before it of the same fit, or a better one, come first; some may be there twice.
        let better = self.counts.iter().take(fit as usize + 1).sum::<usize>();
        if better >= 2 * CANDIDATES_MAX {
            return;
        }
        self.counts[fit as usize] += 1;
        let candidate = Candidate {
            value: value(&name.text),
            shown: name.text.clone(),
            detail: name.detail.clone(),
            matched: place.characters(&self.lowered, &name.lowered),
        };
        self.found.push((fit, self.kind, candidate));
    }

    fn names(&mut self, names: &[Name]) {
        self.kind += 1;
        for name in names {
            self.add(name, words::quoted);
        }
    }

    /// Names that need no quotes.
    fn plain(&mut self, names: &[Name]) {
        for name in names {
            self.add(name, str::to_owned);
        }
    }

    fn tables(&mut self, tables: &[Name]) {
        self.names(tables);
        self.names(&[Name::new("_", "the last result")]);
    }

    fn columns_of(
        &mut self,
        sources: &[SourceName],
        qualifier: Option<&str>,
        lookup: &mut dyn Lookup,
    ) {
        for source in sources {
            let SourceName { name, alias, is_file } = source;
            let goes_by = alias.as_deref().unwrap_or(name);
            if qualifier.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(goes_by)) {
                continue;
            }
            let columns = if *is_file { lookup.file_columns(name) } else { lookup.columns(name) };
            self.names(&columns);
        }
    }

    fn functions(&mut self) {
        self.kind += 1;
        for function in words::functions() {
            self.add(&Name::new(function, "function"), |name| format!("{name}("));
        }
    }

    fn settings(&mut self) {
        for (name, says) in words::settings() {
            self.add(&Name::new(*name, *says), |name| format!("{name} = "));
        }
    }

    /// Keywords, in the case of what was typed.
    fn keywords(&mut self, keywords: &[&str]) {
        self.kind += 1;
        let is_lower = self.prefix.chars().next().is_some_and(char::is_lowercase);
        for keyword in keywords {
            let name = Name::new(*keyword, "");
            let text = if is_lower { name.lowered.clone() } else { name.text.clone() };
            self.add(&Name { text, ..name }, str::to_owned);
        }
    }

    /// The best, best first, each once.
    fn finish(mut self) -> Vec<Candidate> {
        self.found.sort_by_key(|(fit, kind, _)| (*fit, *kind));
        let mut seen = std::collections::BTreeSet::new();
        let mut best = Vec::new();
        for (_, _, candidate) in self.found {
            if seen.insert(candidate.value.clone()) {
                best.push(candidate);
            }
            if best.len() == CANDIDATES_MAX {
                break;
            }
        }
        best
    }
}

/// How a name fits `typed`, which is in lower case, and which characters of it do.
///
/// Called for every column of a table at every key: nothing is allocated for those that do not fit.
fn fit(typed: &str, name: &Name) -> Option<(Fit, Place)> {
    let Some(first) = typed.chars().next() else { return Some((Fit::Begins, Place::Run(0))) };
    let lowered = name.lowered.as_str();
    if !lowered.contains(first) {
        return None;
    }
    if lowered.starts_with(typed) {
        return Some((Fit::Begins, Place::Run(0)));
    }
    let word = lowered.match_indices(typed).find(|(at, _)| begins_word(name, *at));
    if let Some((at, _)) = word {
        return Some((Fit::WordBegins, Place::Run(lowered[..at].chars().count())));
    }
    if typed.len() < 2 {
        return None;
    }
    let mut rest = lowered.chars();
    typed.chars().all(|c| rest.any(|other| other == c)).then_some((Fit::HasLetters, Place::Spread))
}

/// Where in a name what was typed is.
#[derive(Clone, Copy)]
enum Place {
    /// From this character on.
    Run(usize),
    /// Here and there.
    Spread,
}

impl Place {
    /// The characters of the name that were typed.
    fn characters(self, typed: &str, lowered: &str) -> Vec<usize> {
        match self {
            Place::Run(start) => (start..start + typed.chars().count()).collect(),
            Place::Spread => {
                let mut rest = lowered.chars().enumerate();
                let next = |c: char| rest.find(|(_, other)| *other == c).map(|(at, _)| at);
                typed.chars().filter_map(next).collect()
            }
        }
    }
}

/// Whether a word of the name begins at byte `at` of its lower-case form.
fn begins_word(name: &Name, at: usize) -> bool {
    let before = name.lowered[..at].chars().next_back();
    let is_border = before.is_none_or(|c| !is_word_part(c) || c == '_');
    // Where lower case has as many bytes, as it nearly always has.
    let bytes = name.text.as_bytes();
    let is_camel = at > 0
        && bytes.len() == name.lowered.len()
        && bytes[at].is_ascii_uppercase()
        && bytes[at - 1].is_ascii_lowercase();
    is_border || is_camel
}

#[cfg(test)]
mod tests;
