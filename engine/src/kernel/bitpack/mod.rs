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

use super::dispatch::{self, vectorised};
use super::lane::Lane;

/// Values of a block.
pub(crate) const BLOCK_LEN: usize = 1_024;

/// Unpacks a block of `width` bits a value and adds `base` to each; the values' lanes are at least as
/// wide as the packed ones.
///
/// `packed` is `width` word rows, lane after lane.
///
/// # Panics
/// When `packed` is shorter or `width` is more than a packed lane has.
pub(crate) fn unpack<P: Lane, L: Lane>(
    width: u32,
    packed: &[P],
    base: L,
    values: &mut [L; BLOCK_LEN],
) {
    assert!(width <= P::BITS && packed.len() >= width as usize * P::LANES);
    if width == 0 {
        values.fill(base);
    } else if P::BITS == L::BITS {
        unpack_lanes(width, bytemuck::cast_slice(packed), base, values);
    } else {
        let mut offsets = [P::default(); BLOCK_LEN];
        unpack_lanes(width, packed, P::default(), &mut offsets);
        widen(&offsets, base, values);
    }
}

fn unpack_lanes<L: Lane>(width: u32, packed: &[L], base: L, values: &mut [L; BLOCK_LEN]) {
    if !dispatch::unpack_avx512(width, packed, base, values) {
        unpack_any(width, packed, base, values);
    }
}

vectorised! {
    fn unpack_any<L: Lane>(width: u32, packed: &[L], base: L, values: &mut [L; BLOCK_LEN]) = lanes::unpack
}

vectorised! {
    fn widen<P: Lane, L: Lane>(offsets: &[P; BLOCK_LEN], base: L, values: &mut [L; BLOCK_LEN]) = lanes::widen
}

vectorised! {
    /// Appends `base` plus each offset, in wider lanes.
    fn append_widened<P: Lane, L: Lane>(offsets: &[P], base: L, target: &mut Vec<L>) = lanes::append_widened
}

vectorised! {
    /// Packs the low `width` bits of each offset into `width` word rows.
    ///
    /// # Panics
    /// When `packed` is shorter or `width` is more than a lane has.
    fn pack<L: Lane>(width: u32, offsets: &[L; BLOCK_LEN], packed: &mut [L]) = lanes::pack
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

    fn every_width_matches_the_specification<P: Lane, L: Lane>(seed: u64, base: u64) {
        let (offsets, base) = (block::<P>(seed), L::from_u64(base));
        for width in 0..=P::BITS {
            let expected = scalar::pack(width, &offsets);
            let mut packed = vec![P::default(); width as usize * P::LANES];
            pack(width, &offsets, &mut packed);
            assert_eq!(packed, expected, "pack {width} of {}", P::BITS);

            let mut unpacked = [L::MAX; BLOCK_LEN];
            unpack(width, &packed, base, &mut unpacked);
            for (index, value) in unpacked.into_iter().enumerate() {
                let offset = scalar::get(width, &packed, index);
                let expected = base.wrapping_add(L::from_u64(offset.to_u64()));
                assert_eq!(value, expected, "unpack {width} of {} to {}", P::BITS, L::BITS);
                assert_eq!(get(width, &packed, index), offset, "get {width} of {}", P::BITS);
                let kept = offsets[index].and(P::mask(width));
                assert_eq!(offset, kept, "value {index} at width {width}");
            }

            let mut baseline = [P::default(); BLOCK_LEN];
            if width > 0 {
                unpack_any(width, &packed, P::default(), &mut baseline);
            }
            let mut values = [L::MAX; BLOCK_LEN];
            widen(&baseline, base, &mut values);
            assert_eq!(values, unpacked, "baseline {width} of {} to {}", P::BITS, L::BITS);
            let mut appended = vec![L::MAX];
            append_widened(&baseline[3..], base, &mut appended);
            assert_eq!(appended[1..], unpacked[3..], "append {width} of {}", P::BITS);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]

        #[test]
        fn lanes_of_8_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u8, u8>(seed, base);
            every_width_matches_the_specification::<u8, u16>(seed, base);
            every_width_matches_the_specification::<u8, u32>(seed, base);
            every_width_matches_the_specification::<u8, u64>(seed, base);
        }

        #[test]
        fn lanes_of_16_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u16, u16>(seed, base);
            every_width_matches_the_specification::<u16, u32>(seed, base);
            every_width_matches_the_specification::<u16, u64>(seed, base);
        }

        #[test]
        fn lanes_of_32_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u32, u32>(seed, base);
            every_width_matches_the_specification::<u32, u64>(seed, base);
        }

        #[test]
        fn lanes_of_64_bits_match_the_scalar_twin(seed: u64, base: u64) {
            every_width_matches_the_specification::<u64, u64>(seed, base);
        }
    }

    #[test]
    fn a_short_block_needs_only_its_first_word_rows() {
        let mut values = block::<u32>(7);
        let len = 100;
        values[len..].fill(0);
        for width in 0..=32 {
            let mut packed = vec![0; width as usize * u32::LANES];
            pack(width, &values, &mut packed);
            let words = packed_words::<u32>(width, len);
            assert!(packed[words..].iter().all(|word| *word == 0), "width {width}");
            let last = get(width, &packed[..words], len - 1);
            assert_eq!(last, values[len - 1] & u32::mask(width));
        }
    }
}
