//! What can be set: `.width`, `.rows`, `.timer`, `.thousands`, `.pager`; `.settings` shows it all.

use std::ops::RangeInclusive;

use super::catalog::{rows_of, texts};
use super::{nothing_more, wrong};
use crate::session::{Failure, Next, Session};

/// Columns that a line may have.
const WIDTHS: RangeInclusive<usize> = 20..=100_000;

pub(super) fn width(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    session.view.width = match arguments.first().map(String::as_str) {
        None => {
            session.say(&format!("width: {}", width_text(session)))?;
            return Ok(Next::Go);
        }
        Some("auto" | "0") => None,
        Some(text) => {
            let width = text.parse().ok().filter(|width| WIDTHS.contains(width));
            Some(width.ok_or_else(|| wrong(text, "a number from 20 to 100,000, or auto"))?)
        }
    };
    Ok(Next::Go)
}

fn width_text(session: &Session<'_>) -> String {
    let width = session.view.line_width();
    if session.view.width.is_some() { width.to_string() } else { format!("auto ({width})") }
}

pub(super) fn rows(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    match arguments.first() {
        None => session.say(&format!("rows: {}", session.view.rows_max))?,
        Some(text) => {
            session.view.rows_max =
                text.replace(['_', ','], "").parse().map_err(|_| wrong(text, "a number"))?;
        }
    }
    Ok(Next::Go)
}

pub(super) fn timer(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    session.view.tells_time = switched(session.view.tells_time, arguments)?;
    if arguments.is_empty() {
        let state = on_off(session.view.tells_time);
        session.say(&format!("timer: {state}"))?;
    }
    Ok(Next::Go)
}

pub(super) fn thousands(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    session.view.groups_digits = switched(session.view.groups_digits, arguments)?;
    if arguments.is_empty() {
        let state = on_off(session.view.groups_digits);
        session.say(&format!("thousands: {state}"))?;
    }
    Ok(Next::Go)
}

pub(super) fn pager(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    session.target.uses_pager = switched(session.target.uses_pager, arguments)?;
    if arguments.is_empty() {
        let state = on_off(session.target.uses_pager);
        session.say(&format!("pager: {state}"))?;
    }
    Ok(Next::Go)
}

fn switched(is_on: bool, arguments: &[String]) -> Result<bool, Failure> {
    nothing_more(arguments, 1)?;
    match arguments.first().map(|word| word.to_ascii_lowercase()).as_deref() {
        None => Ok(!is_on),
        Some("on" | "true" | "1") => Ok(true),
        Some("off" | "false" | "0") => Ok(false),
        Some(word) => Err(wrong(word, "on or off")),
    }
}

fn on_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

pub(super) fn all(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 0)?;
    let view = &session.view;
    let output = session
        .target
        .path()
        .map_or_else(|| "the terminal".into(), |path| path.display().to_string());
    let mut rows: Vec<[String; 3]> = Vec::new();
    let values = session.connection.setting_values().into_iter();
    for ((name, value), (_, says)) in values.zip(martlet::words::settings()) {
        rows.push([format!("SET {name}"), value, (*says).to_owned()]);
    }
    let shell = [
        (".mode", view.format.name(), "how results are written"),
        (".output", output, "where results go"),
        (".width", width_text(session), "columns of a line"),
        (".rows", view.rows_max.to_string(), "rows of a table that are shown"),
        (".timer", on_off(view.tells_time).to_owned(), "time and reads under a result"),
        (".thousands", on_off(view.groups_digits).to_owned(), "digits in groups"),
        (".pager", on_off(session.target.uses_pager).to_owned(), "$PAGER for long results"),
    ];
    rows.extend(shell.map(|(name, value, says)| [name.to_owned(), value, says.to_owned()]));
    let column = |index: usize| texts(rows.iter().map(|row| row[index].clone()));
    let batch = rows_of(vec![("setting", column(0)), ("value", column(1)), ("what", column(2))])?;
    session.show(&batch)?;
    Ok(Next::Go)
}
