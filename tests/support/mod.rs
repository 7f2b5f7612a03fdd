//! A server per test, in this process or in its own, on a database of its own.

pub mod issuer;
pub mod people;
pub mod process;
pub mod socket;
pub mod sse;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use hearth::{
    app::{App, Options},
    auth::{provider::Pace, token},
    clock::Clock,
    config::{
        Auditing, Config, Databases, DocumentMode, Documents, Environment, Events, Http, Identity, Introspection,
        Limits,
    },
    db::migrations,
    domain::ids::WorkerId,
    http::Times,
    seed,
};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

pub use issuer::Issuer;
pub use socket::Socket;
pub use sse::EventStream;

pub const SECRET: &str = "test-secret-test-secret-test-secret-1234";
pub const CURSOR_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// The day on which the tests' demo authority plays: a Wednesday.
pub fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 18).unwrap()
}

/// The moment at which a test's server starts.
pub fn morning() -> DateTime<Utc> {
    "2026-11-18T10:00:00Z".parse().unwrap()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with script/test"))
}

/// The URL of the tests' Postgres for this role and database.
pub fn url(role: &str, database: &str) -> String {
    let admin = variable("HEARTH_TEST_ADMIN_URL");
    let (scheme, rest) = admin.split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    let (host, _) = host.rsplit_once('/').unwrap();
    format!("{scheme}://{role}@{host}/{database}")
}

pub async fn connect(role: &str, database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&url(role, database), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// The migrated and seeded database from which every test's is copied; made once per run.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let build = || {
            tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
                let name = unique("hearth_template");
                migrations::create(&variable("HEARTH_TEST_ADMIN_URL"), &name).await.unwrap();
                migrations::run(&url("hearth_owner", &name)).await.unwrap();
                seed::demo_authority(&url("hearth_seed", &name), today(), false, &mut |_, _, _| {}).await.unwrap();
                name
            })
        };
        // A runtime cannot be started inside a test's own.
        std::thread::spawn(build).join().unwrap()
    })
}

/// A copy of the seeded database.
pub async fn database() -> String {
    let (name, from) = (unique("hearth_test"), template());
    let admin = connect("postgres", "postgres").await;
    // Two copies of one template at once are refused: take turns.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    admin.batch_execute(&format!("create database {name} template {from} owner hearth_owner")).await.unwrap();
    name
}

/// A copy of a test's database as it is now. Whoever is connected to that is thrown out.
pub async fn copy_of(database: &str) -> String {
    let name = unique("hearth_copy");
    let admin = connect("postgres", "postgres").await;
    let leave = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
    admin.execute(leave, &[&database]).await.unwrap();
    admin.batch_execute(&format!("create database {name} template {database} owner hearth_owner")).await.unwrap();
    name
}

/// A migrated database without any row.
pub async fn empty_database() -> String {
    // Made with it are the cluster's roles, and two who make them at once get in each other's way.
    template();
    let name = unique("hearth_empty");
    migrations::create(&variable("HEARTH_TEST_ADMIN_URL"), &name).await.unwrap();
    let owner = url("hearth_owner", &name);
    tokio::spawn(async move { migrations::run(&owner).await }).await.unwrap().unwrap();
    name
}

/// A database that goes through the migrations one by one, as the owner, who is bound by the policies.
pub struct Migrating {
    pub database: String,
    owner: Client,
    ahead: VecDeque<PathBuf>,
}

impl Migrating {
    /// A database without any table.
    pub async fn start() -> Self {
        template();
        let database = unique("hearth_before");
        migrations::create(&variable("HEARTH_TEST_ADMIN_URL"), &database).await.unwrap();
        let owner = connect("hearth_owner", &database).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut ahead: Vec<_> = all.filter(|path| path.is_dir()).collect();
        ahead.sort();
        Self { database, owner, ahead: ahead.into() }
    }

    /// Runs those before this one.
    pub async fn until(&mut self, version: &str) {
        while self.ahead.front().is_some_and(|next| !next.ends_with(version)) {
            self.next().await;
        }
        assert!(!self.ahead.is_empty(), "no migration {version}");
    }

    /// Runs what is left.
    pub async fn finish(&mut self) {
        while !self.ahead.is_empty() {
            self.next().await;
        }
    }

    async fn next(&mut self) {
        let version = self.ahead.pop_front().unwrap();
        let text = std::fs::read_to_string(version.join("up.sql")).unwrap();
        self.owner
            .batch_execute(&format!("begin; {text}; commit"))
            .await
            .unwrap_or_else(|error| panic!("{version:?}: {error:?}"));
    }
}

pub fn redis_url() -> String {
    variable("HEARTH_TEST_REDIS_URL")
}

pub fn redis_server() -> String {
    variable("HEARTH_TEST_REDIS_SERVER")
}

pub fn identity() -> Identity {
    let token_secret = Some(SECRET.parse().unwrap());
    Identity { environment: Environment::Development, token_secret, issuer: None, audience: None }
}

/// A token that is good for this long by the machine's clock.
pub fn token_for(worker: uuid::Uuid, good_for: Duration) -> String {
    token::mint(&identity(), WorkerId(worker), Utc::now() + good_for).unwrap()
}

/// What a test may choose.
#[derive(Default)]
pub struct Setup {
    pub limits: Limits,
    /// Most records that somebody is shown in a minute; tests read more than people.
    pub records: Option<u64>,
    /// The mode and the path of a manifest.
    pub documents: Option<(DocumentMode, Option<std::path::PathBuf>)>,
    pub redis_url: Option<String>,
    pub database: Option<String>,
    pub channel: Option<String>,
    pub connections: Option<usize>,
    /// The provider whose tokens are taken too.
    pub issuer: Option<String>,
    /// Not to wait until it is ready.
    pub unready: bool,
    pub origins: Vec<String>,
    pub introspection: Option<Introspection>,
    pub times: Times,
    pub pace: Option<Pace>,
    /// Path of the audit's anchor file.
    pub anchor: Option<std::path::PathBuf>,
}

/// A server in this process.
pub struct Server {
    pub address: SocketAddr,
    pub database: String,
    pub channel: String,
    /// Text of every statement of the application role since the last [`Server::statements`].
    heard: Arc<Mutex<Vec<String>>>,
    /// The same of the bus's role.
    bus_heard: Arc<Mutex<Vec<String>>>,
    people: HashMap<&'static str, seed::DemoPerson>,
    http: reqwest::Client,
    stop: CancellationToken,
    pub serving: tokio::task::JoinHandle<()>,
    /// Moves the server's clock.
    ahead: Arc<Mutex<Duration>>,
    clock: Clock,
    /// Path of the audit's anchor file.
    pub anchor: Option<std::path::PathBuf>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let database = match setup.database {
            Some(database) => database,
            None => database().await,
        };
        let channel = setup.channel.unwrap_or_else(|| unique("channel"));
        let (mode, trusted) = setup.documents.unwrap_or((DocumentMode::Prefer, None));
        let config = Config {
            identity: Identity {
                audience: setup.issuer.as_ref().map(|_| issuer::AUDIENCE.to_owned()),
                issuer: setup.issuer,
                ..identity()
            },
            databases: Databases {
                app: url("hearth_app", &database).parse().unwrap(),
                relay: url("hearth_relay", &database).parse().unwrap(),
                bus: url("hearth_bus", &database).parse().unwrap(),
                connections: setup.connections.unwrap_or(8),
            },
            events: Events {
                redis_url: setup.redis_url.unwrap_or_else(redis_url).parse().unwrap(),
                channel: channel.clone(),
                cursor_key: CURSOR_KEY.parse().unwrap(),
            },
            audit: Auditing { anchor: setup.anchor.clone() },
            http: Http {
                listen: "127.0.0.1:0".parse().unwrap(),
                origins: setup.origins,
                max_body_bytes: 256 * 1024,
                request_seconds: 15,
            },
            documents: Documents { mode, introspection: setup.introspection, trusted },
            limits: Limits { records: setup.records.unwrap_or(1_000_000_000), ..setup.limits },
        };
        let (started, ahead) = (std::time::Instant::now(), Arc::new(Mutex::new(Duration::zero())));
        let shift = Arc::clone(&ahead);
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hears = Arc::clone(&heard);
        let bus_heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let bus_hears = Arc::clone(&bus_heard);
        let clock: Clock =
            Arc::new(move || morning() + Duration::from_std(started.elapsed()).unwrap() + *shift.lock().unwrap());
        let options = Options {
            clock: Arc::clone(&clock),
            statements: Some(Arc::new(move |text| hears.lock().unwrap().push(text.to_owned()))),
            bus_statements: Some(Arc::new(move |text| bus_hears.lock().unwrap().push(text.to_owned()))),
            times: setup.times,
            pace: setup.pace.unwrap_or(Pace { between: std::time::Duration::from_millis(50), ..Pace::default() }),
        };
        let app = App::start(config, options).await.unwrap();
        let (address, stop) = (app.address().unwrap(), app.stop());
        let serving = tokio::spawn(async move { app.serve().await.unwrap() });
        let people = seed::demo_people(&url("hearth_seed", &database)).await.unwrap();
        let server = Self {
            address,
            database,
            channel,
            heard,
            bus_heard,
            people: people.into_iter().map(|person| (person.variable, person)).collect(),
            http: reqwest::Client::new(),
            stop,
            serving,
            ahead,
            clock,
            anchor: setup.anchor,
        };
        if !setup.unready {
            server.until_ready().await;
        }
        server
    }

    pub async fn until_ready(&self) {
        for _ in 0..400 {
            let ready = self.http.get(format!("http://{}/readyz", self.address)).send().await;
            if ready.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the server did not get ready");
    }

    pub fn worker(&self, person: &str) -> uuid::Uuid {
        self.people[person].worker_id
    }

    /// A token of a demo person: `CLINICIAN`, `OTHER_UNIT`, ...
    pub fn token(&self, person: &str) -> String {
        self.token_of(self.worker(person))
    }

    /// A token of a worker that is good for an hour by the server's clock too.
    fn token_of(&self, worker: uuid::Uuid) -> String {
        token_for(worker, (self.now() - Utc::now()).max(Duration::zero()) + Duration::hours(1))
    }

    /// Moves the server's clock ahead.
    pub fn later(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
    }

    /// What time the server thinks it is.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    pub fn graphql_url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// The texts of the statements since the last call.
    pub fn statements(&self) -> Vec<String> {
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap());
        // Asked once a second by the clock, for nobody's request.
        heard.retain(|text| !text.contains("hearth.endings"));
        heard
    }

    /// The texts of the bus's statements since the last call.
    pub fn bus_statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.bus_heard.lock().unwrap())
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.serving.await.unwrap();
    }

    pub fn stop_signal(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub async fn raw(&self, token: &str, query: &str, variables: Value) -> reqwest::Response {
        post(&self.http, &self.graphql_url(), token, query, variables).await
    }

    /// The whole answer.
    pub async fn answer(&self, person: &str, query: &str, variables: Value) -> Value {
        let response = self.raw(&self.token(person), query, variables).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// The answer's data; errors fail the test.
    pub async fn data(&self, person: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.answer(person, query, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{query}\n{answer:#}");
        answer["data"].take()
    }

    /// The code of the answer's first error.
    pub async fn code(&self, person: &str, query: &str, variables: Value) -> String {
        let answer = self.answer(person, query, variables).await;
        answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error: {answer:#}")).to_owned()
    }

    /// The whole answer to a worker who is no demo person.
    pub async fn answer_to(&self, worker: uuid::Uuid, query: &str, variables: Value) -> Value {
        let response = self.raw(&self.token_of(worker), query, variables).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// One mutation with its input; answers its payload.
    pub async fn mutate(&self, person: &str, mutation: &str, selection: &str, input: Value) -> Value {
        let mut data = self.data(person, &document(mutation, selection), json!({ "input": input })).await;
        data[mutation].take()
    }

    /// The same, for a mutation that must succeed.
    pub async fn done(&self, person: &str, mutation: &str, selection: &str, input: Value) -> Value {
        let payload = self.mutate(person, mutation, selection, input).await;
        assert_eq!(payload["errors"], json!([]), "{mutation}: {payload:#}");
        payload
    }

    /// One mutation of a worker who is no demo person; answers its payload.
    pub async fn mutate_as(&self, worker: uuid::Uuid, mutation: &str, selection: &str, input: Value) -> Value {
        let mut answer = self.answer_to(worker, &document(mutation, selection), json!({ "input": input })).await;
        assert!(!answer["data"][mutation].is_null(), "{mutation}: {answer:#}");
        answer["data"][mutation].take()
    }

    /// A socket of a worker who is no demo person.
    pub async fn socket_of(&self, worker: uuid::Uuid) -> Socket {
        self.all_placed().await;
        Socket::open(&format!("ws://{}/graphql", self.address), &self.token_of(worker)).await
    }

    /// A socket. What was changed before it was opened has its place by then: a feed without a cursor begins behind it.
    pub async fn socket(&self, person: &str) -> Socket {
        self.all_placed().await;
        Socket::open(&format!("ws://{}/graphql", self.address), &self.token(person)).await
    }

    /// A subscription answered with server-sent events, likewise.
    pub async fn events(&self, person: &str, query: &str, variables: Value) -> EventStream {
        self.all_placed().await;
        EventStream::open(&self.graphql_url(), &self.token(person), query, variables).await
    }

    /// The assessment of a case was authorised: the children in need service may take it.
    pub async fn assessed(&self, case: &str) {
        people::assessed(&connect("postgres", &self.database).await, case).await;
    }

    /// An enquiry in each of these cases calls for a conference from now on.
    pub async fn conference_called_for(&self, cases: &[&str]) {
        people::conference_called_for(&connect("postgres", &self.database).await, cases, self.now()).await;
    }

    /// The child of a case in the sight of a person.
    pub async fn child_of(&self, person: &str, case: &str) -> String {
        let query = "query($id: ID!) { case(id: $id) { child { id } } }";
        let data = self.data(person, query, json!({ "id": case })).await;
        data["case"]["child"]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the relay has given every event its place.
    pub async fn all_placed(&self) {
        let client = connect("postgres", &self.database).await;
        let query = "select count(*) from outbox where seq is null";
        while client.query_one(query, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// The unit with this number.
    pub async fn unit(&self, number: u32) -> String {
        let units = self.data("HEAD_OF_SERVICE", "{ units(first: 100) { nodes { id name } } }", json!({})).await;
        let found = units["units"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|unit| unit["name"].as_str().unwrap().ends_with(&format!("Unit {number}")));
        found.unwrap_or_else(|| panic!("no unit {number}: {units}"))["id"].as_str().unwrap().to_owned()
    }

    /// A case of the queue: id and version.
    pub async fn queued(&self) -> (String, i64) {
        let data =
            self.data("FIRST_RESPONSE", "{ unallocatedCases(first: 50) { nodes { id version } } }", json!({})).await;
        let case = &data["unallocatedCases"]["nodes"][0];
        (case["id"].as_str().unwrap().to_owned(), case["version"].as_i64().unwrap())
    }

    /// Every case of the queue: id and version.
    pub async fn queue(&self) -> Vec<(String, i64)> {
        let data =
            self.data("FIRST_RESPONSE", "{ unallocatedCases(first: 100) { nodes { id version } } }", json!({})).await;
        let nodes = data["unallocatedCases"]["nodes"].as_array().unwrap().iter();
        nodes.map(|case| (case["id"].as_str().unwrap().to_owned(), case["version"].as_i64().unwrap())).collect()
    }

    /// Allocates a case of the queue to a unit; answers case id, version and allocation id.
    pub async fn allocated_to(&self, unit: u32) -> (String, i64) {
        let (case, version) = self.queued().await;
        let unit = self.unit(unit).await;
        self.done(
            "FIRST_RESPONSE",
            "allocateCase",
            "case { id }",
            json!({ "idempotencyKey": key(), "caseId": case, "unitId": unit, "reason": "New referral",
                    "expectedVersion": version }),
        )
        .await;
        (case, version + 1)
    }

    /// Case ids and versions that a person's unit holds as the primary one.
    pub async fn held(&self, person: &str, unit: u32) -> Vec<(String, i64)> {
        let id = self.unit(unit).await;
        let query = "query($id: ID!) { unit(id: $id) { allocations(kind: PRIMARY, first: 100) {
            nodes { case { id version } } } } }";
        let data = self.data(person, query, json!({ "id": id })).await;
        let nodes = data["unit"]["allocations"]["nodes"].as_array().unwrap().iter();
        nodes
            .map(|node| (node["case"]["id"].as_str().unwrap().to_owned(), node["case"]["version"].as_i64().unwrap()))
            .collect()
    }
}

pub fn key() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The document of one mutation.
pub fn document(mutation: &str, selection: &str) -> String {
    let helping = ["startJointAllocation", "startCoverAllocation"].contains(&mutation);
    let mut input = if helping { "StartHelping".to_owned() } else { mutation.to_owned() };
    input[..1].make_ascii_uppercase();
    format!(
        "mutation($input: {input}Input!) {{ {mutation}(input: $input) {{
            errors {{ __typename message ... on VersionConflict {{ currentVersion }}
                      ... on IllegalTransition {{ from legalNext }} ... on GuardFailed {{ guard explanation }} }}
            {selection} }} }}"
    )
}

pub async fn post(http: &reqwest::Client, url: &str, token: &str, query: &str, variables: Value) -> reqwest::Response {
    http.post(url)
        .header("authorization", format!("Bearer {token}"))
        .json(&json!({ "query": query, "variables": variables }))
        .send()
        .await
        .unwrap()
}
