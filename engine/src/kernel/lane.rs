//! The integers that kernels are generic over: unsigned lanes, and native integers that are held
//! in a lane of their width.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_lossless,
    trivial_numeric_casts,
    reason = "lanes hold the low bits of a value on purpose; each method says so"
)]

use std::fmt::Debug;

use bytemuck::Pod;

/// An unsigned integer of 8, 16, 32 or 64 bits; arithmetic wraps.
pub(crate) trait Lane: Integer<Lane = Self> {
    /// The signed integer of the same width.
    type Signed: Integer<Lane = Self>;
    /// Bits of a lane.
    const BITS: u32;
    /// Bytes of a lane.
    const BYTES: usize = size_of::<Self>();
    /// How many lanes make the 1,024 bits of a packed word row.
    const LANES: usize = 1_024 / (Self::BITS as usize);

    /// The low bits of `value`.
    fn from_u64(value: u64) -> Self;
    /// The same number.
    fn to_u64(self) -> u64;
    fn wrapping_add(self, other: Self) -> Self;
    fn wrapping_sub(self, other: Self) -> Self;
    /// Shifts right by `count < BITS`.
    fn shr(self, count: u32) -> Self;
    /// Shifts left by `count < BITS`.
    fn shl(self, count: u32) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;

    /// Ones in the low `width <= BITS` bits.
    #[inline(always)]
    fn mask(width: u32) -> Self {
        if width == 0 { Self::default() } else { Self::from_u64(u64::MAX >> (64 - width)) }
    }

    /// Bits that the number needs: 0 for 0, `BITS` for the largest.
    #[inline(always)]
    fn width(self) -> u32 {
        64 - self.to_u64().leading_zeros()
    }
}

/// A native integer of at most 64 bits in its own order, held in a [`Lane`] as its two's complement.
pub(crate) trait Integer: Pod + Ord + Default + Debug + Send + Sync {
    type Lane: Lane;
    const MIN: Self;
    const MAX: Self;

    fn to_lane(self) -> Self::Lane;
    fn to_i128(self) -> i128;
    /// The number, where it has at most 63 bits.
    fn to_i64(self) -> i64;
    /// This minus a distance, wrapping.
    fn wrapping_sub_lane(self, distance: Self::Lane) -> Self;
    /// The number as high × 2³² + low, where low has at most 32 bits.
    fn halves(self) -> (i64, u64);
}

macro_rules! lanes {
    ($($lane:ident as $signed:ident),*) => {$(
        impl Lane for $lane {
            type Signed = $signed;
            const BITS: u32 = $lane::BITS;

            #[inline(always)]
            fn from_u64(value: u64) -> Self {
                value as $lane
            }
            #[inline(always)]
            fn to_u64(self) -> u64 {
                self as u64
            }
            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                $lane::wrapping_add(self, other)
            }
            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                $lane::wrapping_sub(self, other)
            }
            #[inline(always)]
            fn shr(self, count: u32) -> Self {
                self.wrapping_shr(count)
            }
            #[inline(always)]
            fn shl(self, count: u32) -> Self {
                self.wrapping_shl(count)
            }
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
        }
    )*};
}
lanes!(u8 as i8, u16 as i16, u32 as i32, u64 as i64);

macro_rules! integers {
    ($($native:ident in $lane:ident),*) => {$(
        impl Integer for $native {
            type Lane = $lane;
            const MIN: Self = $native::MIN;
            const MAX: Self = $native::MAX;

            #[inline(always)]
            fn to_lane(self) -> $lane {
                self as $lane
            }
            #[inline(always)]
            fn wrapping_sub_lane(self, distance: $lane) -> Self {
                self.wrapping_sub(distance as $native)
            }
            #[inline(always)]
            fn to_i128(self) -> i128 {
                self as i128
            }
            #[inline(always)]
            fn to_i64(self) -> i64 {
                self as i64
            }
            #[inline(always)]
            fn halves(self) -> (i64, u64) {
                let high = if size_of::<$native>() == 8 { (self >> (size_of::<$native>() * 4)) as i64 } else { self as i64 >> 32 };
                (high, self as u64 & 0xFFFF_FFFF)
            }
        }
    )*};
}
integers!(u8 in u8, u16 in u16, u32 in u32, u64 in u64, i8 in u8, i16 in u16, i32 in u32, i64 in u64);
