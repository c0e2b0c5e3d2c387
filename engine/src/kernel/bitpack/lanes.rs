//! Packing and unpacking a word row at a time: the bodies that LLVM vectorises.

#![expect(clippy::cast_possible_truncation, reason = "rows of a block are below 128")]

use super::super::lane::Lane;
use super::BLOCK_LEN;

#[inline(always)]
pub(super) fn unpack<L: Lane>(width: u32, packed: &[L], base: L, values: &mut [L; BLOCK_LEN]) {
    assert!(width <= L::BITS && packed.len() >= width as usize * L::LANES);
    if width == 0 {
        values.fill(base);
        return;
    }
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

#[inline(always)]
pub(super) fn pack<L: Lane>(width: u32, values: &[L; BLOCK_LEN], base: L, packed: &mut [L]) {
    assert!(width <= L::BITS && packed.len() >= width as usize * L::LANES);
    let packed = &mut packed[..width as usize * L::LANES];
    packed.fill(L::default());
    if width == 0 {
        return;
    }
    let mask = L::mask(width);
    let mut bit = 0;
    for row in values.chunks_exact(L::LANES) {
        let word = (bit / L::BITS) as usize * L::LANES;
        let shift = bit % L::BITS;
        let low = &mut packed[word..word + L::LANES];
        for lane in 0..L::LANES {
            let offset = row[lane].wrapping_sub(base).and(mask);
            low[lane] = low[lane].or(offset.shl(shift));
        }
        if shift + width > L::BITS {
            let high = &mut packed[word + L::LANES..word + 2 * L::LANES];
            let left = L::BITS - shift;
            for lane in 0..L::LANES {
                high[lane] = row[lane].wrapping_sub(base).and(mask).shr(left);
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
    let mut offset = packed[word].shr(shift);
    if shift + width > L::BITS {
        offset = offset.or(packed[word + L::LANES].shl(L::BITS - shift));
    }
    offset.and(L::mask(width))
}
