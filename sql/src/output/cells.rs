//! The text of cells, the same in every format: what a cast to text gives.

use std::fmt::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType as ArrowType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use martlet_engine::types::{DataType, Error, Interval, Result, TimeUnit, ZoneClock, text};

/// What the text of a column's cells stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// `true` or `false`.
    Bool,
    /// A number; aligned to the right.
    Number,
    /// A date and time of day with a space between.
    Timestamp,
    /// Anything else.
    Text,
}

type WriteCell<'a> = Box<dyn Fn(usize, &mut String) + 'a>;

/// The cells of one array, ready to be written.
pub struct Cells<'a> {
    array: &'a dyn Array,
    kind: CellKind,
    write: WriteCell<'a>,
}

impl std::fmt::Debug for Cells<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cells({:?}, {} rows)", self.kind, self.array.len())
    }
}

impl<'a> Cells<'a> {
    /// The cells of `array`, which is of a type that results have.
    ///
    /// # Errors
    /// `Unsupported` for an Arrow type that Martlet never returns.
    pub fn new(array: &'a dyn Array) -> Result<Cells<'a>> {
        // Bytes of any fixed size travel as a uuid does.
        let data_type = match array.data_type() {
            ArrowType::FixedSizeBinary(_) => DataType::Uuid,
            ArrowType::Interval(IntervalUnit::MonthDayNano) => DataType::Interval,
            other => DataType::from_arrow(other)?,
        };
        let is_result_type = match array.data_type() {
            ArrowType::Timestamp(..) | ArrowType::FixedSizeBinary(_) => true,
            other => data_type.to_arrow() == *other,
        };
        if !is_result_type {
            return Err(Error::unsupported(format!(
                "a result column of type {} has no text form",
                array.data_type()
            )));
        }
        let write = match (array.data_type(), data_type) {
            (ArrowType::Timestamp(_, Some(zone)), DataType::Timestamp { unit, .. }) => {
                instant_writer(array, unit, ZoneClock::named(zone)?)
            }
            _ => writer(array, data_type),
        };
        Ok(Cells { array, kind: kind(data_type), write })
    }

    /// What the texts stand for.
    pub fn kind(&self) -> CellKind {
        self.kind
    }

    /// Whether the cell is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        // Arrow's null array has no validity, so it calls none of its rows null.
        *self.array.data_type() == ArrowType::Null || self.array.is_null(row)
    }

    /// Appends the text of a cell that is not NULL.
    pub fn write(&self, row: usize, target: &mut String) {
        (self.write)(row, target);
    }
}

fn kind(data_type: DataType) -> CellKind {
    match data_type {
        DataType::Bool => CellKind::Bool,
        DataType::Timestamp { .. } => CellKind::Timestamp,
        numeric if numeric.is_numeric() => CellKind::Number,
        _ => CellKind::Text,
    }
}

fn writer(array: &dyn Array, data_type: DataType) -> WriteCell<'_> {
    macro_rules! integers {
        ($arrow:ty) => {{
            let values = array.as_primitive::<$arrow>().values();
            Box::new(move |row, target| append(target, format_args!("{}", values[row])))
        }};
    }
    match data_type {
        DataType::Null => Box::new(|_, _| ()),
        DataType::Bool => {
            let values = array.as_boolean();
            Box::new(|row, target| {
                target.push_str(if values.value(row) { "true" } else { "false" });
            })
        }
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            Box::new(|row, target| text::write_float32(values[row], target))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            Box::new(|row, target| text::write_float64(values[row], target))
        }
        DataType::Decimal { scale, .. } => {
            let values = array.as_primitive::<Decimal128Type>().values();
            Box::new(move |row, target| text::write_decimal(values[row], scale, target))
        }
        DataType::Date => {
            let values = array.as_primitive::<Date32Type>().values();
            Box::new(|row, target| text::write_date(values[row].into(), target))
        }
        DataType::Time(unit) => time_writer(array, unit),
        DataType::Timestamp { unit, .. } => timestamp_writer(array, unit),
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Box::new(|row, target| target.push_str(values.value(row)))
        }
        DataType::Uuid | DataType::Binary | DataType::Interval => opaque_writer(array, data_type),
        other => Box::new(move |_, target| append(target, format_args!("<{other}>"))),
    }
}

fn time_writer(array: &dyn Array, unit: TimeUnit) -> WriteCell<'_> {
    macro_rules! times {
        ($arrow:ty) => {{
            let values = array.as_primitive::<$arrow>().values();
            Box::new(move |row, target| text::write_time(i64::from(values[row]), unit, target))
        }};
    }
    match unit {
        TimeUnit::Second => times!(Time32SecondType),
        TimeUnit::Millisecond => times!(Time32MillisecondType),
        TimeUnit::Microsecond => times!(Time64MicrosecondType),
        TimeUnit::Nanosecond => times!(Time64NanosecondType),
    }
}

/// A timestamp on the clock of no zone.
fn timestamp_writer(array: &dyn Array, unit: TimeUnit) -> WriteCell<'_> {
    let values = timestamps(array, unit);
    Box::new(move |row, target| text::write_timestamp(values[row], unit, target))
}

/// A timestamp on the clock of its zone, with the offset.
fn instant_writer(array: &dyn Array, unit: TimeUnit, clock: ZoneClock) -> WriteCell<'_> {
    let values = timestamps(array, unit);
    Box::new(move |row, target| {
        let offset = clock.offset_at(values[row].div_euclid(unit.per_second()));
        text::write_zoned_timestamp(values[row], unit, offset, target);
    })
}

fn timestamps(array: &dyn Array, unit: TimeUnit) -> &[i64] {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    }
}

/// Bytes, identifiers and spans of time.
fn opaque_writer(array: &dyn Array, data_type: DataType) -> WriteCell<'_> {
    if data_type == DataType::Interval {
        let values = array.as_primitive::<IntervalMonthDayNanoType>().values();
        return Box::new(|row, target| {
            let value = values[row];
            let (months, days, nanoseconds) = (value.months, value.days, value.nanoseconds);
            text::write_interval(Interval { months, days, nanoseconds }, target);
        });
    }
    if let Some(values) = array.as_fixed_size_binary_opt() {
        return Box::new(|row, target| match <&[u8; 16]>::try_from(values.value(row)) {
            Ok(uuid) => text::write_uuid(uuid, target),
            Err(_) => text::write_bytes(values.value(row), target),
        });
    }
    let values = array.as_binary::<i32>();
    Box::new(|row, target| text::write_bytes(values.value(row), target))
}

fn append(target: &mut String, arguments: std::fmt::Arguments<'_>) {
    target.write_fmt(arguments).expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use martlet_engine::types::Value;

    use super::*;

    #[test]
    fn every_type_has_a_text_form() -> Result<()> {
        let timestamp = |unit, zoned| DataType::Timestamp { unit, zoned };
        let cases = [
            (Value::Bool(true), DataType::Bool, "true"),
            (Value::Int(-128), DataType::Int8, "-128"),
            (Value::Int(u64::MAX.into()), DataType::UInt64, "18446744073709551615"),
            (Value::Int(-5), DataType::Decimal { precision: 38, scale: 2 }, "-0.05"),
            (Value::Float(0.1), DataType::Float64, "0.1"),
            (Value::Float(0.5), DataType::Float32, "0.5"),
            (Value::Int(15_887), DataType::Date, "2013-07-01"),
            (Value::Int(1_500), DataType::Time(TimeUnit::Millisecond), "00:00:01.5"),
            (Value::Int(1_372_682_096), timestamp(TimeUnit::Second, false), "2013-07-01 12:34:56"),
            (Value::Int(1), timestamp(TimeUnit::Microsecond, false), "1970-01-01 00:00:00.000001"),
            (Value::Int(0), timestamp(TimeUnit::Nanosecond, true), "1970-01-01 00:00:00+00"),
            (Value::Text("Zoë".into()), DataType::Utf8, "Zoë"),
            (Value::Bytes(vec![0, 255]), DataType::Binary, "\\x00ff"),
            (Value::Uuid([0x11; 16]), DataType::Uuid, "11111111-1111-1111-1111-111111111111"),
            (
                Value::Interval(Interval { months: 1, days: 2, nanoseconds: 0 }),
                DataType::Interval,
                "1 mon 2 days",
            ),
        ];
        for (value, data_type, wanted) in cases {
            let array = value.to_array(data_type, 2)?;
            let cells = Cells::new(&array)?;
            let mut text = String::from(">");
            cells.write(1, &mut text);
            assert_eq!(text, format!(">{wanted}"), "{data_type}");
            assert!(!cells.is_null(1));
            let nulls = Value::Null.to_array(data_type, 1)?;
            assert!(Cells::new(&nulls)?.is_null(0), "{data_type}");
        }
        Ok(())
    }

    #[test]
    fn a_type_that_results_never_have_is_refused() {
        let texts = arrow::array::LargeStringArray::from(vec!["x"]);
        let bytes = arrow::array::LargeBinaryArray::from(vec![b"x".as_slice()]);
        assert!(Cells::new(&texts).is_err() && Cells::new(&bytes).is_err());
    }
}
