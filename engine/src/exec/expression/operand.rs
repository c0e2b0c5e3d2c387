//! What an expression gives: one value per row, or one for all.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Datum, PrimitiveArray, StringArray,
    UInt64Array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute;

use crate::context::{Context, Reservation};
use crate::types::{DataType, Error, Result, Value};

/// An array of the rows, or of one row that stands for all.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    array: ArrayRef,
    is_constant: bool,
}

impl Datum for Operand {
    fn get(&self) -> (&dyn Array, bool) {
        (&self.array, self.is_constant)
    }
}

impl Operand {
    /// One value per row.
    pub(super) fn rows(array: ArrayRef) -> Operand {
        Operand { array, is_constant: false }
    }

    /// The only row of `array` for every row.
    pub(super) fn constant(array: ArrayRef) -> Operand {
        assert_eq!(array.len(), 1, "a constant is one value");
        Operand { array, is_constant: true }
    }

    /// `value` for every row.
    pub(super) fn literal(value: &Value, data_type: DataType) -> Result<Operand> {
        Ok(Operand::constant(value.to_array(data_type, 1)?))
    }

    /// The result of something computed from `inputs`: constant if they all are.
    pub(super) fn computed(array: ArrayRef, inputs: &[Operand]) -> Operand {
        Operand { is_constant: all_constant(inputs), array }
    }

    /// The same rows, with other values.
    pub(super) fn with_array(&self, array: ArrayRef) -> Operand {
        Operand { array, is_constant: self.is_constant }
    }

    pub(super) fn array(&self) -> &ArrayRef {
        &self.array
    }

    pub(super) fn is_constant(&self) -> bool {
        self.is_constant
    }

    /// Whether it is NULL for every row, known without looking at rows.
    pub(super) fn is_constant_null(&self) -> bool {
        self.is_constant && self.array.is_null(0)
    }

    /// The array of `row_count` rows.
    pub(super) fn into_array(self, row_count: usize) -> Result<ArrayRef> {
        if !self.is_constant {
            assert_eq!(self.array.len(), row_count, "an expression gives a value per row");
            return Ok(self.array);
        }
        if row_count == 1 {
            return Ok(self.array);
        }
        let rows = UInt64Array::from_value(0, row_count);
        Ok(compute::take(&self.array, &rows, None)?)
    }

    pub(super) fn as_primitive<T: ArrowPrimitiveType>(&self) -> &PrimitiveArray<T> {
        self.array.as_primitive::<T>()
    }

    pub(super) fn as_boolean(&self) -> &BooleanArray {
        self.array.as_boolean()
    }

    pub(super) fn as_text(&self) -> &StringArray {
        self.array.as_string::<i32>()
    }

    /// Its texts by row.
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts { array: self.as_text(), is_constant: self.is_constant }
    }

    /// Its numbers by row.
    pub(super) fn numbers<T: ArrowPrimitiveType>(&self) -> Numbers<'_, T> {
        let array = self.as_primitive::<T>();
        Numbers { values: array.values(), nulls: array.nulls(), is_constant: self.is_constant }
    }
}

/// Whether the result of these inputs is the same for every row.
pub(super) fn all_constant(inputs: &[Operand]) -> bool {
    inputs.iter().all(Operand::is_constant)
}

/// How many rows have to be computed from these inputs: one if all are constant.
pub(super) fn computed_len(inputs: &[Operand]) -> usize {
    inputs.iter().find(|input| !input.is_constant).map_or(1, |input| input.array.len())
}

/// Texts by row; a constant repeats.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    array: &'a StringArray,
    is_constant: bool,
}

impl<'a> Texts<'a> {
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        let row = if self.is_constant { 0 } else { row };
        self.array.is_valid(row).then(|| self.array.value(row))
    }

    /// The text of every row, when it is one.
    pub(super) fn constant(&self) -> Option<&'a str> {
        if self.is_constant { self.get(0) } else { None }
    }
}

/// Numbers by row; a constant repeats.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a, T: ArrowPrimitiveType> {
    values: &'a ScalarBuffer<T::Native>,
    nulls: Option<&'a NullBuffer>,
    is_constant: bool,
}

impl<T: ArrowPrimitiveType> Numbers<'_, T> {
    pub(super) fn get(&self, row: usize) -> Option<T::Native> {
        let row = if self.is_constant { 0 } else { row };
        match self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(self.values[row]),
        }
    }
}

/// Applies `op` to every non-null value; the result is of `data_type`.
pub(super) fn map<I, O>(
    input: &Operand,
    data_type: DataType,
    op: impl Fn(I::Native) -> Result<O::Native>,
) -> Result<Operand>
where
    I: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    let array: PrimitiveArray<O> = input.as_primitive::<I>().try_unary(op)?;
    Ok(input.with_array(Arc::new(array.with_data_type(data_type.to_arrow()))))
}

/// Applies `op` where both sides are non-null; the result is of `data_type`.
pub(super) fn zip_map<A, B, O>(
    left: &Operand,
    right: &Operand,
    data_type: DataType,
    op: impl Fn(A::Native, B::Native) -> Result<O::Native>,
) -> Result<Operand>
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType,
    O: ArrowPrimitiveType,
{
    if left.is_constant_null() || right.is_constant_null() {
        return Operand::literal(&Value::Null, data_type);
    }
    if right.is_constant {
        let value = right.as_primitive::<B>().value(0);
        return map::<A, O>(left, data_type, |left| op(left, value));
    }
    if left.is_constant {
        let value = left.as_primitive::<A>().value(0);
        return map::<B, O>(right, data_type, |right| op(value, right));
    }
    let (left, right) = (left.as_primitive::<A>(), right.as_primitive::<B>());
    let nulls = NullBuffer::union(left.nulls(), right.nulls());
    let mut values = vec![O::Native::default(); left.len()];
    let pairs = values.iter_mut().zip(left.values().iter().zip(right.values()));
    match &nulls {
        None => {
            for (value, (left, right)) in pairs {
                *value = op(*left, *right)?;
            }
        }
        Some(nulls) => {
            for ((value, (left, right)), is_valid) in pairs.zip(nulls) {
                if is_valid {
                    *value = op(*left, *right)?;
                }
            }
        }
    }
    let array = PrimitiveArray::<O>::new(values.into(), nulls);
    Ok(Operand::rows(Arc::new(array.with_data_type(data_type.to_arrow()))))
}

/// Texts of one result, within memory bounds.
pub(super) struct TextBuilder {
    values: Vec<u8>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
    reservation: Reservation,
}

/// The most bytes of one computed text.
pub(super) const TEXT_BYTES_MAX: usize = 1 << 26;
/// Bytes below which a result is not worth a reservation.
const FREE_BYTES: usize = 1 << 20;

impl TextBuilder {
    pub(super) fn new(row_count: usize, context: &Context) -> TextBuilder {
        let mut offsets = Vec::with_capacity(row_count + 1);
        offsets.push(0);
        TextBuilder {
            values: Vec::new(),
            offsets,
            valid: Vec::with_capacity(row_count),
            reservation: context.memory.reservation("a text function"),
        }
    }

    /// Appends one row's text, or NULL.
    pub(super) fn push(&mut self, text: Option<&str>) -> Result<()> {
        if let Some(text) = text {
            self.values.extend_from_slice(text.as_bytes());
        }
        self.valid.push(text.is_some());
        let end = i32::try_from(self.values.len()).map_err(|_| {
            Error::out_of_memory("the texts of one batch take more than 2 GiB")
                .with_hint("ask for fewer rows a batch, or for shorter texts")
        })?;
        self.offsets.push(end);
        if self.values.capacity() > FREE_BYTES {
            self.reservation.resize(self.values.capacity())?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> StringArray {
        let nulls = NullBuffer::from(self.valid);
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        let offsets = arrow::buffer::OffsetBuffer::new(self.offsets.into());
        StringArray::new(offsets, self.values.into(), nulls)
    }
}

/// Refuses a text longer than [`TEXT_BYTES_MAX`] before it is made.
pub(super) fn check_text_len(function: &str, bytes: Option<usize>) -> Result<()> {
    match bytes {
        Some(bytes) if bytes <= TEXT_BYTES_MAX => Ok(()),
        _ => Err(Error::out_of_range(format!(
            "the result of {function} is longer than {TEXT_BYTES_MAX} bytes"
        ))),
    }
}

/// Texts computed row by row from `inputs`; `op` writes into the buffer and says whether the result
/// is a text or NULL.
pub(super) fn build_texts(
    inputs: &[Operand],
    context: &Context,
    mut op: impl FnMut(usize, &mut String) -> Result<bool>,
) -> Result<Operand> {
    let row_count = computed_len(inputs);
    let mut builder = TextBuilder::new(row_count, context);
    let mut buffer = String::new();
    for row in 0..row_count {
        buffer.clear();
        let is_text = op(row, &mut buffer)?;
        builder.push(is_text.then_some(buffer.as_str()))?;
    }
    Ok(Operand::computed(Arc::new(builder.finish()), inputs))
}
