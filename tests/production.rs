//! What production refuses to start on: each refusal names its fix.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{
    self, Issuer, Socket,
    issuer::{AUDIENCE, Key},
    post,
    process::Process,
};

/// As `openssl rand -hex 32` makes them.
const KEY: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A configuration that is safe.
fn safe(database: &str) -> Vec<(&'static str, String)> {
    vec![
        ("HEARTH_ENV", "production".into()),
        ("HEARTH_OIDC_ISSUER", "http://127.0.0.1:9/realm".into()),
        ("HEARTH_OIDC_AUDIENCE", AUDIENCE.into()),
        ("HEARTH_ORIGINS", "https://app.example.org".into()),
        ("HEARTH_AUDIT_ANCHOR", std::env::temp_dir().join(support::unique("hearth_anchor")).display().to_string()),
        ("HEARTH_CURSOR_KEY", KEY.into()),
        ("HEARTH_APP_DATABASE_URL", support::url("hearth_app", database)),
        ("HEARTH_RELAY_DATABASE_URL", support::url("hearth_relay", database)),
        ("HEARTH_BUS_DATABASE_URL", support::url("hearth_bus", database)),
        ("HEARTH_REDIS_URL", support::redis_url()),
        ("HEARTH_LISTEN", "127.0.0.1:0".into()),
    ]
}

/// What `hearth serve` says when this change of a safe configuration keeps it from starting. Empty takes away.
async fn refused(database: &str, name: &str, value: &str) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hearth"));
    command.arg("serve").envs(safe(database)).env(name, value).stdout(Stdio::null()).kill_on_drop(true);
    if value.is_empty() {
        command.env_remove(name);
    }
    let output = tokio::time::timeout(std::time::Duration::from_secs(30), command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{name}={value}: it started")).unwrap();
    assert!(!output.status.success(), "{name}={value}");
    String::from_utf8(output.stderr).unwrap()
}

async fn is_refused(name: &str, value: &str, fix: &str) {
    let said = refused("none", name, value).await;
    assert!(said.contains("production") && said.contains(fix), "{name}={value}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn development_tokens_are_refused() {
    is_refused("HEARTH_TOKEN_SECRET", support::SECRET, "leave it out, and give HEARTH_OIDC_ISSUER").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_provider_is_refused() {
    is_refused("HEARTH_OIDC_ISSUER", "", "give HEARTH_OIDC_ISSUER and HEARTH_OIDC_AUDIENCE").await;
    is_refused("HEARTH_OIDC_AUDIENCE", "", "give HEARTH_OIDC_ISSUER and HEARTH_OIDC_AUDIENCE").await;
    let said = refused("none", "HEARTH_OIDC_ISSUER", "http://id.example.org").await;
    assert!(said.contains("must begin with https://"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_list_of_origins_is_refused() {
    is_refused("HEARTH_ORIGINS", "", "list the exact origins").await;
    is_refused("HEARTH_AUDIT_ANCHOR", "", "give the path of a file").await;
    for wrong in
        ["*", "app.example.org", "https://app.example.org/", "https://app.example.org,https://b.example.org/x", "null"]
    {
        let said = refused("none", "HEARTH_ORIGINS", wrong).await;
        assert!(said.contains("give exact origins"), "{wrong}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_is_refused() {
    is_refused("HEARTH_INTROSPECTION", "on", "choose off, or leave it out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_of_a_key_is_refused() {
    for example in [support::CURSOR_KEY, &"0".repeat(64), &"0123456789abcdef".repeat(4)] {
        is_refused("HEARTH_CURSOR_KEY", example, "openssl rand -hex 32").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_reached_in_plain_text_over_the_network_is_refused() {
    for name in ["HEARTH_APP_DATABASE_URL", "HEARTH_RELAY_DATABASE_URL", "HEARTH_BUS_DATABASE_URL"] {
        let url = "postgres://hearth_app:secret-canary@db.example.org/hearth";
        let said = refused("none", name, url).await;
        assert!(said.contains(name) && said.contains("a proxy that speaks TLS"), "{said}");
        assert!(!said.contains("secret-canary"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_role_that_goes_past_the_policies_is_refused() {
    let database = support::database().await;
    for (role, fault) in [
        ("postgres", "is a superuser"),
        ("hearth_bulk", "goes past row-level security"),
        // Owns the tables, and may become the role that owns the functions.
        ("hearth_owner", "hearth_owner"),
    ] {
        for name in ["HEARTH_APP_DATABASE_URL", "HEARTH_RELAY_DATABASE_URL", "HEARTH_BUS_DATABASE_URL"] {
            let said = refused(&database, name, &support::url(role, &database)).await;
            assert!(said.contains(fault) && said.contains("hearth migrate --create"), "{name} {role}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_owns_a_table_is_refused() {
    let database = support::database().await;
    let (admin, role) = (support::connect("postgres", &database).await, support::unique("hearth_owning"));
    let create = format!("create role {role} login; create table kept (id int); alter table kept owner to {role}");
    admin.batch_execute(&create).await.unwrap();
    let said = refused(&database, "HEARTH_APP_DATABASE_URL", &support::url(&role, &database)).await;
    admin.batch_execute(&format!("drop table kept; drop role {role}")).await.unwrap();
    assert!(said.contains("owns tables"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn until_postgres_has_told_of_its_roles_nothing_is_served() {
    let nowhere = "postgres://hearth_app@127.0.0.1:9/none";
    let mut variables = safe("none");
    for (name, value) in &mut variables {
        if name.ends_with("DATABASE_URL") {
            *value = nowhere.into();
        }
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let process = Process::with("none", &support::redis_url(), "hearth", 0, &variables).await;
    let get = |path: &str| reqwest::get(format!("http://{}{path}", process.address));
    assert_eq!(get("/healthz").await.unwrap().status(), 200);
    let ready = get("/readyz").await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["parts"]["roles"], false);
    let response = post(&reqwest::Client::new(), &process.graphql_url(), "x", "{ __typename }", json!({})).await;
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_safe_starts_and_takes_the_providers_tokens_only() {
    let database = support::database().await;
    let key = Key::ec("e");
    let issuer = Issuer::start(&[&key]).await;
    let mut variables = safe(&database);
    variables.push(("HEARTH_OIDC_ISSUER", issuer.url.clone()));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let channel = support::unique("channel");
    let mut process = Process::with(&database, &support::redis_url(), &channel, 0, &variables).await;
    process.until_ready().await;
    let owner = support::url("hearth_owner", &database);
    hearth::db::logins::add(&owner, &issuer.url, "somebody", "CH-1").await.unwrap();
    let token = issuer.token(&key, "somebody", chrono::Utc::now());
    let http = reqwest::Client::new();
    let ask = async |token: &str, query: &str| {
        let response = post(&http, &process.graphql_url(), token, query, json!({})).await;
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, answer) = ask(&token, "{ viewer { worker { name } } }").await;
    assert!(status == 200 && answer["data"]["viewer"]["worker"]["name"].is_string(), "{answer}");
    let people = hearth::seed::demo_people(&support::url("hearth_seed", &database)).await.unwrap();
    let minted = support::token_for(people[0].worker_id, chrono::Duration::hours(1));
    assert_eq!(ask(&minted, "{ __typename }").await.0, 401);
    let (_, refused) = ask(&token, "{ __schema { queryType { name } } }").await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "INTROSPECTION_DISABLED");
    assert_eq!(Socket::upgrade_from(&process.socket_url(), "http://localhost:3000").await, 403);
    Socket::open(&process.socket_url(), &token).await;
    process.terminate().await;
    let log = process.log.lock().unwrap().clone();
    assert!(!log.contains("somebody") && !log.contains(&token[..40]), "no token and no subject is logged");
}
