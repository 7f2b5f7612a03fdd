//! Cursors that only we can read or make: sealed with XChaCha20-Poly1305, bound to what they are for and to whom.
//!
//! A cursor shows nothing: no position, no volume, no name from a sort key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    AeadCore, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, OsRng, Payload},
};
use chrono::{DateTime, Days, Utc};

use crate::{
    domain::ids::WorkerId,
    error::{Error, Result},
};

/// How long a feed cursor is good: as long as events are kept.
pub const FEED_DAYS: u64 = 30;

const NONCE_BYTES: usize = 24;

/// Seals and opens cursors.
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

/// What a sealed text is for: a cursor of one list is no cursor of another, and nobody else's.
fn binding(purpose: &str, worker_id: WorkerId) -> Vec<u8> {
    [purpose.as_bytes(), b"|", worker_id.0.as_bytes()].concat()
}

impl Sealer {
    /// From a key of 64 hexadecimal digits.
    pub fn from_hex(key: &str) -> Result<Self> {
        let bytes: Option<Vec<u8>> = (key.len() == 64 && key.is_ascii())
            .then(|| (0..64).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16).ok()).collect())
            .flatten();
        let bytes = bytes.ok_or_else(|| {
            Error::internal("the cursor key must be 64 hexadecimal digits: set HEARTH_CURSOR_KEY, for example from `openssl rand -hex 32`")
        })?;
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| Error::internal("cursor key"))?;
        Ok(Self { cipher })
    }

    fn seal(&self, purpose: &str, worker_id: WorkerId, plain: &[u8]) -> Result<String> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let aad = binding(purpose, worker_id);
        let sealed = self
            .cipher
            .encrypt(&nonce, Payload { msg: plain, aad: &aad })
            .map_err(|_| Error::internal("sealing a cursor"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn open(&self, purpose: &str, worker_id: WorkerId, sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let aad = binding(purpose, worker_id);
        self.cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &aad }).ok()
    }

    /// A position in the one order of events, good for [`FEED_DAYS`].
    pub fn feed_cursor(&self, worker_id: WorkerId, seq: i64, now: DateTime<Utc>) -> Result<String> {
        let expires = now.checked_add_days(Days::new(FEED_DAYS)).unwrap_or(now).timestamp();
        self.seal("feed", worker_id, &[seq.to_be_bytes(), expires.to_be_bytes()].concat())
    }

    /// The position behind a feed cursor, which came in the input's part `field`. A foreign, broken or foreign viewer's
    /// cursor is bad input.
    pub fn open_feed_cursor(
        &self,
        field: &'static str,
        worker_id: WorkerId,
        cursor: &str,
        now: DateTime<Utc>,
    ) -> Result<i64> {
        let fault = || Error::bad_input(field, "is not a cursor of your feeds: use an item's cursor, or feedCursor");
        let plain = self.open("feed", worker_id, cursor).ok_or_else(fault)?;
        let (seq, expires) = plain.split_first_chunk::<8>().ok_or_else(fault)?;
        let expires: [u8; 8] = expires.try_into().map_err(|_| fault())?;
        if i64::from_be_bytes(expires) < now.timestamp() {
            return Err(Error::CursorExpired);
        }
        Ok(i64::from_be_bytes(*seq))
    }

    /// A position in a list, from its sort key.
    pub fn list_cursor(&self, list: &str, worker_id: WorkerId, key: &[u8]) -> Result<String> {
        self.seal(list, worker_id, key)
    }

    /// The sort key behind a list cursor.
    pub fn open_list_cursor(&self, list: &str, worker_id: WorkerId, cursor: &str) -> Result<Vec<u8>> {
        self.open(list, worker_id, cursor)
            .ok_or_else(|| Error::bad_input("after", "is not a cursor of this list; start again without it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::from_hex(&"5a".repeat(32)).unwrap()
    }

    #[test]
    fn a_cursor_shows_no_position() {
        let (sealer, me, now) = (sealer(), WorkerId::new(), Utc::now());
        let (one, two) = (sealer.feed_cursor(me, 1, now).unwrap(), sealer.feed_cursor(me, 1, now).unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), sealer.feed_cursor(me, i64::MAX, now).unwrap().len());
        assert_eq!(sealer.open_feed_cursor("after", me, &one, now).unwrap(), 1);
    }

    #[test]
    fn another_viewers_cursor_is_refused() {
        let (sealer, now) = (sealer(), Utc::now());
        let cursor = sealer.feed_cursor(WorkerId::new(), 7, now).unwrap();
        let refused = sealer.open_feed_cursor("after", WorkerId::new(), &cursor, now).unwrap_err();
        assert_eq!(refused.code(), "BAD_USER_INPUT");
    }

    #[test]
    fn a_cursor_expires_with_the_events() {
        let (sealer, me, now) = (sealer(), WorkerId::new(), Utc::now());
        let cursor = sealer.feed_cursor(me, 7, now).unwrap();
        let last = now + Days::new(FEED_DAYS);
        assert!(sealer.open_feed_cursor("after", me, &cursor, last).is_ok());
        let late = last + chrono::Duration::seconds(1);
        assert_eq!(sealer.open_feed_cursor("after", me, &cursor, late).unwrap_err().code(), "CURSOR_EXPIRED");
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let (sealer, me) = (sealer(), WorkerId::new());
        let cursor = sealer.list_cursor("children", me, b"key").unwrap();
        assert_eq!(sealer.open_list_cursor("children", me, &cursor).unwrap(), b"key");
        assert!(sealer.open_list_cursor("units", me, &cursor).is_err());
    }
}
