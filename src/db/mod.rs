//! The database. The only place that names diesel.
//!
//! A connection is handed out only against a [`Viewer`]: reading happens in a [`Snapshot`], changing in a
//! [`ViewerTx`]. Background work logs in as roles of its own (`outbox`). Reads return rows; what a viewer may not see
//! is not among them, and nothing here tells the difference.

mod coded;
mod columns;
mod kept;
mod lateral;
mod page;
mod personal;
mod pool;
mod recipients;
mod schema;
mod snapshot;
mod tx;
mod unkept;

pub mod access;
pub mod allocations;
pub mod assessments;
pub mod audit;
pub mod cases;
pub mod children;
pub mod chronology;
pub mod conferences;
pub mod contacts;
pub mod enquiries;
pub mod families;
pub mod idempotency;
pub mod information;
pub mod invitations;
pub mod involvements;
pub mod logins;
pub mod migrations;
pub mod needs;
pub mod outbox;
pub mod plans;
pub mod progress;
pub mod reads;
pub mod referrals;
pub mod roles;
pub mod sittings;
pub mod statistics;
pub mod support;
pub mod transfers;
pub mod units;
pub mod viewers;
pub mod workers;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::{AsyncPgConnection, pooled_connection::deadpool::Pool};

pub use coded::Coded;
pub use columns::{Columns, NotRead};
pub use page::{MAX_FIRST, Page, Placed};
pub use personal::Personal;
pub use pool::StatementListener;
pub use snapshot::{Seen, Snapshot};
pub use tx::ViewerTx;

use self::idempotency::Claim;
use crate::{
    auth::Viewer,
    error::{Error, Result},
};

/// The application role's database.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
}

impl Db {
    /// At most `connections` connections as the role in `url`. `heard` hears the text of every statement.
    pub fn new(url: &str, connections: usize, heard: Option<StatementListener>) -> Result<Self> {
        Ok(Self { pool: pool::build(url, connections, heard)? })
    }

    /// One read-only instant, opened at its first load.
    pub fn snapshot(&self, viewer: Viewer) -> std::sync::Arc<Snapshot> {
        Snapshot::new(self.pool.clone(), viewer)
    }

    /// A transaction that changes records.
    pub async fn begin(&self, viewer: Viewer) -> Result<ViewerTx> {
        ViewerTx::begin(&self.pool, viewer).await
    }

    /// A transaction that changes records once for each key, which is claimed in the same go ([`idempotency`]).
    pub async fn begin_once(
        &self,
        viewer: Viewer,
        mutation: &str,
        key: &str,
        input_hash: &[u8],
    ) -> Result<(ViewerTx, Claim)> {
        let tx = ViewerTx::unopened(&self.pool, viewer).await?;
        let claiming = idempotency::claim(&tx, mutation, key, input_hash);
        let (entered, claimed) = futures_util::join!(tx.enter(), claiming);
        entered?;
        match claimed {
            Ok(claim) => Ok((tx, claim)),
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    /// Whether the database has the newest migration that this program knows. Fails when it cannot be asked.
    pub async fn migrated(&self) -> Result<bool> {
        use diesel::sql_types::Text;
        use diesel_async::RunQueryDsl;
        #[derive(diesel::QueryableByName)]
        struct Newest {
            #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
            version: Option<String>,
        }
        let mut conn = self.pool.get().await.map_err(no_connection)?;
        let found: Newest = diesel::sql_query("select max(version) as version from __diesel_schema_migrations")
            .get_result(&mut conn)
            .await
            .map_err(failed)?;
        Ok(found.version.is_some_and(|version| version >= migrations::newest()))
    }

    /// How many connections are open and how many are idle, for health and tests.
    pub fn connections(&self) -> (usize, usize) {
        let status = self.pool.status();
        (status.size, status.available)
    }
}

/// One conversion from the database's errors. What is unexpected is logged by whoever handles it, with its cause;
/// a constraint's detail, which holds column values, is dropped here already.
fn failed(error: DieselError) -> Error {
    match error {
        DieselError::NotFound => Error::NotFound,
        DieselError::DatabaseError(kind, info) => {
            let message = info.message();
            match (kind, info.constraint_name()) {
                (_, _) if message == "not an active worker" => Error::Unauthenticated,
                (_, _) if message == "not a counter" => {
                    Error::Forbidden("a data analyst, a service manager or the head of service")
                }
                (_, _) if message == "opened to read" => Error::guard(
                    "OPENED_TO_READ",
                    "You broke the glass of this record to read it. A change needs a right of your own: ask who manages the \
                     restriction, or somebody who works with the child.",
                ),
                (_, Some("one_primary_allocation")) => {
                    Error::conflict("A unit holds this case already: read it again, and ask for a transfer instead.")
                }
                (_, Some("one_helping_allocation_per_unit")) => {
                    Error::conflict("This unit helps with the case already: read it again.")
                }
                (_, Some("one_requested_transfer")) => {
                    Error::conflict("A transfer of this case waits for its answer: read it again.")
                }
                (_, Some("one_open_plan" | "one_open_plan_of_a_kind")) => {
                    Error::conflict("The child has an open plan already: read the case again.")
                }
                (_, Some("one_open_support")) => {
                    Error::conflict("This worker was asked already, or works with the family: read the case again.")
                }
                (_, Some("one_reviewing_officer" | "one_personal_adviser")) => {
                    Error::conflict("Somebody else has this part already: end theirs first.")
                }
                (_, Some("one_consultant_social_worker")) => Error::conflict(
                    "The unit has a consultant social worker at that time, and one more may only cover: end the other \
                     membership first.",
                ),
                (_, Some("one_membership_at_a_time")) => {
                    Error::conflict("This worker is a member of the unit at that time: change the role instead.")
                }
                (_, Some("one_draft_plan" | "one_new_draft_plan")) => {
                    Error::conflict("There is a draft already: read the plans again, and change that one.")
                }
                (_, Some("one_running_restriction")) => {
                    Error::conflict("The record is restricted already: change that restriction.")
                }
                (_, Some("one_running_denial")) => Error::conflict("This worker is kept from the record already."),
                (_, Some("one_of_a_contact_is_one_child")) => {
                    Error::conflict("Another one of this contact is said to be that child already: undo that first.")
                }
                (_, Some("one_open_assessment")) => {
                    Error::conflict("An assessment of this case is not authorised yet: go on with that one.")
                }
                (_, Some("one_open_enquiry")) => {
                    Error::conflict("A section 47 enquiry about this child is open already: go on with that one.")
                }
                (_, Some("cases_of_a_child_never_overlap")) => {
                    Error::conflict("The child has an open case: read the contact again, and pass it to that case.")
                }
                (_, Some("one_lead_practitioner")) => {
                    Error::conflict("The lead practitioner changed meanwhile: read the case again.")
                }
                (
                    _,
                    Some("one_invitation_of_a_person" | "one_invitation_of_a_worker" | "one_invitation_of_an_agency"),
                ) => Error::conflict("One of them is invited already: read the conference again."),
                (DatabaseErrorKind::ExclusionViolation | DatabaseErrorKind::UniqueViolation, _) => {
                    Error::conflict("Another record stands in the way: read it again.")
                }
                (_, _) if message == "deadlock detected" => {
                    Error::conflict("Somebody changed this at the same moment: try again.")
                }
                (_, _) if message.starts_with("canceling statement due to") => Error::Timeout,
                (_, Some(constraint)) => Error::internal(format!("{kind:?} {constraint}: {message}")),
                (_, None) => Error::internal(format!("{kind:?}: {}", without_values(message))),
            }
        }
        other => Error::internal(other),
    }
}

/// A message of Postgres without what it quotes: of a value that it cannot read, it repeats the value.
fn without_values(message: &str) -> String {
    let (Some(from), Some(to)) = (message.find('"'), message.rfind('"')) else { return message.to_owned() };
    // What is cut off has no other end.
    let rest = if from < to { &message[to + 1..] } else { "" };
    format!("{}\"...\"{rest}", &message[..from])
}

fn no_connection(error: diesel_async::pooled_connection::deadpool::PoolError) -> Error {
    match error {
        deadpool::managed::PoolError::Timeout(_) => Error::Timeout,
        other => Error::internal(other),
    }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn a_message_of_postgres_keeps_no_value() {
        for (message, kept) in [
            ("permission denied for table persons", "permission denied for table persons"),
            ("invalid input syntax for type uuid: \"Zoe\"", "invalid input syntax for type uuid: \"...\""),
            ("value \"Zoe \"Z\" Zeta\" is out of range", "value \"...\" is out of range"),
            ("cut off: \"Zoe", "cut off: \"...\""),
        ] {
            assert_eq!(without_values(message), kept);
        }
    }
}
