//! A table may hold what several logs say, so no key of it may mistake one log for another.

use crate::fixture::{base, run};

#[test]
fn every_unique_key_of_a_projection_names_the_log() {
    run(async {
        let admin = base().await.admin().await;
        let sql = include_str!("keys.sql");
        let rows = admin.query(sql, &[]).await.expect("reads");
        assert!(rows.len() > 15, "only {} keys", rows.len());
        for row in rows {
            let key: &str = row.get(0);
            assert!(row.get::<_, bool>(1), "{key} is unique across logs");
        }
    });
}
