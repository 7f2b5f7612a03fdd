//! Configuration, one struct per concern. Every variable is documented on its field; `hearth serve --help` shows them.
//!
//! Read in `main` and `app` only.

use std::{fmt, net::SocketAddr, path::PathBuf};

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
    /// `development` accepts the tokens that `hearth token` mints; `production` refuses to start with them.
    #[arg(long, env = "HEARTH_ENV", value_enum)]
    pub environment: Environment,
    /// Secret with which development tokens are signed and checked (HS256), at least 32 characters. Development only.
    #[arg(long, env = "HEARTH_TOKEN_SECRET", hide_env_values = true)]
    pub token_secret: Option<Secret>,
    /// Issuer of the OpenID Connect provider, exactly as its discovery document and its tokens name it.
    #[arg(long = "oidc-issuer", env = "HEARTH_OIDC_ISSUER")]
    pub issuer: Option<String>,
    /// Audience that the provider issues tokens of this service for.
    #[arg(long = "oidc-audience", env = "HEARTH_OIDC_AUDIENCE")]
    pub audience: Option<String>,
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
    /// Connections of the application role for requests, at most. Signing in and the audit have three of their own.
    #[arg(long, env = "HEARTH_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub connections: usize,
}

/// The audit.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Auditing {
    /// Path of the file, outside the database, to which the leading process appends every link of the audit's chain.
    /// `hearth audit verify` looks for them in the database. Needed in production.
    #[arg(long = "audit-anchor", env = "HEARTH_AUDIT_ANCHOR")]
    pub anchor: Option<PathBuf>,
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

/// A whole number of this range; anything else is refused at the start.
fn whole<T: TryFrom<u64>>(lowest: u64, highest: u64) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| {
        let number = text.parse().ok().filter(|number| (lowest..=highest).contains(number));
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("give a whole number from {lowest} to {highest}"))
    }
}

/// An origin as browsers write it; anything else would never match.
fn origin(text: &str) -> Result<String, String> {
    let exact = url::Url::parse(text.trim()).map(|url| url.origin().ascii_serialization());
    match exact {
        Ok(exact) if exact == text.trim() => Ok(exact),
        Ok(exact) if exact != "null" => Err(format!("give exact origins: {exact}")),
        _ => Err("give exact origins, as in https://app.example.org, or leave it out".to_owned()),
    }
}

/// HTTP.
#[derive(Clone, Debug, clap::Args)]
pub struct Http {
    /// Address to listen on.
    #[arg(long, env = "HEARTH_LISTEN", default_value = "127.0.0.1:4000")]
    pub listen: SocketAddr,
    /// Largest request body, in bytes.
    #[arg(long, env = "HEARTH_MAX_BODY_BYTES", default_value_t = 256 * 1024, value_parser = whole::<usize>(1024, 64 << 20))]
    pub max_body_bytes: usize,
    /// Exact origins of the pages that may ask, as in https://app.example.org, with commas between. In development any
    /// page of this machine when left out; needed in production. Who sends no `Origin` is no page.
    #[arg(long, env = "HEARTH_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub origins: Vec<String>,
    /// How long one query or mutation may take, in seconds.
    #[arg(long, env = "HEARTH_REQUEST_SECONDS", default_value_t = 15, value_parser = whole::<u64>(1, 600))]
    pub request_seconds: u64,
}

/// Which documents run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DocumentMode {
    /// Any text; `documentId` and persisted queries are refused.
    Off,
    /// Any text, trusted documents, persisted queries.
    Prefer,
    /// Trusted documents only.
    Only,
}

/// Whether the schema may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Introspection {
    /// By everybody who has signed in.
    On,
    /// By nobody.
    Off,
}

/// Documents.
#[derive(Clone, Debug, clap::Args)]
pub struct Documents {
    /// Which documents run.
    #[arg(long = "documents", env = "HEARTH_DOCUMENTS", value_enum, default_value_t = DocumentMode::Prefer)]
    pub mode: DocumentMode,
    /// Whether the schema may be asked for: on in development and off in production when left out.
    #[arg(long, env = "HEARTH_INTROSPECTION", value_enum)]
    pub introspection: Option<Introspection>,
    /// Path of the manifest of trusted documents: one JSON object of id and document, as graphql-codegen and
    /// relay-compiler write it, or Apollo's persisted query manifest.
    #[arg(long = "trusted-documents", env = "HEARTH_TRUSTED_DOCUMENTS")]
    pub trusted: Option<PathBuf>,
}

const DOCUMENT_BYTES: usize = 64 * 1024;
const TOKENS: usize = 8_000;
const DEPTH: u64 = 16;
const FIELDS: u64 = 2_000;
const ALIASES: u64 = 100;
const ANSWER: u64 = 500_000;
const DIRECTIVES: usize = 100;
const MESSAGE_BYTES: usize = 64 * 1024;
const OPERATIONS: usize = 32;
const SOCKETS: usize = 32;
const RECORDS: u64 = 20_000;

/// How much a client may ask for at once.
#[derive(Clone, Debug, clap::Args)]
pub struct Limits {
    /// Longest document, in bytes.
    #[arg(long = "limit-document-bytes", env = "HEARTH_LIMIT_DOCUMENT_BYTES", default_value_t = DOCUMENT_BYTES,
          value_parser = whole::<usize>(1, 4 << 20))]
    pub document_bytes: usize,
    /// Most tokens of a document; what stands between two others counts too.
    #[arg(long = "limit-tokens", env = "HEARTH_LIMIT_TOKENS", default_value_t = TOKENS,
          value_parser = whole::<usize>(1, 1_000_000))]
    pub tokens: usize,
    /// Deepest nesting of fields.
    #[arg(long = "limit-depth", env = "HEARTH_LIMIT_DEPTH", default_value_t = DEPTH,
          value_parser = whole::<u64>(1, 64))]
    pub depth: u64,
    /// Most fields of an operation, with every fragment written out.
    #[arg(long = "limit-fields", env = "HEARTH_LIMIT_FIELDS", default_value_t = FIELDS,
          value_parser = whole::<u64>(1, 1_000_000))]
    pub fields: u64,
    /// Most fields with an alias of an operation, with every fragment written out.
    #[arg(long = "limit-aliases", env = "HEARTH_LIMIT_ALIASES", default_value_t = ALIASES,
          value_parser = whole::<u64>(0, 1_000_000))]
    pub aliases: u64,
    /// Most fields that an answer may hold by estimate: pages count with their size, other lists as ten.
    #[arg(long = "limit-answer-fields", env = "HEARTH_LIMIT_ANSWER_FIELDS", default_value_t = ANSWER,
          value_parser = whole::<u64>(1, 1_000_000_000))]
    pub answer_fields: u64,
    /// Most directives of a document.
    #[arg(long = "limit-directives", env = "HEARTH_LIMIT_DIRECTIVES", default_value_t = DIRECTIVES,
          value_parser = whole::<usize>(0, 1_000_000))]
    pub directives: usize,
    /// Longest message that a socket's client may send, in bytes.
    #[arg(long = "limit-message-bytes", env = "HEARTH_LIMIT_MESSAGE_BYTES", default_value_t = MESSAGE_BYTES,
          value_parser = whole::<usize>(1024, 4 << 20))]
    pub message_bytes: usize,
    /// Most operations that run on one socket.
    #[arg(long = "limit-operations", env = "HEARTH_LIMIT_OPERATIONS", default_value_t = OPERATIONS,
          value_parser = whole::<usize>(1, 10_000))]
    pub operations: usize,
    /// Most sockets and event streams of one person in this process.
    #[arg(long = "limit-sockets", env = "HEARTH_LIMIT_SOCKETS", default_value_t = SOCKETS,
          value_parser = whole::<usize>(1, 1_000_000))]
    pub sockets: usize,
    /// Most persons, families and conferences whose records this process shows one person in a minute.
    #[arg(long = "limit-records", env = "HEARTH_LIMIT_RECORDS", default_value_t = RECORDS,
          value_parser = whole::<u64>(1, 1_000_000_000))]
    pub records: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: DOCUMENT_BYTES,
            tokens: TOKENS,
            depth: DEPTH,
            fields: FIELDS,
            aliases: ALIASES,
            answer_fields: ANSWER,
            directives: DIRECTIVES,
            message_bytes: MESSAGE_BYTES,
            operations: OPERATIONS,
            sockets: SOCKETS,
            records: RECORDS,
        }
    }
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
    /// The audit.
    #[command(flatten)]
    pub audit: Auditing,
    /// HTTP.
    #[command(flatten)]
    pub http: Http,
    /// Documents.
    #[command(flatten)]
    pub documents: Documents,
    /// Limits.
    #[command(flatten)]
    pub limits: Limits,
}
