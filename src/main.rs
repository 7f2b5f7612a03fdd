//! The `hearth` command.

use std::process::ExitCode;

use chrono::{Duration, NaiveDate, Utc};
use clap::{Parser, Subcommand};
use hearth::{
    app::{App, Options},
    auth::token,
    clock,
    config::{Config, Environment, Identity, Secret},
    db::migrations,
    domain::{calendar::london_day, ids::WorkerId},
    graphql, seed, telemetry,
};

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
    /// Fills an empty database with the demo authority.
    Seed {
        /// Postgres URL of the seed role.
        #[arg(long, env = "HEARTH_SEED_DATABASE_URL", hide_env_values = true)]
        seed_database_url: Secret,
        /// The day on which the demo plays; the same day makes the same authority. Today when left out.
        #[arg(long)]
        today: Option<NaiveDate>,
        /// Does nothing when the database is not empty.
        #[arg(long)]
        if_empty: bool,
    },
    /// Prints the schema in SDL.
    Schema,
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
        Command::Seed { seed_database_url, today, if_empty } => {
            let today = today.unwrap_or_else(|| london_day(Utc::now()));
            let mut progress = |table: &str, done: usize, of: usize| eprintln!("seeding {table} ({done} of {of})");
            match seed::demo_authority(seed_database_url.reveal(), today, if_empty, &mut progress).await? {
                None => println!("the database is not empty: nothing seeded"),
                Some(made) => println!(
                    "seeded {} units, {} workers, {} children, {} open cases, {} plans, {} conferences",
                    made.units, made.workers, made.children, made.open_cases, made.plans, made.conferences
                ),
            }
            Ok(())
        }
        Command::Schema => {
            print!("{}", graphql::sdl());
            Ok(())
        }
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
