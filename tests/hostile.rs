//! Clients that mean no good, or do not manage: each is refused cheaply, and nobody else notices.

use std::time::Duration;

use hearth::{config::Limits, http::Times};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{self, EventStream, Server, Setup, Socket, socket::FEED};

const JSON: &str = "application/json";

/// Short enough to be waited for. For what a test must manage itself in time there is as much as ever.
fn impatient() -> Times {
    let short = Duration::from_millis(300);
    let init = Times::default().init;
    Times { headers: short, body: short, init, probe: short, answer: short, send: short, linger: short }
}

async fn server(times: Times) -> Server {
    Server::with(Setup { times, ..Setup::default() }).await
}

/// The head of a request with a body of this length.
fn head(server: &Server, length: usize) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {JSON}\r\n\
         Content-Length: {length}\r\n\r\n",
        server.address,
        server.token("CLINICIAN")
    )
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

/// Everything that comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that was cut is over too.
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut text)).await.expect("it never ended");
    String::from_utf8(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_too_much_reads_why_afterwards() {
    let server = Server::start().await;
    for length in [300 * 1024, 5 * 1024 * 1024] {
        // Written to its end before anything is read: nothing breaks under the client's hands.
        let mut stream = connect(&server).await;
        stream.write_all(head(&server, length).as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; length]).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{length}: {answer}");
        assert!(answer.contains("BAD_USER_INPUT"), "{answer}");
    }
    // The same for whoever is refused before the body is looked at.
    let mut stream = connect(&server).await;
    let stranger = head(&server, 300 * 1024).replace("Bearer ", "Bearer x");
    stream.write_all(stranger.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; 300 * 1024]).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 401 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_in_is_given_up() {
    let server = server(impatient()).await;
    let mut stream = connect(&server).await;
    stream.write_all(head(&server, 1000).as_bytes()).await.unwrap();
    let (mut reads, mut writes) = stream.split();
    let mut text = Vec::new();
    let trickling = async {
        loop {
            if writes.write_all(b" ").await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = reads.read_to_end(&mut text) => {}
        () = trickling => {}
    }
    assert!(String::from_utf8(text).unwrap().starts_with("HTTP/1.1 408 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_come_and_a_connection_that_asks_nothing_are_given_up() {
    let server = server(impatient()).await;
    for begun in ["", "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Long: "] {
        let mut stream = connect(&server).await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        rest(&mut stream).await;
    }
    // After a request too.
    let mut stream = connect(&server).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_without_a_handshake_is_closed_and_a_strangers_message_is_small() {
    let server = server(Times { init: Duration::from_secs(1), ..Times::default() }).await;
    let url = format!("ws://{}/graphql", server.address);
    let mut socket = Socket::connect(&url).await;
    assert_eq!(socket.closed().await, 4408);
    let mut socket = Socket::connect(&url).await;
    socket.say_raw(Message::Text(format!("{{\"type\":\"ping\"}}{}", " ".repeat(16 * 1024)).into())).await;
    assert_eq!(socket.closed().await, 4400);
}

/// Waits until this person's one seat is free, and takes it.
async fn once_free(server: &Server, person: &str) -> Socket {
    let url = format!("ws://{}/graphql", server.address);
    for _ in 0..400 {
        let mut socket = Socket::connect(&url).await;
        socket.shake_hands(&server.token(person)).await;
        if socket.is_acknowledged().await {
            return socket;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the seat was never free");
}

fn one_each() -> Limits {
    Limits { sockets: 1, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_does_not_answer_is_given_up() {
    let server = Server::with(Setup { times: impatient(), limits: one_each(), ..Setup::default() }).await;
    // Never read from again, so that no ping is answered.
    let dead = server.socket("CLINICIAN").await;
    once_free(&server, "CLINICIAN").await;
    drop(dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_is_ended_and_resumes_and_the_others_hear_all_the_while() {
    let times = Times { send: Duration::from_millis(300), ..Times::default() };
    let server = Server::with(Setup { times, limits: one_each(), ..Setup::default() }).await;
    let three = server.unit(3).await;
    let mut deaf = server.socket("CLINICIAN").await;
    let cursor = deaf.feed(&three, None).await;
    // Far more than both sides buffer.
    let query = "subscription($unitId: ID!) { unitFeed(unitId: $unitId) { cursor ... on AllocationEvent { unit {
        allocations(first: 100) { nodes { id startedAt case { id caseNo status child { id displayName firstName lastName
        families { name } addresses { line postcode } } leadPractitioner { worker { name } } } } } } } } }";
    for at in 0..31 {
        deaf.subscribe(&format!("heavy{at}"), query, json!({ "unitId": three })).await;
    }
    let mut hears = server.socket("UNIT_COORDINATOR").await;
    hears.feed(&three, None).await;
    let mut allocated = Vec::new();
    for _ in 0..6 {
        allocated.push(server.allocated_to(3).await.0);
        assert_eq!(hears.types(1).await, ["ALLOCATION_STARTED"]);
    }
    let mut again = once_free(&server, "CLINICIAN").await;
    again.feed(&three, Some(&cursor)).await;
    for case in allocated {
        assert_eq!(again.item().await["caseRef"]["caseId"], json!(case));
    }
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_streams_of_one_person_are_counted_together() {
    let limits = Limits { sockets: 2, ..Limits::default() };
    let server = Server::with(Setup { limits, ..Setup::default() }).await;
    let url = format!("ws://{}/graphql", server.address);
    let query = "subscription { myFeed { cursor } }";
    let first = server.socket("CLINICIAN").await;
    let mut events = server.events("CLINICIAN", query, json!({})).await;
    events.item().await;
    let mut third = Socket::connect(&url).await;
    third.shake_hands(&server.token("CLINICIAN")).await;
    assert_eq!(third.closed().await, 4430);
    let stream = async || {
        let (url, token) = (server.graphql_url(), server.token("CLINICIAN"));
        support::sse::ask(&url, &token, "text/event-stream", &json!({ "query": query })).await
    };
    let refused = stream().await;
    assert_eq!(refused.status(), 429);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "TOO_MANY_SOCKETS");
    // Queries go on, and so do other people.
    server.data("CLINICIAN", "{ __typename }", json!({})).await;
    server.socket("UNIT_COORDINATOR").await;
    // Whatever is closed makes room.
    drop(first);
    let second = once_free(&server, "CLINICIAN").await;
    drop(events);
    once_free(&server, "CLINICIAN").await;
    drop(second);
    let mut events: EventStream = loop {
        let response = stream().await;
        if response.status() == 200 {
            break EventStream::of(response);
        }
    };
    events.item().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_documents_are_refused_by_name_and_health_is_told_meanwhile() {
    let server = Server::start().await;
    let fragments = |spread: usize, deep: usize| {
        let mut text = "{ ...f0 }".to_owned();
        for at in 0..deep {
            let next = format!("...f{} ", at + 1).repeat(spread);
            text.push_str(&format!(" fragment f{at} on Query {{ {next} }}"));
        }
        text + &format!(" fragment f{deep} on Query {{ __typename }}")
    };
    let each = |count: usize, write: &dyn Fn(usize) -> String| (0..count).map(write).collect::<String>();
    let nested = "{ viewer { worker ".to_owned()
        + &"{ memberships { unit { members { worker ".repeat(20)
        + &"} } } }".repeat(20);
    let of_type = "ofType { ".repeat(60) + "name" + &" }".repeat(60);
    let circular =
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    let documents: Vec<(&str, String, &str)> = vec![
        ("fragments that fan out", fragments(2, 30), "QUERY_TOO_COMPLEX"),
        ("fragments that fan out wide", fragments(100, 3), "QUERY_TOO_COMPLEX"),
        ("fragments in a circle", "{ ...a } fragment a on Query { ...a }".into(), "GRAPHQL_VALIDATION_FAILED"),
        ("aliases", format!("{{ {} }}", each(101, &|at| format!("a{at}: __typename "))), "QUERY_TOO_COMPLEX"),
        ("aliases of a dear field", format!("{{ {} }}", each(2000, &|at| format!("a{at}: children {{ totalCount }} "))), "QUERY_TOO_COMPLEX"),
        ("the same field over and over", format!("{{ {} }}", "__typename ".repeat(2001)), "QUERY_TOO_COMPLEX"),
        ("directives", format!("{{ __typename {} }}", "@skip(if: false) ".repeat(101)), "QUERY_TOO_COMPLEX"),
        ("directives that nobody knows", format!("{{ __typename {} }}", each(200, &|at| format!("@d{at} "))), "QUERY_TOO_COMPLEX"),
        ("depth", nested, "GRAPHQL_PARSE_FAILED"),
        ("depth of braces", "{ a ".repeat(5_000), "QUERY_TOO_COMPLEX"),
        ("depth of lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(5_000), "]".repeat(5_000)), "QUERY_TOO_COMPLEX"),
        ("a huge list", format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\",".repeat(10_000)), "QUERY_TOO_COMPLEX"),
        ("pages within pages", "{ units(first: 100) { nodes { allocations(first: 100) { nodes { case { allocations(first: 100) { nodes { id } } } } } } } }"
                .into(), "QUERY_TOO_COMPLEX"),
        ("circular introspection", circular.into(), "QUERY_TOO_COMPLEX"),
        ("deep introspection", format!("{{ __type(name: \"Child\") {{ {of_type} }} }}"), "QUERY_TOO_COMPLEX"),
        ("a long name", format!("{{ {} }}", "a".repeat(64 * 1024)), "QUERY_TOO_COMPLEX"),
        ("a long comment", format!("{{ __typename }} #{}", "x".repeat(64 * 1024)), "QUERY_TOO_COMPLEX"),
        ("many operations", each(3_000, &|at| format!("query q{at} {{ __typename }} ")), "QUERY_TOO_COMPLEX"),
        ("fields that nobody knows", format!("{{ {} }}", each(1_000, &|at| format!("x{at} "))), "GRAPHQL_VALIDATION_FAILED"),
        ("variables that nobody uses", format!("query({}) {{ __typename }}", each(700, &|at| format!("$v{at}: Int "))), "GRAPHQL_VALIDATION_FAILED"),
        ("a string that does not end", format!("{{ node(id: \"{}", "x".repeat(10_000)), "GRAPHQL_PARSE_FAILED"),
    ];
    let health = || async { reqwest::get(format!("http://{}/healthz", server.address)).await.unwrap().status() };
    let http = reqwest::Client::new();
    for (kind, query, code) in documents {
        let token = server.token("CLINICIAN");
        let asked = server.raw(&token, &query, json!({}));
        let (answer, healthy) = futures_util::join!(asked, health());
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(healthy, 200, "{kind}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{kind}: {answer}");
        assert!(answer["errors"].as_array().unwrap().len() <= 10, "{kind}");
        assert!(answer.to_string().len() < 16 * 1024, "{kind}: the refusal itself is large");
    }
    let batch = json!([{ "query": "{ __typename }" }, { "query": "{ __typename }" }]).to_string();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let deep_variables = format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{}}}}}"#, &deep);
    let large = format!(r#"{{"query":"{{ __typename }}","pad":"{}"}}"#, "x".repeat(5 * 1024 * 1024));
    for (kind, body, status) in [
        ("a batch", batch, 400),
        ("a batch of a thousand", format!("[{}{{}}]", "{\"query\":\"{ __typename }\"},".repeat(1_000)), 400),
        ("nested JSON", deep, 400),
        ("nested variables", deep_variables, 400),
        ("5 MB", large, 413),
        ("a mutation as a form", "query=mutation{__typename}".into(), 400),
    ] {
        let request = http.post(server.graphql_url()).bearer_auth(server.token("CLINICIAN"));
        let asked = request.header("content-type", JSON).body(body).send();
        let (answer, healthy) = futures_util::join!(asked, health());
        assert_eq!(healthy, 200, "{kind}");
        let answer = answer.unwrap();
        assert_eq!(answer.status(), status, "{kind}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{kind}");
    }
    // A mutation comes as JSON by POST, and in no other way that a foreign page or a link could bring about.
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let request = http.post(server.graphql_url()).bearer_auth(server.token("CLINICIAN"));
        let body = r#"{"query":"mutation { __typename }"}"#;
        let answer = request.header("content-type", content_type).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 415, "{content_type}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_larger_than_a_socket_carries_ends_its_subscription_with_a_word_and_no_other() {
    let server = Server::start().await;
    let three = server.unit(3).await;
    let wide: String = (0..60).map(|at| format!("{}{at}: startedAt ", "x".repeat(900))).collect();
    let large = format!(
        "subscription($unitId: ID!) {{ unitFeed(unitId: $unitId) {{ __typename cursor ... on AllocationEvent {{
            unit {{ allocations(first: 100) {{ nodes {{ {wide} }} }} }} }} }} }}"
    );
    let mut socket = server.socket("CLINICIAN").await;
    socket.open_feed(&large, json!({ "unitId": three })).await;
    socket.subscribe("other", FEED, json!({ "unitId": three })).await;
    assert_eq!(socket.item().await["__typename"], "FeedOpened");
    server.allocated_to(3).await;
    let mut heard = [socket.hear().await, socket.hear().await];
    heard.sort_by_key(|message| message["type"].to_string());
    assert_eq!((&heard[0]["type"], &heard[0]["id"]), (&json!("error"), &json!("feed")));
    assert_eq!(heard[0]["payload"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX");
    assert_eq!((&heard[1]["type"], &heard[1]["id"]), (&json!("next"), &json!("other")));
    server.allocated_to(3).await;
    assert_eq!(socket.item().await["type"], "ALLOCATION_STARTED");
    socket.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shown_more_records_than_a_person_reads_waits_and_may_still_record() {
    // Two children a second come back, so that what this test takes is little beside a page.
    let server = Server::with(Setup { records: Some(120), ..Setup::default() }).await;
    let unit = server.unit(3).await;
    let (case, version) = server.queued().await;
    let page = "{ children(first: 60) { nodes { id } } }";
    let shown = server.data("HEAD_OF_SERVICE", page, json!({})).await["children"]["nodes"].as_array().unwrap().len();
    assert_eq!(shown, 60, "so that two pages are the limit");
    assert_eq!(
        server.data("HEAD_OF_SERVICE", page, json!({})).await["children"]["nodes"].as_array().unwrap().len(),
        60
    );
    // Whatever came back meanwhile, this is more.
    let beyond = "{ children(first: 100) { nodes { id } } }";
    server.answer("HEAD_OF_SERVICE", beyond, json!({})).await;
    let refused = server.answer("HEAD_OF_SERVICE", "{ units(first: 1) { nodes { id } } }", json!({})).await;
    let error = &refused["errors"][0];
    assert_eq!((&refused["data"], &error["extensions"]["code"]), (&Value::Null, &json!("RATE_LIMITED")));
    assert!(error["extensions"]["retryAfterSeconds"].as_u64().unwrap() > 0, "{error}");
    // Others are not concerned, a change is made, and time heals.
    server.data("CLINICIAN", "{ children(first: 1) { nodes { id } } }", json!({})).await;
    let input = json!({ "idempotencyKey": support::key(), "caseId": case, "unitId": unit,
                        "reason": "New referral", "expectedVersion": version });
    server.done("HEAD_OF_SERVICE", "allocateCase", "", input).await;
    server.later(chrono::Duration::minutes(2));
    server.data("HEAD_OF_SERVICE", page, json!({})).await;
}
