//! Functions that keep a part of a text, or fill it up.

use std::cmp::Ordering;

use arrow::datatypes::Int64Type;

use crate::context::Context;
use crate::exec::expression::operand::{Operand, build_texts, check_text_len};
use crate::plan::Function;
use crate::types::{Error, Result};

/// Byte position of the character `count` from the start; the end when there are fewer.
fn offset_of(text: &str, count: i64) -> usize {
    let Ok(count) = usize::try_from(count) else {
        return 0;
    };
    if count >= text.len() {
        return text.len();
    }
    if text.is_ascii() {
        return count;
    }
    text.char_indices().nth(count).map_or(text.len(), |(at, _)| at)
}

/// Byte position of the character `count` from the end; the start when there are fewer.
fn offset_from_end(text: &str, count: i64) -> usize {
    match usize::try_from(count) {
        Ok(0) | Err(_) => text.len(),
        Ok(count) => text.char_indices().rev().nth(count - 1).map_or(0, |(at, _)| at),
    }
}

/// `substring(a, from[, count])`: positions below 1 count but give nothing.
pub(in super::super) fn substring(inputs: &[Operand], context: &Context) -> Result<Operand> {
    let (texts, starts) = (inputs[0].texts(), inputs[1].numbers::<Int64Type>());
    let counts = inputs.get(2).map(Operand::numbers::<Int64Type>);
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(start)) = (texts.get(row), starts.get(row)) else {
            return Ok(false);
        };
        let end = match &counts {
            None => i64::MAX,
            Some(counts) => match counts.get(row) {
                None => return Ok(false),
                Some(count) if count < 0 => {
                    return Err(Error::out_of_range(format!(
                        "substring takes no negative length, such as {count}"
                    )));
                }
                Some(count) => start.saturating_add(count),
            },
        };
        let begin = offset_of(text, start.saturating_sub(1).max(0));
        let len = end.saturating_sub(start.max(1)).max(0);
        let rest = &text[begin..];
        out.push_str(&rest[..offset_of(rest, len)]);
        Ok(true)
    })
}

/// `left(a, n)`; a negative n leaves out the last |n|.
pub(in super::super) fn left(inputs: &[Operand], context: &Context) -> Result<Operand> {
    keep(inputs, context, |text, count| {
        let end = if count < 0 {
            offset_from_end(text, count.saturating_neg())
        } else {
            offset_of(text, count)
        };
        &text[..end]
    })
}

/// `right(a, n)`; a negative n leaves out the first |n|.
pub(in super::super) fn right(inputs: &[Operand], context: &Context) -> Result<Operand> {
    keep(inputs, context, |text, count| {
        let start = if count < 0 {
            offset_of(text, count.saturating_neg())
        } else {
            offset_from_end(text, count)
        };
        &text[start..]
    })
}

fn keep(
    inputs: &[Operand],
    context: &Context,
    keep: impl for<'t> Fn(&'t str, i64) -> &'t str,
) -> Result<Operand> {
    let (texts, counts) = (inputs[0].texts(), inputs[1].numbers::<Int64Type>());
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(count)) = (texts.get(row), counts.get(row)) else {
            return Ok(false);
        };
        out.push_str(keep(text, count));
        Ok(true)
    })
}

/// `trim`, `ltrim`, `rtrim` of any of the given characters.
pub(in super::super) fn trim(
    function: Function,
    inputs: &[Operand],
    context: &Context,
) -> Result<Operand> {
    let (texts, sets) = (inputs[0].texts(), inputs[1].texts());
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(set)) = (texts.get(row), sets.get(row)) else {
            return Ok(false);
        };
        let is_trimmed = |c: char| set.contains(c);
        out.push_str(match function {
            Function::TrimStart => text.trim_start_matches(is_trimmed),
            Function::TrimEnd => text.trim_end_matches(is_trimmed),
            _ => text.trim_matches(is_trimmed),
        });
        Ok(true)
    })
}

/// `lpad` and `rpad`: filled up, or cut, to exactly `length` characters.
pub(in super::super) fn pad(
    function: Function,
    inputs: &[Operand],
    context: &Context,
) -> Result<Operand> {
    let (texts, fills) = (inputs[0].texts(), inputs[2].texts());
    let lengths = inputs[1].numbers::<Int64Type>();
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(length), Some(fill)) =
            (texts.get(row), lengths.get(row), fills.get(row))
        else {
            return Ok(false);
        };
        let missing = length.saturating_sub(super::char_count(text));
        if missing <= 0 || fill.is_empty() {
            out.push_str(&text[..offset_of(text, length)]);
            return Ok(true);
        }
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        check_text_len("lpad or rpad", missing.checked_mul(4))?;
        if function == Function::PadEnd {
            out.push_str(text);
        }
        out.extend(fill.chars().cycle().take(missing));
        if function == Function::PadStart {
            out.push_str(text);
        }
        Ok(true)
    })
}

/// `split_part(a, separator, n)`; a negative n counts from the end.
pub(in super::super) fn split_part(inputs: &[Operand], context: &Context) -> Result<Operand> {
    let (texts, separators) = (inputs[0].texts(), inputs[1].texts());
    let fields = inputs[2].numbers::<Int64Type>();
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(separator), Some(field)) =
            (texts.get(row), separators.get(row), fields.get(row))
        else {
            return Ok(false);
        };
        let skipped = usize::try_from(field.unsigned_abs().saturating_sub(1)).unwrap_or(usize::MAX);
        let part = match field.cmp(&0) {
            Ordering::Equal => {
                return Err(Error::out_of_range("split_part counts fields from 1 or from -1"));
            }
            // Nothing separates: the text is its only field.
            _ if separator.is_empty() => (skipped == 0).then_some(text),
            Ordering::Greater => text.split(separator).nth(skipped),
            // Fields are cut from the left, which matters where separators overlap.
            Ordering::Less => {
                let count = text.split(separator).count();
                count
                    .checked_sub(skipped.saturating_add(1))
                    .and_then(|at| text.split(separator).nth(at))
            }
        };
        out.push_str(part.unwrap_or_default());
        Ok(true)
    })
}
