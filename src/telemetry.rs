//! Structured logs. Ids, codes, counts and times; never names, birth dates or free text.

use std::{backtrace::Backtrace, io::IsTerminal, panic::PanicHookInfo};

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Logs to standard error: JSON in production, readable lines in development. `HEARTH_LOG` filters (`info` when unset).
/// Panics are logged by where they happen.
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
    std::panic::set_hook(Box::new(panicked));
}

/// Where, and nothing of what the panic says: that may quote a record (`unwrap` does).
fn panicked(info: &PanicHookInfo<'_>) {
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    // Functions and lines, when RUST_BACKTRACE asks for them.
    let backtrace = Backtrace::capture();
    tracing::error!(at, %backtrace, "a panic");
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what is logged.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_logs_where_it_was_and_nothing_of_what_it_says() {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        // Other tests may panic meanwhile: theirs are said as ever.
        let (here, before) = (std::thread::current().id(), std::panic::take_hook());
        std::panic::set_hook(Box::new(
            move |info| {
                if std::thread::current().id() == here { panicked(info) } else { before(info) }
            },
        ));
        let line = line!() + 2;
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            std::panic::catch_unwind(|| panic!("{} lives here", "Zoe")).unwrap_err();
        });
        let logged = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(logged.contains("a panic") && logged.contains(&format!("telemetry.rs:{line}:")), "{logged}");
        assert!(!logged.contains("Zoe") && !logged.contains("lives here"), "{logged}");
    }
}
