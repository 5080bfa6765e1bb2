//! The whole way encrypted: Postgres 15 over TLS, NATS users known by their certificates.

use tests::{
    drive::{self, Quiet},
    stack::{NatsOptions, PgOptions, PgVersion},
    traffic::Shape,
    world::WorldOptions,
};

use super::fixture::balances;
use crate::fixture::{place, run};

#[test]
fn with_tls_to_postgres_15_and_mutual_tls_to_nats_the_books_balance() {
    if !PgVersion::V15.available() {
        eprintln!("skipped: apt-get install postgresql-15 lets this run");
        return;
    }
    run(async {
        let options = WorldOptions {
            postgres: PgVersion::V15,
            settings: PgOptions::default(),
            nats: NatsOptions {
                tls: true,
                ..NatsOptions::default()
            },
        };
        let place = place(options).await;
        let world = &place.world;
        let ca = world.path("postgres-ca.pem").display().to_string();
        let service = world.service(&[("DATABASE_CA_FILE", &ca)]).await;
        let service = service.expect("a service");
        let sql = "select count(*), count(*) filter (where s.ssl)
            from pg_stat_activity a join pg_stat_ssl s using (pid) where a.usename = 'dlr_svc'";
        let database = world.admin().await.expect("postgres");
        let row = database.query_one(sql, &[]).await.expect("reads");
        let (all, encrypted): (i64, i64) = (row.get(0), row.get(1));
        assert!(
            all > 0 && encrypted == all,
            "{encrypted} of {all} encrypted"
        );

        let shape = Shape::new(15, 1_500, eventstore::clock::now());
        let sent = drive::send(world, &shape, None, &Quiet).await;
        let report = balances(world, &sent.expect("sent")).await;
        assert!(report.counts.webhooks > 0);
        assert!(service.terminate().await.expect("stops"), "exit code 0");
    });
}
