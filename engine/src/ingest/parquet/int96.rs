//! Which unit the legacy 96-bit timestamps of a column need.
//!
//! INT96 holds nanoseconds of a day beside a Julian day, so any year fits; 64-bit nanoseconds end
//! in 2262. The values decide: nanoseconds where all fit, else microseconds. No statistics tell
//! (INT96 has none), so the column is looked through when the file is opened.

use std::sync::Arc;

use parquet::basic::{Encoding, Type};

use super::file::SourceFile;
use super::pages::{Budget, PageStream};
use super::schema::Leaf;
use crate::ingest::guard::guarded;
use crate::types::{DataType, Error, Result, TimeUnit};

const JULIAN_DAY_OF_EPOCH: i128 = 2_440_588;
const NANOSECONDS_IN_DAY: i128 = 86_400_000_000_000;

/// The least and greatest instant of a column, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    least: i128,
    greatest: i128,
}

impl Extent {
    /// The unit in which all of it can be told.
    pub(super) fn unit(self) -> Result<TimeUnit> {
        if fits(self, 1) {
            Ok(TimeUnit::Nanosecond)
        } else if fits(self, 1_000) {
            Ok(TimeUnit::Microsecond)
        } else {
            Err(Error::out_of_range("a timestamp is outside the years -290,000 to 290,000"))
        }
    }

    /// The extent of both.
    pub(super) fn merge(self, other: Extent) -> Extent {
        Extent { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest) }
    }

    fn include(&mut self, value: &[u8; 12]) {
        let (nanoseconds, day) = value.split_at(8);
        let nanoseconds = nanoseconds.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
        // Days before the Julian era come as negative 32-bit numbers from some writers, but the
        // Parquet crate reads them as unsigned, as the format says.
        let day = day.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let instant =
            (i128::from(day) - JULIAN_DAY_OF_EPOCH) * NANOSECONDS_IN_DAY + i128::from(nanoseconds);
        self.least = self.least.min(instant);
        self.greatest = self.greatest.max(instant);
    }
}

fn fits(extent: Extent, divisor: i128) -> bool {
    let range = i128::from(i64::MIN)..=i128::from(i64::MAX);
    range.contains(&(extent.least / divisor)) && range.contains(&(extent.greatest / divisor))
}

/// Looks through an INT96 column of a file.
pub(super) fn extent(file: &Arc<SourceFile>, leaf: &Leaf, budget: Budget) -> Result<Extent> {
    let mut extent = Extent::default();
    for row_group in 0..file.metadata.num_row_groups() {
        guarded(|| {
            let mut stream = PageStream::open(file, *leaf, row_group, budget)?;
            let mut seen = false;
            while let Some(page) = stream.next_page()? {
                match stream.dictionary() {
                    Some(dictionary) if page.is_dictionary_encoded() => {
                        if !seen {
                            include_all(&dictionary.bytes, &mut extent);
                            seen = true;
                        }
                    }
                    _ if page.encoding == Encoding::PLAIN => {
                        include_all(&page.values(), &mut extent);
                    }
                    _ => return Err(Error::unsupported(format!("INT96 as {}", page.encoding))),
                }
            }
            Ok(())
        })
        .map_err(|error| error.context(format_args!("row group {row_group}")))?;
    }
    Ok(extent)
}

fn include_all(bytes: &[u8], extent: &mut Extent) {
    for value in bytes.as_chunks::<12>().0 {
        extent.include(value);
    }
}

/// Whether a leaf's unit is still to be found.
pub(super) fn is_int96(leaf: &Leaf) -> bool {
    leaf.physical == Type::INT96
}

/// The type of timestamps in `unit`.
pub(super) fn timestamp(unit: TimeUnit) -> DataType {
    DataType::Timestamp { unit, zoned: false }
}
