//! Tokens of an OpenID Connect provider: its keys, and what a token must say.
//!
//! The algorithm belongs to the key, as the provider publishes it, and never comes from a token. What a token's header
//! says of keys elsewhere (`jku`, `jwk`, `x5u`) is not read at all.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, crypto,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    clock::Clock,
    error::{Error, Result},
};

/// How long the provider may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Largest answer of the provider that is read, in bytes.
const ANSWER_BYTES: usize = 256 * 1024;
/// How long keys are good while the provider does not answer. Afterwards nobody comes in.
const KEYS_GOOD_FOR: chrono::Duration = chrono::Duration::hours(24);
/// Longest time that a token may be good, as seen from now and from when it was issued.
const LONGEST: chrono::Duration = chrono::Duration::hours(24);
/// How far the provider's clock may be ahead of ours.
const LEEWAY: chrono::Duration = chrono::Duration::seconds(30);
/// Longest subject, session and key id that is taken, in bytes.
const NAME_BYTES: usize = 255;
/// Smallest RSA modulus that is taken, in bytes.
const RSA_BYTES: usize = 256;

/// How often the provider is asked for its keys.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// While all is well. While the provider does not answer, up to sixty times as often.
    pub refresh: Duration,
    /// At most, whatever tokens come: those with a key that is not known wait for the next time.
    pub between: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { refresh: Duration::from_secs(300), between: Duration::from_secs(2) }
    }
}

/// What a good token says.
pub(super) struct Said {
    pub(super) subject: Arc<str>,
    pub(super) session: Option<Arc<str>>,
    pub(super) expires_at: DateTime<Utc>,
}

/// A key with the one algorithm that it is for.
#[derive(Clone)]
struct Key {
    algorithm: Algorithm,
    /// The algorithm's name in a header.
    name: String,
    key: DecodingKey,
}

/// The provider's keys as they were at one moment.
struct Keys {
    by_id: HashMap<String, Key>,
    /// The one key, when there is one only: a token need not name it then.
    only: Option<Key>,
    read_at: DateTime<Utc>,
}

impl Keys {
    fn find(&self, id: Option<&str>) -> Option<&Key> {
        match id {
            Some(id) => self.by_id.get(id),
            None => self.only.as_ref(),
        }
    }
}

/// The last time that the provider was asked.
struct Look {
    number: u64,
    began: Option<Instant>,
    succeeded: bool,
}

/// See the module.
pub struct Provider {
    issuer: String,
    audience: String,
    discovery: Url,
    http: reqwest::Client,
    clock: Clock,
    pace: Pace,
    keys: RwLock<Option<Arc<Keys>>>,
    /// The number of the look that began last.
    begun: AtomicU64,
    /// One looks at a time.
    last: Mutex<Look>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// Of a header only what is judged.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

/// Of the claims only what is judged. A claim given twice is refused.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    sid: Option<String>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Unauthenticated)?;
    serde_json::from_slice(&bytes).map_err(|_| Error::Unauthenticated)
}

/// Not empty, not long, nothing that hides or looks alike at its ends.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES && text.trim() == text && !text.chars().any(char::is_control)
}

/// An address whose answers nobody on the way can change: https, or this machine.
fn safe(address: &str) -> Result<Url, String> {
    let url = Url::parse(address).map_err(|error| format!("{address:?} is no URL: {error}"))?;
    let here = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if plain && (url.scheme() == "https" || (url.scheme() == "http" && here)) {
        return Ok(url);
    }
    Err(format!("{address:?} must begin with https:// (http:// on this machine only), without a user or a fragment"))
}

/// The algorithm that a key is for: as it says, if that fits, or the usual one of its kind.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let fitting: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        // A symmetric key that is published is nobody's secret.
        _ => &[],
    };
    match jwk.common.key_algorithm {
        Some(named) => Algorithm::try_from(named).ok().filter(|named| fitting.contains(named)),
        None => fitting.first().copied(),
    }
}

/// A published key, if it is one to check signatures with.
fn usable(value: &serde_json::Value) -> Option<(Option<String>, Key)> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
    let operations = jwk.common.key_operations.as_ref();
    let verifies = operations.is_none_or(|of| of.contains(&KeyOperations::Verify));
    let algorithm = algorithm(&jwk).filter(|_| signs && verifies)?;
    if let AlgorithmParameters::RSA(key) = &jwk.algorithm {
        URL_SAFE_NO_PAD.decode(&key.n).ok().filter(|modulus| modulus.len() >= RSA_BYTES)?;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id, Key { algorithm, name: format!("{algorithm:?}"), key }))
}

/// The keys that are of use. An id that two keys have names neither; a key without one can only be the only one.
fn usable_keys(set: &KeySet, read_at: DateTime<Utc>) -> Option<Keys> {
    let mut keys: Vec<_> = set.keys.iter().filter_map(usable).collect();
    if keys.len() == 1 {
        let (id, key) = keys.pop()?;
        let by_id = id.map(|id| (id, key.clone())).into_iter().collect();
        return Some(Keys { by_id, only: Some(key), read_at });
    }
    let mut by_id: HashMap<String, Option<Key>> = HashMap::new();
    for (id, key) in keys {
        if let Some(id) = id {
            by_id.entry(id).and_modify(|key| *key = None).or_insert(Some(key));
        }
    }
    let by_id: HashMap<_, _> = by_id.into_iter().filter_map(|(id, key)| Some((id, key?))).collect();
    (!by_id.is_empty()).then_some(Keys { by_id, only: None, read_at })
}

impl Provider {
    /// A provider that has not been asked for anything yet. Fails on an issuer that is no safe address.
    pub fn new(issuer: &str, audience: &str, clock: Clock, pace: Pace) -> Result<Arc<Self>> {
        let fault = |fault: String| Error::internal(format!("HEARTH_OIDC_ISSUER: {fault}"));
        safe(issuer).map_err(fault)?;
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        if audience.is_empty() {
            return Err(Error::internal(
                "HEARTH_OIDC_AUDIENCE is empty: give the audience that the provider issues for",
            ));
        }
        let http = reqwest::Client::builder()
            // A redirect could lead anywhere.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(Error::internal)?;
        Ok(Arc::new(Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            discovery: safe(&discovery).map_err(fault)?,
            http,
            clock,
            pace,
            keys: RwLock::new(None),
            begun: AtomicU64::new(0),
            last: Mutex::new(Look { number: 0, began: None, succeeded: false }),
        }))
    }

    /// The issuer, as tokens name it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether there are keys to check tokens with.
    pub fn is_ready(&self) -> bool {
        self.keys().is_ok()
    }

    fn keys(&self) -> Result<Arc<Keys>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let good = keys.as_ref().filter(|keys| (self.clock)() - keys.read_at < KEYS_GOOD_FOR);
        good.cloned().ok_or(Error::Unavailable)
    }

    /// Checks a token, without its scheme. Fails with `Unauthenticated`, whatever is wrong with it, and with
    /// `Unavailable` when the provider's keys cannot be known just now.
    pub(super) async fn verify(self: &Arc<Self>, token: &str) -> Result<Said> {
        let mut parts = token.split('.');
        let (Some(head), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::Unauthenticated);
        };
        let header: Header = part(head)?;
        let typ = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let taken = ["jwt", "at+jwt", "application/at+jwt"].contains(&typ.as_str()) && !header.crit;
        let id = header.kid.as_deref();
        if !taken || !id.is_none_or(is_name) {
            return Err(Error::Unauthenticated);
        }
        let mut keys = self.keys()?;
        if id.is_some_and(|id| !keys.by_id.contains_key(id)) {
            // The provider may just have begun to sign with another key: a good request must not be lost to that.
            self.look_again().await?;
            keys = self.keys()?;
        }
        let key = keys.find(id).filter(|key| key.name == header.alg).ok_or(Error::Unauthenticated)?;
        let message = &token.as_bytes()[..head.len() + 1 + body.len()];
        if !crypto::verify(signature, message, &key.key, key.algorithm).unwrap_or(false) {
            return Err(Error::Unauthenticated);
        }
        self.judge(part(body)?).ok_or(Error::Unauthenticated)
    }

    /// What the claims say, if they are for us and for now.
    fn judge(&self, claims: Claims) -> Option<Said> {
        let now = (self.clock)();
        let moment = |seconds| DateTime::from_timestamp(seconds, 0);
        let for_us = match &claims.aud {
            Audience::One(one) => *one == self.audience,
            Audience::Several(several) => several.contains(&self.audience),
        };
        let expires_at = moment(claims.exp)?;
        let begins_at = claims.nbf.map_or(Some(now), moment)?;
        let issued_at = claims.iat.map_or(Some(now), moment)?;
        let session = claims.sid.or(claims.jti);
        let good = claims.iss == self.issuer
            && for_us
            && is_name(&claims.sub)
            && session.as_deref().is_none_or(is_name)
            && expires_at > now
            && begins_at <= now + LEEWAY
            && issued_at <= now + LEEWAY
            && expires_at - now <= LONGEST + LEEWAY
            && expires_at - issued_at <= LONGEST + LEEWAY;
        good.then(|| Said { subject: claims.sub.into(), session: session.map(Arc::from), expires_at })
    }

    /// Waits for a look at the provider's keys that begins from now on. Goes on when the one who waits has left: who
    /// hangs up must not make others ask more often.
    async fn look_again(self: &Arc<Self>) -> Result<()> {
        let provider = Arc::clone(self);
        let noted = provider.begun.load(Ordering::SeqCst);
        tokio::spawn(async move { provider.look(noted).await })
            .await
            .map_err(|_| Error::internal("the look for keys panicked"))?
    }

    /// Looks, unless a look began after `noted`: then its outcome counts.
    async fn look(&self, noted: u64) -> Result<()> {
        let mut last = self.last.lock().await;
        if last.number <= noted {
            if let Some(began) = last.began {
                tokio::time::sleep_until(began + self.pace.between).await;
            }
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            *last = Look { number, began: Some(Instant::now()), succeeded: false };
            match self.read_keys().await {
                Ok(keys) => {
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys));
                    last.succeeded = true;
                }
                Err(fault) => tracing::warn!(fault, "cannot read the keys of HEARTH_OIDC_ISSUER; those known are kept"),
            }
        }
        if last.succeeded { Ok(()) } else { Err(Error::Unavailable) }
    }

    async fn read_keys(&self) -> Result<Keys, String> {
        let discovery: Discovery = self.read(self.discovery.clone()).await?;
        if discovery.issuer != self.issuer {
            let found = discovery.issuer;
            return Err(format!("the provider calls itself {found:?}: configure exactly that as HEARTH_OIDC_ISSUER"));
        }
        let set: KeySet = self.read(safe(&discovery.jwks_uri)?).await?;
        usable_keys(&set, (self.clock)())
            .ok_or_else(|| "the provider publishes no key that checks signatures".to_owned())
    }

    async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, String> {
        let place = url.path().to_owned();
        let mut answer = self.http.get(url).send().await.map_err(|error| format!("{place}: {}", causes(&error)))?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(format!("{place} answers {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| format!("{place}: {}", causes(&error)))? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES {
                return Err(format!("{place} answers with more than {ANSWER_BYTES} bytes"));
            }
        }
        serde_json::from_slice(&body).map_err(|error| format!("{place}: {error}"))
    }

    /// Keeps the keys fresh until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut pause = self.pace.between;
        loop {
            let noted = self.begun.load(Ordering::SeqCst);
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(noted) => looked,
            };
            pause = if looked.is_ok() { self.pace.refresh } else { (pause * 2).min(self.pace.refresh / 60) };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// An error with what lies behind it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn ec(more: serde_json::Value) -> serde_json::Value {
        let mut key = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y });
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    fn kept(keys: &[serde_json::Value]) -> (Vec<String>, bool) {
        let found = usable_keys(&KeySet { keys: keys.to_vec() }, Utc::now());
        let mut ids: Vec<_> = found.iter().flat_map(|keys| keys.by_id.keys().cloned()).collect();
        ids.sort();
        (ids, found.is_some_and(|keys| keys.only.is_some()))
    }

    #[test]
    fn the_algorithm_is_the_keys() {
        let of = |value: serde_json::Value| usable(&value).map(|(_, key)| key.algorithm);
        let modulus = URL_SAFE_NO_PAD.encode([0xff_u8; 256]);
        let rsa = |alg: &str| json!({ "kty": "RSA", "n": modulus, "e": "AQAB", "alg": alg });
        assert_eq!(of(json!({ "kty": "RSA", "n": modulus, "e": "AQAB" })), Some(Algorithm::RS256));
        assert_eq!(of(rsa("PS256")), Some(Algorithm::PS256));
        assert_eq!(of(ec(json!({}))), Some(Algorithm::ES256));
        assert_eq!(of(json!({ "kty": "OKP", "crv": "Ed25519", "x": X })), Some(Algorithm::EdDSA));
        // Of another kind, for something else, or too short.
        assert_eq!(of(rsa("HS256")), None);
        assert_eq!(of(rsa("RSA-OAEP")), None);
        assert_eq!(of(rsa("ES256")), None);
        assert_eq!(of(ec(json!({ "alg": "RS256" }))), None);
        let short = URL_SAFE_NO_PAD.encode([0xff_u8; 128]);
        assert_eq!(of(json!({ "kty": "RSA", "n": short, "e": "AQAB" })), None);
    }

    #[test]
    fn keys_for_something_else_and_ids_that_name_two_are_left_out() {
        assert_eq!(
            kept(&[ec(json!({ "kid": "a" })), ec(json!({ "kid": "b" }))]),
            (vec!["a".into(), "b".into()], false)
        );
        assert_eq!(kept(&[ec(json!({ "kid": "a" }))]), (vec!["a".into()], true));
        assert_eq!(kept(&[ec(json!({}))]), (vec![], true));
        for other in [
            ec(json!({})),
            ec(json!({ "kid": "b", "use": "enc" })),
            ec(json!({ "kid": "b", "key_ops": ["encrypt"] })),
            json!({ "kty": "oct", "kid": "b", "k": X }),
            json!({ "kty": "EC", "kid": "b", "crv": "P-256" }),
            json!("nonsense"),
        ] {
            let (ids, _) = kept(&[ec(json!({ "kid": "a" })), other.clone()]);
            assert_eq!(ids, ["a"], "{other}");
        }
        assert_eq!(kept(&[ec(json!({ "kid": "a" })), ec(json!({ "kid": "a" })), ec(json!({ "kid": "c" }))]).0, ["c"]);
        assert_eq!(kept(&[json!({ "kty": "oct", "kid": "a", "k": X })]), (vec![], false));
    }

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for good in
            ["https://id.example.org/tenant", "http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9"]
        {
            assert!(safe(good).is_ok(), "{good}");
        }
        for bad in ["http://id.example.org", "ftp://127.0.0.1", "id.example.org", "https://a:b@id.example.org", ""] {
            assert!(safe(bad).is_err(), "{bad}");
        }
    }
}
