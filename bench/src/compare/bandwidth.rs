//! How fast this machine reads memory: the sum of a buffer far larger than its caches.

use std::thread;
use std::time::Instant;

use serde::Serialize;

use crate::random::to_f64;

/// 512 MiB.
const BUFFER_LEN: usize = 64 << 20;
const RUNS: usize = 5;

/// Bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Bandwidth {
    pub(crate) one_thread: f64,
    /// With as many threads as the engines may use.
    pub(crate) all_threads: f64,
}

/// The best of five readings each.
pub(crate) fn measure(threads: usize) -> Bandwidth {
    let buffer: Vec<u64> = (0..BUFFER_LEN as u64).collect();
    Bandwidth { one_thread: best(&buffer, 1), all_threads: best(&buffer, threads.max(1)) }
}

fn best(buffer: &[u64], threads: usize) -> f64 {
    let bytes = to_f64(size_of_val(buffer) as u64);
    let seconds = (0..RUNS).map(|_| {
        let start = Instant::now();
        let sum = read(buffer, threads);
        let seconds = start.elapsed().as_secs_f64();
        std::hint::black_box(sum);
        seconds
    });
    bytes / seconds.fold(f64::INFINITY, f64::min)
}

/// The sum of `buffer`, an equal part of it by each thread.
fn read(buffer: &[u64], threads: usize) -> u64 {
    thread::scope(|scope| {
        let parts = buffer.chunks(buffer.len().div_ceil(threads).max(1));
        let workers: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
        workers.into_iter().fold(0_u64, |total, worker| {
            total.wrapping_add(worker.join().expect("adding does not panic"))
        })
    })
}

/// Eight sums side by side, so that additions do not wait for each other.
fn sum(values: &[u64]) -> u64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0_u64; 8];
    for eight in eights {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum = sum.wrapping_add(*value);
        }
    }
    sums.iter().chain(rest).fold(0, |sum, value| sum.wrapping_add(*value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_read_once_whatever_the_threads() {
        for len in [0, 1, 7, 8, 1_000, 1_003] {
            let values: Vec<u64> = (1..=len).collect();
            for threads in [1, 2, 3] {
                assert_eq!(read(&values, threads), len * (len + 1) / 2);
            }
        }
        let buffer = vec![1; 1_000];
        assert!(best(&buffer, 2) > 0.0);
    }
}
