//! Migrations are part of the binary, so that a deployed version always brings the schema it was compiled against.

use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::{Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
const ROLES: &str = include_str!("../../migrations/roles.sql");

/// Creates the roles and the database as an administrator, when they are missing.
pub async fn create(admin_url: &str, database: &str) -> Result<()> {
    let (client, connection) =
        tokio_postgres::connect(admin_url, tokio_postgres::NoTls).await.map_err(Error::internal)?;
    let driving = tokio::spawn(connection);
    client.batch_execute(ROLES).await.map_err(Error::internal)?;
    let found =
        client.query_opt("select from pg_database where datname = $1", &[&database]).await.map_err(Error::internal)?;
    if found.is_none() {
        if !database.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Error::internal("a database name has letters, digits and underscores only"));
        }
        let create = format!("create database \"{database}\" owner hearth_owner");
        client.batch_execute(&create).await.map_err(Error::internal)?;
    }
    driving.abort();
    Ok(())
}

/// Runs what has not run yet, as the owner. Returns the versions that ran.
pub async fn run(owner_url: &str) -> Result<Vec<String>> {
    let conn = AsyncPgConnection::establish(owner_url).await.map_err(Error::internal)?;
    let mut harness = AsyncMigrationHarness::new(conn);
    let ran = harness.run_pending_migrations(MIGRATIONS).map_err(Error::internal)?;
    Ok(ran.iter().map(ToString::to_string).collect())
}

/// The newest version that this program knows.
pub fn newest() -> String {
    use diesel::migration::{Migration, MigrationSource};
    let all: Vec<Box<dyn Migration<diesel::pg::Pg>>> = MIGRATIONS.migrations().unwrap_or_default();
    all.iter().map(|migration| migration.name().version().to_string()).max().unwrap_or_default()
}
