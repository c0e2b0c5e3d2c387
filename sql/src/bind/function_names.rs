//! The SQL names of functions: PostgreSQL's and `DuckDB`'s.

use martlet_engine::plan::{AggregateFunction, DatePart, Function, PairFunction, WindowFunction};
use martlet_engine::types::{Error, Result};

use crate::suggest;

/// What a function name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named {
    /// A scalar function with its arguments in SQL's order.
    Scalar(Function),
    /// `date_part('part', x)`.
    DatePart,
    /// `date_trunc('part', x)`.
    DateTrunc,
    /// `date_diff('part', from, to)`.
    DateDiff,
    /// `strftime` with this format.
    Formatted(&'static str),
    /// `typeof(x)`: the name of the type.
    TypeOf,
    /// `now()`: the statement's clock as an instant.
    Now,
    /// `current_date`.
    Today,
    /// `localtimestamp`.
    LocalNow,
    /// `log(x)`, to the base of ten, and `log(base, x)`.
    Log,
    /// `if(predicate, then, otherwise)`.
    If,
    /// An aggregate.
    Aggregate(AggregateFunction),
    /// An aggregate of two arguments.
    OfPairs(PairFunction),
    /// `median(x)`.
    Median,
    /// `quantile_cont(x, fraction)`, `quantile_disc(x, fraction)`.
    Quantile {
        /// Whether it may be between two values.
        continuous: bool,
    },
    /// `percentile_cont(fraction) WITHIN GROUP (ORDER BY x)`, `percentile_disc` alike.
    Percentile {
        /// Whether it may be between two values.
        continuous: bool,
    },
    /// An aggregate of a boolean.
    OfPredicate(AggregateFunction),
    /// `count_if(predicate)`.
    CountIf,
    /// A window function.
    Window(WindowFunction),
    /// Known elsewhere, refused by name.
    Refused(&'static str),
}

use AggregateFunction as A;
use Function as F;
use Named::{Aggregate, OfPairs, Refused, Scalar};
use PairFunction as P;
use WindowFunction as W;

const NAMES: &[(&str, Named)] = &[
    ("abs", Scalar(F::Abs)),
    ("sign", Scalar(F::Sign)),
    ("round", Scalar(F::Round)),
    ("trunc", Scalar(F::Truncate)),
    ("floor", Scalar(F::Floor)),
    ("ceil", Scalar(F::Ceil)),
    ("ceiling", Scalar(F::Ceil)),
    ("sqrt", Scalar(F::Sqrt)),
    ("exp", Scalar(F::Exp)),
    ("ln", Scalar(F::Ln)),
    ("log", Named::Log),
    ("log10", Scalar(F::Log10)),
    ("power", Scalar(F::Power)),
    ("pow", Scalar(F::Power)),
    ("mod", Scalar(F::Modulo)),
    ("xor", Scalar(F::BitXor)),
    ("coalesce", Scalar(F::Coalesce)),
    ("ifnull", Scalar(F::Coalesce)),
    ("nullif", Scalar(F::NullIf)),
    ("greatest", Scalar(F::Greatest)),
    ("least", Scalar(F::Least)),
    ("if", Named::If),
    ("iif", Named::If),
    ("concat", Scalar(F::ConcatSkipNulls)),
    ("concat_ws", Scalar(F::ConcatWithSeparator)),
    ("length", Scalar(F::Length)),
    ("len", Scalar(F::Length)),
    ("char_length", Scalar(F::Length)),
    ("character_length", Scalar(F::Length)),
    ("strlen", Scalar(F::ByteLength)),
    ("octet_length", Scalar(F::ByteLength)),
    ("bit_length", Scalar(F::BitLength)),
    ("lower", Scalar(F::Lower)),
    ("lcase", Scalar(F::Lower)),
    ("upper", Scalar(F::Upper)),
    ("initcap", Scalar(F::Initcap)),
    ("ucase", Scalar(F::Upper)),
    ("substr", Scalar(F::Substring)),
    ("substring", Scalar(F::Substring)),
    ("left", Scalar(F::Left)),
    ("right", Scalar(F::Right)),
    ("ltrim", Scalar(F::TrimStart)),
    ("rtrim", Scalar(F::TrimEnd)),
    ("btrim", Scalar(F::Trim)),
    ("trim", Scalar(F::Trim)),
    ("replace", Scalar(F::Replace)),
    ("translate", Scalar(F::Translate)),
    ("levenshtein", Scalar(F::Levenshtein)),
    ("editdist3", Scalar(F::Levenshtein)),
    ("md5", Scalar(F::Md5)),
    ("strpos", Scalar(F::Position)),
    ("instr", Scalar(F::Position)),
    ("position", Scalar(F::Position)),
    ("starts_with", Scalar(F::StartsWith)),
    ("prefix", Scalar(F::StartsWith)),
    ("ends_with", Scalar(F::EndsWith)),
    ("suffix", Scalar(F::EndsWith)),
    ("contains", Scalar(F::Contains)),
    ("reverse", Scalar(F::Reverse)),
    ("repeat", Scalar(F::Repeat)),
    ("lpad", Scalar(F::PadStart)),
    ("rpad", Scalar(F::PadEnd)),
    ("split_part", Scalar(F::SplitPart)),
    ("regexp_replace", Scalar(F::RegexpReplace)),
    ("regexp_matches", Scalar(F::RegexpMatches)),
    ("regexp_like", Scalar(F::RegexpMatches)),
    ("regexp_extract", Scalar(F::RegexpExtract)),
    ("chr", Scalar(F::Chr)),
    ("ascii", Scalar(F::Ascii)),
    ("date_part", Named::DatePart),
    ("datepart", Named::DatePart),
    ("date_trunc", Named::DateTrunc),
    ("datetrunc", Named::DateTrunc),
    ("date_diff", Named::DateDiff),
    ("datediff", Named::DateDiff),
    ("date_add", Scalar(F::AddInterval)),
    ("make_date", Scalar(F::MakeDate)),
    ("last_day", Scalar(F::LastDay)),
    ("timezone", Scalar(F::AtTimeZone)),
    ("to_timestamp", Scalar(F::ToTimestamp)),
    ("strftime", Scalar(F::FormatTime)),
    ("monthname", Named::Formatted("%B")),
    ("dayname", Named::Formatted("%A")),
    ("epoch_ms", Scalar(F::FromEpochMs)),
    ("year", Scalar(F::Extract(DatePart::Year))),
    ("month", Scalar(F::Extract(DatePart::Month))),
    ("day", Scalar(F::Extract(DatePart::Day))),
    ("dayofmonth", Scalar(F::Extract(DatePart::Day))),
    ("hour", Scalar(F::Extract(DatePart::Hour))),
    ("minute", Scalar(F::Extract(DatePart::Minute))),
    ("second", Scalar(F::Extract(DatePart::Second))),
    ("millisecond", Scalar(F::Extract(DatePart::Millisecond))),
    ("microsecond", Scalar(F::Extract(DatePart::Microsecond))),
    ("quarter", Scalar(F::Extract(DatePart::Quarter))),
    ("week", Scalar(F::Extract(DatePart::Week))),
    ("weekofyear", Scalar(F::Extract(DatePart::Week))),
    ("dayofweek", Scalar(F::Extract(DatePart::DayOfWeek))),
    ("weekday", Scalar(F::Extract(DatePart::DayOfWeek))),
    ("isodow", Scalar(F::Extract(DatePart::IsoDayOfWeek))),
    ("dayofyear", Scalar(F::Extract(DatePart::DayOfYear))),
    ("isoyear", Scalar(F::Extract(DatePart::IsoYear))),
    ("decade", Scalar(F::Extract(DatePart::Decade))),
    ("century", Scalar(F::Extract(DatePart::Century))),
    ("millennium", Scalar(F::Extract(DatePart::Millennium))),
    ("epoch", Scalar(F::Extract(DatePart::Epoch))),
    ("typeof", Named::TypeOf),
    ("pg_typeof", Named::TypeOf),
    ("now", Named::Now),
    ("current_timestamp", Named::Now),
    ("transaction_timestamp", Named::Now),
    ("statement_timestamp", Named::Now),
    ("current_date", Named::Today),
    ("today", Named::Today),
    ("localtimestamp", Named::LocalNow),
    ("count", Aggregate(A::Count)),
    ("count_star", Aggregate(A::CountRows)),
    ("count_if", Named::CountIf),
    ("countif", Named::CountIf),
    ("sum", Aggregate(A::Sum)),
    ("avg", Aggregate(A::Avg)),
    ("mean", Aggregate(A::Avg)),
    ("min", Aggregate(A::Min)),
    ("max", Aggregate(A::Max)),
    // Any will do, and the least is the same one every time.
    ("any_value", Aggregate(A::Min)),
    // False is below true.
    ("bool_and", Named::OfPredicate(A::Min)),
    ("bool_or", Named::OfPredicate(A::Max)),
    ("every", Named::OfPredicate(A::Min)),
    ("columns", Refused("COLUMNS('…') stands alone in the SELECT list")),
    ("first", Refused("use min or max")),
    ("last", Refused("use min or max")),
    ("arg_min", Refused("")),
    ("arg_max", Refused("")),
    ("array_agg", Refused("")),
    ("list", Refused("")),
    ("string_agg", Refused("")),
    ("group_concat", Refused("")),
    ("median", Named::Median),
    ("mode", Refused("")),
    ("quantile", Named::Quantile { continuous: false }),
    ("quantile_cont", Named::Quantile { continuous: true }),
    ("quantile_disc", Named::Quantile { continuous: false }),
    ("percentile_cont", Named::Percentile { continuous: true }),
    ("percentile_disc", Named::Percentile { continuous: false }),
    ("approx_count_distinct", Refused("count(DISTINCT x) is exact")),
    ("stddev", Aggregate(A::DeviationSample)),
    ("stddev_samp", Aggregate(A::DeviationSample)),
    ("stddev_pop", Aggregate(A::DeviationPopulation)),
    ("variance", Aggregate(A::VarianceSample)),
    ("var_samp", Aggregate(A::VarianceSample)),
    ("var_pop", Aggregate(A::VariancePopulation)),
    ("corr", OfPairs(P::Correlation)),
    ("covar_pop", OfPairs(P::CovariancePopulation)),
    ("covar_samp", OfPairs(P::CovarianceSample)),
    ("regr_r2", OfPairs(P::Determination)),
    ("regr_slope", OfPairs(P::Slope)),
    ("regr_intercept", OfPairs(P::Intercept)),
    ("regr_count", OfPairs(P::Count)),
    ("regr_avgx", OfPairs(P::MeanX)),
    ("regr_avgy", OfPairs(P::MeanY)),
    ("regr_sxx", OfPairs(P::SquaresX)),
    ("regr_syy", OfPairs(P::SquaresY)),
    ("regr_sxy", OfPairs(P::Products)),
    ("row_number", Named::Window(W::RowNumber)),
    ("rank", Named::Window(W::Rank)),
    ("dense_rank", Named::Window(W::DenseRank)),
    ("ntile", Refused("")),
    ("lag", Refused("")),
    ("lead", Refused("")),
    ("first_value", Refused("")),
    ("last_value", Refused("")),
    ("unnest", Refused("")),
    ("generate_series", Refused("")),
    ("random", Refused("")),
    ("uuid", Refused("")),
    ("age", Refused("subtract dates, or use date_diff")),
    ("to_char", Refused("use strftime")),
    ("current_time", Refused("use now()")),
    ("localtime", Refused("use localtimestamp")),
    ("ln1p", Refused("")),
    ("hash", Refused("")),
];

/// All names that stand for something.
pub(crate) fn names() -> Vec<&'static str> {
    let supported = NAMES.iter().filter(|(_, named)| !matches!(named, Refused(_)));
    supported.map(|(name, _)| *name).collect()
}

/// What the function `name` is.
///
/// # Errors
/// `UnknownName` with suggestions.
pub(super) fn function(name: &str) -> Result<Named> {
    let lowered = name.to_lowercase();
    let found = NAMES.iter().find(|(known, _)| *known == lowered);
    found.map(|(_, named)| *named).ok_or_else(|| {
        let supported = NAMES.iter().filter(|(_, named)| !matches!(named, Refused(_)));
        Error::unknown_name(format!("there is no function \"{name}\""))
            .with_suggestions(suggest::nearest(&lowered, supported.map(|(known, _)| *known)))
    })
}

const PARTS: &[(&str, DatePart)] = &[
    ("microsecond", DatePart::Microsecond),
    ("microseconds", DatePart::Microsecond),
    ("us", DatePart::Microsecond),
    ("millisecond", DatePart::Millisecond),
    ("milliseconds", DatePart::Millisecond),
    ("ms", DatePart::Millisecond),
    ("second", DatePart::Second),
    ("seconds", DatePart::Second),
    ("s", DatePart::Second),
    ("minute", DatePart::Minute),
    ("minutes", DatePart::Minute),
    ("hour", DatePart::Hour),
    ("hours", DatePart::Hour),
    ("h", DatePart::Hour),
    ("day", DatePart::Day),
    ("days", DatePart::Day),
    ("d", DatePart::Day),
    ("week", DatePart::Week),
    ("weeks", DatePart::Week),
    ("w", DatePart::Week),
    ("isoweek", DatePart::Week),
    ("month", DatePart::Month),
    ("months", DatePart::Month),
    ("mon", DatePart::Month),
    ("quarter", DatePart::Quarter),
    ("quarters", DatePart::Quarter),
    ("year", DatePart::Year),
    ("years", DatePart::Year),
    ("y", DatePart::Year),
    ("decade", DatePart::Decade),
    ("century", DatePart::Century),
    ("millennium", DatePart::Millennium),
    ("dow", DatePart::DayOfWeek),
    ("dayofweek", DatePart::DayOfWeek),
    ("weekday", DatePart::DayOfWeek),
    ("isodow", DatePart::IsoDayOfWeek),
    ("doy", DatePart::DayOfYear),
    ("dayofyear", DatePart::DayOfYear),
    ("isoyear", DatePart::IsoYear),
    ("epoch", DatePart::Epoch),
];

/// The part of a date that `name` stands for.
///
/// # Errors
/// `UnknownName` with suggestions.
pub(super) fn date_part(name: &str) -> Result<DatePart> {
    let lowered = name.trim_matches(['\'', '"']).to_lowercase();
    let found = PARTS.iter().find(|(known, _)| *known == lowered);
    found.map(|(_, part)| *part).ok_or_else(|| {
        Error::unknown_name(format!("there is no date part \"{lowered}\""))
            .with_suggestions(suggest::nearest(&lowered, PARTS.iter().map(|(known, _)| *known)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_slips_are_suggested() {
        assert!(matches!(function("STRLEN"), Ok(Scalar(F::ByteLength))));
        let error = function("lenght").expect_err("a slip");
        assert_eq!(error.suggestions().first().map(String::as_str), Some("length"));
        assert_eq!(date_part("'DOW'").expect("a part"), DatePart::DayOfWeek);
        assert!(date_part("yaer").expect_err("a slip").suggestions().contains(&"year".to_owned()));
    }
}
