//! Routes a function to the family that computes it.

use super::operand::Operand;
use super::rows::Rows;
use super::{arithmetic, cast, choice, number, regex, temporal, text};
use crate::plan::{Expr, Function};
use crate::types::{DataType, Error, Result};

/// The function's value for every row.
pub(super) fn call(
    rows: &Rows<'_>,
    function: Function,
    arguments: &[Expr],
    data_type: DataType,
) -> Result<Operand> {
    if function == Function::Coalesce {
        return choice::coalesce(rows, arguments, data_type);
    }
    let inputs: Vec<Operand> =
        arguments.iter().map(|argument| rows.evaluate(argument)).collect::<Result<_>>()?;
    let first_type = arguments.first().map_or(DataType::Null, Expr::data_type);
    let call = Call { function, inputs: &inputs, first_type, data_type };
    match function {
        Function::NullIf => choice::null_if(&inputs, data_type),
        Function::Greatest => choice::extreme(&inputs, true, data_type),
        Function::Least => choice::extreme(&inputs, false, data_type),
        Function::Extract(_)
        | Function::DateTrunc(_)
        | Function::AddInterval
        | Function::SubtractInterval
        | Function::DateDifference
        | Function::AddDays
        | Function::DateDiff(_)
        | Function::MakeDate
        | Function::LastDay
        | Function::AtTimeZone
        | Function::ToTimestamp
        | Function::FromEpochMs
        | Function::FormatTime => of_time(&call, rows),
        _ if is_numeric(function) => of_numbers(&call),
        _ => of_text(&call, rows),
    }
}

/// A function with its evaluated arguments.
struct Call<'a> {
    function: Function,
    inputs: &'a [Operand],
    /// The type of the first argument.
    first_type: DataType,
    data_type: DataType,
}

fn is_numeric(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::Add
            | F::Subtract
            | F::Multiply
            | F::Divide
            | F::Modulo
            | F::Negate
            | F::Power
            | F::Abs
            | F::Sign
            | F::Round
            | F::Truncate
            | F::Floor
            | F::Ceil
            | F::Sqrt
            | F::Exp
            | F::Ln
            | F::Log10
            | F::BitAnd
            | F::BitOr
            | F::BitXor
            | F::ShiftLeft
            | F::ShiftRight
    )
}

fn of_numbers(call: &Call<'_>) -> Result<Operand> {
    use Function as F;
    let Call { function, inputs, first_type, data_type } = call;
    match function {
        F::Negate => arithmetic::negate(&inputs[0], *data_type),
        F::Abs => arithmetic::absolute(&inputs[0], *data_type),
        F::Sign => arithmetic::sign(&inputs[0], *first_type),
        F::Round | F::Truncate | F::Floor | F::Ceil => {
            number::round(*function, inputs, *first_type, *data_type)
        }
        F::Sqrt | F::Exp | F::Ln | F::Log10 => number::double_function(*function, &inputs[0]),
        F::Power => number::power(inputs),
        F::BitAnd | F::BitOr | F::BitXor => arithmetic::bits(*function, inputs, *data_type),
        F::ShiftLeft | F::ShiftRight => arithmetic::shift(*function, inputs, *data_type),
        _ => arithmetic::binary(*function, inputs, *data_type),
    }
}

fn of_time(call: &Call<'_>, rows: &Rows<'_>) -> Result<Operand> {
    let Call { function, inputs, first_type, data_type } = call;
    let context = rows.context();
    match function {
        Function::Extract(part) => {
            temporal::extract(*part, &inputs[0], (*first_type, *data_type), context)
        }
        Function::DateTrunc(part) => temporal::truncate(*part, &inputs[0], *data_type, context),
        Function::AddInterval => temporal::add_interval(inputs, 1, *data_type, context),
        Function::SubtractInterval => temporal::add_interval(inputs, -1, *data_type, context),
        Function::DateDifference => temporal::date_difference(inputs),
        Function::AddDays => temporal::add_days(inputs),
        Function::DateDiff(part) => temporal::difference(*part, inputs, *first_type, context),
        Function::MakeDate => temporal::make_date(inputs),
        Function::LastDay => temporal::last_day(&inputs[0], *first_type, context),
        Function::AtTimeZone => cast::at_time_zone(inputs, *data_type),
        Function::ToTimestamp => temporal::from_seconds(&inputs[0], *data_type),
        Function::FromEpochMs => temporal::from_milliseconds(&inputs[0], *data_type),
        Function::FormatTime => temporal::format(inputs, *first_type, context),
        other => Err(unsupported(*other)),
    }
}

fn of_text(call: &Call<'_>, rows: &Rows<'_>) -> Result<Operand> {
    use Function as F;
    let Call { function, inputs, first_type, .. } = call;
    let context = rows.context();
    match function {
        F::Concat => text::concat(inputs),
        F::ConcatSkipNulls => text::concat_skip_nulls(inputs, false, context),
        F::ConcatWithSeparator => text::concat_skip_nulls(inputs, true, context),
        F::Length => Ok(text::measure(&inputs[0], text::char_count)),
        F::ByteLength => text::byte_length(&inputs[0], 1),
        F::BitLength => text::byte_length(&inputs[0], 8),
        F::Ascii => Ok(text::measure(&inputs[0], text::first_code)),
        F::Lower => text::transform(&inputs[0], context, text::push_lower),
        F::Upper => text::transform(&inputs[0], context, text::push_upper),
        F::Initcap => text::transform(&inputs[0], context, text::push_initcap),
        F::Reverse => text::transform(&inputs[0], context, text::push_reversed),
        F::Substring => text::substring(inputs, context),
        F::Left => text::left(inputs, context),
        F::Right => text::right(inputs, context),
        F::TrimStart | F::TrimEnd | F::Trim => text::trim(*function, inputs, context),
        F::Replace => text::replace(inputs, context),
        F::Translate => text::translate(inputs, context),
        F::Levenshtein => text::levenshtein(inputs),
        F::Md5 => text::md5(&inputs[0], *first_type, context),
        F::Position => Ok(text::position(inputs)),
        F::StartsWith | F::EndsWith | F::Contains => text::search(*function, inputs),
        F::Repeat => text::repeat(inputs, context),
        F::PadStart | F::PadEnd => text::pad(*function, inputs, context),
        F::SplitPart => text::split_part(inputs, context),
        F::RegexpReplace => regex::replace(inputs, context),
        F::RegexpMatches => regex::matches(inputs),
        F::RegexpExtract => regex::extract(inputs, context),
        F::Chr => text::chr(&inputs[0], context),
        other => Err(unsupported(*other)),
    }
}

fn unsupported(function: Function) -> Error {
    Error::unsupported(format!("the function {function} is not supported yet"))
}
