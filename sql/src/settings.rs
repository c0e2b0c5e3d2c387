//! What `SET` changes, for one connection.

use std::sync::Arc;

use martlet_engine::context::{Context, MemoryBudget};
use martlet_engine::types::{Error, Result};

use crate::options::Options;
use crate::output::{format_byte_size, parse_byte_size};
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

impl Settings {
    /// Each setting with what it is.
    pub(crate) const DESCRIPTIONS: &[(&str, &str)] = &[
        ("timezone", "the zone in which days begin, and instants are read and shown"),
        ("threads", "how many threads work on a statement"),
        ("memory_limit", "how much memory the statements of this connection may use together"),
    ];

    /// The value of each of [`Settings::DESCRIPTIONS`]; what is not set is the database's.
    pub(crate) fn values(&self, options: &Options) -> [String; 3] {
        let worker_count = self.worker_count.unwrap_or(options.worker_count);
        let memory_limit =
            self.memory.as_ref().map_or(options.memory_limit, MemoryBudget::limit_bytes);
        let bytes = u64::try_from(memory_limit).unwrap_or(u64::MAX);
        [self.time_zone.to_string(), worker_count.to_string(), format_byte_size(bytes)]
    }

    /// `SET name = value`.
    pub(crate) fn set(&mut self, name: &Name, value: &str) -> Result<()> {
        let wrong = |what: &str| {
            Err(Error::invalid(format!("{} takes {what}, not '{value}'", name.text))
                .at(name.position))
        };
        match name.text.to_lowercase().as_str() {
            "timezone" => {
                let zone = suggest::time_zone(value).map_err(|error| error.at(name.position))?;
                self.time_zone = zone.name().into();
            }
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
                    .with_suggestions(suggest::nearest(
                        other,
                        Settings::DESCRIPTIONS.iter().map(|(name, _)| *name),
                    ))
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
