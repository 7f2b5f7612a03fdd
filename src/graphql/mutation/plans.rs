use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, person};
use crate::{
    domain::{
        codes::{
            AdoptionStep, EscalationChoice, EvidenceSource, EvidenceStrength, GoalStatus, InvitationMethod,
            Participation, PermanenceRoute, PlanKind, PlanSection, PlanStance, ReversalReason,
        },
        ids::{ActionId, CaseId, GoalId, PlanId, WorkerId},
    },
    error::{Error, Result},
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::{Date, local},
        types::{Action, Case, Goal, Plan},
    },
    services::plans::{
        ActionInput, ActionOwner, AgreePlan, ChangePlanDraft, CompletePlanAction, DraftPlan, EndPlan, EscalatePlan,
        GoalInput, PlanContent, Recipient, RecordAdoptionStep, RecordChangeEvidence, RecordPlanReview, RecordPlanView,
        RevisePlan, SetGoalStatus, SettlePlanEscalation, SharePlan,
    },
};

payload! {
    /// Answer to draftPlan.
    DraftPlanPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to changePlanDraft.
    ChangePlanDraftPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to revisePlan.
    RevisePlanPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to agreePlan.
    AgreePlanPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to sharePlan.
    SharePlanPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to completePlanAction.
    CompletePlanActionPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
        /// The action.
        action: Nullable<Action>,
    }
}
payload! {
    /// Answer to recordChangeEvidence.
    RecordChangeEvidencePayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
        /// The goal.
        goal: Nullable<Goal>,
    }
}
payload! {
    /// Answer to setGoalStatus.
    SetGoalStatusPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
        /// The goal.
        goal: Nullable<Goal>,
    }
}
payload! {
    /// Answer to recordPlanReview.
    RecordPlanReviewPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to escalatePlan.
    EscalatePlanPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to settlePlanEscalation.
    SettlePlanEscalationPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to endPlan.
    EndPlanPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}

payload! {
    /// Answer to recordPlanView.
    RecordPlanViewPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to recordAdoptionStep.
    RecordAdoptionStepPayload {
        /// The plan.
        plan: Nullable<Plan>,
        /// The case.
        case: Nullable<Case>,
    }
}

/// Begins a plan.
#[derive(InputObject)]
pub struct DraftPlanInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// What kind. A child protection plan is made by a conference; CARE, PLACEMENT, HEALTH, PERSONAL_EDUCATION, PERMANENCE and
    /// ADOPTION are for a child who comes into care or is looked after, PATHWAY for a young person on the way out of care.
    kind: PlanKind,
    /// What it says.
    content: PlanContentInput,
}

/// Changes a draft.
#[derive(InputObject)]
pub struct ChangePlanDraftInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// What it is to say: everything.
    content: PlanContentInput,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Begins the next version of a plan.
#[derive(InputObject)]
pub struct RevisePlanInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Brings a draft into force.
#[derive(InputObject)]
pub struct AgreePlanInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// First day; today when left out. Of a revision it stays the first version's.
    start_on: Option<Date>,
    /// When its first review is due.
    review_due_on: Option<Date>,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Shares a version of a plan.
#[derive(InputObject)]
pub struct SharePlanInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// With whom, between 1 and 30.
    recipients: Vec<PlanRecipientInput>,
    /// How.
    method: InvitationMethod,
    /// When: not in the future.
    shared_on: Date,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Records that an action was done.
#[derive(InputObject)]
pub struct CompletePlanActionInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the action.
    action_id: ID,
    /// When: not in the future.
    done_on: Date,
    /// What came of it. At most 5,000 characters.
    outcome: Option<String>,
    /// The action's version as you read it.
    expected_version: i32,
}

/// Records evidence of change.
#[derive(InputObject)]
pub struct RecordChangeEvidenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the goal.
    goal_id: ID,
    /// When it was observed: not in the future.
    observed_on: Date,
    /// Where it comes from.
    source: EvidenceSource,
    /// How strong it is.
    strength: EvidenceStrength,
    /// Since when the change has lasted, if it has.
    sustained_since: Option<Date>,
    /// What was seen. At most 10,000 characters.
    text: String,
}

/// Settles where a goal stands.
#[derive(InputObject)]
pub struct SetGoalStatusInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the goal.
    goal_id: ID,
    /// Where it stands.
    status: GoalStatus,
    /// The goal's version as you read it.
    expected_version: i32,
}

/// Records a review of a plan.
#[derive(InputObject)]
pub struct RecordPlanReviewInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// When it was held: after the plan's first day and after the review before it, not in the future.
    held_on: Date,
    /// How the child took part. PN0 exactly for a child under four.
    participation: Participation,
    /// What was decided, at most 30 decisions.
    #[graphql(default)]
    decisions: Vec<String>,
    /// Whether the plan is to change: revise it then.
    change_of_plan: bool,
    /// When the next one is due.
    next_review_on: Date,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Records that a plan did not work.
#[derive(InputObject)]
pub struct EscalatePlanInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// Why. At most 5,000 characters.
    reason: String,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Chooses what follows on an escalated plan.
#[derive(InputObject)]
pub struct SettlePlanEscalationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// What follows.
    choice: EscalationChoice,
    /// Why. At most 5,000 characters.
    reason: String,
    /// With EXTEND: until when change is to be achieved. Left out for a plan that seeks no change and has no period.
    new_change_by: Option<Date>,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Ends a plan.
#[derive(InputObject)]
pub struct EndPlanInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan.
    plan_id: ID,
    /// Last day: not in the future.
    end_on: Date,
    /// Why. At most 5,000 characters.
    reason: String,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// Records what somebody says of a plan.
#[derive(InputObject)]
pub struct RecordPlanViewInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the plan: a draft or one in force.
    plan_id: ID,
    /// Whose view it is: the child, a parent, somebody else of the family. A Child's or a Person's id.
    said_by_id: ID,
    /// Whether they agree, or why there is no view.
    stance: PlanStance,
    /// Their words; with NO_ANSWER and NOT_ASKED why there are none. At most 10,000 characters.
    words: String,
    /// When: not in the future.
    said_on: Date,
}

/// Records how far a plan for adoption has come.
#[derive(InputObject)]
pub struct RecordAdoptionStepInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of a plan for adoption in force.
    plan_id: ID,
    /// What happened.
    step: AdoptionStep,
    /// When: not in the future, and in the order of the steps.
    happened_on: Date,
    /// With REVERSED: why.
    reversal_reason: Option<ReversalReason>,
    /// The plan's version as you read it.
    expected_version: i32,
}

/// A section of a plan.
#[derive(InputObject)]
pub struct PlanSectionInput {
    /// Which: one of the plan's `requiredSections`.
    section: PlanSection,
    /// What it says. At most 10,000 characters.
    text: String,
}

/// The whole of what a draft says.
#[derive(InputObject)]
pub struct PlanContentInput {
    /// What the plan is for. At most 10,000 characters.
    overall_aim: String,
    /// Until when change is to be achieved. Needed before a plan that seeks change (CIN, CHILD_PROTECTION, SUPPORT) is agreed.
    agreed_change_by: Option<Date>,
    /// What the parents say. At most 10,000 characters.
    parent_view: Option<String>,
    /// What the child says. At most 10,000 characters.
    child_view: Option<String>,
    /// Its goals in their order, at most 30. A plan that seeks change (CIN, CHILD_PROTECTION, SUPPORT) needs at least one before
    /// it is agreed.
    goals: Vec<PlanGoalInput>,
    /// What it says beside goals, as its kind asks: each section at most once. A section that you leave out is empty.
    #[graphql(default)]
    sections: Vec<PlanSectionInput>,
    /// Where the child is to grow up, of a permanence plan. Needed before it is agreed.
    route: Option<PermanenceRoute>,
    /// What is pursued beside it, of a permanence plan: another than `route`.
    parallel_route: Option<PermanenceRoute>,
    /// When needs were assessed, of a pathway plan. Needed before it is agreed.
    needs_assessed_on: Option<Date>,
}

/// A goal of a draft.
#[derive(InputObject)]
pub struct PlanGoalInput {
    /// Global id of the draft's goal that it changes; a new goal when left out.
    id: Option<ID>,
    /// What needs to change. At most 2,000 characters.
    what_needs_to_change: String,
    /// Why. At most 5,000 characters.
    why: Option<String>,
    /// How change is measured. Needed before the plan is agreed.
    measure: Option<String>,
    /// Where things stand now.
    baseline: Option<String>,
    /// Where things should stand. Needed before the plan is agreed.
    target: Option<String>,
    /// Who does what for it, at most 30 actions.
    actions: Vec<PlanActionInput>,
}

/// An action of a draft: exactly one of worker, person and agency does it.
#[derive(InputObject)]
pub struct PlanActionInput {
    /// Global id of the draft's action that it changes; a new action when left out.
    id: Option<ID>,
    /// What is to be done. At most 2,000 characters.
    text: String,
    /// Global id of the worker who does it.
    owner_worker_id: Option<ID>,
    /// Global id of the family member who does it.
    owner_person_id: Option<ID>,
    /// Name of the agency that does it. At most 200 characters.
    owner_agency: Option<String>,
    /// Until when.
    due_on: Option<Date>,
}

/// With whom a plan is shared: exactly one of person and agency.
#[derive(InputObject)]
pub struct PlanRecipientInput {
    /// Global id of a person of the family.
    person_id: Option<ID>,
    /// Name of an agency. At most 200 characters.
    agency_name: Option<String>,
}

fn recipient(input: PlanRecipientInput) -> Result<Recipient> {
    match (input.person_id, input.agency_name) {
        (Some(id), None) => Ok(Recipient::Person(person("personId", &id)?)),
        (None, Some(name)) => Ok(Recipient::Agency(name)),
        _ => Err(Error::bad_input("recipients", "must name each exactly one of personId and agencyName")),
    }
}

fn action(input: PlanActionInput) -> Result<ActionInput> {
    let owner = match (input.owner_worker_id, input.owner_person_id, input.owner_agency) {
        (Some(id), None, None) => ActionOwner::Worker(local("ownerWorkerId", WorkerId::KIND, &id)?),
        (None, Some(id), None) => ActionOwner::Person(person("ownerPersonId", &id)?),
        (None, None, Some(name)) => ActionOwner::Agency(name),
        _ => {
            return Err(Error::bad_input(
                "actions",
                "must name each exactly one of ownerWorkerId, ownerPersonId and ownerAgency",
            ));
        }
    };
    let id = input.id.map(|id| local("id", ActionId::KIND, &id)).transpose()?;
    Ok(ActionInput { id, text: input.text, owner, due_on: input.due_on.map(|day| day.0) })
}

fn content(input: PlanContentInput) -> Result<PlanContent> {
    let mut goals = Vec::with_capacity(input.goals.len());
    for goal in input.goals {
        goals.push(GoalInput {
            id: goal.id.map(|id| local("id", GoalId::KIND, &id)).transpose()?,
            what_needs_to_change: goal.what_needs_to_change,
            why: goal.why,
            measure: goal.measure,
            baseline: goal.baseline,
            target: goal.target,
            actions: goal.actions.into_iter().map(action).collect::<Result<Vec<_>>>()?,
        });
    }
    Ok(PlanContent {
        overall_aim: input.overall_aim,
        agreed_change_by: input.agreed_change_by.map(|day| day.0),
        parent_view: input.parent_view,
        child_view: input.child_view,
        goals,
        sections: input.sections.into_iter().map(|one| (one.section, one.text)).collect(),
        route: input.route,
        parallel_route: input.parallel_route,
        needs_assessed_on: input.needs_assessed_on.map(|day| day.0),
    })
}

/// Plans.
#[derive(Default)]
pub struct PlanMutations;

/// Plans.
#[Object]
impl PlanMutations {
    /// Begins a plan of any kind that no conference makes. It is in force only when it is agreed.
    async fn draft_plan(&self, ctx: &Context<'_>, input: DraftPlanInput) -> Nullable<DraftPlanPayload> {
        change!(
            ctx,
            input,
            draft_plan,
            DraftPlanPayload,
            DraftPlan {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                kind: input.kind,
                content: content(input.content)?,
            }
        )
    }

    /// Changes the whole of a draft at once. Goals and actions that you leave out are given up.
    async fn change_plan_draft(
        &self,
        ctx: &Context<'_>,
        input: ChangePlanDraftInput,
    ) -> Nullable<ChangePlanDraftPayload> {
        change!(
            ctx,
            input,
            change_plan_draft,
            ChangePlanDraftPayload,
            ChangePlanDraft {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                content: content(input.content)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Begins the next version of a plan: a draft with its goals and open actions. The version in force stays
    /// so until the draft is agreed.
    async fn revise_plan(&self, ctx: &Context<'_>, input: RevisePlanInput) -> Nullable<RevisePlanPayload> {
        change!(
            ctx,
            input,
            revise_plan,
            RevisePlanPayload,
            RevisePlan {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Brings a draft into force. A revision takes the place of the version before it. Of each kind one is in force at a time,
    /// and a child in need plan and a child protection plan never together. The child and everybody with parental
    /// responsibility were asked what they say, or it says why not. Care, permanence and adoption plans are a manager's to
    /// agree.
    async fn agree_plan(&self, ctx: &Context<'_>, input: AgreePlanInput) -> Nullable<AgreePlanPayload> {
        change!(
            ctx,
            input,
            agree_plan,
            AgreePlanPayload,
            AgreePlan {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                start_on: input.start_on.map(|day| day.0),
                review_due_on: input.review_due_on.map(|day| day.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Shares a version with parents, the child or agencies. Its content stays as it is from then on.
    async fn share_plan(&self, ctx: &Context<'_>, input: SharePlanInput) -> Nullable<SharePlanPayload> {
        change!(
            ctx,
            input,
            share_plan,
            SharePlanPayload,
            SharePlan {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                recipients: input.recipients.into_iter().map(recipient).collect::<Result<Vec<_>>>()?,
                method: input.method,
                shared_on: input.shared_on.0,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records that an action was done, with what came of it.
    async fn complete_plan_action(
        &self,
        ctx: &Context<'_>,
        input: CompletePlanActionInput,
    ) -> Nullable<CompletePlanActionPayload> {
        change!(
            ctx,
            input,
            complete_plan_action,
            CompletePlanActionPayload,
            CompletePlanAction {
                action_id: local("actionId", ActionId::KIND, &input.action_id)?,
                done_on: input.done_on.0,
                outcome: input.outcome,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records evidence of change. It is appended, never rewritten.
    async fn record_change_evidence(
        &self,
        ctx: &Context<'_>,
        input: RecordChangeEvidenceInput,
    ) -> Nullable<RecordChangeEvidencePayload> {
        change!(
            ctx,
            input,
            record_change_evidence,
            RecordChangeEvidencePayload,
            RecordChangeEvidence {
                goal_id: local("goalId", GoalId::KIND, &input.goal_id)?,
                observed_on: input.observed_on.0,
                source: input.source,
                strength: input.strength,
                sustained_since: input.sustained_since.map(|day| day.0),
                text: input.text,
            }
        )
    }

    /// Settles where a goal stands. It is met only with evidence of change that lasts.
    async fn set_goal_status(&self, ctx: &Context<'_>, input: SetGoalStatusInput) -> Nullable<SetGoalStatusPayload> {
        change!(
            ctx,
            input,
            set_goal_status,
            SetGoalStatusPayload,
            SetGoalStatus {
                goal_id: local("goalId", GoalId::KIND, &input.goal_id)?,
                status: input.status,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records a review of a plan, which goes on, and how the child took part. A child protection plan is reviewed by a
    /// conference; care, permanence and adoption plans by the reviewing officer. When the agreed period for change is over
    /// and goals are open, the plan does not simply go on.
    async fn record_plan_review(
        &self,
        ctx: &Context<'_>,
        input: RecordPlanReviewInput,
    ) -> Nullable<RecordPlanReviewPayload> {
        change!(
            ctx,
            input,
            record_plan_review,
            RecordPlanReviewPayload,
            RecordPlanReview {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                held_on: input.held_on.0,
                participation: input.participation,
                decisions: input.decisions,
                change_of_plan: input.change_of_plan,
                next_review_on: input.next_review_on.0,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records what the child, a parent or somebody else of the family says of a plan, or why they could not be asked. It is
    /// appended, never rewritten.
    async fn record_plan_view(&self, ctx: &Context<'_>, input: RecordPlanViewInput) -> Nullable<RecordPlanViewPayload> {
        change!(
            ctx,
            input,
            record_plan_view,
            RecordPlanViewPayload,
            RecordPlanView {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                person_id: person("saidById", &input.said_by_id)?,
                stance: input.stance,
                words: input.words,
                said_on: input.said_on.0,
            }
        )
    }

    /// Records how far a plan for adoption has come. A step that was recorded wrongly is recorded again: the last one counts.
    async fn record_adoption_step(
        &self,
        ctx: &Context<'_>,
        input: RecordAdoptionStepInput,
    ) -> Nullable<RecordAdoptionStepPayload> {
        change!(
            ctx,
            input,
            record_adoption_step,
            RecordAdoptionStepPayload,
            RecordAdoptionStep {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                step: input.step,
                happened_on: input.happened_on.0,
                reversal_reason: input.reversal_reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records that a plan did not work. The managers hear of it, and the unit has to choose what follows.
    async fn escalate_plan(&self, ctx: &Context<'_>, input: EscalatePlanInput) -> Nullable<EscalatePlanPayload> {
        change!(
            ctx,
            input,
            escalate_plan,
            EscalatePlanPayload,
            EscalatePlan {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Chooses what follows on an escalated plan. A second extension of the period is the service manager's to
    /// give.
    async fn settle_plan_escalation(
        &self,
        ctx: &Context<'_>,
        input: SettlePlanEscalationInput,
    ) -> Nullable<SettlePlanEscalationPayload> {
        change!(
            ctx,
            input,
            settle_plan_escalation,
            SettlePlanEscalationPayload,
            SettlePlanEscalation {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                choice: input.choice,
                reason: input.reason,
                new_change_by: input.new_change_by.map(|day| day.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Ends a plan whose goals are settled. A child protection plan is ended by a conference; care, permanence and adoption
    /// plans by a manager.
    async fn end_plan(&self, ctx: &Context<'_>, input: EndPlanInput) -> Nullable<EndPlanPayload> {
        change!(
            ctx,
            input,
            end_plan,
            EndPlanPayload,
            EndPlan {
                plan_id: local("planId", PlanId::KIND, &input.plan_id)?,
                end_on: input.end_on.0,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
