//! Hot loops over plain slices. Must not know any type of ours: no arrays, pages or errors.
//!
//! A kernel is one `#[inline(always)]` body, written so that LLVM vectorises it, which the
//! `vectorised!` macro of `dispatch` instantiates on x86-64 three times: for AVX-512, for AVX2 and for
//! the baseline of the target. Which one runs is decided per call from what the CPU can do. Elsewhere
//! the baseline is the only one: NEON on `AArch64`. Loops that are not obvious have a scalar twin, one
//! value at a time, that is their specification and test.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls into functions compiled for a CPU feature: dispatch.rs")
)]
#![expect(clippy::inline_always, reason = "a body must be compiled inside its target_feature")]

mod bitpack;
mod decimals;
mod dispatch;
mod filter;
mod floats;
mod isa;
mod lane;
mod scan;
mod scatter;
mod sum;

pub(crate) use self::bitpack::{BLOCK_LEN, append_widened, get, pack, packed_words, unpack};
pub(crate) use self::decimals::{
    Decimals, digits_of_f32, digits_of_f64, f32_in_place, f32_of_digits, f64_in_place,
    f64_of_digits,
};
pub(crate) use self::filter::{
    BLOCK_WORDS, bit_of, count_bits, has_more_than, hash_of, in_hashes, in_window, keep_listed,
    keep_within, max, push_positions, within,
};
pub(crate) use self::floats::{
    flip_and_clamp, float_facts, float_orders, greatest_exponent, scale_floats, split_floats,
    two_products,
};
pub(crate) use self::lane::{Integer, Lane};
pub(crate) use self::scan::{
    add_multiples, count_changes, count_equal, count_wider, differences, distances, gather,
    min_max, prefix_sums, select_valid,
};
pub(crate) use self::scatter::scatter;
pub(crate) use self::sum::{
    FEW_GROUPS, add_shifted, add_to_few, count_few, put_shifted, sum, sum_narrow,
};
