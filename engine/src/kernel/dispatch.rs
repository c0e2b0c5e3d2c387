//! Compiles one kernel body for several instruction sets and picks the best at run time.

#[cfg(target_arch = "x86_64")]
use std::sync::OnceLock;

/// Defines a function that runs `$body` compiled for AVX-512, AVX2 or the target's baseline,
/// whichever is the best that this CPU has.
///
/// `$body` is an `#[inline(always)]` function of the same parameters. It is safe code: the features
/// only let LLVM choose wider instructions.
macro_rules! vectorised {
    (
        $(#[$attribute:meta])*
        fn $name:ident $(<$($generic:ident: $bound:path),+>)?
        ($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $body:path
    ) => {
        $(#[$attribute])*
        #[inline]
        pub(crate) fn $name $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(
                    enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
                )]
                fn avx512 $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
                #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
                fn avx2 $(<$($generic: $bound),+>)? ($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
                if $crate::kernel::dispatch::has_avx512() {
                    // SAFETY: the line above checked that this CPU has all the features named, the only
                    // requirement of a function that is safe apart from its `target_feature`.
                    return unsafe { avx512($($argument),*) };
                }
                if $crate::kernel::dispatch::has_avx2() {
                    // SAFETY: the line above checked that this CPU has all the features named.
                    return unsafe { avx2($($argument),*) };
                }
            }
            $body($($argument),*)
        }
    };
}
pub(crate) use vectorised;

use super::bitpack::BLOCK_LEN;
use super::filter::BLOCK_WORDS;
use super::lane::Lane;

/// Unpacks a block of `width > 0` bits a value; gives false, having done nothing, on a CPU without
/// AVX-512.
#[cfg(target_arch = "x86_64")]
#[expect(clippy::cast_possible_truncation, reason = "a lane's base has a lane's bits")]
pub(super) fn unpack_avx512<L: Lane>(
    width: u32,
    packed: &[L],
    base: L,
    values: &mut [L; BLOCK_LEN],
) -> bool {
    use super::isa::avx512::{unpack_8, unpack_16, unpack_32, unpack_64};

    if !has_avx512() {
        return false;
    }
    let base = base.to_u64();
    let (packed, values) = (bytemuck::cast_slice(packed), bytemuck::cast_slice_mut(values));
    // SAFETY: the test above found all the features that these functions, which are safe apart from
    // that, are compiled for.
    unsafe {
        match L::BITS {
            8 => unpack_8(width, packed, base as u8, values),
            16 => unpack_16(width, packed, base as u16, values),
            32 => unpack_32(width, packed, base as u32, values),
            _ => unpack_64(width, packed, base, values),
        }
    }
    true
}

/// No other CPU has AVX-512.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn unpack_avx512<L: Lane>(_: u32, _: &[L], _: L, _: &mut [L; BLOCK_LEN]) -> bool {
    false
}

/// Compares a packed block of `width > 0` bits a value, as [`super::keep_within`]; gives false, having
/// done nothing, on a CPU without AVX-512.
#[cfg(target_arch = "x86_64")]
#[expect(clippy::cast_possible_truncation, reason = "offsets and spans have a lane's bits")]
pub(super) fn keep_within_avx512<L: Lane>(
    width: u32,
    packed: &[L],
    (low, span): (L, L),
    bits: &mut [u64; BLOCK_WORDS],
) -> bool {
    use super::isa::avx512::{keep_within_8, keep_within_16, keep_within_32, keep_within_64};

    if !has_avx512() {
        return false;
    }
    let (low, span) = (low.to_u64(), span.to_u64());
    let (packed, bits) = (bytemuck::cast_slice(packed), bytemuck::cast_slice_mut(bits));
    // SAFETY: the test above found all the features that these functions, which are safe apart from
    // that, are compiled for.
    unsafe {
        match L::BITS {
            8 => keep_within_8(width, packed, (low as u8, span as u8), bits),
            16 => keep_within_16(width, packed, (low as u16, span as u16), bits),
            32 => keep_within_32(width, packed, (low as u32, span as u32), bits),
            _ => keep_within_64(width, packed, (low, span), bits),
        }
    }
    true
}

/// No other CPU has AVX-512.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn keep_within_avx512<L: Lane>(
    _: u32,
    _: &[L],
    _: (L, L),
    _: &mut [u64; BLOCK_WORDS],
) -> bool {
    false
}

/// Appends positions, as [`super::push_positions`], of which there are `count`; gives false, having done
/// nothing, on a CPU without AVX-512 VBMI2.
#[cfg(target_arch = "x86_64")]
pub(super) fn push_positions_avx512(
    words: &[u64],
    count: usize,
    first: u32,
    target: &mut Vec<u32>,
) -> bool {
    use super::isa::avx512::{POSITIONS_AT_ONCE, put_positions};

    static HAS_VBMI2: OnceLock<bool> = OnceLock::new();
    let has_vbmi2 = || std::arch::is_x86_feature_detected!("avx512vbmi2") && has_avx512();
    if !*HAS_VBMI2.get_or_init(has_vbmi2) {
        return false;
    }
    let end = target.len();
    target.resize(end + count + POSITIONS_AT_ONCE, 0);
    // SAFETY: the test above found all the features that this function, which is safe apart from that,
    // is compiled for.
    let end = unsafe { put_positions(words, first, target, end) };
    target.truncate(end);
    true
}

/// No other CPU has AVX-512.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn push_positions_avx512(_: &[u64], _: usize, _: u32, _: &mut Vec<u32>) -> bool {
    false
}

/// Whether this CPU has AVX-512 F, BW, DQ and VL, and what [`has_avx2`] asks for.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    // The standard library asks for each feature again, which a short kernel would notice.
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && has_avx2()
    })
}

/// Whether this CPU has AVX2 and what came with it: fused multiplication and the bit instructions.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("fma")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt")
    })
}
