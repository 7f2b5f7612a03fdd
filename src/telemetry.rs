//! Structured logs. Ids, codes, counts and times; never names, birth dates or free text.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Logs to standard error: JSON in production, readable lines in development. `HEARTH_LOG` filters (`info` when unset).
pub fn start(json: bool) {
    let filter = EnvFilter::try_from_env("HEARTH_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // A second start, in a test, keeps the first.
    let _ = if json {
        registry.with(lines.json().flatten_event(true)).try_init()
    } else {
        registry.with(lines.with_target(false).with_ansi(std::io::stderr().is_terminal())).try_init()
    };
}
