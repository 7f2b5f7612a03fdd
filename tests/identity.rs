//! Who somebody is: tokens of a provider, its keys, and whom its subjects mean.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, Duration, Utc};
use hearth::{
    auth::{provider::Pace, token::Tokens},
    config::{Environment, Identity},
    db::{Db, logins},
    http::SignIn,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    self, EventStream, Issuer, Server, Setup, Socket,
    issuer::{AUDIENCE, Key, base64},
    sse::Frame,
};

const ASK: &str = "{ viewer { worker { name } } }";
/// The subject of the consultant social worker.
const SUBJECT: &str = "8c1f0e9a-subject";

/// A server that takes this provider's tokens, whose [`SUBJECT`] is a consultant social worker.
async fn server(issuer: &Issuer) -> Server {
    at_pace(issuer, None).await
}

/// The same, which asks the provider this often.
async fn at_pace(issuer: &Issuer, pace: Option<Pace>) -> Server {
    let server = Server::with(Setup { issuer: Some(issuer.url.clone()), pace, ..Setup::default() }).await;
    login(&server, issuer, SUBJECT, "CONSULTANT_SOCIAL_WORKER").await;
    server
}

async fn staff_no(server: &Server, person: &str) -> String {
    let client = support::connect("postgres", &server.database).await;
    client.query_one("select staff_no from workers where id = $1", &[&server.worker(person)]).await.unwrap().get(0)
}

async fn login(server: &Server, issuer: &Issuer, subject: &str, person: &str) {
    let owner = support::url("hearth_owner", &server.database);
    logins::add(&owner, &issuer.url, subject, &staff_no(server, person).await).await.unwrap();
}

/// Status and body of a request with these `Authorization` headers.
async fn ask(server: &Server, authorizations: &[&str]) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(server.graphql_url()).json(&json!({ "query": ASK }));
    for authorization in authorizations {
        request = request.header("authorization", *authorization);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn status(server: &Server, token: &str) -> u16 {
    ask(server, &[&format!("Bearer {token}")]).await.0
}

/// Waits until this token opens nothing any more.
async fn until_refused(server: &Server, token: &str) {
    let refused = async { while status(server, token).await != 401 {} };
    tokio::time::timeout(std::time::Duration::from_secs(15), refused).await.expect("it still opens something");
}

/// `claims` with one of them changed, or with `null` taken away.
fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims.as_object_mut().unwrap().insert(name.to_owned(), value),
    };
    claims
}

fn segments(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_of_a_known_subject_comes_in_over_every_transport() {
    let (rsa, ec, ed) = (Key::rsa("r"), Key::ec("e"), Key::ed("d"));
    let issuer = Issuer::start(&[&rsa, &ec, &ed]).await;
    let server = server(&issuer).await;
    let name = server.data("CONSULTANT_SOCIAL_WORKER", ASK, json!({})).await["viewer"]["worker"]["name"].clone();
    let claims = issuer.claims(SUBJECT, server.now());
    let mut good = vec![issuer.token(&rsa, SUBJECT, server.now())];
    for key in [&rsa, &ec, &ed] {
        for typ in [json!("JWT"), json!("jwt"), json!("application/at+jwt"), Value::Null] {
            good.push(key.sign(&with(&key.header(), "typ", typ), &claims));
        }
    }
    for changed in [
        with(&claims, "aud", json!(["other", AUDIENCE])),
        with(&claims, "nbf", json!(server.now().timestamp() + 20)),
        with(&claims, "iat", json!(server.now().timestamp() + 20)),
        with(&with(&claims, "iat", Value::Null), "sid", Value::Null),
        // What is not judged may be anything.
        with(&claims, "roles", json!(["HEAD_OF_SERVICE"])),
    ] {
        good.push(rsa.sign(&rsa.header(), &changed));
    }
    for token in &good {
        let (status, answer) = ask(&server, &[&format!("Bearer {token}")]).await;
        assert_eq!((status, &answer["data"]["viewer"]["worker"]["name"]), (200, &name), "{answer}");
    }
    assert_eq!(ask(&server, &[&format!("bearer {}", good[0])]).await.0, 200, "the scheme is not case-sensitive");
    let unit = server.unit(3).await;
    let mut socket = Socket::open(&format!("ws://{}/graphql", server.address), &good[0]).await;
    socket.feed(&unit, None).await;
    let query = "subscription($unitId: ID!) { unitFeed(unitId: $unitId) { cursor } }";
    let mut events =
        support::EventStream::open(&server.graphql_url(), &good[0], query, json!({ "unitId": unit })).await;
    assert!(events.item().await["cursor"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_are_refused_alike_and_before_anything_is_parsed() {
    let (rsa, ec, stranger) = (Key::rsa("r"), Key::ec("e"), Key::rsa("r"));
    let issuer = Issuer::start(&[&rsa, &ec]).await;
    let evil = Issuer::start(&[&stranger]).await;
    let server = server(&issuer).await;
    let now = server.now().timestamp();
    let claims = issuer.claims(SUBJECT, server.now());
    let good = rsa.sign(&rsa.header(), &claims);
    let [head, body, signature] = segments(&good);
    let claim = |name: &str, value: Value| rsa.sign(&rsa.header(), &with(&claims, name, value));
    let header = |name: &str, value: Value| rsa.sign(&with(&rsa.header(), name, value), &claims);
    let raw = |text: String| rsa.sign_text(&rsa.header().to_string(), &text);
    let hmac = |secret: &[u8]| {
        use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
        let header = Header { kid: Some("r".into()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let unsigned = |header: Value| format!("{}.{}.", base64(header.to_string()), base64(claims.to_string()));
    let ec_good = ec.sign(&ec.header(), &claims);
    let [ec_head, ec_body, ec_signature] = segments(&ec_good);
    let der = base64(ec.der_signature(&format!("{ec_head}.{ec_body}")));
    let mut changed = signature.to_owned();
    changed.replace_range(9..10, if &signature[9..10] == "A" { "B" } else { "A" });
    let text = claims.to_string();
    let twice = |name: &str, value: &str| raw(format!("{},\"{name}\":{value}}}", &text[..text.len() - 1]));
    let modulus = rsa.jwk()["n"].as_str().unwrap().to_owned();

    let forged: Vec<(&str, String)> = vec![
        ("alg none", unsigned(json!({ "alg": "none", "kid": "r" }))),
        ("alg None", unsigned(json!({ "alg": "None", "kid": "r" }))),
        ("alg none with a signature", {
            let head = base64(json!({ "alg": "none", "kid": "r" }).to_string());
            format!("{head}.{body}.{signature}")
        }),
        ("no alg", header("alg", Value::Null)),
        ("alg empty", header("alg", json!(""))),
        ("alg that nobody knows", header("alg", json!("XX256"))),
        ("alg of another hash", header("alg", json!("RS512"))),
        ("alg of another kind of key", header("alg", json!("ES256"))),
        ("alg in lower case", header("alg", json!("rs256"))),
        ("HS256 with the key's modulus", hmac(modulus.as_bytes())),
        ("HS256 with what is published", hmac(rsa.jwk().to_string().as_bytes())),
        ("HS256 with the development secret and the provider's claims", hmac(support::SECRET.as_bytes())),
        ("HS256 without a secret", hmac(b"")),
        ("a key that is not known", header("kid", json!("other"))),
        ("no kid where there are two keys", header("kid", Value::Null)),
        ("an empty kid", header("kid", json!(""))),
        ("a kid that is a number", header("kid", json!(1))),
        ("a kid that is a path", header("kid", json!("../../dev/null"))),
        ("a kid of 10,000 letters", header("kid", json!("k".repeat(10_000)))),
        ("the other key's kid", header("kid", json!("e"))),
        ("another's key under a known kid", stranger.sign(&stranger.header(), &claims)),
        ("a key in the header", stranger.sign(&with(&stranger.header(), "jwk", stranger.jwk()), &claims)),
        ("a key in the header alone", {
            let header = json!({ "alg": "RS256", "jwk": stranger.jwk() });
            stranger.sign(&header, &claims)
        }),
        ("jku", stranger.sign(&with(&stranger.header(), "jku", json!(format!("{}/keys", evil.url))), &claims)),
        ("x5u", stranger.sign(&with(&stranger.header(), "x5u", json!(format!("{}/keys", evil.url))), &claims)),
        ("crit", header("crit", json!(["exp"]))),
        ("crit empty", header("crit", json!([]))),
        ("crit null", rsa.sign_text(r#"{"alg":"RS256","kid":"r","crit":null}"#, &text)),
        ("alg given twice", rsa.sign_text(r#"{"alg":"RS256","kid":"r","alg":"RS256"}"#, &text)),
        ("typ of a logout token", header("typ", json!("logout+jwt"))),
        ("typ of a DPoP proof", header("typ", json!("dpop+jwt"))),
        ("no issuer", claim("iss", Value::Null)),
        ("another issuer", claim("iss", json!("https://evil.example"))),
        ("the issuer with a slash", claim("iss", json!(format!("{}/", issuer.url)))),
        ("the issuer of development", claim("iss", json!("hearth-development"))),
        ("no audience", claim("aud", Value::Null)),
        ("another audience", claim("aud", json!("other"))),
        ("a list of other audiences", claim("aud", json!(["other", "hearth"]))),
        ("an empty list of audiences", claim("aud", json!([]))),
        ("an audience that only begins alike", claim("aud", json!(format!("{AUDIENCE}-admin")))),
        ("an audience in a list in a list", claim("aud", json!([[AUDIENCE]]))),
        ("expired", claim("exp", json!(now - 1))),
        ("no exp", claim("exp", Value::Null)),
        ("exp a string", claim("exp", json!((now + 600).to_string()))),
        ("exp with a fraction", claim("exp", json!(now as f64 + 600.5))),
        ("exp huge", claim("exp", json!(u64::MAX))),
        ("exp in 300,000 years", claim("exp", json!(9_999_999_999_999_i64))),
        ("exp past the longest time", claim("exp", json!(now + 25 * 3600))),
        ("exp negative", claim("exp", json!(-1))),
        ("exp a truth", claim("exp", json!(true))),
        ("issued long ago for long", { rsa.sign(&rsa.header(), &with(&claims, "iat", json!(now - 30 * 24 * 3600))) }),
        ("not good yet", claim("nbf", json!(now + 120))),
        ("nbf a string", claim("nbf", json!("now"))),
        ("issued in the future", claim("iat", json!(now + 120))),
        ("no subject", claim("sub", Value::Null)),
        ("an empty subject", claim("sub", json!(""))),
        ("a subject of blanks", claim("sub", json!("  "))),
        ("the subject with a blank", claim("sub", json!(format!("{SUBJECT} ")))),
        ("the subject in capitals", claim("sub", json!(SUBJECT.to_uppercase()))),
        ("the subject with a NUL", claim("sub", json!(format!("{SUBJECT}\u{0}")))),
        ("a subject of 300 letters", claim("sub", json!("s".repeat(300)))),
        ("a subject that is a number", claim("sub", json!(1))),
        ("a subject in a list", claim("sub", json!([SUBJECT]))),
        ("a subject that nobody has", claim("sub", json!("nobody"))),
        ("a worker's id as the subject", claim("sub", json!(server.worker("HEAD_OF_SERVICE")))),
        ("a session of 300 letters", claim("sid", json!("s".repeat(300)))),
        ("sub given twice", twice("sub", r#""other""#)),
        ("exp given twice", twice("exp", &(now + 600).to_string())),
        ("claims that are no object", raw("[]".into())),
        ("claims that are no JSON", raw("{".into())),
        ("claims with something behind", raw(format!("{text} {{}}"))),
        ("a changed signature", format!("{head}.{body}.{changed}")),
        ("a cut signature", format!("{head}.{body}.{}", &signature[..signature.len() - 4])),
        ("an empty signature", format!("{head}.{body}.")),
        ("another token's signature", format!("{head}.{body}.{ec_signature}")),
        ("another token's claims", {
            let other = base64(with(&claims, "sub", json!("admin")).to_string());
            format!("{head}.{other}.{signature}")
        }),
        ("an ES256 signature in DER", format!("{ec_head}.{ec_body}.{der}")),
        ("an ES256 signature of zeros", format!("{ec_head}.{ec_body}.{}", base64([0_u8; 64]))),
        ("a signature with padding", format!("{head}.{body}.{signature}==")),
        ("a signature in the other alphabet", format!("{head}.{body}.{}", signature.replace(['-', '_'], "+"))),
        ("no signature at all", format!("{head}.{body}")),
        ("four segments", format!("{good}.{signature}")),
        ("five segments, as of an encrypted one", format!("{head}.{body}.{signature}.{body}.{signature}")),
        ("one segment", head.to_owned()),
        ("dots", "..".into()),
        ("not base64url", format!("{head}!.{body}.{signature}")),
        ("a blank within", format!("{head}.{body} .{signature}")),
        ("two tokens", format!("{good} {good}")),
        ("two tokens with a comma", format!("{good},{good}")),
        ("longer than 8 KiB", claim("pad", json!("p".repeat(9_000)))),
        ("nothing", String::new()),
    ];
    assert_eq!(forged.iter().map(|(kind, _)| *kind).collect::<HashSet<_>>().len(), forged.len());
    assert!(forged.len() >= 40);
    let mut answers = HashSet::new();
    for (kind, token) in &forged {
        let (status, answer) = ask(&server, &[&format!("Bearer {token}")]).await;
        assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")), "{kind}");
        answers.insert(answer.to_string());
    }
    for authorizations in [
        vec![format!("Bearer {good}"), format!("Bearer {good}")],
        vec![format!("Basic {good}")],
        vec![format!("Bearer, {good}")],
        vec![good.clone()],
        vec![],
    ] {
        let (status, answer) = ask(&server, &authorizations.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(status, 401, "{authorizations:?}");
        answers.insert(answer.to_string());
    }
    assert_eq!(answers.len(), 1, "all are told the same");
    // A socket is closed, an event stream refused, and nothing of the body was looked at.
    let url = format!("ws://{}/graphql", server.address);
    for (kind, token) in &forged {
        let mut socket = Socket::connect(&url).await;
        socket.shake_hands(token).await;
        // A message too large for a stranger is not read at all.
        let code = socket.closed().await;
        assert!(code == 4403 || (code == 4400 && token.len() > 8_000), "{kind}: {code}");
        let request = reqwest::Client::new().post(server.graphql_url()).header("accept", "text/event-stream");
        let response = request.bearer_auth(token).body("{ not JSON").send().await.unwrap();
        assert_eq!(response.status(), 401, "{kind}");
    }
    assert_eq!(evil.asked(), 0, "what a header leads to is not followed");
    assert_eq!(status(&server, &good).await, 200, "the one that they were made from");
    assert_eq!(status(&server, &ec_good).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_key_need_not_be_named() {
    let key = Key::ec("e");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let claims = issuer.claims(SUBJECT, server.now());
    let unnamed = key.sign(&json!({ "alg": "ES256" }), &claims);
    assert_eq!(status(&server, &unnamed).await, 200);
    // With a second one, that is for something else, still.
    let mut other = Key::ec("f").jwk();
    other["use"] = json!("enc");
    issuer.publish_raw(vec![key.jwk(), other, json!({ "kty": "oct", "kid": "o", "k": "c2VjcmV0" })]);
    assert_eq!(status(&server, &key.sign(&json!({ "alg": "ES256", "kid": "o" }), &claims)).await, 401);
    assert_eq!(status(&server, &unnamed).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_says_of_groups_grants_nothing() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let mut claims = issuer.claims(SUBJECT, server.now());
    for name in ["roles", "groups", "scope", "role", "permissions"] {
        claims[name] = json!(["HEAD_OF_SERVICE", "admin"]);
    }
    let query = "{ units(first: 100) { totalCount } children(first: 100) { totalCount } }";
    let asked = server.raw(&key.sign(&key.header(), &claims), query, json!({})).await;
    let answer: Value = asked.json().await.unwrap();
    assert_eq!(answer["data"], server.data("CONSULTANT_SOCIAL_WORKER", query, json!({})).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_keys_under_load_loses_no_good_request() {
    let first = Key::rsa("key-0");
    let issuer = Issuer::start(&[&first]).await;
    let server = server(&issuer).await;
    let (current, over) = (Mutex::new(Arc::clone(&first)), AtomicBool::new(false));
    let asking = async |forges: bool| {
        let mut asked = 0;
        while !over.load(Ordering::SeqCst) {
            let key = Arc::clone(&current.lock().unwrap());
            let token = issuer.token(&key, SUBJECT, server.now());
            assert_eq!(status(&server, &token).await, 200, "{}", key.id);
            asked += 1;
            if forges && asked % 3 == 0 {
                // Who asks with keys that are none keeps nobody's from being found.
                let other = with(&key.header(), "kid", json!(format!("none-{asked}")));
                let forged = key.sign(&other, &issuer.claims(SUBJECT, server.now()));
                assert_eq!(status(&server, &forged).await, 401);
            }
        }
        asked
    };
    let rotating = async {
        let mut keys = vec![Arc::clone(&first)];
        for at in 1..=5 {
            // A provider publishes a key before it signs with it, and as long as what it signed is good.
            let next = if at % 2 == 0 { Key::rsa(&format!("key-{at}")) } else { Key::ec(&format!("key-{at}")) };
            keys.push(Arc::clone(&next));
            issuer.publish(&keys.iter().collect::<Vec<_>>());
            *current.lock().unwrap() = next;
            let asked = issuer.asked();
            while issuer.asked() == asked {
                tokio::task::yield_now().await;
            }
        }
        over.store(true, Ordering::SeqCst);
    };
    let askers = futures_util::future::join_all((0..8).map(|at| asking(at % 4 == 0)));
    let (asked, ()) = futures_util::join!(askers, rotating);
    assert!(asked.iter().sum::<usize>() >= 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_is_asked_a_few_times_however_many_unknown_keys_come() {
    let key = Key::ec("e");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let claims = issuer.claims(SUBJECT, server.now());
    let asked = issuer.asked();
    let forged = (0..200).map(|at| {
        let token = key.sign(&with(&key.header(), "kid", json!(format!("none-{at}"))), &claims);
        let server = &server;
        async move { status(server, &token).await }
    });
    let answers = futures_util::future::join_all(forged).await;
    assert!(answers.iter().all(|status| *status == 401));
    let asked = issuer.asked() - asked;
    assert!((1..100).contains(&asked), "{asked} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_provider_is_away_known_keys_are_good_for_a_day_and_others_are_told_to_come_again() {
    let (key, next) = (Key::rsa("r"), Key::rsa("next"));
    let mut issuer = Issuer::start(&[&key]).await;
    let often = Pace { refresh: std::time::Duration::from_millis(100), between: std::time::Duration::from_millis(5) };
    let server = at_pace(&issuer, Some(often)).await;
    issuer.down().await;
    assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 200);
    let (told, answer) = ask(&server, &[&format!("Bearer {}", issuer.token(&next, SUBJECT, server.now()))]).await;
    assert_eq!((told, &answer["errors"][0]["extensions"]["code"]), (503, &json!("UNAVAILABLE")));
    server.later(Duration::hours(23));
    assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 200);
    server.later(Duration::hours(2));
    assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 503);
    issuer.publish(&[&key, &next]);
    issuer.again().await;
    server.until_ready().await;
    assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 200);
    assert_eq!(status(&server, &issuer.token(&next, SUBJECT, server.now())).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_provider_that_cannot_be_right_changes_nothing() {
    let (key, next) = (Key::ec("e"), Key::ec("next"));
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let unchanged = async |why: &str| {
        assert_eq!(status(&server, &issuer.token(&next, SUBJECT, server.now())).await, 503, "{why}");
        assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 200, "{why}");
    };
    issuer.publish_raw(vec![]);
    unchanged("no key at all").await;
    issuer.publish_raw(vec![json!({ "kty": "oct", "kid": "next", "k": "c2VjcmV0" })]);
    unchanged("no key that checks signatures").await;
    issuer.publish_raw(vec![next.jwk(), json!({ "pad": "x".repeat(300 * 1024) })]);
    unchanged("more than is read").await;
    issuer.publish(&[&next]);
    issuer.lead_to(&format!("{}/elsewhere", issuer.url));
    unchanged("a redirect").await;
    issuer.lead_to("http://id.example.org/keys");
    unchanged("keys in plain text").await;
    issuer.lead_to(&format!("{}/keys", issuer.url));
    issuer.rename("https://other.example");
    unchanged("another issuer").await;
    issuer.rename(&issuer.url);
    assert_eq!(status(&server, &issuer.token(&next, SUBJECT, server.now())).await, 200);
    assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_withdrawn_opens_nothing_after_the_next_look() {
    let (stolen, next) = (Key::rsa("stolen"), Key::rsa("next"));
    let issuer = Issuer::start(&[&stolen]).await;
    let server = server(&issuer).await;
    let token = issuer.token(&stolen, SUBJECT, server.now());
    assert_eq!(status(&server, &token).await, 200);
    issuer.publish(&[&next]);
    assert_eq!(status(&server, &issuer.token(&next, SUBJECT, server.now())).await, 200);
    assert_eq!(status(&server, &token).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_looked_at_again_without_being_asked_for() {
    let (key, next) = (Key::ec("e"), Key::ec("next"));
    let issuer = Issuer::start(&[&key]).await;
    let often = Pace { refresh: std::time::Duration::from_millis(100), between: std::time::Duration::from_millis(5) };
    let server = at_pace(&issuer, Some(often)).await;
    let token = issuer.token(&key, SUBJECT, server.now());
    assert_eq!(status(&server, &token).await, 200);
    issuer.publish(&[&next]);
    let asked = issuer.asked();
    // The second look from now on begins after the first has ended.
    while issuer.asked() < asked + 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status(&server, &token).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn until_the_provider_has_answered_everybody_is_told_to_come_again() {
    let key = Key::rsa("r");
    let mut issuer = Issuer::start(&[&key]).await;
    issuer.down().await;
    let server = Server::with(Setup { issuer: Some(issuer.url.clone()), unready: true, ..Setup::default() }).await;
    login(&server, &issuer, SUBJECT, "CLINICIAN").await;
    let token = issuer.token(&key, SUBJECT, server.now());
    let response = server.raw(&token, ASK, json!({})).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    let ready = reqwest::get(format!("http://{}/readyz", server.address)).await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["parts"]["signIn"], false);
    let mut socket = Socket::connect(&format!("ws://{}/graphql", server.address)).await;
    socket.shake_hands(&token).await;
    assert_eq!(socket.closed().await, 1013);
    // Under another name than the configured one it is somebody else.
    issuer.rename("https://other.example");
    issuer.again().await;
    assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 503);
    issuer.rename(&issuer.url);
    server.until_ready().await;
    assert_eq!(status(&server, &issuer.token(&key, SUBJECT, server.now())).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_ended_is_refused_within_two_seconds_and_one_that_is_added_works_at_once() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let owner = support::url("hearth_owner", &server.database);
    let token = issuer.token(&key, SUBJECT, server.now());
    assert_eq!(status(&server, &token).await, 200);
    logins::end(&owner, &issuer.url, SUBJECT).await.unwrap();
    server.later(Duration::seconds(2));
    let (refused, answer) = ask(&server, &[&format!("Bearer {token}")]).await;
    assert_eq!(refused, 401);
    let mut socket = Socket::connect(&format!("ws://{}/graphql", server.address)).await;
    socket.shake_hands(&token).await;
    assert_eq!(socket.closed().await, 4403);
    let (_, nobody) = ask(&server, &[&format!("Bearer {}", issuer.token(&key, "nobody", server.now()))]).await;
    assert_eq!(answer, nobody, "nobody learns that there was one");
    login(&server, &issuer, SUBJECT, "CLINICIAN").await;
    assert_eq!(status(&server, &token).await, 200);
    // Who works here no longer is nobody.
    let client = support::connect("postgres", &server.database).await;
    client.execute("update workers set active = false where id = $1", &[&server.worker("CLINICIAN")]).await.unwrap();
    server.later(Duration::seconds(2));
    assert_eq!(ask(&server, &[&format!("Bearer {token}")]).await, (401, nobody));
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_subject_means_is_asked_once_in_two_seconds() {
    let key = Key::ec("e");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let token = issuer.token(&key, SUBJECT, server.now());
    let looks = || server.statements().iter().filter(|text| text.contains("hearth.running_login")).count();
    looks();
    let began = server.now();
    for _ in 0..3 {
        assert_eq!(status(&server, &token).await, 200);
    }
    let (took, looked) = (server.now() - began, looks());
    assert!(looked == 1 || took >= Duration::seconds(2), "{looked} looks in {took}");
    server.later(Duration::seconds(2));
    assert_eq!(status(&server, &token).await, 200);
    assert_eq!(looks(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_names_its_session_or_itself_or_neither() {
    let key = Key::ec("e");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let identity = Identity {
        environment: Environment::Development,
        token_secret: None,
        issuer: Some(issuer.url.clone()),
        audience: Some(AUDIENCE.into()),
    };
    let now: DateTime<Utc> = support::morning();
    let clock: hearth::clock::Clock = Arc::new(support::morning);
    let tokens = Tokens::new(&identity, Arc::clone(&clock), Pace::default()).unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let provider = Arc::clone(tokens.provider().unwrap());
    tokio::spawn(Arc::clone(&provider).run(stop.clone()));
    while !provider.is_ready() {
        tokio::task::yield_now().await;
    }
    let db = Db::new(&support::url("hearth_app", &server.database), 1, None).unwrap();
    let sign_in = Arc::new(SignIn::new(tokens, db, clock));
    let (reads, until) = (Arc::clone(&sign_in), stop.clone());
    tokio::spawn(async move { reads.run(until).await });
    while sign_in.is_ready() != Some(true) {
        tokio::task::yield_now().await;
    }
    let claims = with(&issuer.claims(SUBJECT, now), "jti", json!("token-1"));
    for (claims, session) in [
        (claims.clone(), Some("session-1")),
        (with(&claims, "sid", Value::Null), Some("token-1")),
        (with(&with(&claims, "sid", Value::Null), "jti", Value::Null), None),
    ] {
        let token = key.sign(&key.header(), &claims);
        let verified = sign_in.verify(&format!("Bearer {token}")).await.unwrap();
        assert_eq!(verified.session.as_deref(), session);
        assert_eq!(verified.worker_id.0, server.worker("CONSULTANT_SOCIAL_WORKER"));
        assert_eq!(verified.expires_at, now + Duration::seconds(600));
        assert!(sign_in.endings().has_changed().unwrap(), "whoever listens judges first");
    }
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_never_rewritten_and_no_process_reads_or_writes_them_directly() {
    let database = support::database().await;
    let owner = support::url("hearth_owner", &database);
    logins::add(&owner, "https://id.example.org", "one", "CH-1").await.unwrap();
    let client = support::connect("postgres", &database).await;
    for statement in [
        "update worker_logins set subject = 'other'",
        "update worker_logins set worker_id = (select id from workers where staff_no <> 'CH-1' limit 1)",
        "delete from worker_logins",
        "update worker_logins set ended_at = now(); update worker_logins set ended_at = null",
        "insert into worker_logins (issuer, subject, worker_id) select issuer, subject, worker_id from worker_logins",
    ] {
        assert!(client.batch_execute(statement).await.is_err(), "{statement}");
    }
    for role in ["hearth_app", "hearth_relay", "hearth_bus", "hearth_seed"] {
        let other = support::connect(role, &database).await;
        assert!(other.batch_execute("select from worker_logins").await.is_err(), "{role}");
        let add = "select hearth.start_login('https://id.example.org', 'two', 'CH-1')";
        assert!(other.batch_execute(add).await.is_err(), "{role}");
    }
    let app = support::connect("hearth_app", &database).await;
    assert!(app.batch_execute("select hearth.running_login('https://id.example.org', 'one')").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_adds_ends_and_lists_logins() {
    let database = support::database().await;
    let run = async |arguments: &[&str]| {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_hearth"))
            .arg("login")
            .args(arguments)
            .env("HEARTH_OWNER_DATABASE_URL", support::url("hearth_owner", &database))
            .env("HEARTH_OIDC_ISSUER", "https://id.example.org")
            .output()
            .await
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), said)
    };
    let (done, said) = run(&["add", "--subject", "one", "--staff-no", "CH-1"]).await;
    assert!(done && said.contains("CH-1"), "{said}");
    let (done, said) = run(&["add", "--subject", "one", "--staff-no", "CH-1"]).await;
    assert!(!done && said.contains("login end"), "{said}");
    let (done, said) = run(&["add", "--subject", "two", "--staff-no", "nobody"]).await;
    assert!(!done && said.contains("staff number"), "{said}");
    assert!(run(&["list"]).await.1.contains("CH-1\tone\thttps://id.example.org\tstarted "));
    assert!(run(&["end", "--subject", "one"]).await.0);
    let (done, said) = run(&["end", "--subject", "one"]).await;
    assert!(!done && said.contains("login list"), "{said}");
    assert!(run(&["list"]).await.1.contains("\tended "));
    assert!(run(&["add", "--subject", "one", "--staff-no", "CH-1"]).await.0, "after its end it may begin anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_ends_with_its_session_or_its_login_and_nobody_elses() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    login(&server, &issuer, "another", "CLINICIAN").await;
    let owner = support::url("hearth_owner", &server.database);
    let token = |subject: &str, session: &str| {
        key.sign(&key.header(), &with(&issuer.claims(subject, server.now()), "sid", json!(session)))
    };
    let (first, second, others) = (token(SUBJECT, "one"), token(SUBJECT, "two"), token("another", "three"));
    let url = format!("ws://{}/graphql", server.address);
    let mut ended = Socket::open(&url, &first).await;
    let mut other_session = Socket::open(&url, &second).await;
    let mut other_person = Socket::open(&url, &others).await;
    logins::end_session(&owner, "one").await.unwrap();
    assert!(logins::end_session(&owner, "one").await.is_err(), "once");
    assert_eq!(ended.closed().await, 4403);
    assert_eq!((status(&server, &first).await, status(&server, &second).await), (401, 200));
    other_session.nothing_more().await;
    // The login takes every session of its subject along.
    logins::end(&owner, &issuer.url, SUBJECT).await.unwrap();
    assert_eq!(other_session.closed().await, 4403);
    other_person.nothing_more().await;
    assert_eq!(status(&server, &others).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_at_once_after_the_login_has_ended_is_not_let_in_from_memory() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let token = issuer.token(&key, SUBJECT, server.now());
    let url = format!("ws://{}/graphql", server.address);
    let mut socket = Socket::open(&url, &token).await;
    // Looked up just now, so that it is remembered for longer than the ending takes to be known.
    server.later(Duration::seconds(2));
    assert_eq!(status(&server, &token).await, 200);
    logins::end(&support::url("hearth_owner", &server.database), &issuer.url, SUBJECT).await.unwrap();
    assert_eq!(socket.closed().await, 4403);
    let mut again = Socket::connect(&url).await;
    again.shake_hands(&token).await;
    assert_eq!(again.closed().await, 4403);
    assert_eq!(status(&server, &token).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_former_login_of_a_subject_opened_ends_though_the_subject_means_somebody_else_by_then() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let token = issuer.token(&key, SUBJECT, server.now());
    let mut formers = Socket::open(&format!("ws://{}/graphql", server.address), &token).await;
    logins::end(&support::url("hearth_owner", &server.database), &issuer.url, SUBJECT).await.unwrap();
    login(&server, &issuer, SUBJECT, "CLINICIAN").await;
    assert_eq!(formers.closed().await, 4403);
    let (_, answer) = ask(&server, &[&format!("Bearer {token}")]).await;
    assert_eq!(answer["data"], server.data("CLINICIAN", ASK, json!({})).await);
}

/// A request whose token is good and whose body is not sent yet.
struct Begun {
    stream: tokio::net::TcpStream,
    body: String,
}

impl Begun {
    /// Sends the headers, and comes back when the server has looked at the token and asks for the body.
    async fn send(server: &Server, token: &str, accept: &str, query: &str) -> Self {
        let body = json!({ "query": query }).to_string();
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept: {accept}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self { stream, body }
    }

    /// Everything that is answered to the end.
    async fn finish(mut self) -> String {
        self.stream.write_all(self.body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = self.stream.read_to_string(&mut answer);
        tokio::time::timeout(std::time::Duration::from_secs(15), reading).await.expect("it does not end").unwrap();
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_before_its_session_ends_or_its_token_expires_and_comes_after_it_opens_nothing() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let token = issuer.token(&key, SUBJECT, server.now());
    let stream = Begun::send(&server, &token, "text/event-stream", "subscription { myFeed { cursor } }").await;
    let query = Begun::send(&server, &token, "application/json", ASK).await;
    logins::end_session(&support::url("hearth_owner", &server.database), "session-1").await.unwrap();
    until_refused(&server, &token).await;
    for late in [stream, query] {
        let answer = late.finish().await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    let claims = with(&issuer.claims(SUBJECT, server.now()), "sid", json!("session-2"));
    let late = Begun::send(&server, &key.sign(&key.header(), &claims), "application/json", ASK).await;
    server.later(Duration::seconds(600));
    let answer = late.finish().await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_long_ago_opens_nothing_whatever_new_tokens_name_it() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let client = support::connect("postgres", &server.database).await;
    let ended = "insert into ended_sessions (session, ended_at) values ('session-1', now() - interval '400 days')";
    client.batch_execute(ended).await.unwrap();
    until_refused(&server, &issuer.token(&key, SUBJECT, server.now())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_knows_what_has_ended_nobody_comes_in_or_stays_and_everybody_may_come_again() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let server = server(&issuer).await;
    let client = support::connect("postgres", &server.database).await;
    let token = issuer.token(&key, SUBJECT, server.now());
    let url = format!("ws://{}/graphql", server.address);
    let mut socket = Socket::open(&url, &token).await;
    let feed = "subscription { myFeed { cursor } }";
    let mut events = EventStream::open(&server.graphql_url(), &token, feed, json!({})).await;
    events.item().await;
    client.batch_execute("revoke execute on function hearth.endings() from hearth_app").await.unwrap();
    assert_eq!(socket.closed().await, 1013);
    assert_eq!(events.frame().await, Frame::End);
    let (told, answer) = ask(&server, &[&format!("Bearer {token}")]).await;
    assert_eq!((told, &answer["errors"][0]["extensions"]["code"]), (503, &json!("UNAVAILABLE")));
    let mut again = Socket::connect(&url).await;
    again.shake_hands(&token).await;
    assert_eq!(again.closed().await, 1013);
    let ready = reqwest::get(format!("http://{}/readyz", server.address)).await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["parts"]["signIn"], false);
    // Nothing of a development token can end.
    server.data("CLINICIAN", ASK, json!({})).await;
    client.batch_execute("grant execute on function hearth.endings() to hearth_app").await.unwrap();
    server.until_ready().await;
    Socket::open(&url, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_the_database_put_off_neither_the_end_of_a_login_nor_a_sign_in() {
    let key = Key::rsa("r");
    let issuer = Issuer::start(&[&key]).await;
    let setup = Setup { issuer: Some(issuer.url.clone()), connections: Some(1), ..Setup::default() };
    let server = Server::with(setup).await;
    login(&server, &issuer, SUBJECT, "CONSULTANT_SOCIAL_WORKER").await;
    login(&server, &issuer, "another", "CLINICIAN").await;
    let url = format!("ws://{}/graphql", server.address);
    let mut socket = Socket::open(&url, &issuer.token(&key, SUBJECT, server.now())).await;
    let client = support::connect("postgres", &server.database).await;
    let other = support::connect("postgres", &server.database).await;
    other.batch_execute("begin; lock table children in access exclusive mode").await.unwrap();
    // They have the one connection for requests, one after the other.
    let ask = |_| Box::pin(server.answer("HEAD_OF_SERVICE", "{ children(first: 1) { totalCount } }", json!({})));
    let asking = futures_util::future::select_all((0..4).map(ask));
    let ending = async {
        let waiting = "select count(*) from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'";
        while client.query_one(waiting, &[&server.database]).await.unwrap().get::<_, i64>(0) == 0 {}
        logins::end(&support::url("hearth_owner", &server.database), &issuer.url, SUBJECT).await.unwrap();
        assert_eq!(socket.closed().await, 4403);
        Socket::open(&url, &issuer.token(&key, "another", server.now())).await;
    };
    tokio::select! {
        () = ending => {}
        _ = asking => panic!("a request was over before"),
    }
    other.batch_execute("commit").await.unwrap();
}
