//! Keys: who may make which, and how far one goes that opens nothing.
//!
//! The attacker has a service's role in Postgres, a wrong master key file, or has spoilt a data
//! key.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use eventstore::{
    keyring::{Keyring, KeyringError, KnownTenant, MasterKeyFile, MasterKeys, Subject},
    postgres::PgKeyring,
    seal::KEY_LEN,
};
use schema::{Pseudonym, TenantId};
use tempfile::TempDir;
use tests::{
    stack::PgVersion,
    world::{Service, WorldOptions},
};
use tokio_postgres::{Client, error::SqlState};
use uuid::Uuid;

use crate::{
    charges::fixture::{Customer, Market},
    fixture::{Base, MASTER_KEY, base_in, eventually, place, postgres, run, tollbook, unique},
    receipts::fixture::{Desk, Sms, receipt, settled_as, sms, untouched},
};

/// Another key under the version of [`MASTER_KEY`].
const OTHER_KEY: &str = "1 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";

/// Runs `attack` on every Postgres at hand.
fn on_each_postgres(attack: impl AsyncFn(Base)) {
    run(async {
        for version in [PgVersion::V18, PgVersion::V15] {
            if version.available() {
                attack(base_in(postgres(version).await).await).await;
            }
        }
    });
}

/// A keyring as a service has one, with this master key file.
fn keyring(base: Base, role: &str, folder: &Path, content: &str) -> PgKeyring {
    let path = folder.join(unique().simple().to_string());
    fs::write(&path, content).expect("written");
    let file = MasterKeyFile::new(path).expect("good");
    PgKeyring::new(base.pool(role), file)
}

async fn of_tenant(keyring: &PgKeyring, tenant: TenantId) -> Result<KnownTenant, KeyringError> {
    let mut found = keyring.of_tenants(&[tenant]).await?;
    Ok(found.remove(&tenant).expect("asked for"))
}

/// What `eventlog.enrol_day` says to `role` about a day so many days from today.
async fn enrol_day(client: &Client, days: i32) -> Result<(), SqlState> {
    let sql = "select eventlog.enrol_day((now() at time zone 'UTC')::date + $1::int4, 1::int2,
        '\\x00', 1::int2, sha256('planted'))";
    let done = client.execute(sql, &[&days]).await;
    done.map(drop)
        .map_err(|error| error.code().cloned().expect("postgres said it"))
}

#[test]
fn a_role_makes_no_key_for_days_to_come_and_billing_none_of_any_day() {
    on_each_postgres(async |base| {
        let billing = base.client("billing_svc").await;
        for days in [-1, 0, 1, 30] {
            let refused = enrol_day(&billing, days).await;
            assert_eq!(refused, Err(SqlState::INSUFFICIENT_PRIVILEGE), "{days}");
        }
        let dlr = base.client("dlr_svc").await;
        for days in [-400, -2, 2, 3, 30] {
            let refused = enrol_day(&dlr, days).await;
            assert_eq!(refused, Err(SqlState::INVALID_PARAMETER_VALUE), "{days}");
        }
        for days in [-1, 0, 1] {
            assert_eq!(enrol_day(&dlr, days).await, Ok(()), "{days}");
        }
    });
}

#[test]
fn a_wrong_master_key_makes_no_data_key_whoever_came_first() {
    on_each_postgres(async |base| {
        let folder = TempDir::new().expect("a folder");
        // Both start with an empty database, so neither could be told anything then.
        let right = keyring(base, "dlr_svc", folder.path(), MASTER_KEY);
        let wrong = keyring(base, "billing_svc", folder.path(), OTHER_KEY);
        assert_eq!(right.check().await.expect("nothing to compare"), []);
        assert_eq!(wrong.check().await.expect("nothing to compare"), []);
        let (first, second) = (TenantId(unique()), TenantId(unique()));
        let made = of_tenant(&right, first).await.expect("made");
        made.unlocked().expect("it opens");
        let today = eventstore::clock::now().date();
        for refused in [
            of_tenant(&wrong, second).await.map(drop),
            wrong.of_day(today).await.map(drop),
            wrong.check().await.map(drop),
        ] {
            // billing_svc may not even ask for a day's key.
            assert!(
                matches!(
                    refused,
                    Err(KeyringError::OtherMasterKey { version: 1, .. } | KeyringError::Store(_))
                ),
                "{refused:?}"
            );
        }
        // The tenant that the wrong key came upon first is nobody's victim.
        let made = of_tenant(&right, second).await.expect("made");
        made.unlocked().expect("it opens");
        let sql = "select count(*) from eventlog.data_key";
        let row = base.admin().await.query_one(sql, &[]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 2);
    });
}

#[test]
fn a_destroyed_key_is_forgotten_by_processes_that_knew_it() {
    on_each_postgres(async |base| {
        let folder = TempDir::new().expect("a folder");
        let keys = keyring(base, "dlr_svc", folder.path(), MASTER_KEY);
        let (erased, stays) = (TenantId(unique()), TenantId(unique()));
        let known = of_tenant(&keys, erased).await.expect("made");
        let other = of_tenant(&keys, stays).await.expect("made");
        let admin = base.client("tollbook_admin").await;
        for sql in [
            "delete from eventlog.data_key where tenant = $1",
            "delete from eventlog.tenant where pseudonym = $1",
        ] {
            let gone = admin.execute(sql, &[&known.pseudonym.0]).await;
            assert_eq!(gone.expect("deleted"), 1);
        }
        let id = known.key.expect("it opens").expect("not erased").id();
        keys.look_again().await.expect("looked");
        assert!(keys.by_id(&[id]).await.expect("asked").is_empty());
        let named = keys.tenants_of(&[known.pseudonym]).await.expect("asked");
        assert_eq!(named, HashMap::new());
        let again = of_tenant(&keys, stays).await.expect("known");
        assert_eq!(again.pseudonym, other.pseudonym);
        let anew = of_tenant(&keys, erased).await.expect("made");
        assert_ne!(anew.pseudonym, known.pseudonym, "somebody new to the log");
    });
}

/// What it takes to plant a data key that opens nothing, and to mend it.
struct Planted {
    mended: Vec<u8>,
    key: i64,
}

impl Planted {
    /// Gives a tenant that nobody knows yet a key that opens nothing.
    async fn for_tenant(database: &Client, tenant: Uuid) -> Self {
        let pseudonym = Pseudonym(unique());
        let sql = "with t as (
                insert into eventlog.tenant (pseudonym, tenant_id) values ($1, $2)
            )
            insert into eventlog.data_key (tenant, wrapped, master_key)
            values ($1, sha512('planted'), 1) returning key_id";
        let row = database.query_one(sql, &[&pseudonym.0, &tenant]).await;
        Self {
            mended: wrapped(Subject::Tenant(pseudonym)),
            key: row.expect("planted").get(0),
        }
    }

    async fn mend(&self, database: &Client) {
        let sql = "update eventlog.data_key set wrapped = $2 where key_id = $1";
        let mended = database.execute(sql, &[&self.key, &self.mended]).await;
        assert_eq!(mended.expect("mended"), 1);
    }
}

/// A data key as whoever has the right master key wraps it.
fn wrapped(subject: Subject) -> Vec<u8> {
    let masters = MasterKeys::parse(MASTER_KEY).expect("good");
    masters.wrap(&[7; KEY_LEN], subject).bytes
}

async fn locked(service: &Service, count: i64) {
    eventually("the gauge of locked keys", async || {
        (service.metric("keyring_locked_keys").await == Some(count)).then_some(())
    })
    .await;
}

#[test]
fn a_data_key_that_does_not_open_holds_back_only_its_tenant() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let tenant = unique();
        let planted = Planted::for_tenant(&desk.database, tenant).await;
        let (mut victims, mut others) = (Vec::new(), Vec::new());
        for _ in 0..40 {
            let victim = Sms { tenant, ..sms() };
            desk.enqueue(&victim).await;
            victims.push(victim);
            others.push(desk.message().await);
        }
        let mut last = 0;
        for (victim, other) in victims.iter().zip(&others) {
            desk.send(&receipt(victim)).await;
            last = desk.send(&receipt(other)).await;
        }
        desk.done(last).await;
        for other in &others {
            assert_eq!(
                desk.effects(other).await,
                settled_as("DELIVRD", "DELIVERED")
            );
        }
        for victim in &victims {
            assert_eq!(desk.effects(victim).await, untouched());
        }
        locked(&desk.service, 1).await;
        eventually("it is told", async || {
            let log = desk.service.log();
            log.contains("keyring.key_locked").then_some(())
        })
        .await;

        planted.mend(&desk.database).await;
        locked(&desk.service, 0).await;
        for victim in &victims {
            eventually("the receipt has its effects", async || {
                let orphans = desk.orphans(victim).await;
                orphans.iter().all(|(_, resolved)| *resolved).then_some(())
            })
            .await;
        }
        desk.done(last).await;
        for victim in &victims {
            assert_eq!(
                desk.effects(victim).await,
                settled_as("DELIVRD", "DELIVERED")
            );
        }
    });
}

#[test]
fn a_data_key_that_does_not_open_holds_back_no_charge() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        market.node(&[]).await;
        let customer = Customer::new();
        Planted::for_tenant(&market.database, customer.tenant.0).await;
        let announced = customer.message();
        market.announce(&[announced]).await;
        market.becomes(announced.message, ["ChargeHeld"]).await;
    });
}

#[test]
fn planted_keys_of_a_day_make_no_receipt_wait() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let sql = "insert into eventlog.data_key (day, wrapped, master_key)
            select (now() at time zone 'UTC')::date + n, sha512('planted'), 1
            from generate_series(-1, 1) n";
        desk.database.execute(sql, &[]).await.expect("planted");
        let nobodys: Vec<_> = (0..60).map(|_| sms()).collect();
        let mut last = 0;
        for nobody in &nobodys {
            last = desk.send(&receipt(nobody)).await;
        }
        let known = desk.message().await;
        desk.receives(&receipt(&known)).await;
        assert_eq!(
            desk.effects(&known).await,
            settled_as("DELIVRD", "DELIVERED")
        );
        desk.done(last).await;
        assert!(desk.consumer().await.num_ack_pending == 0);
        for nobody in &nobodys {
            assert_eq!(
                desk.orphans(nobody).await.len(),
                1,
                "kept under another key"
            );
        }
        locked(&desk.service, 1).await;
        // What is sealed under the key made beside it opens: orphans heal as ever.
        desk.enqueue(&nobodys[0]).await;
        eventually("the orphan is healed", async || {
            let orphans = desk.orphans(&nobodys[0]).await;
            orphans.iter().all(|(_, resolved)| *resolved).then_some(())
        })
        .await;
    });
}

/// What a `tollbook dlr` says that ends because of its master key file.
async fn refusal(base: Base, file: &Path) -> String {
    let variables = BTreeMap::from([
        ("DATABASE_URL", base.url("dlr_svc")),
        ("NATS_URL", "nats://127.0.0.1:9".to_owned()),
        ("MASTER_KEY_FILE", file.display().to_string()),
        ("PROBE_ADDRESS", "127.0.0.1".to_owned()),
        ("PROBE_PORT", "0".to_owned()),
    ]);
    let ended = tollbook(&["dlr"], &variables).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    ended.err
}

#[test]
fn a_process_with_a_wrong_master_key_does_not_start_and_says_which() {
    on_each_postgres(async |base| {
        let folder = TempDir::new().expect("a folder");
        let right = keyring(base, "dlr_svc", folder.path(), MASTER_KEY);
        of_tenant(&right, TenantId(unique())).await.expect("made");
        let file = folder.path().join("wrong.key");
        fs::write(&file, OTHER_KEY).expect("written");
        let said = refusal(base, &file).await;
        assert!(said.contains("MASTER_KEY_FILE: version 1"), "{said}");
        for content in [MASTER_KEY, OTHER_KEY] {
            let masters = MasterKeys::parse(content).expect("good");
            let (_, check) = masters.checks().next().expect("a version");
            assert!(said.contains(&check.fingerprint()), "{said}");
        }
        fs::write(&file, [MASTER_KEY, OTHER_KEY].concat()).expect("written");
        let said = refusal(base, &file).await;
        assert!(said.contains("version 1 a second time"), "{said}");
    });
}

#[test]
fn a_master_key_file_that_lacks_a_version_or_is_open_to_all_is_told_at_the_start() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        Planted::for_tenant(&world.admin().await.expect("postgres"), unique()).await;
        let file = world.path("next.key");
        fs::write(&file, OTHER_KEY.replacen('1', "2", 1)).expect("written");
        for (mode, open) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
            let set = fs::set_permissions(&file, PermissionsExt::from_mode(mode));
            set.expect("set");
            let file = file.display().to_string();
            let options = [("MASTER_KEY_FILE", file.as_str())];
            let service = world.service(&options).await.expect("it starts");
            let said = service.log();
            let told = said.contains("keyring.file_open_to_others");
            assert_eq!(told, open, "{mode:o}: {said}");
            let line = said.lines().find(|line| line.contains("version_missing"));
            let line = line.expect("it says so");
            assert!(
                line.contains("\"version\":1") && line.contains("\"dataKeys\":1"),
                "{line}"
            );
        }
    });
}
