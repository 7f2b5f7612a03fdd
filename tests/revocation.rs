//! Losing a right ends what it opened, at once and with a word; gaining one needs no new connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    mutations_support::{accept, request_transfer},
    support::{self, Server, Setup, Socket, key, people, process::Redis, socket::FEED, token_for},
};

const CHILD_FEED: &str =
    "subscription($id: ID!, $after: String) { childFeed(childId: $id, after: $after) { __typename cursor
    ... on Event { eventId type } ... on AccessEnded { endReason noticedAt } } }";
const UNIT_FEED: &str =
    "subscription($id: ID!, $after: String) { unitFeed(unitId: $id, after: $after) { __typename cursor
    ... on Event { eventId type } ... on AccessEnded { endReason noticedAt } } }";
const MY_FEED: &str =
    "subscription { myFeed { __typename cursor ... on Event { eventId type } ... on AccessEnded { endReason } } }";

/// The last item of a feed that ended for this reason, and its completion.
async fn ends(socket: &mut Socket, reason: &str) {
    let last = socket.item().await;
    assert_eq!((&last["__typename"], &last["endReason"]), (&json!("AccessEnded"), &json!(reason)), "{last}");
    assert!(last["cursor"].is_string());
    assert_eq!(socket.hear().await["type"], "complete");
}

/// The membership of a demo person in unit 3, with its version.
async fn membership(server: &Server, person: &str) -> (String, i64) {
    let query = "query($id: ID!) { unit(id: $id) { members { id version worker { id } } } }";
    let data = server.data("HEAD_OF_SERVICE", query, json!({ "id": server.unit(3).await })).await;
    let worker = json!(format!("Worker:{}", server.worker(person)));
    let members = data["unit"]["members"].as_array().unwrap();
    let found = members.iter().find(|one| one["worker"]["id"] == worker).unwrap();
    (found["id"].as_str().unwrap().to_owned(), found["version"].as_i64().unwrap())
}

async fn leave(server: &Server, person: &str) {
    let (id, version) = membership(server, person).await;
    let input = json!({ "idempotencyKey": key(), "membershipId": id, "reason": "LEFTRL", "expectedVersion": version });
    server.done("HEAD_OF_SERVICE", "endMembership", "", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_unit_is_told_and_hears_nothing_more_and_who_covers_hears_from_then_on() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let client = support::connect("postgres", &server.database).await;
    let cover = people::with_post(&client, "CP_CHAIR").await;
    let mut clinician = server.socket("CLINICIAN").await;
    clinician.open_feed(UNIT_FEED, json!({ "id": three })).await;
    let mut stays = server.socket("SOCIAL_WORKER").await;
    stays.open_feed(UNIT_FEED, json!({ "id": three })).await;
    server.allocated_to(3).await;
    assert_eq!(clinician.item().await["type"], "ALLOCATION_STARTED");
    leave(&server, "CLINICIAN").await;
    ends(&mut clinician, "NOT_A_MEMBER").await;
    let input = json!({ "idempotencyKey": key(), "unitId": three, "workerId": format!("Worker:{cover}"),
                        "role": "SOCIAL_WORKER", "cover": true, "until": "2026-11-30T00:00:00Z" });
    server.done("HEAD_OF_SERVICE", "startMembership", "", input).await;
    let mut covers =
        Socket::open(&format!("ws://{}/graphql", server.address), &token_for(cover, chrono::Duration::hours(1))).await;
    covers.open_feed(UNIT_FEED, json!({ "id": three })).await;
    server.allocated_to(3).await;
    assert_eq!(covers.item().await["type"], "ALLOCATION_STARTED");
    // Who stays hears all of it: their parts in cases passed on, that one left, that the other came, and what happened since.
    let mut heard = vec![stays.item().await["type"].as_str().unwrap().to_owned()];
    while heard.iter().filter(|kind| *kind == "ALLOCATION_STARTED").count() < 2 {
        heard.push(stays.item().await["type"].as_str().unwrap().to_owned());
    }
    heard.retain(|kind| kind != "INVOLVEMENT_CHANGED");
    assert_eq!(heard, ["ALLOCATION_STARTED", "MEMBERSHIP_CHANGED", "MEMBERSHIP_CHANGED", "ALLOCATION_STARTED"]);
    clinician.nothing_more().await;
    // The feed is not theirs to open again.
    clinician.subscribe("feed", UNIT_FEED, json!({ "id": three })).await;
    assert_eq!(clinician.hear().await["payload"][0]["extensions"]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn cover_ends_by_the_clock_and_with_it_the_feed() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let client = support::connect("postgres", &server.database).await;
    let cover = people::with_post(&client, "CP_CHAIR").await;
    let input = json!({ "idempotencyKey": key(), "unitId": three, "workerId": format!("Worker:{cover}"),
                        "role": "SOCIAL_WORKER", "cover": true, "until": "2026-11-18T11:00:00Z" });
    server.done("HEAD_OF_SERVICE", "startMembership", "", input).await;
    server.all_placed().await;
    let mut covers =
        Socket::open(&format!("ws://{}/graphql", server.address), &token_for(cover, chrono::Duration::hours(3))).await;
    covers.open_feed(UNIT_FEED, json!({ "id": three })).await;
    server.later(chrono::Duration::hours(1));
    ends(&mut covers, "NOT_A_MEMBER").await;
}

/// A child of unit 3 and a feed of it for each of these people.
async fn followed(server: &Server, client: &Client, people: &[&str]) -> (String, String, Vec<Socket>) {
    let child = people::held_child(client, 3, "Zephyrine", "Quillfeather").await;
    let case: Uuid = client.query_one("select id from cases where child_id = $1", &[&child]).await.unwrap().get(0);
    let mut sockets = Vec::new();
    for person in people {
        let mut socket = server.socket(person).await;
        socket.open_feed(CHILD_FEED, json!({ "id": format!("Child:{child}") })).await;
        sockets.push(socket);
    }
    (format!("Child:{child}"), format!("Case:{case}"), sockets)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_childs_feed_ends_with_a_restriction_a_denial_a_transfer_and_a_broken_glass_that_closes() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (child, case, mut sockets) =
        followed(&server, &client, &["CLINICIAN", "SOCIAL_WORKER", "CONSULTANT_SOCIAL_WORKER"]).await;
    let mut consultant = sockets.pop().unwrap();
    let mut social_worker = sockets.pop().unwrap();
    let mut clinician = sockets.pop().unwrap();
    let worker = |person: &str| format!("Worker:{}", server.worker(person));
    let input = json!({ "idempotencyKey": key(), "personId": child, "reason": "OTHER",
                        "allowedIds": [worker("SOCIAL_WORKER"), worker("CONSULTANT_SOCIAL_WORKER")] });
    server.done("SERVICE_MANAGER", "restrictRecord", "", input).await;
    ends(&mut clinician, "OUT_OF_SIGHT").await;
    let input = json!({ "idempotencyKey": key(), "personId": child, "workerId": worker("SOCIAL_WORKER"), "reason": "RELATIVE" });
    server.done("SERVICE_MANAGER", "denyAccess", "", input).await;
    ends(&mut social_worker, "OUT_OF_SIGHT").await;

    let input = json!({ "idempotencyKey": key(), "childId": child, "reason": "POLICE_OR_COURT", "explanation": "Asked at night." });
    server.done("OTHER_UNIT_SOCIAL_WORKER", "breakGlass", "", input).await;
    let mut glass = server.socket("OTHER_UNIT_SOCIAL_WORKER").await;
    glass.open_feed(CHILD_FEED, json!({ "id": child })).await;
    server.later(chrono::Duration::minutes(60));
    ends(&mut glass, "OUT_OF_SIGHT").await;

    let (id, version) = {
        let query = "{ accessRestrictions { nodes { id version } } }";
        let data = server.data("SERVICE_MANAGER", query, json!({})).await;
        let one = &data["accessRestrictions"]["nodes"][0];
        (one["id"].clone(), one["version"].clone())
    };
    let input = json!({ "idempotencyKey": key(), "restrictionId": id, "expectedVersion": version });
    server.done("SERVICE_MANAGER", "liftRestriction", "", input).await;
    let transfer = request_transfer(&server, &case, 7, 1).await;
    assert_eq!(consultant.item().await["type"], "TRANSFER_REQUESTED");
    accept(&server, &transfer).await;
    ends(&mut consultant, "OUT_OF_SIGHT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_work_here_any_more_loses_every_feed_without_any_event() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let mut mine = server.socket("CLINICIAN").await;
    mine.open_feed(MY_FEED, json!({})).await;
    let mut units = server.socket("CLINICIAN").await;
    units.open_feed(UNIT_FEED, json!({ "id": server.unit(3).await })).await;
    client.execute("update workers set active = false where id = $1", &[&server.worker("CLINICIAN")]).await.unwrap();
    ends(&mut mine, "INACTIVE").await;
    ends(&mut units, "INACTIVE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_in_again_follows_again_and_misses_what_was_not_for_them() {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    let (child, _, mut sockets) = followed(&server, &client, &["CLINICIAN"]).await;
    let mut clinician = sockets.pop().unwrap();
    let input = json!({ "idempotencyKey": key(), "personId": child, "reason": "OTHER", "allowedIds": [] });
    let made = server.done("SERVICE_MANAGER", "restrictRecord", "restriction { id }", input).await;
    let last = clinician.item().await;
    assert_eq!(clinician.hear().await["type"], "complete");
    let input = json!({ "idempotencyKey": key(), "restrictionId": made["restriction"]["id"], "expectedVersion": 1 });
    server.done("SERVICE_MANAGER", "liftRestriction", "", input).await;
    clinician.open_feed(CHILD_FEED, json!({ "id": child, "after": last["cursor"] })).await;
    clinician.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_that_every_test_reads_shows_the_end_too() {
    // An item that a client does not select anything of still has its cursor.
    let server = Server::start().await;
    let mut clinician = server.socket("CLINICIAN").await;
    clinician.open_feed(FEED, json!({ "unitId": server.unit(3).await })).await;
    leave(&server, "CLINICIAN").await;
    let last = clinician.item().await;
    assert_eq!(last["__typename"], "AccessEnded");
    assert!(last["cursor"].is_string());
}

/// How many revocations are tried; `HEARTH_TEST_REVOCATIONS` says otherwise.
fn trials() -> usize {
    std::env::var("HEARTH_TEST_REVOCATIONS").map_or(150, |count| count.parse().unwrap())
}

/// Workers who joined unit 3 for this, with their memberships.
async fn joined(client: &Client, count: usize) -> Vec<(Uuid, Uuid)> {
    let rows = client
        .query(
            "with people as (
                 insert into workers (id, staff_no, name, email, qualified)
                 select id, id::text, 'Somebody', 'x@example.org', true
                 from (select gen_random_uuid() as id from generate_series(1, $1)) n returning id
             )
             insert into unit_memberships (id, unit_id, worker_id, role, started_at)
             select gen_random_uuid(), u.id, p.id, 'CLINICIAN', '2026-11-18 09:00Z' from people p, units u
             where u.name like '%Unit 3' returning worker_id, id",
            &[&i32::try_from(count).unwrap()],
        )
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Copies an event again and again, as if others changed cases all the time. Recorded before any membership ends, so that
/// only whether somebody is a member *now* keeps it from who left.
async fn keep_happening(database: String, event: Uuid, stop: Arc<AtomicBool>) {
    let client = support::connect("postgres", &database).await;
    let copy = client
        .prepare(
            "with one as (
                 insert into outbox (event_id, type, occurred_at, recorded_at, actor_id, actor_role, case_id, correlation_id,
                                     entity_type, entity_id, entity_version, severity, data)
                 select gen_random_uuid(), type, occurred_at, recorded_at, actor_id, actor_role, case_id, correlation_id,
                        entity_type, entity_id, entity_version, severity, data
                 from outbox where event_id = $1 returning event_id
             )
             insert into outbox_audience (event_id, holder_id, kind)
             select one.event_id, a.holder_id, a.kind from one, outbox_audience a where a.event_id = $1",
        )
        .await
        .unwrap();
    let mut often = tokio::time::interval(Duration::from_millis(8));
    while !stop.load(Ordering::Relaxed) {
        client.execute(&copy, &[&event]).await.unwrap();
        client.batch_execute("notify hearth_outbox").await.unwrap();
        often.tick().await;
    }
}

struct Trial {
    heard: Vec<Uuid>,
    took: Duration,
}

/// Follows, loses the membership while events go on, and reads to the end.
async fn trial(server: &Server, worker: Uuid, membership: Uuid, three: &str, after: Option<&str>) -> Trial {
    let token = token_for(worker, chrono::Duration::hours(1));
    let mut socket = Socket::open(&format!("ws://{}/graphql", server.address), &token).await;
    let variables = match after {
        // A cursor is its owner's: they resume from where they subscribed first.
        Some(_) => {
            let cursor = socket.open_feed(UNIT_FEED, json!({ "id": three })).await;
            socket.say(json!({ "id": "feed", "type": "complete" })).await;
            socket = Socket::open(&format!("ws://{}/graphql", server.address), &token).await;
            json!({ "id": three, "after": cursor })
        }
        None => json!({ "id": three }),
    };
    socket.subscribe("feed", UNIT_FEED, variables).await;
    let input = json!({ "idempotencyKey": key(), "membershipId": format!("Membership:{membership}"), "reason": "LEFTRL",
                        "expectedVersion": 1 });
    let leaving = async {
        server.done("HEAD_OF_SERVICE", "endMembership", "", input).await;
        Instant::now()
    };
    let reading = async {
        let mut heard = Vec::new();
        loop {
            let item = socket.item().await;
            match item["__typename"].as_str().unwrap() {
                "FeedOpened" => {}
                "AccessEnded" => {
                    assert_eq!(item["endReason"], "NOT_A_MEMBER");
                    break;
                }
                _ => heard.push(item["eventId"].as_str().unwrap().parse().unwrap()),
            }
        }
        let ended = Instant::now();
        let last = socket.hear().await;
        assert_eq!(last["type"], "complete", "{last}");
        socket.nothing_more().await;
        (heard, ended)
    };
    let (left, (heard, ended)) = futures_util::join!(leaving, reading);
    Trial { heard, took: ended.saturating_duration_since(left) }
}

async fn no_event_after_it(redis_is_away: bool) {
    let mut redis = Redis::start().await;
    let server = Server::with(Setup { redis_url: Some(redis.url()), connections: Some(16), ..Setup::default() }).await;
    if redis_is_away {
        redis.kill().await;
    }
    let client = support::connect("postgres", &server.database).await;
    let three = server.unit(3).await;
    server.allocated_to(3).await;
    server.all_placed().await;
    let event: Uuid = client
        .query_one("select event_id from outbox where type = 'ALLOCATION_STARTED' order by id desc limit 1", &[])
        .await
        .unwrap()
        .get(0);
    let stop = Arc::new(AtomicBool::new(false));
    let happening = tokio::spawn(keep_happening(server.database.clone(), event, Arc::clone(&stop)));
    let mut told = Vec::new();
    let mut heard = 0;
    for at in 0..trials().div_ceil(10) {
        let some = joined(&client, 10).await;
        let replayed = (at % 2 == 1).then_some("");
        let trials = some.iter().map(|(worker, membership)| trial(&server, *worker, *membership, &three, replayed));
        for (trial, (worker, _)) in futures_util::future::join_all(trials).await.into_iter().zip(&some) {
            // The place of the revocation, and of the last that was heard.
            let row = client
                .query_one(
                    "select (select seq from outbox where type = 'MEMBERSHIP_CHANGED' and data -> 'detail' ->> 'worker_id' = $1::text),
                            (select count(*) from outbox where event_id = any ($2)),
                            (select max(seq) from outbox where event_id = any ($2))",
                    &[&worker.to_string(), &trial.heard],
                )
                .await
                .unwrap();
            let (revoked, known, last): (i64, i64, Option<i64>) = (row.get(0), row.get(1), row.get(2));
            assert_eq!(usize::try_from(known).unwrap(), trial.heard.len());
            assert!(
                last.is_none_or(|last| last < revoked),
                "an event of place {last:?} after the revocation at {revoked}"
            );
            heard += trial.heard.len();
            told.push(trial.took);
        }
    }
    stop.store(true, Ordering::Relaxed);
    happening.await.unwrap();
    told.sort_unstable();
    println!(
        "{} revocations, {heard} events before them and none after; told after {:?} (median), {:?} (last)",
        told.len(),
        told[told.len() / 2],
        told[told.len() - 1]
    );
    assert!(heard > told.len(), "events went on: {heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_after_a_revocation_reaches_who_lost_the_right() {
    no_event_after_it(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_after_a_revocation_reaches_who_lost_the_right_while_redis_is_away() {
    no_event_after_it(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_rights_cannot_be_asked_nothing_is_delivered() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let client = support::connect("postgres", &server.database).await;
    let mut clinician = server.socket("CLINICIAN").await;
    clinician.open_feed(UNIT_FEED, json!({ "id": three })).await;
    let (case, version) = server.queued().await;
    let other = support::connect("postgres", &server.database).await;
    // Whoever asks whom an event is for waits.
    other.batch_execute("begin; lock table person_locks in access exclusive mode").await.unwrap();
    let insert =
        json!({ "idempotencyKey": key(), "caseId": case, "unitId": three, "reason": "x", "expectedVersion": version });
    let allocating = server.done("FIRST_RESPONSE", "allocateCase", "", insert);
    let unlocking = async {
        // The change itself waits too, as its sight is locked: both go on when the table is free again.
        loop {
            let waiting = "select count(*) from pg_locks l where not l.granted";
            if client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0 {
                break;
            }
        }
        clinician.nothing_more().await;
        other.batch_execute("commit").await.unwrap();
    };
    futures_util::join!(allocating, unlocking);
    assert_eq!(clinician.item().await["type"], "ALLOCATION_STARTED");
    let _: Value = server.data("CLINICIAN", "{ viewer { feedCursor } }", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_read_their_past_put_off_nobodys_end() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let client = support::connect("postgres", &server.database).await;
    let mut clinician = server.socket("CLINICIAN").await;
    clinician.open_feed(MY_FEED, json!({})).await;
    let mut resuming = Vec::new();
    for _ in 0..16 {
        resuming.push(server.socket("SOCIAL_WORKER").await);
    }
    // Where the past of one topic is looked up, and nothing else is.
    let other = support::connect("postgres", &server.database).await;
    other.batch_execute("begin; lock table outbox_audience in access exclusive mode").await.unwrap();
    for socket in &mut resuming {
        socket.subscribe("feed", UNIT_FEED, json!({ "id": three })).await;
    }
    let waiting = "select count(*) from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'";
    while client.query_one(waiting, &[&server.database]).await.unwrap().get::<_, i64>(0) < 6 {}
    client.execute("update workers set active = false where id = $1", &[&server.worker("CLINICIAN")]).await.unwrap();
    let over = resuming.iter_mut().map(|socket| Box::pin(socket.closed()));
    tokio::select! {
        () = ends(&mut clinician, "INACTIVE") => {}
        _ = futures_util::future::select_all(over) => panic!("a past was over before"),
    }
    other.batch_execute("commit").await.unwrap();
}
