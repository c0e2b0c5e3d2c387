//! `sum(x + c)` as `sum(x) + c * count(x)`, for integers whose sum cannot overflow row by row.
//!
//! The sums of a column with ninety different constants are then one pass over the column. The rewrite
//! may not hide an error: `x + c` raises one when it leaves its type, so `x` has to be of a narrower
//! type than the addition, with room for `c`. It may not raise one either: `c * count(x)` stays in 64
//! bits for any count of rows below 2^39, since `c` is bounded.

use super::rewrite_up;
use crate::plan::aggregate::{Aggregate, AggregateFunction};
use crate::plan::{Expr, Function, LogicalPlan};
use crate::types::{DataType, Value};

/// The largest constant that is split off.
const CONSTANT_MAX: i128 = 1 << 24;

/// Splits the sums of every aggregate.
pub(super) fn split_sums(plan: LogicalPlan) -> LogicalPlan {
    rewrite_up(plan, &mut |plan| match plan {
        LogicalPlan::Aggregate { input, keys, aggregates, names }
            if aggregates.iter().any(|aggregate| shifted_sum(aggregate).is_some()) =>
        {
            split(input, keys, &aggregates, names)
        }
        other => other,
    })
}

/// `sum(input + constant)`
struct ShiftedSum {
    /// The narrow input, without the cast that widened it.
    input: Expr,
    constant: i128,
}

fn shifted_sum(aggregate: &Aggregate) -> Option<ShiftedSum> {
    let Aggregate { function: AggregateFunction::Sum, argument: Some(argument), .. } = aggregate
    else {
        return None;
    };
    let Expr::Call { function, arguments, data_type } = argument else {
        return None;
    };
    if aggregate.distinct || !data_type.is_signed_integer() {
        return None;
    }
    let constant = |expr: &Expr| match expr {
        Expr::Literal { value: Value::Int(value), .. } => Some(*value),
        _ => None,
    };
    let (wide, constant) = match (function, arguments.as_slice()) {
        (Function::Add, [literal, wide]) if constant(literal).is_some() => {
            (wide, constant(literal)?)
        }
        (Function::Add, [wide, literal]) => (wide, constant(literal)?),
        (Function::Subtract, [wide, literal]) => (wide, -constant(literal)?),
        _ => return None,
    };
    let Expr::Cast { input, or_null: false, .. } = wide else {
        return None;
    };
    let (low, high) = range(input.data_type())?;
    let (type_low, type_high) = range(*data_type)?;
    let stays = low + constant >= type_low && high + constant <= type_high;
    (stays && constant.abs() <= CONSTANT_MAX)
        .then(|| ShiftedSum { input: (**input).clone(), constant })
}

/// Smallest and largest value of an integer type.
fn range(data_type: DataType) -> Option<(i128, i128)> {
    Some(match data_type {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 => (i64::MIN.into(), i64::MAX.into()),
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        _ => return None,
    })
}

fn split(
    input: Box<LogicalPlan>,
    keys: Vec<Expr>,
    aggregates: &[Aggregate],
    names: Vec<String>,
) -> LogicalPlan {
    let input_names = input.output().into_iter().map(|column| column.name).collect();
    let mut parts = Parts { key_count: keys.len(), input_names, aggregates: vec![], names: vec![] };
    let mut outputs: Vec<Expr> = keys
        .iter()
        .enumerate()
        .map(|(position, key)| Expr::column(position, key.data_type()))
        .collect();
    for (aggregate, name) in aggregates.iter().zip(&names[keys.len()..]) {
        outputs.push(match shifted_sum(aggregate) {
            Some(shifted) => parts.shifted(aggregate, shifted),
            None => parts.add(aggregate.clone(), name.clone()),
        });
    }
    let inner_names = names[..keys.len()].iter().cloned().chain(parts.names).collect();
    let aggregates = parts.aggregates;
    let plan = LogicalPlan::Aggregate { input, keys, aggregates, names: inner_names };
    LogicalPlan::Project { input: Box::new(plan), exprs: outputs, names }
}

/// The aggregates that are really computed, each once.
struct Parts {
    key_count: usize,
    input_names: Vec<String>,
    aggregates: Vec<Aggregate>,
    names: Vec<String>,
}

impl Parts {
    /// The column of an aggregate, which is added unless it is there.
    fn add(&mut self, aggregate: Aggregate, name: String) -> Expr {
        let data_type = aggregate.data_type().expect("the binder checked the aggregate's type");
        let position = self.aggregates.iter().position(|earlier| *earlier == aggregate);
        let position = position.unwrap_or_else(|| {
            self.aggregates.push(aggregate);
            self.names.push(name);
            self.aggregates.len() - 1
        });
        Expr::column(self.key_count + position, data_type)
    }

    /// The column of an aggregate that the query does not name.
    fn add_unnamed(&mut self, aggregate: Aggregate) -> Expr {
        let name = aggregate.display(&self.input_names).to_string();
        self.add(aggregate, name)
    }

    /// `sum(x) + c * count(x)`, in the type that `sum(x + c)` has.
    fn shifted(&mut self, original: &Aggregate, shifted: ShiftedSum) -> Expr {
        let data_type = original.data_type().expect("the binder checked the aggregate's type");
        let part = |function| Aggregate {
            function,
            argument: Some(shifted.input.clone()),
            ..original.clone()
        };
        let sum = self.add_unnamed(part(AggregateFunction::Sum));
        let count = self.add_unnamed(part(AggregateFunction::Count));
        let int64 = DataType::Int64;
        let call = |function, arguments| Expr::Call { function, arguments, data_type: int64 };
        let constant = Expr::literal(Value::Int(shifted.constant), int64);
        let shift = call(Function::Multiply, vec![count, constant]);
        call(Function::Add, vec![sum, shift]).cast_to(data_type)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn small(index: usize) -> Expr {
        Expr::column(index, DataType::Int16)
    }

    fn shifted(function: Function, expr: Expr, constant: i128) -> Aggregate {
        sum(call(function, vec![expr, int(constant)]))
    }

    #[test]
    fn many_shifted_sums_are_one_sum_and_one_count() {
        let aggregates = vec![
            sum(small(0)),
            shifted(Function::Add, small(0), 1),
            shifted(Function::Subtract, small(0), 89),
        ];
        let plan = split_sums(aggregate(scan(1), vec![], aggregates));
        assert_eq!(
            plan.to_string(),
            "Project: sum(a), sum(a) + count(a) * 1, sum(a) + count(a) * -89\n  \
             Aggregate: sum(a), count(a)\n    Scan t: 1 column [a]\n"
        );
        assert_eq!(split_sums(plan.clone()), plan);
    }

    #[test]
    fn a_sum_that_could_overflow_row_by_row_stays() {
        for argument in [
            call(Function::Add, vec![column(0), int(1)]),
            call(Function::Add, vec![small(0), int(i32::MAX.into())]),
            call(Function::Multiply, vec![small(0), int(2)]),
            call(Function::Subtract, vec![int(2), small(0)]),
        ] {
            let plan = aggregate(scan(1), vec![], vec![sum(argument)]);
            assert_eq!(split_sums(plan.clone()), plan);
        }
        let distinct = Aggregate { distinct: true, ..shifted(Function::Add, small(0), 1) };
        let plan = aggregate(scan(1), vec![], vec![distinct]);
        assert_eq!(split_sums(plan.clone()), plan);
    }

    #[test]
    fn the_result_keeps_its_type() {
        let big = Expr::literal(Value::Int(1), DataType::Int64);
        let argument = call(Function::Add, vec![column(0), big]);
        let before = aggregate(scan(1), vec![], vec![sum(argument)]);
        let output = before.output();
        let after = split_sums(before.clone());
        assert_ne!(after, before);
        assert_eq!(after.output(), output);
    }
}
