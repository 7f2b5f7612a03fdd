//! Bearer tokens. They say who somebody is; nothing in a token grants anything.
//!
//! Of an OpenID Connect provider (`provider`), whose subjects `worker_logins` maps to workers, and in development of
//! `hearth token`, whose subject is a worker's id.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::provider::{Pace, Provider};
use crate::{
    clock::Clock,
    config::{Environment, Identity},
    domain::ids::WorkerId,
    error::{Error, Result},
};

/// The audience and the issuer of development tokens.
const AUDIENCE: &str = "hearth";
const ISSUER: &str = "hearth-development";

/// The shortest secret that is accepted: HS256 needs as many bytes as its hash.
const SECRET_BYTES: usize = 32;
/// Longest token that is looked at.
const TOKEN_BYTES: usize = 8 * 1024;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    aud: String,
    iss: String,
    exp: i64,
}

/// Whom a good token means.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A worker, by id: of a development token.
    Worker(WorkerId),
    /// The provider's subject, whom `worker_logins` knows or not.
    Login {
        /// The provider.
        issuer: Arc<str>,
        /// Its name for somebody.
        subject: Arc<str>,
    },
}

/// What a good token says.
#[derive(Clone, Debug)]
pub struct Read {
    /// Whom it means.
    pub subject: Subject,
    /// The session at the provider: see [`Verified::session`].
    pub session: Option<Arc<str>>,
    /// When it stops being good.
    pub expires_at: DateTime<Utc>,
}

/// Who somebody is, by a good token.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The worker.
    pub worker_id: WorkerId,
    /// The session that the token belongs to at the provider (`sid`), or else the token itself (`jti`); none when it
    /// says neither. At most 255 bytes; means nothing but itself.
    pub session: Option<Arc<str>>,
    /// The row of `worker_logins` that let them in; none of a development token.
    pub login: Option<Uuid>,
    /// When the token stops being good; an open socket ends then.
    pub expires_at: DateTime<Utc>,
}

impl Verified {
    /// How long the token is still good.
    pub fn expires_in(&self, now: DateTime<Utc>) -> std::time::Duration {
        (self.expires_at - now).to_std().unwrap_or_default()
    }
}

/// Checks development tokens.
#[derive(Clone)]
struct Development {
    key: DecodingKey,
    validation: Validation,
}

/// Checks tokens.
#[derive(Clone)]
pub struct Tokens {
    development: Option<Development>,
    provider: Option<Arc<Provider>>,
}

fn development_secret(identity: &Identity) -> Result<&[u8]> {
    if identity.environment != Environment::Development {
        return Err(Error::internal("development tokens are refused here: HEARTH_ENV does not say development"));
    }
    let secret = identity.token_secret.as_ref().map(|secret| secret.reveal().as_bytes()).unwrap_or_default();
    if secret.len() < SECRET_BYTES {
        return Err(Error::internal("HEARTH_TOKEN_SECRET must have at least 32 characters"));
    }
    Ok(secret)
}

/// The token of an `Authorization` header: one word after the scheme.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    let fits = !token.is_empty() && token.len() <= TOKEN_BYTES && !token.contains(char::is_whitespace);
    (scheme.eq_ignore_ascii_case("bearer") && fits).then_some(token)
}

impl Development {
    fn new(secret: &[u8]) -> Self {
        // One algorithm, fixed here and never taken from the token's header.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.leeway = 0;
        Self { key: DecodingKey::from_secret(secret), validation }
    }

    fn verify(&self, token: &str) -> Option<Read> {
        let claims = decode::<Claims>(token, &self.key, &self.validation).ok()?.claims;
        let expires_at = DateTime::from_timestamp(claims.exp, 0)?;
        Some(Read { subject: Subject::Worker(WorkerId(claims.sub)), session: None, expires_at })
    }
}

impl Tokens {
    /// Fails when nobody could come in, and on development tokens outside development.
    pub fn new(identity: &Identity, clock: Clock, pace: Pace) -> Result<Self> {
        let provider = match (&identity.issuer, &identity.audience) {
            (Some(issuer), Some(audience)) => Some(Provider::new(issuer, audience, clock, pace)?),
            (None, None) => None,
            _ => {
                return Err(Error::internal(
                    "HEARTH_OIDC_ISSUER and HEARTH_OIDC_AUDIENCE belong together: give both, or none",
                ));
            }
        };
        let development = match identity.token_secret {
            Some(_) => Some(Development::new(development_secret(identity)?)),
            None => None,
        };
        if provider.is_none() && development.is_none() {
            return Err(Error::internal(
                "nobody could sign in: give HEARTH_OIDC_ISSUER and HEARTH_OIDC_AUDIENCE, or for development \
                 HEARTH_TOKEN_SECRET",
            ));
        }
        Ok(Self { development, provider })
    }

    /// The provider, if there is one.
    pub fn provider(&self) -> Option<&Arc<Provider>> {
        self.provider.as_ref()
    }

    /// Checks the value of an `Authorization` header. Fails with `Unauthenticated`, whatever is wrong with it, and with
    /// `Unavailable` when the provider cannot be asked for its keys just now.
    pub async fn verify(&self, authorization: &str) -> Result<Read> {
        let token = bearer(authorization).ok_or(Error::Unauthenticated)?;
        if let Some(read) = self.development.as_ref().and_then(|development| development.verify(token)) {
            return Ok(read);
        }
        let provider = self.provider.as_ref().ok_or(Error::Unauthenticated)?;
        let said = provider.verify(token).await?;
        let subject = Subject::Login { issuer: provider.issuer().into(), subject: said.subject };
        Ok(Read { subject, session: said.session, expires_at: said.expires_at })
    }
}

/// Mints a development token. Refused unless the environment says development.
pub fn mint(identity: &Identity, worker_id: WorkerId, expires_at: DateTime<Utc>) -> Result<String> {
    let key = EncodingKey::from_secret(development_secret(identity)?);
    let claims = Claims { sub: worker_id.0, aud: AUDIENCE.into(), iss: ISSUER.into(), exp: expires_at.timestamp() };
    encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn identity(environment: Environment) -> Identity {
        let token_secret = Some("0123456789abcdef0123456789abcdef".parse().unwrap());
        Identity { environment, token_secret, issuer: None, audience: None }
    }

    fn tokens(identity: &Identity) -> Result<Tokens> {
        Tokens::new(identity, crate::clock::system(), Pace::default())
    }

    #[tokio::test]
    async fn a_minted_token_names_its_worker_and_nothing_more() {
        let identity = identity(Environment::Development);
        let me = WorkerId::new();
        let token = mint(&identity, me, Utc::now() + Duration::hours(1)).unwrap();
        let read = tokens(&identity).unwrap().verify(&format!("Bearer {token}")).await.unwrap();
        assert!(matches!(read.subject, Subject::Worker(worker) if worker == me));
    }

    #[test]
    fn outside_development_nothing_is_minted_or_accepted() {
        let identity = identity(Environment::Production);
        assert!(mint(&identity, WorkerId::new(), Utc::now()).is_err());
        assert!(tokens(&identity).is_err());
    }

    #[test]
    fn somebody_must_be_able_to_come_in() {
        let none = Identity { token_secret: None, ..identity(Environment::Development) };
        assert!(tokens(&none).is_err());
        let half = Identity { issuer: Some("https://id.example.org".into()), ..none };
        assert!(tokens(&half).is_err());
        assert!(tokens(&Identity { audience: Some("hearth".into()), ..half }).is_ok());
    }

    #[tokio::test]
    async fn forged_expired_and_malformed_tokens_are_refused() {
        let identity = identity(Environment::Development);
        let tokens = tokens(&identity).unwrap();
        let expired = mint(&identity, WorkerId::new(), Utc::now() - Duration::seconds(2)).unwrap();
        let mut forged = mint(&identity, WorkerId::new(), Utc::now() + Duration::hours(1)).unwrap();
        // The signature's first letter: the last one carries bits that say nothing.
        let signature = forged.rfind('.').unwrap() + 1;
        let other = if forged[signature..].starts_with('A') { "B" } else { "A" };
        forged.replace_range(signature..=signature, other);
        // {"alg":"none"} with a good-looking payload.
        let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.";
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Basic abc",
            &format!("Bearer {expired}"),
            &format!("Bearer {forged}"),
            &format!("Bearer {none}"),
        ] {
            assert_eq!(tokens.verify(bad).await.unwrap_err().code(), "UNAUTHENTICATED", "{bad}");
        }
    }
}
