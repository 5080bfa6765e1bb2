//! Arithmetic of measuring, in whole numbers.

use std::time::Duration;

/// How many per second.
pub(super) fn per_second(count: u64, took: Duration) -> u64 {
    let rate = u128::from(count) * 1_000_000 / took.as_micros().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// The middle one; of two, the smaller. 0 of nothing.
pub(super) fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    quantile(&sorted, 500)
}

/// The value that `per_mille` of `sorted` do not exceed. 0 of nothing.
pub(super) fn quantile(sorted: &[u64], per_mille: usize) -> u64 {
    let rank = (sorted.len() * per_mille).div_ceil(1_000);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted: Vec<u64> = (1..=1_000).collect();
        let all = [500, 990, 999, 1_000].map(|per_mille| quantile(&sorted, per_mille));
        assert_eq!(all, [500, 990, 999, 1_000]);
        assert_eq!((quantile(&[7], 1), quantile(&[], 500)), (7, 0));
        assert_eq!(median(&[9, 1, 5]), 5);
    }

    #[test]
    fn a_rate_is_per_second() {
        assert_eq!(per_second(300, Duration::from_millis(1_500)), 200);
    }
}
