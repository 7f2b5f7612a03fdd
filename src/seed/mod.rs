//! The demo authority: invented people and their records, for trying the service out and for its tests.
//!
//! What is made depends on the day alone, so two databases that are seeded on one day hold the same rows. Making the
//! rows (`generate`) is apart from writing them (`write`).

mod generate;
mod names;
mod write;

use chrono::NaiveDate;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// How many rows of each kind were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Social work units.
    pub units: usize,
    /// Workers, those who have left included.
    pub workers: usize,
    /// Children, unborn ones included.
    pub children: usize,
    /// Cases that are not closed.
    pub open_cases: usize,
    /// Plans in any status.
    pub plans: usize,
    /// Conferences in any state.
    pub conferences: usize,
}

/// One of the demo people for whom development tokens are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// What the name of the token's variable ends in.
    pub variable: &'static str,
    /// The worker.
    pub worker_id: Uuid,
    /// The worker's name.
    pub name: String,
    /// The code of the role or post that the worker has today.
    pub role: String,
    /// The unit or area, or for a post beside any unit the post's code.
    pub place: String,
    /// The unit, for a member of one.
    pub unit_id: Option<Uuid>,
}

/// Why the demo authority could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// There is something in the database already.
    #[error("the database already holds units: the demo authority is only written into an empty one")]
    NotEmpty,
    /// The database does not hold the demo authority.
    #[error("there is no worker {0} in the database: seed it first")]
    NotSeeded(&'static str),
    /// The database refused.
    #[error("{}", refusal(.0))]
    Database(#[from] tokio_postgres::Error),
}

/// The client's own message for an error of the server is only "db error".
fn refusal(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(from) => format!("the database refused: {} ({})", from.message(), from.code().code()),
        None => format!("cannot speak to the database: {error}"),
    }
}

/// Only one seeding at a time may find the database empty.
const SEEDING_LOCK: i64 = 0x0073_6565_6469_6e67;

async fn connect(database_url: &str) -> Result<Client, SeedError> {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await?;
    // Ends with the client; an error of the connection also reaches the statement that waits for it.
    tokio::spawn(connection);
    Ok(client)
}

/// Writes the demo authority of `today` in one transaction, and tells `progress` the table, its rows so far and all
/// its rows. When the database holds units already, this is an error, or with `if_empty` nothing is done.
pub async fn demo_authority(
    database_url: &str,
    today: NaiveDate,
    if_empty: bool,
    progress: &mut (dyn FnMut(&str, usize, usize) + Send),
) -> Result<Option<Summary>, SeedError> {
    let mut client = connect(database_url).await?;
    let transaction = client.transaction().await?;
    transaction.execute("select pg_advisory_xact_lock($1)", &[&SEEDING_LOCK]).await?;
    if transaction.query_one("select exists (select from units)", &[]).await?.try_get(0)? {
        return if if_empty { Ok(None) } else { Err(SeedError::NotEmpty) };
    }
    let authority = generate::generate(today, generate::DEMO);
    write::write(&transaction, &authority, progress).await?;
    transaction.commit().await?;
    Ok(Some(Summary {
        units: authority.units.len(),
        workers: authority.workers.len(),
        children: authority.children.len(),
        open_cases: authority.cases.iter().filter(|case| case.closed_on.is_none()).count(),
        plans: authority.plans.len(),
        conferences: authority.conferences.len(),
    }))
}

/// The demo people by the suffix of their token's variable and their staff number.
const DEMO_PEOPLE: [(&str, &str); 12] = [
    ("CONSULTANT_SOCIAL_WORKER", "U03-CSW"),
    ("SOCIAL_WORKER", "U03-SW"),
    ("CHILDRENS_PRACTITIONER", "U03-CP"),
    ("CLINICIAN", "U03-CL"),
    ("UNIT_COORDINATOR", "U03-UC"),
    ("FIRST_RESPONSE", "FR-1"),
    ("CP_CHAIR", "CH-1"),
    ("SERVICE_MANAGER", "SM-1"),
    ("HEAD_OF_SERVICE", "HS-1"),
    ("OTHER_UNIT", "U07-CSW"),
    ("OTHER_UNIT_SOCIAL_WORKER", "U07-SW"),
    ("OTHER_UNIT_COORDINATOR", "U07-UC"),
];

/// The demo people for whom development tokens are made, in a fixed order.
pub async fn demo_people(database_url: &str) -> Result<Vec<DemoPerson>, SeedError> {
    let client = connect(database_url).await?;
    let find = client
        .prepare(
            "select w.id, w.name, coalesce(m.role, p.post, 'SERVICE_MANAGER'), coalesce(u.name, p.post, a.name), u.id
             from workers w
             left join unit_memberships m on m.worker_id = w.id and m.ended_at is null
             left join units u on u.id = m.unit_id
             left join worker_posts p on p.worker_id = w.id and p.ended_at is null
             left join areas a on a.service_manager_id = w.id
             where w.staff_no = $1 and coalesce(m.id, p.id, a.id) is not null
             order by m.started_at, a.name limit 1",
        )
        .await?;
    let mut people = Vec::with_capacity(DEMO_PEOPLE.len());
    for (variable, staff_no) in DEMO_PEOPLE {
        let row = client.query_opt(&find, &[&staff_no]).await?.ok_or(SeedError::NotSeeded(staff_no))?;
        people.push(DemoPerson {
            variable,
            worker_id: row.try_get(0)?,
            name: row.try_get(1)?,
            role: row.try_get(2)?,
            place: row.try_get(3)?,
            unit_id: row.try_get(4)?,
        });
    }
    Ok(people)
}
