//! Packing and unpacking a word row at a time: the bodies that LLVM vectorises.

#![expect(clippy::cast_possible_truncation, reason = "rows of a block are below 128")]

use super::super::lane::Lane;
use super::BLOCK_LEN;

#[inline(always)]
pub(super) fn unpack<L: Lane>(width: u32, packed: &[L], base: L, values: &mut [L; BLOCK_LEN]) {
    let mask = L::mask(width);
    let mut bit = 0;
    for row in values.chunks_exact_mut(L::LANES) {
        let word = (bit / L::BITS) as usize * L::LANES;
        let shift = bit % L::BITS;
        let low = &packed[word..word + L::LANES];
        if shift + width <= L::BITS {
            for lane in 0..L::LANES {
                row[lane] = low[lane].shr(shift).and(mask).wrapping_add(base);
            }
        } else {
            let high = &packed[word + L::LANES..word + 2 * L::LANES];
            let left = L::BITS - shift;
            for lane in 0..L::LANES {
                let offset = low[lane].shr(shift).or(high[lane].shl(left)).and(mask);
                row[lane] = offset.wrapping_add(base);
            }
        }
        bit += width;
    }
}

/// Adds `base` to each offset, in the lanes of the values.
#[inline(always)]
pub(super) fn widen<P: Lane, L: Lane>(
    offsets: &[P; BLOCK_LEN],
    base: L,
    values: &mut [L; BLOCK_LEN],
) {
    for (value, offset) in values.iter_mut().zip(offsets) {
        *value = base.wrapping_add(L::from_u64(offset.to_u64()));
    }
}

#[inline(always)]
pub(super) fn append_widened<P: Lane, L: Lane>(offsets: &[P], base: L, target: &mut Vec<L>) {
    let widened = offsets.iter().map(|offset| base.wrapping_add(L::from_u64(offset.to_u64())));
    target.extend(widened);
}

#[inline(always)]
pub(super) fn pack<L: Lane>(width: u32, offsets: &[L; BLOCK_LEN], packed: &mut [L]) {
    assert!(width <= L::BITS && packed.len() >= width as usize * L::LANES);
    let packed = &mut packed[..width as usize * L::LANES];
    packed.fill(L::default());
    if width == 0 {
        return;
    }
    let mask = L::mask(width);
    let mut bit = 0;
    for row in offsets.chunks_exact(L::LANES) {
        let word = (bit / L::BITS) as usize * L::LANES;
        let shift = bit % L::BITS;
        let low = &mut packed[word..word + L::LANES];
        for lane in 0..L::LANES {
            let offset = row[lane].and(mask);
            low[lane] = low[lane].or(offset.shl(shift));
        }
        if shift + width > L::BITS {
            let high = &mut packed[word + L::LANES..word + 2 * L::LANES];
            let left = L::BITS - shift;
            for lane in 0..L::LANES {
                high[lane] = row[lane].and(mask).shr(left);
            }
        }
        bit += width;
    }
}

#[inline(always)]
pub(super) fn get<L: Lane>(width: u32, packed: &[L], index: usize) -> L {
    if width == 0 {
        return L::default();
    }
    let (row, lane) = (index / L::LANES, index % L::LANES);
    let bit = row * width as usize;
    let word = bit / L::BITS as usize * L::LANES + lane;
    let shift = row as u32 * width % L::BITS;
    // Without a branch on whether the value straddles two words: it would be guessed wrong half the
    // time, and the loads of the next values would wait for it.
    let straddles = usize::from(shift + width > L::BITS);
    let high = packed[word + straddles * L::LANES].shl(1).shl(L::BITS - 1 - shift);
    packed[word].shr(shift).or(high).and(L::mask(width))
}
