//! Whom a token's subject means: `worker_logins`, read and written through functions alone.

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName,
    sql_types::{Nullable, Text, Uuid as UuidSql},
};
use diesel_async::RunQueryDsl;
use tokio_postgres::{Client, NoTls, error::SqlState};
use uuid::Uuid;

use super::{Db, failed, no_connection};
use crate::{
    domain::ids::WorkerId,
    error::{Error, Result},
};

/// A subject's login that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its row: what is open by it ends with that.
    pub login: Uuid,
    /// The active worker whom it means.
    pub worker_id: WorkerId,
}

/// What opens nothing any more, before its tokens' time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// A session of the provider.
    Session(Arc<str>),
    /// The row of a login. Its subject may have another one by now.
    Login(Uuid),
}

impl Db {
    /// The login that this subject of this issuer has now. Fails when the database cannot be asked.
    pub async fn running_login(&self, issuer: &str, subject: &str) -> Result<Option<Running>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = UuidSql)]
            login: Uuid,
            #[diesel(sql_type = UuidSql)]
            worker: Uuid,
        }
        let mut conn = self.pool.get().await.map_err(no_connection)?;
        let found: Vec<Row> = diesel::sql_query("select login, worker from hearth.running_login($1, $2)")
            .bind::<Text, _>(issuer)
            .bind::<Text, _>(subject)
            .load(&mut conn)
            .await
            .map_err(failed)?;
        let running = |row: Row| Running { login: row.login, worker_id: WorkerId(row.worker) };
        Ok(found.into_iter().next().map(running))
    }

    /// What ended and could still be asked for: every session, and the logins of the longest time that a token may be good.
    pub async fn endings(&self) -> Result<HashSet<Ended>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            session: Option<String>,
            #[diesel(sql_type = Nullable<UuidSql>)]
            login: Option<Uuid>,
        }
        let mut conn = self.pool.get().await.map_err(no_connection)?;
        let rows: Vec<Row> =
            diesel::sql_query("select session, login from hearth.endings()").load(&mut conn).await.map_err(failed)?;
        let ended = |row: Row| match row.session {
            Some(session) => Some(Ended::Session(session.into())),
            None => row.login.map(Ended::Login),
        };
        Ok(rows.into_iter().filter_map(ended).collect())
    }
}

/// From now on tokens of this session open nothing. Fails when it has ended already.
pub async fn end_session(owner_url: &str, session: &str) -> Result<()> {
    let asked = owner(owner_url).await?;
    let ended = asked.query_one("select hearth.end_session($1)", &[&session]).await;
    if ended.map_err(Error::internal)?.get(0) {
        return Ok(());
    }
    Err(Error::internal("this session has ended already"))
}

/// A login as the operator sees it.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Login {
    pub issuer: String,
    pub subject: String,
    pub staff_no: String,
    pub worker_active: bool,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

async fn owner(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(Error::internal)?;
    tokio::spawn(connection);
    Ok(client)
}

/// From now on this subject means the active worker with this staff number, whose name is answered. Fails when there is
/// none, and when the subject means somebody already.
pub async fn add(owner_url: &str, issuer: &str, subject: &str, staff_no: &str) -> Result<String> {
    let asked = owner(owner_url).await?;
    let started = asked.query_one("select hearth.start_login($1, $2, $3)", &[&issuer, &subject, &staff_no]).await;
    let name: Option<String> = match started {
        Ok(row) => row.get(0),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            return Err(Error::internal("this subject means a worker already: end that with `hearth login end` first"));
        }
        Err(error) => return Err(Error::internal(error)),
    };
    name.ok_or_else(|| {
        Error::internal("no active worker has this staff number: look it up in the directory of workers")
    })
}

/// From now on this subject means nobody. Fails when it means nobody already.
pub async fn end(owner_url: &str, issuer: &str, subject: &str) -> Result<()> {
    let asked = owner(owner_url).await?;
    let ended = asked.query_one("select hearth.end_login($1, $2)", &[&issuer, &subject]).await;
    if ended.map_err(Error::internal)?.get(0) {
        return Ok(());
    }
    Err(Error::internal("this subject means nobody: `hearth login list` shows the logins of every issuer"))
}

/// Every login, the ended ones too.
pub async fn list(owner_url: &str) -> Result<Vec<Login>> {
    let asked = owner(owner_url).await?;
    let rows = asked.query("select * from hearth.logins()", &[]).await.map_err(Error::internal)?;
    let login = |row: &tokio_postgres::Row| Login {
        issuer: row.get("issuer"),
        subject: row.get("subject"),
        staff_no: row.get("staff_no"),
        worker_active: row.get("worker_active"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
    };
    Ok(rows.iter().map(login).collect())
}
