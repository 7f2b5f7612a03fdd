//! How many records each person may be shown in a minute, so that a token that was stolen, or somebody curious, does not
//! copy the register.
//!
//! Our own few lines, because what an operation costs is known after it: libraries that limit rates ask before.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};

use crate::{
    clock::Clock,
    domain::ids::WorkerId,
    error::{Error, Result},
};

/// People who are remembered at most before those are forgotten who have spent nothing lately.
const REMEMBERED: usize = 10_000;

/// See the module.
pub struct Budget {
    a_minute: f64,
    clock: Clock,
    /// What is left of each person's, and when that was.
    left: Mutex<HashMap<WorkerId, (f64, DateTime<Utc>)>>,
}

impl Budget {
    /// So many records for each person, and as many again in every minute.
    pub fn new(a_minute: u64, clock: Clock) -> Self {
        Self { a_minute: a_minute as f64, clock, left: Mutex::default() }
    }

    fn refilled(&self, (left, at): (f64, DateTime<Utc>), now: DateTime<Utc>) -> f64 {
        let minutes = (now - at).num_milliseconds().max(0) as f64 / 60_000.0;
        (left + minutes * self.a_minute).min(self.a_minute)
    }

    /// Whether something of it is left. What one operation shows may go beyond it: the next ones wait for that.
    pub fn admit(&self, worker: WorkerId) -> Result<()> {
        let known = self.left.lock().unwrap_or_else(PoisonError::into_inner).get(&worker).copied();
        let Some(left) = known.map(|known| self.refilled(known, (self.clock)())).filter(|left| *left < 1.0) else {
            return Ok(());
        };
        let seconds = ((1.0 - left) * 60.0 / self.a_minute).ceil().max(1.0) as u64;
        tracing::warn!(worker_id = %worker.0, seconds, "somebody was shown more records than a person reads");
        Err(Error::RateLimited { seconds })
    }

    /// Takes what was shown.
    pub fn spend(&self, worker: WorkerId, records: usize) {
        if records == 0 {
            return;
        }
        let now = (self.clock)();
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, known| self.refilled(*known, now) < self.a_minute);
        }
        let left = all.get(&worker).map_or(self.a_minute, |known| self.refilled(*known, now));
        // However much was on its way at once, nobody waits longer than for two minutes' worth.
        all.insert(worker, ((left - records as f64).max(-self.a_minute), now));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_was_shown_comes_back_in_time_and_never_more_than_a_minutes_worth() {
        let now = Arc::new(Mutex::new(DateTime::UNIX_EPOCH));
        let clock = Arc::clone(&now);
        let budget = Budget::new(60, Arc::new(move || *clock.lock().unwrap()));
        let later = |seconds| *now.lock().unwrap() += TimeDelta::seconds(seconds);
        let [one, other] = [WorkerId::new(), WorkerId::new()];
        budget.spend(one, 59);
        assert!(budget.admit(one).is_ok());
        budget.spend(one, 31);
        assert!(matches!(budget.admit(one), Err(Error::RateLimited { seconds: 31 })));
        assert!(budget.admit(other).is_ok());
        later(30);
        assert!(budget.admit(one).is_err());
        later(1);
        assert!(budget.admit(one).is_ok());
        later(3600);
        budget.spend(one, 60);
        assert!(budget.admit(one).is_err());
        // However much it was.
        budget.spend(one, 1_000_000);
        later(61);
        assert!(budget.admit(one).is_ok());
    }
}
