//! `tollbook prices` and `tollbook costs`: what a person in a terminal sees, and what is done.

use std::{collections::BTreeMap, path::PathBuf};

use hyper::Method;
use serde_json::Value;

use crate::{
    fixture::{Ended, run, tollbook, unique},
    rest::fixture::{Customer, Desk, desk, done},
};

/// A folder with a token and a sheet, and the words that lead there.
struct Person {
    folder: PathBuf,
    url: String,
}

impl Person {
    async fn at(desk: &Desk) -> Self {
        let folder = desk.world.path(&format!("person-{}", unique().simple()));
        std::fs::create_dir(&folder).expect("made");
        let token = desk.rest.as_billing_admin().token().await;
        let token = token.expect("made").expect("one");
        std::fs::write(folder.join("token"), format!("{token}\n")).expect("written");
        Self {
            folder,
            url: desk.rest.base().to_owned(),
        }
    }

    /// Says `tollbook WHAT … DOES sheet`.
    async fn says(&self, what: &str, does: &str, sheet: &str) -> Ended {
        let file = self.folder.join("sheet.csv");
        std::fs::write(&file, sheet).expect("written");
        let (token, file) = (self.folder.join("token"), file.display().to_string());
        let token = token.display().to_string();
        let words = [
            what,
            "--url",
            &self.url,
            "--token-file",
            &token,
            does,
            &file,
        ];
        tollbook(&words, &BTreeMap::new()).await
    }
}

async fn versions(desk: &Desk, path: &str, operator: impl std::fmt::Display) -> usize {
    let list = format!("{path}?operatorId={operator}&activeOnly=false");
    let page: Value = done(&desk.rest, Method::GET, &list, None).await;
    page["data"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_person_sees_what_a_sheet_would_do_and_does_it_once() {
    run(async {
        let desk = desk().await;
        let person = Person::at(desk).await;
        for (what, path, columns, rest) in [
            (
                "prices",
                "/v1/admin/pricing",
                "operatorId,accountTier,currency,pricingModel,unitPrice",
                "GROWTH,EUR,PER_SEGMENT,0.05",
            ),
            (
                "costs",
                "/v1/admin/operator-costs",
                "operatorId,currency,costPerSegment",
                "EUR,0.02",
            ),
        ] {
            let operator = Customer::nobody().operator;
            let sheet = format!("{columns}\n{operator},{rest}\n");
            let seen = person.says(what, "diff", &sheet).await;
            assert_eq!(seen.code, Some(0), "{seen:?}");
            let counts = "1 lines: 1 opened, 0 closed, 0 unchanged, 0 refused";
            assert!(
                seen.out.contains(counts) && seen.out.contains("opened  "),
                "{seen:?}"
            );
            assert!(seen.err.contains("sent"), "progress: {seen:?}");
            assert_eq!(versions(desk, path, operator).await, 0, "{what}");
            for _ in 0..2 {
                let applied = person.says(what, "import", &sheet).await;
                assert_eq!(applied.code, Some(0), "{applied:?}");
                assert!(applied.out.contains(counts), "{applied:?}");
                assert!(applied.out.contains("applied as"), "{applied:?}");
                assert_eq!(versions(desk, path, operator).await, 1);
            }
        }
        desk.is_calm();
    });
}

#[test]
fn a_line_that_is_refused_ends_with_1_and_nothing_is_applied() {
    run(async {
        let desk = desk().await;
        let person = Person::at(desk).await;
        let operator = Customer::nobody().operator;
        let sheet = format!(
            "operatorId,currency,costPerSegment\n{operator},EUR,0.02\n{},EUR,0.0200000001\n",
            unique()
        );
        for does in ["diff", "import"] {
            let refused = person.says("costs", does, &sheet).await;
            assert_eq!(refused.code, Some(1), "{refused:?}");
            let told = "3  refused    costPerSegment: must not have more than 6 decimal places";
            assert!(refused.out.contains(told), "{refused:?}");
            assert!(refused.err.contains("nothing is applied"), "{refused:?}");
            assert_eq!(
                versions(desk, "/v1/admin/operator-costs", operator).await,
                0
            );
        }
        let broken = person.says("costs", "import", "x\n1\n").await;
        assert_eq!(broken.code, Some(1), "{broken:?}");
        assert!(broken.err.contains("malformed_csv"), "{broken:?}");
        std::fs::write(person.folder.join("token"), "nonsense").expect("written");
        let stranger = person.says("costs", "diff", &sheet).await;
        assert_eq!(stranger.code, Some(1), "{stranger:?}");
        assert!(!stranger.err.contains("nonsense"), "{stranger:?}");
        // A token never goes to another machine in the clear.
        let away = Person {
            url: "http://billing.example".to_owned(),
            ..person
        };
        let refused = away.says("costs", "diff", &sheet).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        desk.is_calm();
    });
}
