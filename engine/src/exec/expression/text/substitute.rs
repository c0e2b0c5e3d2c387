//! Texts made of others by character, and their digests.

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use hashbrown::HashMap;

use crate::context::Context;
use crate::exec::expression::operand::{Operand, build_texts};
use crate::types::{DataType, Result};

/// What becomes of the characters that are not kept.
type Substitutes = HashMap<char, Option<char>>;

/// `translate(a, from, to)`
pub(in crate::exec::expression) fn translate(
    inputs: &[Operand],
    context: &Context,
) -> Result<Operand> {
    let (texts, from, to) = (inputs[0].texts(), inputs[1].texts(), inputs[2].texts());
    let constant = match (from.constant(), to.constant()) {
        (Some(from), Some(to)) => Some(substitutes(from, to)),
        _ => None,
    };
    build_texts(inputs, context, |row, out| {
        let (Some(text), Some(from), Some(to)) = (texts.get(row), from.get(row), to.get(row))
        else {
            return Ok(false);
        };
        let own;
        let substitutes = if let Some(constant) = &constant {
            constant
        } else {
            own = substitutes(from, to);
            &own
        };
        out.extend(text.chars().filter_map(|c| *substitutes.get(&c).unwrap_or(&Some(c))));
        Ok(true)
    })
}

/// The first of several equal characters counts.
fn substitutes(from: &str, to: &str) -> Substitutes {
    let mut to = to.chars();
    let mut substitutes = Substitutes::new();
    for c in from.chars() {
        let substitute = to.next();
        substitutes.entry(c).or_insert(substitute);
    }
    substitutes
}

/// `md5(a)` of texts or bytes.
pub(in crate::exec::expression) fn md5(
    input: &Operand,
    from: DataType,
    context: &Context,
) -> Result<Operand> {
    let texts = (from != DataType::Binary).then(|| input.texts());
    let bytes = input.array();
    build_texts(std::slice::from_ref(input), context, |row, out| {
        let digest = match &texts {
            Some(texts) => texts.get(row).map(::md5::compute),
            None => {
                bytes.is_valid(row).then(|| ::md5::compute(bytes.as_binary::<i32>().value(row)))
            }
        };
        if let Some(digest) = digest {
            write!(out, "{digest:x}").expect("a string takes any text");
        }
        Ok(digest.is_some())
    })
}
