//! Bearer tokens. The subject is a worker's id; nothing else in a token grants anything.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    config::{Environment, Identity},
    domain::ids::WorkerId,
    error::{Error, Result},
};

/// The audience and the issuer of development tokens.
const AUDIENCE: &str = "hearth";
const ISSUER: &str = "hearth-development";

/// The shortest secret that is accepted: HS256 needs as many bytes as its hash.
const SECRET_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    aud: String,
    iss: String,
    exp: i64,
}

/// What a good token says.
#[derive(Clone, Copy, Debug)]
pub struct Verified {
    /// The worker.
    pub worker_id: WorkerId,
    /// When the token stops being good; an open socket ends then.
    pub expires_at: DateTime<Utc>,
}

impl Verified {
    /// How long the token is still good.
    pub fn expires_in(&self, now: DateTime<Utc>) -> std::time::Duration {
        (self.expires_at - now).to_std().unwrap_or_default()
    }
}

/// Checks tokens.
#[derive(Clone)]
pub struct Tokens {
    key: DecodingKey,
    validation: Validation,
}

fn development_secret(identity: &Identity) -> Result<&[u8]> {
    if identity.environment != Environment::Development {
        return Err(Error::internal(
            "development tokens are refused here: HEARTH_ENV does not say development, and no other token issuer is supported yet",
        ));
    }
    let secret = identity.token_secret.reveal().as_bytes();
    if secret.len() < SECRET_BYTES {
        return Err(Error::internal("HEARTH_TOKEN_SECRET must have at least 32 characters"));
    }
    Ok(secret)
}

impl Tokens {
    /// Fails outside development: there is no other issuer of tokens yet.
    pub fn new(identity: &Identity) -> Result<Self> {
        let key = DecodingKey::from_secret(development_secret(identity)?);
        // One algorithm, fixed here and never taken from the token's header.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.leeway = 0;
        Ok(Self { key, validation })
    }

    /// Checks the value of an `Authorization` header.
    pub fn verify(&self, authorization: &str) -> Result<Verified> {
        let (scheme, token) = authorization.trim().split_once(' ').ok_or(Error::Unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::Unauthenticated);
        }
        let token = decode::<Claims>(token.trim(), &self.key, &self.validation).map_err(|_| Error::Unauthenticated)?;
        let expires_at = DateTime::from_timestamp(token.claims.exp, 0).ok_or(Error::Unauthenticated)?;
        Ok(Verified { worker_id: WorkerId(token.claims.sub), expires_at })
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
        Identity { environment, token_secret: "0123456789abcdef0123456789abcdef".parse().unwrap() }
    }

    #[test]
    fn a_minted_token_names_its_worker_and_nothing_more() {
        let identity = identity(Environment::Development);
        let me = WorkerId::new();
        let token = mint(&identity, me, Utc::now() + Duration::hours(1)).unwrap();
        let verified = Tokens::new(&identity).unwrap().verify(&format!("Bearer {token}")).unwrap();
        assert_eq!(verified.worker_id, me);
    }

    #[test]
    fn outside_development_nothing_is_minted_or_accepted() {
        let identity = identity(Environment::Production);
        assert!(mint(&identity, WorkerId::new(), Utc::now()).is_err());
        assert!(Tokens::new(&identity).is_err());
    }

    #[test]
    fn forged_expired_and_malformed_tokens_are_refused() {
        let identity = identity(Environment::Development);
        let tokens = Tokens::new(&identity).unwrap();
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
            assert_eq!(tokens.verify(bad).unwrap_err().code(), "UNAUTHENTICATED", "{bad}");
        }
    }
}
