//! Pools: one per role, with a limit on every wait.

use std::{sync::Arc, time::Duration};

use diesel::{ConnectionError, connection::InstrumentationEvent};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Hook, HookError, Object, Pool},
    },
};
use futures_util::FutureExt;

use crate::error::{Error, Result};

/// How long a request waits for a connection before it is told to try again.
const WAIT: Duration = Duration::from_secs(10);
/// A connection is retired at this age: it keeps a prepared statement for every distinct SQL it ever ran.
const MAX_AGE: Duration = Duration::from_secs(30 * 60);

/// The limits of every connection. Nothing may hold a row or a connection longer than a request may take.
///
/// Statements are planned once for a connection, not once for every execution: under the policies planning costs more
/// than running, and every statement of ours goes by an index whatever its values: so the planner is told that a page is
/// read in memory, where it would read a small table whole for one row (the members of a unit, at every event).
const SETUP: &str = "SET statement_timeout = '10s'; SET lock_timeout = '5s'; \
                     SET idle_in_transaction_session_timeout = '20s'; SET timezone = 'UTC'; \
                     SET plan_cache_mode = force_generic_plan; SET random_page_cost = 1.1; SET jit = off";

pub(in crate::db) type Connection = Object<AsyncPgConnection>;
/// Hears the text of every statement (never its values).
pub type StatementListener = Arc<dyn Fn(&str) + Send + Sync>;

pub(in crate::db) fn build(
    url: &str,
    size: usize,
    heard: Option<StatementListener>,
) -> Result<Pool<AsyncPgConnection>> {
    let mut config = ManagerConfig::default();
    // The first statement of every operation tells whether the connection is alive; a ping would cost each one.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url: &str| {
        let url = url.to_owned();
        let heard = heard.clone();
        async move {
            let mut conn = AsyncPgConnection::establish(&url).await?;
            conn.batch_execute(SETUP).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
            if let Some(heard) = heard {
                conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    if let InstrumentationEvent::StartQuery { query, .. } = event {
                        let text = query.to_string();
                        heard(text.split(" -- binds:").next().unwrap_or_default());
                    }
                });
            }
            Ok(conn)
        }
        .boxed()
    });
    Pool::builder(AsyncDieselConnectionManager::new_with_config(url, config))
        .max_size(size)
        .runtime(deadpool::Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .pre_recycle(Hook::sync_fn(|_, metrics| {
            if metrics.age() > MAX_AGE { Err(HookError::message("retired by age")) } else { Ok(()) }
        }))
        .build()
        .map_err(Error::internal)
}
