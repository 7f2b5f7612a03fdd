//! Strategy discussions with the police, health and others, and the section 47 enquiries that they begin.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, managers_of, permitted, queue_of, stamp, units_of},
    illegal,
    information::takes_part,
    involvements::{check_lead, lead_in, qualified},
    optional_text, text,
};
use crate::{
    auth::{Viewer, policy::Action},
    db::{
        Coded, ViewerTx, allocations, cases,
        cases::Locked,
        children,
        enquiries::{self, EnquiryChange, EnquiryCore, NewDiscussion, NewEnquiry, NewParticipant},
        information::{self, NewAgencyParticipant},
        involvements,
        outbox::Audience,
        units,
    },
    domain::{
        calendar::london_day,
        codes::{Agency, EnquiryMode, EnquiryOutcome, EnquiryStatus, EventType, Service, Severity, StrategyDecision},
        event::{Detail, EnquiryDetail},
        ids::{AgencyParticipantId, Section47EnquiryId, StrategyDiscussionId},
        safeguarding::{EnquiryShape, EnquiryStep, enquiry_fault, strategy_fault},
    },
    error::{Error, Result},
};

/// Somebody who took part in a strategy discussion.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ParticipantInput {
    pub agency: Agency,
    pub organisation: Option<String>,
    pub name: String,
    pub role: Option<String>,
}

/// What a strategy discussion said of one child, and decided.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChildDiscussed {
    pub case_id: Uuid,
    pub information_shared: String,
    pub decision: StrategyDecision,
    pub decision_reason: String,
    pub immediate_action: Option<String>,
    pub actions: Vec<String>,
    /// Who took part for this child alone, beside those of the whole meeting.
    pub participants: Vec<ParticipantInput>,
    /// Who leads the enquiry that begins: the case's lead practitioner when missing.
    pub lead_practitioner_id: Option<Uuid>,
    pub police_reference: Option<String>,
    /// The case's version.
    pub expected_version: i32,
}

/// Records a strategy discussion about one or more children.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct HoldStrategyDiscussion {
    pub held_at: DateTime<Utc>,
    pub participants: Vec<ParticipantInput>,
    pub absence_reason: Option<String>,
    pub children: Vec<ChildDiscussed>,
}

/// Records how far an enquiry has come. What is missing stays as it is.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RecordSection47Progress {
    pub enquiry_id: Uuid,
    pub lead_practitioner_id: Option<Uuid>,
    pub police_reference: Option<String>,
    pub child_seen_on: Option<NaiveDate>,
    pub child_seen_alone: Option<bool>,
    pub interviewed: Option<bool>,
    pub medical: Option<bool>,
    pub expected_version: i32,
}

/// Gives an enquiry its outcome.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ConcludeSection47 {
    pub enquiry_id: Uuid,
    pub outcome: EnquiryOutcome,
    pub findings: String,
    pub expected_version: i32,
}

/// Countersigns that there is no conference.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct CountersignSection47 {
    pub enquiry_id: Uuid,
    pub expected_version: i32,
}

/// Gives an outcome back.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ReturnSection47 {
    pub enquiry_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

const CHILDREN: usize = 20;
const PARTICIPANTS: usize = 40;
const ACTIONS: usize = 30;
/// How long ago a strategy discussion may have been when it is written down.
const BACKDATED_DAYS: i64 = 31;

impl Services {
    /// Records a strategy discussion. A decision for an enquiry begins it, at the moment of the discussion.
    pub async fn hold_strategy_discussion(
        &self,
        viewer: Viewer,
        key: &str,
        input: HoldStrategyDiscussion,
    ) -> Result<Outcome> {
        let wanted = checked(input.clone(), viewer.at)?;
        self.change(viewer, "holdStrategyDiscussion", key, &input, move |tx| Box::pin(discuss(tx, wanted))).await
    }

    /// Who leads the enquiry, when the child was seen, whether there was an interview or an examination.
    pub async fn record_section47_progress(
        &self,
        viewer: Viewer,
        key: &str,
        input: RecordSection47Progress,
    ) -> Result<Outcome> {
        let mut wanted = input.clone();
        wanted.police_reference = optional_text("policeReference", input.police_reference.as_deref(), 200)?;
        if input.child_seen_on.is_some() != input.child_seen_alone.is_some() {
            return Err(Error::bad_input("childSeenAlone", "belongs to childSeenOn: give both or neither"));
        }
        self.change(viewer, "recordSection47Progress", key, &input, move |tx| Box::pin(progress(tx, wanted))).await
    }

    /// Gives the enquiry its outcome. That there is to be a conference stands at once; that there is none is countersigned.
    pub async fn conclude_section47(&self, viewer: Viewer, key: &str, input: ConcludeSection47) -> Result<Outcome> {
        let findings = text("findings", &input.findings, 50_000)?;
        let wanted = input.clone();
        self.change(viewer, "concludeSection47", key, &input, move |tx| Box::pin(conclude(tx, wanted, findings))).await
    }

    /// A service manager agrees that no conference is needed. The enquiry is over.
    pub async fn countersign_section47(
        &self,
        viewer: Viewer,
        key: &str,
        input: CountersignSection47,
    ) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "countersignSection47", key, &input, move |tx| Box::pin(countersign(tx, wanted))).await
    }

    /// A service manager does not agree: the enquiry goes on.
    pub async fn return_section47(&self, viewer: Viewer, key: &str, input: ReturnSection47) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 5_000)?;
        let wanted = input.clone();
        self.change(viewer, "returnSection47", key, &input, move |tx| Box::pin(give_back(tx, wanted, reason))).await
    }
}

/// What can be said without looking anything up.
fn checked(mut input: HoldStrategyDiscussion, now: DateTime<Utc>) -> Result<HoldStrategyDiscussion> {
    if input.held_at > now {
        return Err(Error::bad_input("heldAt", "must not lie in the future"));
    }
    if input.held_at < now - TimeDelta::days(BACKDATED_DAYS) {
        return Err(Error::bad_input("heldAt", format!("must not lie more than {BACKDATED_DAYS} days back")));
    }
    if input.children.is_empty() || input.children.len() > CHILDREN {
        return Err(Error::bad_input("children", format!("must be between 1 and {CHILDREN}")));
    }
    if input.participants.is_empty() || input.participants.len() > PARTICIPANTS {
        return Err(Error::bad_input("participants", format!("must be between 1 and {PARTICIPANTS}")));
    }
    let of_children = input.children.iter_mut().flat_map(|child| &mut child.participants);
    for one in input.participants.iter_mut().chain(of_children) {
        one.name = text("name", &one.name, 200)?;
        one.organisation = optional_text("organisation", one.organisation.as_deref(), 200)?;
        one.role = optional_text("role", one.role.as_deref(), 200)?;
        if one.organisation.is_none() && one.agency != Agency::SocialCare {
            return Err(Error::bad_input("organisation", "is needed of whoever comes from another agency"));
        }
    }
    input.absence_reason = optional_text("absenceReason", input.absence_reason.as_deref(), 2_000)?;
    for child in &mut input.children {
        if child.participants.len() > PARTICIPANTS {
            return Err(Error::bad_input("participants", format!("must be at most {PARTICIPANTS}")));
        }
        child.information_shared = text("informationShared", &child.information_shared, 50_000)?;
        child.decision_reason = text("decisionReason", &child.decision_reason, 10_000)?;
        child.immediate_action = optional_text("immediateAction", child.immediate_action.as_deref(), 10_000)?;
        child.police_reference = optional_text("policeReference", child.police_reference.as_deref(), 200)?;
        if child.actions.len() > ACTIONS {
            return Err(Error::bad_input("actions", format!("must be at most {ACTIONS}")));
        }
        for action in &mut child.actions {
            *action = text("actions", action, 2_000)?;
        }
        let mode = child.decision.enquiry();
        if child.police_reference.is_some() && mode != Some(EnquiryMode::Joint) {
            return Err(Error::bad_input(
                "policeReference",
                "belongs to an enquiry jointly with the police: leave it out",
            ));
        }
        if child.lead_practitioner_id.is_some() && mode.is_none() {
            return Err(Error::bad_input("leadPractitionerId", "belongs to an enquiry: leave it out"));
        }
    }
    input.children.sort_by_key(|child| child.case_id);
    if input.children.windows(2).any(|pair| pair[0].case_id == pair[1].case_id) {
        return Err(Error::bad_input("children", "must name each case once"));
    }
    Ok(input)
}

async fn discuss(tx: &ViewerTx, input: HoldStrategyDiscussion) -> Result<Outcome> {
    // Seen before anything is waited for; then the units, in order, and then the cases.
    let mut holders = Vec::new();
    for child in &input.children {
        cases::seen(tx, child.case_id).await?;
        holders.extend(allocations::holder_of(tx, child.case_id).await?);
    }
    holders.sort_unstable();
    holders.dedup();
    for unit in &holders {
        units::queue_for(tx, *unit).await?;
    }
    let mut locked = Vec::with_capacity(input.children.len());
    for child in &input.children {
        locked.push(cases::lock(tx, child.case_id).await?);
    }
    let mut announcer: Option<Announcer> = None;
    for case in &locked {
        let permitted = permitted(tx, &case.holding, Action::HoldStrategyDiscussion).await?;
        announcer = Some(announcer.unwrap_or(permitted).with(case));
    }
    let announcer = announcer.ok_or(Error::NotFound)?;
    qualified(tx).await?;
    for (child, case) in input.children.iter().zip(&locked) {
        case.expect_version(child.expected_version)?;
    }
    for child in &input.children {
        let agencies: Vec<Agency> = input.of(child).map(|one| one.agency).collect();
        if let Some((guard, why)) = strategy_fault(&agencies, &[child.decision], input.absence_reason.is_some()) {
            return Err(Error::guard(guard, why));
        }
    }
    let mut begun = Vec::with_capacity(locked.len());
    for (child, case) in input.children.iter().zip(&locked) {
        case.expect_open()?;
        if london_day(input.held_at) < case.core.opened_on {
            return Err(Error::bad_input("heldAt", "must not lie before the day of the referral"));
        }
        if case.primary.as_ref().is_some_and(|open| holders.binary_search(&open.unit_id).is_err()) {
            return Err(Error::conflict("The case went to another unit meanwhile: read it again."));
        }
        let lead = match child.decision.enquiry() {
            None => None,
            Some(_) if enquiries::open_of_case(tx, case.core.id).await?.is_some() => {
                return Err(Error::conflict(
                    "A section 47 enquiry about this child is open already: go on with that one.",
                ));
            }
            Some(_) => enquiry_lead(tx, case, child.lead_practitioner_id).await?,
        };
        begun.push((lead, stamp(tx, &case.core).await?));
    }

    let children: Vec<Uuid> = locked.iter().map(|case| case.core.child_id).collect();
    tx.authorise(&children).await?;
    let begins = input.children.iter().any(|child| child.decision.enquiry().is_some());
    let chairing = if begins { conference_units(tx, announcer.at).await? } else { Vec::new() };
    let meeting_id = Uuid::now_v7();
    let mut discussions = Vec::with_capacity(locked.len());
    let mut first_enquiry = None;
    for ((child, case), (lead, stamp)) in input.children.iter().zip(&locked).zip(&begun) {
        cases::touch(tx, case, case.core.status.0).await?;
        let discussion = write_down(tx, &input, child, case, meeting_id, announcer.at).await?;
        discussions.push(discussion);
        let mode = child.decision.enquiry();
        let detail = Detail::Strategy {
            held_at: input.held_at,
            decision: child.decision,
            joint_with_police: mode == Some(EnquiryMode::Joint),
        };
        let entity = Entity { kind: StrategyDiscussionId::KIND, id: discussion, version: 1 };
        let mut audience = audience_of(case);
        audience.extend(lead.map(Audience::Worker));
        announcer
            .announce(tx, EventType::StrategyHeld, Severity::Action, entity, Some(stamp), detail, &audience)
            .await?;
        let Some(mode) = mode else { continue };
        let enquiry = Section47EnquiryId::new().0;
        first_enquiry.get_or_insert(enquiry);
        let new = NewEnquiry {
            id: enquiry,
            case_id: case.core.id,
            child_id: case.core.child_id,
            discussion_id: discussion,
            started_on: london_day(input.held_at),
            mode: Coded(mode),
            lead_id: *lead,
            police_reference: child.police_reference.clone(),
            created_at: announcer.at,
        };
        enquiries::open(tx, new).await?;
        let detail = Detail::Enquiry(EnquiryDetail {
            mode,
            status: EnquiryStatus::Open,
            started_on: london_day(input.held_at),
            lead_practitioner_id: *lead,
            outcome: None,
        });
        audience.extend_from_slice(&chairing);
        let entity = Entity { kind: Section47EnquiryId::KIND, id: enquiry, version: 1 };
        announcer.announce(tx, EventType::S47Opened, Severity::Urgent, entity, Some(stamp), detail, &audience).await?;
        others_take_part(tx, &announcer, (&input, child), (case, stamp)).await?;
    }
    let case_id = (locked.len() == 1).then(|| locked[0].core.id);
    Ok(Outcome { case_id, enquiry_id: first_enquiry, discussion_ids: discussions, ..Outcome::default() })
}

/// Who leads the enquiry: whom the client wants, or the case's lead practitioner, or the unit's consultant. Nobody yet while no
/// unit holds the case.
async fn enquiry_lead(tx: &ViewerTx, case: &Locked, wanted: Option<Uuid>) -> Result<Option<Uuid>> {
    let Some(primary) = &case.primary else {
        return match wanted {
            Some(_) => {
                Err(Error::guard("CASE_HELD", "No unit holds this case: one of its members leads once it does."))
            }
            None => Ok(None),
        };
    };
    if wanted.is_none()
        && let Some(lead) = involvements::lead(tx, case.core.id).await?
        && leads(tx, case, Some(lead.worker_id)).await?
    {
        return Ok(Some(lead.worker_id));
    }
    Ok(lead_in(tx, primary.unit_id, wanted).await?.map(|lead| lead.id))
}

async fn write_down(
    tx: &ViewerTx,
    input: &HoldStrategyDiscussion,
    child: &ChildDiscussed,
    case: &Locked,
    meeting_id: Uuid,
    at: DateTime<Utc>,
) -> Result<Uuid> {
    let id = StrategyDiscussionId::new().0;
    let (case_id, child_id) = (case.core.id, case.core.child_id);
    let participants = (1..).zip(input.of(child)).map(|(position, one)| NewParticipant {
        id: Uuid::now_v7(),
        discussion_id: id,
        case_id,
        child_id,
        position,
        agency: Coded(one.agency),
        organisation: one.organisation.clone(),
        name: one.name.clone(),
        role: one.role.clone(),
    });
    let new = NewDiscussion {
        id,
        meeting_id,
        case_id,
        child_id,
        held_at: input.held_at,
        information_shared: child.information_shared.clone(),
        decision: Coded(child.decision),
        decision_reason: child.decision_reason.clone(),
        immediate_action: child.immediate_action.clone(),
        actions: child.actions.clone(),
        absence_reason: input.absence_reason.clone(),
        recorded_by: tx.viewer().worker_id.0,
        recorded_at: at,
    };
    enquiries::discuss(tx, new, participants.collect()).await?;
    Ok(id)
}

impl HoldStrategyDiscussion {
    /// Who took part for a child.
    fn of<'a>(&'a self, child: &'a ChildDiscussed) -> impl Iterator<Item = &'a ParticipantInput> {
        self.participants.iter().chain(&child.participants)
    }
}

/// Who was at the discussion from other agencies takes part in the case from now on, unless their organisation does already.
async fn others_take_part(
    tx: &ViewerTx,
    announcer: &Announcer,
    (input, child): (&HoldStrategyDiscussion, &ChildDiscussed),
    (case, stamp): (&Locked, &Stamp),
) -> Result<()> {
    let there: Vec<(Agency, String)> = information::organisations(tx, case.core.id).await?;
    for one in input.of(child) {
        let Some(organisation) = one.organisation.clone().filter(|_| one.agency != Agency::SocialCare) else {
            continue;
        };
        if there.iter().any(|(agency, known)| *agency == one.agency && known.eq_ignore_ascii_case(&organisation)) {
            continue;
        }
        let new = NewAgencyParticipant {
            id: AgencyParticipantId::new().0,
            case_id: case.core.id,
            child_id: case.core.child_id,
            agency: Coded(one.agency),
            organisation,
            name: Some(one.name.clone()),
            contact: None,
            joined_on: london_day(input.held_at),
            added_by: tx.viewer().worker_id.0,
            created_at: announcer.at,
        };
        takes_part(tx, announcer, (case, stamp), new).await?;
    }
    Ok(())
}

/// The units whose members chair conferences: they hear of every enquiry and of what comes of it.
async fn conference_units(tx: &ViewerTx, at: DateTime<Utc>) -> Result<Vec<Audience>> {
    let units = units::of_service(tx, Service::SafeguardingReview, london_day(at)).await?;
    Ok(units.into_iter().map(Audience::Unit).collect())
}

/// The units that work the case and its managers; while no unit holds it, whoever sees the queue.
fn audience_of(case: &Locked) -> Vec<Audience> {
    units_of(case).into_iter().chain(managers_of(case)).chain(queue_of(case)).collect()
}

/// Tells the units that work the case, its managers, and who leads the enquiry, which stands as `one` says.
async fn tell_of(
    tx: &ViewerTx,
    announcer: &Announcer,
    (case, stamp): (&Locked, &Stamp),
    one: &EnquiryCore,
    (of, severity): (EventType, Severity),
    beside: &[Audience],
) -> Result<()> {
    let detail = Detail::Enquiry(EnquiryDetail {
        mode: one.mode.0,
        status: one.status.0,
        started_on: one.started_on,
        lead_practitioner_id: one.lead_id,
        outcome: one.outcome.map(|outcome| outcome.0),
    });
    let mut audience = audience_of(case);
    audience.extend(one.lead_id.map(Audience::Worker));
    audience.extend_from_slice(beside);
    let entity = Entity { kind: Section47EnquiryId::KIND, id: one.id, version: one.version };
    announcer.announce(tx, of, severity, entity, Some(stamp), detail, &audience).await
}

/// What it takes to decide an enquiry again.
fn undecided(one: &EnquiryCore, status: EnquiryStatus, reason: String) -> EnquiryChange {
    EnquiryChange {
        version: one.version + 1,
        status: Some(Coded(status)),
        outcome: Some(None),
        findings: Some(None),
        decided_by: Some(None),
        decided_at: Some(None),
        returned_reason: Some(Some(reason)),
        ..EnquiryChange::default()
    }
}

/// A step of an enquiry that policy and the state machine allow, about to be taken.
struct Taking {
    /// As it is told of.
    enquiry: EnquiryCore,
    case: Locked,
    announcer: Announcer,
    stamp: Stamp,
}

impl Taking {
    /// Locks the enquiry's case and asks, in this order: policy, version, status. Answers the status after the step.
    async fn begin(
        tx: &ViewerTx,
        id: Uuid,
        action: Action,
        step: EnquiryStep,
        expected_version: i32,
    ) -> Result<(Self, EnquiryStatus)> {
        let found = enquiries::get(tx, id).await?;
        let unit = allocations::holder_of(tx, found.case_id).await?;
        let case = match unit {
            // Who leads is asked of its members.
            Some(unit) => cases::lock_with_unit(tx, found.case_id, unit).await?,
            None => cases::lock(tx, found.case_id).await?,
        };
        if case.primary.as_ref().map(|open| open.unit_id) != unit {
            return Err(Error::conflict("The case went to another unit meanwhile: read it again."));
        }
        // Again: it may have changed while the case was waited for.
        let enquiry = enquiries::get(tx, id).await?;
        let announcer = permitted(tx, &case.holding, action).await?.with(&case);
        Error::expect_version(enquiry.version, expected_version)?;
        let status = enquiry.status.0;
        let next = step.from_status(status).ok_or_else(|| illegal(status, status.legal_next()))?;
        let stamp = stamp(tx, &case.core).await?;
        Ok((Self { enquiry, case, announcer, stamp }, next))
    }

    fn change(&self) -> EnquiryChange {
        EnquiryChange { version: self.enquiry.version + 1, ..EnquiryChange::default() }
    }

    /// Makes the change, of a child that is opened for writing.
    async fn take(&mut self, tx: &ViewerTx, change: EnquiryChange) -> Result<()> {
        enquiries::change(tx, self.enquiry.id, change).await?;
        self.enquiry = enquiries::get(tx, self.enquiry.id).await?;
        Ok(())
    }

    async fn tell(&self, tx: &ViewerTx, of: EventType, severity: Severity, beside: &[Audience]) -> Result<()> {
        tell_of(tx, &self.announcer, (&self.case, &self.stamp), &self.enquiry, (of, severity), beside).await
    }

    fn outcome(&self) -> Outcome {
        Outcome { case_id: Some(self.case.core.id), enquiry_id: Some(self.enquiry.id), ..Outcome::default() }
    }
}

async fn progress(tx: &ViewerTx, input: RecordSection47Progress) -> Result<Outcome> {
    let (action, step) = (Action::RecordEnquiryProgress, EnquiryStep::Progress);
    let (mut taking, _) = Taking::begin(tx, input.enquiry_id, action, step, input.expected_version).await?;
    let (started_on, today) = (taking.enquiry.started_on, london_day(taking.announcer.at));
    if input.child_seen_on.is_some_and(|day| day < started_on || day > today) {
        return Err(Error::bad_input("childSeenOn", "must lie between the enquiry's first day and today"));
    }
    if input.police_reference.is_some() && taking.enquiry.mode.0 != EnquiryMode::Joint {
        return Err(Error::bad_input("policeReference", "belongs to an enquiry jointly with the police: leave it out"));
    }
    let before = taking.enquiry.lead_id;
    if let Some(lead) = input.lead_practitioner_id {
        let Some(primary) = &taking.case.primary else {
            return Err(Error::guard("CASE_HELD", "No unit holds this case: one of its members leads once it does."));
        };
        check_lead(tx, primary.unit_id, lead).await?;
    }
    tx.authorise(&[taking.enquiry.child_id]).await?;
    let change = EnquiryChange {
        lead_id: input.lead_practitioner_id.map(Some),
        police_reference: input.police_reference,
        child_seen_on: input.child_seen_on,
        child_seen_alone: input.child_seen_alone,
        interviewed: input.interviewed,
        medical: input.medical,
        ..taking.change()
    };
    taking.take(tx, change).await?;
    let before: Vec<Audience> = before.map(Audience::Worker).into_iter().collect();
    taking.tell(tx, EventType::S47Changed, Severity::Info, &before).await?;
    Ok(taking.outcome())
}

/// Whether somebody leads who may: a qualified social worker of the unit that holds the case now, which is locked.
async fn leads(tx: &ViewerTx, case: &Locked, lead: Option<Uuid>) -> Result<bool> {
    let (Some(primary), Some(lead)) = (&case.primary, lead) else { return Ok(false) };
    match check_lead(tx, primary.unit_id, lead).await {
        Ok(_) => Ok(true),
        Err(Error::Refused(_) | Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The enquiry of a case that is not over is led by somebody else from now on, or by nobody yet: its lead left, or the case
/// did. The child is authorised for writing.
pub(super) async fn pass_lead(
    tx: &ViewerTx,
    announcer: &Announcer,
    (case, stamp): (&Locked, &Stamp),
    to: Option<Uuid>,
    audience: &[Audience],
) -> Result<()> {
    let Some(open) = enquiries::open_of_case(tx, case.core.id).await? else { return Ok(()) };
    let change = EnquiryChange { version: open.version + 1, lead_id: Some(to), ..EnquiryChange::default() };
    enquiries::change(tx, open.id, change).await?;
    let mut beside = audience.to_vec();
    beside.extend(open.lead_id.map(Audience::Worker));
    let one = EnquiryCore { lead_id: to, version: open.version + 1, ..open };
    tell_of(tx, announcer, (case, stamp), &one, (EventType::S47Changed, Severity::Action), &beside).await
}

/// The enquiry that called for a conference is decided again, because that is not to be held after all; unless another one was
/// begun meanwhile. The child is authorised for writing.
pub(super) async fn reopen(tx: &ViewerTx, announcer: &Announcer, case: &Locked, id: Uuid, reason: &str) -> Result<()> {
    let enquiry = enquiries::get(tx, id).await?;
    let again = EnquiryStep::Reopen.from_status(enquiry.status.0);
    let Some(status) = again.filter(|_| enquiry.outcome.is_some_and(|one| one.0 == EnquiryOutcome::InitialConference))
    else {
        return Ok(());
    };
    // Nor when a conference decided on it already, and another one was to be held.
    if enquiries::open_of_case(tx, case.core.id).await?.is_some() || enquiries::was_decided_on(tx, id).await? {
        return Ok(());
    }
    let lead_id = match leads(tx, case, enquiry.lead_id).await? {
        true => enquiry.lead_id,
        false => involvements::lead(tx, case.core.id).await?.map(|lead| lead.worker_id),
    };
    let change = EnquiryChange { lead_id: Some(lead_id), ..undecided(&enquiry, status, reason.to_owned()) };
    enquiries::change(tx, id, change).await?;
    let one = enquiries::get(tx, id).await?;
    let (stamp, beside) = (stamp(tx, &case.core).await?, conference_units(tx, announcer.at).await?);
    tell_of(tx, announcer, (case, &stamp), &one, (EventType::S47Changed, Severity::Urgent), &beside).await
}

async fn conclude(tx: &ViewerTx, input: ConcludeSection47, findings: String) -> Result<Outcome> {
    let (action, step) = (Action::ConcludeEnquiry, EnquiryStep::concluding(input.outcome));
    let (mut taking, status) = Taking::begin(tx, input.enquiry_id, action, step, input.expected_version).await?;
    let one = &taking.enquiry;
    let born = children::births(tx, &[one.child_id]).await?.first().is_some_and(|(_, born)| born.is_some());
    let shape = EnquiryShape {
        led: leads(tx, &taking.case, one.lead_id).await?,
        child_seen_on: one.child_seen_on,
        born,
        waits_for_information: information::waits(tx, one.case_id, Some(one.id)).await?,
    };
    if let Some((guard, why)) = enquiry_fault(shape, input.outcome) {
        return Err(Error::guard(guard, why));
    }
    let before = taking.case.core.status.0;
    let after = before.after_enquiry(input.outcome);
    tx.authorise(&[one.child_id]).await?;
    if after != before {
        cases::touch(tx, &taking.case, after).await?;
    }
    let change = EnquiryChange {
        status: Some(Coded(status)),
        outcome: Some(Some(Coded(input.outcome))),
        findings: Some(Some(findings)),
        decided_by: Some(Some(tx.viewer().worker_id.0)),
        decided_at: Some(Some(taking.announcer.at)),
        // When it is decided again the case may wait for a conference already: where it stood before that stays.
        case_status_before: (after != before).then_some(Some(Coded(before))),
        returned_reason: Some(None),
        ..taking.change()
    };
    taking.take(tx, change).await?;
    let severity = if status == EnquiryStatus::Concluded { Severity::Urgent } else { Severity::Action };
    let beside = conference_units(tx, taking.announcer.at).await?;
    taking.tell(tx, EventType::S47Outcome, severity, &beside).await?;
    Ok(taking.outcome())
}

async fn countersign(tx: &ViewerTx, input: CountersignSection47) -> Result<Outcome> {
    let me = tx.viewer().worker_id.0;
    let (action, step) = (Action::CountersignEnquiry, EnquiryStep::Countersign);
    let (mut taking, status) = Taking::begin(tx, input.enquiry_id, action, step, input.expected_version).await?;
    if taking.enquiry.decided_by == Some(me) {
        return Err(Error::guard("TWO_PEOPLE", "You gave this enquiry its outcome: another manager countersigns it."));
    }
    tx.authorise(&[taking.enquiry.child_id]).await?;
    let change = EnquiryChange {
        status: Some(Coded(status)),
        countersigned_by: Some(me),
        countersigned_at: Some(taking.announcer.at),
        ..taking.change()
    };
    taking.take(tx, change).await?;
    let beside = conference_units(tx, taking.announcer.at).await?;
    taking.tell(tx, EventType::S47Outcome, Severity::Action, &beside).await?;
    Ok(taking.outcome())
}

async fn give_back(tx: &ViewerTx, input: ReturnSection47, reason: String) -> Result<Outcome> {
    let (action, step) = (Action::CountersignEnquiry, EnquiryStep::Return);
    let (mut taking, status) = Taking::begin(tx, input.enquiry_id, action, step, input.expected_version).await?;
    let mut beside: Vec<Audience> = taking.enquiry.decided_by.map(Audience::Worker).into_iter().collect();
    beside.extend(conference_units(tx, taking.announcer.at).await?);
    tx.authorise(&[taking.enquiry.child_id]).await?;
    let change = undecided(&taking.enquiry, status, reason);
    taking.take(tx, change).await?;
    taking.tell(tx, EventType::S47Changed, Severity::Action, &beside).await?;
    Ok(taking.outcome())
}
