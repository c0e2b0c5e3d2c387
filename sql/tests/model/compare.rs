//! When the engine's answer and the model's are one.
//!
//! SQL leaves open in which order operands and conjuncts are evaluated, and whether a value that no
//! answer needs is computed at all. So: an error that the model met anywhere may surface; an error
//! that the answer needs must surface; and without an error the rows are the same bits, in the same
//! order where the query settles it. Where a LIMIT takes any rows, their number alone is compared.

use std::collections::BTreeSet;

use martlet::{ErrorKind, Result};

use crate::answer::{Answer, Row, bits};
use crate::plan::{Expected, Order};

/// What is wrong with the engine's answer, if anything.
pub(crate) fn verdict(
    expected: &Result<Expected>,
    raised: &BTreeSet<&'static str>,
    found: &Result<Answer>,
) -> Option<String> {
    match (expected, found) {
        (Ok(expected), Err(error)) if expected.order.depends_on_chance() => {
            (error.kind() == ErrorKind::Internal).then(|| format!("{error:?}"))
        }
        (Ok(expected), Ok(found)) => rows_differ(expected, &found.rows),
        (Err(error), _) if error.kind() == ErrorKind::Unsupported => {
            Some(format!("the model does not know: {error}"))
        }
        (_, Err(error)) if raised.contains(error.kind().sqlstate()) => None,
        (Ok(_), Err(error)) => Some(format!("the engine fails, the model does not: {error:?}")),
        (Err(error), Err(found)) => Some(format!("the model fails with {error:?}, not {found:?}")),
        (Err(error), Ok(_)) => Some(format!("the model fails, the engine does not: {error:?}")),
    }
}

fn rows_differ(expected: &Expected, found: &[Row]) -> Option<String> {
    let mut left: Vec<String> = expected.rows.iter().map(bits).collect();
    let mut right: Vec<String> = found.iter().map(bits).collect();
    match expected.order {
        Order::Settled => {}
        Order::Open => {
            left.sort();
            right.sort();
        }
        Order::CountOnly if left.len() != right.len() => {}
        Order::CountOnly | Order::Nothing => return None,
    }
    if left == right {
        return None;
    }
    let at = left.iter().zip(&right).position(|(left, right)| left != right);
    let at = at.unwrap_or_else(|| left.len().min(right.len()));
    let line = |rows: &[String]| rows.get(at).cloned().unwrap_or_else(|| "nothing".to_owned());
    Some(format!(
        "row {at}: the model has {}\nthe engine has {}\n({} and {} rows)",
        line(&left),
        line(&right),
        left.len(),
        right.len()
    ))
}
