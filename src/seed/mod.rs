//! The demo authority: invented people and their records, for trying the service out and for its tests; and a large
//! one around it (`bulk`), for measuring.
//!
//! What is made depends on the day and the size alone, so two databases that are seeded alike hold the same rows.
//! Making the rows (`generate`) is apart from writing them (`write`).

mod bulk;
mod generate;
mod names;
mod write;

use chrono::NaiveDate;
use tokio_postgres::{Client, NoTls, Transaction};
use uuid::Uuid;

pub use bulk::{Sizes, bulk_authority};
use write::Way;

/// How many rows of each kind were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Social work units.
    pub units: usize,
    /// Workers, those who have left included.
    pub workers: usize,
    /// Children, unborn ones included.
    pub children: usize,
    /// Families.
    pub families: usize,
    /// Cases that are not closed.
    pub open_cases: usize,
    /// Allocations, ended ones included.
    pub allocations: usize,
    /// Allocations that have not ended.
    pub open_allocations: usize,
    /// Plans in any status.
    pub plans: usize,
    /// Actions of the plans.
    pub actions: usize,
    /// Conferences in any state.
    pub conferences: usize,
    /// Invitations to them.
    pub invitations: usize,
}

impl Summary {
    fn add(&mut self, rows: &generate::Authority) {
        self.units += rows.units.len();
        self.workers += rows.workers.len();
        self.children += rows.children.len();
        self.families += rows.families.len();
        self.open_cases += rows.cases.iter().filter(|case| case.closed_on.is_none()).count();
        self.allocations += rows.allocations.len();
        self.open_allocations += rows.allocations.iter().filter(|row| row.ended_at.is_none()).count();
        self.plans += rows.plans.len();
        self.actions += rows.actions.len();
        self.conferences += rows.conferences.len();
        self.invitations += rows.invitations.len();
    }
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
    #[error(
        "the database already holds units, and an authority is only written into an empty one: \
         make a new database, or start over with script/server --reset"
    )]
    NotEmpty,
    /// The database does not hold the demo authority.
    #[error("there is no worker {0} in the database: seed it first")]
    NotSeeded(&'static str),
    /// The database refused.
    #[error("{}", refusal(.0))]
    Database(#[from] tokio_postgres::Error),
    /// The size is none that can be made.
    #[error("{asked} {what} cannot be made: ask for {least} to {most}, the demo authority's counted in")]
    Size {
        /// Of what.
        what: &'static str,
        /// How many were asked for.
        asked: usize,
        /// The fewest that can be made.
        least: usize,
        /// The most that can be made.
        most: usize,
    },
    /// The large seed came with a role that may not copy.
    #[error(
        "this role is bound by row-level security, which refuses COPY: give the URL of hearth_bulk, \
         which `hearth migrate --create` makes"
    )]
    NotBulk,
    /// A fault in the program.
    #[error("the rows could not be made: nothing was written")]
    Making,
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

/// A transaction in which the database is empty and stays so for others; none when it is not and that is no error.
async fn begin(client: &mut Client, if_empty: bool) -> Result<Option<Transaction<'_>>, SeedError> {
    let transaction = client.transaction().await?;
    transaction.execute("select pg_advisory_xact_lock($1)", &[&SEEDING_LOCK]).await?;
    match (transaction.query_one("select exists (select from units)", &[]).await?.try_get(0)?, if_empty) {
        (false, _) => Ok(Some(transaction)),
        (true, true) => Ok(None),
        (true, false) => Err(SeedError::NotEmpty),
    }
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
    let Some(transaction) = begin(&mut client, if_empty).await? else { return Ok(None) };
    let authority = generate::generate(today, generate::DEMO);
    write::write(Way::Insert(&transaction), &authority, progress).await?;
    transaction.commit().await?;
    let mut summary = Summary::default();
    summary.add(&authority);
    Ok(Some(summary))
}

/// The demo people by the suffix of their token's variable and their staff number.
const DEMO_PEOPLE: [(&str, &str); 13] = [
    ("CONSULTANT_SOCIAL_WORKER", "U03-CSW"),
    ("SOCIAL_WORKER", "U03-SW"),
    ("CHILDRENS_PRACTITIONER", "U03-CP"),
    ("CLINICIAN", "U03-CL"),
    ("UNIT_COORDINATOR", "U03-UC"),
    ("FIRST_RESPONSE", "FR-1"),
    ("CP_CHAIR", "CH-1"),
    ("SERVICE_MANAGER", "SM-1"),
    ("HEAD_OF_SERVICE", "HS-1"),
    ("PARENTING_SUPPORT_WORKER", "PS-1"),
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
