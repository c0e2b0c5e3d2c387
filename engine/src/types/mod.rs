//! Logical types, values and errors: the words that every other module speaks.
//!
//! Must not know files, plans or threads.

mod array;
pub mod calendar;
mod cast;
mod data_type;
mod error;
pub mod text;
mod time_zone;
mod value;

pub(crate) use self::array::match_integer_type;
pub use self::cast::{cast, cast_all};
pub use self::data_type::{DataType, TimeUnit};
pub use self::error::{Error, ErrorKind, Result};
pub use self::time_zone::{NamedZone, Span, TimeZone, ZoneClock};
pub use self::value::{Interval, Value, canonical_float, float_order};
