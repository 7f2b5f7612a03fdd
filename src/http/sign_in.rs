//! Who a request is from: its token, and the worker whom the token's subject means.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, header};
use chrono::{DateTime, Duration, Utc};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    auth::token::{Subject, Tokens, Verified},
    clock::Clock,
    db::{
        Db,
        logins::{Ended, Running},
    },
    error::{Error, Result},
};

/// How long it is remembered whom a subject means: so long may a login that was ended go on opening doors.
const REMEMBERED_FOR: Duration = Duration::seconds(2);
/// How often it is asked which sessions and logins have ended.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// While it cannot be read for this long what has ended, nobody comes in or stays by what might have.
const SILENT_AFTER: std::time::Duration = std::time::Duration::from_secs(5);
/// How many subjects are remembered.
const REMEMBERED: usize = 4096;

/// The login of a subject, and when it was looked up.
type Known = HashMap<Arc<str>, (Running, DateTime<Utc>)>;

/// See the module.
pub struct SignIn {
    tokens: Tokens,
    db: Db,
    clock: Clock,
    /// Who means nobody is not remembered: a login that is added works at once.
    known: Mutex<Known>,
    /// What ended before its tokens' time; `None` while nobody knows.
    ended: watch::Sender<Option<HashSet<Ended>>>,
}

impl SignIn {
    /// Checks tokens with `tokens`, and finds workers in `db`.
    pub fn new(tokens: Tokens, db: Db, clock: Clock) -> Self {
        Self { tokens, db, clock, known: Mutex::default(), ended: watch::Sender::default() }
    }

    /// Whether a good token would be known as such; `None` without a provider, whose tokens alone can end or be unknown.
    pub fn is_ready(&self) -> Option<bool> {
        self.tokens.provider().map(|provider| provider.is_ready() && self.ended.borrow().is_some())
    }

    /// Who somebody is by the value of an `Authorization` header. A good token of nobody fails like a bad one, with
    /// `Unauthenticated`. Fails with `Unavailable` when it cannot be told just now.
    pub async fn verify(&self, authorization: &str) -> Result<Verified> {
        let read = self.tokens.verify(authorization).await?;
        let (worker_id, login) = match read.subject {
            Subject::Worker(worker_id) => (worker_id, None),
            Subject::Login { issuer, subject } => {
                let running = self.running(&issuer, subject).await?;
                (running.worker_id, Some(running.login))
            }
        };
        let verified = Verified { worker_id, session: read.session, login, expires_at: read.expires_at };
        self.judge(&verified)?;
        Ok(verified)
    }

    /// Fails with `Unauthenticated` when whoever was let in may not be any more: the token has expired, or the session or
    /// the login has ended since. Fails with `Unavailable` when nobody knows.
    pub fn judge(&self, verified: &Verified) -> Result<()> {
        if verified.expires_in((self.clock)()).is_zero() {
            return Err(Error::Unauthenticated);
        }
        let session = verified.session.clone().map(Ended::Session);
        let login = verified.login.map(Ended::Login);
        let mut means = session.into_iter().chain(login).peekable();
        if means.peek().is_none() {
            // A development token, of which nothing can end.
            return Ok(());
        }
        let ended = self.ended.borrow();
        let ended = ended.as_ref().ok_or(Error::Unavailable)?;
        if means.any(|one| ended.contains(&one)) { Err(Error::Unauthenticated) } else { Ok(()) }
    }

    /// Changes when something ended or nobody knows, and once at the beginning: judge then. Whatever ended between a sign-in and this is
    /// noticed at once.
    pub fn endings(&self) -> watch::Receiver<Option<HashSet<Ended>>> {
        let mut endings = self.ended.subscribe();
        endings.mark_changed();
        endings
    }

    /// Reads what ended once a second until `stop`: open connections hear of it from here.
    pub async fn run(&self, stop: CancellationToken) {
        let mut failing = false;
        let mut read = Instant::now();
        loop {
            // Not longer than until nobody knows any more, which is said at once; then as long again.
            let left = SILENT_AFTER.saturating_sub(read.elapsed());
            if left.is_zero() {
                self.ended.send_if_modified(|known| known.take().is_some());
            }
            let patience = if left.is_zero() { SILENT_AFTER } else { left };
            let found = tokio::time::timeout(patience, self.db.endings()).await.unwrap_or(Err(Error::Timeout));
            let now = match found {
                Ok(found) => {
                    failing = false;
                    read = Instant::now();
                    Some(found)
                }
                Err(error) => {
                    if !failing {
                        tracing::error!(error = ?error, "cannot read which sessions have ended");
                    }
                    failing = true;
                    None
                }
            };
            if now.is_some() || read.elapsed() >= SILENT_AFTER {
                self.ended.send_if_modified(|known| {
                    let changed = *known != now;
                    *known = now;
                    changed
                });
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY.min(SILENT_AFTER.saturating_sub(read.elapsed()).max(LOOK_EVERY / 5))) => {}
            }
        }
    }

    /// The same by the headers of a request: exactly one `Authorization`.
    pub async fn verify_headers(&self, headers: &HeaderMap) -> Result<Verified> {
        self.verify(authorization(headers).ok_or(Error::Unauthenticated)?).await
    }

    /// There is one issuer, so that its subject alone is remembered.
    async fn running(&self, issuer: &str, subject: Arc<str>) -> Result<Running> {
        let now = (self.clock)();
        let fresh = |at: DateTime<Utc>| (Duration::zero()..REMEMBERED_FOR).contains(&(now - at));
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended is never let in from memory: nothing would tell what it opens that it has.
        let remembered = lock().get(&subject).filter(|(_, at)| fresh(*at)).map(|(running, _)| *running);
        let has_ended =
            |login: Uuid| self.ended.borrow().as_ref().is_some_and(|ended| ended.contains(&Ended::Login(login)));
        if let Some(running) = remembered.filter(|running| !has_ended(running.login)) {
            return Ok(running);
        }
        let found = self.db.running_login(issuer, &subject).await.map_err(|error| {
            tracing::error!(error = ?error, "cannot read whom a subject means");
            Error::Unavailable
        })?;
        let mut known = lock();
        if known.len() >= REMEMBERED {
            known.retain(|_, (_, at)| fresh(*at));
        }
        match found {
            Some(running) if known.len() < REMEMBERED => {
                known.insert(subject, (running, now));
            }
            Some(_) => {}
            None => {
                known.remove(&subject);
            }
        }
        found.ok_or(Error::Unauthenticated)
    }
}

/// The one `Authorization` header of a request: none, and more than one, are none.
pub(super) fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    }
}
