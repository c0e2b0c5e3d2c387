//! CASE between columns and constants, on codes: `CASE WHEN … THEN referer ELSE '' END` stays a
//! column of codes, so that it groups by number and no text is read.
//!
//! All columns among the results have one list of distinct values. A constant that is one of these has
//! its id; others are numbered behind them. Must not know groups.

use std::sync::Arc;

use arrow::array::{ArrayRef, new_empty_array};
use arrow::compute::concat;

use super::per_value::true_rows;
use super::program::Program;
use super::source::ColumnKind;
use crate::context::Context;
use crate::plan::{Expr, can_fail};
use crate::types::{DataType, Error, Result, Value};
use crate::vector::{Batch, CodeBook, DictionaryVector, DistinctValues, IdOf, IdOrder, Vector};

/// Constants beyond the dictionary, at most.
const EXTRAS_MAX: usize = 16;

/// A CASE whose results are columns of one dictionary and constants.
#[derive(Debug)]
pub(crate) struct Choice {
    predicates: Program,
    /// One more than predicates: the last is ELSE.
    results: Vec<Chosen>,
    book: Arc<CodeBook>,
}

#[derive(Clone, Copy, Debug)]
enum Chosen {
    Column(usize),
    Code(u32),
}

impl Choice {
    /// The CASE that `expr` is, over columns of `inputs`, if it is such a one.
    pub(crate) fn of(expr: &Expr, inputs: &[ColumnKind]) -> Option<Choice> {
        let Expr::Case { branches, otherwise, data_type } = expr else { return None };
        // All predicates are evaluated for all rows.
        if branches.iter().any(|(predicate, _)| can_fail(predicate)) {
            return None;
        }
        let null = Expr::literal(Value::Null, *data_type);
        let results: Vec<&Expr> = branches
            .iter()
            .map(|(_, result)| result)
            .chain([otherwise.as_deref().unwrap_or(&null)])
            .collect();
        let identity = shared_book(&results, inputs)?;
        let values = identity.values();
        let id_count = values.id_count();
        let mut extras: Vec<&Value> = Vec::new();
        let mut chosen = Vec::with_capacity(results.len());
        for result in results {
            chosen.push(match result {
                Expr::Column { index, .. } => Some(Chosen::Column(*index)),
                Expr::Literal { value: Value::Null, .. } => None,
                Expr::Literal { value, .. } => Some(Chosen::Code(match values.find_id(value) {
                    IdOf::Unknown => return None,
                    IdOf::Id(id) => id,
                    IdOf::Absent => {
                        let known = extras.iter().position(|extra| *extra == value);
                        let index = known.unwrap_or_else(|| {
                            extras.push(value);
                            extras.len() - 1
                        });
                        id_count.checked_add(u32::try_from(index).ok()?)?
                    }
                })),
                _ => return None,
            });
        }
        let book = if extras.is_empty() {
            identity
        } else if extras.len() <= EXTRAS_MAX {
            Arc::new(CodeBook::identity(Arc::new(Extended::new(&identity, &extras)?)))
        } else {
            return None;
        };
        let null_code = book.null_code();
        let results =
            chosen.into_iter().map(|chosen| chosen.unwrap_or(Chosen::Code(null_code))).collect();
        let predicates: Vec<Expr> =
            branches.iter().map(|(predicate, _)| predicate.clone()).collect();
        Some(Choice { predicates: Program::new(&predicates, inputs, false), results, book })
    }

    /// How results are represented.
    pub(crate) fn kind(&self) -> ColumnKind {
        ColumnKind::Dictionary { identity: Arc::clone(&self.book), by_id: false }
    }

    /// The results for one batch.
    ///
    /// # Errors
    /// Those of the predicates.
    pub(crate) fn run(&self, batch: &Batch, context: &Context) -> Result<Vector> {
        let otherwise = self.results.len() - 1;
        let mut choices = vec![otherwise; batch.len()];
        let verdicts = self.predicates.run(batch, context)?;
        // The first true predicate counts: it is written last.
        for (index, verdict) in verdicts.iter().enumerate().rev() {
            for row in true_rows(verdict)? {
                choices[row as usize] = index;
            }
        }
        let columns = self.results.iter().map(|result| self.codes(*result, batch));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let code = |(row, choice): (usize, usize)| match &columns[choice] {
            Codes::Same(code) => *code,
            Codes::Rows(codes) => codes[row],
        };
        let codes: Vec<u32> = choices.into_iter().enumerate().map(code).collect();
        Ok(Vector::Dictionary(DictionaryVector::new(codes, Arc::clone(&self.book))))
    }

    fn codes(&self, result: Chosen, batch: &Batch) -> Result<Codes> {
        match result {
            Chosen::Code(code) => Ok(Codes::Same(code)),
            Chosen::Column(column) => match &batch.columns()[column] {
                Vector::Dictionary(vector) => {
                    let mut codes = Vec::with_capacity(batch.len());
                    vector.append_ids(self.book.null_code(), &mut codes);
                    Ok(Codes::Rows(codes))
                }
                _ => Err(Error::internal("a column lost its dictionary")),
            },
        }
    }
}

/// The codes of one result.
enum Codes {
    Same(u32),
    Rows(Vec<u32>),
}

/// The one book of ids that all columns among `results` have; there is at least one.
fn shared_book(results: &[&Expr], inputs: &[ColumnKind]) -> Option<Arc<CodeBook>> {
    let mut shared: Option<Arc<CodeBook>> = None;
    for result in results {
        let Expr::Column { index, .. } = result else { continue };
        let ColumnKind::Dictionary { identity, .. } = &inputs[*index] else { return None };
        if identity.values().is_growing() {
            return None;
        }
        match &shared {
            None => shared = Some(Arc::clone(identity)),
            Some(book) if Arc::ptr_eq(book.values(), identity.values()) => {}
            Some(_) => return None,
        }
    }
    shared
}

/// Distinct values with a few more behind them.
#[derive(Debug)]
struct Extended {
    base: Arc<dyn DistinctValues>,
    extras: ArrayRef,
}

impl Extended {
    fn new(identity: &CodeBook, extras: &[&Value]) -> Option<Extended> {
        let data_type = identity.data_type();
        let arrays: Option<Vec<ArrayRef>> =
            extras.iter().map(|value| value.to_array(data_type, 1).ok()).collect();
        let arrays = arrays?;
        let arrays: Vec<_> = arrays.iter().map(AsRef::as_ref).collect();
        let extras = concat(&arrays).ok()?;
        identity.values().id_count().checked_add(u32::try_from(extras.len()).ok()? + 1)?;
        Some(Extended { base: Arc::clone(identity.values()), extras })
    }
}

impl DistinctValues for Extended {
    fn data_type(&self) -> DataType {
        self.base.data_type()
    }

    fn id_count(&self) -> u32 {
        let extra_count = u32::try_from(self.extras.len()).expect("they are few");
        self.base.id_count() + extra_count
    }

    fn values(&self, ids: &[u32]) -> Result<ArrayRef> {
        let base_count = self.base.id_count();
        let (base, extras) = ids.split_at(ids.partition_point(|id| *id < base_count));
        let stored = if base.is_empty() {
            new_empty_array(&self.data_type().to_arrow())
        } else {
            self.base.values(base)?
        };
        let mut arrays = vec![stored];
        for id in extras {
            let index = (id - base_count) as usize;
            if index >= self.extras.len() {
                return Err(Error::internal(format!("no distinct value has the id {id}")));
            }
            arrays.push(self.extras.slice(index, 1));
        }
        let arrays: Vec<_> = arrays.iter().map(AsRef::as_ref).collect();
        Ok(concat(&arrays)?)
    }

    fn order(&self) -> Result<IdOrder<'_>> {
        Ok(IdOrder::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, StringArray};

    use super::*;
    use crate::plan::Comparison;
    use crate::vector::Texts;

    fn text(value: Option<&str>) -> Expr {
        let value = value.map_or(Value::Null, |text| Value::Text(text.into()));
        Expr::literal(value, DataType::Utf8)
    }

    /// Two columns: a number, and a text among a, b, c or NULL.
    fn batch() -> (Batch, Vec<ColumnKind>) {
        let values = Arc::new(Texts(StringArray::from(vec!["a", "b", "c"]), None));
        let values: Arc<dyn DistinctValues> = values;
        let local = Arc::new(CodeBook::mapped(Arc::clone(&values), Arc::new(vec![0_u32, 2])));
        let identity = Arc::new(CodeBook::identity(values));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
        let codes = DictionaryVector::new(vec![1, 0, 2, 1], local);
        let kinds = vec![
            ColumnKind::flat(DataType::Int64),
            ColumnKind::Dictionary { identity, by_id: false },
        ];
        (Batch::new(vec![Vector::Flat(numbers), Vector::Dictionary(codes)], 4), kinds)
    }

    fn case(branches: Vec<(i128, Expr)>, otherwise: Option<Expr>) -> Expr {
        let less = |limit: i128| Expr::Compare {
            op: Comparison::Less,
            left: Box::new(Expr::column(0, DataType::Int64)),
            right: Box::new(Expr::literal(Value::Int(limit), DataType::Int64)),
        };
        Expr::Case {
            branches: branches.into_iter().map(|(limit, result)| (less(limit), result)).collect(),
            otherwise: otherwise.map(Box::new),
            data_type: DataType::Utf8,
        }
    }

    #[test]
    fn a_choice_is_what_the_expression_gives() -> Result<()> {
        let (batch, kinds) = batch();
        let column = || Expr::column(1, DataType::Utf8);
        let cases = [
            case(vec![(3, column())], Some(text(Some("")))),
            case(vec![(3, column())], Some(text(Some("b")))),
            case(vec![(4, column())], None),
            case(vec![(2, text(Some("x"))), (4, column())], Some(text(Some("x")))),
            case(vec![(2, text(Some("a"))), (3, text(Some("y")))], Some(column())),
        ];
        let arrays: Vec<ArrayRef> =
            batch.columns().iter().map(Vector::decode).collect::<Result<_>>()?;
        for expr in cases {
            let choice = Choice::of(&expr, &kinds).expect("columns and constants");
            let found = choice.run(&batch, &Context::new())?.decode()?;
            let expected = crate::exec::expression::evaluate(&expr, &arrays, 4, &Context::new())?;
            assert_eq!(found.as_string::<i32>(), expected.as_string::<i32>(), "{expr:?}");
        }
        let constants = case(vec![(3, text(Some("a")))], None);
        assert!(Choice::of(&constants, &kinds).is_none(), "no column of codes");
        Ok(())
    }
}
