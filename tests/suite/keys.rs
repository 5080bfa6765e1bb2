//! The keys of personal data over the years: master keys change, keys of orphans end, and whoever
//! opens what was sealed is recorded first. What attackers do with keys is in `attacks`.

mod expire;
mod reveal;
mod rewrap;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use eventstore::{
    keyring::{MasterKeyFile, MasterKeys, Subject, Wrapped},
    postgres::PgKeyring,
    seal::KEY_LEN,
};
use schema::Pseudonym;
use tempfile::TempDir;
use tests::stack::PgVersion;
use tokio_postgres::Client;

use crate::fixture::{Base, MASTER_KEY, base_in, postgres, run, unique};

/// The master key of version 2.
const SECOND: &str = "2 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";

/// Runs `test` on every Postgres at hand, with a folder for master key files.
fn on_each_postgres(test: impl AsyncFn(Base, TempDir)) {
    run(async {
        for version in [PgVersion::V18, PgVersion::V15] {
            if version.available() {
                let folder = TempDir::new().expect("a folder");
                test(base_in(postgres(version).await).await, folder).await;
            }
        }
    });
}

/// A master key file with these lines.
fn file(folder: &TempDir, lines: &[&str]) -> PathBuf {
    let path = folder.path().join(unique().simple().to_string());
    fs::write(&path, lines.concat()).expect("written");
    path
}

/// A keyring as a service has one, with that file.
fn keyring(base: Base, path: &Path) -> PgKeyring {
    let file = MasterKeyFile::new(path.to_owned()).expect("good");
    PgKeyring::new(base.pool("dlr_svc"), file)
}

/// What a job's environment says: who it is to Postgres, and its master key file.
fn job(base: Base, role: &str, file: &Path) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("DATABASE_URL", base.url(role)),
        ("MASTER_KEY_FILE", file.display().to_string()),
    ])
}

/// A data key of these bytes under the one version in `line`.
fn wrapped(line: &str, subject: Subject, bytes: &[u8; KEY_LEN]) -> Wrapped {
    MasterKeys::parse(line).expect("good").wrap(bytes, subject)
}

/// Data keys of so many tenants under version 1, all of these bytes; their numbers in order.
async fn data_keys(admin: &Client, count: u8, bytes: &[u8; KEY_LEN]) -> Vec<i64> {
    let mut keys = Vec::new();
    for _ in 0..count {
        let pseudonym = Pseudonym(unique());
        let wrapped = wrapped(MASTER_KEY, Subject::Tenant(pseudonym), bytes).bytes;
        let sql = "insert into eventlog.data_key (tenant, wrapped, master_key)
            values ($1, $2, 1) returning key_id";
        let row = admin.query_one(sql, &[&pseudonym.0, &wrapped]).await;
        keys.push(row.expect("made").get(0));
    }
    keys
}

/// How many data keys are under this version of the master key.
async fn under(admin: &Client, version: i16) -> i64 {
    let sql = "select count(*) from eventlog.data_key where master_key = $1";
    let row = admin.query_one(sql, &[&version]).await;
    row.expect("reads").get(0)
}
