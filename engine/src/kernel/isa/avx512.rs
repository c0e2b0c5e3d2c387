//! AVX-512 (F and BW; VBMI2 for positions): unpacking and comparing, a register of 64 bytes at a time.
//!
//! A word row of 1,024 bits is two registers, and every row of values is one shift of one or two word
//! rows. LLVM takes a row of 32 or 16 lanes apart into a register, half a one, a quarter and single
//! values.

use std::arch::x86_64::{
    __m128i, __m512i, _mm_cvtsi64_si128, _mm512_add_epi8, _mm512_add_epi16, _mm512_add_epi32,
    _mm512_add_epi64, _mm512_and_si512, _mm512_castsi512_si128, _mm512_cmple_epu8_mask,
    _mm512_cmple_epu16_mask, _mm512_cmple_epu32_mask, _mm512_cmple_epu64_mask,
    _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32, _mm512_loadu_si512,
    _mm512_maskz_compress_epi8, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi16,
    _mm512_set1_epi32, _mm512_set1_epi64, _mm512_sll_epi16, _mm512_sll_epi32, _mm512_sll_epi64,
    _mm512_srl_epi16, _mm512_srl_epi32, _mm512_srl_epi64, _mm512_storeu_si512, _mm512_sub_epi8,
    _mm512_sub_epi16, _mm512_sub_epi32, _mm512_sub_epi64, _mm512_ternarylogic_epi64,
};

const REGISTER_BYTES: usize = 64;
/// Registers of a word row.
const HALVES: usize = 2;

#[inline]
#[target_feature(enable = "avx512f")]
fn load(source: &[u8; REGISTER_BYTES]) -> __m512i {
    // SAFETY: `source` is 64 readable bytes; the load has no alignment requirement.
    unsafe { _mm512_loadu_si512(source.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(target: &mut [u8; REGISTER_BYTES], value: __m512i) {
    // SAFETY: `target` is 64 writable bytes; the store has no alignment requirement.
    unsafe { _mm512_storeu_si512(target.as_mut_ptr().cast(), value) }
}

/// Bytes that are shifted right as halves of 16 bits: what comes in from the other half is not cleared.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn join_bytes(low: __m512i, high: __m512i, shift: u32) -> __m512i {
    let is_low = _mm512_set1_epi8((0xff_u8 >> shift).cast_signed());
    // Where `is_low` is set a bit of `low`, else one of `high`.
    _mm512_ternarylogic_epi64::<0xCA>(is_low, low, high)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn join(low: __m512i, high: __m512i, _shift: u32) -> __m512i {
    _mm512_or_si512(low, high)
}

macro_rules! packed {
    (
        $lane:ty, $mask:ty, $offsets:ident, $unpack:ident, $keep_within:ident:
        $splat:ident, $add:ident, $sub:ident,
        $right:ident, $left:ident, $join:ident, $compare:ident
    ) => {
        /// Calls `visit` with each register of a block's offsets, in order.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw")]
        fn $offsets(width: u32, packed: &[u8], mut visit: impl FnMut(usize, __m512i)) {
            const BITS: u32 = <$lane>::BITS;
            let count = |count: u32| -> __m128i { _mm_cvtsi64_si128(i64::from(count)) };
            let (words, _) = packed.as_chunks::<REGISTER_BYTES>();
            let mask = $splat((<$lane>::MAX >> (BITS - width)).cast_signed());
            for row in 0..BITS {
                let bit = row * width;
                let (word, shift) = ((bit / BITS) as usize * HALVES, bit % BITS);
                let straddles = shift + width > BITS;
                let (right, left) = (count(shift), count(BITS - shift));
                for half in 0..HALVES {
                    let mut offset = $right(load(&words[word + half]), right);
                    if straddles {
                        let high = $left(load(&words[word + HALVES + half]), left);
                        offset = $join(offset, high, shift);
                    }
                    visit(row as usize * HALVES + half, _mm512_and_si512(offset, mask));
                }
            }
        }

        /// Unpacks lanes of as many bits; `width` is 1 to those, `packed` whole word rows, `values` 1,024
        /// of them.
        #[target_feature(enable = "avx512f,avx512bw")]
        pub(crate) fn $unpack(width: u32, packed: &[u8], base: $lane, values: &mut [u8]) {
            let base = $splat(base.cast_signed());
            let (targets, _) = values.as_chunks_mut::<REGISTER_BYTES>();
            $offsets(width, packed, |register, offset| {
                store(&mut targets[register], $add(offset, base));
            });
        }

        /// Clears the bits of offsets outside of the circular range that starts at `low` and reaches
        /// `span` further.
        #[target_feature(enable = "avx512f,avx512bw")]
        pub(crate) fn $keep_within(
            width: u32,
            packed: &[u8],
            (low, span): ($lane, $lane),
            bits: &mut [u8],
        ) {
            let (low, span) = ($splat(low.cast_signed()), $splat(span.cast_signed()));
            let (targets, _) = bits.as_chunks_mut::<{ REGISTER_BYTES / <$lane>::BITS as usize }>();
            $offsets(width, packed, |register, offset| {
                let target = &mut targets[register];
                let passing = $compare($sub(offset, low), span);
                *target = (<$mask>::from_le_bytes(*target) & passing).to_le_bytes();
            });
        }
    };
}
packed!(
    u8, u64, offsets_8, unpack_8, keep_within_8:
    _mm512_set1_epi8, _mm512_add_epi8, _mm512_sub_epi8,
    _mm512_srl_epi16, _mm512_sll_epi16, join_bytes, _mm512_cmple_epu8_mask
);
packed!(
    u16, u32, offsets_16, unpack_16, keep_within_16:
    _mm512_set1_epi16, _mm512_add_epi16, _mm512_sub_epi16,
    _mm512_srl_epi16, _mm512_sll_epi16, join, _mm512_cmple_epu16_mask
);
packed!(
    u32, u16, offsets_32, unpack_32, keep_within_32:
    _mm512_set1_epi32, _mm512_add_epi32, _mm512_sub_epi32,
    _mm512_srl_epi32, _mm512_sll_epi32, join, _mm512_cmple_epu32_mask
);
packed!(
    u64, u8, offsets_64, unpack_64, keep_within_64:
    _mm512_set1_epi64, _mm512_add_epi64, _mm512_sub_epi64,
    _mm512_srl_epi64, _mm512_sll_epi64, join, _mm512_cmple_epu64_mask
);

/// Positions that one store writes.
pub(crate) const POSITIONS_AT_ONCE: usize = 16;

#[expect(clippy::cast_possible_truncation, reason = "below 64")]
const COUNTING: [u8; REGISTER_BYTES] = {
    let mut bytes = [0; REGISTER_BYTES];
    let mut next = 0;
    while next < REGISTER_BYTES {
        bytes[next] = next as u8;
        next += 1;
    }
    bytes
};

/// Puts the positions of the set bits of `words` into `target` from `end` on, and gives where they
/// end; the first bit is at `first`. What is behind the end, up to [`POSITIONS_AT_ONCE`], is written
/// too.
///
/// The places of a word's bits are compressed to a register and stored: Zen 4 does the two at once in
/// microcode, far slower.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
pub(crate) fn put_positions(
    words: &[u64],
    first: u32,
    target: &mut [u32],
    mut end: usize,
) -> usize {
    let counting = load(&COUNTING);
    for (base, word) in (first..).step_by(64).zip(words) {
        let places = _mm512_maskz_compress_epi8(*word, counting);
        let base = _mm512_set1_epi32(base.cast_signed());
        let count = word.count_ones() as usize;
        let mut put = |at: usize, sixteen: __m128i| {
            let target = &mut target[end + at..end + at + POSITIONS_AT_ONCE];
            let positions = _mm512_add_epi32(_mm512_cvtepu8_epi32(sixteen), base);
            // SAFETY: `target` is 16 writable lanes of 4 bytes; the store has no alignment requirement.
            unsafe { _mm512_storeu_si512(target.as_mut_ptr().cast(), positions) }
        };
        put(0, _mm512_castsi512_si128(places));
        if count > POSITIONS_AT_ONCE {
            put(POSITIONS_AT_ONCE, _mm512_extracti32x4_epi32::<1>(places));
        }
        if count > 2 * POSITIONS_AT_ONCE {
            put(2 * POSITIONS_AT_ONCE, _mm512_extracti32x4_epi32::<2>(places));
        }
        if count > 3 * POSITIONS_AT_ONCE {
            put(3 * POSITIONS_AT_ONCE, _mm512_extracti32x4_epi32::<3>(places));
        }
        end += count;
    }
    end
}
