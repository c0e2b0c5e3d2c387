//! Text functions. Positions and lengths count characters; ASCII texts are cut without counting.

mod case;
mod cut;
mod distance;
mod substitute;

pub(super) use self::case::{push_initcap, push_lower, push_upper};
pub(super) use self::cut::{left, pad, right, split_part, substring, trim};

pub(super) use self::distance::levenshtein;
pub(super) use self::substitute::{md5, translate};

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array};
use arrow::compute::kernels::comparison as text_kernels;
use arrow::compute::kernels::concat_elements::concat_elements_dyn;
use arrow::compute::kernels::length::length as byte_length_kernel;
use arrow::datatypes::{DataType as ArrowType, Int64Type};
use memchr::memmem;

use super::operand::{Operand, TEXT_BYTES_MAX, build_texts, check_text_len, computed_len};
use crate::context::Context;
use crate::plan::Function;
use crate::types::{Error, Result, cast};

/// `a || b`, of texts or bytes.
pub(super) fn concat(inputs: &[Operand]) -> Result<Operand> {
    let row_count = computed_len(inputs);
    let left = inputs[0].clone().into_array(row_count)?;
    let right = inputs[1].clone().into_array(row_count)?;
    Ok(Operand::computed(concat_elements_dyn(&left, &right)?, inputs))
}

/// `concat(…)`, and `concat_ws` when `separated`: NULLs are left out.
pub(super) fn concat_skip_nulls(
    inputs: &[Operand],
    separated: bool,
    context: &Context,
) -> Result<Operand> {
    let texts: Vec<_> = inputs.iter().map(Operand::texts).collect();
    build_texts(inputs, context, |row, out| {
        let (separator, texts) = match texts.split_first() {
            Some((separator, texts)) if separated => match separator.get(row) {
                Some(separator) => (separator, texts),
                None => return Ok(false),
            },
            _ => ("", texts.as_slice()),
        };
        let mut is_first = true;
        for text in texts.iter().filter_map(|texts| texts.get(row)) {
            if !is_first {
                out.push_str(separator);
            }
            out.push_str(text);
            is_first = false;
        }
        Ok(true)
    })
}

/// Bytes of texts or of binary values.
pub(super) fn byte_length(input: &Operand, units_per_byte: i64) -> Result<Operand> {
    let lengths = cast(&byte_length_kernel(input.array())?, &ArrowType::Int64)?;
    let lengths = lengths.as_primitive::<Int64Type>();
    Ok(input.with_array(Arc::new(lengths.unary::<_, Int64Type>(|bytes| bytes * units_per_byte))))
}

/// A number of each text.
pub(super) fn measure(input: &Operand, measure: impl Fn(&str) -> i64) -> Operand {
    let lengths: Int64Array = input.as_text().iter().map(|text| text.map(&measure)).collect();
    input.with_array(Arc::new(lengths))
}

pub(super) fn char_count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// Code point of the first character; 0 for ''.
pub(super) fn first_code(text: &str) -> i64 {
    text.chars().next().map_or(0, |c| i64::from(u32::from(c)))
}

/// `strpos(a, needle)`: counted from 1, 0 when absent.
pub(super) fn position(inputs: &[Operand]) -> Operand {
    let (texts, needles) = (inputs[0].texts(), inputs[1].texts());
    let finder = needles.constant().map(memmem::Finder::new);
    let positions: Int64Array = (0..computed_len(inputs))
        .map(|row| {
            let (text, needle) = (texts.get(row)?, needles.get(row)?);
            let found = match &finder {
                Some(finder) => finder.find(text.as_bytes()),
                None => text.find(needle),
            };
            Some(found.map_or(0, |at| char_count(&text[..at]) + 1))
        })
        .collect();
    Operand::computed(Arc::new(positions), inputs)
}

/// `starts_with`, `ends_with`, `contains`.
pub(super) fn search(function: Function, inputs: &[Operand]) -> Result<Operand> {
    let kernel = match function {
        Function::StartsWith => text_kernels::starts_with,
        Function::EndsWith => text_kernels::ends_with,
        _ => text_kernels::contains,
    };
    let found: BooleanArray = kernel(&inputs[0], &inputs[1])?;
    Ok(Operand::computed(Arc::new(found), inputs))
}

/// A text made of each text.
pub(super) fn transform(
    input: &Operand,
    context: &Context,
    write: impl Fn(&str, &mut String),
) -> Result<Operand> {
    let texts = input.texts();
    build_texts(std::slice::from_ref(input), context, |row, out| {
        let text = texts.get(row);
        if let Some(text) = text {
            write(text, out);
        }
        Ok(text.is_some())
    })
}

pub(super) fn push_reversed(text: &str, out: &mut String) {
    out.extend(text.chars().rev());
}

/// `replace(a, from, to)`; an empty `from` is nowhere.
pub(super) fn replace(inputs: &[Operand], context: &Context) -> Result<Operand> {
    let (texts, from, to) = (inputs[0].texts(), inputs[1].texts(), inputs[2].texts());
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(from), Some(to)) = (texts.get(row), from.get(row), to.get(row))
        else {
            return Ok(false);
        };
        if from.is_empty() {
            out.push_str(text);
            return Ok(true);
        }
        let mut rest = 0;
        for (at, _) in text.match_indices(from) {
            out.push_str(&text[rest..at]);
            out.push_str(to);
            rest = at + from.len();
            check_text_len("replace", Some(out.len()))?;
        }
        out.push_str(&text[rest..]);
        Ok(true)
    })
}

/// `repeat(a, n)`
pub(super) fn repeat(inputs: &[Operand], context: &Context) -> Result<Operand> {
    let (texts, counts) = (inputs[0].texts(), inputs[1].numbers::<Int64Type>());
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(count)) = (texts.get(row), counts.get(row)) else {
            return Ok(false);
        };
        let count = usize::try_from(count.max(0)).unwrap_or(TEXT_BYTES_MAX);
        check_text_len("repeat", text.len().checked_mul(count))?;
        if !text.is_empty() {
            (0..count).for_each(|_| out.push_str(text));
        }
        Ok(true)
    })
}

/// `chr(n)`
pub(super) fn chr(input: &Operand, context: &Context) -> Result<Operand> {
    let codes = input.numbers::<Int64Type>();
    build_texts(std::slice::from_ref(input), context, |row, out| {
        let Some(code) = codes.get(row) else {
            return Ok(false);
        };
        let character = u32::try_from(code).ok().filter(|code| *code > 0).and_then(char::from_u32);
        out.push(character.ok_or_else(|| {
            Error::out_of_range(format!("chr({code}): there is no such character"))
        })?);
        Ok(true)
    })
}
