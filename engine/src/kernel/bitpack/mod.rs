//! Packs and unpacks blocks of 1,024 integers with `width` bits each.
//!
//! The layout is the interleaved one of FastLanes (Afroozeh and Boncz, PVLDB 16(9), 2023). A lane
//! has T = 8, 16, 32 or 64 bits, and S = 1024 / T lanes stand side by side in a *word row* of 1,024
//! bits. Value `i` belongs to lane `i % S` as its `i / S`-th; in a lane the values follow each other
//! without gaps, from the low bit of word row 0 upwards, and may straddle two word rows:
//!
//! ```text
//!              lane 0          lane 1      …  lane S-1
//! word row 0   v[0] v[S] …     v[1] v[S+1]    v[S-1] v[2S-1]      T bits each
//! word row 1   …
//! ```
//!
//! All lanes are at the same bit at the same time, so one shift and one mask serve a whole register
//! however wide it is. A block of `width` takes `width` word rows (128 × `width` bytes). Rows are in
//! natural order (FastLanes permutes them to share one order between lane sizes, which we do not
//! need), so values come out in order, and a short block needs only its first word rows.
//!
//! The width is an argument and not a constant: a monomorph per width would be a tenth faster at
//! best and sixty times the code (benches/kernels.rs).

mod lanes;
#[cfg(test)]
mod scalar;

use super::dispatch::vectorised;
use super::lane::Lane;

/// Values of a block.
pub(crate) const BLOCK_LEN: usize = 1_024;

vectorised! {
    /// Unpacks a block of `width <= T` bits a value and adds `base` to each.
    ///
    /// `packed` is `width` word rows, lane after lane.
    ///
    /// # Panics
    /// When `packed` is shorter or `width` is more than a lane has.
    fn unpack<L: Lane>(width: u32, packed: &[L], base: L, values: &mut [L; BLOCK_LEN]) = lanes::unpack
}

vectorised! {
    /// Packs the low `width` bits of each value's offset from `base` into `width` word rows.
    ///
    /// # Panics
    /// When `packed` is shorter or `width` is more than a lane has.
    fn pack<L: Lane>(width: u32, values: &[L; BLOCK_LEN], base: L, packed: &mut [L]) = lanes::pack
}

/// The value in place `index` of a packed block, without `base` added.
///
/// # Panics
/// When `packed` does not reach that far or `width` is more than a lane has.
#[inline]
pub(crate) fn get<L: Lane>(width: u32, packed: &[L], index: usize) -> L {
    lanes::get(width, packed, index)
}

/// How many lane words the first `len` values of a block take when packed.
#[inline]
pub(crate) fn packed_words<L: Lane>(width: u32, len: usize) -> usize {
    let rows = len.div_ceil(L::LANES);
    (rows * width as usize).div_ceil(L::BITS as usize) * L::LANES
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block<L: Lane>(seed: u64) -> [L; BLOCK_LEN] {
        let mut state = seed | 1;
        std::array::from_fn(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            L::from_u64(state >> (state >> 59))
        })
    }

    fn every_width_matches_the_specification<L: Lane>(seed: u64, base: u64) {
        let (values, base) = (block::<L>(seed), L::from_u64(base));
        for width in 0..=L::BITS {
            let expected = scalar::pack(width, &values, base);
            let mut packed = vec![L::default(); width as usize * L::LANES];
            pack(width, &values, base, &mut packed);
            assert_eq!(packed, expected, "pack {width} of {}", L::BITS);

            let mut unpacked = [L::MAX; BLOCK_LEN];
            unpack(width, &packed, base, &mut unpacked);
            for (index, value) in unpacked.into_iter().enumerate() {
                let offset = scalar::get(width, &packed, index);
                assert_eq!(value, offset.wrapping_add(base), "unpack {width} of {}", L::BITS);
                assert_eq!(get(width, &packed, index), offset, "get {width} of {}", L::BITS);
                let kept = values[index].wrapping_sub(base).and(L::mask(width));
                assert_eq!(offset, kept, "value {index} at width {width}");
            }

            let mut baseline = [L::MAX; BLOCK_LEN];
            lanes::unpack(width, &packed, base, &mut baseline);
            assert_eq!(baseline, unpacked, "baseline {width} of {}", L::BITS);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]

        #[test]
        fn lanes_of_8_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u8>(seed, base);
        }

        #[test]
        fn lanes_of_16_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u16>(seed, base);
        }

        #[test]
        fn lanes_of_32_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u32>(seed, base);
        }

        #[test]
        fn lanes_of_64_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u64>(seed, base);
        }
    }

    #[test]
    fn a_short_block_needs_only_its_first_word_rows() {
        let mut values = block::<u32>(7);
        let len = 100;
        values[len..].fill(0);
        for width in 0..=32 {
            let mut packed = vec![0; width as usize * u32::LANES];
            pack(width, &values, 0, &mut packed);
            let words = packed_words::<u32>(width, len);
            assert!(packed[words..].iter().all(|word| *word == 0), "width {width}");
            let last = get(width, &packed[..words], len - 1);
            assert_eq!(last, values[len - 1] & u32::mask(width));
        }
    }
}
