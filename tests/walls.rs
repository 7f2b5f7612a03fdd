//! The two walls around an event. Who receives it is reckoned in Rust, from memberships, areas, sight and locks
//! (`db::recipients`), and by the database, from the rights that its policies go by (`hearth.may_be_told`). Each alone keeps
//! an event from whom it is not for.

use std::collections::{BTreeSet, HashMap};

use chrono::Duration;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    prober::{
        self,
        asking::Asking,
        lists::{self, FAR, Lock},
        records,
    },
    support::{self, Server, Setup, Socket},
};

/// What stands in front of the tables that the Rust filter reads when it is to let everything pass: everybody is a member of
/// every unit, every unit sees every child, nothing is kept from anybody, and every event is for every unit, for
/// everybody by name, and about one child too.
fn shadows(child: Uuid) -> [(&'static str, String); 5] {
    [
        (
            "unit_memberships",
            "select u.id as unit_id, w.id as worker_id, timestamptz '2000-01-01Z' as started_at,
                    null::timestamptz as ended_at, null::text as reason_end
             from public.units u cross join public.workers w where w.active"
                .to_owned(),
        ),
        (
            "sight",
            "select c.id as subject_id, u.id as holder_id, true as whole, null::timestamptz as until,
                    null::uuid[] as allowed, null::uuid[] as barred
             from public.children c cross join public.units u"
                .to_owned(),
        ),
        ("person_locks", "select * from public.person_locks where false".to_owned()),
        (
            "outbox_audience",
            "select event_id, holder_id, kind, seq from public.outbox_audience
             union select o.event_id, u.id, 'UNIT', o.seq from public.outbox o, public.units u
             union select o.event_id, w.id, 'WORKER', o.seq from public.outbox o, public.workers w"
                .to_owned(),
        ),
        (
            "outbox_subjects",
            format!(
                "select event_id, child_id, seq from public.outbox_subjects
                 union select event_id, '{child}', seq from public.outbox"
            ),
        ),
    ]
}

/// Lets the Rust filter read these instead of the tables of the same names. It names no schema, and the database's own
/// functions and policies do. For connections that begin after it.
async fn open_filter(client: &Client, database: &str, shadows: &[(&str, String)]) {
    let mut text = "drop schema if exists open cascade; create schema open; ".to_owned();
    for (table, query) in shadows {
        text.push_str(&format!("create view open.{table} as {query}; "));
    }
    text.push_str(
        "grant usage on schema open to hearth_bus; grant select on all tables in schema open to hearth_bus; ",
    );
    text.push_str(&format!("alter role hearth_bus in database {database} set search_path = open, public"));
    client.batch_execute(&text).await.unwrap();
}

/// Lets the database say that everybody may be told of everything.
async fn open_function(client: &Client) {
    client
        .batch_execute(
            "create or replace function hearth.may_be_told(events uuid[], workers uuid[], at timestamptz)
                 returns setof bigint language sql stable as $$
                 select place from unnest(events) with ordinality as asked (event, place)
             $$",
        )
        .await
        .unwrap();
}

/// Who listens to what.
struct Listener {
    staff: &'static str,
    /// To the feed of unit 7.
    member: bool,
    /// To the feed of a child whom unit 7 holds.
    sees: bool,
}

const fn member(staff: &'static str) -> Listener {
    Listener { staff, member: true, sees: true }
}

const fn beside(staff: &'static str) -> Listener {
    Listener { staff, member: false, sees: false }
}

/// Everybody to their own feed too.
const LISTENERS: &[Listener] = &[
    member("U07-CSW"),
    member("U07-SW"),
    member("U07-CP"),
    member("U07-CL"),
    member("U07-UC"),
    Listener { staff: "SM-2", member: false, sees: true },
    beside("CH-2"),
    beside("IRO-1"),
    beside("FR-1"),
    beside("HS-1"),
];

/// What came to open feeds while things happened.
struct Heard {
    /// The events of what is hidden from all listeners.
    hidden: BTreeSet<Uuid>,
    /// What they may hear: something about the child whose feed some have open, and something for each of them alone.
    seen: [Uuid; 2],
    /// Of each feed that was open, whose and which it is: its events, up to the last of those that it may bring.
    feeds: Vec<(String, Vec<Uuid>)>,
}

/// Opens these walls, then feeds; makes something happen to records that are hidden, restricted and denied, and at last
/// something that each of the feeds brings.
async fn hear(filter_is_open: bool, database_is_open: bool) -> Heard {
    let database = support::database().await;
    let client = support::connect("postgres", &database).await;
    records::prepare(&client, false).await;
    let beside = lists::in_sight(&client).await;
    let child = beside[0].child;
    if filter_is_open {
        open_filter(&client, &database, &shadows(child)).await;
    }
    if database_is_open {
        open_function(&client).await;
        prober::open_policies(&client).await;
    }
    let server = Server::with(Setup { database: Some(database), ..Setup::default() }).await;
    let asking = Asking::new(&server);
    let case = "select id from cases where child_id = $1 and status <> 'CLOSED'";
    let case: Uuid = client.query_one(case, &[&child]).await.unwrap().get(0);
    let (seven, child) = (server.unit(7).await, format!("Child:{child}"));

    let mut sockets = Vec::new();
    for Listener { staff, member, sees } in LISTENERS {
        let worker = client.query_one("select id from workers where staff_no = $1", &[staff]).await.unwrap().get(0);
        let token = support::token_for(worker, Duration::hours(1));
        let mut socket = Socket::open(&format!("ws://{}/graphql", server.address), &token).await;
        let mut feeds = vec![("myFeed", String::new())];
        feeds.extend(member.then(|| ("unitFeed", format!("(unitId: \"{seven}\")"))));
        feeds.extend(sees.then(|| ("childFeed", format!("(childId: \"{child}\")"))));
        for (feed, arguments) in &feeds {
            let text = format!("subscription {{ {feed}{arguments} {{ __typename ... on Event {{ eventId }} }} }}");
            socket.subscribe(feed, &text, json!({})).await;
            assert_eq!(socket.item().await["__typename"], "FeedOpened", "{feed} of {staff}");
        }
        sockets.push((staff, socket, feeds));
    }

    // Elsewhere, and in unit 7 or on its way there but kept from all who listen.
    let mut hidden = Vec::new();
    for one in &beside {
        hidden.push((lists::hide(&client, one, FAR, Lock::Nothing, false).await, false));
    }
    hidden.extend(lists::keep(&client, &beside[0]).await.into_iter().map(|one| (one, true)));
    for (one, _) in &hidden {
        lists::bring_in(&asking, one.actor, one.case).await;
    }
    for (one, kept) in &hidden {
        name_everybody(&client, one.case, *kept).await;
    }
    let rows = client.query("select event_id from outbox", &[]).await.unwrap();
    let hidden: BTreeSet<Uuid> = rows.iter().map(|row| row.get(0)).collect();

    lists::bring_in(&asking, "U07-CSW", case).await;
    let about_child = "select event_id from outbox where case_id = $1";
    let about_child = client.query_one(about_child, &[&case]).await.unwrap().get(0);
    let for_each = like_another(&client, None, "select id, 'ALONE' from listening").await;
    let mut feeds = Vec::new();
    for (staff, mut socket, open) in sockets {
        let mut heard: HashMap<&str, Vec<Uuid>> = HashMap::new();
        let mut waiting: HashMap<&str, Uuid> =
            open.iter().map(|(feed, _)| (*feed, if *feed == "myFeed" { for_each } else { about_child })).collect();
        while !waiting.is_empty() {
            let message = socket.hear().await;
            let feed = message["id"].as_str().unwrap();
            let event: Uuid = message["payload"]["data"][feed]["eventId"]
                .as_str()
                .unwrap_or_else(|| panic!("{feed} of {staff}: {message}"))
                .parse()
                .unwrap();
            let (feed, _) = open.iter().find(|(one, _)| *one == feed).unwrap();
            heard.entry(feed).or_default().push(event);
            waiting.retain(|one, last| !(one == feed && *last == event));
        }
        feeds.extend(heard.into_iter().map(|(feed, events)| (format!("{feed} of {staff}"), events)));
    }
    Heard { hidden, seen: [about_child, for_each], feeds }
}

/// Events of a hidden case that name all who listen, in every way that opens nothing by itself: one of a record that is
/// kept from them also their unit.
async fn name_everybody(client: &Client, case: Uuid, kept: bool) {
    like_another(client, Some(case), "select id, 'WORKER' from listening").await;
    let area = "select area_id, 'AREA' from units where name like '%Unit 7'";
    let audience = format!("select id, 'FORMER' from listening union all {area}");
    like_another(client, Some(case), &audience).await;
    if kept {
        for kind in ["WORKER", "LEAVING", "ALONE"] {
            let audience = format!(
                "select id, '{kind}' from listening union all {area}
                 union all select id, 'UNIT' from units where name like '%Unit 7'"
            );
            like_another(client, Some(case), &audience).await;
        }
    }
}

/// Appends an event that says what an earlier one says, about this case, for this audience.
async fn like_another(client: &Client, case: Option<Uuid>, audience: &str) -> Uuid {
    let event = Uuid::now_v7();
    let staff: Vec<&str> = LISTENERS.iter().map(|one| one.staff).collect();
    // Together: the relay numbers an event with its audience.
    client.batch_execute("begin").await.unwrap();
    client
        .execute(
            "insert into outbox (event_id, type, occurred_at, recorded_at, actor_id, actor_role, case_id, correlation_id,
                                 entity_type, entity_id, entity_version, data)
             select $1::uuid, type, occurred_at, recorded_at, actor_id, actor_role, $2::uuid, correlation_id, entity_type,
                    $1::uuid, 1, data
             from outbox order by id limit 1",
            &[&event, &case],
        )
        .await
        .unwrap();
    let text = format!(
        "with listening as (select id from workers where staff_no = any ($2))
         insert into outbox_audience (event_id, holder_id, kind) select $1::uuid, a.* from ({audience}) a"
    );
    client.execute(&text, &[&event, &staff]).await.unwrap();
    client.batch_execute("commit; notify hearth_outbox").await.unwrap();
    event
}

fn nothing_hidden(heard: &Heard) {
    assert!(heard.hidden.len() > 40, "{} events of what is hidden", heard.hidden.len());
    for (feed, events) in &heard.feeds {
        assert!(events.iter().all(|event| heard.seen.contains(event)), "{feed}: {events:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_databases_wall_alone_keeps_every_hidden_event_back_when_the_filter_lets_all_pass() {
    nothing_hidden(&hear(true, false).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_alone_keeps_every_hidden_event_back_when_the_database_lets_all_pass() {
    nothing_hidden(&hear(false, true).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hidden_event_comes_to_every_feed_when_both_walls_let_all_pass() {
    let heard = hear(true, true).await;
    for (feed, events) in &heard.feeds {
        let missing: Vec<&Uuid> = heard.hidden.iter().filter(|event| !events.contains(event)).collect();
        assert!(missing.is_empty(), "{feed}: {missing:?}");
    }
    println!("{} hidden events in {} feeds", heard.hidden.len(), heard.feeds.len());
}
