//! Where results go and in which format: `.mode`, `.output`, `.once`, `.read`, `.last`.

use std::fs;
use std::path::Path;

use clap::ValueEnum;

use super::{nothing_more, usage};
use crate::format::write_rows;
use crate::session::{Failure, Next, Session};
use crate::view::Format;

/// How deep files may read files.
const FILE_DEPTH_MAX: usize = 16;

pub(super) fn mode(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    let Some(name) = arguments.first() else {
        session.say(&format!("mode: {}", session.view.format.name()))?;
        return Ok(Next::Go);
    };
    let format = Format::from_str(name, true).map_err(|_| unknown_format(name))?;
    let takes_table = format == Format::Insert;
    nothing_more(arguments, 1 + usize::from(takes_table))?;
    session.view.format = format;
    if let Some(table) = arguments.get(1) {
        session.view.insert_table.clone_from(table);
    }
    Ok(Next::Go)
}

fn unknown_format(name: &str) -> Failure {
    let names: Vec<String> = Format::value_variants().iter().map(|format| format.name()).collect();
    let near = martlet::nearest(name, names.iter().map(String::as_str));
    let hint = match near[..] {
        [] => format!("hint: there are {}", names.join(", ")),
        _ => format!("did you mean: {}", near.join(", ")),
    };
    Failure::Sql(format!("error: there is no format {name}\n{hint}\n"))
}

/// `\x`: vertical and back.
pub(super) fn expand(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 0)?;
    let is_vertical = session.view.format == Format::Vertical;
    session.view.format = if is_vertical { Format::Table } else { Format::Vertical };
    session.say(&format!("mode: {}", session.view.format.name()))?;
    Ok(Next::Go)
}

pub(super) fn output(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    match arguments.first() {
        None => session.target.restore()?,
        Some(file) => redirect(session, file, false)?,
    }
    Ok(Next::Go)
}

pub(super) fn once(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    redirect(session, arguments.first().ok_or_else(|| usage("once"))?, true)?;
    Ok(Next::Go)
}

fn redirect(session: &mut Session<'_>, file: &str, is_for_one: bool) -> Result<(), Failure> {
    session
        .target
        .redirect(Path::new(file), is_for_one)
        .map_err(|error| Failure::Other(format!("cannot write to {file}: {error}")))
}

pub(super) fn read(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 1)?;
    let file = arguments.first().ok_or_else(|| usage("read"))?;
    if session.file_depth >= FILE_DEPTH_MAX {
        let message =
            format!("{file} is read from within {FILE_DEPTH_MAX} files: does one read itself?");
        return Err(Failure::Other(message));
    }
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::Other(format!("cannot read {file}: {error}")))?;
    session.file_depth += 1;
    let outcome = session.run(&text);
    session.file_depth -= 1;
    outcome
}

pub(super) fn last(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    nothing_more(arguments, 0)?;
    let kept = session.last.kept()?.clone();
    let view = session.next_view();
    session.target.result(|target| {
        write_rows(target, &view, &kept.schema, kept.batches.into_iter().map(Ok))
    })?;
    Ok(Next::Go)
}
