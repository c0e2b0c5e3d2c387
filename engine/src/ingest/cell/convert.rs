//! Cells to arrays.
//!
//! One loop per type. A cell that does not fit becomes NULL and is listed, so that whoever knows about
//! rows can leave its row out or tell where it is.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, PrimitiveArray,
    StringArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::moment::{date, moment, time};
use super::number::{Whole, boolean, float, small, ungrouped, whole};
use super::{Cell, CellColumn, pattern};
use crate::catalog::files::{DateOrder, ReadAs, Writing};
use crate::types::text::{parse_decimal, parse_float32};
use crate::types::{DataType, Result, TimeUnit, Value, match_integer_type};

/// A column, and the rows whose cell did not fit.
#[derive(Debug)]
pub(in crate::ingest) struct Converted {
    pub(in crate::ingest) array: ArrayRef,
    /// Ascending.
    pub(in crate::ingest) misfits: Vec<usize>,
}

/// The cells of a column, read as `reading` says.
///
/// # Errors
/// `Unsupported` for a type without text form.
pub(in crate::ingest) fn convert(column: &CellColumn<'_>, reading: &ReadAs) -> Result<Converted> {
    Ok(match reading {
        ReadAs::Nothing => nothing(column),
        ReadAs::Text => texts(column),
        ReadAs::Bool => booleans(column, boolean),
        ReadAs::Integer => numbers::<Int64Type>(column, |text| match small(text) {
            Some(value) => Some(value),
            None => match whole(text)? {
                Whole::Small(value) => Some(value),
                Whole::Large(_) => None,
            },
        }),
        ReadAs::Large => {
            let read = |text: &[u8]| match whole(text)? {
                Whole::Small(value) => Some(i128::from(value)),
                Whole::Large(value) => Some(value),
            };
            typed(numbers::<Decimal128Type>(column, read), reading.data_type())?
        }
        ReadAs::Float => numbers::<Float64Type>(column, |text| float(text, b'.')),
        ReadAs::FloatComma => numbers::<Float64Type>(column, |text| float(text, b',')),
        ReadAs::Time => primitives::<Time64MicrosecondType>(column, |text| {
            time(text).filter(|nanoseconds| nanoseconds % 1_000 == 0).map(|value| value / 1_000)
        }),
        ReadAs::Date(order) => primitives::<Date32Type>(column, |text| date(text, *order)),
        ReadAs::Timestamp(order) => primitives::<TimestampMicrosecondType>(column, |text| {
            moment(text, *order).filter(|found| found.offset.is_none())?.microseconds()
        }),
        ReadAs::Nanoseconds => primitives::<TimestampNanosecondType>(column, |text| {
            moment(text, DateOrder::Ymd).filter(|found| found.offset.is_none())?.nanoseconds()
        }),
        ReadAs::Zoned => typed(
            primitives::<TimestampMicrosecondType>(column, |text| {
                moment(text, DateOrder::Ymd).filter(|found| found.offset.is_some())?.microseconds()
            }),
            reading.data_type(),
        )?,
        ReadAs::Cast(data_type) => cast(column, *data_type, b'.')?,
        ReadAs::Written(data_type, Writing::Comma) => cast(column, *data_type, b',')?,
        ReadAs::Written(data_type, Writing::Dates(order)) => {
            strictly(column, |column| dates(column, *data_type, *order))
        }
        ReadAs::Pattern(data_type, pattern) | ReadAs::PatternFound(data_type, pattern) => {
            by_pattern(column, *data_type, pattern)?
        }
    })
}

/// Whether the cell is NULL in a column that is not text: there an empty cell stands for nothing even
/// in quotes, unless the type was given.
#[inline]
fn is_null(column: &CellColumn<'_>, cell: Cell) -> bool {
    column.nulls.contains(cell, column.piece)
}

fn nothing(column: &CellColumn<'_>) -> Converted {
    // Empty texts in quotes say nothing of a type either, but are texts if none comes after them.
    let mut converted = texts(column);
    let is_news = |cell: &Cell| !is_null(column, *cell) && !cell.bytes(column.piece).is_empty();
    let news = column.cells.iter().enumerate().filter(|(_, cell)| is_news(cell));
    converted.misfits = news.map(|(row, _)| row).collect();
    converted
}

/// Values and validity by a function of the trimmed text.
fn primitives<T: ArrowPrimitiveType>(
    column: &CellColumn<'_>,
    read: impl Fn(&[u8]) -> Option<T::Native>,
) -> Converted {
    let mut values: Vec<T::Native> = Vec::with_capacity(column.cells.len());
    let mut validity = Validity::default();
    let mut misfits = Vec::new();
    for (row, cell) in column.cells.iter().enumerate() {
        let unescaped;
        let text = if cell.is_escaped() {
            unescaped = column.text(row);
            unescaped.as_bytes()
        } else {
            cell.bytes(column.piece)
        };
        let value = if is_null(column, *cell) {
            None
        } else if let Some(value) = read(text).or_else(|| read(text.trim_ascii())) {
            Some(value)
        } else {
            if !text.is_empty() {
                misfits.push(row);
            }
            None
        };
        if value.is_none() {
            validity.set_null(row);
        }
        values.push(value.unwrap_or_default());
    }
    let validity = validity.finish(values.len());
    let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), validity);
    Converted { array: Arc::new(array), misfits }
}

/// The same of numbers, without the marks between groups of digits.
fn numbers<T: ArrowPrimitiveType>(
    column: &CellColumn<'_>,
    read: impl Fn(&[u8]) -> Option<T::Native>,
) -> Converted {
    match column.patterns.thousands {
        None => primitives::<T>(column, read),
        Some(mark) => primitives::<T>(column, |text| read(ungrouped(text, mark, &mut [0; 64])?)),
    }
}

/// Dates, or else timestamps, whose parts are in `order`.
fn dates(column: &CellColumn<'_>, data_type: DataType, order: DateOrder) -> Converted {
    let local = |text: &[u8]| moment(text, order).filter(|found| found.offset.is_none());
    if data_type == DataType::Date {
        return primitives::<Date32Type>(column, |text| local(text).map(|found| found.days));
    }
    primitives::<TimestampMicrosecondType>(column, |text| local(text)?.microseconds())
}

/// The same values as another type of the same layout: with precision, scale or a zone.
fn typed(converted: Converted, data_type: DataType) -> Result<Converted> {
    let data = converted.array.into_data().into_builder().data_type(data_type.to_arrow());
    let array = arrow::array::make_array(data.build()?);
    Ok(Converted { array, misfits: converted.misfits })
}

fn booleans(column: &CellColumn<'_>, read: impl Fn(&[u8]) -> Option<bool>) -> Converted {
    let mut values = BooleanBuilder::with_capacity(column.cells.len());
    let mut misfits = Vec::new();
    for (row, cell) in column.cells.iter().enumerate() {
        let text = cell.bytes(column.piece);
        let value = if is_null(column, *cell) { None } else { read(text.trim_ascii()) };
        if value.is_none() && !is_null(column, *cell) && !text.is_empty() {
            misfits.push(row);
        }
        values.append_option(value);
    }
    Converted { array: Arc::new(values.finish()), misfits }
}

fn texts(column: &CellColumn<'_>) -> Converted {
    let byte_count = column.cells.iter().map(|cell| cell.bytes(column.piece).len()).sum();
    let mut values: Vec<u8> = Vec::with_capacity(byte_count);
    let mut offsets: Vec<i32> = Vec::with_capacity(column.cells.len() + 1);
    let mut validity = Validity::default();
    offsets.push(0);
    for (row, cell) in column.cells.iter().enumerate() {
        if is_null(column, *cell) {
            validity.set_null(row);
        } else if cell.is_escaped() {
            column.escapes.undo(cell.bytes(column.piece), &mut values);
        } else {
            values.extend_from_slice(cell.bytes(column.piece));
        }
        offsets.push(i32::try_from(values.len()).expect("a piece is shorter than 2^29 bytes"));
    }
    let validity = validity.finish(column.cells.len());
    let buffer = Buffer::from_vec(values);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    match StringArray::try_new(offsets.clone(), buffer.clone(), validity.clone()) {
        Ok(array) => Converted { array: Arc::new(array), misfits: Vec::new() },
        Err(_) => valid_texts(&offsets, &buffer, validity.as_ref()),
    }
}

/// The texts that are UTF-8; the others are misfits.
#[cold]
fn valid_texts(
    offsets: &OffsetBuffer<i32>,
    buffer: &Buffer,
    validity: Option<&NullBuffer>,
) -> Converted {
    let mut misfits = Vec::new();
    let texts: StringArray = (0..offsets.len() - 1)
        .map(|row| {
            let at = |index: usize| usize::try_from(offsets[index]).unwrap_or(0);
            let text = std::str::from_utf8(&buffer[at(row)..at(row + 1)]).ok();
            if text.is_none() {
                misfits.push(row);
            }
            text.filter(|_| validity.is_none_or(|validity| validity.is_valid(row)))
        })
        .collect();
    Converted { array: Arc::new(texts), misfits }
}

/// As `CAST(text AS data_type)`; numbers with `point`, and whole ones also as `1.0`, `1e5` or `0x1f`.
fn cast(column: &CellColumn<'_>, data_type: DataType, point: u8) -> Result<Converted> {
    let parsed = |text: &[u8]| {
        let text = std::str::from_utf8(text).ok()?;
        if point == b'.' || !data_type.is_numeric() {
            return Value::parse(text, data_type).ok();
        }
        Value::parse(&text.replace(char::from(point), "."), data_type).ok()
    };
    let integer = |text: &[u8]| match parsed(text)? {
        Value::Int(value) => Some(value),
        _ => None,
    };
    macro_rules! integers {
        ($arrow:ty) => {
            typed(
                strictly(column, |column| {
                    if !data_type.is_integer() {
                        return primitives::<$arrow>(column, |text| {
                            <$arrow as ArrowPrimitiveType>::Native::try_from(integer(text)?).ok()
                        });
                    }
                    numbers::<$arrow>(column, |text| {
                        let value = small(text).map(i128::from);
                        let value = value.or_else(|| integer(text)).or_else(|| odd_whole(text))?;
                        <$arrow as ArrowPrimitiveType>::Native::try_from(value).ok()
                    })
                }),
                data_type,
            )?
        };
    }
    Ok(match data_type {
        DataType::Utf8 => texts(column),
        DataType::Bool => strictly(column, |column| {
            booleans(column, |text| match parsed(text)? {
                Value::Bool(value) => Some(value),
                _ => None,
            })
        }),
        DataType::Float64 => strictly(column, |column| {
            numbers::<Float64Type>(column, |text| {
                float(text, point).or_else(|| match parsed(text)? {
                    Value::Float(value) => Some(value),
                    _ => None,
                })
            })
        }),
        DataType::Float32 => strictly(column, |column| {
            numbers::<Float32Type>(column, |text| {
                let text = std::str::from_utf8(text).ok()?;
                parse_float32(&text.replace(char::from(point), ".")).ok()
            })
        }),
        DataType::Decimal { .. } => {
            typed(strictly(column, |column| numbers::<Decimal128Type>(column, integer)), data_type)?
        }
        DataType::Date => strictly(column, |column| {
            primitives::<Date32Type>(column, |text| {
                date(text, DateOrder::Ymd).or_else(|| i32::try_from(integer(text)?).ok())
            })
        }),
        DataType::Binary | DataType::Uuid => bytes(column, data_type, parsed)?,
        _ => match_integer_type!(data_type, integers, texts(column)),
    })
}

/// A whole number as programs write it that know only floats, or as hexadecimal digits.
fn odd_whole(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i128::from_str_radix(digits, 16).ok().filter(|value| *value >= 0);
    }
    let scaled = parse_decimal(text, 38, 15).ok()?;
    let unit = 10_i128.pow(15);
    (scaled % unit == 0).then(|| scaled / unit)
}

/// Where the type was given, an empty cell in quotes is a text like any other.
fn strictly(column: &CellColumn<'_>, read: impl Fn(&CellColumn<'_>) -> Converted) -> Converted {
    let mut converted = read(column);
    let empty = column.cells.iter().enumerate().filter(|(_, cell)| {
        cell.is_quoted() && cell.bytes(column.piece).is_empty() && !is_null(column, **cell)
    });
    let found = converted.misfits.len();
    converted.misfits.extend(empty.map(|(row, _)| row));
    if converted.misfits.len() > found {
        converted.misfits.sort_unstable();
        converted.misfits.dedup();
    }
    converted
}

fn bytes(
    column: &CellColumn<'_>,
    data_type: DataType,
    read: impl Fn(&[u8]) -> Option<Value>,
) -> Result<Converted> {
    let mut misfits = Vec::new();
    let values: Vec<Option<Value>> = (0..column.cells.len())
        .map(|row| {
            let cell = column.cells[row];
            if is_null(column, cell) {
                return None;
            }
            let value = read(column.text(row).as_bytes());
            if value.is_none() {
                misfits.push(row);
            }
            value
        })
        .collect();
    let array: ArrayRef = if data_type == DataType::Uuid {
        let mut builder = FixedSizeBinaryBuilder::with_capacity(values.len(), 16);
        for value in &values {
            match value {
                Some(Value::Uuid(uuid)) => builder.append_value(uuid)?,
                _ => builder.append_null(),
            }
        }
        Arc::new(builder.finish())
    } else {
        let mut builder = BinaryBuilder::new();
        for value in &values {
            match value {
                Some(Value::Bytes(bytes)) => builder.append_value(bytes),
                _ => builder.append_null(),
            }
        }
        Arc::new(builder.finish())
    };
    Ok(Converted { array, misfits })
}

/// By a pattern of `strftime`.
fn by_pattern(column: &CellColumn<'_>, data_type: DataType, pattern: &str) -> Result<Converted> {
    Ok(match data_type {
        DataType::Date => primitives::<Date32Type>(column, |text| pattern::date(text, pattern)),
        DataType::Time(_) => {
            primitives::<Time64MicrosecondType>(column, |text| pattern::time(text, pattern))
        }
        DataType::Timestamp { zoned: true, .. } => typed(
            primitives::<TimestampMicrosecondType>(column, |text| pattern::zoned(text, pattern)),
            DataType::Timestamp { unit: TimeUnit::Microsecond, zoned: true },
        )?,
        _ => {
            primitives::<TimestampMicrosecondType>(column, |text| pattern::timestamp(text, pattern))
        }
    })
}

/// Validity that costs nothing while there is no NULL.
#[derive(Default)]
struct Validity {
    /// One per row up to the last NULL.
    bits: Option<arrow::array::BooleanBufferBuilder>,
}

impl Validity {
    #[inline]
    fn set_null(&mut self, row: usize) {
        let bits =
            self.bits.get_or_insert_with(|| arrow::array::BooleanBufferBuilder::new(row + 1));
        bits.append_n(row - bits.len(), true);
        bits.append(false);
    }

    fn finish(self, len: usize) -> Option<NullBuffer> {
        let mut bits = self.bits?;
        bits.append_n(len - bits.len(), true);
        Some(NullBuffer::new(bits.finish()))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::catalog::files::{Patterns, Reading};
    use crate::ingest::cell::{Escapes, Nulls};

    fn converted(cells: &[&str], reading: &ReadAs) -> Converted {
        let mut piece = Vec::new();
        let cells: Vec<Cell> = cells
            .iter()
            .map(|text| {
                let start = piece.len();
                let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                piece.extend_from_slice(inner.unwrap_or(text).as_bytes());
                match inner {
                    Some(_) => Cell::quoted(start, piece.len(), false),
                    None => Cell::plain(start, piece.len()),
                }
            })
            .collect();
        let nulls = Nulls::new(&Reading::default());
        let column = CellColumn {
            piece: &piece,
            cells: &cells,
            escapes: Escapes::Byte(b'"'),
            nulls: &nulls,
            patterns: &Patterns::default(),
        };
        convert(&column, reading).unwrap()
    }

    #[test]
    fn cells_that_do_not_fit_are_listed_and_the_rest_is_read() {
        let found = converted(&["1", "", "x", " -3 ", "\"\""], &ReadAs::Integer);
        assert_eq!(found.misfits, [2]);
        let values: Vec<Option<i64>> = found.array.as_primitive::<Int64Type>().iter().collect();
        assert_eq!(values, [Some(1), None, None, Some(-3), None]);
        let given = converted(&["1", "\"\""], &ReadAs::Cast(DataType::Int64));
        assert_eq!(given.misfits, [1]);
    }

    #[test]
    fn an_empty_text_in_quotes_is_no_null() {
        let found = converted(&["", "\"\"", "ä"], &ReadAs::Text);
        let values: Vec<Option<&str>> = found.array.as_string::<i32>().iter().collect();
        assert_eq!(values, [None, Some(""), Some("ä")]);
        assert_eq!(converted(&["", "\"\"", "1"], &ReadAs::Nothing).misfits, [2]);
    }

    #[test]
    fn every_given_type_is_read_as_a_cast_reads_it() {
        let decimal = DataType::Decimal { precision: 10, scale: 2 };
        let stamp = |unit, zoned| DataType::Timestamp { unit, zoned };
        for (data_type, text) in [
            (DataType::Bool, "true"),
            (DataType::Int8, "-128"),
            (DataType::UInt64, "18446744073709551615"),
            (DataType::Float32, "1.5"),
            (DataType::Float64, "-1e+300"),
            (decimal, "-0.05"),
            (DataType::Date, "0044-03-15 BC"),
            (DataType::Time(TimeUnit::Millisecond), "12:34:56.5"),
            (stamp(TimeUnit::Second, false), "2013-07-01 12:34:56"),
            (stamp(TimeUnit::Nanosecond, true), "2013-07-01 12:34:56.123456789+00"),
            (DataType::Utf8, "x"),
            (DataType::Binary, "\\x00ff"),
            (DataType::Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ] {
            let found = converted(&[text, "", "?"], &ReadAs::Cast(data_type));
            assert_eq!(found.array.data_type(), &data_type.to_arrow(), "{data_type}");
            let value = Value::from_array(&found.array, data_type, 0);
            assert_eq!(value.to_text(data_type), text, "{data_type}");
            assert!(found.array.is_null(1), "{data_type}");
            let takes_all = matches!(data_type, DataType::Utf8 | DataType::Binary);
            let misfits = usize::from(!takes_all);
            assert_eq!(found.misfits.len(), misfits, "{data_type}");
        }
    }

    #[test]
    fn patterns_are_those_of_strftime() {
        let read = |pattern: &str, data_type, text: &str| {
            let found = converted(&[text], &ReadAs::Pattern(data_type, pattern.to_owned()));
            Value::from_array(&found.array, data_type, 0).to_text(data_type)
        };
        assert_eq!(read("%d-%b-%y", DataType::Date, "02-Jan-24"), "2024-01-02");
        assert_eq!(
            read("%m/%d/%Y %I:%M %p", DataType::TIMESTAMP, "01/02/2024 03:04 PM"),
            "2024-01-02 15:04:00"
        );
        assert_eq!(read("%d", DataType::Date, "x"), "NULL");
    }

    #[test]
    fn what_is_not_utf8_is_a_misfit() {
        let piece = b"a\xffb";
        let cells = [Cell::plain(0, 1), Cell::plain(1, 2), Cell::plain(2, 3)];
        let nulls = Nulls::none();
        let escapes = Escapes::Byte(b'"');
        let column = CellColumn {
            piece,
            cells: &cells,
            escapes,
            nulls: &nulls,
            patterns: &Patterns::default(),
        };
        let found = convert(&column, &ReadAs::Text).unwrap();
        assert_eq!(found.misfits, [1]);
        assert_eq!(found.array.as_string::<i32>().value(2), "b");
    }
}
