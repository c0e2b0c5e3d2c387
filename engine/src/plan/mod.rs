//! Plans: typed expressions, what a query asks for (logical), how it is answered (physical), and the
//! rules between the two.
//!
//! A plan is inert data. This module must not know files, threads or buffers; statistics reach it
//! through [`catalog::Table`](crate::catalog::Table).

mod aggregate;
pub mod coercion;
mod display;
mod expression;
mod fallible;
pub mod function;
mod logical;
mod lower;
mod pair_function;
mod physical;
mod quantile;
mod rules;
mod window;
pub mod wire;

pub use self::aggregate::{Aggregate, AggregateFunction};
pub use self::coercion::{
    assignment_cast, common_type, compare, explicit_cast, implicit_cast, in_list, integer_literal,
    try_cast, unify,
};
pub use self::display::{DisplayAggregate, DisplayExpr};
pub use self::expression::{Comparison, Expr, LikePattern};
pub use self::fallible::can_fail;
pub use self::function::{DatePart, Function, resolve};
pub use self::logical::{LogicalPlan, OutputColumn, Scan, ScanColumn, SortKey, Source};
pub use self::lower::physical;
pub use self::pair_function::PairFunction;
pub use self::physical::{PhysicalPlan, Rung};
pub use self::quantile::Quantile;
pub use self::rules::optimize;
pub use self::window::{Window, WindowFunction};

#[cfg(test)]
use self::rules::testing as rules_testing;
