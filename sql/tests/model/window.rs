//! Window functions, by counting for each row those that come before it.

use std::cmp::Ordering;

use martlet::plan::{Comparison, Expr, LogicalPlan, Window, WindowFunction};
use martlet::{Error, Result, Value};

use crate::aggregate::canonical;
use crate::answer::{Row, bits};
use crate::plan::{Cell, LazyRow, Model, Order, Relation, is_same, sort_order};

/// A row's partition, told apart by its bits, and its sort keys.
type Key = (String, Row);

impl Model {
    /// The rows with their numbers, in the order in which they came.
    pub(crate) fn window(&self, rows: Vec<LazyRow>, order: Order, window: &Window) -> Relation {
        assert!(window.limit.is_none(), "only a rule makes limits");
        let keys: Vec<Result<Key>> = rows.iter().map(|row| self.window_key(row, window)).collect();
        // Without the key of one row no row has a number.
        if let Some(error) = keys.iter().find_map(|key| key.as_ref().err().cloned()) {
            return with_cells(rows, order, |_| {
                window.functions.iter().map(|_| Err(error.clone())).collect()
            });
        }
        let keys: Vec<Key> = keys.into_iter().filter_map(Result::ok).collect();
        let order_of =
            |left: usize, right: usize| sort_order(&window.order, &keys[left].1, &keys[right].1);
        let peers_of = |row: usize| {
            (0..keys.len()).filter(|other| keys[*other].0 == keys[row].0).collect::<Vec<usize>>()
        };
        let numbers = |row: usize| -> Vec<Cell> {
            let peers = peers_of(row);
            let before: Vec<usize> =
                peers.iter().copied().filter(|other| order_of(*other, row).is_lt()).collect();
            let ties_before =
                peers.iter().filter(|other| **other < row && order_of(**other, row).is_eq());
            let mut smaller: Vec<usize> = Vec::new();
            for other in &before {
                if smaller.iter().all(|known| order_of(*known, *other).is_ne()) {
                    smaller.push(*other);
                }
            }
            let number = |function: &WindowFunction| {
                let before = match function {
                    WindowFunction::RowNumber => before.len() + ties_before.clone().count(),
                    WindowFunction::Rank => before.len(),
                    WindowFunction::DenseRank => smaller.len(),
                };
                Ok(Value::Int(i128::try_from(before + 1).expect("128 bits")))
            };
            window.functions.iter().map(number).collect()
        };
        // Which of two rows that tie is the first follows from the order in which they came.
        let numbers_rows = window.functions.contains(&WindowFunction::RowNumber);
        let is_chance = |row: usize| {
            let differs = |other: &usize| *other != row && !is_same(&rows[*other], &rows[row]);
            peers_of(row)
                .iter()
                .any(|other| order_of(*other, row) == Ordering::Equal && differs(other))
        };
        if order == Order::Open && numbers_rows && (0..rows.len()).any(is_chance) {
            return Relation { rows: Vec::new(), order: Order::Nothing };
        }
        with_cells(rows, order, numbers)
    }

    fn window_key(&self, row: &LazyRow, window: &Window) -> Result<Key> {
        let values = |exprs: Vec<&Expr>| -> Vec<Cell> {
            exprs.into_iter().map(|expr| self.eval(expr, &row.cells)).collect()
        };
        // Every key is computed, so that every error is noted.
        let partition = values(window.partition.iter().collect());
        let order = values(window.order.iter().map(|key| &key.expr).collect());
        if let Some(error) = &row.doubt {
            return Err(Error::clone(error));
        }
        let partition = partition.into_iter().map(|cell| cell.map(canonical));
        let partition: Row = partition.collect::<Result<_>>()?;
        Ok((bits(&partition), order.into_iter().collect::<Result<_>>()?))
    }
}

/// Whether a filter of a window's rows asks for a number below 1. No row has one, whatever its keys are:
/// no row is needed, nor what fails on the way to its number.
pub(crate) fn keeps_no_number(input: &LogicalPlan, predicate: &Expr) -> bool {
    let LogicalPlan::Window { input, window } = input else { return false };
    let width = input.output().len();
    let numbers = width..width + window.functions.len();
    let is_number =
        |expr: &Expr| matches!(expr, Expr::Column { index, .. } if numbers.contains(index));
    let conjuncts = match predicate {
        Expr::And(conjuncts) => conjuncts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_below_one = |value: &Value| matches!(value, Value::Int(value) if *value < 1);
    conjuncts.iter().any(|conjunct| match conjunct {
        Expr::Compare { op, left, right } if is_number(left) => match (op, right.as_ref()) {
            (Comparison::Less, Expr::Literal { value, .. }) => {
                is_below_one(value) || *value == Value::Int(1)
            }
            (
                Comparison::LessOrEqual | Comparison::Equal | Comparison::NotDistinct,
                Expr::Literal { value, .. },
            ) => is_below_one(value),
            _ => false,
        },
        Expr::InList { input, list } => is_number(input) && list.iter().all(is_below_one),
        _ => false,
    })
}

fn with_cells(rows: Vec<LazyRow>, order: Order, cells: impl Fn(usize) -> Vec<Cell>) -> Relation {
    let numbered = |(index, mut row): (usize, LazyRow)| {
        row.cells.extend(cells(index));
        row
    };
    Relation { rows: rows.into_iter().enumerate().map(numbered).collect(), order }
}
