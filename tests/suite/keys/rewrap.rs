//! `tollbook keys rewrap`: what is sealed opens before, during and after it, whatever happens to it.

use std::{collections::BTreeSet, process::Stdio};

use eventstore::{
    LogId,
    keyring::{Keyring, KeyringError, Subject},
    seal::{DataKey, KEY_LEN, Place},
};
use schema::{
    Category, Personal, Pseudonym, Sealed, SealedValue, StreamId, StreamVersion, TenantId,
};
use tests::world;
use tokio::process::Command;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::{SECOND, data_keys, file, job, keyring, on_each_postgres, under, wrapped};
use crate::fixture::{Base, MASTER_KEY, eventually, tollbook, unique};

/// More than one batch holds.
const MANY: u8 = 251;

/// Whose key is being made in a transaction of its own.
const SUBJECT: Uuid = Uuid::from_u128(77);

fn place() -> Place<'static> {
    Place {
        log: LogId::DEFAULT,
        stream: StreamId {
            category: Category::Message,
            id: Uuid::from_u128(7),
        },
        version: StreamVersion(1),
        field: Sealed::TO,
    }
}

fn sealed(key: &DataKey) -> (i64, SealedValue) {
    let number = Personal::new("+99900000000001".into());
    (key.id(), key.seal(&place(), &number))
}

/// Whether all of these open with whatever a process has under the file at `path`.
async fn open(base: Base, path: &std::path::Path, sealed: &[(i64, SealedValue)]) -> bool {
    let keys: Vec<i64> = sealed.iter().map(|(key, _)| *key).collect();
    let found = keyring(base, path).by_id(&keys).await.expect("asked");
    sealed.iter().all(|(key, value)| {
        let key = found.get(key).and_then(|key| key.as_ref().ok());
        key.is_some_and(|key| key.open(&place(), value).is_ok())
    })
}

#[test]
fn every_data_key_goes_under_the_newest_version_and_nothing_sealed_changes() {
    on_each_postgres(async |base, folder| {
        let (old, both, new) = (
            file(&folder, &[MASTER_KEY]),
            file(&folder, &[MASTER_KEY, SECOND]),
            file(&folder, &[SECOND]),
        );
        let keys = keyring(base, &old);
        let mut values = Vec::new();
        for _ in 0..3 {
            let known = keys.of_tenant(TenantId(unique())).await.expect("made");
            let key = known.key.expect("it opens").expect("not erased");
            values.push(sealed(&key));
        }
        let today = eventstore::clock::now().date();
        values.push(sealed(&keys.of_day(today).await.expect("made")));
        assert!(!open(base, &new, &values).await, "all are under version 1");

        let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &both)).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(
            done.out,
            "4 data keys put under version 2 of the master key\n\
            version 1 is not used by any data key; it may be taken out of the file\n"
        );
        for file in [&both, &new] {
            assert!(open(base, file, &values).await);
        }
        // A process that has its keys in memory goes on; one with the old file alone could not begin.
        let first = values.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        let found = keys.by_id(&first).await.expect("asked");
        assert!(found.values().all(Result::is_ok));
        assert!(!open(base, &old, &values).await);

        // A tenant was erased under it, and its receipts still come.
        let sql = "insert into eventlog.erased_tenant (pseudonym, digest, master_key)
            values (gen_random_uuid(), sha256('erased'), 1)";
        base.admin().await.execute(sql, &[]).await.expect("erased");
        let again = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &both)).await;
        assert!(again.out.starts_with("0 data keys put"), "{again:?}");
        assert!(
            again
                .out
                .contains("version 1 is not used by any data key; keep it until 20"),
            "{again:?}"
        );
    });
}

#[test]
fn killed_in_the_middle_it_leaves_each_key_under_one_version_and_finishes_the_next_time() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        let mut keys = data_keys(&admin, MANY, &[7; 32]).await;
        keys.extend(data_keys(&admin, MANY, &[8; 32]).await);
        keys.extend(data_keys(&admin, MANY, &[9; 32]).await);
        let both = file(&folder, &[MASTER_KEY, SECOND]);
        let mut locker = base.admin().await;
        let held = locker.transaction().await.expect("begun");
        let sql = "select from eventlog.data_key where key_id = $1 for update";
        held.execute(sql, &[&keys[600]]).await.expect("locked");

        let mut command = Command::new(world::binary().expect("built"));
        command.args(["keys", "rewrap"]).env_clear();
        command.envs(job(base, "tollbook_admin", &both));
        let mut job_alone = command.stdout(Stdio::null()).spawn().expect("it runs");
        eventually("the first batch is done", async || {
            (under(&admin, 2).await == 500).then_some(())
        })
        .await;
        job_alone.kill().await.expect("killed");
        let values: Vec<_> = [(keys[0], 7), (keys[300], 8), (keys[700], 9)]
            .map(|(key, byte)| sealed(&DataKey::new(key, &[byte; 32])))
            .into();
        assert!(open(base, &both, &values).await, "whatever each is under");
        held.rollback().await.expect("released");

        let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &both)).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        let all = i64::try_from(keys.len()).expect("few");
        assert_eq!((under(&admin, 1).await, under(&admin, 2).await), (0, all));
        assert!(open(base, &file(&folder, &[SECOND]), &values).await);
    });
}

#[test]
fn two_at_once_wrap_each_key_once() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        for byte in [7, 8, 9] {
            data_keys(&admin, MANY, &[byte; 32]).await;
        }
        let both = file(&folder, &[MASTER_KEY, SECOND]);
        let variables = job(base, "tollbook_admin", &both);
        let (one, two) = tokio::join!(
            tollbook(&["keys", "rewrap"], &variables),
            tollbook(&["keys", "rewrap"], &variables),
        );
        let mut wrapped = 0;
        for done in [one, two] {
            assert_eq!(done.code, Some(0), "{done:?}");
            let count = done.out.split(' ').next().expect("a count");
            wrapped += count.parse::<i64>().expect("a number");
        }
        assert_eq!(wrapped, 3 * i64::from(MANY));
        assert_eq!(under(&admin, 2).await, wrapped);
    });
}

#[test]
fn a_wrong_master_key_file_wraps_nothing_and_is_told_without_its_content() {
    on_each_postgres(async |base, folder| {
        let old = file(&folder, &[MASTER_KEY]);
        let keys = keyring(base, &old);
        keys.of_tenant(TenantId(unique())).await.expect("made");
        let admin = base.admin().await;
        let other = SECOND.replacen('2', "1", 1);
        for (lines, said) in [
            (vec![SECOND], "lacks version 1, which wraps 1 data keys"),
            (
                vec![&other, SECOND],
                "version 1 of the master key has finger",
            ),
            (
                vec![MASTER_KEY, "2 c2hvcnQ="],
                "line 2 of the master key file",
            ),
            (
                vec![MASTER_KEY, &SECOND[..30]],
                "line 2 of the master key file",
            ),
            (vec![], "the master key file holds no key"),
        ] {
            let path = file(&folder, &lines);
            let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &path)).await;
            assert_eq!(done.code, Some(2), "{done:?}");
            assert!(done.err.contains(said), "{done:?}");
            let told = [&done.err[..], &done.out].concat();
            for line in [MASTER_KEY, SECOND, "c2hvcnQ="] {
                let secret = line.split(' ').next_back().expect("a key").trim();
                assert!(!told.contains(&secret[..8]), "{told}");
            }
            assert_eq!((under(&admin, 1).await, under(&admin, 2).await), (1, 0));
        }
        // Version 2 is used from here on, so it has its meaning too.
        let both = file(&folder, &[MASTER_KEY, SECOND]);
        let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &both)).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        let swapped = file(&folder, &[MASTER_KEY, &MASTER_KEY.replacen('1', "2", 1)]);
        let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &swapped)).await;
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(
            done.err.contains("version 2 of the master key has finger"),
            "{done:?}"
        );
    });
}

#[test]
fn a_wrapped_key_opens_in_no_other_row_and_is_not_wrapped_anew_there() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        let keys = data_keys(&admin, 4, &[7; 32]).await;
        let old = file(&folder, &[MASTER_KEY]);
        let today = eventstore::clock::now().date();
        let day = keyring(base, &old).of_day(today).await.expect("made");
        // One tenant's key in another's row and in that of a day, and the day's in a tenant's.
        for (from, to) in [(keys[0], keys[1]), (keys[0], day.id()), (day.id(), keys[2])] {
            let sql = "update eventlog.data_key k set wrapped = other.wrapped
                from eventlog.data_key other where other.key_id = $1 and k.key_id = $2";
            assert_eq!(admin.execute(sql, &[&from, &to]).await.expect("moved"), 1);
        }
        let moved = BTreeSet::from([keys[1], keys[2], day.id()]);
        let all = [keys[0], keys[1], keys[2], keys[3], day.id()];
        let found = keyring(base, &old).by_id(&all).await.expect("asked");
        let closed = found.iter().filter(|(_, key)| key.is_err());
        assert_eq!(closed.map(|(key, _)| *key).collect::<BTreeSet<_>>(), moved);

        let both = file(&folder, &[MASTER_KEY, SECOND]);
        let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &both)).await;
        assert_eq!(done.code, Some(1), "{done:?}");
        for key in &moved {
            let said = format!("data key {key} does not open under version 1 of the master key\n");
            assert!(done.out.contains(&said), "{done:?}");
        }
        assert!(
            done.out.contains("version 1 is still used by 3 data keys"),
            "{done:?}"
        );
        assert_eq!((under(&admin, 1).await, under(&admin, 2).await), (3, 2));
    });
}

#[test]
fn no_other_role_wraps_keys_anew_and_none_brings_one_back_to_an_older_version() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        let keys = data_keys(&admin, 1, &[7; 32]).await;
        let both = file(&folder, &[MASTER_KEY, SECOND]);
        let sql =
            "select eventlog.rewrap_keys(array[$1::int8], array[k.wrapped], array['\\x00'::bytea],
            $2::int2, sha256('planted')) from eventlog.data_key k where k.key_id = $1";
        for role in ["dlr_svc", "billing_svc", "auditor"] {
            let done = tollbook(&["keys", "rewrap"], &job(base, role, &both)).await;
            assert_eq!(done.code, Some(1), "{done:?}");
            let said = format!("database role {role} is not for this; use tollbook_admin");
            assert!(done.err.contains(&said), "{done:?}");
            let client = base.client(role).await;
            let refused = client.query_one(sql, &[&keys[0], &9_i16]).await;
            let error = refused.expect_err("refused");
            assert_eq!(
                error.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{role}"
            );
            let begun = "select eventlog.begin_master_key(9::int2, sha256('planted'))";
            let error = client.execute(begun, &[]).await.expect_err("refused");
            assert_eq!(
                error.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{role}"
            );
        }
        let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &both)).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        let client = base.client("tollbook_admin").await;
        let error = client.query_one(sql, &[&keys[0], &1_i16]).await;
        let code = error.expect_err("refused").code().cloned();
        assert_eq!(code, Some(SqlState::from_code("TBVER")));
        assert_eq!(under(&admin, 2).await, 1);
    });
}

#[test]
fn a_new_version_wraps_nothing_before_it_is_begun_and_an_old_one_nothing_after() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        let (old, both) = (
            file(&folder, &[MASTER_KEY]),
            file(&folder, &[MASTER_KEY, SECOND]),
        );
        // The new file has reached one process and not the other.
        let (behind, ahead) = (keyring(base, &old), keyring(base, &both));
        for keys in [&behind, &ahead, &behind] {
            let made = keys.of_tenant(TenantId(unique())).await.expect("made");
            assert!(made.key.is_ok());
        }
        assert_eq!((under(&admin, 1).await, under(&admin, 2).await), (3, 0));
        // Nobody but the job begins a version: whoever plants one would lock out all others.
        let planted =
            "select eventlog.enrol_day((now() at time zone 'UTC')::date, 1::int2, '\\x00',
            9::int2, sha256('planted'))";
        let refused = base.client("dlr_svc").await.execute(planted, &[]).await;
        let code = refused.expect_err("refused").code().cloned();
        assert_eq!(code, Some(SqlState::from_code("TBVER")));

        let done = tollbook(&["keys", "rewrap"], &job(base, "tollbook_admin", &both)).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        let made = ahead.of_tenant(TenantId(unique())).await.expect("made");
        assert!(made.key.is_ok());
        let today = eventstore::clock::now().date();
        let refused = behind.of_day(today).await.expect_err("refused");
        assert!(
            matches!(refused, KeyringError::OtherVersion { wraps: 2 }),
            "{refused}"
        );
        assert_eq!((under(&admin, 1).await, under(&admin, 2).await), (0, 4));
    });
}

#[test]
fn a_data_key_being_made_under_the_old_version_is_waited_for_and_wrapped_anew() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        let old = file(&folder, &[MASTER_KEY]);
        let keys = keyring(base, &old);
        keys.of_tenant(TenantId(unique())).await.expect("made");
        let subject = Subject::Tenant(Pseudonym(SUBJECT));
        let wrapped = wrapped(MASTER_KEY, subject, &[7; KEY_LEN]);
        let mut service = base.client("dlr_svc").await;
        let making = service.transaction().await.expect("begun");
        let sql = "select eventlog.enrol_tenant($1, $2, $3, 1::int2, $4, '{}')";
        let check = wrapped.check.0.as_slice();
        making
            .execute(sql, &[&unique(), &SUBJECT, &wrapped.bytes, &check])
            .await
            .expect("made");

        let both = file(&folder, &[MASTER_KEY, SECOND]);
        let variables = job(base, "tollbook_admin", &both);
        let rewrapping = async {
            let done = tollbook(&["keys", "rewrap"], &variables).await;
            assert_eq!(done.code, Some(0), "{done:?}");
        };
        let committing = async {
            let sql = "select count(*) from pg_stat_activity where datname = current_database()
                and application_name = 'tollbook-keys-rewrap' and wait_event_type = 'Lock'";
            eventually("the job waits", async || {
                let row = admin.query_one(sql, &[]).await.ok()?;
                (row.get::<_, i64>(0) == 1).then_some(())
            })
            .await;
            making.commit().await.expect("committed");
        };
        tokio::join!(rewrapping, committing);
        assert_eq!((under(&admin, 1).await, under(&admin, 2).await), (0, 2));
    });
}
