//! What a login role could do past the policies, asked of Postgres itself.

use tokio_postgres::NoTls;

use crate::error::{Error, Result};

/// Why the role that logs in at `url` must not serve, if anything: whatever it may become counts too. Fails when the
/// database cannot be asked.
pub async fn fault(url: &str) -> Result<Option<String>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(Error::internal)?;
    let driving = tokio::spawn(connection);
    let query = "
        select session_user::text,
               bool_or(r.rolsuper), bool_or(r.rolbypassrls), bool_or(r.rolcreaterole),
               bool_or(exists (select from pg_class c where c.relowner = r.oid and c.relkind in ('r', 'p')
                               and c.relnamespace = 'public'::regnamespace))
        from pg_roles r where pg_has_role(session_user, r.oid, 'member')";
    let row = client.query_one(query, &[]).await.map_err(Error::internal)?;
    driving.abort();
    let role: String = row.get(0);
    let faults = ["is a superuser", "goes past row-level security (BYPASSRLS)", "makes roles", "owns tables"];
    let found = faults.into_iter().enumerate().find(|(at, _)| row.get::<_, bool>(at + 1));
    Ok(found.map(|(_, fault)| format!("the database role {role} {fault}, or may become one that does")))
}
