//! No record content is anywhere but in the database and in the data of answers: not in a log, however talkative, not in
//! Redis, not in a health probe, and in no error.
//!
//! Every text of the database and of the inputs is a canary, a word that nobody says. Then everything happens, and all
//! that was said is searched for canaries in every form.

mod inputs;
mod plant;
mod scan;
mod world;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use inputs::{Inputs, WRONG, Wrong};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    prober::{
        records::{ATTACKERS, Attacker, Who, attackers, prepare},
        schema::{NOBODY, Walk},
    },
    support::{self, Socket, key, sse},
};
use scan::{find, word};
use world::{Form, ORIGIN, World, data_of, errors_of, overhear};

/// Who asks.
const VIEWERS: &[&str] = &[
    "consultant social worker of unit 7",
    "social worker of unit 7",
    "coordinator of unit 7",
    "chair of some conferences",
    "first response",
    "service manager of unit 7",
    "head of service",
];

/// Columns of which no viewer reads anything: what of them is in no answer says nothing of the scan.
const UNREAD: &[&str] = &["adult communication_needs", "adult religion", "workers.email"];

/// What a feed is asked for: what events say, and the records behind them.
const ITEM: &str = "__typename cursor
    ... on Event { eventId type summary severity caseRef { caseNo childInitials } actor { displayName } }
    ... on TransferEvent { case { child { displayName } } transfer { handoverSummary responseReason } }
    ... on AllocationEvent { allocation { reasonStart reasonEnd summary } }
    ... on PlanEvent { plan { overallAim parentView childView } }
    ... on ConferenceEvent { conference { venue } }
    ... on AccessEvent { breakGlass { explanation reviewNote } }
    ... on ContactEvent { contact { concern callerName decisionReason people { firstName lastName description address } } }
    ... on ReferralEvent { referral { decisionReason } }";

/// A viewer with what they see.
struct Asking {
    staff: &'static str,
    viewer: Attacker,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_record_is_in_the_logs_redis_or_the_errors_in_development_canary() {
    nothing_leaks(Form::Text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_record_is_in_the_logs_redis_or_the_errors_in_production_canary() {
    nothing_leaks(Form::Json).await;
}

async fn nothing_leaks(form: Form) {
    let database = support::database().await;
    let client = support::connect("postgres", &database).await;
    prepare(&client, false).await;
    let planted = plant::plant(&client).await;
    let mut viewers = Vec::new();
    let found = attackers(&client, VIEWERS, 8).await;
    assert_eq!(found.len(), VIEWERS.len(), "somebody is not known to the prober");
    for viewer in found {
        let who = ATTACKERS.iter().find(|(name, ..)| *name == viewer.name);
        let Some((_, Who::Staff(staff), _)) = who else { panic!("{} has no staff number", viewer.name) };
        viewers.push(Asking { staff, viewer });
    }
    let staff: Vec<&str> = viewers.iter().map(|asking| asking.staff).collect();
    let mut world = World::start(form, database, &staff).await;

    let mut feeds = listen(&world, &viewers).await;
    read(&world, &viewers).await;
    search(&world).await;
    let made = change(&world, &viewers, Wrong::Not).await;
    for wrong in WRONG {
        change(&world, &viewers[..1], *wrong).await;
    }
    read(&world, &viewers[..1]).await;
    bad_documents(&world).await;
    bad_requests(&world).await;
    bad_sockets(&world).await;
    hear(&world, &mut feeds).await;
    world.health().await;
    wait_too_long(&world, &viewers).await;
    lose_postgres(&world, &viewers).await;
    fail_inside(&world, &viewers).await;
    lose_redis(&mut world, &viewers).await;

    // What was said.
    let log = world.process.last_words().await;
    for listening in feeds.listening {
        listening.await.unwrap();
    }
    let events = std::mem::take(&mut *feeds.heard.lock().unwrap());
    let heard = events.iter().filter(|text| text.contains("\"next\"")).count();
    events.into_iter().for_each(|text| world.keep("a socket", text));
    let passed = world.passed.lock().unwrap().clone();
    let answers = std::mem::take(&mut *world.answers.lock().unwrap());
    let bytes: usize = answers.iter().map(|(_, answer)| answer.len()).sum();
    println!(
        "{form:?}: {} bytes of logs in {} lines, {} bytes of Redis, {} answers of {bytes} bytes, {made} changes made, \
         {heard} events heard",
        log.len(),
        log.lines().count(),
        passed.len(),
        answers.len(),
    );
    // The scan can find: what was planted is in the data.
    let data: String = answers.iter().map(|(_, answer)| data_of(answer)).collect();
    let told = find(data.as_bytes());
    let unread: BTreeSet<String> = UNREAD.iter().map(|field| word(field).to_lowercase()).collect();
    let missed: Vec<&String> = planted.difference(&told).filter(|one| !unread.contains(*one)).collect();
    let entered = told.iter().filter(|one| one.contains("input")).count();
    println!(
        "{} canaries in the data, {entered} of them from inputs; planted and in no answer: {missed:?}",
        told.len()
    );

    let mut leaks = Vec::new();
    if !find(log.as_bytes()).is_empty() {
        for line in log.lines() {
            leaks.extend(find(line.as_bytes()).into_iter().map(|leak| format!("log: {leak}: {line:.1000}")));
        }
        assert!(!leaks.is_empty(), "a canary is spread over several lines of the log");
    }
    leaks.extend(find(&passed).into_iter().map(|leak| format!("Redis: {leak}")));
    let mut repeated = BTreeSet::new();
    for (asked, answer) in &answers {
        let errors = errors_of(answer);
        for leak in find(errors.as_bytes()) {
            // A client's own id, code or document is no record.
            if leak.starts_with(&word("own ").to_lowercase()) {
                repeated.insert(leak);
            } else {
                leaks.push(format!("error: {leak}: {errors:.600}\n  to {asked:.600}"));
            }
        }
    }
    println!("errors repeat of the client's own: {repeated:?}");
    let kinds: BTreeSet<&str> = leaks.iter().filter_map(|leak| leak.split(": ").nth(1)).collect();
    assert!(leaks.is_empty(), "{} leaks of {kinds:?}\n{}", leaks.len(), leaks[..leaks.len().min(25)].join("\n"));

    // Enough happened.
    assert!(log.len() > 200_000 && log.contains("an operation failed") && log.contains("TRACE"), "{} bytes", log.len());
    assert!(!log.contains("a panic"), "something panicked: {log}");
    for fault in ["invalid input syntax for type integer", "no_more", "an event cannot be read"] {
        assert!(log.contains(fault), "nobody met the fault: {fault}");
    }
    let messages = String::from_utf8_lossy(&passed).matches("pmessage").count();
    assert!(messages > 5, "{messages} messages passed Redis");
    let counts = (answers.len(), made, heard);
    assert!(counts.0 > 5000 && made > 60 && heard > 20, "{counts:?} answers, changes and events");
    assert!(planted.len() > 30 && missed.is_empty(), "of {} no answer tells {missed:?}", planted.len());
    assert!(entered > 12, "{entered} texts of inputs were read again");
    for code in ["INTERNAL", "TIMEOUT", "NOT_FOUND", "FORBIDDEN", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED"] {
        assert!(answers.iter().any(|(_, answer)| answer.contains(&format!("\"{code}\""))), "no answer has {code}");
    }
}

/// Every type by every field, every list by its pages, all that can be asked for without an id.
async fn read(world: &World, viewers: &[Asking]) {
    let walk = Walk::new();
    let mut asked = Vec::new();
    for Asking { staff, viewer } in viewers {
        for of in walk.node_types() {
            let documents: Vec<String> = walk.about(&of).into_iter().map(|document| document.text).collect();
            // Not every plan was reviewed, and not every conference sat.
            let records = if ["Plan", "Conference"].contains(&of.as_str()) { 8 } else { 1 };
            for own in own_of(world, viewer, &of).await.into_iter().take(records) {
                let id = json!({ "id": format!("{of}:{own}") });
                asked.extend(documents.iter().map(|text| (*staff, text.clone(), id.clone())));
            }
        }
        let documents = walk.without_id(&|_, _| None);
        asked.extend(documents.into_iter().map(|document| (*staff, document.text, json!({}))));
    }
    stream::iter(asked)
        .for_each_concurrent(4, async |(staff, text, variables)| {
            world.ask(staff, &text, variables).await;
        })
        .await;
}

/// Ids of records of a type that a viewer sees, or of any where the prober knows of none.
async fn own_of(world: &World, viewer: &Attacker, of: &str) -> Vec<Uuid> {
    let own = viewer.own_of(of);
    if !own.is_empty() {
        return own.iter().map(|own| own.id).collect();
    }
    let table = match of {
        "AccessDenial" => "access_denials",
        "AccessRestriction" => "access_restrictions",
        "BreakGlass" => "break_glass_uses",
        _ => return Vec::new(),
    };
    let rows = world.admin.query(&format!("select id from {table} order by id desc limit 3"), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Names that are searched for, known ones and others.
async fn search(world: &World) {
    let query = "query($search: String) { children(search: $search, first: 3) { totalCount nodes { displayName }
                 pageInfo { endCursor } } }";
    for text in ["persons.first_name", "persons.last_name", "adult first_name", "search words"] {
        world.ask("HS-1", query, json!({ "search": word(text) })).await;
        world.ask("U07-CSW", query, json!({ "search": format!("{} {}", word(text), word("search words")) })).await;
        world.ask("U07-CSW", query, json!({ "search": format!("{}\u{0}", word(text)) })).await;
        world.ask("U07-CSW", query, json!({ "search": format!("{}%_\\'\"", word(text)).repeat(400) })).await;
    }
}

/// Asks for every change of records of these viewers, each twice at once. Answers how many were made.
async fn change(world: &World, viewers: &[Asking], wrong: Wrong) -> usize {
    let (inputs, walk) = (Inputs::new(), Walk::new());
    let records = if wrong == Wrong::Not { 6 } else { 1 };
    let mut made = 0;
    for (mutation, input) in inputs.mutations() {
        let text =
            format!("mutation($input: {input}!) {{ {mutation}(input: $input) {{ {} }} }}", walk.payload(&mutation));
        let main = inputs.main(&input).unwrap_or_default();
        for Asking { staff, viewer } in viewers {
            // Whom somebody breaks the glass of, they do not see.
            let broken = mutation == "breakGlass";
            let own = match viewer.hidden_of("Child").first() {
                Some(hidden) if broken => vec![hidden.id],
                // About nothing that is there yet.
                _ if main.is_empty() => vec![Uuid::nil()],
                _ => own_of(world, viewer, &main).await,
            };
            for (nth, about) in own.into_iter().take(records).enumerate() {
                let version = viewer.own_of(&main).iter().find(|own| own.id == about).map_or(1, |own| own.version);
                let ids = |kind: &str| {
                    let all = viewer.own_of(kind);
                    let other = all.get(nth % all.len().max(1)).map(|own| own.id);
                    let id = if kind == main { Some(about) } else { other };
                    id.map(|id| json!(format!("{kind}:{id}")))
                };
                let mut wanted = inputs.build(&input, &ids, wrong);
                let takes = wanted.get("expectedVersion").is_some();
                if takes && wrong != Wrong::Numbers {
                    wanted["expectedVersion"] = json!(version);
                }
                for _ in 0..2 {
                    let mut other = wanted.clone();
                    other["idempotencyKey"] = json!(key());
                    let (one, other) = futures_util::join!(
                        world.ask(staff, &text, json!({ "input": wanted })),
                        world.ask(staff, &text, json!({ "input": other }))
                    );
                    made += [&one, &other].iter().filter(|one| one["data"][&mutation]["errors"] == json!([])).count();
                    let now = |answer: &Value| answer["data"][&mutation]["errors"][0]["currentVersion"].as_i64();
                    let Some(version) = now(&one).or(now(&other)) else { break };
                    wanted["expectedVersion"] = json!(version);
                    wanted["idempotencyKey"] = json!(key());
                }
            }
        }
    }
    made
}

/// Documents that nobody can run, with what people might write into them.
async fn bad_documents(world: &World) {
    let (search, own) = (word("search words"), word("own document"));
    for text in [
        format!("{{ children(search: \"{search}\") {{ totalCount }} "),
        format!("{{ children(search: \"{search}) {{ totalCount }} }}"),
        format!("{{ children(search: \"{search}\\q\") {{ totalCount }} }}"),
        format!("{{ children(search: \"\"\"{search}) {{ totalCount }} }}"),
        format!("{{ children(search: \"{search}\") {{ nothing }} }}"),
        format!("{{ children(search: [\"{search}\", \"{search}\"]) {{ totalCount }} }}"),
        format!("{{ children(search: \"{search}\", first: \"{search}\") {{ totalCount }} }}"),
        format!("{{ children(filter: {{ bornFrom: \"{search}\" }}) {{ totalCount }} }}"),
        format!("{{ children(filter: {{ caseStatus: \"{search}\" }}) {{ totalCount }} }}"),
        format!(
            "query($search: String = \"{search}\", $first: Int = \"{search}\") {{ children(search: $search, first: $first) {{ totalCount }} }}"
        ),
        format!("# {search}\n{{ children(search: \"x\") {{ }} }}"),
        format!("{{ viewer {{ worker {{ name @skip(if: \"{search}\") }} }} }}"),
        format!("{{ {own} }}"),
        format!("query {own} {{ ...{own} }}"),
        format!("{{ {own}: viewer {{ worker {{ id }} }} @{own} }}"),
        format!("query {own}(${own}: {own}) {{ __typename }}"),
        format!("{{ children(filter: {{ caseStatus: {own} }}) {{ totalCount }} }}"),
        format!("{{ child(id: \"{own}\") {{ id }} }}"),
        format!("{{ node(id: \"Child:{own}\") {{ id }} }}"),
        format!("{{ children(after: \"{own}\") {{ totalCount }} }}"),
        format!("{{ children(search: \"{search}\") {{ totalCount }} }} {}", "# long\n".repeat(12_000)),
        format!("\u{0}{search}"),
    ] {
        world.ask("U07-CSW", &text, json!({})).await;
    }
    let query =
        "query Named($search: String, $first: Int, $id: ID!) { children(search: $search, first: $first) { totalCount }
                 child(id: $id) { id } }";
    for variables in [
        json!({ "search": { "text": search }, "id": "x" }),
        json!({ "search": [search, search], "id": "x" }),
        json!({ "first": search, "id": "x" }),
        json!({ "first": { "number": search }, "id": format!("Child:{NOBODY}") }),
        json!({ "id": { "child": search } }),
        json!({ "search": search }),
        json!({ "id": format!("Child:{NOBODY}"), search.clone(): search }),
        json!([search]),
        json!(search),
    ] {
        world.ask("U07-CSW", query, variables).await;
    }
    let token = world.token("U07-CSW");
    world.post(&token, json!({ "query": query, "operationName": own, "variables": { "id": "x" } })).await;
    world.post(&token, json!({ "query": query, "operationName": { "name": search } })).await;
    world.post(&token, json!({ "documentId": own })).await;
    world.post(&token, json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": own } } })).await;
    let extensions = json!({ "persistedQuery": { "version": search, "sha256Hash": [search] } });
    world.post(&token, json!({ "query": format!("{{ __typename }} # {search}"), "extensions": extensions })).await;
    world.post(&token, json!([{ "query": search }])).await;
    world.post(&token, json!(search)).await;
}

/// Requests that are none, from pages and clients that say too much.
async fn bad_requests(world: &World) {
    let (text, own) = (word("request"), word("own request"));
    let (token, url) = (world.token("U07-CSW"), world.process.graphql_url());
    let post = || world.http.post(&url).bearer_auth(&token).header("content-type", "application/json");
    for body in [
        format!("{{ \"query\": \"{text}"),
        text.clone(),
        format!("[\"{text}\",]"),
        format!("{{\"query\":{{\"{text}\":1}}}}"),
    ] {
        world.send(&body, post().body(body.clone())).await;
    }
    let large = format!("{{\"query\":\"{}\"}}", text.repeat(20_000));
    world.send("a large body", post().body(large)).await;
    for (name, value) in [
        ("origin", format!("https://{text}.example")),
        ("origin", text.clone()),
        ("accept", text.clone()),
        ("content-type", format!("text/{text}")),
        ("content-encoding", text.clone()),
        ("authorization", format!("Bearer {text}")),
        ("authorization", format!("{text} {text}")),
        ("authorization", format!("Bearer {}.{text}.{text}", token.split('.').next().unwrap())),
        ("expect", text.clone()),
        ("sec-websocket-protocol", text.clone()),
        ("upgrade", text.clone()),
    ] {
        let asked = world.http.post(&url).json(&json!({ "query": "{ __typename }" }));
        let asked = if name == "authorization" { asked } else { asked.bearer_auth(&token) };
        world.send(&format!("{name}: {value}"), asked.header(name, value)).await;
    }
    // What a good client says beside.
    let mut good = post().body("{\"query\":\"{ __typename }\"}").header("origin", ORIGIN);
    for name in
        ["user-agent", "referer", "cookie", "x-request-id", "x-forwarded-for", "traceparent", "tracestate", "baggage"]
    {
        good = good.header(name, format!("{text}={text}"));
    }
    world.send("headers", good).await;
    let http = &world.http;
    for path in
        [format!("/{text}"), format!("/graphql/{text}"), format!("/healthz?{text}"), format!("/readyz?name={text}")]
    {
        let url = format!("http://{}{path}", world.process.address);
        world.send(&path, http.get(&url)).await;
        world.send(&path, http.delete(&url)).await;
    }
    for query in [
        format!("query={own}"),
        format!("query=mutation%7B{own}%7D"),
        format!("query=%7B__typename%7D&variables={text}"),
        format!("query=%7B__typename%7D&{text}={text}"),
        format!(
            "query=query($search:String)%7Bchildren(search:$search)%7BtotalCount%7D%7D&variables=%7B%22search%22:%22{text}%22%7D"
        ),
        format!("query=%7B__typename%7D%ff{text}"),
    ] {
        world.send(&query, http.get(format!("{url}?{query}")).bearer_auth(&token)).await;
    }
    let put = http.put(&url).bearer_auth(&token).body(text.clone());
    world.send("put", put).await;
    let stream = json!({ "query": format!("subscription {{ myFeed(after: \"{text}\") {{ cursor }} }}") });
    let asked = http.post(&url).bearer_auth(&token).header("accept", "text/event-stream").json(&stream);
    world.send("a stream", asked).await;
}

/// Sockets that say what nobody knows.
async fn bad_sockets(world: &World) {
    let (text, url) = (word("socket"), world.process.socket_url());
    for first in [
        json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {text}"), text.clone(): text } }),
        json!({ "type": "connection_init", "payload": text }),
        json!({ "type": text }),
        json!({ "type": "subscribe", "id": text, "payload": { "query": text } }),
        json!(text),
    ] {
        let mut socket = Socket::connect(&url).await;
        socket.say(first).await;
        socket.closed().await;
    }
    Socket::upgrade_from(&url, &format!("https://{text}.example")).await;
    let token = world.token("U07-CSW");
    for bad in [
        json!({ "type": text, "id": text }),
        json!({ "type": "subscribe", "id": text, "payload": { "query": 1, text.clone(): text } }),
        json!({ "type": "subscribe", "id": { text.clone(): text }, "payload": {} }),
    ] {
        let mut socket = Socket::open(&url, &token).await;
        socket.say(bad).await;
        socket.closed().await;
    }
    let mut socket = Socket::open(&url, &token).await;
    let feed = "subscription($after: String, $types: [EventType!]) { myFeed(after: $after, types: $types) { cursor } }";
    let cursor = word("own cursor");
    for (query, variables) in [
        (format!("subscription {{ myFeed(after: \"{text}"), json!({})),
        (format!("subscription {{ childFeed(childId: \"{cursor}\") {{ cursor }} }}"), json!({})),
        (feed.to_owned(), json!({ "after": cursor })),
        (feed.to_owned(), json!({ "after": [text, text] })),
        (feed.to_owned(), json!({ "types": word("own code") })),
        (
            "query($search: String) { children(search: $search) { nodes { lastName } } }".to_owned(),
            json!({ "search": text }),
        ),
    ] {
        socket.subscribe("bad", &query, variables).await;
        let mut heard = socket.hear().await;
        // A query is answered first.
        while heard["type"] == "next" {
            world.keep(&query, heard.to_string());
            heard = socket.hear().await;
        }
        world.keep(&query, heard.to_string());
    }
}

/// Feeds with all that they tell, over WebSocket, and one over server-sent events.
struct Feeds {
    listening: Vec<tokio::task::JoinHandle<()>>,
    heard: Arc<Mutex<Vec<String>>>,
    stream: sse::EventStream,
}

async fn listen(world: &World, viewers: &[Asking]) -> Feeds {
    let (mut listening, heard) = (Vec::new(), Arc::<Mutex<Vec<String>>>::default());
    for Asking { staff, viewer } in viewers {
        for (name, of) in [
            ("unitFeed(unitId: $id)", "Unit"),
            ("childFeed(childId: $id)", "Child"),
            ("myFeed", "Worker"),
            ("frontDoorFeed", "Worker"),
        ] {
            let Some(own) = viewer.own_of(of).first() else { continue };
            // The last ones take no id.
            let head = if of == "Worker" { "subscription" } else { "subscription($id: ID!)" };
            let mut socket = Socket::open(&world.process.socket_url(), &world.token(staff)).await;
            let query = format!("{head} {{ {name} {{ {ITEM} }} }}");
            socket.subscribe("feed", &query, json!({ "id": format!("{of}:{}", own.id) })).await;
            let first = socket.hear().await;
            // Of a unit that somebody reads of but does not belong to there is no feed.
            let hidden = first["payload"][0]["extensions"]["code"] == "NOT_FOUND";
            assert!(first["type"] == "next" || hidden, "{staff} {name}: {first}");
            world.keep(name, first.to_string());
            // The server gives up who does not answer its pings.
            let heard = Arc::clone(&heard);
            listening.push(tokio::spawn(socket.hear_all(move |text| heard.lock().unwrap().push(text))));
        }
    }
    let text = "subscription { myFeed { cursor ... on Event { type summary actor { displayName } } } }";
    let url = world.process.graphql_url();
    let stream = sse::EventStream::open(&url, &world.token("U07-CSW"), text, json!({})).await;
    Feeds { listening, heard, stream }
}

/// Keeps what came over the stream until now.
async fn hear(world: &World, feeds: &mut Feeds) {
    world.all_placed().await;
    for _ in 0..2 {
        let sse::Frame::Next(heard) = feeds.stream.frame().await else { panic!("the stream has ended") };
        world.keep("a stream", heard.to_string());
    }
}

/// Some of all, to be asked for while something does not work.
async fn some(world: &World, Asking { staff, viewer }: &Asking) {
    let of = |kind: &str| viewer.own_of(kind).first().map(|own| format!("{kind}:{}", own.id));
    let child = "query($id: ID!, $search: String) { child(id: $id) { firstName lastName addresses { line } }
                 children(search: $search) { nodes { displayName } } }";
    let transfer = support::document("requestTransfer", "transfer { handoverSummary }");
    let input = json!({ "idempotencyKey": key(), "caseId": of("Case"), "toUnitId": of("Unit"), "kind": "TO_CIN",
                        "handoverSummary": word("RequestTransferInput.handoverSummary"), "expectedVersion": 1 });
    futures_util::join!(
        world.ask(staff, child, json!({ "id": of("Child"), "search": word("search words") })),
        world.ask(staff, &transfer, json!({ "input": input }))
    );
}

/// Somebody else locks what everybody needs, until time is up.
async fn wait_too_long(world: &World, viewers: &[Asking]) {
    let other = support::connect("postgres", &world.database).await;
    other.batch_execute("begin; lock table persons, cases in access exclusive mode").await.unwrap();
    some(world, &viewers[0]).await;
    world.health().await;
    other.batch_execute("rollback").await.unwrap();
}

/// Connections die while statements run on them, and then all of them.
async fn lose_postgres(world: &World, viewers: &[Asking]) {
    let other = support::connect("postgres", &world.database).await;
    other.batch_execute("begin; lock table persons, cases in access exclusive mode").await.unwrap();
    let ((), ended) = futures_util::join!(some(world, &viewers[0]), async {
        world.until_blocked().await;
        world.end_backends("hearth_app", true).await
    });
    assert!(ended > 0, "no statement was under way");
    other.batch_execute("rollback").await.unwrap();
    assert!(world.end_backends("hearth_%", false).await > 0);
    some(world, &viewers[0]).await;
    world.health().await;
    world.process.until_ready().await;
}

/// Postgres refuses what no rule of ours expects, and names values in its words; events and stored outcomes cannot be
/// read.
async fn fail_inside(world: &World, viewers: &[Asking]) {
    let search = "query($search: String) { children(search: $search) { nodes { id } } }";
    for kind in ["int", "date", "uuid", "jsonb", "numeric", "int[]", "point"] {
        let casts = format!(
            "create or replace function hearth.search_words(asked text)
             returns table (word text, beyond text, sounds text[], nicknames text[]) language plpgsql stable rows 3 as
             $$ begin perform asked::{kind}; end $$"
        );
        world.admin.batch_execute(&casts).await.unwrap();
        for text in [word("search words"), format!("\"{}\" {{", word("search words"))] {
            world.ask("U07-CSW", search, json!({ "search": text })).await;
        }
    }
    // The failing row stands in the detail of the fault, with all its texts.
    let other = "alter table cases add constraint no_more check (referral_summary = 'other') not valid;
                 alter table allocations add constraint no_more check (reason_start = 'other') not valid;
                 alter table plans add constraint no_more check (overall_aim = 'other') not valid;
                 alter table conferences add constraint no_more check (venue = 'other') not valid";
    world.admin.batch_execute(other).await.unwrap();
    change(world, &viewers[..4], Wrong::Not).await;
    let data = word("outbox.data");
    world
        .admin
        .batch_execute(&format!(
            "set session_replication_role = replica;
             update outbox set data = jsonb_build_object('type', '{data}', 'unitId', '{data}');
             update outbox set data = to_jsonb('{data}'::text) where id in (select id from outbox limit 5);
             update idempotency_keys set outcome = jsonb_build_object('caseId', '{data}', 'case_id', '{data}');
             set session_replication_role = origin"
        ))
        .await
        .unwrap();
    let events = "query($id: ID!) { unit(id: $id) { events(first: 100) { nodes { type summary } } } }";
    for Asking { staff, viewer } in viewers {
        for own in viewer.own_of("Unit") {
            world.ask(staff, events, json!({ "id": format!("Unit:{}", own.id) })).await;
        }
    }
}

/// Redis dies and comes again.
async fn lose_redis(world: &mut World, viewers: &[Asking]) {
    world.redis.kill().await;
    while world.http.get(format!("http://{}/readyz", world.process.address)).send().await.unwrap().status() == 200 {
        tokio::task::yield_now().await;
    }
    some(world, &viewers[0]).await;
    world.health().await;
    world.redis.again().await;
    overhear(&world.redis, &world.passed).await;
    tokio::time::timeout(Duration::from_secs(60), world.process.until_ready()).await.unwrap();
    some(world, &viewers[0]).await;
}
