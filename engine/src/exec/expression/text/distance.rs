//! How far texts are apart.

use std::sync::Arc;

use arrow::array::Int64Array;

use crate::exec::expression::operand::{Operand, computed_len};
use crate::types::{Error, Result};

/// Pairs of characters that are compared for one pair of texts at most: a tenth of a second.
const PAIRS_MAX: usize = 100_000_000;

/// `levenshtein(a, b)`
pub(in crate::exec::expression) fn levenshtein(inputs: &[Operand]) -> Result<Operand> {
    let (left, right) = (inputs[0].texts(), inputs[1].texts());
    let mut row = Vec::new();
    let distances: Result<Int64Array> = (0..computed_len(inputs))
        .map(|index| match (left.get(index), right.get(index)) {
            (Some(left), Some(right)) => distance(left, right, &mut row).map(Some),
            _ => Ok(None),
        })
        .collect();
    Ok(Operand::computed(Arc::new(distances?), inputs))
}

fn distance(left: &str, right: &str, row: &mut Vec<usize>) -> Result<i64> {
    if left.is_ascii() && right.is_ascii() {
        return of_symbols(left.as_bytes(), right.as_bytes(), row);
    }
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    of_symbols(&left, &right, row)
}

/// Row by row of Wagner and Fischer's table, "The string-to-string correction problem", 1974; what both
/// begin or end with costs nothing.
fn of_symbols<T: Copy + Eq>(left: &[T], right: &[T], row: &mut Vec<usize>) -> Result<i64> {
    let same = |(a, b): &(&T, &T)| a == b;
    let prefix = left.iter().zip(right).take_while(same).count();
    let (left, right) = (&left[prefix..], &right[prefix..]);
    let suffix = left.iter().rev().zip(right.iter().rev()).take_while(same).count();
    let (left, right) = (&left[..left.len() - suffix], &right[..right.len() - suffix]);
    if left.len().saturating_mul(right.len()) > PAIRS_MAX {
        return Err(Error::out_of_range(format!(
            "levenshtein of {} and {} characters takes too long",
            left.len(),
            right.len()
        ))
        .with_hint("compare the beginnings: levenshtein(left(a, 1000), left(b, 1000))"));
    }
    row.clear();
    row.extend(0..=right.len());
    for (done, symbol) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = done + 1;
        for (index, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(symbol != other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(diagonal + 1).min(row[index] + 1);
        }
    }
    Ok(i64::try_from(row[right.len()]).unwrap_or(i64::MAX))
}
