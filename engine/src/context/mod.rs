//! What every long operation carries: a cancel token with a deadline, a memory budget, progress, the
//! statement's clock and time zone.
//!
//! Must not know what the operation is.

mod cancel;
mod memory;
mod progress;

pub use self::cancel::CancelToken;
pub use self::memory::{MemoryBudget, Reservation, Yielding};
pub use self::progress::Progress;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The execution context of one statement. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Context {
    /// Asks the statement to stop.
    pub cancel: CancelToken,
    /// Counts the bytes it holds.
    pub memory: MemoryBudget,
    /// How far it is.
    pub progress: Arc<Progress>,
    /// What `now()` says, in microseconds since 1970, the same for the whole statement.
    pub now_us: i64,
    /// The IANA name of the session's time zone.
    pub time_zone: Arc<str>,
    /// How many workers it may use.
    pub worker_count: usize,
    /// Rows in a batch, at most.
    pub batch_len: usize,
    /// Groups that a worker keeps in a table; from there on it uses arrays by id or partitions.
    pub table_groups_max: usize,
}

/// Rows in a batch unless the options say otherwise: two blocks of a page.
pub const BATCH_LEN: usize = 4_096;

/// Groups in a worker's table unless the options say otherwise: keys and a few aggregates of so many
/// stay in a core's own cache.
pub const TABLE_GROUPS_MAX: usize = 16_384;

impl Context {
    /// A context without limits, in UTC, with one worker, whose clock reads now.
    pub fn new() -> Context {
        Context {
            cancel: CancelToken::default(),
            memory: MemoryBudget::unlimited(),
            progress: Arc::default(),
            now_us: now_us(),
            time_zone: "UTC".into(),
            worker_count: 1,
            batch_len: BATCH_LEN,
            table_groups_max: TABLE_GROUPS_MAX,
        }
    }
}

impl Default for Context {
    fn default() -> Context {
        Context::new()
    }
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
