//! Room on the stack for long statements, and a border that no panic crosses.
//!
//! sqlparser builds and drops its trees recursively: a chain of ten thousand ORs is ten thousand
//! levels deep. A tree cannot be deeper than its text is long, so that a long text is parsed, bound
//! and dropped on a thread whose stack is in proportion to it.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use martlet_engine::types::{Error, Result};

/// Shorter texts fit any stack: at most this many levels, each of a few hundred bytes.
const SHORT_BYTES: usize = 4_096;
/// Stack for each byte of text; a level takes two bytes of text at least.
const STACK_BYTES_PER_BYTE: usize = 512;
/// A base for what does not depend on the text.
const STACK_BYTES_BASE: usize = 8 << 20;
/// Longer texts are refused: their stack might not fit the address space.
const TEXT_BYTES_MAX: usize = 256 << 20;

/// Runs `work` with a stack that holds any tree of a text of `text_bytes`.
///
/// # Errors
/// Those of `work`; `Internal` when it panics.
pub(crate) fn with_room_for<T: Send>(
    text_bytes: usize,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    if text_bytes <= SHORT_BYTES {
        return catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic)));
    }
    if text_bytes > TEXT_BYTES_MAX {
        let limit = TEXT_BYTES_MAX >> 20;
        let message = format!("a statement of more than {limit} MiB is not supported");
        return Err(Error::unsupported(message)
            .with_hint("append rows through Connection::appender or load a file"));
    }
    let stack_bytes = STACK_BYTES_BASE + text_bytes * STACK_BYTES_PER_BYTE;
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("martlet-plan".to_owned());
        let handle = builder
            .stack_size(stack_bytes)
            .spawn_scoped(scope, work)
            .map_err(|error| Error::out_of_memory(format!("cannot start a thread: {error}")))?;
        handle.join().unwrap_or_else(|panic| Err(panicked(&*panic)))
    })
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Error::internal(format!("a statement panicked: {}", text.unwrap_or_default()))
        .with_hint("this is a bug; the database is unharmed")
}

/// A tree of a long text: dropped with room on the stack.
pub(crate) struct Deep<T: Send> {
    value: Option<T>,
    text_bytes: usize,
}

impl<T: Send> Deep<T> {
    /// A tree of a text of `text_bytes`.
    pub(crate) fn new(value: T, text_bytes: usize) -> Deep<T> {
        Deep { value: Some(value), text_bytes }
    }

    /// The tree.
    pub(crate) fn get(&self) -> &T {
        self.value.as_ref().expect("it is taken on drop only")
    }

    /// The tree, to be changed.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is taken on drop only")
    }
}

impl<T: Send> Drop for Deep<T> {
    fn drop(&mut self) {
        let value = self.value.take();
        // Without a thread it is dropped here: better than not at all.
        let dropped = with_room_for(self.text_bytes, || {
            drop(value);
            Ok(())
        });
        drop(dropped);
    }
}

impl<T: Send> fmt::Debug for Deep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deep").field("text_bytes", &self.text_bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        for text_bytes in [1, SHORT_BYTES + 1] {
            let result: Result<()> = with_room_for(text_bytes, || panic!("oh {text_bytes}"));
            let error = result.expect_err("it panicked");
            assert!(error.message().contains("oh"), "{error}");
        }
    }
}
