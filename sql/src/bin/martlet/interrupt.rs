//! Ctrl-C stops the statement that runs, not the shell.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use martlet::StatementHandle;

/// What Ctrl-C stops. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    running: Arc<Mutex<Option<StatementHandle>>>,
    was_pressed: Arc<AtomicBool>,
}

impl Interrupt {
    /// From here on, Ctrl-C stops statements and no longer the process.
    ///
    /// # Errors
    /// When the system refuses it.
    pub(crate) fn listen(&self) -> Result<(), ctrlc::Error> {
        let interrupt = self.clone();
        ctrlc::set_handler(move || interrupt.press())
    }

    /// As if somebody pressed Ctrl-C.
    pub(crate) fn press(&self) {
        self.was_pressed.store(true, Ordering::Relaxed);
        if let Some(handle) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.cancel();
        }
    }

    /// Runs `work`, statements that `handle` stands for.
    pub(crate) fn during<T>(&self, handle: &StatementHandle, work: impl FnOnce() -> T) -> T {
        let set = |handle: Option<StatementHandle>| {
            *self.running.lock().unwrap_or_else(PoisonError::into_inner) = handle;
        };
        self.was_pressed.store(false, Ordering::Relaxed);
        set(Some(handle.clone()));
        let outcome = work();
        set(None);
        outcome
    }

    /// Whether Ctrl-C was pressed since the last statement began.
    pub(crate) fn was_pressed(&self) -> bool {
        self.was_pressed.load(Ordering::Relaxed)
    }
}
