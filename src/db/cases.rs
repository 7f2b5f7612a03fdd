//! Cases.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx,
    columns::choose,
    failed, lateral,
    page::placed,
    schema::{allocations, case_transfers, cases, units},
};
use crate::{
    auth::viewer::Holding,
    domain::{
        Code,
        codes::{Capacity, CaseStatus, ClosureReason, PrimaryNeed},
        ids::{AreaId, UnitId},
    },
    error::{Error, Refusal, Result},
};

/// The core of a case.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = cases, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct CaseCore {
    pub id: Uuid,
    pub case_no: i64,
    pub child_id: Uuid,
    pub opened_on: NaiveDate,
    pub status: Coded<CaseStatus>,
    pub primary_need: Option<Coded<PrimaryNeed>>,
    pub closed_on: Option<NaiveDate>,
    pub closure_reason: Option<Coded<ClosureReason>>,
    pub version: i32,
}

/// A case with what was selected of it.
#[derive(Clone, Debug)]
pub struct CaseRow {
    /// The core.
    pub core: CaseCore,
    read: Columns,
    referral_summary: Option<Personal<String>>,
    closure_rationale: Option<Personal<String>>,
    safe_at_home: Option<Personal<String>>,
}

impl CaseRow {
    /// Narrative: why the child was referred.
    pub fn referral_summary(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.referral_summary.as_ref().map(Personal::read))
    }
    /// Narrative: why the case was closed.
    pub fn closure_rationale(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.closure_rationale.as_ref().map(Personal::read))
    }
    /// Narrative: why the child can live at home safely without a social worker.
    pub fn safe_at_home(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.safe_at_home.as_ref().map(Personal::read))
    }
}

macro_rules! columns {
    ($read:expr) => {{
        let wide = $read.has(Columns::NARRATIVE);
        (
            CaseCore::as_select(),
            choose(wide, cases::referral_summary, "NULL"),
            choose(wide, cases::closure_rationale, "NULL"),
            choose(wide, cases::safe_at_home, "NULL"),
        )
    }};
}

type Raw = (CaseCore, Option<Personal<String>>, Option<Personal<String>>, Option<Personal<String>>);

fn row(read: Columns) -> impl Fn(Raw) -> CaseRow {
    move |(core, referral_summary, closure_rationale, safe_at_home)| CaseRow {
        core,
        read,
        referral_summary,
        closure_rationale,
        safe_at_home,
    }
}

/// These cases.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<CaseRow>> {
    let query = cases::table.filter(cases::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// A page of the cases of each of these children, newest first.
pub async fn of_children(
    snapshot: &Snapshot,
    child_ids: &[Uuid],
    page: &Page<(NaiveDate, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<CaseRow>>> {
    let mut query = cases::table
        .filter(cases::child_id.eq(lateral::parent_id()))
        .order((cases::opened_on.desc(), cases::id.desc()))
        .limit(page.limit())
        .select(columns!(read))
        .into_boxed();
    if let Some((opened, id)) = page.after {
        query = query.filter(cases::opened_on.lt(opened).or(cases::opened_on.eq(opened).and(cases::id.lt(id))));
    }
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(child_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// How many cases each of these children has in sight.
pub async fn count_of_children(snapshot: &Snapshot, child_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let counted = cases::table.filter(cases::child_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(child_ids, counted)).await
}

/// The open case of each of these children.
pub async fn open_of_children(snapshot: &Snapshot, child_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<CaseRow>>> {
    let query = cases::table
        .filter(cases::child_id.eq(lateral::parent_id()))
        .filter(cases::closed_on.is_null())
        .order((cases::opened_on.desc(), cases::id.desc()))
        .limit(1)
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(child_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// A page of the cases that each of these units holds now in any way, newest first.
pub async fn of_units(
    snapshot: &Snapshot,
    unit_ids: &[Uuid],
    page: &Page<(NaiveDate, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<CaseRow>>> {
    let mut query = cases::table
        .inner_join(allocations::table.on(allocations::case_id.eq(cases::id)))
        .filter(allocations::unit_id.eq(lateral::parent_id()))
        .filter(allocations::ended_at.is_null())
        .order((cases::opened_on.desc(), cases::id.desc()))
        .limit(page.limit())
        .select(columns!(read))
        .into_boxed();
    if let Some((opened, id)) = page.after {
        query = query.filter(cases::opened_on.lt(opened).or(cases::opened_on.eq(opened).and(cases::id.lt(id))));
    }
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(unit_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// A page of the cases without a unit: the queue of first response.
pub async fn queue(snapshot: &Snapshot, page: &Page<(NaiveDate, Uuid)>, read: Columns) -> Result<Vec<CaseRow>> {
    let held = allocations::table
        .filter(allocations::case_id.eq(cases::id))
        .filter(allocations::kind.eq("PRIMARY"))
        .filter(allocations::ended_at.is_null());
    let mut query = cases::table
        .filter(cases::closed_on.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(held)))
        .order((cases::opened_on.desc(), cases::id.desc()))
        .limit(page.limit())
        .select(columns!(read))
        .into_boxed();
    if let Some((opened, id)) = page.after {
        query = query.filter(cases::opened_on.lt(opened).or(cases::opened_on.eq(opened).and(cases::id.lt(id))));
    }
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// How many cases are in the queue and in sight.
pub async fn count_queue(snapshot: &Snapshot) -> Result<i64> {
    let held = allocations::table
        .filter(allocations::case_id.eq(cases::id))
        .filter(allocations::kind.eq("PRIMARY"))
        .filter(allocations::ended_at.is_null());
    let query =
        cases::table.filter(cases::closed_on.is_null()).filter(diesel::dsl::not(diesel::dsl::exists(held))).count();
    let counted: Vec<i64> = snapshot.load(query).await?;
    Ok(counted.into_iter().next().unwrap_or(0))
}

/// A case that a change is about, with who holds it.
#[derive(Clone, Debug)]
pub struct Locked {
    /// The core, as it was when it was locked.
    pub core: CaseCore,
    /// Who holds it.
    pub holding: Holding,
    /// The open primary allocation.
    pub primary: Option<OpenAllocation>,
    /// Open joint and cover allocations.
    pub helping: Vec<OpenAllocation>,
}

/// An allocation that runs.
#[derive(Clone, Debug, Queryable, QueryableByName)]
#[diesel(table_name = allocations, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct OpenAllocation {
    pub id: Uuid,
    pub unit_id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub area_id: Uuid,
    pub kind: Coded<crate::domain::codes::AllocationKind>,
    pub started_at: chrono::DateTime<chrono::Utc>,
}

impl Locked {
    fn new(core: CaseCore, open: Vec<OpenAllocation>, receiving: Option<(Uuid, Uuid)>) -> Self {
        let (primary, helping): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|one| one.kind.0 == crate::domain::codes::AllocationKind::Primary);
        let primary = primary.into_iter().next();
        Self {
            holding: Holding {
                primary: primary.as_ref().map(|one| (UnitId(one.unit_id), AreaId(one.area_id))),
                helping: helping.iter().map(|one| UnitId(one.unit_id)).collect(),
                receiving: receiving.map(|(unit, area)| (UnitId(unit), AreaId(area))),
                offered: None,
                named: Vec::new(),
            },
            core,
            primary,
            helping,
        }
    }

    /// Refuses when somebody changed the case since the client read it.
    pub fn expect_version(&self, expected: i32) -> Result<()> {
        Error::expect_version(self.core.version, expected)
    }

    /// Refuses when the case is closed: nothing begins in it any more.
    pub fn expect_open(&self) -> Result<()> {
        if self.core.status.0.is_closed() {
            return Err(Error::Refused(Refusal::IllegalTransition {
                from: CaseStatus::Closed.code(),
                legal_next: Vec::new(),
            }));
        }
        Ok(())
    }

    /// The moment of a change: now, but never before what is about to end began (two clocks may disagree).
    pub fn moment(&self, now: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
        self.primary.iter().chain(&self.helping).map(|open| open.started_at).fold(now, Ord::max)
    }

    /// The units that hold the case now, in any way: who must hear of it.
    pub fn units(&self) -> Vec<UnitId> {
        self.primary.iter().chain(&self.helping).map(|open| UnitId(open.unit_id)).collect()
    }
}

#[diesel::dsl::auto_type]
fn case(id: Uuid) -> _ {
    let core: diesel::dsl::AsSelect<CaseCore, diesel::pg::Pg> = CaseCore::as_select();
    cases::table.find(id).select(core)
}

/// A case in sight, before it is locked. Hidden or missing: NOT_FOUND. Looked for before it is waited for: nobody learns of
/// a hidden case by how long a lock takes.
pub async fn seen(tx: &ViewerTx, case_id: Uuid) -> Result<CaseCore> {
    case(case_id).first(&mut tx.conn()?).await.map_err(failed)
}

/// Locks a case in sight and reads who holds it. Everything that changes a case comes through here, so changes of one
/// case happen one after the other. Hidden or missing: NOT_FOUND.
///
/// The order of all locks, so that none waits for another in a circle: the idempotency key, one unit, one conference or
/// contact, then cases by id. A unit is waited for by whatever changes its memberships, and by whatever makes it hold a case or
/// a member of it lead one ([`lock_with_unit`]): nobody is given a part in a unit that they leave at the same moment. Last
/// the worker whose memberships change, by a trigger (`rights`).
pub async fn lock(tx: &ViewerTx, case_id: Uuid) -> Result<Locked> {
    lock_seen(tx, None, &seen(tx, case_id).await?).await
}

/// [`lock`] and [`lock_with_unit`] of a case that was seen. The locks are asked for at the first poll: what is polled after
/// it reads under them.
pub async fn lock_seen(tx: &ViewerTx, unit_id: Option<Uuid>, seen: &CaseCore) -> Result<Locked> {
    let case_id = seen.id;
    let waits: Vec<Uuid> = unit_id.into_iter().chain([case_id]).collect();
    // What is read under the locks goes out right behind them, in one go: each statement sees what was committed before
    // it began, so after the wait.
    let conn = tx.conn()?;
    let (mut one, mut two, mut three) = (conn, conn, conn);
    let core = case(case_id).first::<CaseCore>(&mut one);
    let open = allocations::table
        .inner_join(units::table)
        .filter(allocations::case_id.eq(case_id))
        .filter(allocations::ended_at.is_null())
        .select((allocations::id, allocations::unit_id, units::area_id, allocations::kind, allocations::started_at))
        .load::<OpenAllocation>(&mut two);
    let receiving = case_transfers::table
        .inner_join(units::table.on(units::id.eq(case_transfers::to_unit_id)))
        .filter(case_transfers::case_id.eq(case_id))
        .filter(case_transfers::state.eq("REQUESTED"))
        .select((units::id, units::area_id))
        .first::<(Uuid, Uuid)>(&mut three);
    let (waited, core, open, receiving) = futures_util::join!(tx.wait_for(&waits), core, open, receiving);
    waited?;
    let core = core.optional().map_err(failed)?.ok_or(Error::NotFound)?;
    let open = open.map_err(failed)?;
    let receiving = receiving.optional().map_err(failed)?;
    Ok(Locked::new(core, open, receiving))
}

/// A case as far as somebody with a part beside the unit needs it.
#[derive(QueryableByName)]
#[diesel(table_name = cases, check_for_backend(diesel::pg::Pg))]
struct PartCore {
    id: Uuid,
    case_no: i64,
    child_id: Uuid,
    opened_on: NaiveDate,
    status: Coded<CaseStatus>,
    version: i32,
    #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::Uuid>)]
    workers: Vec<Uuid>,
    #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::Text>)]
    capacities: Vec<Coded<Capacity>>,
    #[diesel(sql_type = diesel::sql_types::Array<diesel::sql_types::Uuid>)]
    chairs: Vec<Uuid>,
}

/// Who has a part in a case, and who chaired the conferences that made its protection plan and carried it on.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Parts that run.
    pub workers: Vec<(Capacity, Uuid)>,
    /// Of a child protection plan in force.
    pub chairs: Vec<Uuid>,
}

impl Parts {
    /// Who has a part of one of these capacities.
    pub fn of<'a>(&'a self, capacities: &'a [Capacity]) -> impl Iterator<Item = Uuid> + 'a {
        self.workers.iter().filter(|(capacity, _)| capacities.contains(capacity)).map(|(_, worker)| *worker)
    }
}

/// Locks the case in which the viewer was asked for parenting support or gives it: they act in it without seeing it. With
/// who else has a part in it. Hidden or missing: NOT_FOUND.
pub async fn lock_part(tx: &ViewerTx, case_id: Uuid) -> Result<(Locked, Parts)> {
    let part = || async {
        let query =
            diesel::sql_query("SELECT * FROM hearth.case_of_part($1)").bind::<diesel::sql_types::Uuid, _>(case_id);
        query.get_result::<PartCore>(&mut tx.conn()?).await.map_err(failed)
    };
    part().await?;
    tx.queue_for(case_id).await?;
    let core = part().await?;
    let open: Vec<OpenAllocation> = diesel::sql_query("SELECT * FROM hearth.allocations_of_part($1)")
        .bind::<diesel::sql_types::Uuid, _>(case_id)
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    let workers = core.capacities.iter().map(|capacity| capacity.0).zip(core.workers).collect();
    let parts = Parts { workers, chairs: core.chairs };
    let core = CaseCore {
        id: core.id,
        case_no: core.case_no,
        child_id: core.child_id,
        opened_on: core.opened_on,
        status: core.status,
        primary_need: None,
        closed_on: None,
        closure_reason: None,
        version: core.version,
    };
    Ok((Locked::new(core, open, None), parts))
}

/// Locks a unit and then a case in sight: for what makes the unit hold the case, or a member of it lead the case.
pub async fn lock_with_unit(tx: &ViewerTx, case_id: Uuid, unit_id: Uuid) -> Result<Locked> {
    lock_seen(tx, Some(unit_id), &seen(tx, case_id).await?).await
}

/// Opens the child's records for writing ([`ViewerTx::authorise`]) and steps the case's version ([`touch`]), in one go.
pub async fn authorise_and_touch(tx: &ViewerTx, case: &Locked, status: CaseStatus) -> Result<i32> {
    let child = [case.core.child_id];
    let (authorised, version) = futures_util::join!(tx.authorise(&child), touch(tx, case, status));
    authorised?;
    version
}

/// Steps the case's version, with a new status where the change brings one. First among a change's statements: what
/// follows may move the case out of the viewer's sight.
pub async fn touch(tx: &ViewerTx, case: &Locked, status: CaseStatus) -> Result<i32> {
    let version = case.core.version + 1;
    let changed = tx
        .run(
            diesel::update(cases::table.find(case.core.id))
                .set((cases::version.eq(version), cases::status.eq(Coded(status)))),
        )
        .await?;
    if changed == 1 { Ok(version) } else { Err(Error::NotFound) }
}

/// Why a case closes.
pub struct Closure {
    /// The code.
    pub reason: ClosureReason,
    /// In words.
    pub rationale: String,
    /// Why the child can live at home safely without a social worker.
    pub safe_at_home: Option<String>,
}

/// Closes a case. Whoever sees it in the queue only does so last among a change's statements: it moves out of their sight.
pub async fn close(
    tx: &ViewerTx,
    case: &Locked,
    Closure { reason, rationale, safe_at_home }: Closure,
    referral_nfa: bool,
    on: NaiveDate,
) -> Result<()> {
    let changed = tx
        .run(diesel::update(cases::table.find(case.core.id)).set((
            cases::version.eq(case.core.version + 1),
            cases::status.eq(Coded(CaseStatus::Closed)),
            cases::referral_nfa.eq(referral_nfa),
            cases::closed_on.eq(on),
            cases::closure_reason.eq(Coded(reason)),
            cases::closure_rationale.eq(rationale),
            cases::safe_at_home.eq(safe_at_home),
        )))
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}
