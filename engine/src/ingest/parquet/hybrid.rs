//! Parquet's hybrid of run-length and bit-packed integers: dictionary indices and levels.
//!
//! A run is a variable-length header and its values: an even header is a run length × 2 before one
//! value in whole bytes, an odd one is a count of groups × 2 + 1 before groups of 8 values, packed
//! from the lowest bit on. Must not know pages.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::BooleanBuffer;
use bytes::Bytes;

const ENDED: &str = "a page has fewer values than it says";

/// Reads values of `width_bits` (0…32) bit by bit, in as many calls as wanted.
#[derive(Debug)]
pub(super) struct HybridDecoder {
    bytes: Bytes,
    position: usize,
    width_bits: usize,
    run: Run,
}

#[derive(Clone, Copy, Debug)]
enum Run {
    Repeated { value: u32, left: usize },
    Packed { first_bit: usize, left: usize },
}

impl Run {
    fn left(self) -> usize {
        match self {
            Run::Repeated { left, .. } | Run::Packed { left, .. } => left,
        }
    }

    /// What remains behind `count` values.
    fn behind(self, count: usize, width_bits: usize) -> Run {
        match self {
            Run::Repeated { value, left } => Run::Repeated { value, left: left - count },
            Run::Packed { first_bit, left } => {
                Run::Packed { first_bit: first_bit + count * width_bits, left: left - count }
            }
        }
    }
}

impl HybridDecoder {
    /// A decoder of all of `bytes`.
    ///
    /// # Errors
    /// When values are wider than 32 bits.
    pub(super) fn new(bytes: Bytes, width_bits: usize) -> Result<HybridDecoder, String> {
        if width_bits > 32 {
            return Err(format!("a page has values of {width_bits} bits"));
        }
        let run = Run::Repeated { value: 0, left: 0 };
        Ok(HybridDecoder { bytes, position: 0, width_bits, run })
    }

    /// Appends the next `count` values to `target`.
    pub(super) fn read(&mut self, count: usize, target: &mut Vec<u32>) -> Result<(), String> {
        let mut wanted = count;
        while wanted > 0 {
            let (run, run_len) = self.next_part(wanted)?;
            match run {
                Run::Repeated { value, .. } => {
                    target.extend(std::iter::repeat_n(value, run_len));
                }
                Run::Packed { first_bit, .. } => {
                    unpack(&self.bytes, first_bit, self.width_bits, run_len, target);
                }
            }
            wanted -= run_len;
        }
        Ok(())
    }

    /// The next `count` one-bit values.
    pub(super) fn read_bits(&mut self, count: usize) -> Result<BooleanBuffer, String> {
        let mut target = BooleanBufferBuilder::new(count);
        while target.len() < count {
            let (run, run_len) = self.next_part(count - target.len())?;
            match run {
                Run::Repeated { value, .. } => target.append_n(run_len, value & 1 == 1),
                Run::Packed { first_bit, .. } => {
                    target.append_packed_range(first_bit..first_bit + run_len, &self.bytes);
                }
            }
        }
        Ok(target.finish())
    }

    /// At most `wanted` values of the present or next run that has any.
    fn next_part(&mut self, wanted: usize) -> Result<(Run, usize), String> {
        while self.run.left() == 0 {
            self.run = self.next_run()?;
        }
        let run = self.run;
        let run_len = run.left().min(wanted);
        self.run = run.behind(run_len, self.width_bits);
        Ok((run, run_len))
    }

    fn next_run(&mut self) -> Result<Run, String> {
        let header = self.header()?;
        let count = header >> 1;
        if header & 1 == 0 {
            let value_bytes = self.width_bits.div_ceil(8);
            let bytes = self.bytes.get(self.position..self.position + value_bytes).ok_or(ENDED)?;
            let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
            self.position += value_bytes;
            return Ok(Run::Repeated { value, left: count });
        }
        let first_bit = self.position * 8;
        let announced = count.saturating_mul(8);
        // Some writers leave out the padding of the last group.
        let held = match self.width_bits {
            0 => announced,
            width => ((self.bytes.len() - self.position) * 8 / width).min(announced),
        };
        let run_bytes = count.saturating_mul(self.width_bits);
        self.position = self.position.saturating_add(run_bytes).min(self.bytes.len());
        Ok(Run::Packed { first_bit, left: held })
    }

    fn header(&mut self) -> Result<usize, String> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = *self.bytes.get(self.position).ok_or(ENDED)?;
            self.position += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(value).map_err(|error| error.to_string());
            }
        }
        Err("a page has a run that is too long".to_owned())
    }
}

/// Appends `count` values of `width_bits` that start at `first_bit`; all lie within `bytes`.
fn unpack(bytes: &[u8], first_bit: usize, width_bits: usize, count: usize, target: &mut Vec<u32>) {
    let keep = (1_u64 << width_bits) - 1;
    target.extend((0..count).map(|index| {
        let bit = first_bit + index * width_bits;
        let byte = bit / 8;
        let word = match bytes.get(byte..byte + 8).and_then(|bytes| bytes.first_chunk::<8>()) {
            Some(word) => u64::from_le_bytes(*word),
            None => last_word(&bytes[byte.min(bytes.len())..]),
        };
        u32::try_from(word >> (bit % 8) & keep).unwrap_or(u32::MAX)
    }));
}

fn last_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Encodes runs as (repeated?, values): repeated ones take their first value.
    fn encode(runs: &[(bool, Vec<u32>)], width_bits: usize) -> (Vec<u8>, Vec<u32>) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (repeated, values) in runs {
            let length = u8::try_from(values.len()).expect("short");
            if *repeated {
                bytes.push(length << 1);
                bytes.extend(&values[0].to_le_bytes()[..width_bits.div_ceil(8)]);
                expected.extend(std::iter::repeat_n(values[0], values.len()));
                continue;
            }
            let groups = length.div_ceil(8);
            bytes.push(groups << 1 | 1);
            let mut packed = vec![0_u8; usize::from(groups) * width_bits];
            for (index, value) in values.iter().enumerate() {
                for bit in 0..width_bits {
                    let place = index * width_bits + bit;
                    packed[place / 8] |= u8::from(value >> bit & 1 == 1) << (place % 8);
                }
            }
            bytes.extend(packed);
            expected.extend(values);
            expected.extend(std::iter::repeat_n(0, usize::from(groups) * 8 - values.len()));
        }
        (bytes, expected)
    }

    proptest! {
        #[test]
        fn runs_decode_to_what_was_encoded_in_pieces_of_any_length(
            width_bits in 0_usize..=32,
            runs in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(any::<u32>(), 1..60)), 1..8),
            piece in 1_usize..50,
        ) {
            let keep = u32::try_from((1_u64 << width_bits) - 1).expect("32 bits");
            let runs: Vec<_> = runs.into_iter()
                .map(|(repeated, values)| {
                    (repeated, values.into_iter().map(|value| value & keep).collect::<Vec<_>>())
                })
                .collect();
            let (bytes, expected) = encode(&runs, width_bits);
            let mut decoder = HybridDecoder::new(Bytes::from(bytes), width_bits).expect("narrow");
            let mut values = Vec::new();
            while values.len() < expected.len() {
                let count = piece.min(expected.len() - values.len());
                decoder.read(count, &mut values).expect("holds them");
            }
            prop_assert_eq!(&values, &expected);
            prop_assert!(decoder.read(1, &mut values).is_err());
        }

        #[test]
        fn bits_decode_like_values(
            runs in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(0_u32..2, 1..60)), 1..8),
            first in 0_usize..20,
        ) {
            let (bytes, expected) = encode(&runs, 1);
            let first = first.min(expected.len());
            let mut decoder = HybridDecoder::new(Bytes::from(bytes), 1).expect("narrow");
            let mut bits: Vec<u32> =
                decoder.read_bits(first).expect("holds them").iter().map(u32::from).collect();
            bits.extend(decoder.read_bits(expected.len() - first).expect("holds them").iter()
                .map(u32::from));
            prop_assert_eq!(bits, expected);
        }

        #[test]
        fn garbage_ends_in_an_error_or_in_values(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            width_bits in 0_usize..40,
        ) {
            if let Ok(mut decoder) = HybridDecoder::new(Bytes::from(bytes), width_bits) {
                let mut values = Vec::new();
                if decoder.read(1_000, &mut values).is_ok() {
                    prop_assert_eq!(values.len(), 1_000);
                }
            }
        }
    }
}
