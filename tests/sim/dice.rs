//! Randomness of a run: everything follows from the seed, on every platform and with every version of the generator.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

/// A stream of decisions.
pub(crate) struct Dice(Pcg32);

impl Dice {
    /// Stream number `stream` of a seed. Different streams are independent, so that a change in what one part of the
    /// world draws does not change the others.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(Pcg32::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed, stream));
        dice.0.next_u64();
        dice
    }

    /// A number below `n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        // The bias of this reduction is below 2^-20 for every range used here, and it needs no retries.
        match u32::try_from(n) {
            Ok(n) => (u64::from(self.0.next_u32()) * u64::from(n)) >> 32,
            Err(_) => ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64,
        }
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `percent` of the cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A fresh non-zero 32-bit number.
    pub(crate) fn id(&mut self) -> u32 {
        self.0.next_u32().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_same_for_ever() {
        let mut dice = Dice::new(1, 2);
        let drawn: Vec<u64> = (0..6).map(|_| dice.below(1000)).collect();
        let mut again = Dice::new(1, 2);
        assert_eq!(drawn, (0..6).map(|_| again.below(1000)).collect::<Vec<_>>());
        assert_ne!(drawn, {
            let mut other = Dice::new(2, 2);
            (0..6).map(|_| other.below(1000)).collect::<Vec<_>>()
        });
    }
}
