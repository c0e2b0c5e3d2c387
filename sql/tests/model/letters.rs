//! Functions that put texts together from characters or bytes, each as it is defined.

use std::fmt::Write;

use martlet::Value;
use martlet::plan::Function;

use crate::text::{int, text_of};

/// The function's value; no argument is NULL.
pub(crate) fn call(function: Function, values: &[Value]) -> Value {
    let bytes = |place: usize| match &values[place] {
        Value::Bytes(bytes) => bytes.as_slice(),
        text => text_of(text).as_bytes(),
    };
    let chars = |place: usize| text_of(&values[place]).chars().collect::<Vec<char>>();
    match function {
        Function::BitLength => int(bytes(0).len() * 8),
        Function::Levenshtein => int(levenshtein(&chars(0), &chars(1))),
        Function::Md5 => Value::Text(md5(bytes(0))),
        _ => Value::Text(translated(&chars(0), &chars(1), &chars(2))),
    }
}

fn translated(text: &[char], from: &[char], to: &[char]) -> String {
    let substitute = |c: &char| match from.iter().position(|from| from == c) {
        None => Some(*c),
        Some(place) => to.get(place).copied(),
    };
    text.iter().filter_map(substitute).collect()
}

/// Every way, with the shorter ways remembered.
fn levenshtein(left: &[char], right: &[char]) -> usize {
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for a in 0..=left.len() {
        for b in 0..=right.len() {
            table[a][b] = match (a, b) {
                (0, _) => b,
                (_, 0) => a,
                _ => {
                    let replaced = table[a - 1][b - 1] + usize::from(left[a - 1] != right[b - 1]);
                    replaced.min(table[a - 1][b] + 1).min(table[a][b - 1] + 1)
                }
            };
        }
    }
    table[left.len()][right.len()]
}

/// RFC 1321.
fn md5(message: &[u8]) -> String {
    let turns = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((u64::try_from(message.len()).expect("64 bits") * 8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.as_chunks::<64>().0 {
        let words = block.as_chunks::<4>().0;
        let mut now = state;
        for step in 0..64 {
            let [_, b, c, d] = now;
            let (mixed, word) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            let sine = f64::from(u32::try_from(step + 1).expect("small")).sin().abs();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "RFC 1321")]
            let constant = (sine * 2_f64.powi(32)) as u32;
            let parts = [mixed, constant, u32::from_le_bytes(words[word])];
            let sum = parts.into_iter().fold(now[0], u32::wrapping_add);
            now = [d, b.wrapping_add(sum.rotate_left(turns[step / 16][step % 4])), b, c];
        }
        state = std::array::from_fn(|index| state[index].wrapping_add(now[index]));
    }
    let mut digest = String::new();
    for byte in state.iter().flat_map(|word| word.to_le_bytes()) {
        write!(digest, "{byte:02x}").expect("a string takes any text");
    }
    digest
}
