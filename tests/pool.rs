//! An identity never outlives its transaction.

use chrono::Utc;
use hearth::{
    auth::Viewer,
    db::{Columns, Db, children, children::Wanted},
    domain::ids::WorkerId,
};

use crate::support::{self, Setup, url};

async fn one_connection(database: &str) -> Db {
    Db::new(&url("hearth_app", database), 1, None).unwrap()
}

async fn person(database: &str, variable: &str) -> WorkerId {
    let people = hearth::seed::demo_people(&url("hearth_seed", database)).await.unwrap();
    WorkerId(people.into_iter().find(|person| person.variable == variable).unwrap().worker_id)
}

async fn sees(db: &Db, worker: WorkerId) -> i64 {
    let snapshot = db.snapshot(Viewer::new(worker, support::morning()));
    let count = children::count(&snapshot, None, &Wanted::default()).await.unwrap();
    snapshot.finish().await;
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_borrower_of_a_connection_sees_with_their_own_eyes() {
    let database = support::database().await;
    let db = one_connection(&database).await;
    let (clinician, head) = (person(&database, "CLINICIAN").await, person(&database, "HEAD_OF_SERVICE").await);
    let other = person(&database, "OTHER_UNIT").await;
    let (few, all, others) = (sees(&db, clinician).await, sees(&db, head).await, sees(&db, other).await);
    assert!(0 < few && few < all && others < all, "{few} {others} {all}");
    for _ in 0..5 {
        assert_eq!((sees(&db, head).await, sees(&db, clinician).await, sees(&db, other).await), (all, few, others));
    }
    assert_eq!(db.connections(), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_snapshot_or_change_takes_its_connection_with_it() {
    let database = support::database().await;
    let db = one_connection(&database).await;
    let head = person(&database, "HEAD_OF_SERVICE").await;
    for round in 0..6 {
        let viewer = Viewer::new(head, support::morning());
        if round % 2 == 0 {
            let snapshot = db.snapshot(viewer);
            children::count(&snapshot, None, &Wanted::default()).await.unwrap();
            drop(snapshot);
        } else {
            drop(db.begin(viewer).await.unwrap());
        }
        // What comes back from the pool has no transaction and no identity: the next one starts its own.
        assert!(sees(&db, person(&database, "CLINICIAN").await).await > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_a_load_that_somebody_left_behind_is_nobody_elses() {
    let database = support::database().await;
    let db = one_connection(&database).await;
    let head = person(&database, "HEAD_OF_SERVICE").await;
    let snapshot = db.snapshot(Viewer::new(head, support::morning()));
    let wanted = Wanted::default();
    children::count(&snapshot, None, &wanted).await.unwrap();
    {
        let left = std::pin::pin!(children::count(&snapshot, None, &wanted));
        assert!(futures_util::poll!(left).is_pending(), "it has begun");
    }
    snapshot.finish().await;
    assert_eq!(db.connections(), (0, 0));
    assert!(sees(&db, head).await > 0);
    assert_eq!(db.connections(), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_without_an_identity_fails_instead_of_finding_nothing() {
    let database = support::database().await;
    let client = support::connect("hearth_app", &database).await;
    for statement in ["select * from children", "select * from cases", "select * from workers", "select * from sight"] {
        let error = client.simple_query(statement).await.expect_err(statement);
        // The setting is unknown to a new session, and empty after an earlier transaction.
        let code = error.as_db_error().unwrap().code().code().to_owned();
        assert!(["42704", "22P02"].contains(&code.as_str()), "{statement}: {code}");
    }
    // Not even after a transaction that had one.
    let head = person(&database, "HEAD_OF_SERVICE").await;
    client.batch_execute(&format!("begin; select hearth.enter('{}', now()); commit", head.0)).await.unwrap();
    assert!(client.simple_query("select * from children").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_no_active_worker_reads_nothing() {
    let database = support::database().await;
    let db = one_connection(&database).await;
    let snapshot = db.snapshot(Viewer::new(WorkerId::new(), Utc::now()));
    assert_eq!(children::count(&snapshot, None, &Wanted::default()).await.unwrap_err().code(), "UNAUTHENTICATED");
    snapshot.finish().await;
    assert!(sees(&db, person(&database, "HEAD_OF_SERVICE").await).await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_was_not_read_is_an_error_and_never_null() {
    let database = support::database().await;
    let db = one_connection(&database).await;
    let snapshot = db.snapshot(Viewer::new(person(&database, "HEAD_OF_SERVICE").await, support::morning()));
    let page = hearth::db::Page::new(Some(1), None).unwrap();
    let core = children::page(&snapshot, None, &Wanted::default(), &page, false, Columns::CORE).await.unwrap().rows;
    assert_eq!(core[0].religion().unwrap_err().code(), "INTERNAL");
    let wide =
        children::page(&snapshot, None, &Wanted::default(), &page, false, Columns::SENSITIVE).await.unwrap().rows;
    assert!(wide[0].religion().is_ok());
    snapshot.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough_for_many_requests_at_once() {
    let server = support::Server::with(Setup { connections: Some(1), ..Setup::default() }).await;
    let query = "{ viewer { memberships { unit { allocations(first: 5) { nodes { case { child { families { name } } } } } } } } }";
    let requests = (0..20).map(|_| server.data("CLINICIAN", query, serde_json::json!({})));
    let answers = futures_util::future::join_all(requests).await;
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}
