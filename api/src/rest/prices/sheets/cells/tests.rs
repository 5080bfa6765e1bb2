//! Each cell is read strictly, and no word of it is repeated.

use super::*;

#[test]
fn what_a_spreadsheet_would_carry_out_is_a_formula() {
    for formula in ["=cmd()", "=1+1", "+1", "@SUM(A1)", "-cmd()", "-1+1", "-A1"] {
        assert!(is_formula(formula), "{formula}");
    }
    for harmless in ["", "1", "-0.01", "MT", "2027-01-01", "a=b"] {
        assert!(!is_formula(harmless), "{harmless}");
    }
}

#[test]
fn statuses_are_separated_by_spaces_or_bars() {
    let read = |text| status_list(text).map(|statuses| statuses.len());
    assert_eq!(read("DELIVERED"), Ok(1));
    assert_eq!(read("DELIVERED|UNDELIVERED"), Ok(2));
    assert_eq!(read("DELIVERED  FAILED | EXPIRED"), Ok(3));
    for wrong in [
        "UNKNOWN",
        "DELIVERED DELIVERED",
        "DELIVERED,FAILED",
        "delivered",
        "x",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_date_is_its_midnight_and_a_time_has_an_offset() {
    let midnight = dated("2027-01-01").expect("a date");
    assert_eq!(dated("2027-01-01T01:00:00+01:00"), Ok(midnight));
    for wrong in [
        "2027-01-01T00:00:00",
        "01.01.2027",
        "2027-13-01",
        "tomorrow",
        "1/1/2027 ",
    ] {
        assert!(dated(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_amount_says_what_is_wrong_with_it() {
    assert!(unit_price("0.045").is_ok());
    let wrong = |text| unit_price(text).expect_err("refused");
    assert!(wrong("0.045123456").contains("6 decimal places"));
    assert!(wrong("-0.01").contains("negative"));
    assert!(wrong("0,045").contains("decimal number"));
}
