//! The two walls around an event. Who receives it is reckoned in Rust, from memberships, areas, sight and locks
//! (`db::recipients`), and by the database, from the rights that its policies go by (`hearth.may_be_told`). Each alone keeps
//! an event from whom it is not for, and both say what the policies say of the records.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Duration, Utc};
use fastrand::Rng;
use hearth::db::{Db, outbox::EventLog};
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
    support::{self, Server, Setup, Socket, morning},
};

/// What stands in front of the tables that the Rust filter reads when it is to let everything pass: everybody is a member of
/// every unit, every unit sees every child, nothing is kept from anybody, and every event is for every unit, for
/// everybody by name, and about one child too.
fn shadows(child: Uuid) -> [(&'static str, String); 6] {
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
                    null::uuid[] as allowed, null::uuid[] as barred, false as plans
             from public.children c cross join public.units u"
                .to_owned(),
        ),
        ("person_locks", "select * from public.person_locks where false".to_owned()),
        (
            "worker_posts",
            "select w.id as worker_id, 'FIRST_RESPONSE' as post, timestamptz '2000-01-01Z' as started_at,
                    null::timestamptz as ended_at from public.workers w where w.active"
                .to_owned(),
        ),
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

/// From, to.
type Period = (DateTime<Utc>, Option<DateTime<Utc>>);

/// In which feeds (a unit's, a child's, their own) an event is a worker's: by event and worker.
type Topics = HashMap<(Uuid, Uuid), BTreeSet<Uuid>>;

/// An event that the relay gave its place.
struct Event {
    id: Uuid,
    of: String,
    recorded_at: DateTime<Utc>,
    /// Holder and kind.
    audience: Vec<(Uuid, String)>,
    /// The children whom it is about.
    about: Vec<Uuid>,
}

/// Records and events of an authority in which much has happened, as of the tests' morning.
struct World {
    database: String,
    client: Client,
    events: Vec<Event>,
    /// Everybody, and whether they work here.
    workers: Vec<(Uuid, bool)>,
    /// By unit and worker.
    members: HashMap<(Uuid, Uuid), Vec<Period>>,
    /// By area.
    managers: HashMap<Uuid, Uuid>,
    /// By post and worker.
    posts: HashMap<(Uuid, Uuid), Vec<Period>>,
}

/// What the policies show each worker.
#[derive(Default)]
struct Shown {
    /// Event, unit, worker: what a unit's stream brought them.
    streams: BTreeSet<(Uuid, Uuid, Uuid)>,
    /// Child, worker: whose records they read whole.
    whole: BTreeSet<(Uuid, Uuid)>,
    /// The same but for what they see as head of service: no event is for a post.
    own: BTreeSet<(Uuid, Uuid)>,
    /// The same by a part of their own alone, as a chair.
    personal: BTreeSet<(Uuid, Uuid)>,
    /// Of whom they see the plans, by a part of their own.
    plans: BTreeSet<(Uuid, Uuid)>,
    /// Of whom they see who they are, by a part of their own: who was asked for parenting support.
    partly: BTreeSet<(Uuid, Uuid)>,
    /// Whose records are kept from them.
    kept: BTreeSet<(Uuid, Uuid)>,
}

/// Of what concerns who sees a child in part, and of what does not.
const TYPES: &[&str] = &[
    "TRANSFER_COMPLETED",
    "CONFERENCE_CHANGED",
    "SUPPORT_CHANGED",
    "INVOLVEMENT_CHANGED",
    "PLAN_AGREED",
    "PLAN_CHANGED",
];

/// Whom an event tells of records that they do not see, by docs/live.md.
const WITHOUT_SIGHT: &[(&str, &str)] = &[
    ("UNIT", "the members, then and now, of a unit of the audience: the transfer of a case to the unit that it leaves"),
    (
        "WORKER",
        "who is named, and a member of a unit of the audience or the manager of an area: they have to do with it",
    ),
    (
        "POST",
        "who has a post of the audience, then and now: the front door sees whom a contact is about as far as who they are",
    ),
    ("LEAVING", "whom the change itself takes out of sight: that they are, and nothing after it"),
    ("ALONE", "a chair in whose place another is appointed: that they are, and nothing after it"),
];

/// `HEARTH_TEST_SEED`, or another one each time.
fn seed() -> u64 {
    let seed = std::env::var("HEARTH_TEST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("HEARTH_TEST_SEED={seed}");
    seed
}

fn one<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

/// A moment so many half days from the tests' morning: few, so that what begins, ends and happens meets on one.
fn half_days(rng: &mut Rng, from: i64, to: i64) -> DateTime<Utc> {
    morning() + Duration::hours(12 * rng.i64(from..=to))
}

/// When something began that gives sight for three months after it: long ago enough that some of it is over, just now,
/// or not yet.
fn three_months_ago(rng: &mut Rng) -> DateTime<Utc> {
    let then: DateTime<Utc> = "2026-08-18T10:00:00Z".parse().unwrap();
    then + Duration::hours(12 * rng.i64(-2..=20))
}

async fn ids(client: &Client, query: &str) -> Vec<Uuid> {
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

impl World {
    /// The demo authority after several hundred random facts, with so many random events.
    async fn after(seed: u64, events: usize) -> Self {
        let database = support::database().await;
        let client = support::connect("postgres", &database).await;
        let mut rng = Rng::with_seed(seed);
        client.batch_execute("set timezone = 'UTC'; set jit = off; begin").await.unwrap();
        happen(&client, &mut rng).await;
        tell(&client, &mut rng, events).await;
        client.batch_execute("commit; analyze").await.unwrap();

        let mut found: Vec<Event> = Vec::new();
        let rows = "select event_id, recorded_at, type from outbox where seq is not null order by seq";
        for row in client.query(rows, &[]).await.unwrap() {
            found.push(Event {
                id: row.get(0),
                recorded_at: row.get(1),
                of: row.get(2),
                audience: Vec::new(),
                about: Vec::new(),
            });
        }
        let places: HashMap<Uuid, usize> = found.iter().enumerate().map(|(place, event)| (event.id, place)).collect();
        for row in client.query("select event_id, holder_id, kind from outbox_audience", &[]).await.unwrap() {
            if let Some(place) = places.get(&row.get(0)) {
                found[*place].audience.push((row.get(1), row.get(2)));
            }
        }
        for row in client.query("select event_id, child_id from outbox_subjects", &[]).await.unwrap() {
            if let Some(place) = places.get(&row.get(0)) {
                found[*place].about.push(row.get(1));
            }
        }
        let workers = client.query("select id, active from workers", &[]).await.unwrap();
        let managers = "select id, service_manager_id from areas where service_manager_id is not null";
        let managers = client.query(managers, &[]).await.unwrap();
        let mut members: HashMap<(Uuid, Uuid), Vec<_>> = HashMap::new();
        let periods = "select unit_id, worker_id, started_at, ended_at from unit_memberships";
        for row in client.query(periods, &[]).await.unwrap() {
            members.entry((row.get(0), row.get(1))).or_default().push((row.get(2), row.get(3)));
        }
        let mut posts: HashMap<(Uuid, Uuid), Vec<Period>> = HashMap::new();
        let held = "select post.id, p.worker_id, p.started_at, p.ended_at
                    from worker_posts p cross join unnest(array[hearth.queue(), hearth.front_door()]) as post (id)
                    where p.post = 'FIRST_RESPONSE'
                    union all select hearth.queue(), a.service_manager_id, '2000-01-01Z', null from areas a
                    where a.service_manager_id is not null
                    union all select hearth.front_door(), a.service_manager_id, '2000-01-01Z', null from areas a
                    where a.service_manager_id is not null
                      and exists (select from units u where u.area_id = a.id and u.service = 'ACCESS_ASSESSMENT')";
        for row in client.query(held, &[]).await.unwrap() {
            posts.entry((row.get(0), row.get(1))).or_default().push((row.get(2), row.get(3)));
        }
        Self {
            posts,
            events: found,
            workers: workers.iter().map(|row| (row.get(0), row.get(1))).collect(),
            members,
            managers: managers.iter().map(|row| (row.get(0), row.get(1))).collect(),
            database,
            client,
        }
    }

    fn is_member(&self, unit: Uuid, worker: Uuid, at: DateTime<Utc>) -> bool {
        let runs = |(from, to): &Period| *from <= at && to.is_none_or(|to| to > at);
        self.members.get(&(unit, worker)).into_iter().flatten().any(runs)
    }

    fn has_post(&self, post: Uuid, worker: Uuid, at: DateTime<Utc>) -> bool {
        let runs = |(from, to): &Period| *from <= at && to.is_none_or(|to| to > at);
        self.posts.get(&(post, worker)).into_iter().flatten().any(runs)
    }

    /// How many pairs of an event and a worker there are.
    fn pairs(&self) -> usize {
        self.events.len() * self.workers.len()
    }

    /// Whom the Rust filter finds. The database must let everybody pass.
    async fn filtered(&self) -> Topics {
        let log = EventLog::new(Db::new(&support::url("hearth_bus", &self.database), 2, None).unwrap());
        let clock: hearth::clock::Clock = Arc::new(morning);
        let (mut found, mut seq) = (Topics::new(), 0);
        loop {
            let page = log.after(seq, None, 100, &clock).await.unwrap();
            let Some(last) = page.last() else { break };
            seq = last.event.seq.unwrap();
            for delivery in page {
                for (topic, worker) in delivery.recipients {
                    found.entry((delivery.event.event_id, worker)).or_default().insert(topic);
                }
            }
        }
        found
    }

    /// Who may be told of what by the database, asked with every pair.
    async fn told(&self) -> HashSet<(Uuid, Uuid)> {
        let pairs: Vec<(Uuid, Uuid)> =
            self.events.iter().flat_map(|event| self.workers.iter().map(|(worker, _)| (event.id, *worker))).collect();
        let (events, workers): (Vec<Uuid>, Vec<Uuid>) = pairs.iter().copied().unzip();
        let text = "select place from hearth.may_be_told($1, $2, $3) as place";
        let places = self.client.query(text, &[&events, &workers, &morning()]).await.unwrap();
        places.iter().map(|row| pairs[usize::try_from(row.get::<_, i64>(0)).unwrap() - 1]).collect()
    }

    /// What the policies show everybody, as the application's role. In a transaction.
    async fn shown(&self) -> Shown {
        let client = &self.client;
        client.batch_execute("set local role hearth_app").await.unwrap();
        let mut shown = Shown::default();
        let children = "select person_id from addresses";
        for worker in self.workers.iter().filter(|(_, active)| *active).map(|(worker, _)| *worker) {
            client.execute("select hearth.enter($1, $2)", &[&worker, &morning()]).await.unwrap();
            for row in client.query("select event_id, holder_id from outbox_audience", &[]).await.unwrap() {
                shown.streams.insert((row.get(0), row.get(1), worker));
            }
            let kept = ids(client, "select unnest(hearth.kept_from_me())").await;
            shown.kept.extend(kept.into_iter().map(|child| (child, worker)));
            shown.whole.extend(ids(client, children).await.into_iter().map(|child| (child, worker)));
            // In person, also in part: who gives parenting support, or was asked.
            let planned = "select subject_id from sight where whole or plans";
            for (held, seen, children) in [
                ("array_remove(hearth.holders(), hearth.whole_service())", &mut shown.own, children),
                ("array[hearth.worker()]", &mut shown.personal, children),
                ("array[hearth.worker()]", &mut shown.plans, planned),
                ("array[hearth.worker()]", &mut shown.partly, "select id from children"),
            ] {
                let text = format!("select set_config('hearth.holders', ({held})::text, true)");
                client.batch_execute(&text).await.unwrap();
                seen.extend(ids(client, children).await.into_iter().map(|child| (child, worker)));
            }
        }
        client.batch_execute("reset role").await.unwrap();
        shown
    }

    /// In which feeds an event is a worker's, by what the policies show of the records.
    fn by_policies(&self, shown: &Shown, event: &Event, worker: Uuid) -> BTreeSet<Uuid> {
        let of_kind = |kind: &'static str| event.audience.iter().filter(move |(_, one)| one == kind).map(|(id, _)| *id);
        let is = |kind: &'static str| of_kind(kind).any(|id| id == worker);
        let seen = |by: &BTreeSet<(Uuid, Uuid)>| event.about.iter().any(|child| by.contains(&(*child, worker)));
        let in_unit = of_kind("UNIT")
            .any(|unit| self.is_member(unit, worker, event.recorded_at) && self.is_member(unit, worker, morning()));
        let in_post =
            |post: &Uuid| self.has_post(*post, worker, event.recorded_at) && self.has_post(*post, worker, morning());
        let posts: Vec<Uuid> = of_kind("POST").filter(in_post).collect();
        let through =
            in_unit || !posts.is_empty() || of_kind("AREA").any(|area| self.managers.get(&area) == Some(&worker));
        let mut topics: BTreeSet<Uuid> =
            of_kind("UNIT").filter(|unit| shown.streams.contains(&(event.id, *unit, worker))).collect();
        if through || is("WORKER") || is("LEAVING") || is("FORMER") {
            topics.extend(event.about.iter().filter(|child| shown.own.contains(&(**child, worker))));
        }
        let personal = match event.of.as_str() {
            "SUPPORT_CHANGED" | "INVOLVEMENT_CHANGED" => &shown.partly,
            "PLAN_AGREED" | "PLAN_CHANGED" => &shown.plans,
            _ => &shown.personal,
        };
        let theirs = is("LEAVING") || is("ALONE") || (is("WORKER") && (through || seen(personal)));
        if !seen(&shown.kept) || seen(&shown.own) {
            topics.extend(theirs.then_some(worker).into_iter().chain(posts));
        }
        topics
    }

    /// In what the Rust filter, the database's function and the policies differ.
    fn differences(&self, filtered: &Topics, told: &HashSet<(Uuid, Uuid)>, shown: &Shown) -> Vec<String> {
        let (mut found, nothing) = (Vec::new(), BTreeSet::new());
        let placed: HashSet<Uuid> = self.events.iter().map(|event| event.id).collect();
        for (event, unit, worker) in shown.streams.iter().filter(|(event, ..)| !placed.contains(event)) {
            found.push(format!("event {event} without a place is shown to worker {worker} of unit {unit}"));
        }
        for event in &self.events {
            for (worker, active) in &self.workers {
                let pair = (event.id, *worker);
                let of_filter = filtered.get(&pair).unwrap_or(&nothing);
                let of_policies = if *active { self.by_policies(shown, event, *worker) } else { BTreeSet::new() };
                let unseen = |topic: &&Uuid| event.about.contains(topic) && !shown.whole.contains(&(**topic, *worker));
                let differ = told.contains(&pair) == of_filter.is_empty() || *of_filter != of_policies;
                if differ || of_filter.iter().any(|topic| unseen(&topic)) {
                    found.push(format!(
                        "event {} for {:?} about {:?}, worker {worker}: the filter says {of_filter:?}, the function {}, the policies {of_policies:?}",
                        event.id, event.audience, event.about, told.contains(&pair)
                    ));
                }
            }
        }
        found
    }

    /// Of each kind in [`WITHOUT_SIGHT`], how many are told of an event and see no child whom it is about.
    fn without_sight(&self, filtered: &Topics, shown: &Shown) -> BTreeMap<&'static str, usize> {
        let mut found = BTreeMap::new();
        for event in self.events.iter().filter(|event| !event.about.is_empty()) {
            for (worker, _) in &self.workers {
                let Some(topics) = filtered.get(&(event.id, *worker)) else { continue };
                if event.about.iter().any(|child| shown.whole.contains(&(*child, *worker))) {
                    continue;
                }
                for topic in topics {
                    let (_, kind) = event.audience.iter().find(|(holder, _)| holder == topic).unwrap();
                    let (kind, _) = WITHOUT_SIGHT.iter().find(|(one, _)| one == kind).unwrap();
                    *found.entry(*kind).or_default() += 1;
                }
            }
        }
        found
    }
}

/// What happened to some eighty children, at random and all against all: it need not make sense, only be allowed by the
/// tables.
async fn happen(client: &Client, rng: &mut Rng) {
    let units = ids(client, "select id from units order by id").await;
    let workers = ids(client, "select id from workers order by id").await;
    let cases = some_cases(client, rng).await;
    let now = morning();
    let new = Uuid::now_v7;

    client
        .batch_execute(
            "insert into addresses (id, person_id, kind, line, postcode, from_on)
             select gen_random_uuid(), c.id, 'HOME', 'x', 'N1 1AA', '2020-01-01' from children c
             where not exists (select from addresses a where a.person_id = c.id)",
        )
        .await
        .unwrap();
    for _ in 0..120 {
        let (unit, worker) = (one(rng, &units), one(rng, &workers));
        let role = one(rng, &["SOCIAL_WORKER", "CHILDRENS_PRACTITIONER", "CLINICIAN", "UNIT_COORDINATOR"]);
        let mut from = half_days(rng, -60, 4);
        // Some go and come back.
        for _ in 0..rng.u8(1..4) {
            let to = (rng.u8(..4) > 0).then(|| from + Duration::hours(12 * rng.i64(1..30)));
            // What somebody ended is over for the filter at once, even by a clock that is behind: only cover ends later.
            let reason = to.filter(|to| *to <= now).map(|_| "x");
            client
                .execute(
                    "insert into unit_memberships (id, unit_id, worker_id, role, started_at, ended_at, reason_end)
                     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
                    &[&new(), &unit, &worker, &role, &from, &to, &reason],
                )
                .await
                .unwrap();
            let Some(to) = to else { break };
            from = to + Duration::hours(12 * rng.i64(0..6));
        }
    }
    let members = "select id from unit_memberships where ended_at is null and started_at < '2026-10-01Z' order by id";
    for id in ids(client, members).await {
        if rng.u8(..4) > 0 {
            continue;
        }
        let text = "update unit_memberships set ended_at = $2, reason_end = 'x' where id = $1";
        client.execute(text, &[&id, &half_days(rng, -60, 0)]).await.unwrap();
    }
    for area in ids(client, "select id from areas order by id").await {
        if rng.u8(..3) == 0 {
            let text = "update areas set service_manager_id = $2 where id = $1";
            client.execute(text, &[&area, &one(rng, &workers)]).await.unwrap();
        }
    }
    for _ in 0..4 {
        client.execute("update workers set active = false where id = $1", &[&one(rng, &workers)]).await.unwrap();
    }
    for _ in 0..12 {
        let from = half_days(rng, -60, 2);
        let to = rng.bool().then(|| from + Duration::hours(12 * rng.i64(1..40)));
        client
            .execute(
                "insert into worker_posts (id, worker_id, post, started_at, ended_at) values ($1, $2, $3, $4, $5)
                 on conflict do nothing",
                &[&new(), &one(rng, &workers), &one(rng, &["HEAD_OF_SERVICE", "FIRST_RESPONSE"]), &from, &to],
            )
            .await
            .unwrap();
    }
    hold(client, rng, &cases, &units, &workers).await;
    take_part(client, rng, &cases, &workers).await;
    lock(client, rng, &cases, &workers).await;
}

/// Some eighty open cases, and whose they are.
async fn some_cases(client: &Client, rng: &mut Rng) -> Vec<(Uuid, Uuid)> {
    let rows = client.query("select id, child_id from cases where status <> 'CLOSED' order by id", &[]).await.unwrap();
    let mut cases: Vec<(Uuid, Uuid)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    rng.shuffle(&mut cases);
    cases.truncate(80);
    cases
}

/// Cases move, units come in and leave, transfers are asked for and refused.
async fn hold(client: &Client, rng: &mut Rng, cases: &[(Uuid, Uuid)], units: &[Uuid], workers: &[Uuid]) {
    let new = Uuid::now_v7;
    let starting = "insert into allocations (id, case_id, child_id, unit_id, kind, started_at, reason_start)
                    values ($1, $2, $3, $4, $5, $6, 'x') on conflict do nothing";
    let ending = "update allocations set ended_at = greatest(started_at, $2), reason_end = 'x' where id = $1";
    for _ in 0..30 {
        let ((case, child), at) = (one(rng, cases), half_days(rng, -60, 0));
        let held = "select id from allocations where case_id = $1 and kind = 'PRIMARY' and ended_at is null";
        if let Some(row) = client.query_opt(held, &[&case]).await.unwrap() {
            client.execute(ending, &[&row.get::<_, Uuid>(0), &at]).await.unwrap();
        }
        client.execute(starting, &[&new(), &case, &child, &one(rng, units), &"PRIMARY", &at]).await.unwrap();
    }
    for _ in 0..40 {
        let ((case, child), at, id) = (one(rng, cases), half_days(rng, -60, 0), new());
        let kind = one(rng, &["JOINT", "COVER"]);
        client.execute(starting, &[&id, &case, &child, &one(rng, units), &kind, &at]).await.unwrap();
        if rng.u8(..3) == 0 {
            client.execute(ending, &[&id, &half_days(rng, -60, 0)]).await.unwrap();
        }
    }
    for _ in 0..25 {
        let ((case, child), id) = (one(rng, cases), new());
        let from = one(rng, units);
        let to = one(rng, &units.iter().copied().filter(|unit| *unit != from).collect::<Vec<_>>());
        client
            .execute(
                "insert into case_transfers (id, case_id, child_id, from_unit_id, to_unit_id, kind, state, requested_by,
                                             requested_at, handover_summary)
                 values ($1, $2, $3, $4, $5, 'WITHIN_SERVICE', 'REQUESTED', $6, $7, 'x') on conflict do nothing",
                &[&id, &case, &child, &from, &to, &one(rng, workers), &half_days(rng, -60, 0)],
            )
            .await
            .unwrap();
        if rng.u8(..3) == 0 {
            let text =
                "update case_transfers set state = 'REJECTED', response_reason = 'x', responded_by = requested_by,
                        responded_at = requested_at where id = $1";
            client.execute(text, &[&id]).await.unwrap();
        }
    }
}

/// Workers have parts in cases, and chair conferences of one child or several.
async fn take_part(client: &Client, rng: &mut Rng, cases: &[(Uuid, Uuid)], workers: &[Uuid]) {
    let new = Uuid::now_v7;
    const CAPACITIES: &[&str] =
        &["CO_WORKER", "CLINICAL", "PARENTING_SUPPORT", "PERSONAL_ADVISER", "IRO", "SUPERVISING_SW"];
    for _ in 0..90 {
        let ((case, child), id) = (one(rng, cases), new());
        client
            .execute(
                "insert into worker_involvements (id, case_id, child_id, worker_id, capacity, started_at)
                 values ($1, $2, $3, $4, $5, '2026-05-01Z') on conflict do nothing",
                &[&id, &case, &child, &one(rng, workers), &one(rng, CAPACITIES)],
            )
            .await
            .unwrap();
        if rng.bool() {
            let text = "update worker_involvements set ended_at = $2 where id = $1";
            client.execute(text, &[&id, &three_months_ago(rng)]).await.unwrap();
        }
    }
    for _ in 0..40 {
        let (conference, chair, held) = (new(), one(rng, workers), three_months_ago(rng));
        client
            .execute(
                "insert into conferences (id, type, state, requested_by, requested_at, scheduled_for, chair_id, held_at)
                 values ($1, 'INITIAL', 'SCHEDULED', $2, '2026-06-01Z', '2026-08-12 10:00Z', $3, $4)",
                &[&conference, &one(rng, workers), &chair, &held],
            )
            .await
            .unwrap();
        for _ in 0..rng.u8(1..4) {
            let (case, child) = one(rng, cases);
            client
                .execute(
                    "insert into conference_children (id, conference_id, child_id, case_id) values ($1, $2, $3, $4)
                     on conflict do nothing",
                    &[&new(), &conference, &child, &case],
                )
                .await
                .unwrap();
        }
        let state = one(rng, &["SCHEDULED", "POSTPONED", "DECIDED", "DECIDED", "WITHDRAWN"]);
        let chair = if rng.u8(..4) == 0 { one(rng, workers) } else { chair };
        let text = "update conferences set state = $2, chair_id = $3 where id = $1";
        client.execute(text, &[&conference, &state, &chair]).await.unwrap();
    }
}

/// Records are restricted and denied, and broken open.
async fn lock(client: &Client, rng: &mut Rng, cases: &[(Uuid, Uuid)], workers: &[Uuid]) {
    let new = Uuid::now_v7;
    for _ in 0..25 {
        let (_, child) = one(rng, cases);
        let listed: Vec<Uuid> = (0..rng.u8(1..20)).map(|_| one(rng, workers)).collect();
        let ended = (rng.u8(..4) == 0).then(morning);
        client
            .execute(
                "insert into access_restrictions (id, person_id, reason, owner_id, allowed, started_at, ended_at, created_by)
                 values ($1, $2, 'OTHER', $3, $4, '2026-08-01Z', $5, $3) on conflict do nothing",
                &[&new(), &child, &listed[0], &listed, &ended],
            )
            .await
            .unwrap();
    }
    for _ in 0..60 {
        let ((_, child), ended) = (one(rng, cases), (rng.u8(..4) == 0).then(morning));
        client
            .execute(
                "insert into access_denials (id, person_id, worker_id, reason, started_at, ended_at, created_by)
                 values ($1, $2, $3, 'OTHER', '2026-08-01Z', $4, $3) on conflict do nothing",
                &[&new(), &child, &one(rng, workers), &ended],
            )
            .await
            .unwrap();
    }
    for _ in 0..25 {
        let ((_, child), worker) = (one(rng, cases), one(rng, workers));
        // Some of them end at this very moment.
        let from = morning() - Duration::minutes(15 * rng.i64(1..6));
        client
            .execute(
                "insert into break_glass_uses (id, child_id, worker_id, reason, explanation, started_at, ends_at, alerted,
                                               review_due_on)
                 values ($1, $2, $3, 'OTHER', 'x', $4, $5, array[$3::uuid], '2026-11-19')",
                &[&new(), &child, &worker, &from, &(from + Duration::hours(1))],
            )
            .await
            .unwrap();
    }
}

/// Random events about the children to whom something happened, and about nobody: of each the audience is partly whoever
/// has to do with them, partly anybody. The last few have no place yet.
async fn tell(client: &Client, rng: &mut Rng, count: usize) {
    let units = ids(client, "select id from units order by id").await;
    let areas = ids(client, "select id from areas order by id").await;
    let workers = ids(client, "select id from workers order by id").await;
    let prominent = "select worker_id from worker_posts where post = 'HEAD_OF_SERVICE'
                     union select service_manager_id from areas where service_manager_id is not null order by 1";
    let prominent = ids(client, prominent).await;
    let touched = "select c.id, c.child_id from cases c where c.status <> 'CLOSED' and c.child_id in (
                       select child_id from case_transfers union select child_id from break_glass_uses
                       union select person_id from access_restrictions union select person_id from access_denials
                       union select child_id from worker_involvements where started_at = '2026-05-01Z'
                       union select cc.child_id from conference_children cc join conferences k on k.id = cc.conference_id
                       where k.requested_at = '2026-06-01Z')
                   order by c.id";
    let touched: Vec<(Uuid, Uuid)> =
        client.query(touched, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut near: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    // Also the members of a unit that sees it in part: by name they are told as anybody.
    let related = "select subject_id, holder_id from sight
                   union select s.subject_id, m.worker_id from sight s join unit_memberships m on m.unit_id = s.holder_id
                         where not s.whole
                   union select person_id, unnest(allowed || barred) from person_locks order by 1, 2";
    for row in client.query(related, &[]).await.unwrap() {
        near.entry(row.get(0)).or_default().push(row.get(1));
    }
    let conferences = "select c.id, min(cc.child_id::text)::uuid from conferences c
                       join conference_children cc on cc.conference_id = c.id
                       where c.requested_at = '2026-06-01Z' group by 1 order by 1";
    let conferences: Vec<(Uuid, Uuid)> =
        client.query(conferences, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();

    let (none, posts) = (Vec::new(), ids(client, "select hearth.queue() union all select hearth.front_door()").await);
    for place in 1..=count + 20 {
        let event = Uuid::now_v7();
        let (case, child, entity) = match rng.u8(..10) {
            0 => (None, None, event),
            1..4 => {
                let (conference, child) = one(rng, &conferences);
                (None, Some(child), conference)
            }
            _ => {
                let (case, child) = one(rng, &touched);
                (Some(case), Some(child), case)
            }
        };
        let close = child.and_then(|child| near.get(&child)).cloned().unwrap_or_default();
        let among = |all: &[Uuid]| all.iter().copied().filter(|id| close.contains(id)).collect::<Vec<Uuid>>();
        let (near_units, near_areas, near_workers) = (among(&units), among(&areas), among(&workers));
        let mut pick = |near: &[Uuid], all: &[Uuid]| {
            let from = if rng.u8(..3) > 0 && !near.is_empty() { near } else { all };
            one(rng, from)
        };
        let (mut holders, mut kinds) = (Vec::new(), Vec::new());
        for kind in ["UNIT", "UNIT", "AREA", "WORKER", "WORKER", "WORKER", "FORMER", "LEAVING", "ALONE", "POST"] {
            let (near, all) = match kind {
                "UNIT" => (&near_units, &units),
                "AREA" => (&near_areas, &areas),
                "WORKER" => (&near_workers, &prominent),
                "POST" => (&none, &posts),
                _ => (&near_workers, &workers),
            };
            let holder = pick(near, all);
            holders.push(holder);
            kinds.push(kind);
        }
        // Some of them.
        let keep: Vec<bool> = kinds.iter().map(|_| rng.u8(..5) < 2).collect();
        let kept = |at: &usize| keep[*at];
        let holders: Vec<Uuid> = (0..keep.len()).filter(kept).map(|at| holders[at]).collect();
        let kinds: Vec<&str> = (0..keep.len()).filter(kept).map(|at| kinds[at]).collect();
        let seq = (place <= count).then(|| i64::try_from(place).unwrap());
        client
            .execute(
                "insert into outbox (event_id, seq, type, occurred_at, recorded_at, actor_id, actor_role, case_id,
                                     correlation_id, entity_type, entity_id, entity_version, data)
                 values ($1, $2, $7, $3, $3, $4, 'SOCIAL_WORKER', $5, $1, 'Case', $6, 1, '{}')",
                &[&event, &seq, &half_days(rng, -60, 0), &one(rng, &workers), &case, &entity, &one(rng, TYPES)],
            )
            .await
            .unwrap();
        let text = "insert into outbox_audience (event_id, holder_id, kind) select $1::uuid, * from unnest($2::uuid[], $3::text[])
                    on conflict do nothing";
        client.execute(text, &[&event, &holders, &kinds]).await.unwrap();
        if child.is_some() && rng.u8(..5) == 0 {
            let (_, other) = one(rng, &touched);
            let text =
                "insert into outbox_subjects (event_id, child_id, seq) values ($1, $2, $3) on conflict do nothing";
            client.execute(text, &[&event, &other, &seq]).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_the_databases_wall_and_the_policies_agree_about_every_event_and_worker() {
    let seed = seed();
    let world = World::after(seed, 800).await;
    world.client.batch_execute("begin").await.unwrap();
    let (told, shown) = (world.told().await, world.shown().await);
    world.client.batch_execute("rollback").await.unwrap();
    open_function(&world.client).await;
    let filtered = world.filtered().await;
    let found = world.differences(&filtered, &told, &shown);
    assert!(found.is_empty(), "HEARTH_TEST_SEED={seed}: {} differences\n{}", found.len(), some(&found));
    let feeds: usize = filtered.values().map(BTreeSet::len).sum();
    println!(
        "{} events x {} workers = {} pairs: {} are told, in {feeds} feeds; of children out of sight {:?}",
        world.events.len(),
        world.workers.len(),
        world.pairs(),
        told.len(),
        world.without_sight(&filtered, &shown)
    );
}

fn some(found: &[String]) -> String {
    found.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
}

/// Conditions of `hearth.may_be_told`, and what makes each of them weaker, or stronger.
const CONDITIONS: &[(&str, &str)] = &[
    (" and a.holder_id = any (before.holders)", ""),
    ("a.holder_id = any (held.holders) and a.holder_id = any (before.holders)", "a.holder_id = any (before.holders)"),
    ("a.kind = 'AREA' and a.holder_id = any (held.holders)", "a.kind = 'AREA'"),
    ("a.kind = 'POST' and a.holder_id = any (held.holders)", "a.kind = 'POST'"),
    (
        "a.kind = 'POST' and a.holder_id = any (held.holders) and a.holder_id = any (before.holders)",
        "a.kind = 'POST' and a.holder_id = any (held.holders)",
    ),
    (" or reached.post", ""),
    ("a.holder_id = p.worker and a.kind = 'WORKER'", "a.kind = 'WORKER'"),
    ("a.holder_id = p.worker and a.kind = 'FORMER'", "a.kind = 'FORMER'"),
    ("a.holder_id = p.worker and a.kind in", "a.kind in"),
    ("and r.started_at <= at", ""),
    ("and r.started_at <= e.recorded_at", ""),
    ("bool_or(s.whole)", "bool_or(true)"),
    ("bool_or(s.holder_id = p.worker", "bool_or(true"),
    ("e.type in ('SUPPORT_CHANGED', 'INVOLVEMENT_CHANGED')", "false"),
    ("(s.plans and e.type in ('PLAN_AGREED', 'PLAN_CHANGED'))", "false"),
    ("s.plans and e.type in", "e.type in"),
    ("s.plans and e.type in ('PLAN_AGREED', 'PLAN_CHANGED')", "s.plans"),
    ("(sees.self and reached.named)", "sees.self"),
    ("(sees.self and reached.named)", "reached.named"),
    (" or (sees.self and reached.named)", ""),
    ("and s.holder_id = any (held.holders)", ""),
    ("array[hearth.whole_service(), hearth.queue()]", "array[hearth.queue()]"),
    ("(s.until is null or s.until > at)", "true"),
    ("s.until > at", "s.until >= at"),
    ("(s.allowed is null or p.worker = any (s.allowed))", "true"),
    ("(s.barred is null or p.worker <> all (s.barred))", "true"),
    ("reached.unit or ", ""),
    (" or reached.alone", ""),
    ("(reached.area and reached.named)", "reached.area"),
    ("(reached.area and reached.named)", "reached.named"),
    ("(sees.one and (", "(true and ("),
    (" or reached.former", ""),
    ("p.worker <> all (l.allowed) or ", ""),
    (" or p.worker = any (l.barred)", ""),
    ("(sees.one or not exists", "(true or not exists"),
    ("(sees.one or not exists", "(not exists"),
];

/// Conditions of policies: table, policy, and the same.
const POLICIES: &[(&str, &str, &str, &str)] = &[
    ("outbox_audience", "recipient", "(seq IS NOT NULL)", "true"),
    ("outbox_audience", "recipient", "(m.started_at <= outbox_audience.recorded_at)", "true"),
    ("outbox_audience", "recipient", "(m.ended_at > outbox_audience.recorded_at)", "true"),
    (
        "outbox_audience",
        "recipient",
        "(m.ended_at > outbox_audience.recorded_at)",
        "(m.ended_at >= outbox_audience.recorded_at)",
    ),
    ("outbox_audience", "recipient", "(s.holder_id <> hearth.whole_service())", "true"),
    ("outbox_audience", "recipient", "o.child_id = ANY", "o.child_id <> ALL"),
    ("addresses", "in_sight", " AND s.whole", ""),
    ("sight", "mine", "(until > ( SELECT hearth.at() AS at))", "true"),
    ("sight", "mine", "(allowed IS NULL)", "true"),
    ("sight", "mine", "(barred IS NULL)", "true"),
];

#[tokio::test(flavor = "multi_thread")]
async fn one_condition_that_is_loosened_in_either_wall_or_in_a_policy_is_a_difference() {
    // Always the same facts: every condition decides about one of them.
    let world = World::after(2, 800).await;
    let client = &world.client;
    let definition = "select pg_get_functiondef('hearth.may_be_told(uuid[], uuid[], timestamptz)'::regprocedure)";
    let definition: String = client.query_one(definition, &[]).await.unwrap().get(0);
    client.batch_execute("begin").await.unwrap();
    let (told, shown) = (world.told().await, world.shown().await);
    client.batch_execute("rollback").await.unwrap();

    let (mut functions, mut policies) = (Vec::new(), Vec::new());
    for (from, to) in CONDITIONS {
        assert!(definition.contains(from), "hearth.may_be_told does not say {from}");
        client.batch_execute(&format!("begin; {}", definition.replacen(from, to, 1))).await.unwrap();
        functions.push((from, to, world.told().await));
        client.batch_execute("rollback").await.unwrap();
    }
    for (table, policy, from, to) in POLICIES {
        let text = "select qual from pg_policies where tablename = $1 and policyname = $2";
        let reads: String = client.query_one(text, &[table, policy]).await.unwrap().get(0);
        assert!(reads.contains(from), "{policy} on {table} does not say {from}: {reads}");
        let text = format!("begin; alter policy {policy} on {table} using ({})", reads.replacen(from, to, 1));
        client.batch_execute(&text).await.unwrap();
        policies.push((table, from, to, world.shown().await));
        client.batch_execute("rollback").await.unwrap();
    }

    open_function(client).await;
    let filtered = world.filtered().await;
    let found = world.differences(&filtered, &told, &shown);
    assert!(found.is_empty(), "{} differences\n{}", found.len(), some(&found));
    let mut overlooked = Vec::new();
    for (from, to, told) in &functions {
        let found = world.differences(&filtered, told, &shown).len();
        println!("{found} differences: {from} -> {to}");
        overlooked.extend((found == 0).then(|| format!("{from} -> {to}")));
    }
    for (table, from, to, shown) in &policies {
        let found = world.differences(&filtered, &told, shown).len();
        println!("{found} differences: {table}: {from} -> {to}");
        overlooked.extend((found == 0).then(|| format!("{table}: {from} -> {to}")));
    }
    let child = world.events.iter().find_map(|event| event.about.first()).unwrap();
    for shadow in shadows(*child) {
        open_filter(client, &world.database, std::slice::from_ref(&shadow)).await;
        let found = world.differences(&world.filtered().await, &told, &shown).len();
        println!("{found} differences: the filter reads another {}", shadow.0);
        overlooked.extend((found == 0).then(|| format!("the filter reads another {}", shadow.0)));
    }
    assert!(overlooked.is_empty(), "no difference was found: {overlooked:#?}");
    // And each way in which somebody is told of what they do not see.
    let kinds: BTreeSet<&str> = world.without_sight(&filtered, &shown).into_keys().collect();
    assert_eq!(kinds, WITHOUT_SIGHT.iter().map(|(kind, _)| *kind).collect());
}
