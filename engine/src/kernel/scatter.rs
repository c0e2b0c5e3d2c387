//! Rows handed on one by one with the place that each belongs to.
//!
//! Adding to a place in memory is a read, an addition and a write. The loop around them costs as much
//! again, unless several rows share it.

/// Rows that share a turn of the loop (bench/PERFORMANCE.md).
const TURN: usize = 8;

/// Hands `take` the place and the value of each row, in order. Rows without a partner are left out.
#[inline(always)]
pub(crate) fn scatter<V: Copy>(places: &[u32], values: &[V], mut take: impl FnMut(usize, V)) {
    let len = places.len().min(values.len());
    let (place_turns, last_places) = places[..len].as_chunks::<TURN>();
    let (value_turns, last_values) = values[..len].as_chunks::<TURN>();
    for (places, values) in place_turns.iter().zip(value_turns) {
        for index in 0..TURN {
            take(places[index] as usize, values[index]);
        }
    }
    for (place, value) in last_places.iter().zip(last_values) {
        take(*place as usize, *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_handed_on_once_and_in_order() {
        for len in [0, 1, 7, 8, 9, 31] {
            let places: Vec<u32> = (0..len).map(|row| row * 7 % 5).collect();
            let values: Vec<u32> = (0..len + len % 3).collect();
            let mut taken = Vec::new();
            scatter(&places, &values, |place, value| taken.push((place, value)));
            let expected: Vec<(usize, u32)> =
                places.iter().map(|place| *place as usize).zip(0..).collect();
            assert_eq!(taken, expected, "{len} rows");
        }
    }
}
