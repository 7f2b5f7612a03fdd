//! The time, injected, so that tests decide what time it is.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Gives the time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The machine's clock.
pub fn system() -> Clock {
    Arc::new(Utc::now)
}
