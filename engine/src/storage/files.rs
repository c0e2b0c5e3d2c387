//! The files that one transaction creates: their numbers, and their end when it is given up.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::backend::Backend;
use super::container::ContainerWriter;
use super::format::{FileKind, Identity};
use crate::types::Result;

/// Creates files with numbers that nobody used, and removes them unless they are kept.
#[derive(Debug)]
pub(super) struct NewFiles {
    backend: Arc<dyn Backend>,
    database: [u8; 16],
    next_id: AtomicU64,
    created: Mutex<Vec<String>>,
}

impl NewFiles {
    /// Files numbered from `next_id` on, or higher where leftovers of a killed writer are.
    pub(super) fn new(
        backend: &Arc<dyn Backend>,
        database: [u8; 16],
        next_id: u64,
    ) -> Result<NewFiles> {
        let taken = backend.list()?.into_iter().filter_map(|name| {
            let (kind, id) = FileKind::parse_name(&name)?;
            (kind != FileKind::DatabaseManifest).then_some(id)
        });
        let next_id = taken.max().map_or(next_id, |id| next_id.max(id.saturating_add(1)));
        Ok(NewFiles {
            backend: Arc::clone(backend),
            database,
            next_id: AtomicU64::new(next_id),
            created: Mutex::default(),
        })
    }

    /// Creates a file of `kind`.
    pub(super) fn create(&self, kind: FileKind) -> Result<ContainerWriter> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let name = kind.file_name(id);
        let identity = Identity { database: self.database, file: id, seal: random() };
        let writer = ContainerWriter::create(&self.backend, &name, kind, identity)?;
        self.created.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        Ok(writer)
    }

    /// The first number that is free.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id.load(Ordering::Relaxed)
    }

    /// Keeps all files: a manifest names them, or may.
    pub(super) fn keep(&self) {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        let created = self.created.get_mut().unwrap_or_else(PoisonError::into_inner);
        for name in created.drain(..) {
            // What cannot be removed now is removed by the next vacuum.
            drop(self.backend.remove(&name));
        }
    }
}

/// A random number; every process has its own secret behind it.
pub(super) fn random() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    RandomState::new().hash_one((call, std::process::id(), super::store::now_us()))
}
