//! Master keys: their file, what they wrap, and what they know again.

use uuid::Uuid;

use super::*;

const FILE: &str = "# rotated in spring\n\
    1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\
    2 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";

#[test]
fn the_newest_wraps_and_all_unwrap() {
    let both = MasterKeys::parse(FILE).expect("valid");
    let old = MasterKeys::parse(FILE.lines().nth(1).expect("line")).expect("valid");
    let subject = Subject::Tenant(Pseudonym(Uuid::from_u128(5)));
    let wrapped = both.wrap(&[9; KEY_LEN], subject);
    assert_eq!(wrapped.version, 2);
    assert_eq!(
        both.unwrap(&wrapped.bytes, 2, subject).as_deref(),
        Some(&[9; KEY_LEN])
    );
    assert!(old.unwrap(&wrapped.bytes, 2, subject).is_none());
    let wrapped = old.wrap(&[9; KEY_LEN], subject);
    assert_eq!(
        both.unwrap(&wrapped.bytes, wrapped.version, subject)
            .as_deref(),
        Some(&[9; KEY_LEN])
    );
}

#[test]
fn a_wrapped_key_is_bound_to_its_subject() {
    let keys = MasterKeys::parse(FILE).expect("valid");
    let day = Subject::Day(Date::MIN);
    let Wrapped { bytes, version, .. } = keys.wrap(&[9; KEY_LEN], day);
    let other = Subject::Tenant(Pseudonym(Uuid::nil()));
    assert!(keys.unwrap(&bytes, version, other).is_none());
    assert!(keys.unwrap(&bytes[1..], version, day).is_none());
}

#[test]
fn a_check_value_tells_keys_apart_and_is_the_same_in_every_file() {
    let both = MasterKeys::parse(FILE).expect("valid");
    let old = MasterKeys::parse(FILE.lines().nth(1).expect("line")).expect("valid");
    let checks: Vec<_> = both.checks().collect();
    assert_eq!(checks[0], old.checks().next().expect("a version"));
    assert_ne!(checks[0].1, checks[1].1);
    assert_eq!(checks[0].1.fingerprint().len(), 16);
}

#[test]
fn an_erased_tenant_is_known_again_by_whoever_has_its_master_key() {
    let both = MasterKeys::parse(FILE).expect("valid");
    let old = MasterKeys::parse(FILE.lines().nth(1).expect("line")).expect("valid");
    let [tenant, other] = [5, 6].map(|number| TenantId(Uuid::from_u128(number)));
    let digests: Vec<_> = both.erased_digests(tenant).collect();
    assert_eq!(digests.len(), 2);
    assert_eq!(old.erased_digests(tenant).next(), Some(digests[0]));
    assert_ne!(
        digests[0].digest, digests[1].digest,
        "each takes its own key"
    );
    assert!(
        both.erased_digests(other)
            .all(|digest| !digests.contains(&digest))
    );
}

#[test]
fn a_bad_file_is_refused_without_repeating_it() {
    for (text, expected) in [
        ("", "the master key file holds no key"),
        ("1 c2hvcnQ=", "line 1 of the master key file"),
        ("# x\nSECRET", "line 2 of the master key file"),
        (&format!("{FILE}2 {}", &FILE[22..66]), "version 2 a second"),
    ] {
        let error = MasterKeys::parse(text).expect_err("refused").to_string();
        assert!(
            error.contains(expected) && !error.contains("SECRET"),
            "{error}"
        );
    }
}
