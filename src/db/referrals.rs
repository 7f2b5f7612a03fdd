//! Referrals: what opened a case, and what was decided about it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Personal, Placed, Snapshot, ViewerTx,
    columns::choose,
    failed, lateral,
    page::placed,
    schema::{cases, referrals},
};
use crate::{
    domain::codes::{CaseStatus, PrimaryNeed, ReferralCategory, ReferralDecision, ReferralSource},
    error::{Error, Result},
};

/// The core of a referral.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = referrals, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ReferralCore {
    pub id: Uuid,
    pub contact_id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub received_on: NaiveDate,
    pub source: Coded<ReferralSource>,
    pub category: Coded<ReferralCategory>,
    pub decision: Option<Coded<ReferralDecision>>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
    pub target_unit_id: Option<Uuid>,
    pub re_referral: bool,
    pub previous_unit_id: Option<Uuid>,
    pub version: i32,
}

/// A referral with what was selected of it.
#[derive(Clone, Debug)]
pub struct ReferralRow {
    /// The core.
    pub core: ReferralCore,
    read: Columns,
    decision_reason: Option<Personal<String>>,
}

impl ReferralRow {
    /// Narrative: why it was decided so.
    pub fn decision_reason(&self) -> Result<Option<&str>> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.decision_reason.as_ref().map(Personal::read))
    }
}

macro_rules! columns {
    ($read:expr) => {
        (ReferralCore::as_select(), choose($read.has(Columns::NARRATIVE), referrals::decision_reason, "NULL"))
    };
}

type Raw = (ReferralCore, Option<Personal<String>>);

fn row(read: Columns) -> impl Fn(Raw) -> ReferralRow {
    move |(core, decision_reason)| ReferralRow { core, read, decision_reason }
}

/// These referrals.
pub async fn by_ids(snapshot: &Snapshot, ids: &[Uuid], read: Columns) -> Result<Vec<ReferralRow>> {
    let query = referrals::table.filter(referrals::id.eq_any(ids.to_vec())).select(columns!(read));
    Ok(snapshot.load(query).await?.into_iter().map(row(read)).collect())
}

/// The referral that opened each of these cases.
pub async fn of_cases(snapshot: &Snapshot, case_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<ReferralRow>>> {
    let query = referrals::table.filter(referrals::case_id.eq(lateral::parent_id())).select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(case_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// The referrals that each of these contacts led to.
pub async fn of_contacts(snapshot: &Snapshot, contact_ids: &[Uuid], read: Columns) -> Result<Vec<Placed<ReferralRow>>> {
    let query = referrals::table
        .filter(referrals::contact_id.eq(lateral::parent_id()))
        .order((referrals::created_at, referrals::id))
        .select(columns!(read));
    let rows: Vec<Placed<Raw>> = snapshot.load(lateral::for_each(contact_ids, query)).await?;
    Ok(placed(rows, row(read)))
}

/// A new case.
#[derive(Insertable)]
#[diesel(table_name = cases)]
#[allow(missing_docs)]
pub struct NewCase {
    pub id: Uuid,
    pub child_id: Uuid,
    pub opened_on: NaiveDate,
    pub status: Coded<CaseStatus>,
    pub primary_need: Coded<PrimaryNeed>,
    pub referral_summary: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A new referral.
#[derive(Insertable)]
#[diesel(table_name = referrals)]
#[allow(missing_docs)]
pub struct NewReferral {
    pub id: Uuid,
    pub contact_id: Uuid,
    pub case_id: Uuid,
    pub child_id: Uuid,
    pub received_on: NaiveDate,
    pub source: Coded<ReferralSource>,
    pub category: Coded<ReferralCategory>,
    pub decision: Option<Coded<ReferralDecision>>,
    pub decision_reason: Option<String>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
    pub target_unit_id: Option<Uuid>,
    pub re_referral: bool,
    pub previous_unit_id: Option<Uuid>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
}

/// Opens a case of a child that is authorised for writing, by a referral. Answers the case's number.
pub async fn open(tx: &ViewerTx, case: NewCase, referral: NewReferral) -> Result<i64> {
    let id = case.id;
    tx.run(diesel::insert_into(cases::table).values(case)).await?;
    tx.run(diesel::insert_into(referrals::table).values(referral)).await?;
    cases::table.find(id).select(cases::case_no).first(&mut tx.conn()?).await.map_err(failed)
}

/// A referral in sight, inside a change.
pub async fn get(tx: &ViewerTx, id: Uuid) -> Result<ReferralCore> {
    referrals::table.find(id).select(ReferralCore::as_select()).first(&mut tx.conn()?).await.map_err(failed)
}

/// The referral that opened a case, inside a change.
pub async fn of_case(tx: &ViewerTx, case_id: Uuid) -> Result<Option<ReferralCore>> {
    referrals::table
        .filter(referrals::case_id.eq(case_id))
        .select(ReferralCore::as_select())
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

diesel::define_sql_function! {
    /// Whether who made a referral's contact was told what became of it.
    #[sql_name = "hearth.referrer_told"]
    fn told_of(referral: diesel::sql_types::Uuid) -> diesel::sql_types::Bool;
}

/// Whether who made the contact was told what became of it, or it is said why not. To whoever may close the referral.
pub async fn referrer_told(tx: &ViewerTx, id: Uuid) -> Result<bool> {
    diesel::select(told_of(id)).get_result(&mut tx.conn()?).await.map_err(failed)
}

/// Records what was decided. Returns the referral's new version.
pub async fn decide(
    tx: &ViewerTx,
    referral: &ReferralCore,
    decision: ReferralDecision,
    reason: String,
    target_unit_id: Option<Uuid>,
    at: DateTime<Utc>,
) -> Result<i32> {
    let version = referral.version + 1;
    let changed = tx
        .run(diesel::update(referrals::table.find(referral.id)).set((
            referrals::decision.eq(Coded(decision)),
            referrals::decision_reason.eq(reason),
            referrals::decided_by.eq(tx.viewer().worker_id.0),
            referrals::decided_at.eq(at),
            referrals::target_unit_id.eq(target_unit_id),
            referrals::version.eq(version),
        )))
        .await?;
    if changed == 1 { Ok(version) } else { Err(Error::NotFound) }
}
