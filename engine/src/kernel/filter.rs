//! Tests of values into bits, one bit a row: bit `i % 64` of word `i / 64`.
//!
//! A block is compared into 1,024 bytes of 0 and 1 first, and eight bytes are then gathered into eight
//! bits by one multiplication. The first loop vectorises on every instruction set, the second with
//! AVX2 and AVX-512 (NEON multiplies no lanes of 64 bits: there it is a scalar multiplication for eight
//! rows), where setting one bit of a word after the other does not.
#![expect(clippy::cast_possible_truncation, reason = "the top byte of a product; rows of a block")]

use super::bitpack::{BLOCK_LEN, unpack};
use super::dispatch::{self, vectorised};
use super::lane::Lane;

/// Words that hold a bit for each value of a block.
pub(crate) const BLOCK_WORDS: usize = BLOCK_LEN / 64;

vectorised! {
    /// Which of `values` are in the circular range that starts at `low` and reaches `span` further.
    fn within<L: Lane>(values: &[L; BLOCK_LEN], low: L, span: L, bits: &mut [u64; BLOCK_WORDS]) = within_body
}

#[inline(always)]
fn within_body<L: Lane>(values: &[L; BLOCK_LEN], low: L, span: L, bits: &mut [u64; BLOCK_WORDS]) {
    let mut passes = [0_u8; BLOCK_LEN];
    for (pass, value) in passes.iter_mut().zip(values) {
        *pass = u8::from(value.wrapping_sub(low) <= span);
    }
    gather_bits(&passes, bits);
}

/// Clears the bits of a packed block's values, of `width` bits each, that are not in the circular range
/// that starts at `low` and reaches `span` further.
///
/// # Panics
/// When `packed` is shorter than `width` word rows or `width` is more than a lane has.
pub(crate) fn keep_within<P: Lane>(
    width: u32,
    packed: &[P],
    (low, span): (P, P),
    bits: &mut [u64; BLOCK_WORDS],
) {
    assert!(width <= P::BITS && packed.len() >= width as usize * P::LANES);
    if width > 0 && dispatch::keep_within_avx512(width, packed, (low, span), bits) {
        return;
    }
    let mut values = [P::default(); BLOCK_LEN];
    unpack(width, packed, P::default(), &mut values);
    let mut passing = [0; BLOCK_WORDS];
    within(&values, low, span, &mut passing);
    bits.iter_mut().zip(passing).for_each(|(word, passing)| *word &= passing);
}

vectorised! {
    /// Which of `values` have their bit set in `table`: bit `d % 32` of word `d / 32`, where `d` is the
    /// distance from `low`.
    ///
    /// # Panics
    /// When the table is empty.
    fn in_window<L: Lane>(values: &[L; BLOCK_LEN], low: L, table: &[u32], bits: &mut [u64; BLOCK_WORDS]) = in_window_body
}

#[inline(always)]
fn in_window_body<L: Lane>(
    values: &[L; BLOCK_LEN],
    low: L,
    table: &[u32],
    bits: &mut [u64; BLOCK_WORDS],
) {
    // A bound that is checked in the loop would keep it from being vectorised.
    assert!(!table.is_empty(), "a table has a word at least");
    let mut passes = [0_u8; BLOCK_LEN];
    for (pass, value) in passes.iter_mut().zip(values) {
        *pass = bit_of(table, value.wrapping_sub(low).to_u64());
    }
    gather_bits(&passes, bits);
}

/// The golden ratio in 64 bits (Knuth's multiplicative hashing).
const HASH: u64 = 0x9E37_79B9_7F4A_7C15;

/// The hash of a value, of `64 - shift` bits, that [`in_hashes`] asks for.
#[inline(always)]
pub(crate) fn hash_of(value: u64, shift: u32) -> u64 {
    value.wrapping_mul(HASH) >> shift
}

vectorised! {
    /// Which of `values` have the bit of their hash set in `table`, which has a bit for every hash.
    ///
    /// # Panics
    /// When the table is empty.
    fn in_hashes<L: Lane>(values: &[L; BLOCK_LEN], shift: u32, table: &[u32], bits: &mut [u64; BLOCK_WORDS]) = in_hashes_body
}

#[inline(always)]
fn in_hashes_body<L: Lane>(
    values: &[L; BLOCK_LEN],
    shift: u32,
    table: &[u32],
    bits: &mut [u64; BLOCK_WORDS],
) {
    assert!(!table.is_empty(), "a table has a word at least");
    let mut passes = [0_u8; BLOCK_LEN];
    for (pass, value) in passes.iter_mut().zip(values) {
        *pass = bit_of(table, hash_of(value.to_u64(), shift));
    }
    gather_bits(&passes, bits);
}

/// Bit `index` of a table; 0 beyond. Without a branch, so that loops over it vectorise.
#[inline(always)]
pub(crate) fn bit_of(table: &[u32], index: u64) -> u8 {
    let last = table.len() - 1;
    let word_idx = index >> 5;
    let word = table[(word_idx.min(last as u64)) as usize];
    (word >> (index & 31) & u32::from(word_idx <= last as u64)) as u8 & 1
}

/// The low bits of eight bytes, gathered in the top byte of the product with this.
const GATHER: u64 = 0x0102_0408_1020_4080;

#[inline(always)]
fn gather_bits(passes: &[u8; BLOCK_LEN], bits: &mut [u64; BLOCK_WORDS]) {
    let mut bytes = [0_u8; BLOCK_LEN / 8];
    for (byte, eight) in bytes.iter_mut().zip(passes.as_chunks::<8>().0) {
        *byte = (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) as u8;
    }
    for (word, eight) in bits.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*eight);
    }
}

/// Clears the bits of `rows` whose value has no bit in `table`.
///
/// # Panics
/// When a value with its bit set in `rows` is beyond the table.
#[inline]
pub(crate) fn keep_listed<L: Lane>(values: &[L], table: &[u64], rows: &mut [u64]) {
    let is_listed = |value: &L| {
        let value = value.to_u64() as usize;
        table[value / 64] >> (value % 64) & 1
    };
    for (values, word) in values.chunks(64).zip(rows) {
        if word.count_ones() < DENSE {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                *word &= !((is_listed(&values[bit as usize]) ^ 1) << bit);
                left &= left - 1;
            }
        } else {
            let listed = |bits, (bit, value)| bits | is_listed(value) << bit;
            *word &= values.iter().enumerate().fold(0, listed);
        }
    }
}

/// Rows of a word from which testing all 64 costs no more than testing each.
const DENSE: u32 = 24;

/// Appends the positions of the set bits of `words`; the first bit is at `first`.
pub(crate) fn push_positions(words: &[u64], first: u32, target: &mut Vec<u32>) {
    let count = count_bits(words);
    if !dispatch::push_positions_avx512(words, count, first, target) {
        push_positions_any(words, count, first, target);
    }
}

vectorised! {
    fn push_positions_any(words: &[u64], count: usize, first: u32, target: &mut Vec<u32>) = push_positions_body
}

#[inline(always)]
fn push_positions_body(words: &[u64], count: usize, first: u32, target: &mut Vec<u32>) {
    let mut end = target.len();
    // Eight places are written at once, whatever is set: few branches, few of them guessed wrong.
    target.resize(end + count + 8, 0);
    for (base, word) in (first..).step_by(64).zip(words) {
        if *word == 0 {
            continue;
        }
        let count = word.count_ones() as usize;
        let mut left = *word;
        for eight in target[end..end + count.next_multiple_of(8)].chunks_exact_mut(8) {
            for place in eight {
                *place = base.wrapping_add(left.trailing_zeros());
                left &= left.wrapping_sub(1);
            }
        }
        end += count;
    }
    target.truncate(end);
}

vectorised! {
    /// How many bits are set.
    fn count_bits(words: &[u64]) -> usize = count_bits_body
}

#[inline(always)]
fn count_bits_body(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

vectorised! {
    /// Whether more than `max` bits are set.
    fn has_more_than(words: &[u64], max: usize) -> bool = has_more_than_body
}

#[inline(always)]
fn has_more_than_body(words: &[u64], max: usize) -> bool {
    let mut count = 0;
    words.iter().any(|word| {
        count += word.count_ones() as usize;
        count > max
    })
}

vectorised! {
    /// The greatest value; the least there is for an empty slice.
    fn max<L: Lane>(values: &[L]) -> L = max_body
}

#[inline(always)]
fn max_body<L: Lane>(values: &[L]) -> L {
    values.iter().fold(L::MIN, |max, value| max.max(*value))
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::super::bitpack::pack;
    use super::*;

    fn is_set(words: &[u64], row: usize) -> bool {
        words[row / 64] >> (row % 64) & 1 == 1
    }

    fn block<L: Lane, const LEN: usize>(seed: u64) -> [L; LEN] {
        let mut state = seed | 1;
        std::array::from_fn(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            L::from_u64(state >> (state >> 59))
        })
    }

    fn within_matches<L: Lane>(seed: u64, low: u64, span: u64) {
        let values: [L; BLOCK_LEN] = block(seed);
        let (low, span) = (L::from_u64(low), L::from_u64(span));
        let mut bits = [seed; BLOCK_WORDS];
        within(&values, low, span, &mut bits);
        for (row, value) in values.iter().enumerate() {
            assert_eq!(is_set(&bits, row), value.wrapping_sub(low) <= span, "row {row}");
        }
        let mut baseline = [0; BLOCK_WORDS];
        within_body(&values, low, span, &mut baseline);
        assert_eq!(baseline, bits);
        for width in 0..=L::BITS {
            let mut packed = vec![L::default(); width as usize * L::LANES];
            pack(width, &values, &mut packed);
            let before: [u64; BLOCK_WORDS] = block(seed ^ u64::from(width));
            let mut kept = before;
            keep_within(width, &packed, (low, span), &mut kept);
            for (row, value) in values.iter().enumerate() {
                let passes = value.and(L::mask(width)).wrapping_sub(low) <= span;
                assert_eq!(is_set(&kept, row), passes && is_set(&before, row), "width {width}");
            }
        }
        assert_eq!(max(&values), values.iter().copied().max().unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn ranges_match_one_value_at_a_time(seed: u64, low: u64, span: u64, shift in 0..64_u32) {
            within_matches::<u8>(seed, low, span >> shift);
            within_matches::<u16>(seed, low, span >> shift);
            within_matches::<u32>(seed, low, span >> shift);
            within_matches::<u64>(seed, low, span >> shift);
        }

        #[test]
        fn windows_and_hashes_match_one_value_at_a_time(seed: u64, low: u16, table: [u32; 8]) {
            let values: [u16; BLOCK_LEN] = block(seed);
            let mut bits = [seed; BLOCK_WORDS];
            in_window(&values, low, &table, &mut bits);
            for (row, value) in values.iter().enumerate() {
                let distance = usize::from(value.wrapping_sub(low));
                let listed = table.get(distance / 32).is_some_and(|w| w >> (distance % 32) & 1 == 1);
                prop_assert_eq!(is_set(&bits, row), listed, "row {}", row);
            }
            in_hashes(&values, 56, &table, &mut bits);
            for (row, value) in values.iter().enumerate() {
                let hash = hash_of(u64::from(*value), 56) as usize;
                prop_assert_eq!(is_set(&bits, row), table[hash / 32] >> (hash % 32) & 1 == 1);
            }
        }

        #[test]
        fn tables_match_one_value_at_a_time(seed: u64, table: [u64; 4], words: [u64; BLOCK_WORDS]) {
            let values: [u8; BLOCK_LEN] = block(seed);
            let mut rows = words;
            for (index, word) in rows.iter_mut().enumerate().filter(|(index, _)| index % 2 == 0) {
                *word &= seed.rotate_left(u32::try_from(index).unwrap()) & seed;
            }
            let before = rows;
            keep_listed(&values, &table, &mut rows);
            for (row, value) in values.iter().enumerate() {
                let expected = is_set(&before, row) && is_set(&table, usize::from(*value));
                prop_assert_eq!(is_set(&rows, row), expected, "row {}", row);
            }
        }

        #[test]
        fn positions_are_those_of_the_bits(mut words: Vec<u64>, first in 0..1000_u32) {
            words.push(u64::MAX);
            let mut found = vec![7];
            push_positions(&words, first, &mut found);
            let rows = (0..words.len() * 64).filter(|row| is_set(&words, *row));
            let naive: Vec<u32> =
                std::iter::once(7).chain(rows.map(|row| first + u32::try_from(row).unwrap())).collect();
            let count = naive.len() - 1;
            prop_assert_eq!(count_bits(&words), count);
            prop_assert!(!has_more_than(&words, count) && has_more_than(&words, count - 1));
            prop_assert_eq!(found, &naive[..]);
            let mut baseline = vec![7];
            push_positions_body(&words, count, first, &mut baseline);
            prop_assert_eq!(baseline, naive);
        }
    }
}
