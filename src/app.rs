//! The whole process: start-up order and graceful shutdown.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    audit::Audit,
    auth::{provider::Pace, seal::Sealer, token::Tokens},
    clock::{self, Clock},
    config::{Config, Databases, DocumentMode, Documents, Environment, Introspection, Secret},
    db::{Db, StatementListener, outbox::EventLog, roles},
    error::{Error, Result},
    events::{Bus, relay::Relay},
    graphql::{Budget, Graph, Limits, Mode, Settings, Shared},
    http::{self, Health, Origins, Seats, SignIn, Times, Web},
    production,
    services::Services,
};

/// What a test may replace.
#[derive(Clone)]
pub struct Options {
    /// The time.
    pub clock: Clock,
    /// Hears the text of every statement of the application role.
    pub statements: Option<StatementListener>,
    /// Hears the text of every statement of the bus's role.
    pub bus_statements: Option<StatementListener>,
    /// How long clients may take.
    pub times: Times,
    /// How often the provider of tokens is asked for its keys.
    pub pace: Pace,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: clock::system(),
            statements: None,
            bus_statements: None,
            times: Times::default(),
            pace: Pace::default(),
        }
    }
}

/// A process that serves.
pub struct App {
    web: Arc<Web>,
    services: Services,
    background: TaskTracker,
    /// Stops the relay and the bus, after the last change is over.
    quiet: CancellationToken,
    listener: TcpListener,
    /// The roles that must be fit for production before anything is served. Empty in development.
    unchecked: Vec<Secret>,
}

/// How often Postgres is asked for its roles until it answers.
const ASK_ROLES_EVERY: Duration = Duration::from_secs(1);

/// Connections of the bus itself: one look at a time, and one to spare. Nobody's past keeps it from asking who has lost
/// their right.
const BUS_CONNECTIONS: usize = 2;
/// Of the bus's role for the pasts of streams that resume.
const PAST_CONNECTIONS: usize = 6;
/// Of signing in: what has ended, and whom subjects mean. Nobody's request keeps it from either.
const SIGN_IN_CONNECTIONS: usize = 2;
/// Of the audit: one batch after the other.
const AUDIT_CONNECTIONS: usize = 1;

/// How documents are handled; reads the manifest.
fn settings(config: &Config) -> Result<Settings> {
    let Documents { mode, introspection, trusted } = &config.documents;
    match (mode, trusted) {
        (DocumentMode::Off, Some(_)) => {
            let fault = "HEARTH_DOCUMENTS is off, so that no document of HEARTH_TRUSTED_DOCUMENTS would run";
            return Err(Error::internal(format!("{fault}: choose prefer or only, or leave the manifest out")));
        }
        (DocumentMode::Only, None) => {
            let fault = "HEARTH_DOCUMENTS is only, but there are no trusted documents";
            return Err(Error::internal(format!("{fault}: give the path of a manifest with HEARTH_TRUSTED_DOCUMENTS")));
        }
        _ => {}
    }
    let read = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path).map_err(|error| {
            let path = path.display();
            let way_out = "give the path of a manifest with --trusted-documents or HEARTH_TRUSTED_DOCUMENTS";
            Error::internal(format!("cannot read the trusted documents of {path}: {error}; {way_out}"))
        })
    };
    Ok(Settings {
        mode: match mode {
            DocumentMode::Off => Mode::Off,
            DocumentMode::Prefer => Mode::Prefer,
            DocumentMode::Only => Mode::Only,
        },
        limits: Limits {
            bytes: config.limits.document_bytes,
            tokens: config.limits.tokens,
            depth: config.limits.depth,
            fields: config.limits.fields,
            aliases: config.limits.aliases,
            answer: config.limits.answer_fields,
            directives: config.limits.directives,
        },
        introspection: match introspection {
            Some(chosen) => *chosen == Introspection::On,
            None => config.identity.environment == Environment::Development,
        },
        trusted: trusted.as_ref().map(read).transpose()?,
    })
}

/// Waits until Postgres has answered for each of these roles. Fails with the first that must not serve.
async fn fit_roles(urls: &[Secret]) -> Result<()> {
    for url in urls {
        loop {
            match roles::fault(url.reveal()).await {
                Ok(None) => break,
                Ok(Some(fault)) => {
                    let way_out = "log in as the roles that `hearth migrate --create` makes (docs/database.md)";
                    return Err(Error::internal(format!("{fault}, and production refuses that: {way_out}")));
                }
                Err(_) => tokio::time::sleep(ASK_ROLES_EVERY).await,
            }
        }
    }
    Ok(())
}

impl App {
    /// Builds everything and listens, but serves nothing yet. Postgres and Redis may still be away: the process waits
    /// for them and says so in `/readyz`. Fails on a configuration that is not sound, and in production on one that is
    /// not safe.
    pub async fn start(config: Config, options: Options) -> Result<Self> {
        let Options { clock, statements, bus_statements, times, pace } = options;
        let development = config.identity.environment == Environment::Development;
        if !development {
            production::check(&config)?;
        }
        let settings = settings(&config)?;
        let tokens = Tokens::new(&config.identity, Arc::clone(&clock), pace)?;
        let sealer = Sealer::from_hex(config.events.cursor_key.reveal())?;
        let (app_url, bus_url) = (config.databases.app.reveal(), config.databases.bus.reveal());
        let db = Db::new(app_url, config.databases.connections, statements.clone())?;
        let doors = Db::new(app_url, SIGN_IN_CONNECTIONS, statements)?;
        let looks = EventLog::new(Db::new(bus_url, BUS_CONNECTIONS, bus_statements.clone())?);
        let pasts = EventLog::new(Db::new(bus_url, PAST_CONNECTIONS, bus_statements)?);
        let (audit, writer) = Audit::new(Db::new(app_url, AUDIT_CONNECTIONS, None)?);
        let bus = Bus::new(looks, Arc::clone(&clock), audit.clone());
        let relay = Relay::new(
            config.databases.relay.reveal().to_owned(),
            Arc::clone(&clock),
            Arc::clone(&bus),
            config.audit.anchor.clone(),
        );
        let services = Services::new(db.clone());
        let shared = Shared {
            db: db.clone(),
            services: services.clone(),
            sealer,
            bus: Arc::clone(&bus),
            log: pasts,
            clock: Arc::clone(&clock),
            audit,
            budget: Budget::new(config.limits.records, Arc::clone(&clock)),
        };
        let graph = Graph::new(Arc::new(shared), settings, Duration::from_secs(config.http.request_seconds))?;
        let listener = TcpListener::bind(config.http.listen).await.map_err(|error| {
            Error::internal(format!(
                "cannot listen on {}: {error}; choose another address with --listen or HEARTH_LISTEN",
                config.http.listen
            ))
        })?;

        let Databases { app, relay: placing, bus: reading, .. } = &config.databases;
        let unchecked = if development { Vec::new() } else { vec![app.clone(), placing.clone(), reading.clone()] };
        let (background, quiet) = (TaskTracker::new(), CancellationToken::new());
        let (url, channel) = (config.events.redis_url.reveal().to_owned(), config.events.channel.clone());
        background.spawn(writer.run(quiet.clone()));
        background.spawn(Arc::clone(&bus).run(quiet.clone()));
        background.spawn(Arc::clone(&bus).listen(url.clone(), channel.clone(), quiet.clone()));
        background.spawn(Arc::clone(&relay).run(quiet.clone()));
        background.spawn(Arc::clone(&relay).publish(url, channel, quiet.clone()));

        if let Some(provider) = tokens.provider() {
            background.spawn(Arc::clone(provider).run(quiet.clone()));
        }
        let web = Arc::new(Web {
            graph,
            sign_in: SignIn::new(tokens, doors, Arc::clone(&clock)),
            origins: Origins::new(&config.http.origins, development),
            seats: Seats::new(config.limits.sockets),
            times,
            cleared: AtomicBool::new(unchecked.is_empty()),
            clock,
            db,
            health: Health::default(),
            bus,
            relay,
            max_body_bytes: config.http.max_body_bytes,
            max_message_bytes: config.limits.message_bytes,
            max_operations: config.limits.operations,
            stop: CancellationToken::new(),
            sockets: TaskTracker::new(),
        });
        let asked = Arc::clone(&web);
        let asking = quiet.clone();
        background.spawn(async move { asked.sign_in.run(asking).await });
        Ok(Self { web, services, background, quiet, listener, unchecked })
    }

    /// Where it listens.
    pub fn address(&self) -> Result<std::net::SocketAddr> {
        self.listener.local_addr().map_err(Error::internal)
    }

    /// Cancel this to stop.
    pub fn stop(&self) -> CancellationToken {
        self.web.stop.clone()
    }

    /// Serves until it is told to stop; then: no new connections, sockets close with a code on which clients retry,
    /// requests and mutations finish, the relay and the bus go last. Fails in production when Postgres lets one of the
    /// roles go past its policies; until that is known, requests are told to come again.
    pub async fn serve(self) -> Result<()> {
        tracing::info!(address = %self.address()?, "serving");
        let (web, unchecked) = (&self.web, &self.unchecked);
        let unfit = async {
            if let Err(fault) = fit_roles(unchecked).await {
                return fault;
            }
            web.cleared.store(true, Ordering::Relaxed);
            std::future::pending().await
        };
        tokio::select! {
            fault = unfit => {
                self.quiet.cancel();
                return Err(fault);
            }
            () = http::serve(self.listener, Arc::clone(web)) => {}
        }
        self.services.finish().await;
        self.quiet.cancel();
        self.background.close();
        self.background.wait().await;
        tracing::info!("stopped");
        Ok(())
    }
}
