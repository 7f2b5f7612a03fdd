//! The large authority: the demo's rows and then families of the same kind, as many as asked for.
//!
//! It is copied by a role of its own, which exists on development machines only: COPY FROM is refused to a role that
//! row-level security binds. The triggers run as for any other row, so sight is what the application would have made;
//! they are most of the work, so several connections share it. Families are made on a thread of their own while the
//! ones before are loaded; memory holds a few hundred of them.
//!
//! Connections do not see each other's rows before they commit. So the demo and the organisation are committed first,
//! and then all the families at once, or when anything fails none of them.

pub(super) mod copy;
mod families;

use chrono::NaiveDate;
use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio_postgres::{Client, Error, GenericClient};

use super::{
    SeedError, Summary, begin, connect,
    generate::{Authority, DEMO},
    write::{self, Numbers, Way},
};
use families::{Bulk, FIRST};

/// How large an authority is to be, the demo's units and children counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Social work units.
    pub units: usize,
    /// Children.
    pub children: usize,
}

/// Children of a unit, when only one of the two sizes is given.
const CHILDREN_OF_A_UNIT: usize = 50;
/// Connections that load at the same time.
const LOADERS: usize = 2;
const CHILDREN: std::ops::RangeInclusive<usize> = 1_000..=1_000_000;

impl Sizes {
    /// Checked sizes; what is left out follows from the other. None when neither is given.
    pub fn of(units: Option<usize>, children: Option<usize>) -> Result<Option<Self>, SeedError> {
        let sizes = match (units, children) {
            (None, None) => return Ok(None),
            (Some(units), Some(children)) => Self { units, children },
            (Some(units), None) => Self { units, children: units.saturating_mul(CHILDREN_OF_A_UNIT) },
            (None, Some(children)) => Self { units: children / CHILDREN_OF_A_UNIT, children },
        };
        if !CHILDREN.contains(&sizes.children) {
            return Err(SeedError::Size {
                what: "children",
                asked: sizes.children,
                least: *CHILDREN.start(),
                most: *CHILDREN.end(),
            });
        }
        // Beyond that it would be no authority that anybody knows: a unit holds about 60 cases.
        let (least, most) = ((sizes.children / 100).max(DEMO.units), sizes.children / 10);
        if !(least..=most).contains(&sizes.units) {
            return Err(SeedError::Size { what: "units for that many children", asked: sizes.units, least, most });
        }
        Ok(Some(sizes))
    }
}

/// The next numbers for these rows, in the order in which the rows are made, whichever connection copies them.
async fn numbers(client: &impl GenericClient, rows: &Authority) -> Result<Numbers, Error> {
    let row = client
        .query_one(
            "select (select min(nextval('persons_person_no_seq')) from generate_series(1, $1::bigint)),
                    (select min(nextval('cases_case_no_seq')) from generate_series(1, $2::bigint)),
                    (select min(nextval('contacts_contact_no_seq')) from generate_series(1, $3::bigint))",
            &[&count(rows.persons.len()), &count(rows.cases.len()), &count(rows.contacts.len())],
        )
        .await?;
    // Null when there is no such row, and then nothing asks for its number.
    let number = |column| Ok::<i64, Error>(row.try_get::<_, Option<i64>>(column)?.unwrap_or_default());
    Ok(Numbers { person_no: number(0)?, case_no: number(1)?, contact_no: number(2)? })
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Writes the authority, and tells `progress` what is being done, how far it is and how far it goes. When the database
/// holds units already, this is an error, or with `if_empty` nothing is done.
pub async fn bulk_authority(
    database_url: &str,
    today: NaiveDate,
    sizes: Sizes,
    if_empty: bool,
    progress: &mut (dyn FnMut(&str, usize, usize) + Send),
) -> Result<Option<Summary>, SeedError> {
    let mut client = connect(database_url).await?;
    let bound = "select not (rolsuper or rolbypassrls) from pg_roles where rolname = current_user";
    if client.query_one(bound, &[]).await?.try_get(0)? {
        return Err(SeedError::NotBulk);
    }
    let Some(transaction) = begin(&mut client, if_empty).await? else { return Ok(None) };

    let (hand_over, mut made) = mpsc::channel(LOADERS);
    let making = tokio::task::spawn_blocking(move || {
        let (families, first) = Bulk::new(today, sizes);
        for rows in first.into_iter().chain(families) {
            // Nobody takes it any more when the load has failed.
            if hand_over.blocking_send(rows).is_err() {
                return;
            }
        }
    });
    let mut summary = Summary::default();
    for _ in 0..FIRST {
        let rows = made.recv().await.ok_or(SeedError::Making)?;
        let numbers = numbers(&transaction, &rows).await?;
        write::write(Way::Copy(&transaction, numbers), &rows, &mut |_, _, _| {}).await?;
        summary.add(&rows);
    }
    transaction.commit().await?;
    progress("children", summary.children, sizes.children);

    let mut loaders = Vec::new();
    for _ in 0..LOADERS {
        loaders.push(connect(database_url).await?);
    }
    let transactions = try_join_all(loaders.iter_mut().map(Client::transaction)).await?;
    loop {
        let mut round = Vec::new();
        for transaction in &transactions {
            let Some(rows) = made.recv().await else { break };
            round.push((transaction, numbers(&client, &rows).await?, rows));
        }
        if round.is_empty() {
            break;
        }
        try_join_all(round.iter().map(async |(transaction, numbers, rows)| {
            write::write(Way::Copy(transaction, *numbers), rows, &mut |_, _, _| {}).await
        }))
        .await?;
        round.iter().for_each(|(.., rows)| summary.add(rows));
        progress("children", summary.children, sizes.children);
    }
    making.await.map_err(|_| SeedError::Making)?;
    for transaction in transactions {
        transaction.commit().await?;
    }
    progress("statistics", 0, 1);
    client.execute("select hearth.refresh_statistics()", &[]).await?;
    progress("statistics", 1, 1);
    Ok(Some(summary))
}
