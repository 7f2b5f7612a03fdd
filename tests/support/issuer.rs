//! An OpenID Connect provider of a test's own: signs, rotates its keys, and goes away.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
    },
};
use axum::{Router, extract::State, response::Redirect, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const AUDIENCE: &str = "hearth-test";

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

enum Secret {
    Rsa(RsaKeyPair),
    Ec { fixed: EcdsaKeyPair, der: EcdsaKeyPair },
    Ed(Ed25519KeyPair),
}

/// A key that signs.
pub struct Key {
    pub id: String,
    secret: Secret,
}

impl Key {
    pub fn rsa(id: &str) -> Arc<Self> {
        Arc::new(Self { id: id.into(), secret: Secret::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()) })
    }

    pub fn ec(id: &str) -> Arc<Self> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref()).unwrap();
        let secret =
            Secret::Ec { fixed: pair(&ECDSA_P256_SHA256_FIXED_SIGNING), der: pair(&ECDSA_P256_SHA256_ASN1_SIGNING) };
        Arc::new(Self { id: id.into(), secret })
    }

    pub fn ed(id: &str) -> Arc<Self> {
        Arc::new(Self { id: id.into(), secret: Secret::Ed(Ed25519KeyPair::generate().unwrap()) })
    }

    pub fn algorithm(&self) -> &'static str {
        match self.secret {
            Secret::Rsa(_) => "RS256",
            Secret::Ec { .. } => "ES256",
            Secret::Ed(_) => "EdDSA",
        }
    }

    pub fn signature(&self, message: &str) -> Vec<u8> {
        match &self.secret {
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
                signature
            }
            Secret::Ec { fixed, .. } => fixed.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
            Secret::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        }
    }

    /// The signature of an EC key as X.509 writes it, which JWS does not.
    pub fn der_signature(&self, message: &str) -> Vec<u8> {
        let Secret::Ec { der, .. } = &self.secret else { panic!("no EC key") };
        der.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
    }

    /// What is published of it.
    pub fn jwk(&self) -> Value {
        match &self.secret {
            Secret::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "use": "sig", "kid": self.id, "n": base64(public.n), "e": base64(public.e) })
            }
            Secret::Ec { fixed, .. } => {
                let (x, y) = fixed.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.id, "x": base64(x), "y": base64(y) })
            }
            Secret::Ed(pair) => {
                let x = base64(pair.public_key().as_ref());
                json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.id, "x": x })
            }
        }
    }

    pub fn header(&self) -> Value {
        json!({ "alg": self.algorithm(), "kid": self.id, "typ": "at+jwt" })
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Of texts that need not be JSON.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64(header), base64(claims));
        let signature = base64(self.signature(&message));
        format!("{message}.{signature}")
    }
}

struct Published {
    /// What it calls itself.
    name: String,
    keys: Vec<Value>,
    /// Where it says that its keys are.
    leads_to: String,
    /// How often its keys were asked for.
    asked: usize,
}

/// See the module.
pub struct Issuer {
    address: SocketAddr,
    pub url: String,
    published: Arc<Mutex<Published>>,
    serving: Option<tokio::task::JoinHandle<()>>,
}

impl Issuer {
    /// Publishes these keys.
    pub async fn start(keys: &[&Arc<Key>]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}/realm");
        let leads_to = format!("{url}/keys");
        let published = Published { name: url.clone(), keys: Vec::new(), leads_to, asked: 0 };
        let mut issuer = Self { address, url, published: Arc::new(Mutex::new(published)), serving: None };
        issuer.publish(keys);
        issuer.serve(listener);
        issuer
    }

    fn serve(&mut self, listener: TcpListener) {
        type Shared = State<Arc<Mutex<Published>>>;
        let discovery = |State(published): Shared| async move {
            let published = published.lock().unwrap();
            json!({ "issuer": published.name, "jwks_uri": published.leads_to }).to_string()
        };
        let keys = |State(published): Shared| async move {
            let mut published = published.lock().unwrap();
            published.asked += 1;
            json!({ "keys": published.keys }).to_string()
        };
        let elsewhere = || async { Redirect::temporary("/realm/keys") };
        let routes = Router::new()
            .route("/realm/elsewhere", get(elsewhere))
            .route("/realm/.well-known/openid-configuration", get(discovery))
            .route("/realm/keys", get(keys))
            .with_state(Arc::clone(&self.published));
        self.serving = Some(tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() }));
    }

    pub fn publish(&self, keys: &[&Arc<Key>]) {
        self.publish_raw(keys.iter().map(|key| key.jwk()).collect());
    }

    pub fn publish_raw(&self, keys: Vec<Value>) {
        self.published.lock().unwrap().keys = keys;
    }

    /// From now on it calls itself this.
    pub fn rename(&self, name: &str) {
        self.published.lock().unwrap().name = name.to_owned();
    }

    /// From now on its keys are there.
    pub fn lead_to(&self, url: &str) {
        self.published.lock().unwrap().leads_to = url.to_owned();
    }

    pub fn asked(&self) -> usize {
        self.published.lock().unwrap().asked
    }

    /// Nobody listens any more.
    pub async fn down(&mut self) {
        let serving = self.serving.take().unwrap();
        serving.abort();
        let _ = serving.await;
    }

    pub async fn again(&mut self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    /// Claims that are good for ten minutes.
    pub fn claims(&self, subject: &str, now: DateTime<Utc>) -> Value {
        let now = now.timestamp();
        json!({ "iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600, "sid": "session-1" })
    }

    /// A good token.
    pub fn token(&self, key: &Key, subject: &str, now: DateTime<Utc>) -> String {
        key.sign(&key.header(), &self.claims(subject, now))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}
