//! Configuration, one struct per concern. Every variable is documented on its field; `hearth serve --help` shows them.
//!
//! Read in `main` and `app` only.

use std::{fmt, net::SocketAddr};

/// A value that never shows itself.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The value, for the one place that uses it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        Ok(Self(value.to_owned()))
    }
}

/// What kind of installation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Environment {
    /// A developer's machine: tokens of `hearth token` are accepted.
    Development,
    /// Anything that holds real records.
    Production,
}

/// Who may come in.
#[derive(Clone, Debug, clap::Args)]
pub struct Identity {
    /// `development` accepts the tokens that `hearth token` mints; `production` refuses them.
    #[arg(long, env = "HEARTH_ENV", value_enum)]
    pub environment: Environment,
    /// Secret with which development tokens are signed and checked (HS256), at least 32 characters.
    #[arg(long, env = "HEARTH_TOKEN_SECRET", hide_env_values = true)]
    pub token_secret: Secret,
}

/// Databases: every process part logs in as its own role.
#[derive(Clone, Debug, clap::Args)]
pub struct Databases {
    /// Postgres URL of the application role.
    #[arg(long = "app-database-url", env = "HEARTH_APP_DATABASE_URL", hide_env_values = true)]
    pub app: Secret,
    /// Postgres URL of the relay's role (gives events their order).
    #[arg(long = "relay-database-url", env = "HEARTH_RELAY_DATABASE_URL", hide_env_values = true)]
    pub relay: Secret,
    /// Postgres URL of the bus's role (reads events for delivery).
    #[arg(long = "bus-database-url", env = "HEARTH_BUS_DATABASE_URL", hide_env_values = true)]
    pub bus: Secret,
    /// Connections of the application role, at most.
    #[arg(long, env = "HEARTH_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub connections: usize,
}

/// Events.
#[derive(Clone, Debug, clap::Args)]
pub struct Events {
    /// Redis URL: the bell that wakes other processes. No record passes through it.
    #[arg(long, env = "HEARTH_REDIS_URL", hide_env_values = true)]
    pub redis_url: Secret,
    /// Prefix of the Redis channel, so that installations can share one Redis.
    #[arg(long, env = "HEARTH_CHANNEL", default_value = "hearth")]
    pub channel: String,
    /// Key that seals cursors: 32 bytes as 64 hexadecimal digits, the same for every process.
    #[arg(long, env = "HEARTH_CURSOR_KEY", hide_env_values = true)]
    pub cursor_key: Secret,
}

/// HTTP.
#[derive(Clone, Debug, clap::Args)]
pub struct Http {
    /// Address to listen on.
    #[arg(long, env = "HEARTH_LISTEN", default_value = "127.0.0.1:4000")]
    pub listen: SocketAddr,
    /// Largest request body, in bytes.
    #[arg(long, env = "HEARTH_MAX_BODY_BYTES", default_value_t = 256 * 1024)]
    pub max_body_bytes: usize,
    /// How long one query or mutation may take, in seconds.
    #[arg(long, env = "HEARTH_REQUEST_SECONDS", default_value_t = 15)]
    pub request_seconds: u64,
}

/// Everything that `hearth serve` needs.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Who may come in.
    #[command(flatten)]
    pub identity: Identity,
    /// Databases.
    #[command(flatten)]
    pub databases: Databases,
    /// Events.
    #[command(flatten)]
    pub events: Events,
    /// HTTP.
    #[command(flatten)]
    pub http: Http,
}
