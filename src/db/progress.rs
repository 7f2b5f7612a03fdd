//! What becomes of plans: shared with whom, evidence of change, reviews, and what a unit chose when change did not come.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    Coded, Columns, Page, Personal, Placed, Snapshot, ViewerTx,
    columns::choose,
    failed, lateral,
    page::placed,
    schema::{adoption_steps, change_evidence, plan_escalations, plan_reviews, plan_shares, plan_views, plans},
};
use crate::{
    domain::codes::{
        AdoptionStep, EscalationChoice, EvidenceSource, EvidenceStrength, InvitationMethod, Participation, PlanStance,
        ReversalReason,
    },
    error::{Error, Result},
};

/// Somebody with whom a plan was shared.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_shares, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ShareRow {
    pub plan_id: Uuid,
    pub person_id: Option<Uuid>,
    pub agency_name: Option<Personal<String>>,
    pub shared_on: NaiveDate,
    pub method: Coded<InvitationMethod>,
    pub shared_by: Uuid,
}

/// The core of evidence of change.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = change_evidence, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct EvidenceCore {
    pub id: Uuid,
    pub goal_id: Uuid,
    pub lineage_id: Uuid,
    pub plan_id: Uuid,
    pub observed_on: NaiveDate,
    pub source: Coded<EvidenceSource>,
    pub strength: Coded<EvidenceStrength>,
    pub sustained_since: Option<NaiveDate>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Evidence of change with what was selected of it.
#[derive(Clone, Debug)]
pub struct EvidenceRow {
    /// The core.
    pub core: EvidenceCore,
    read: Columns,
    text: Option<Personal<String>>,
}

impl EvidenceRow {
    /// Narrative: what was seen.
    pub fn text(&self) -> Result<&str> {
        self.read.check(Columns::NARRATIVE)?;
        Ok(self.text.as_ref().map(Personal::read).unwrap_or_default())
    }
}

/// A review of a plan.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_reviews, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct ReviewRow {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub due_on: Option<NaiveDate>,
    pub held_on: NaiveDate,
    pub chair_id: Option<Uuid>,
    pub conference_id: Option<Uuid>,
    pub participation: Option<Coded<Participation>>,
    pub decisions: Personal<Vec<String>>,
    pub change_of_plan: bool,
    pub next_review_on: Option<NaiveDate>,
}

/// The agreed period for change passed, or the plan broke down, and what the unit chose.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_escalations, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct EscalationRow {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub raised_at: DateTime<Utc>,
    pub raised_by: Option<Uuid>,
    pub reason: Personal<String>,
    pub choice: Option<Coded<EscalationChoice>>,
    pub choice_reason: Option<Personal<String>>,
    pub new_change_by: Option<NaiveDate>,
    pub chosen_by: Option<Uuid>,
    pub chosen_at: Option<DateTime<Utc>>,
}

/// With whom each of these plans was shared, first one first.
pub async fn shares_of(snapshot: &Snapshot, plan_ids: &[Uuid]) -> Result<Vec<Placed<ShareRow>>> {
    let query = plan_shares::table
        .filter(plan_shares::plan_id.eq(lateral::parent_id()))
        .order((plan_shares::shared_on, plan_shares::id))
        .select(ShareRow::as_select());
    snapshot.load(lateral::for_each(plan_ids, query)).await
}

/// A page of the evidence for each of these goals, whatever the version of the plan that it was recorded for, latest
/// first. Asked by the goals' lineages.
pub async fn evidence_of(
    snapshot: &Snapshot,
    lineage_ids: &[Uuid],
    page: &Page<(NaiveDate, Uuid)>,
    read: Columns,
) -> Result<Vec<Placed<EvidenceRow>>> {
    let mut query = change_evidence::table
        .filter(change_evidence::lineage_id.eq(lateral::parent_id()))
        .order((change_evidence::observed_on.desc(), change_evidence::id.asc()))
        .limit(page.limit())
        .select((
            EvidenceCore::as_select(),
            choose(read.has(Columns::NARRATIVE), change_evidence::text.nullable(), "NULL"),
        ))
        .into_boxed();
    if let Some((observed, id)) = page.after {
        query = query.filter(
            change_evidence::observed_on
                .lt(observed)
                .or(change_evidence::observed_on.eq(observed).and(change_evidence::id.gt(id))),
        );
    }
    let rows: Vec<Placed<(EvidenceCore, Option<Personal<String>>)>> =
        snapshot.load(lateral::for_each(lineage_ids, query)).await?;
    Ok(placed(rows, |(core, text)| EvidenceRow { core, read, text }))
}

/// How much evidence there is for each of these goals. Asked by the goals' lineages.
pub async fn count_evidence_of(snapshot: &Snapshot, lineage_ids: &[Uuid]) -> Result<Vec<Placed<i64>>> {
    let query = change_evidence::table.filter(change_evidence::lineage_id.eq(lateral::parent_id())).count();
    snapshot.load(lateral::for_each(lineage_ids, query)).await
}

/// The reviews of each of these plans, latest first.
pub async fn reviews_of(snapshot: &Snapshot, plan_ids: &[Uuid]) -> Result<Vec<Placed<ReviewRow>>> {
    let query = plan_reviews::table
        .filter(plan_reviews::plan_id.eq(lateral::parent_id()))
        .order((plan_reviews::held_on.desc(), plan_reviews::id.desc()))
        .select(ReviewRow::as_select());
    snapshot.load(lateral::for_each(plan_ids, query)).await
}

/// The escalations of each of these plans, latest first.
pub async fn escalations_of(snapshot: &Snapshot, plan_ids: &[Uuid]) -> Result<Vec<Placed<EscalationRow>>> {
    let query = plan_escalations::table
        .filter(plan_escalations::plan_id.eq(lateral::parent_id()))
        .order((plan_escalations::raised_at.desc(), plan_escalations::id.desc()))
        .select(EscalationRow::as_select());
    snapshot.load(lateral::for_each(plan_ids, query)).await
}

/// What somebody of the family says of a plan.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = plan_views, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct PlanViewRow {
    pub plan_id: Uuid,
    pub person_id: Uuid,
    pub stance: Coded<PlanStance>,
    pub words: Personal<String>,
    pub said_on: NaiveDate,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// What is said of each of these plans, latest first.
pub async fn views_of(snapshot: &Snapshot, plan_ids: &[Uuid]) -> Result<Vec<Placed<PlanViewRow>>> {
    let query = plan_views::table
        .filter(plan_views::plan_id.eq(lateral::parent_id()))
        .order((plan_views::said_on.desc(), plan_views::id.desc()))
        .limit(super::MAX_FIRST)
        .select(PlanViewRow::as_select());
    snapshot.load(lateral::for_each(plan_ids, query)).await
}

/// What each of these people says of plans, latest first.
pub async fn views_by(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<PlanViewRow>>> {
    let query = plan_views::table
        .filter(plan_views::person_id.eq(lateral::parent_id()))
        .order((plan_views::said_on.desc(), plan_views::id.desc()))
        .limit(super::MAX_FIRST)
        .select(PlanViewRow::as_select());
    snapshot.load(lateral::for_each(person_ids, query)).await
}

/// A view to record.
#[derive(Insertable)]
#[diesel(table_name = plan_views)]
#[allow(missing_docs)]
pub struct NewPlanView {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub person_id: Uuid,
    pub stance: Coded<PlanStance>,
    pub words: String,
    pub said_on: NaiveDate,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Records what somebody says of a plan.
pub async fn view(tx: &ViewerTx, new: NewPlanView) -> Result<()> {
    tx.run(diesel::insert_into(plan_views::table).values(new)).await?;
    Ok(())
}

/// Of whom it is recorded what they say of a plan, or why not, inside a change.
pub async fn heard(tx: &ViewerTx, plan_id: Uuid) -> Result<Vec<Uuid>> {
    plan_views::table
        .filter(plan_views::plan_id.eq(plan_id))
        .select(plan_views::person_id)
        .distinct()
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// How far a plan for adoption has come.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = adoption_steps, check_for_backend(diesel::pg::Pg))]
#[allow(missing_docs)]
pub struct AdoptionStepRow {
    pub plan_id: Uuid,
    pub step: Coded<AdoptionStep>,
    pub happened_on: NaiveDate,
    pub reversal_reason: Option<Coded<ReversalReason>>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// How far each of these plans has come, as it was recorded, last record first. Asked by the plans' lines.
pub async fn adoption_steps_of(snapshot: &Snapshot, line_ids: &[Uuid]) -> Result<Vec<Placed<AdoptionStepRow>>> {
    let query = adoption_steps::table
        .inner_join(plans::table.on(plans::id.eq(adoption_steps::plan_id)))
        .filter(plans::line_id.eq(lateral::parent_id()))
        .order(adoption_steps::id.desc())
        .limit(super::MAX_FIRST)
        .select(AdoptionStepRow::as_select());
    snapshot.load(lateral::for_each(line_ids, query)).await
}

/// How far a plan for adoption has come, of each step what was recorded last, inside a change.
pub async fn adoption_so_far(tx: &ViewerTx, line_id: Uuid) -> Result<Vec<(AdoptionStep, NaiveDate)>> {
    let rows: Vec<(Coded<AdoptionStep>, NaiveDate)> = adoption_steps::table
        .inner_join(plans::table.on(plans::id.eq(adoption_steps::plan_id)))
        .filter(plans::line_id.eq(line_id))
        .distinct_on(adoption_steps::step)
        .order((adoption_steps::step, adoption_steps::id.desc()))
        .select((adoption_steps::step, adoption_steps::happened_on))
        .load(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(|(step, on)| (step.0, on)).collect())
}

/// A step to record.
#[derive(Insertable)]
#[diesel(table_name = adoption_steps)]
#[allow(missing_docs)]
pub struct NewAdoptionStep {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub step: Coded<AdoptionStep>,
    pub happened_on: NaiveDate,
    pub reversal_reason: Option<Coded<ReversalReason>>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Records how far a plan for adoption has come.
pub async fn adoption_step(tx: &ViewerTx, new: NewAdoptionStep) -> Result<()> {
    tx.run(diesel::insert_into(adoption_steps::table).values(new)).await?;
    Ok(())
}

/// Whether the last review at which a version of a plan was considered found that it is to change, inside a change.
pub async fn is_to_change(tx: &ViewerTx, plan_id: Uuid) -> Result<bool> {
    let last: Option<bool> = plan_reviews::table
        .filter(plan_reviews::plan_id.eq(plan_id))
        .order((plan_reviews::held_on.desc(), plan_reviews::id.desc()))
        .select(plan_reviews::change_of_plan)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)?;
    Ok(last == Some(true))
}

/// A share to record.
#[derive(Insertable)]
#[diesel(table_name = plan_shares)]
#[allow(missing_docs)]
pub struct NewShare {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub person_id: Option<Uuid>,
    pub agency_name: Option<String>,
    pub shared_on: NaiveDate,
    pub method: Coded<InvitationMethod>,
    pub shared_by: Uuid,
}

/// Records with whom a plan was shared.
pub async fn share(tx: &ViewerTx, new: Vec<NewShare>) -> Result<()> {
    diesel::insert_into(plan_shares::table).values(new).execute(&mut tx.conn()?).await.map_err(failed)?;
    Ok(())
}

/// Evidence to record.
#[derive(Insertable)]
#[diesel(table_name = change_evidence)]
#[allow(missing_docs)]
pub struct NewEvidence {
    pub id: Uuid,
    pub goal_id: Uuid,
    pub lineage_id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub observed_on: NaiveDate,
    pub source: Coded<EvidenceSource>,
    pub strength: Coded<EvidenceStrength>,
    pub sustained_since: Option<NaiveDate>,
    pub text: String,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Records evidence of change.
pub async fn evidence(tx: &ViewerTx, new: NewEvidence) -> Result<()> {
    tx.run(diesel::insert_into(change_evidence::table).values(new)).await?;
    Ok(())
}

/// Whether there is evidence that the change that a goal asks for lasts, inside a change.
pub async fn sustained(tx: &ViewerTx, lineage_id: Uuid) -> Result<bool> {
    diesel::select(diesel::dsl::exists(
        change_evidence::table
            .filter(change_evidence::lineage_id.eq(lineage_id))
            .filter(change_evidence::sustained_since.is_not_null()),
    ))
    .get_result(&mut tx.conn()?)
    .await
    .map_err(failed)
}

/// A review to record.
#[derive(Insertable)]
#[diesel(table_name = plan_reviews)]
#[allow(missing_docs)]
pub struct NewReview {
    pub id: Uuid,
    pub plan_id: Uuid,
    pub child_id: Uuid,
    pub due_on: Option<NaiveDate>,
    pub held_on: NaiveDate,
    pub chair_id: Option<Uuid>,
    pub conference_id: Option<Uuid>,
    pub participation: Option<Coded<Participation>>,
    pub decisions: Vec<String>,
    pub change_of_plan: bool,
    pub next_review_on: Option<NaiveDate>,
    pub recorded_by: Uuid,
    pub recorded_at: DateTime<Utc>,
}

/// Records a review.
pub async fn review(tx: &ViewerTx, new: NewReview) -> Result<()> {
    tx.run(diesel::insert_into(plan_reviews::table).values(new)).await?;
    Ok(())
}

/// The latest review of any version of a plan inside a change.
pub async fn last_review(tx: &ViewerTx, line_id: Uuid) -> Result<Option<NaiveDate>> {
    plan_reviews::table
        .inner_join(plans::table.on(plans::id.eq(plan_reviews::plan_id)))
        .filter(plans::line_id.eq(line_id))
        .select(diesel::dsl::max(plan_reviews::held_on))
        .first(&mut tx.conn()?)
        .await
        .map_err(failed)
}

/// Raises an escalation.
pub async fn escalate(
    tx: &ViewerTx,
    id: Uuid,
    plan_id: Uuid,
    child_id: Uuid,
    reason: String,
    at: DateTime<Utc>,
) -> Result<()> {
    let by = tx.viewer().worker_id.0;
    tx.run(diesel::insert_into(plan_escalations::table).values((
        plan_escalations::id.eq(id),
        plan_escalations::plan_id.eq(plan_id),
        plan_escalations::child_id.eq(child_id),
        plan_escalations::raised_at.eq(at),
        plan_escalations::raised_by.eq(by),
        plan_escalations::reason.eq(reason),
    )))
    .await?;
    Ok(())
}

/// The escalation of a plan that waits for a choice, inside a change.
pub async fn open_escalation(tx: &ViewerTx, plan_id: Uuid) -> Result<Option<Uuid>> {
    plan_escalations::table
        .filter(plan_escalations::plan_id.eq(plan_id))
        .filter(plan_escalations::choice.is_null())
        .select(plan_escalations::id)
        .first(&mut tx.conn()?)
        .await
        .optional()
        .map_err(failed)
}

/// How often the agreed period of a plan was extended, by a choice or by a version that was agreed for longer, inside a change.
pub async fn extensions(tx: &ViewerTx, line_id: Uuid) -> Result<i64> {
    let versions: i64 = plans::table
        .filter(plans::line_id.eq(line_id))
        .filter(plans::extends_period)
        .count()
        .get_result(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    let chosen: i64 = plan_escalations::table
        .inner_join(plans::table.on(plans::id.eq(plan_escalations::plan_id)))
        .filter(plans::line_id.eq(line_id))
        .filter(plan_escalations::choice.eq(Coded(EscalationChoice::Extend)))
        .count()
        .get_result(&mut tx.conn()?)
        .await
        .map_err(failed)?;
    Ok(versions + chosen)
}

/// What the unit chose.
#[allow(missing_docs)]
pub struct Choice {
    pub choice: EscalationChoice,
    pub reason: String,
    pub new_change_by: Option<NaiveDate>,
    pub at: DateTime<Utc>,
}

/// Records what the unit chose.
pub async fn choose_way(tx: &ViewerTx, escalation_id: Uuid, chosen: Choice) -> Result<()> {
    let by = tx.viewer().worker_id.0;
    let changed = tx
        .run(diesel::update(plan_escalations::table.find(escalation_id)).set((
            plan_escalations::choice.eq(Coded(chosen.choice)),
            plan_escalations::choice_reason.eq(chosen.reason),
            plan_escalations::new_change_by.eq(chosen.new_change_by),
            plan_escalations::chosen_by.eq(by),
            plan_escalations::chosen_at.eq(chosen.at),
        )))
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// The plans that were shared with each of these people, latest first.
pub async fn shares_with(snapshot: &Snapshot, person_ids: &[Uuid]) -> Result<Vec<Placed<ShareRow>>> {
    let query = plan_shares::table
        .filter(plan_shares::person_id.eq(lateral::parent_id().nullable()))
        .order((plan_shares::shared_on.desc(), plan_shares::id.desc()))
        .limit(super::MAX_FIRST)
        .select(ShareRow::as_select());
    snapshot.load(lateral::for_each(person_ids, query)).await
}

/// The reviews of plans that each of these conferences was.
pub async fn reviews_by(snapshot: &Snapshot, conference_ids: &[Uuid]) -> Result<Vec<Placed<ReviewRow>>> {
    let query = plan_reviews::table
        .filter(plan_reviews::conference_id.eq(lateral::parent_id().nullable()))
        .order(plan_reviews::id)
        .select(ReviewRow::as_select());
    snapshot.load(lateral::for_each(conference_ids, query)).await
}
