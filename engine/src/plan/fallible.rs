//! Which expressions can raise an error for some value.
//!
//! Such an expression must not be computed for rows that the query keeps from it (the other branches
//! of a CASE). Unknown is yes.

use super::expression::Expr;
use super::function::Function;
use crate::types::DataType;

/// Whether evaluating the expression can fail for some input.
pub fn can_fail(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Cast { input, data_type, or_null } => {
            !or_null && cast_can_fail(input.data_type(), *data_type)
        }
        Expr::Call { function, arguments, .. } => call_can_fail(*function, arguments),
        Expr::Parameter { .. } => true,
        _ => false,
    };
    own || expr.children().into_iter().any(can_fail)
}

fn cast_can_fail(from: DataType, to: DataType) -> bool {
    use DataType::{Bool, Date, Null, Utf8};
    match (from, to) {
        _ if from == to => false,
        (Null, _) | (_, Utf8) => false,
        (Bool, _) | (_, Bool) => !from.is_integer() && !to.is_integer(),
        (Date, DataType::Timestamp { .. }) => true,
        _ if from.is_integer() && to.is_integer() => super::common_type(&[from, to]) != Some(to),
        _ if from.is_integer() && to.is_float() => false,
        (DataType::Float32 | DataType::Decimal { .. }, DataType::Float64) => false,
        (_, DataType::Decimal { precision, scale }) if from.is_integer() => {
            super::coercion::integer_digits(from) > precision - scale
        }
        (DataType::Decimal { precision: p, scale: s }, DataType::Decimal { precision, scale }) => {
            scale < s || p - s > precision - scale
        }
        _ => true,
    }
}

fn call_can_fail(function: Function, arguments: &[Expr]) -> bool {
    use Function as F;
    match function {
        F::BitAnd
        | F::BitOr
        | F::BitXor
        | F::ShiftLeft
        | F::ShiftRight
        | F::Coalesce
        | F::NullIf
        | F::Greatest
        | F::Least
        | F::Length
        | F::ByteLength
        | F::BitLength
        | F::Translate
        | F::Md5
        | F::Lower
        | F::Upper
        | F::Left
        | F::Right
        | F::TrimStart
        | F::TrimEnd
        | F::Trim
        | F::Position
        | F::StartsWith
        | F::EndsWith
        | F::Contains
        | F::Reverse
        | F::Ascii
        | F::Extract(_)
        | F::DateDifference
        | F::Sign => false,
        F::Substring => arguments.len() > 2,
        F::Round | F::Truncate | F::Floor | F::Ceil => {
            arguments.len() > 1 || !arguments[0].data_type().is_float()
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Comparison, compare, explicit_cast, integer_literal, resolve};
    use crate::types::Result;

    #[test]
    fn what_can_overflow_or_be_refused_can_fail() -> Result<()> {
        let column = |data_type| Expr::column(0, data_type);
        let one = integer_literal(1)?;
        let sum = resolve(Function::Add, vec![column(DataType::Int32), one.clone()])?;
        assert!(can_fail(&sum));
        assert!(can_fail(&compare(Comparison::Less, sum, one.clone())?));
        assert!(!can_fail(&compare(Comparison::Less, column(DataType::Int32), one)?));
        assert!(can_fail(&explicit_cast(column(DataType::Utf8), DataType::Int32)?));
        assert!(!can_fail(&explicit_cast(column(DataType::Int32), DataType::Int64)?));
        assert!(!can_fail(&resolve(Function::Lower, vec![column(DataType::Utf8)])?));
        Ok(())
    }
}
