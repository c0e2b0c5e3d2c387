//! Kernels written for one instruction set, where LLVM's own vectors are not good enough.
//!
//! Each takes and fills plain bytes, and has a twin without intrinsics that it is tested against.
//! `dispatch` asks what the CPU has before it calls one.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
