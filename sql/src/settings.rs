//! What `SET` changes, for one connection.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use martlet_engine::context::{Context, MemoryBudget};
use martlet_engine::types::{Error, Result};

use crate::output::parse_byte_size;
use crate::parse::Name;
use crate::suggest;

/// A connection's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    time_zone: Arc<str>,
    worker_count: Option<usize>,
    /// A budget of the connection's own.
    memory: Option<MemoryBudget>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { time_zone: "UTC".into(), worker_count: None, memory: None }
    }
}

const NAMES: [&str; 3] = ["timezone", "threads", "memory_limit"];

impl Settings {
    /// `SET name = value`.
    pub(crate) fn set(&mut self, name: &Name, value: &str) -> Result<()> {
        let wrong = |what: &str| {
            Err(Error::invalid(format!("{} takes {what}, not '{value}'", name.text))
                .at(name.position))
        };
        match name.text.to_lowercase().as_str() {
            "timezone" => match Tz::from_str(value) {
                Ok(_) => self.time_zone = value.into(),
                Err(_) => return wrong("a time zone such as 'Europe/Berlin'"),
            },
            "threads" => match value.parse() {
                Ok(count @ 1..=1_024) => self.worker_count = Some(count),
                _ => return wrong("a number from 1 to 1024"),
            },
            "memory_limit" => match parse_byte_size(value) {
                Ok(bytes) => self.memory = Some(MemoryBudget::new(bytes)),
                Err(_) => return wrong("a size such as '4GB'"),
            },
            other => {
                return Err(Error::unknown_name(format!("there is no setting \"{other}\""))
                    .with_suggestions(suggest::nearest(other, NAMES.into_iter()))
                    .with_hint("there are timezone, threads and memory_limit")
                    .at(name.position));
            }
        }
        Ok(())
    }

    /// Puts the settings into a statement's context.
    pub(crate) fn apply(&self, context: &mut Context) {
        context.time_zone = Arc::clone(&self.time_zone);
        if let Some(worker_count) = self.worker_count {
            context.worker_count = worker_count.min(context.worker_count);
        }
        if let Some(memory) = &self.memory {
            context.memory = memory.clone();
        }
    }
}
