//! Tables as people's programs write them, and what is told of those that are none.

use schema::versioned::{Cost, Price};

use super::*;

const ID: &str = "6f1d2b7e-0000-4000-8000-000000000001";
const HEADER: &str = "operatorId,direction,costPerSegment,currency,effectiveFrom,effectiveTo";

fn costs(text: &str) -> Result<Table<Cost>, Problem> {
    read::<Cost>(text.as_bytes())
}

fn good() -> String {
    format!("{ID},MT,0.02,EUR,2027-01-01,")
}

/// Line, column and reason of each refusal.
fn refused(text: &str) -> Vec<(u32, Option<&'static str>, LineFault)> {
    let table = costs(text).unwrap_or_else(|problem| panic!("{problem:?}"));
    let refused = table.refused.iter();
    refused.map(|it| (it.line, it.column, it.reason)).collect()
}

#[test]
fn a_table_is_read_with_or_without_mark_by_commas_or_semicolons_and_with_any_line_ends() {
    let lines = [HEADER.to_owned(), good(), good().replace("MT", "MO")];
    let plain = costs(&lines.join("\n")).expect("good").lines;
    assert_eq!(plain.len(), 2);
    assert_eq!(
        plain.iter().map(|line| line.number).collect::<Vec<_>>(),
        [2, 3]
    );
    for (mark, separator, end) in [
        ("\u{feff}", ",", "\n"),
        ("\u{feff}", ";", "\r\n"),
        ("", ";", "\n"),
        ("", ",", "\r\n"),
        ("", " , ", "\r\n"),
    ] {
        let text = format!("{mark}{}{end}", lines.join(end).replace(',', separator));
        assert_eq!(costs(&text).expect("good").lines, plain, "{text:?}");
    }
    let quoted = lines.join("\n").replace("EUR", "\"EUR\"");
    assert_eq!(costs(&quoted).expect("good").lines, plain);
}

#[test]
fn columns_stand_in_any_order_and_those_not_needed_may_be_left_out() {
    let text = format!("currency;costPerSegment;operatorId\nEUR;0.02;{ID}\n");
    let table = costs(&text).expect("good");
    assert_eq!((table.lines.len(), table.refused.len()), (1, 0));
    assert_eq!((table.lines[0].from, table.lines[0].to), (None, None));
    let text = format!(
        "accountTier,operatorId,currency,pricingModel,unitPrice\n\
         GROWTH,{ID},EUR,PER_SEGMENT,0.045\n"
    );
    let table = read::<Price>(text.as_bytes()).expect("good");
    let line = &table.lines[0];
    assert_eq!(
        (line.key.tenant, line.terms.billable_statuses.len()),
        (None, 5)
    );
}

#[test]
fn everything_that_is_wrong_is_told_by_line_and_column() {
    use LineFault::{CellCount, Formula, InvalidValue, MissingValue};
    let lines = [
        HEADER.to_owned(),
        good(),
        good().replace("0.02", "0.020000001"),
        good().replace(ID, "=cmd()").replace("EUR", "EUX"),
        String::new(),
        good().replace("0.02", "").replace("2027-01-01", "soon"),
        format!("{},x", good()),
        "\"".to_owned() + &good(),
    ];
    let expected = [
        (3, Some("costPerSegment"), InvalidValue),
        (4, Some("operatorId"), Formula),
        (4, Some("currency"), InvalidValue),
        (6, Some("costPerSegment"), MissingValue),
        (6, Some("effectiveFrom"), InvalidValue),
        (7, None, CellCount),
        (8, None, CellCount),
    ];
    for end in ["\n", "\r\n"] {
        let text = lines.join(end);
        assert_eq!(refused(&text), expected, "{end:?}");
        let table = costs(&text).expect("a table");
        assert_eq!((table.lines.len(), table.count), (1, 6));
        for refused in table.refused {
            assert!(!refused.detail.contains("cmd") && !refused.detail.contains("soon"));
        }
    }
}

#[test]
fn what_is_no_table_with_our_columns_is_refused_as_a_whole() {
    let code = |bytes: &[u8]| read::<Cost>(bytes).err().map(|problem| problem.code());
    let needed = HEADER.replace("currency,", "");
    let unknown = HEADER.replace("currency", "valuta");
    let twice = format!("{HEADER},currency");
    let text = format!("{HEADER}\n{}", good());
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cut = [text.as_bytes(), b"\xff"].concat();
    for wrong in [
        b"" as &[u8],
        b"\n\n",
        HEADER.as_bytes(),
        needed.as_bytes(),
        unknown.as_bytes(),
        twice.as_bytes(),
        &utf16,
        &cut,
    ] {
        assert_eq!(code(wrong), Some(Code::MalformedCsv));
    }
    let long = |lines: usize| format!("{HEADER}\n{}", format!("{}\n", good()).repeat(lines));
    assert_eq!(code(long(10_000).as_bytes()), None);
    assert_eq!(code(long(10_001).as_bytes()), Some(Code::SheetTooLong));
}
