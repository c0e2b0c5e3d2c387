//! The specification of the packed layout: one value, bit by bit.

use super::super::lane::Lane;
use super::BLOCK_LEN;

/// Where bit `bit` of value `index` is: the word and the bit in it.
fn place<L: Lane>(width: u32, index: usize, bit: u32) -> (usize, u32) {
    let (row, lane) = (index / L::LANES, index % L::LANES);
    let lane_bit = row * width as usize + bit as usize;
    let (word_row, shift) = (lane_bit / L::BITS as usize, lane_bit % L::BITS as usize);
    (word_row * L::LANES + lane, u32::try_from(shift).expect("less than 64"))
}

pub(super) fn get<L: Lane>(width: u32, packed: &[L], index: usize) -> L {
    (0..width).fold(L::default(), |value, bit| {
        let (word, shift) = place::<L>(width, index, bit);
        value.or(packed[word].shr(shift).and(L::from_u64(1)).shl(bit))
    })
}

pub(super) fn pack<L: Lane>(width: u32, offsets: &[L; BLOCK_LEN]) -> Vec<L> {
    let mut packed = vec![L::default(); width as usize * L::LANES];
    for (index, offset) in offsets.iter().enumerate() {
        for bit in 0..width {
            let (word, shift) = place::<L>(width, index, bit);
            let one = offset.shr(bit).and(L::from_u64(1));
            packed[word] = packed[word].or(one.shl(shift));
        }
    }
    packed
}
