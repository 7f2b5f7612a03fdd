//! Probes that build themselves from the schema: whatever is hidden from somebody answers like what does not exist, in
//! every field, argument and input, to the byte.
//!
//! A type, field or argument that is new is probed without anybody adding it here, or the test fails and names it. Who
//! probes and what is hidden are the two tables in `records`.

pub mod asking;
mod changes;
pub mod lists;
mod reads;
pub mod records;
mod samples;
pub mod schema;
mod twins;

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Instant};

use asking::{Asking, Finding};
use changes::{AMONG_ITS_OWN, Changes, RULED_BY_FUNCTIONS};
use lists::{Answers, Beside, ByDesign, FAR, Feeds, Lock, Neighbour};
use records::{Attacker, attackers, everybody, known_types, prepare};
use samples::{COUNTING, MAY_COUNT, MAY_OPEN, OPEN};
use schema::Walk;
use tokio_postgres::Client;
use twins::{Told, Which};
use uuid::Uuid;

use crate::support::{self, Server, Setup};

/// The first findings in words, for a test that fails.
fn told(findings: &[Finding]) -> String {
    let some: Vec<String> = findings.iter().take(20).map(Finding::to_string).collect();
    format!("{} findings\n{}", findings.len(), some.join("\n"))
}

fn say(asking: &Asking<'_>, what: &str, since: Instant) {
    let (probes, requests) = (asking.probes.load(Ordering::Relaxed), asking.requests.load(Ordering::Relaxed));
    let kinds: Vec<String> = asking.by_kind().iter().map(|(kind, probes)| format!("{probes} {kind}")).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    println!("{what}: {probes} probes{kinds} in {requests} requests, {:.1} s", since.elapsed().as_secs_f32());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_answers_like_what_does_not_exist_in_every_field_and_argument() {
    let (server, since, walk) = (Server::start().await, Instant::now(), Walk::new());
    let (hidden, known) = reads::hidden_and_known(&walk);
    assert_eq!(hidden, known, "say in RECORDS how records of a type are hidden, or in OPEN that none are");
    let client = support::connect("postgres", &server.database).await;
    prepare(&client, true).await;
    let attackers = attackers(&client, &everybody(), 8).await;
    let asking = Asking::new(&server);
    let findings = reads::read(&asking, &walk, &attackers).await;
    say(&asking, "reading", since);
    assert!(findings.is_empty(), "{}", told(&findings));
    let findings = reads::listen(&asking, &walk, &attackers).await;
    say(&asking, "reading and listening", since);
    assert!(findings.is_empty(), "{}", told(&findings));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_is_hidden_is_refused_like_one_of_what_does_not_exist_and_changes_nothing() {
    let (server, since, walk) = (Server::start().await, Instant::now(), Walk::new());
    let client = support::connect("postgres", &server.database).await;
    prepare(&client, true).await;
    let attackers = attackers(&client, &everybody(), 3).await;
    let before = changes::digest(&client).await;
    let asking = Asking::new(&server);
    let Changes { findings, places, reached } = changes::change(&asking, &walk, &attackers, true).await;
    assert!(findings.is_empty(), "{}", told(&findings));
    assert_eq!(changes::digest(&client).await, before, "something was changed");
    let opened = changes::open(&asking, &walk, &attackers).await;
    assert_eq!(opened, MAY_OPEN.iter().copied().collect());
    say(&asking, "changing", since);
    let unreached: Vec<&String> =
        places.difference(&reached).filter(|place| !AMONG_ITS_OWN.contains(&place.as_str())).collect();
    assert!(unreached.is_empty(), "nobody got as far as to look for a record at {unreached:#?}");
}

/// A database with policies that let everybody read.
async fn with_open_policies() -> String {
    let database = support::database().await;
    open_policies(&support::connect("postgres", &database).await).await;
    database
}

/// Makes the policies as if they let everybody read.
pub async fn open_policies(client: &Client) {
    client
        .batch_execute(
            "do $$ declare guarded text; begin
                 for guarded in select tablename from pg_policies where policyname = 'in_sight' loop
                     execute format('create policy everybody on %I for select to hearth_app using (true)', guarded);
                 end loop;
             end $$;
             create policy everybody on sight for select to hearth_app using (true);
             -- What functions decide by themselves, by the same sight.
             create or replace function hearth.sees(subject uuid) returns boolean
                 language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
             begin
                 return exists (select from public.sight s where s.subject_id = subject);
             end $$;
             -- Nor does the bus end a feed that these policies opened.
             create or replace function hearth.ended_access(followers uuid[], topics uuid[], at timestamptz)
                 returns table (place bigint, reason text) language sql as $$ select 0, '' where false $$;",
        )
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probes_find_every_type_and_argument_when_policies_let_everybody_read() {
    let setup = Setup { database: Some(with_open_policies().await), ..Setup::default() };
    let (server, walk) = (Server::with(setup).await, Walk::new());
    let client = support::connect("postgres", &server.database).await;
    prepare(&client, true).await;
    // Those who may change most.
    let who = [CHANGING, &["chair of some conferences"]].concat();
    let attackers = attackers(&client, &who, 2).await;
    let asking = Asking::new(&server);

    let findings = reads::read(&asking, &walk, &attackers).await;
    let found: BTreeSet<String> = findings.iter().map(|finding| finding.probe.clone()).collect();
    let missed: Vec<String> = walk.probed().difference(&found).cloned().collect();
    assert!(missed.is_empty(), "not found: {missed:#?}");
    let types: BTreeSet<String> = findings.into_iter().map(|finding| finding.of).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), reads::hidden_and_known(&walk).0);

    let findings = reads::listen(&asking, &walk, &attackers).await;
    let found: BTreeSet<String> = findings.into_iter().map(|finding| finding.probe).collect();
    // Whose unit it is decides its members, and no policy.
    let hidden = walk.subscriptions().into_iter().filter(|(place, _)| !OPEN.contains(&place.kind.as_str()));
    assert_eq!(found, hidden.map(|(_, document)| document.name).collect());

    let Changes { findings, places, .. } = changes::change(&asking, &walk, &attackers, false).await;
    let found: BTreeSet<String> = findings.into_iter().map(|finding| finding.probe).collect();
    let elsewhere = |place: &str| AMONG_ITS_OWN.contains(&place) || RULED_BY_FUNCTIONS.contains(&place);
    let missed: Vec<&String> = places.difference(&found).filter(|place| !elsewhere(place)).collect();
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_differ_in_every_type_when_policies_let_everybody_read() {
    let setup = Setup { database: Some(with_open_policies().await), ..Setup::default() };
    let (server, walk) = (Server::with(setup).await, Walk::new());
    let client = support::connect("postgres", &server.database).await;
    let Looking { viewers, names, in_sight, .. } = looking(&client, &ONLOOKERS[..2], &[]).await;
    let asking = Asking::new(&server);
    let before = lists::everything(&asking, &walk, &viewers, &names, true).await;
    hide(&client, &in_sight, true).await;
    lists::keep(&client, &in_sight[0]).await;
    let now = lists::everything(&asking, &walk, &viewers, &names, true).await;
    let found = lists::differences(&before, &now);
    let told = |list: &str| {
        let of_list = |line: &String| line.strip_prefix(list).is_some_and(|rest| rest.starts_with([' ', ',', '(']));
        found.iter().any(of_list)
    };
    let missed: Vec<String> = walk
        .lists()
        .into_iter()
        .filter(|list| !told(list) && list != COUNTING && !lists::WHOLE.contains(&list.as_str()))
        .collect();
    assert!(missed.is_empty(), "nothing hidden was found in {missed:#?}");
}

#[test]
fn every_field_of_the_schema_is_probed() {
    let walk = Walk::new();
    for of in walk.node_types() {
        walk.about(&of);
    }
    walk.without_id(&|_, _| None);
    walk.id_arguments();
    walk.subscriptions();
    for (mutation, _) in walk.mutations() {
        walk.payload(&mutation);
    }
    assert_eq!(walk.never_selected(), Vec::<String>::new(), "no probe selects these");
}

/// Whoever looks at lists beside which something is hidden.
const ONLOOKERS: &[&str] = &[
    "social worker of unit 7",
    "chair of some conferences",
    "first response",
    "service manager of unit 7",
    "worker without anything",
    "data analyst",
];

/// Whoever would see what is kept from them.
const KEPT_FROM: &[&str] = &[
    "consultant social worker of unit 7",
    "social worker of unit 7",
    "children's practitioner of unit 7",
    "clinician of unit 7",
    "coordinator of unit 7",
    "service manager of unit 7",
    "first response",
    "chair of some conferences",
    "reviewing officer of some children",
    "head of service",
];

/// What is compared beside what is hidden.
struct Looking {
    viewers: Vec<Attacker>,
    names: Vec<String>,
    /// Beside whom something is hidden.
    in_sight: Vec<Beside>,
    /// What they are told of it all the same.
    told: &'static [ByDesign],
}

/// These viewers, with the records among theirs beside which something will be hidden.
async fn looking(client: &Client, who: &[&str], told: &'static [ByDesign]) -> Looking {
    prepare(client, false).await;
    let mut viewers = attackers(client, who, 1).await;
    let in_sight = lists::in_sight(client).await;
    lists::sit(client, &in_sight).await;
    let mut names = vec!["Aardvark".to_owned(), "Zoe".to_owned()];
    for Beside { child, .. } in &in_sight {
        let row = client.query_one("select first_name, last_name from persons where id = $1", &[child]).await.unwrap();
        names.extend([row.get(0), row.get(1)]);
    }
    // What stands beside it is known when it has been hidden once.
    lists::remember(client).await;
    let mut beside = Vec::new();
    for one in &in_sight {
        beside.extend(lists::hide(client, one, FAR, Lock::Nothing, false).await.beside);
    }
    lists::forget(client).await;
    lists::look_beside(&mut viewers, &known_types().collect::<Vec<_>>(), &beside);
    Looking { viewers, names, in_sight, told }
}

async fn hide(client: &Client, in_sight: &[Beside], elsewhere: bool) -> Vec<Neighbour> {
    let mut hidden = Vec::new();
    for one in in_sight {
        hidden.push(lists::hide(client, one, FAR, Lock::Nothing, elsewhere).await);
    }
    hidden
}

/// Compares all that the viewers can ask with what it was, but for numbers that count everybody. Nobody is told of
/// what is `hidden`.
async fn same(
    (asking, walk): (&Asking<'_>, &Walk),
    looking: &Looking,
    before: &Answers,
    hidden: &[Neighbour],
    when: &str,
) {
    // What a change or its end would tell, the whole tells as well.
    let apart = ["hidden", "kept"].contains(&when);
    let now = lists::everything(asking, walk, &looking.viewers, &looking.names, apart).await;
    let told = |line: &str| {
        line.lines()
            .next()
            .and_then(|line| line.rsplit_once(" as "))
            .is_some_and(|(asked, viewer)| lists::by_design(looking.told, viewer, asked).is_some())
    };
    let found: Vec<String> =
        lists::differences(before, &now).into_iter().filter(|line| !counted(line) && !told(line)).collect();
    assert!(found.is_empty(), "{when}: {} differences\n{}", found.len(), found.join("\n"));
    for ((viewer, asked), answer) in now.iter().filter(|((_, asked), _)| asked.starts_with(COUNTING)) {
        assert_eq!(!answer.contains("FORBIDDEN"), MAY_COUNT.contains(&viewer.as_str()), "{asked} as {viewer}");
    }
    // Also where a difference is by design.
    let ids: Vec<String> = hidden.iter().flat_map(|one| [one.child, one.case]).map(|id| id.to_string()).collect();
    let cases: Vec<String> = hidden.iter().map(|one| one.case.to_string()).collect();
    for ((viewer, asked), answer) in &now {
        let children = lists::by_design(looking.told, viewer, asked).is_some_and(|told| told.names);
        let ids = if children { &cases } else { &ids };
        assert!(!ids.iter().any(|id| answer.contains(id)), "{asked} as {viewer}: {answer}");
    }
}

fn counted(line: &str) -> bool {
    line.starts_with(COUNTING) && MAY_COUNT.iter().any(|who| line.contains(&format!(" as {who}\n")))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_count_page_or_search_tells_that_something_hidden_came_changed_or_went() {
    let (server, since, walk) = (Server::start().await, Instant::now(), Walk::new());
    let client = support::connect("postgres", &server.database).await;
    let looking = looking(&client, ONLOOKERS, lists::OF_HIDDEN).await;
    let asking = Asking::new(&server);
    let before = lists::everything(&asking, &walk, &looking.viewers, &looking.names, true).await;
    let hidden = hide(&client, &looking.in_sight, false).await;
    for one in &hidden {
        lists::bring_in(&asking, one.actor, one.case).await;
    }
    server.all_placed().await;
    same((&asking, &walk), &looking, &before, &hidden, "hidden").await;
    for one in &hidden {
        lists::change(&client, one).await;
    }
    same((&asking, &walk), &looking, &before, &hidden, "changed").await;
    assert!(lists::forget(&client).await > 100);
    same((&asking, &walk), &looking, &before, &hidden, "gone").await;

    // An adult in sight who belongs to a hidden family too.
    hide(&client, &looking.in_sight, true).await;
    let now = lists::everything(&asking, &walk, &looking.viewers[..1], &looking.names, true).await;
    let found = lists::differences(&before, &now);
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
    say(&asking, "lists", since);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_count_page_or_search_tells_that_a_restricted_or_denied_record_came_changed_or_went() {
    let (server, since, walk) = (Server::start().await, Instant::now(), Walk::new());
    let client = support::connect("postgres", &server.database).await;
    let looking = looking(&client, KEPT_FROM, lists::OF_KEPT).await;
    let asking = Asking::new(&server);
    let before = lists::everything(&asking, &walk, &looking.viewers, &looking.names, true).await;
    let hidden = lists::keep(&client, &looking.in_sight[0]).await;
    for one in &hidden {
        lists::bring_in(&asking, one.actor, one.case).await;
    }
    server.all_placed().await;
    same((&asking, &walk), &looking, &before, &hidden, "kept").await;
    for one in &hidden {
        lists::change(&client, one).await;
    }
    same((&asking, &walk), &looking, &before, &hidden, "changed").await;
    assert!(lists::forget(&client).await > 100);
    same((&asking, &walk), &looking, &before, &hidden, "gone").await;
    say(&asking, "lists beside what is kept", since);
}

/// Opens the feeds of these, makes this happen, and then something that they see: it is the first that they hear of.
async fn nothing_heard(who: &[&str], kept: bool) {
    let server = Server::start().await;
    let client = support::connect("postgres", &server.database).await;
    prepare(&client, false).await;
    let viewers = attackers(&client, who, 1).await;
    let asking = Asking::new(&server);
    let in_sight = lists::in_sight(&client).await;
    let seven = server.unit(7).await;
    let mut feeds = Vec::new();
    for viewer in &viewers {
        let manages = viewer.name.starts_with("service manager");
        let member = viewer.name.ends_with("of unit 7") && !manages;
        let child = (member || manages).then_some(in_sight[0].child);
        feeds.push(Feeds::open(&asking, viewer, member.then_some(&seven), child).await);
    }
    let hidden = if kept { lists::keep(&client, &in_sight[0]).await } else { hide(&client, &in_sight, false).await };
    for one in hidden {
        lists::bring_in(&asking, one.actor, one.case).await;
    }
    // What comes after it, to those who see it, is the first that they hear of.
    let case: Uuid = client
        .query_one("select id from cases where child_id = $1 and status <> 'CLOSED'", &[&in_sight[0].child])
        .await
        .unwrap()
        .get(0);
    lists::bring_in(&asking, "U07-CSW", case).await;
    server.all_placed().await;
    for (viewer, feeds) in viewers.iter().zip(&mut feeds) {
        for heard in feeds.heard().await {
            assert_eq!(heard, format!("Case:{case}"), "{}", viewer.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_feed_tells_that_something_happens_to_what_is_hidden() {
    nothing_heard(ONLOOKERS, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_feed_tells_that_something_happens_to_what_is_restricted_or_denied() {
    nothing_heard(KEPT_FROM, true).await;
}

/// Whoever changes records beside which something is hidden.
const CHANGING: &[&str] = &["consultant social worker of unit 7", "coordinator of unit 7", "service manager of unit 7"];

/// The same changes in two databases, of which one has something beside the changed records that is kept, or hidden
/// elsewhere.
async fn twins_are_alike(kept: bool) {
    let (since, walk, database) = (Instant::now(), Walk::new(), support::database().await);
    let client = support::connect("postgres", &database).await;
    let Looking { viewers, in_sight, .. } = looking(&client, CHANGING, &[]).await;
    let known = twins::ids(&client).await;
    drop(client);
    let twin = support::copy_of(&database).await;
    let client = support::connect("postgres", &twin).await;
    if kept {
        lists::keep(&client, &in_sight[0]).await;
    } else {
        hide(&client, &in_sight, false).await;
    }
    let of = |database: String| Server::with(Setup { database: Some(database), ..Setup::default() });
    let (alone, beside) = (of(database).await, of(twin).await);
    let (one, other) = (Asking::new(&alone), Asking::new(&beside));
    let both = (&one, &other);
    let nothing_told = |found: Vec<Told>| {
        let told: Vec<String> = found.into_iter().map(|told| format!("{} {}", told.mutation, told.words)).collect();
        assert!(told.is_empty(), "{} differences\n{}", told.len(), told.join("\n"));
    };
    let (found, made) = twins::change(both, &walk, &viewers, &known, Which::First).await;
    nothing_told(found);
    assert!(made > 50, "{made} changes were made");
    alone.all_placed().await;
    beside.all_placed().await;
    let found = twins::read(both, &walk, &viewers, &known).await;
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
    // Of all chairs one works in the unit of a hidden sibling.
    let chair = client.query_one("select id from workers where staff_no = 'CH-3'", &[]).await.unwrap().get(0);
    let (found, _) = twins::change(both, &walk, &viewers, &known, Which::Naming(chair)).await;
    nothing_told(found);
    let (found, _) = twins::change(both, &walk, &viewers, &known, Which::Last).await;
    nothing_told(found);
    say(&other, if kept { "twins beside what is kept" } else { "twins" }, since);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_answered_alike_whether_or_not_something_is_hidden_beside_it() {
    twins_are_alike(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_answered_alike_whether_or_not_something_is_restricted_or_denied_beside_it() {
    twins_are_alike(true).await;
}
