//! Who may do what over REST: everybody who may call, times every endpoint, times whose thing it is.
//! Every cell is called and held to what CONTRACTS 9 says, allowed and refused, and to what
//! `billing.access_log` must show of it.
//!
//! Endpoints come from the service's document and roles from its declaration, so that a new one
//! without its cells fails.

mod callers;

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use tests::world::PLATFORM;
use uuid::Uuid;

use self::callers::{Has, Known, ROLES, Who};
use super::{
    endpoints::{Operation, Right, Things, adjustments, compared, operations, rates},
    fixture::{
        Customer, Desk, account_body, calm, cost_body, desk, done, list_price_body, opened,
        price_body,
    },
};
use crate::fixture::{eventually, run, unique};

const PRICES: &str = "/v1/admin/pricing";
const COSTS: &str = "/v1/admin/operator-costs";
/// Callers at the same time.
const AT_ONCE: usize = 8;

/// Whose thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The customer's.
    Own,
    /// Another customer's.
    Anothers,
    /// The platform's: an account of its tenant, prices of its list.
    Platforms,
}

const ALL: [Whose; 3] = [Whose::Own, Whose::Anothers, Whose::Platforms];

/// One of everything, of each of them.
#[derive(Clone, Copy)]
struct Shelf([Things; 3]);

impl Shelf {
    async fn of(desk: &Desk, own: Customer) -> Self {
        let another = Customer::nobody();
        let platforms = Customer {
            tenant: PLATFORM,
            ..Customer::nobody()
        };
        let made = [
            things(desk, own).await,
            things(desk, another).await,
            things(desk, platforms).await,
        ];
        Self(made)
    }

    fn things(&self, whose: Whose) -> Things {
        self.0[whose as usize]
    }
}

/// A registered account with prices and costs of its own; prices of the platform are its list's.
async fn things(desk: &Desk, of: Customer) -> Things {
    let path = format!("/v1/admin/accounts/{}", of.account);
    let body = account_body(of.tenant);
    done(&desk.rest, hyper::Method::PUT, &path, Some(&body)).await;
    let statement = compared(desk, of).await;
    let mut made = Vec::new();
    for _ in 0..2 {
        let operator = Customer::nobody().operator;
        let customer = Customer { operator, ..of };
        let price = match customer.tenant {
            PLATFORM => list_price_body(customer.operator),
            _ => price_body(customer),
        };
        let cost = cost_body(customer.operator);
        let price = opened(&desk.rest, PRICES, &price).await;
        made.push((price, opened(&desk.rest, COSTS, &cost).await));
    }
    Things {
        customer: of,
        message: desk.charged(of).await,
        prices: [made[0].0, made[1].0],
        costs: [made[0].1, made[1].1],
        rates: rates(desk).await,
        adjustments: adjustments(desk, of).await,
        statement,
    }
}

/// What must come of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    /// The status and the code of a refusal; none for what is allowed.
    refused: Option<(u16, &'static str)>,
    /// Whether it stands in `billing.access_log`.
    recorded: bool,
}

const MISSING: (u16, &str) = (403, "right_missing");

/// What CONTRACTS 9 says of `who`, an endpoint that needs `right`, and a thing of `whose`.
fn due(who: &Who, operation: &str, right: Right, whose: Whose, of: Customer) -> Due {
    if let Known::Not(status, code) = who.known {
        let refused = Some((status, code));
        return Due {
            refused,
            recorded: false,
        };
    }
    match right {
        Right::Explain => Due {
            refused: (!who.has(Has::Admin) && !who.has(Has::ReadAny) && !who.has(Has::Audit))
                .then_some(MISSING),
            recorded: true,
        },
        Right::Margins => Due {
            refused: (!who.has(Has::Admin) && !who.has(Has::Finance)).then_some(MISSING),
            recorded: true,
        },
        Right::Read if operation == "showCharge" => of_a_charge(who, of),
        Right::Read => of_usage(who, of),
        Right::Settle => Due {
            refused: (!who.has(Has::Admin) && !who.has(Has::ReadAny)).then_some(MISSING),
            recorded: true,
        },
        Right::Finance => Due {
            refused: (!who.has(Has::Finance)).then_some(MISSING),
            recorded: false,
        },
        // Nothing of it is a tenant's.
        Right::Compare => {
            let may = who.has(Has::Admin) || who.has(Has::Finance);
            let refused = (!may).then_some(MISSING);
            Due {
                refused,
                recorded: false,
            }
        }
        Right::Admin => {
            let refused = (!who.has(Has::Admin)).then_some(MISSING);
            let looks = ["listPrices", "showPrice"];
            // Everybody may know what the platform's list says, once they may see prices.
            let public = operation == "showPrice" && whose == Whose::Platforms;
            let recorded = looks.contains(&operation) && (refused.is_some() || !public);
            Due { refused, recorded }
        }
    }
}

/// Whoever acts for an account sees that one; for a tenant, each of its own; the platform's
/// administrators, each there is. What is not their own is recorded.
fn of_usage(who: &Who, of: Customer) -> Due {
    let due = |refused, recorded| Due { refused, recorded };
    let (reads, own) = (who.has(Has::Read), who.account == Some(of.account));
    match () {
        () if own => due((!reads).then_some(MISSING), false),
        () if who.has(Has::ReadAny) => due(None, true),
        () if !reads => due(Some(MISSING), true),
        () if who.account.is_some() => due(Some((403, "account_mismatch")), true),
        () if who.tenant == of.tenant => due(None, false),
        () => due(Some((404, "not_found")), true),
    }
}

/// Whoever sees every account sees every charge, and is recorded; others see their own, and hear of
/// no other whether it is there.
fn of_a_charge(who: &Who, of: Customer) -> Due {
    let due = |refused, recorded| Due { refused, recorded };
    let own = who.account.is_none_or(|account| account == of.account);
    match () {
        () if !who.has(Has::Read) => due(Some(MISSING), true),
        () if who.has(Has::ReadAny) => due(None, who.account != Some(of.account)),
        () if who.tenant == of.tenant && own => due(None, false),
        () => due(Some((404, "not_found")), false),
    }
}

/// What was called, and what the log of accesses must show of it.
struct Called {
    cell: String,
    request: Uuid,
    due: Due,
}

/// Calls every endpoint about everything as `who`; each cell under a name of its own, because what
/// somebody repeats is counted and not recorded again.
async fn call_all(who: &Who, operations: &[Operation], shelf: &Shelf, run: Uuid) -> Vec<Called> {
    let mut called = Vec::new();
    for operation in operations {
        for whose in ALL {
            let things = shelf.things(whose);
            let subject = format!("{}-{}", subject_of(who, run), unique().simple());
            let (right, answer) = operation.call(&who.named(&subject), things).await;
            let due = due(who, &operation.id, right, whose, things.customer);
            let cell = format!("{}, {}, {whose:?}", who.name, operation.id);
            let told = format!("{cell}: {} {}", answer.status, answer.text);
            match due.refused {
                None => assert!((200..300).contains(&answer.status), "{told}"),
                Some(refused) => {
                    let code = answer.code().unwrap_or_default();
                    assert_eq!((answer.status, code), refused, "{told}");
                    let asks = answer.header("www-authenticate").is_some();
                    assert_eq!(asks, refused.0 == 401, "{told}");
                }
            }
            let request = answer.header("x-request-id").expect("an id");
            let request = request.parse().expect("ours");
            called.push(Called { cell, request, due });
        }
    }
    called
}

/// The beginning of all their names: whether they may write anything is part of it.
fn subject_of(who: &Who, run: Uuid) -> String {
    let writes = if who.has(Has::Admin) || who.has(Has::Finance) {
        "writes"
    } else {
        "reads"
    };
    format!("{writes}-{}", run.simple())
}

#[test]
fn every_cell_of_callers_endpoints_and_tenants_is_as_the_contract_has_it() {
    run(async {
        let (desk, operations) = (desk().await, operations(desk().await).await);
        let (own, run) = (Customer::nobody(), unique());
        let shelf = Shelf::of(desk, own).await;
        let everybody = callers::all(desk, desk.gateway().await, own);
        let called = stream::iter(&everybody).map(async |who| {
            // What an administrator closes is closed, and what finance decides is decided.
            let shelf = if who.has(Has::Admin) || who.has(Has::Finance) {
                Shelf::of(desk, own).await
            } else {
                shelf
            };
            call_all(who, &operations, &shelf, run).await
        });
        let called: Vec<Called> = called.buffer_unordered(AT_ONCE).concat().await;
        assert_eq!(called.len(), everybody.len() * operations.len() * ALL.len());
        all_is_recorded(desk, &called).await;
        let wrote = async |who: &str| {
            let sql = include_str!("matrix/written.sql");
            let name = format!("{who}-{}", run.simple());
            let row = desk.database.query_one(sql, &[&name]).await;
            row.expect("reads").get::<_, i64>(0)
        };
        assert_eq!(wrote("reads").await, 0, "somebody without the right wrote");
        assert!(wrote("writes").await > 0);
        desk.is_calm();
        calm(&desk.gateway().await.service);
    });
}

/// Each look, allowed and refused, stands in `billing.access_log` as often as it must.
async fn all_is_recorded(desk: &Desk, called: &[Called]) {
    let all: Vec<Uuid> = called.iter().map(|one| one.request).collect();
    let due = called.iter().filter(|one| one.due.recorded).count();
    let sql = include_str!("matrix/recorded.sql");
    let rows = eventually("all looks are shown", async || {
        let rows = desk.database.query(sql, &[&all]).await.expect("reads");
        (rows.len() >= due).then_some(rows)
    })
    .await;
    let mut shown = BTreeMap::<Uuid, Vec<Option<String>>>::new();
    for row in rows {
        shown.entry(row.get(0)).or_default().push(row.get(1));
    }
    for Called { cell, request, due } in called {
        let code = due.refused.map(|refused| refused.1.to_owned());
        let wanted = if due.recorded { vec![code] } else { Vec::new() };
        let found = shown.remove(request).unwrap_or_default();
        assert_eq!(found, wanted, "{cell}");
    }
}

#[test]
fn every_role_there_is_has_a_row_in_the_matrix() {
    let declared = api::identity::ROLES.map(|(role, _)| role);
    assert_eq!(declared, ROLES.map(|(role, _)| role));
}
