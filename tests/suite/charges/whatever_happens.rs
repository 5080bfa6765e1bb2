//! The property: for any accounts, price lists, costs, rates and settlements, in any order, with any
//! repeats and whoever is killed meanwhile, charges equal the reference arithmetic, and sums equal
//! their charges.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use hyper::Method;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use schema::{AccountId, Timestamp};
use serde_json::{Value, json};
use tests::{
    drive,
    money::Millionths,
    traffic::{
        Agreement, Inbound,
        agreement::{Account, Comes, Outcome, Settled, Usage},
        announce,
    },
    world::{Service, World, WorldOptions},
};
use tokio::time::sleep;
use tokio_postgres::Client;

use super::{
    fixture::{Market, minutes_ago},
    lists::Lists,
};
use crate::{
    adjustments::fixture::{approve, approver, credit, proposed},
    faults::fixture::insist,
    fixture::{place, run},
};

const SEED: u64 = 30_620;
const MESSAGES: usize = 2_000;
/// While settlements come in, again while held charges resolve, and again while costs are corrected.
const KILLS: [u32; 3] = [9, 4, 4];
const PER_SECOND: u32 = 700;
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Kills one after the other, and starts another for it, until it is over and was done `least`
/// times.
async fn kill(
    world: &World,
    services: &mut Vec<Service>,
    chance: &mut ChaCha8Rng,
    (least, kills, over): (u32, &AtomicU32, &AtomicBool),
) {
    while !over.load(Ordering::Relaxed) || kills.load(Ordering::Relaxed) < least {
        sleep(Duration::from_millis(chance.random_range(10..400))).await;
        let victim = services.swap_remove(chance.random_range(0..services.len()));
        victim.kill().await.expect("killed");
        kills.fetch_add(1, Ordering::Relaxed);
        services.push(world.billing(&[]).await.expect("a service"));
    }
}

/// Sums of charges and of buckets, by currency.
async fn sums(database: &Client) -> [BTreeMap<String, [i64; 3]>; 2] {
    let sql = include_str!("sums.sql");
    let rows = database.query(sql, &[]).await.expect("reads");
    let side = |first: usize| {
        let of = |row: &tokio_postgres::Row| {
            let sums = [0, 1, 2].map(|place| row.get(first + place));
            (row.get(0), sums)
        };
        rows.iter().map(of).collect()
    };
    [side(1), side(4)]
}

/// What the reference arithmetic makes of it.
async fn reckoned(market: &Market) -> (usize, BTreeMap<String, [i64; 3]>) {
    let agreement = market.expected.agreement.as_ref().expect("agreed");
    let settled = drive::settled(&market.database).await.expect("reads");
    // Who is charged at first stays charged so; the others as it turns out later.
    let first = agreement.reckon(&settled, Comes::First);
    let waited = |it: &&Settled| matches!(first.outcomes[&it.message], Outcome::Held(_));
    let later = agreement.reckon(settled.iter().filter(waited), Comes::Later);
    let mut usage: BTreeMap<&str, Usage> = BTreeMap::new();
    for ((_, currency, _), of) in first.usage.iter().chain(&later.usage) {
        usage.entry(*currency).or_default().absorb(*of);
    }
    let plain = |it: Millionths| i64::try_from(it.0).expect("small");
    let plain = |(currency, it): (&str, Usage)| {
        let messages = i64::try_from(it.messages).expect("few");
        (
            currency.to_owned(),
            [messages, plain(it.price), plain(it.cost)],
        )
    };
    (later.held(), usage.into_iter().map(plain).collect())
}

/// How many adjustments the usage of all accounts shows.
async fn adjustments_in_usage(market: &Market, agreement: &Agreement) -> i64 {
    let mut shown = 0;
    let from = (eventstore::clock::now().micros() / DAY_MICROS - 10) * DAY_MICROS;
    let day = |micros| Timestamp::from_micros(micros).expect("a time").to_string()[..10].to_owned();
    let span = format!("from={}&to={}", day(from), day(from + 20 * DAY_MICROS));
    for (account, registered) in &agreement.accounts {
        let customer = market.rests[0].as_customer(registered.tenant, *account);
        let usage = customer.get(&format!("/v1/billing/usage?{span}")).await;
        let usage = usage.expect("an answer").made().expect("usage");
        for of in usage["byCurrency"].as_array().expect("currencies") {
            shown += of["totals"]["adjustmentCount"].as_i64().expect("a count");
        }
    }
    shown
}

/// Whether everything that may happen has happened.
async fn rich(market: &Market) {
    let sql = "select count(*) filter (where late), count(*) filter (where clock_skew),
        count(*) filter (where not billed), count(*) filter (where own_price),
        count(*) filter (where cost_missing), count(*) filter (where margin < 0)
        from billing.billing_events";
    let row = market.database.query_one(sql, &[]).await.expect("reads");
    for place in 0..row.len() {
        let count: i64 = row.get(place);
        assert!(count > 10, "{:?}: {count}", row.columns()[place]);
    }
    let sql = "select payload ->> 'reason', count(*) from eventlog.event
        where type = 'ChargeHeld' group by 1";
    let rows = market.database.query(sql, &[]).await.expect("reads");
    assert_eq!(rows.len(), 2, "every reason to wait");
}

/// Exchange rates become known and costs are corrected or withdrawn, for all the time gone by.
async fn correct(market: &Market, rng: &mut ChaCha8Rng) {
    let admin = market.admin();
    let made = async |method, path: &str, body: Option<Value>| {
        let answer = admin.call(method, path, body.as_ref()).await;
        answer.expect("an answer").made().expect("made")
    };
    let costs = "/v1/admin/operator-costs";
    let all = format!("{costs}?activeOnly=false&limit=50");
    let listed = admin.get(&all).await.expect("an answer").body;
    for [base, quote] in [["EUR", "USD"], ["USD", "EUR"]] {
        let rate = json!({
            "baseCurrency": base, "quoteCurrency": quote, "rate": "0.9215",
            "effectiveFrom": minutes_ago(100 * 60).to_string(),
        });
        made(Method::POST, "/v1/admin/exchange-rates", Some(rate)).await;
    }
    for cost in listed["data"].as_array().expect("costs") {
        let path = format!(
            "{costs}/{}",
            cost["operatorCostId"].as_str().expect("an id")
        );
        let from = cost["effectiveFrom"].as_str().expect("a time");
        match rng.random_range(0..4) {
            0 => {
                let change = json!({ "costPerSegment": "0.0123", "effectiveFrom": from });
                made(Method::PATCH, &path, Some(change)).await;
            }
            1 => {
                let change = json!({ "currency": "USD", "effectiveFrom": from });
                made(Method::PATCH, &path, Some(change)).await;
            }
            2 => {
                made(Method::DELETE, &format!("{path}?effectiveTo={from}"), None).await;
            }
            _ => {}
        }
    }
}

/// Accounts get versions that begin whenever: some in time that was charged, some not, some to come.
/// Says how many were told, and how many were refused because a charge rests on what was.
async fn become_others(market: &Market, agreement: &Agreement, rng: &mut ChaCha8Rng) -> [usize; 2] {
    let admin = market.admin();
    let mut told = [0; 2];
    for (id, account) in &agreement.accounts {
        for _ in 0..3 {
            let version = Account {
                tier: ["STARTER", "ENTERPRISE"][rng.random_range(0..2)],
                currency: ["EUR", "USD"][rng.random_range(0..2)],
                from: Some(minutes_ago(rng.random_range(-60..100 * 60))),
                ..account.clone()
            };
            let answer = admin.register(*id, &version).await.expect("an answer");
            match (answer.status, answer.code()) {
                (200 | 201, _) => told[0] += 1,
                (409, Some("would_reprice")) => told[1] += 1,
                other => panic!("{other:?}: {}", answer.text),
            }
        }
    }
    told
}

/// Some accounts get something back that one person proposes and another approves.
async fn adjust(market: &Market) -> i64 {
    let sql = "select account_id, min(currency::text) from billing.account_versions group by 1";
    let registered = market.database.query(sql, &[]).await.expect("reads");
    let rest = &market.rests[0];
    for row in &registered {
        let mut body = credit(AccountId(row.get(0)));
        body["currency"] = row.get::<_, &str>(1).into();
        let id = proposed(rest, &body).await;
        let approved = approve(&approver(rest, "omar"), id).await;
        approved.made().expect("approved");
    }
    i64::try_from(registered.len()).expect("few")
}

/// Messages settle while nodes are killed.
async fn messages_settle(
    market: &Market,
    inbound: &[Inbound],
    services: &mut Vec<Service>,
    chance: &mut ChaCha8Rng,
    kills: &AtomicU32,
) {
    let until = (KILLS[0], kills, &AtomicBool::new(false));
    let settling = async {
        insist(&market.announcer, announce::SUBJECT, inbound, PER_SECOND).await;
        // A slow machine needs more traffic for as many kills.
        while kills.load(Ordering::Relaxed) < KILLS[0] {
            let again = &inbound[..500];
            insist(&market.announcer, announce::SUBJECT, again, PER_SECOND).await;
        }
        until.2.store(true, Ordering::Relaxed);
    };
    tokio::join!(settling, kill(&market.world, services, chance, until));
}

/// Accounts, costs and rates change and bills are adjusted while more messages settle and nodes are
/// killed: every charge ends with what the final timelines say.
async fn everything_changes(
    market: &Market,
    agreement: &Agreement,
    more: &[Inbound],
    services: &mut Vec<Service>,
    chance: &mut ChaCha8Rng,
    kills: &AtomicU32,
) {
    let least = KILLS.iter().sum();
    let until = (least, kills, &AtomicBool::new(false));
    let changing = async {
        let mut which = ChaCha8Rng::seed_from_u64(SEED + 1);
        let [told, refused] = become_others(market, agreement, &mut which).await;
        assert!(told > 0 && refused > 0, "{told} told, {refused} refused");
        correct(market, &mut which).await;
        let adjusted = adjust(market).await;
        until.2.store(true, Ordering::Relaxed);
        adjusted
    };
    let settling = insist(&market.announcer, announce::SUBJECT, more, PER_SECOND / 7);
    let killing = kill(&market.world, services, chance, until);
    let (adjusted, (), ()) = tokio::join!(changing, settling, killing);
    // The auditor knows what each charge costs in the end, who pays it and what is adjusted.
    market.balances().await;
    let sql = include_str!("not_as_registered.sql");
    let others = market.database.query(sql, &[]).await.expect("reads");
    assert_eq!(others.len(), 0, "charged by what the account never was");
    assert_eq!(adjustments_in_usage(market, agreement).await, adjusted);
    let [charges, buckets] = sums(&market.database).await;
    assert_eq!(buckets, charges, "buckets are the sum of the charges");
    let sql = "select count(distinct charge_position) from billing.cost_assessments";
    let row = market.database.query_one(sql, &[]).await.expect("reads");
    assert!(row.get::<_, i64>(0) > 100, "many cost something else now");
}

#[test]
fn charges_equal_the_reference_whatever_comes_in_any_order_and_whoever_is_killed() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        // Prices are set at a node that lives and takes in no settlements.
        market.node(&[("BILLING_CONSUMER_ENABLED", "false")]).await;
        let Lists {
            agreement,
            announced,
        } = Lists::draw(SEED, MESSAGES);
        let rest = &market.rests[0];
        let agreed = drive::agree(rest, &agreement, Comes::First).await;
        agreed.expect("agreed");
        market.expected.agreement = Some(agreement.clone());
        let (announced, more) = announced.split_at(announced.len() * 9 / 10);
        let inbound = market.expect(announced);
        let mut chance = ChaCha8Rng::seed_from_u64(SEED);
        let mut services = Vec::new();
        for _ in 0..2 {
            services.push(market.world.billing(&[]).await.expect("a service"));
        }
        let kills = AtomicU32::new(0);
        messages_settle(&market, &inbound, &mut services, &mut chance, &kills).await;
        market.rest().await;
        let settled = drive::settled(&market.database).await.expect("reads");
        let waiting = agreement.reckon(&settled, Comes::First).held();
        market.waiting(waiting).await;

        let until = (KILLS[0] + KILLS[1], &kills, &AtomicBool::new(false));
        let agreeing = async {
            let agreed = drive::agree(&market.rests[0], &agreement, Comes::Later).await;
            agreed.expect("agreed");
            until.2.store(true, Ordering::Relaxed);
        };
        tokio::join!(
            agreeing,
            kill(&market.world, &mut services, &mut chance, until)
        );
        let (held, due) = reckoned(&market).await;
        market.waiting(held).await;
        let counts = market.balances().await.counts;
        assert!(held > 0 && counts.resolved > 0 && counts.conflicts > 0);
        let [charges, buckets] = sums(&market.database).await;
        assert_eq!(charges, due, "charges are those of the reference");
        assert_eq!(buckets, charges, "buckets are the sum of the charges");
        rich(&market).await;

        let more = market.expect(more);
        // What was agreed at first is no measure any more: accounts become others.
        market.expected.agreement = None;
        everything_changes(
            &market,
            &agreement,
            &more,
            &mut services,
            &mut chance,
            &kills,
        )
        .await;
        eprintln!("{kills:?} kills, {counts:?}");
    });
}
