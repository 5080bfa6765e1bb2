//! Numbers as they are written, without a detour over floating point.

use serde_json::Number;

/// More digits than any whole number of 64 bits has.
const DIGITS_MAX: i64 = 20;
/// Stands for a number with a fraction so small that the nearest number of 64 bits has none.
const NOT_WHOLE: f64 = 0.5;

/// What the digits of a number come to, its sign aside.
enum Magnitude {
    /// A whole number that 64 bits hold.
    Whole(u64),
    /// A larger whole number.
    Large,
    /// A number with a fraction.
    Fraction,
}

/// Reads a token of digits, signs, points and `e`; none if it is no number.
pub(super) fn read(token: &str) -> Option<Number> {
    let unsigned = token.strip_prefix('-').unwrap_or(token);
    let negative = unsigned.len() < token.len();
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, power_of_ten(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) if are_digits(fraction) => (whole, fraction),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    if !are_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let signed = |number: u64| {
        if negative {
            0_i64.checked_sub_unsigned(number).map(Number::from)
        } else {
            Some(Number::from(number))
        }
    };
    // Unwrap safety of the floating point: whatever passed above is a number to Rust, too, and
    // one beyond its range is kept at its end.
    let nearest = token.parse().unwrap_or(f64::MAX).clamp(f64::MIN, f64::MAX);
    match magnitude(whole, fraction, exponent) {
        Magnitude::Whole(number) => signed(number).or_else(|| Number::from_f64(nearest)),
        Magnitude::Fraction if nearest.fract() == 0.0 => Number::from_f64(NOT_WHOLE),
        Magnitude::Large | Magnitude::Fraction => Number::from_f64(nearest),
    }
}

/// `whole`.`fraction` × 10^`exponent`.
fn magnitude(whole: &str, fraction: &str, exponent: i64) -> Magnitude {
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let shift = length(&digits) - length(significant) - length(fraction);
    let zeros = exponent.saturating_add(shift);
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Magnitude::Whole(0);
    }
    if zeros < 0 {
        return Magnitude::Fraction;
    }
    if length(significant).saturating_add(zeros) > DIGITS_MAX {
        return Magnitude::Large;
    }
    let zeros = usize::try_from(zeros).unwrap_or_default();
    let number = format!("{significant}{}", "0".repeat(zeros)).parse();
    number.map_or(Magnitude::Large, Magnitude::Whole)
}

/// What stands after the `e`; beyond all reason, some number as large.
fn power_of_ten(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !are_digits(digits) {
        return None;
    }
    let power: i64 = digits.parse().unwrap_or(i64::MAX);
    Some(if text.starts_with('-') { -power } else { power })
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
