//! Files of sections: written once, opened by reference, read one verified section at a time.
//!
//! Must not know what a section means; that is for `chunk`, `table` and `dictionary`.

mod reader;
mod writer;

pub(crate) use self::reader::ContainerFile;
pub(crate) use self::writer::{ContainerWriter, Section};

#[cfg(test)]
mod tests;
