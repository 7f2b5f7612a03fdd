//! Drafts: begun, changed as a whole, begun anew from the version in force.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{Announcer, Entity, Outcome, Services, Taking, optional_text, plan_detail, stamp, text, units_of};
use crate::{
    auth::{Viewer, policy, policy::Action},
    db::{
        Coded, Personal, ViewerTx, cases, children,
        plans::{
            self, ActionContent, ActionRow, GoalContent, GoalRow, NewAction, NewGoal, NewPlan, Particulars, PlanUpdate,
        },
        viewers, workers,
    },
    domain::{
        Code,
        calendar::london_day,
        codes::{EventType, GoalStatus, PermanenceRoute, PlanChange, PlanKind, PlanSection, PlanStatus, Severity},
        ids::{ActionId, GoalId, PlanId},
        plan::Step,
    },
    error::{Error, Result},
};

/// Who does an action.
#[derive(Clone, Serialize)]
pub enum ActionOwner {
    /// A worker of the authority.
    Worker(Uuid),
    /// Somebody of the family.
    Person(Uuid),
    /// An agency, by its name.
    Agency(String),
}

/// An action as a draft has it.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ActionInput {
    /// The action that it changes; a new one when missing.
    pub id: Option<Uuid>,
    pub text: String,
    pub owner: ActionOwner,
    pub due_on: Option<NaiveDate>,
}

/// A goal as a draft has it.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct GoalInput {
    /// The goal that it changes; a new one when missing.
    pub id: Option<Uuid>,
    pub what_needs_to_change: String,
    pub why: Option<String>,
    pub measure: Option<String>,
    pub baseline: Option<String>,
    pub target: Option<String>,
    pub actions: Vec<ActionInput>,
}

/// The whole of what a draft says. Goals and actions that are missing from it are dropped.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct PlanContent {
    pub overall_aim: String,
    pub agreed_change_by: Option<NaiveDate>,
    pub parent_view: Option<String>,
    pub child_view: Option<String>,
    pub goals: Vec<GoalInput>,
    pub sections: Vec<(PlanSection, String)>,
    pub route: Option<PermanenceRoute>,
    pub parallel_route: Option<PermanenceRoute>,
    pub needs_assessed_on: Option<NaiveDate>,
}

/// Begins a plan of any kind that no conference makes.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct DraftPlan {
    pub case_id: Uuid,
    pub kind: PlanKind,
    pub content: PlanContent,
}

/// Changes a draft.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChangePlanDraft {
    pub plan_id: Uuid,
    pub content: PlanContent,
    pub expected_version: i32,
}

/// Begins the next version of a plan.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RevisePlan {
    pub plan_id: Uuid,
    pub expected_version: i32,
}

const MAX_GOALS: usize = 30;
const MAX_ACTIONS: usize = 30;

/// The content with its texts cleaned, or what is wrong with them.
fn clean(mut content: PlanContent) -> Result<PlanContent> {
    content.overall_aim = text("overallAim", &content.overall_aim, 10_000)?;
    content.parent_view = optional_text("parentView", content.parent_view.as_deref(), 10_000)?;
    content.child_view = optional_text("childView", content.child_view.as_deref(), 10_000)?;
    for (_, said) in &mut content.sections {
        *said = text("sections", said, 10_000)?;
    }
    if content.goals.len() > MAX_GOALS {
        return Err(Error::bad_input("goals", format!("must be at most {MAX_GOALS}")));
    }
    for goal in &mut content.goals {
        goal.what_needs_to_change = text("whatNeedsToChange", &goal.what_needs_to_change, 2_000)?;
        goal.why = optional_text("why", goal.why.as_deref(), 5_000)?;
        goal.measure = optional_text("measure", goal.measure.as_deref(), 2_000)?;
        goal.baseline = optional_text("baseline", goal.baseline.as_deref(), 2_000)?;
        goal.target = optional_text("target", goal.target.as_deref(), 2_000)?;
        if goal.actions.len() > MAX_ACTIONS {
            return Err(Error::bad_input("actions", format!("must be at most {MAX_ACTIONS} for each goal")));
        }
        for action in &mut goal.actions {
            action.text = text("text", &action.text, 2_000)?;
            if let ActionOwner::Agency(name) = &mut action.owner {
                *name = text("agencyName", name, 200)?;
            }
        }
    }
    Ok(content)
}

/// What a plan of this kind says beside its goals, or what does not belong to it.
fn particulars(kind: PlanKind, content: &PlanContent, today: NaiveDate) -> Result<Particulars> {
    let mut found = Particulars {
        route: content.route.map(Coded),
        parallel_route: content.parallel_route.map(Coded),
        needs_assessed_on: content.needs_assessed_on,
        ..Particulars::default()
    };
    for (section, said) in &content.sections {
        if !kind.required_sections().contains(section) {
            return Err(Error::bad_input("sections", format!("{} is no section of such a plan", section.code())));
        }
        if found.section_codes.contains(&Coded(*section)) {
            return Err(Error::bad_input("sections", "must name each section at most once"));
        }
        found.section_codes.push(Coded(*section));
        found.section_texts.push(said.clone());
    }
    if kind != PlanKind::Permanence && (found.route.is_some() || found.parallel_route.is_some()) {
        return Err(Error::bad_input("route", "belongs to a permanence plan only: leave it out"));
    }
    if found.parallel_route.is_some() && (found.route.is_none() || found.route == found.parallel_route) {
        return Err(Error::bad_input("parallelRoute", "must be another than route"));
    }
    if kind != PlanKind::Pathway && found.needs_assessed_on.is_some() {
        return Err(Error::bad_input("needsAssessedOn", "belongs to a pathway plan only: leave it out"));
    }
    if found.needs_assessed_on.is_some_and(|day| day > today) {
        return Err(Error::bad_input("needsAssessedOn", "must not lie in the future"));
    }
    Ok(found)
}

impl Services {
    /// Begins a plan. It is in force only when it is agreed.
    pub async fn draft_plan(&self, viewer: Viewer, key: &str, input: DraftPlan) -> Result<Outcome> {
        let wanted = DraftPlan { content: clean(input.content.clone())?, ..input.clone() };
        self.change(viewer, "draftPlan", key, &input, move |tx| Box::pin(draft(tx, wanted))).await
    }

    /// Changes the whole of a draft at once.
    pub async fn change_plan_draft(&self, viewer: Viewer, key: &str, input: ChangePlanDraft) -> Result<Outcome> {
        let wanted = ChangePlanDraft { content: clean(input.content.clone())?, ..input.clone() };
        self.change(viewer, "changePlanDraft", key, &input, move |tx| Box::pin(change(tx, wanted))).await
    }

    /// Begins the next version: a draft with the goals and the open actions of this one. The one in force stays in
    /// force until the draft is agreed; a draft that was shared is replaced at once.
    pub async fn revise_plan(&self, viewer: Viewer, key: &str, input: RevisePlan) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "revisePlan", key, &input, move |tx| Box::pin(revise(tx, wanted))).await
    }
}

/// Every owner is in sight and still works here.
async fn check_owners(tx: &ViewerTx, content: &PlanContent) -> Result<()> {
    for action in content.goals.iter().flat_map(|goal| &goal.actions) {
        match &action.owner {
            ActionOwner::Worker(id) => {
                let worker = workers::get(tx, *id).await?.ok_or(Error::NotFound)?;
                if !worker.active {
                    return Err(Error::guard("WORKER_ACTIVE", "An owner does not work here any more: choose another."));
                }
            }
            ActionOwner::Person(id) if !children::person_in_sight(tx, *id).await? => return Err(Error::NotFound),
            ActionOwner::Person(_) | ActionOwner::Agency(_) => {}
        }
    }
    Ok(())
}

fn owner_columns(owner: ActionOwner) -> (Option<Uuid>, Option<Uuid>, Option<String>) {
    match owner {
        ActionOwner::Worker(id) => (Some(id), None, None),
        ActionOwner::Person(id) => (None, Some(id), None),
        ActionOwner::Agency(name) => (None, None, Some(name)),
    }
}

fn new_goal(plan_id: Uuid, child_id: Uuid, position: usize, goal: &GoalInput) -> NewGoal {
    NewGoal {
        id: GoalId::new().0,
        plan_id,
        child_id,
        position: i32::try_from(position).unwrap_or(i32::MAX),
        what_needs_to_change: goal.what_needs_to_change.clone(),
        why: goal.why.clone().unwrap_or_default(),
        measure: goal.measure.clone(),
        baseline: goal.baseline.clone(),
        target: goal.target.clone(),
        status: Coded(GoalStatus::Open),
        root_id: None,
    }
}

fn new_action(plan_id: Uuid, child_id: Uuid, goal_id: Uuid, action: ActionInput) -> NewAction {
    let (owner_worker_id, owner_person_id, owner_agency) = owner_columns(action.owner);
    NewAction {
        id: ActionId::new().0,
        goal_id,
        plan_id,
        child_id,
        text: action.text,
        owner_worker_id,
        owner_person_id,
        owner_agency,
        due_on: action.due_on,
        root_id: None,
    }
}

async fn draft(tx: &ViewerTx, input: DraftPlan) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let case = cases::lock(tx, input.case_id).await?;
    let standing = viewers::standing(tx).await?;
    let role = policy::require(&standing, me, &case.holding, Action::DraftPlan)?;
    case.expect_open()?;
    if input.kind == PlanKind::ChildProtection {
        return Err(Error::guard(
            "CONFERENCE_DECIDES",
            "A child protection plan is made by a conference: revise the one that it made.",
        ));
    }
    if input.content.goals.iter().any(|goal| goal.id.is_some() || goal.actions.iter().any(|one| one.id.is_some())) {
        return Err(Error::bad_input("goals", "must be new in a new draft: leave their ids out"));
    }
    if let Some((guard, why)) = input.kind.case_fault(case.core.status.0) {
        return Err(Error::guard(guard, why));
    }
    let at = case.moment(tx.viewer().at);
    let particulars = particulars(input.kind, &input.content, london_day(at))?;
    check_owners(tx, &input.content).await?;
    let stamp = stamp(tx, &case.core).await?;

    tx.authorise(&[case.core.child_id]).await?;
    let plan_id = PlanId::new().0;
    let content = input.content;
    plans::insert(
        tx,
        NewPlan {
            id: plan_id,
            case_id: case.core.id,
            child_id: case.core.child_id,
            kind: Coded(input.kind),
            status: Coded(PlanStatus::Draft),
            start_on: None,
            overall_aim: content.overall_aim,
            review_due_on: None,
            conference_id: None,
            initial_category: None,
            latest_category: None,
            number_of_previous_cpps: None,
            agreed_change_by: content.agreed_change_by,
            parent_view: content.parent_view,
            child_view: content.child_view,
            revision: 1,
            previous_id: None,
            root_id: None,
            particulars,
        },
    )
    .await?;
    let (mut goals, mut actions) = (Vec::new(), Vec::new());
    for (position, goal) in content.goals.into_iter().enumerate() {
        let row = new_goal(plan_id, case.core.child_id, position + 1, &goal);
        actions.extend(goal.actions.into_iter().map(|one| new_action(plan_id, case.core.child_id, row.id, one)));
        goals.push(row);
    }
    write(tx, goals, actions).await?;
    let plan = plans::get(tx, plan_id).await?.ok_or(Error::NotFound)?;
    let detail = plan_detail(&plan, PlanStatus::Draft, PlanChange::Drafted);
    let entity = Entity { kind: PlanId::KIND, id: plan_id, version: 1 };
    let audience = units_of(&case);
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::PlanChanged, Severity::Info, entity, Some(&stamp), detail, &audience)
        .await?;
    Ok(Outcome { case_id: Some(case.core.id), plan_id: Some(plan_id), ..Outcome::default() })
}

async fn write(tx: &ViewerTx, goals: Vec<NewGoal>, actions: Vec<NewAction>) -> Result<()> {
    if !goals.is_empty() {
        plans::insert_goals(tx, goals).await?;
    }
    if !actions.is_empty() {
        plans::insert_actions(tx, actions).await?;
    }
    Ok(())
}

async fn change(tx: &ViewerTx, input: ChangePlanDraft) -> Result<Outcome> {
    let taking =
        Taking::begin(tx, input.plan_id, Action::ChangePlanDraft, Step::Edit, Some(input.expected_version)).await?;
    if taking.plan.shared_at.is_some() {
        return Err(Error::guard(
            "NOT_SHARED",
            "This version was shared and stays as it is: revise the plan to change it.",
        ));
    }
    let (plan_id, child_id, today) = (taking.plan.id, taking.plan.child_id, taking.today());
    let content = input.content;
    let particulars = particulars(taking.plan.kind.0, &content, today)?;
    let known_goals = plans::goals(tx, plan_id).await?;
    let known_actions = plans::open_actions(tx, plan_id).await?;
    check_known(&content, &known_goals, &known_actions)?;
    check_owners(tx, &content).await?;

    taking.authorise(tx).await?;
    plans::unplace_goals(tx, plan_id).await?;
    let (mut goals, mut actions) = (Vec::new(), Vec::new());
    let mut kept_goals = Vec::new();
    let mut kept_actions = Vec::new();
    for (at, goal) in content.goals.into_iter().enumerate() {
        let place = at + 1;
        let known = goal.id.and_then(|id| known_goals.iter().find(|one| one.id == id));
        let goal_id = match known {
            Some(known) => {
                kept_goals.push(known.id);
                let rewritten = GoalContent {
                    position: i32::try_from(place).unwrap_or(i32::MAX),
                    what_needs_to_change: goal.what_needs_to_change,
                    why: goal.why.unwrap_or_default(),
                    measure: goal.measure,
                    baseline: goal.baseline,
                    target: goal.target,
                    version: known.version + 1,
                };
                plans::rewrite_goal(tx, known.id, rewritten).await?;
                known.id
            }
            None => {
                let row = new_goal(plan_id, child_id, place, &goal);
                let id = row.id;
                goals.push(row);
                id
            }
        };
        for action in goal.actions {
            match action.id.and_then(|id| known_actions.iter().find(|one| one.id == id)) {
                Some(known) => {
                    kept_actions.push(known.id);
                    let (owner_worker_id, owner_person_id, owner_agency) = owner_columns(action.owner);
                    let rewritten = ActionContent {
                        text: action.text,
                        owner_worker_id,
                        owner_person_id,
                        owner_agency,
                        due_on: action.due_on,
                        version: known.version + 1,
                    };
                    plans::rewrite_action(tx, known.id, rewritten).await?;
                }
                None => actions.push(new_action(plan_id, child_id, goal_id, action)),
            }
        }
    }
    for dropped in known_actions.iter().filter(|one| !kept_actions.contains(&one.id)) {
        plans::drop_action(tx, dropped, today).await?;
    }
    for dropped in known_goals.iter().filter(|one| !kept_goals.contains(&one.id)) {
        plans::settle_goal(tx, dropped, GoalStatus::Dropped).await?;
    }
    write(tx, goals, actions).await?;
    plans::write_particulars(tx, plan_id, particulars).await?;
    let update = PlanUpdate {
        version: taking.version(),
        overall_aim: Some(content.overall_aim),
        agreed_change_by: Some(content.agreed_change_by),
        parent_view: Some(content.parent_view),
        child_view: Some(content.child_view),
        ..PlanUpdate::default()
    };
    plans::update(tx, plan_id, update).await?;
    let plan = plans::get(tx, plan_id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &plan, PlanChange::Edited, Severity::Info, false).await?;
    Ok(taking.outcome())
}

/// Every id in the content is one of this draft's, each named once, actions under their own goal.
fn check_known(content: &PlanContent, goals: &[GoalRow], actions: &[ActionRow]) -> Result<()> {
    let mut seen = Vec::new();
    for goal in &content.goals {
        if let Some(id) = goal.id
            && (!goals.iter().any(|one| one.id == id) || seen.contains(&id))
        {
            return Err(Error::bad_input("goals", "must name each goal of this draft at most once, and no other"));
        }
        seen.extend(goal.id);
        for action in &goal.actions {
            let Some(id) = action.id else { continue };
            let known = actions.iter().find(|one| one.id == id);
            if known.is_none_or(|one| Some(one.goal_id) != goal.id) || seen.contains(&id) {
                return Err(Error::bad_input(
                    "actions",
                    "must name each open action of this draft at most once, under its goal, and no other",
                ));
            }
            seen.push(id);
        }
    }
    Ok(())
}

async fn revise(tx: &ViewerTx, input: RevisePlan) -> Result<Outcome> {
    let draft = plans::get(tx, input.plan_id).await?.is_some_and(|plan| plan.status.0 == PlanStatus::Draft);
    let step = if draft { Step::Redraft } else { Step::Revise };
    let taking = Taking::begin(tx, input.plan_id, Action::RevisePlan, step, Some(input.expected_version)).await?;
    let plan = &taking.plan;
    if draft && plan.shared_at.is_none() {
        return Err(Error::guard("SHARED", "Nobody was given this draft yet: change it as it is."));
    }
    let (aim, parent_view, child_view) = plans::narrative(tx, plan.id).await?;
    let particulars = plans::particulars(tx, plan.id).await?;
    let known_goals = plans::goals(tx, plan.id).await?;
    let open_actions = plans::open_actions(tx, plan.id).await?;

    taking.authorise(tx).await?;
    if draft {
        plans::supersede(tx, plan, taking.today()).await?;
    }
    let new_id = PlanId::new().0;
    plans::insert(
        tx,
        NewPlan {
            id: new_id,
            case_id: plan.case_id,
            child_id: plan.child_id,
            kind: plan.kind,
            status: Coded(PlanStatus::Draft),
            start_on: None,
            overall_aim: aim,
            review_due_on: plan.review_due_on,
            conference_id: plan.conference_id,
            initial_category: plan.initial_category,
            latest_category: plan.latest_category,
            number_of_previous_cpps: plan.number_of_previous_cpps,
            agreed_change_by: plan.agreed_change_by,
            parent_view,
            child_view,
            revision: plan.revision + 1,
            previous_id: Some(plan.id),
            root_id: Some(plan.line_id),
            particulars,
        },
    )
    .await?;
    let words = |text: &Personal<String>| text.read().to_owned();
    let (mut goals, mut actions) = (Vec::new(), Vec::new());
    for (at, goal) in known_goals.into_iter().enumerate() {
        let id = GoalId::new().0;
        goals.push(NewGoal {
            id,
            plan_id: new_id,
            child_id: plan.child_id,
            position: i32::try_from(at + 1).unwrap_or(i32::MAX),
            what_needs_to_change: goal.what_needs_to_change.read().to_owned(),
            why: goal.why.read().to_owned(),
            measure: goal.measure.as_ref().map(words),
            baseline: goal.baseline.as_ref().map(words),
            target: goal.target.as_ref().map(words),
            status: goal.status,
            root_id: Some(goal.lineage_id),
        });
        actions.extend(open_actions.iter().filter(|one| one.goal_id == goal.id).map(|one| NewAction {
            id: ActionId::new().0,
            goal_id: id,
            plan_id: new_id,
            child_id: plan.child_id,
            text: one.text.read().to_owned(),
            owner_worker_id: one.owner_worker_id,
            owner_person_id: one.owner_person_id,
            owner_agency: one.owner_agency.as_ref().map(words),
            due_on: one.due_on,
            root_id: Some(one.lineage_id),
        }));
    }
    write(tx, goals, actions).await?;
    let new = plans::get(tx, new_id).await?.ok_or(Error::NotFound)?;
    taking.tell(tx, &new, PlanChange::Revised, Severity::Info, false).await?;
    Ok(Outcome { plan_id: Some(new_id), ..taking.outcome() })
}
