//! Typed expressions over the columns of one input.
//!
//! An expression is checked when it is built: every node knows its type, and operands of one
//! operator have one type (the builder adds the casts). Evaluation is `exec`'s work.

use super::function::Function;
use crate::types::{DataType, Value};

/// A comparison. NULL on either side gives NULL, except for the two `Distinct` forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `IS DISTINCT FROM`: NULL equals NULL; never NULL.
    Distinct,
    /// `IS NOT DISTINCT FROM`.
    NotDistinct,
}

impl Comparison {
    /// The comparison that is true where this one is false; both are NULL together.
    #[must_use]
    pub fn negated(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
            Comparison::Distinct => Comparison::NotDistinct,
            Comparison::NotDistinct => Comparison::Distinct,
        }
    }

    /// The comparison that says the same with its sides exchanged.
    #[must_use]
    pub fn swapped(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }
}

/// A LIKE pattern, fixed at planning.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LikePattern {
    /// The pattern with `%` and `_`.
    pub pattern: String,
    /// The escape character; backslash unless the query says otherwise, `None` for `ESCAPE ''`.
    pub escape: Option<char>,
    /// ILIKE.
    pub case_insensitive: bool,
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// The input's column `index`.
    Column {
        /// Position among the input's columns.
        index: usize,
        /// Its type.
        data_type: DataType,
    },
    /// A constant.
    Literal {
        /// The value; `Null` is allowed for every type.
        value: Value,
        /// Its type.
        data_type: DataType,
    },
    /// A prepared statement's parameter, replaced by a literal before planning ends.
    Parameter {
        /// Counted from 0.
        index: usize,
        /// The type it was bound with.
        data_type: DataType,
    },
    /// `CAST(input AS data_type)`.
    Cast {
        /// What is cast.
        input: Box<Expr>,
        /// To what.
        data_type: DataType,
        /// `TRY_CAST`: NULL instead of an error.
        or_null: bool,
    },
    /// Two operands of one type, compared.
    Compare {
        /// How.
        op: Comparison,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// Conjunction in three-valued logic; true when empty.
    And(Vec<Expr>),
    /// Disjunction in three-valued logic; false when empty.
    Or(Vec<Expr>),
    /// Negation in three-valued logic.
    Not(Box<Expr>),
    /// `IS NULL`; never NULL itself.
    IsNull(Box<Expr>),
    /// `input IN (list)`: NULL if nothing is equal and something is NULL; false when empty.
    InList {
        /// What is looked for.
        input: Box<Expr>,
        /// Constants of the input's type, NULLs included.
        list: Vec<Value>,
    },
    /// `input LIKE pattern`, over `Utf8`.
    Like {
        /// The text.
        input: Box<Expr>,
        /// The pattern.
        pattern: LikePattern,
    },
    /// `CASE WHEN … THEN … ELSE … END`; a simple CASE is bound as comparisons. A branch is only
    /// evaluated for the rows that reach it.
    Case {
        /// (predicate, result), in order.
        branches: Vec<(Expr, Expr)>,
        /// ELSE; NULL when absent.
        otherwise: Option<Box<Expr>>,
        /// The type of every result.
        data_type: DataType,
    },
    /// A scalar function; its argument types are those that
    /// [`resolve`](super::function::resolve) asked for.
    Call {
        /// Which.
        function: Function,
        /// Arguments.
        arguments: Vec<Expr>,
        /// Result type.
        data_type: DataType,
    },
}

impl Expr {
    /// A column reference.
    pub fn column(index: usize, data_type: DataType) -> Expr {
        Expr::Column { index, data_type }
    }

    /// A constant.
    pub fn literal(value: Value, data_type: DataType) -> Expr {
        Expr::Literal { value, data_type }
    }

    /// The type of its values.
    pub fn data_type(&self) -> DataType {
        match self {
            Expr::Column { data_type, .. }
            | Expr::Literal { data_type, .. }
            | Expr::Parameter { data_type, .. }
            | Expr::Cast { data_type, .. }
            | Expr::Case { data_type, .. }
            | Expr::Call { data_type, .. } => *data_type,
            Expr::Compare { .. }
            | Expr::And(_)
            | Expr::Or(_)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::InList { .. }
            | Expr::Like { .. } => DataType::Bool,
        }
    }

    /// This expression cast to `data_type`; itself when it has that type already.
    #[must_use]
    pub fn cast_to(self, data_type: DataType) -> Expr {
        if self.data_type() == data_type {
            return self;
        }
        if let Expr::Literal { value: Value::Null, .. } = self {
            return Expr::literal(Value::Null, data_type);
        }
        Expr::Cast { input: Box::new(self), data_type, or_null: false }
    }

    /// The direct operands, in order.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Column { .. } | Expr::Literal { .. } | Expr::Parameter { .. } => Vec::new(),
            Expr::Cast { input, .. }
            | Expr::Not(input)
            | Expr::IsNull(input)
            | Expr::InList { input, .. }
            | Expr::Like { input, .. } => vec![input],
            Expr::Compare { left, right, .. } => vec![left, right],
            Expr::And(terms) | Expr::Or(terms) => terms.iter().collect(),
            Expr::Case { branches, otherwise, .. } => branches
                .iter()
                .flat_map(|(predicate, result)| [predicate, result])
                .chain(otherwise.as_deref())
                .collect(),
            Expr::Call { arguments, .. } => arguments.iter().collect(),
        }
    }

    /// The direct operands, in order, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Expr::Column { .. } | Expr::Literal { .. } | Expr::Parameter { .. } => Vec::new(),
            Expr::Cast { input, .. }
            | Expr::Not(input)
            | Expr::IsNull(input)
            | Expr::InList { input, .. }
            | Expr::Like { input, .. } => vec![input],
            Expr::Compare { left, right, .. } => vec![left, right],
            Expr::And(terms) | Expr::Or(terms) => terms.iter_mut().collect(),
            Expr::Case { branches, otherwise, .. } => branches
                .iter_mut()
                .flat_map(|(predicate, result)| [predicate, result])
                .chain(otherwise.as_deref_mut())
                .collect(),
            Expr::Call { arguments, .. } => arguments.iter_mut().collect(),
        }
    }

    /// Calls `visit` on every column index, in order of appearance, with repetitions.
    pub fn for_each_column(&self, visit: &mut impl FnMut(usize)) {
        if let Expr::Column { index, .. } = self {
            visit(*index);
        }
        for child in self.children() {
            child.for_each_column(visit);
        }
    }

    /// Replaces every column index by `map(index)`.
    pub fn map_columns(&mut self, map: &impl Fn(usize) -> usize) {
        if let Expr::Column { index, .. } = self {
            *index = map(*index);
        }
        for child in self.children_mut() {
            child.map_columns(map);
        }
    }
}
