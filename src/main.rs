//! The `hearth` command.

use std::{io::IsTerminal, process::ExitCode};

use chrono::{Duration, NaiveDate, Utc};
use clap::{Parser, Subcommand};
use hearth::{
    app::{App, Options},
    audit,
    auth::token,
    clock,
    config::{Config, Environment, Identity, Secret},
    db::{logins, migrations},
    domain::{calendar::london_day, ids::WorkerId},
    graphql,
    seed::{self, Sizes},
    telemetry,
};
use indicatif::{ProgressBar, ProgressStyle};

/// Most of what a request allocates lives for that request alone. The system's allocator took about an eighth
/// of the server's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The live record behind a children's social work unit.
#[derive(Parser)]
#[command(name = "hearth", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves GraphQL at /graphql until SIGTERM or SIGINT.
    Serve(Box<Config>),
    /// Brings the database to this program's schema.
    Migrate {
        /// Postgres URL of the owner role.
        #[arg(long, env = "HEARTH_OWNER_DATABASE_URL", hide_env_values = true)]
        owner_database_url: Secret,
        /// First creates roles and database as an administrator, when they are missing.
        #[arg(long)]
        create: bool,
        /// Postgres URL of an administrator, for --create.
        #[arg(long, env = "HEARTH_ADMIN_DATABASE_URL", hide_env_values = true)]
        admin_database_url: Option<Secret>,
        /// Name of the database, for --create.
        #[arg(long, env = "HEARTH_DATABASE", default_value = "hearth")]
        database: String,
    },
    /// Fills an empty database with the demo authority, or with --units or --children with a large one around it.
    Seed {
        /// Postgres URL of the seed role, for the demo authority alone.
        #[arg(long, env = "HEARTH_SEED_DATABASE_URL", hide_env_values = true)]
        seed_database_url: Option<Secret>,
        /// Postgres URL of the development-only bulk role, for --units and --children.
        #[arg(long, env = "HEARTH_BULK_DATABASE_URL", hide_env_values = true)]
        bulk_database_url: Option<Secret>,
        /// Units in all, the demo's 12 counted in. One for 50 children when left out.
        #[arg(long)]
        units: Option<usize>,
        /// Children in all, the demo's 600 or so counted in. 50 for a unit when left out.
        #[arg(long)]
        children: Option<usize>,
        /// The day on which the demo plays; the same day makes the same authority. Today when left out.
        #[arg(long)]
        today: Option<NaiveDate>,
        /// Does nothing when the database is not empty.
        #[arg(long)]
        if_empty: bool,
    },
    /// The audit: who saw, changed, was sent or was refused which record.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Prints the schema in SDL.
    Schema,
    /// Says whom the subjects of the provider's tokens mean.
    Login {
        #[command(subcommand)]
        command: LoginCommand,
    },
    /// Mints development tokens. Refused unless HEARTH_ENV is development.
    Token {
        #[command(flatten)]
        identity: Identity,
        /// Id of a worker.
        #[arg(long, required_unless_present = "demo")]
        worker: Option<uuid::Uuid>,
        /// One token for each demo person, as lines for a shell.
        #[arg(long, requires = "seed_database_url")]
        demo: bool,
        /// Postgres URL of the seed role, for --demo.
        #[arg(long, env = "HEARTH_SEED_DATABASE_URL", hide_env_values = true)]
        seed_database_url: Option<Secret>,
        /// How long the tokens are good, in hours.
        #[arg(long, default_value_t = 24 * 30)]
        hours: i64,
    },
}

#[derive(Subcommand)]
enum LoginCommand {
    /// From now on a subject means an active worker.
    Add {
        #[command(flatten)]
        of: LoginOf,
        /// Staff number of the worker.
        #[arg(long)]
        staff_no: String,
    },
    /// From now on a subject means nobody: within two seconds its tokens open nothing, and what is open by them ends.
    End {
        #[command(flatten)]
        of: LoginOf,
    },
    /// From now on the tokens of a session open nothing, and what is open by them ends within two seconds.
    EndSession {
        /// The `sid` of the tokens, or else the `jti` of the one token.
        #[arg(long)]
        session: String,
        /// Postgres URL of the owner role.
        #[arg(long, env = "HEARTH_OWNER_DATABASE_URL", hide_env_values = true)]
        owner_database_url: Secret,
    },
    /// Prints every login, the ended ones too.
    List {
        /// Postgres URL of the owner role.
        #[arg(long, env = "HEARTH_OWNER_DATABASE_URL", hide_env_values = true)]
        owner_database_url: Secret,
    },
}

/// Whose login.
#[derive(clap::Args)]
struct LoginOf {
    /// The `sub` of the tokens.
    #[arg(long)]
    subject: String,
    /// Issuer of the OpenID Connect provider.
    #[arg(long = "oidc-issuer", env = "HEARTH_OIDC_ISSUER")]
    issuer: String,
    /// Postgres URL of the owner role.
    #[arg(long, env = "HEARTH_OWNER_DATABASE_URL", hide_env_values = true)]
    owner_database_url: Secret,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Reckons the audit's chain anew and looks for every anchored link in it. Fails when an entry was changed, deleted, put
    /// in another place or cut off.
    Verify {
        /// Postgres URL of the relay's role.
        #[arg(long, env = "HEARTH_RELAY_DATABASE_URL", hide_env_values = true)]
        relay_database_url: Secret,
        /// Path of an anchor file; of every process that has one, the option once for each.
        #[arg(long, env = "HEARTH_AUDIT_ANCHOR")]
        audit_anchor: Vec<std::path::PathBuf>,
    },
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hearth: {}", explain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// The cause, where our own error hides it from clients: this is the operator's terminal.
fn explain(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    if let Some(hearth::error::Error::Internal(cause)) = error.downcast_ref() {
        let mut text = cause.to_string();
        let mut next = cause.source();
        while let Some(cause) = next {
            text.push_str(&format!(": {cause}"));
            next = cause.source();
        }
        return text;
    }
    error.to_string()
}

async fn run(command: Command) -> Outcome {
    match command {
        Command::Serve(config) => serve(*config).await,
        Command::Migrate { owner_database_url, create, admin_database_url, database } => {
            if create {
                let admin = admin_database_url.ok_or("--create needs --admin-database-url")?;
                migrations::create(admin.reveal(), &database).await?;
            }
            let ran = migrations::run(owner_database_url.reveal()).await?;
            if ran.is_empty() {
                println!("the schema is up to date");
            }
            for version in ran {
                println!("ran {version}");
            }
            Ok(())
        }
        Command::Seed { seed_database_url, bulk_database_url, units, children, today, if_empty } => {
            let today = today.unwrap_or_else(|| london_day(Utc::now()));
            let made = match Sizes::of(units, children)? {
                Some(sizes) => {
                    let url = bulk_database_url.ok_or(
                        "--units and --children need --bulk-database-url or HEARTH_BULK_DATABASE_URL: \
                         the role hearth_bulk, which `hearth migrate --create` makes",
                    )?;
                    seed::bulk_authority(url.reveal(), today, sizes, if_empty, &mut *progress()).await?
                }
                None => {
                    let url =
                        seed_database_url.ok_or("give --seed-database-url or HEARTH_SEED_DATABASE_URL: hearth_seed")?;
                    let mut lines = |table: &str, done: usize, of: usize| eprintln!("seeding {table} ({done} of {of})");
                    seed::demo_authority(url.reveal(), today, if_empty, &mut lines).await?
                }
            };
            match made {
                None => println!("the database is not empty: nothing seeded (script/server --reset starts anew)"),
                Some(made) => println!(
                    "seeded {} units, {} workers, {} families, {} children, {} open cases, {} allocations ({} open), \
                     {} plans, {} actions, {} conferences, {} invitations",
                    made.units,
                    made.workers,
                    made.families,
                    made.children,
                    made.open_cases,
                    made.allocations,
                    made.open_allocations,
                    made.plans,
                    made.actions,
                    made.conferences,
                    made.invitations
                ),
            }
            Ok(())
        }
        Command::Audit { command: AuditCommand::Verify { relay_database_url, audit_anchor } } => {
            let must_be = hearth::db::audit::must_be_anchored(relay_database_url.reveal()).await?;
            let mut anchored = Vec::new();
            for path in &audit_anchor {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("cannot read the anchors of {}: {error}", path.display()))?;
                let (links, others) = audit::anchors(&text);
                if others > 0 {
                    println!("{}: {others} lines are no links, cut off by a failure", path.display());
                }
                anchored.extend(links);
            }
            let anchors = (!audit_anchor.is_empty()).then_some(anchored.as_slice());
            let found = hearth::db::audit::verify(relay_database_url.reveal(), anchors, must_be).await?;
            println!(
                "{} entries in {} links, {} of them anchored; {} entries wait for their link",
                found.entries, found.links, found.anchors, found.waiting
            );
            for fault in &found.faults {
                println!("FAULT: {fault}");
            }
            if found.faults.is_empty() { Ok(()) } else { Err("the audit was tampered with".into()) }
        }
        Command::Schema => {
            print!("{}", graphql::sdl());
            Ok(())
        }
        Command::Login { command } => login(command).await,
        Command::Token { identity, worker, demo, seed_database_url, hours } => {
            let expires = clock::system()() + Duration::hours(hours);
            if let Some(worker) = worker {
                println!("{}", token::mint(&identity, WorkerId(worker), expires)?);
            }
            if let (true, Some(url)) = (demo, seed_database_url) {
                let people = seed::demo_people(url.reveal()).await?;
                for person in people.iter().filter(|person| ["CLINICIAN", "OTHER_UNIT"].contains(&person.variable)) {
                    let name = if person.variable == "CLINICIAN" { "HEARTH_UNIT_ID" } else { "HEARTH_OTHER_UNIT_ID" };
                    if let Some(unit) = person.unit_id {
                        println!("{name}='{}' # {}", graphql::global("Unit", unit).as_str(), person.place);
                    }
                }
                for person in people {
                    let minted = token::mint(&identity, WorkerId(person.worker_id), expires)?;
                    println!(
                        "HEARTH_TOKEN_{}='{minted}' # {}, {}, {}",
                        person.variable, person.name, person.role, person.place
                    );
                }
            }
            Ok(())
        }
    }
}

async fn login(command: LoginCommand) -> Outcome {
    match command {
        LoginCommand::Add { of, staff_no } => {
            let name = logins::add(of.owner_database_url.reveal(), &of.issuer, &of.subject, &staff_no).await?;
            println!("added: {} of {} is {name}, {staff_no}", of.subject, of.issuer);
        }
        LoginCommand::End { of } => {
            logins::end(of.owner_database_url.reveal(), &of.issuer, &of.subject).await?;
            println!("ended: {} of {}", of.subject, of.issuer);
        }
        LoginCommand::EndSession { session, owner_database_url } => {
            logins::end_session(owner_database_url.reveal(), &session).await?;
            println!("the session has ended");
        }
        LoginCommand::List { owner_database_url } => {
            for login in logins::list(owner_database_url.reveal()).await? {
                let ended = login.ended_at.map_or("runs".to_owned(), |at| format!("ended {}", at.to_rfc3339()));
                let left = if login.worker_active { "" } else { "\tworks here no longer" };
                println!(
                    "{}\t{}\t{}\tstarted {}\t{ended}{left}",
                    login.staff_no,
                    login.subject,
                    login.issuer,
                    login.started_at.to_rfc3339()
                );
            }
        }
    }
    Ok(())
}

type Progress = Box<dyn FnMut(&str, usize, usize) + Send>;

/// A bar on a terminal, elsewhere a line for every twentieth part.
fn progress() -> Progress {
    if std::io::stderr().is_terminal() {
        let bar = ProgressBar::new(1);
        if let Ok(style) = ProgressStyle::with_template("seeding {msg} {wide_bar} {pos} of {len}, {elapsed}") {
            bar.set_style(style);
        }
        return Box::new(move |what, done, of| {
            bar.set_message(what.to_owned());
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        });
    }
    let mut last = None;
    Box::new(move |what, done, of| {
        let part = Some((what.to_owned(), done * 20 / of.max(1)));
        if last != part {
            eprintln!("seeding {what} ({done} of {of})");
            last = part;
        }
    })
}

async fn serve(config: Config) -> Outcome {
    telemetry::start(config.identity.environment == Environment::Production);
    let app = App::start(config, Options::default()).await?;
    let stop = app.stop();
    tokio::spawn(async move {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(error) => {
                tracing::error!(%error, "cannot listen for SIGTERM");
                return;
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.cancel();
    });
    app.serve().await?;
    Ok(())
}
