//! AVX-512 (F and BW): unpacking, a register of 64 bytes at a time.
//!
//! A word row of 1,024 bits is two registers, and every row of values is one shift of one or two word
//! rows. LLVM takes a row of 32 or 16 lanes apart into a register, half a one, a quarter and single
//! values.

use std::arch::x86_64::{
    __m128i, __m512i, _mm_cvtsi64_si128, _mm512_add_epi8, _mm512_add_epi16, _mm512_add_epi32,
    _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_or_si512, _mm512_set1_epi8,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_sll_epi16, _mm512_sll_epi32,
    _mm512_sll_epi64, _mm512_srl_epi16, _mm512_srl_epi32, _mm512_srl_epi64, _mm512_storeu_si512,
    _mm512_ternarylogic_epi64,
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

macro_rules! unpack {
    ($(#[$doc:meta])* $name:ident, $lane:ty, $splat:ident, $add:ident, $right:ident, $left:ident, $join:ident) => {
        $(#[$doc])*
        #[target_feature(enable = "avx512f,avx512bw")]
        pub(crate) fn $name(width: u32, packed: &[u8], base: $lane, values: &mut [u8]) {
            const BITS: u32 = <$lane>::BITS;
            let count = |count: u32| -> __m128i { _mm_cvtsi64_si128(i64::from(count)) };
            let (words, _) = packed.as_chunks::<REGISTER_BYTES>();
            let (targets, _) = values.as_chunks_mut::<REGISTER_BYTES>();
            let base = $splat(base.cast_signed());
            let mask = $splat((<$lane>::MAX >> (BITS - width)).cast_signed());
            for (row, target) in (0..BITS).zip(targets.as_chunks_mut::<HALVES>().0) {
                let bit = row * width;
                let (word, shift) = ((bit / BITS) as usize * HALVES, bit % BITS);
                let straddles = shift + width > BITS;
                let (right, left) = (count(shift), count(BITS - shift));
                for (half, target) in target.iter_mut().enumerate() {
                    let mut offset = $right(load(&words[word + half]), right);
                    if straddles {
                        let high = $left(load(&words[word + HALVES + half]), left);
                        offset = $join(offset, high, shift);
                    }
                    store(target, $add(_mm512_and_si512(offset, mask), base));
                }
            }
        }
    };
}
unpack!(
    /// Unpacks lanes of 8 bits; `width` is 1 to 8, `packed` whole word rows, `values` 1,024 bytes.
    unpack_8, u8, _mm512_set1_epi8, _mm512_add_epi8, _mm512_srl_epi16, _mm512_sll_epi16, join_bytes
);
unpack!(
    /// Unpacks lanes of 16 bits.
    unpack_16, u16, _mm512_set1_epi16, _mm512_add_epi16, _mm512_srl_epi16, _mm512_sll_epi16, join
);
unpack!(
    /// Unpacks lanes of 32 bits.
    unpack_32, u32, _mm512_set1_epi32, _mm512_add_epi32, _mm512_srl_epi32, _mm512_sll_epi32, join
);
unpack!(
    /// Unpacks lanes of 64 bits.
    unpack_64, u64, _mm512_set1_epi64, _mm512_add_epi64, _mm512_srl_epi64, _mm512_sll_epi64, join
);
