//! Whom a token's subject means: `worker_logins`, read and written through functions alone.

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Text, Uuid as UuidSql};
use diesel_async::RunQueryDsl;
use tokio_postgres::{Client, NoTls, error::SqlState};
use uuid::Uuid;

use super::{Db, failed, no_connection};
use crate::{
    domain::ids::WorkerId,
    error::{Error, Result},
};

diesel::define_sql_function! {
    /// The worker of a subject.
    #[sql_name = "hearth.login"]
    fn login_of(issuer: Text, subject: Text) -> Nullable<UuidSql>;
}

impl Db {
    /// The active worker whom this subject of this issuer means now. Fails when the database cannot be asked.
    pub async fn login(&self, issuer: &str, subject: &str) -> Result<Option<WorkerId>> {
        let mut conn = self.pool.get().await.map_err(no_connection)?;
        let found: Option<Uuid> =
            diesel::select(login_of(issuer, subject)).get_result(&mut conn).await.map_err(failed)?;
        Ok(found.map(WorkerId))
    }
}

/// What opens nothing any more, before its tokens' time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// A session of the provider.
    Session(Arc<str>),
    /// A provider's subject, who means nobody now.
    Login {
        /// The provider.
        issuer: Arc<str>,
        /// Its name for somebody.
        subject: Arc<str>,
    },
}

impl Db {
    /// What ended lately: within the longest time that a token may be good.
    pub async fn ended_doors(&self) -> Result<HashSet<Ended>> {
        use diesel::sql_types::Nullable;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            session: Option<String>,
            #[diesel(sql_type = Nullable<Text>)]
            issuer: Option<String>,
            #[diesel(sql_type = Nullable<Text>)]
            subject: Option<String>,
        }
        let mut conn = self.pool.get().await.map_err(no_connection)?;
        let rows: Vec<Row> = diesel::sql_query("select session, issuer, subject from hearth.ended_doors()")
            .load(&mut conn)
            .await
            .map_err(failed)?;
        let ended = |row: Row| match (row.session, row.issuer, row.subject) {
            (Some(session), ..) => Some(Ended::Session(session.into())),
            (_, Some(issuer), Some(subject)) => Some(Ended::Login { issuer: issuer.into(), subject: subject.into() }),
            _ => None,
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
