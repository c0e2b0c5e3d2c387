//! Reproducible random numbers and the few distributions that the generators draw from.
//!
//! `SplitMix64` (Steele, Lea, Flood 2014): a counter through a mixer, so that a stream starts
//! anywhere at no cost. The generators rely on that: an item of a pool is a stream of its own, made
//! again wherever it is needed, and never stored. The `rand` crate has no such cheap streams.
//! Must not know what is generated.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

/// Spreads the bits of `x` over the word; a bijection.
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    let x = (x ^ (x >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    x ^ (x >> 33)
}

impl Random {
    /// The stream numbered `index` of the family `family` under `seed`.
    pub(crate) fn stream(seed: u64, family: u64, index: u64) -> Random {
        let family = mix(seed.wrapping_add(1)) ^ family.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Random(mix(mix(family) ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93)))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform in `low..high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).cast_unsigned()).cast_signed()
    }

    /// True with probability `share`.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// An index into a pool of `pool_len`: with probability `share` by Zipf's law (s = 1, the first
    /// item most often), else uniform.
    pub(crate) fn zipf(&mut self, pool_len: u64, share: f64) -> u64 {
        if self.chance(share) {
            let rank = floor((self.unit() * to_f64(pool_len).ln()).exp());
            rank.saturating_sub(1).min(pool_len - 1)
        } else {
            self.below(pool_len)
        }
    }

    /// Exponential with the given mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// One of `items`, uniformly.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[to_usize(self.below(items.len() as u64))]
    }
}

/// A distribution given by its density on [0, 1], sampled through a table of quantiles.
#[derive(Debug)]
pub(crate) struct Quantiles(Vec<f64>);

impl Quantiles {
    const STEPS: usize = 2_048;

    /// Tabulates `density`, which need not be normalised.
    pub(crate) fn of(density: impl Fn(f64) -> f64) -> Quantiles {
        let step = 1.0 / to_f64(Self::STEPS as u64 * 8);
        let points = (0..Self::STEPS as u64 * 8).map(|i| (to_f64(i) + 0.5) * step);
        let total: f64 = points.clone().map(&density).sum();
        let mut quantiles = vec![0.0];
        let mut sum = 0.0;
        for point in points {
            sum += density(point) / total;
            while quantiles.len() < Self::STEPS
                && sum * to_f64(Self::STEPS as u64) >= to_f64(quantiles.len() as u64)
            {
                quantiles.push(point);
            }
        }
        quantiles.resize(Self::STEPS + 1, 1.0);
        Quantiles(quantiles)
    }

    /// One draw.
    pub(crate) fn sample(&self, random: &mut Random) -> f64 {
        let at = random.unit() * to_f64(Self::STEPS as u64);
        let index = to_usize(floor(at)).min(Self::STEPS - 1);
        let (low, high) = (self.0[index], self.0[index + 1]);
        low + (high - low) * (at - to_f64(index as u64))
    }
}

/// The integer part of a number that is neither negative nor beyond 64 bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(crate) fn floor(x: f64) -> u64 {
    x as u64
}

/// The nearest double.
#[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^53")]
pub(crate) fn to_f64(x: u64) -> f64 {
    x as f64
}

/// An index from a number drawn below a length.
pub(crate) fn to_usize(x: u64) -> usize {
    usize::try_from(x).expect("an index into a pool that is in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |family, index| {
            let mut random = Random::stream(7, family, index);
            (0..4).map(|_| random.bits()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 1));
        assert_ne!(draw(1, 2), draw(1, 3));
    }

    #[test]
    fn draws_stay_in_their_bounds_and_near_their_means() {
        let mut random = Random::stream(1, 0, 0);
        let mut sums = [0.0; 3];
        for _ in 0..20_000 {
            assert!(random.below(7) < 7);
            assert!((-3..5).contains(&random.between(-3, 5)));
            assert!(random.zipf(10, 0.8) < 10);
            assert_eq!(random.zipf(1, 0.5), 0);
            sums[0] += random.unit();
            sums[1] += random.exponential(3.0);
            sums[2] += f64::from(u8::from(random.chance(0.25)));
        }
        for (sum, mean) in sums.into_iter().zip([0.5, 3.0, 0.25]) {
            assert!((sum / 20_000.0 / mean - 1.0).abs() < 0.05, "{sum} for {mean}");
        }
    }

    #[test]
    fn zipf_prefers_the_first_items() {
        let mut random = Random::stream(1, 1, 0);
        let first = (0..10_000).filter(|_| random.zipf(1_000, 1.0) == 0).count();
        // P(0) = ln 2 / ln 1000 = 10 %.
        assert!((900..1_100).contains(&first), "{first}");
    }

    #[test]
    fn quantiles_give_back_the_density() {
        let quantiles = Quantiles::of(|x| 2.0 * x);
        let mut random = Random::stream(1, 2, 0);
        let mean = (0..20_000).map(|_| quantiles.sample(&mut random)).sum::<f64>() / 20_000.0;
        assert!((mean - 2.0 / 3.0).abs() < 0.01, "{mean}");
    }
}
