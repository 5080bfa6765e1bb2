//! What is read, what is refused, and that `serde_json` agrees where it should.

use serde_json::json;

use super::*;

#[test]
fn a_key_given_twice_is_refused_at_any_depth() {
    assert_eq!(parse(br#"{"a":1,"a":2}"#), Err(JsonError::RepeatedKey));
    assert_eq!(
        parse(br#"[{"x":{"a":1,"\u0061":2}}]"#),
        Err(JsonError::RepeatedKey)
    );
}

#[test]
fn broken_text_is_told_apart() {
    assert_eq!(parse(b"{\"a\":\"\xff\"}"), Err(JsonError::NotUtf8));
    assert_eq!(parse(b"{\"a\":1} tail"), Err(JsonError::Syntax));
    assert_eq!(parse(b""), Err(JsonError::Syntax));
    for bracket in ["[", "{\"a\":"] {
        let deep = bracket.repeat(100_000);
        assert_eq!(parse(deep.as_bytes()), Err(JsonError::Syntax));
    }
}

#[test]
fn depth_counts_containers_and_ends_at_128() {
    let value = parse(br#"{"a":[{"b":1}],"c":2}"#).expect("valid");
    assert_eq!(depth(&value), 3);
    assert_eq!(depth(&Value::Null), 0);
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(parse(nested(128).as_bytes()).is_ok());
    assert_eq!(parse(nested(129).as_bytes()), Err(JsonError::Syntax));
}

#[test]
fn a_whole_number_is_exact_however_it_is_written() {
    for (text, number) in [
        ("2", json!(2)),
        ("2.0", json!(2)),
        ("2.00", json!(2)),
        ("2e0", json!(2)),
        ("20E-1", json!(2)),
        ("0.02e+2", json!(2)),
        ("-2.0", json!(-2)),
        ("-0.0", json!(0)),
        ("0e999999999999999999999", json!(0)),
        ("9007199254740993.0", json!(9_007_199_254_740_993_u64)),
        ("18446744073709551615", json!(u64::MAX)),
        ("1844674407370955161.5e1", json!(u64::MAX)),
        ("-9223372036854775808.0", json!(i64::MIN)),
    ] {
        assert_eq!(parse(text.as_bytes()), Ok(number), "{text}");
    }
}

#[test]
fn a_number_that_is_not_whole_never_becomes_so() {
    for text in [
        "1.99999999999999999999",
        "2.5",
        "1e-400",
        "9007199254740993.5",
    ] {
        let number = parse(text.as_bytes()).expect("a number");
        let number = number.as_f64().expect("a number");
        assert!(number.fract() != 0.0, "{text}: {number}");
    }
    for text in [
        "1e400",
        "-1e400",
        "18446744073709551616",
        "-9223372036854775809",
    ] {
        let number = parse(text.as_bytes()).expect("a number");
        assert!(!number.is_u64() && !number.is_i64(), "{text}: {number}");
    }
}

/// A simple generator of numbers below `below`.
fn next(seed: &mut u64, below: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).expect("31 bits") % below
}

#[test]
fn what_is_json_is_what_others_say_is_json() {
    let sound = r#" {"a":[1,-2.5e3,true,false,null,"x\n\u00e9\ud83d\ude00"],"b":{"c":[]}} "#;
    let pieces: Vec<char> = r#"{}[]",:\ue0019-+.Etrfalsn é"#.chars().collect();
    let mut seed = 1;
    let mut accepted = 0;
    for _ in 0..200_000 {
        let mut text: Vec<char> = sound.chars().collect();
        for _ in 0..=next(&mut seed, 2) {
            let (at, piece) = (next(&mut seed, text.len()), next(&mut seed, pieces.len()));
            match next(&mut seed, 3) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, pieces[piece]),
                _ => text[at] = pieces[piece],
            }
        }
        let text: String = text.into_iter().collect();
        let theirs = serde_json::from_str::<Value>(&text);
        match (parse(text.as_bytes()), theirs) {
            (Ok(ours), Ok(theirs)) => {
                accepted += 1;
                let again = |value: &Value| parse(value.to_string().as_bytes());
                assert_eq!(again(&ours), again(&theirs), "{text}");
            }
            // They keep the last of two keys, and refuse numbers beyond their range.
            (Err(JsonError::RepeatedKey), Ok(_)) | (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => assert!(error.to_string().contains("range"), "{text}"),
            (Err(error), Ok(_)) => panic!("{error}: {text}"),
        }
    }
    assert!(accepted > 1_000, "{accepted}");
}
