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
