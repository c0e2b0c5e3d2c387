//! Random tables: every type, and every shape of column that storage has an encoding for.

use std::sync::Arc;

use martlet::arrow::array::{ArrayRef, RecordBatch};
use martlet::arrow::compute::concat;
use martlet::arrow::datatypes::{Field, Schema};
use martlet::{DataType, Result, TimeUnit, Value};

use super::Random;
use crate::answer::Row;

/// A table of random columns.
pub(crate) struct RandomTable {
    pub(crate) columns: Vec<(String, DataType)>,
    pub(crate) rows: Vec<Row>,
}

/// How the values of a column relate.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Constant,
    /// One of a few values; seldom, and in the second half only, one that was not there before.
    Few,
    /// Any value.
    Any,
    Sorted,
    /// One of a few values, or NULL, for [`RUN_LEN`] rows at a time: where several columns are so, a
    /// group has one value, or none.
    Runs,
}

/// As many rows of one group as aggregates take together.
const RUN_LEN: usize = 64;

impl RandomTable {
    /// A table of 1 to 12 columns.
    pub(crate) fn new(random: &mut Random) -> RandomTable {
        let row_count = match random.below(12) {
            0 => 0,
            1 => 1,
            2 => 2,
            3 => 63 + random.index(3),
            4..=6 => 255 + random.index(3),
            _ => 3 + random.index(120),
        };
        let column_count = 1 + random.index(12);
        let types: Vec<DataType> = (0..column_count).map(|_| data_type(random)).collect();
        let mut types = types;
        let mut values: Vec<Vec<Value>> =
            types.iter().map(|data_type| column(random, *data_type, row_count)).collect();
        if random.chance(60) {
            types.push(DataType::Utf8);
            values.push(words(random, row_count));
        }
        let row = |row: usize| values.iter().map(|column| column[row].clone()).collect();
        let columns = types.iter().enumerate().map(|(index, t)| (format!("c{index}"), *t));
        RandomTable { columns: columns.collect(), rows: (0..row_count).map(row).collect() }
    }

    /// The statement that makes it, empty.
    pub(crate) fn create_statement(&self, name: &str) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|(name, data_type)| format!("{name} {data_type}")).collect();
        format!("CREATE TABLE {name} ({})", columns.join(", "))
    }

    /// Its rows.
    pub(crate) fn batch(&self) -> Result<RecordBatch> {
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (index, (name, data_type)) in self.columns.iter().enumerate() {
            let cells: Vec<ArrayRef> = self
                .rows
                .iter()
                .map(|row| row[index].to_array(*data_type, 1))
                .collect::<Result<_>>()?;
            let cells: Vec<_> = cells.iter().map(AsRef::as_ref).collect();
            arrays.push(if cells.is_empty() {
                Value::Null.to_array(*data_type, 0)?
            } else {
                concat(&cells)?
            });
            fields.push(Field::new(name, data_type.to_arrow(), true));
        }
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }
}

fn unit(random: &mut Random) -> TimeUnit {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    [Second, Millisecond, Microsecond, Nanosecond][random.index(4)]
}

fn data_type(random: &mut Random) -> DataType {
    use DataType::{
        Binary, Bool, Date, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32,
        UInt64, Utf8, Uuid,
    };
    match random.below(10) {
        0..=2 => [Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64][random.index(8)],
        3 => [Float32, Float64, Float64][random.index(3)],
        4 => {
            let precision = 1 + random.below(38);
            let scale = random.below(precision + 1);
            let digits = |count| u8::try_from(count).expect("at most 38");
            DataType::Decimal { precision: digits(precision), scale: digits(scale) }
        }
        5 | 6 => Utf8,
        7 => [Bool, Binary, Uuid, DataType::Time(unit(random))][random.index(4)],
        8 => Date,
        _ => DataType::Timestamp { unit: unit(random), zoned: random.chance(30) },
    }
}

fn column(random: &mut Random, data_type: DataType, row_count: usize) -> Vec<Value> {
    use Shape::{Any, Constant, Few, Runs, Sorted};
    let shape = [Constant, Few, Few, Any, Any, Sorted, Runs][random.index(7)];
    let null_percent = [0, 0, 5, 50, 95, 100][random.index(6)];
    let few_count = [2, 5, 20][random.index(3)];
    let few: Vec<Value> = (0..few_count).map(|_| value(random, data_type)).collect();
    let value_count = if shape == Runs { row_count.div_ceil(RUN_LEN) } else { row_count };
    let mut values: Vec<Value> = (0..value_count)
        .map(|row| match shape {
            Constant => few[0].clone(),
            Few if row > row_count / 2 && random.chance(2) => value(random, data_type),
            Few | Runs => few[random.index(few.len())].clone(),
            Any | Sorted => value(random, data_type),
        })
        .collect();
    if shape == Sorted {
        values.sort_by(Value::order);
    }
    for value in &mut values {
        if random.chance(null_percent) {
            *value = Value::Null;
        }
    }
    let place = |row: usize| if shape == Runs { row / RUN_LEN } else { row };
    (0..row_count).map(|row| values[place(row)].clone()).collect()
}

/// A text column whose dictionary is large, and grows by a word or two in the second half.
fn words(random: &mut Random, row_count: usize) -> Vec<Value> {
    let text = |row| {
        let number = match random.below(100) {
            0..=2 if row > row_count / 2 => 30 + random.below(2),
            3..=6 => return Value::Null,
            _ => random.below(30),
        };
        Value::Text(format!("word {number}"))
    };
    (0..row_count).map(text).collect()
}

/// A value of the type: often a small one, sometimes an extreme.
pub(super) fn value(random: &mut Random, data_type: DataType) -> Value {
    match data_type {
        DataType::Bool => Value::Bool(random.chance(50)),
        DataType::Float32 => Value::Float(float(random, f32::MAX.into(), 1e-45)),
        DataType::Float64 => Value::Float(float(random, f64::MAX, 5e-324)),
        DataType::Utf8 => Value::Text(text(random)),
        DataType::Binary => {
            let len = [0, 1, 3, 20][random.index(4)];
            Value::Bytes((0..len).map(|_| [0, 1, 0x7f, 0xff][random.index(4)]).collect())
        }
        DataType::Uuid => {
            let (first, last) = (random.below(3), random.below(3));
            let bytes = (u128::from(first) << 120 | u128::from(last)).to_le_bytes();
            Value::Uuid(bytes)
        }
        DataType::Date => {
            let near = i128::from(random.below(800)) + 15_000;
            Value::Int(match random.below(20) {
                0 => -719_162,
                1 => 2_932_896,
                2 => [i128::from(i32::MIN), i128::from(i32::MAX), -800_000][random.index(3)],
                3..=6 => i128::from(random.below(60_000)) - 20_000,
                _ => near,
            })
        }
        DataType::Time(unit) => {
            let per_second = i128::from(unit.per_second());
            let second = i128::from(random.below(86_400));
            Value::Int(second * per_second + i128::from(random.next() >> 33) % per_second)
        }
        DataType::Timestamp { unit, .. } => {
            let per_second = i128::from(unit.per_second());
            let near = i128::from(random.below(100_000_000)) + 1_350_000_000;
            let fraction = i128::from(random.next() >> 33) % per_second;
            Value::Int(match random.below(25) {
                0 => [i64::MIN, i64::MAX, -1, 0][random.index(4)].into(),
                1..=4 => i128::from(random.below(4_000_000_000)) * per_second - 1_000 + fraction,
                5..=12 => near / 86_400 * 86_400 * per_second,
                _ => near * per_second + fraction,
            })
        }
        _ => Value::Int(whole(random, data_type)),
    }
}

fn whole(random: &mut Random, data_type: DataType) -> i128 {
    let (min, max) = match data_type {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::Int64 => (i64::MIN.into(), i64::MAX.into()),
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        DataType::UInt64 => (0, u64::MAX.into()),
        DataType::Decimal { precision, .. } => {
            let limit = 10_i128.pow(precision.into()) - 1;
            (-limit, limit)
        }
        other => panic!("{other} has no whole numbers"),
    };
    let wide = i128::from(random.next()) << 64 | i128::from(random.next() >> 1);
    let drawn = match random.below(12) {
        0 => min,
        1 => max,
        2 => wide,
        3 | 4 => wide >> random.below(127),
        _ => i128::from(random.below(12)) - 2,
    };
    if drawn < min || drawn > max { (drawn % max).abs() } else { drawn }
}

#[expect(clippy::cast_possible_truncation, reason = "a value of both types")]
fn float(random: &mut Random, max: f64, min_positive: f64) -> f64 {
    let small = f64::from(u32::try_from(random.below(2_000)).expect("small"));
    let value = match random.below(24) {
        0 => f64::NAN,
        1 => -0.0,
        2 => 0.0,
        3 => [f64::INFINITY, f64::NEG_INFINITY][random.index(2)],
        4 => [max, -max][random.index(2)],
        5 => min_positive,
        6 => 1e16,
        7 => -1e-5,
        8..=12 => small - 5.0,
        13..=18 => small / 100.0,
        _ => (small - 1_000.0) * 0.1,
    };
    if max > 1e300 { value } else { f64::from(value as f32) }
}

fn text(random: &mut Random) -> String {
    const WORDS: [&str; 16] = [
        "", "a", "ab", "abc", "b", "A", "Ab", "é", "ÄÖ", "日本", "👍", "a%b", "a_b", "a\\b", " a ",
        "ß",
    ];
    match random.below(10) {
        0 => "long ".repeat(1 + random.index(60)) + WORDS[random.index(WORDS.len())],
        1 => format!("{}", random.below(1_000)),
        2 | 3 => format!("prefix {}", random.below(50)),
        4 => format!("{}{}", WORDS[random.index(WORDS.len())], WORDS[random.index(WORDS.len())]),
        _ => WORDS[random.index(WORDS.len())].to_owned(),
    }
}
