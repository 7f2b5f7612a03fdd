//! Asking for a conference, withdrawing the request, and the chair's dispute.

use serde::Serialize;
use uuid::Uuid;

use super::{Announcer, Entity, Outcome, Services, Taking, decide::no_plan, text, units_of};
use crate::{
    auth::{Viewer, policy, policy::Action},
    db::{
        Coded, ViewerTx, cases,
        cases::Locked,
        conferences::{self, ConferenceChange, NewConference},
        enquiries, families, involvements,
        outbox::Audience,
        plans, viewers,
    },
    domain::{
        codes::{ConferenceState, ConferenceType, DisputeOutcome, EventType, PlanKind, Severity},
        conference::Step,
        event::{ConferenceDetail, Detail},
        ids::{ConferenceChildId, ConferenceId},
    },
    error::{Error, Result},
    services::enquiries::reopen,
};

/// Asks for a conference about one or more children of a family.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RequestConference {
    pub case_ids: Vec<Uuid>,
    pub kind: ConferenceType,
}

/// Asks the service manager to withdraw the request for a conference.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ProposeConferenceWithdrawal {
    pub conference_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

/// Withdraws the request for a conference.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct WithdrawConference {
    pub conference_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

/// The chair does not think that a conference is called for.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct DisputeConference {
    pub conference_id: Uuid,
    pub reason: String,
    pub expected_version: i32,
}

/// The managers settle a dispute.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct SettleConferenceDispute {
    pub conference_id: Uuid,
    pub outcome: DisputeOutcome,
    pub reason: String,
    pub expected_version: i32,
}

/// The most children of one meeting.
const MAX_CHILDREN: usize = 20;

impl Services {
    /// Asks the conference unit for a conference. The children's cases must be in one family.
    pub async fn request_conference(&self, viewer: Viewer, key: &str, input: RequestConference) -> Result<Outcome> {
        if input.case_ids.is_empty() || input.case_ids.len() > MAX_CHILDREN {
            return Err(Error::bad_input("caseIds", format!("must name between 1 and {MAX_CHILDREN} cases")));
        }
        let wanted = input.clone();
        self.change(viewer, "requestConference", key, &input, move |tx| Box::pin(request(tx, wanted))).await
    }

    /// The consultant social worker asks the service manager to withdraw the request. Nothing is withdrawn yet.
    pub async fn propose_conference_withdrawal(
        &self,
        viewer: Viewer,
        key: &str,
        input: ProposeConferenceWithdrawal,
    ) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 1_000)?;
        let wanted = input.clone();
        self.change(viewer, "proposeConferenceWithdrawal", key, &input, move |tx| {
            Box::pin(propose_withdrawal(tx, wanted, reason))
        })
        .await
    }

    /// The service manager withdraws the request that the consultant social worker proposed to withdraw.
    pub async fn withdraw_conference(&self, viewer: Viewer, key: &str, input: WithdrawConference) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 1_000)?;
        let wanted = input.clone();
        self.change(viewer, "withdrawConference", key, &input, move |tx| Box::pin(withdraw(tx, wanted, reason))).await
    }

    /// The chair who was appointed refuses; the managers hear of it and settle it.
    pub async fn dispute_conference(&self, viewer: Viewer, key: &str, input: DisputeConference) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 1_000)?;
        let wanted = input.clone();
        self.change(viewer, "disputeConference", key, &input, move |tx| Box::pin(dispute(tx, wanted, reason))).await
    }

    /// The conference goes ahead, or its request is withdrawn.
    pub async fn settle_conference_dispute(
        &self,
        viewer: Viewer,
        key: &str,
        input: SettleConferenceDispute,
    ) -> Result<Outcome> {
        let reason = text("reason", &input.reason, 1_000)?;
        let wanted = input.clone();
        self.change(viewer, "settleConferenceDispute", key, &input, move |tx| Box::pin(settle(tx, wanted, reason)))
            .await
    }
}

async fn request(tx: &ViewerTx, input: RequestConference) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let mut case_ids = input.case_ids;
    case_ids.sort_unstable();
    case_ids.dedup();
    let mut locked = Vec::with_capacity(case_ids.len());
    for id in &case_ids {
        locked.push(cases::lock(tx, *id).await?);
    }
    let standing = viewers::standing(tx).await?;
    let mut role = None;
    for case in &locked {
        role = Some(policy::require(&standing, me, &case.holding, Action::RequestConference)?);
    }
    let role = role.ok_or(Error::NotFound)?;
    let child_ids: Vec<Uuid> = locked.iter().map(|case| case.core.child_id).collect();
    for case in &locked {
        case.expect_open()?;
    }
    if conferences::has_open(tx, &case_ids).await? {
        return Err(Error::conflict("A conference about one of these children is not over: read the case again."));
    }
    let family_id = families::common_to(tx, &child_ids).await?;
    if family_id.is_none() && child_ids.len() > 1 {
        return Err(Error::guard(
            "ONE_FAMILY",
            "One meeting is about children of one family: request a conference for each family.",
        ));
    }
    if input.kind == ConferenceType::Review {
        let mut planned = false;
        for case in &locked {
            let open = plans::open_of_case(tx, case.core.id, PlanKind::ChildProtection).await?;
            planned |= open.is_some_and(|plan| plan.kind.0 == PlanKind::ChildProtection);
        }
        if !planned {
            return Err(Error::guard(
                "PROTECTION_PLAN_OPEN",
                "A review conference reviews a child protection plan, and none of these children has one.",
            ));
        }
    }
    // An initial conference, before a birth too, follows an enquiry about each of its children.
    let mut enquiries = Vec::with_capacity(locked.len());
    let mut at = locked.iter().fold(tx.viewer().at, |at, case| case.moment(at));
    for case in &locked {
        let enquiry = match input.kind {
            ConferenceType::Initial | ConferenceType::PreBirth => {
                let found = enquiries::calls_for_conference(tx, case.core.id).await?;
                let (enquiry, decided_at) = found.ok_or_else(|| {
                    Error::guard(
                        "ENQUIRY_CALLS",
                        "An initial conference follows a section 47 enquiry about each child with that outcome: conclude it \
                         first, with concludeSection47.",
                    )
                })?;
                // It may have been decided while this request waited.
                at = at.max(decided_at);
                Some(enquiry)
            }
            // Called again: after one that was held.
            ConferenceType::Reconvened => {
                let last = enquiries::of_last_conference(tx, case.core.id).await?;
                last.ok_or_else(|| {
                    Error::guard(
                        "CONFERENCE_BEFORE",
                        "A conference is reconvened when one about the child was held in this case: request an initial one.",
                    )
                })?
            }
            ConferenceType::Review | ConferenceType::TransferIn => None,
        };
        enquiries.push(enquiry);
    }

    let conference_id = ConferenceId::new().0;
    let mut subjects = child_ids.clone();
    subjects.push(conference_id);
    tx.authorise(&subjects).await?;
    let part = |(case, enquiry): (&Locked, Option<Uuid>)| {
        (ConferenceChildId::new().0, case.core.child_id, case.core.id, enquiry)
    };
    let about: Vec<_> = locked.iter().zip(enquiries).map(part).collect();
    conferences::request(
        tx,
        NewConference {
            id: conference_id,
            family_id,
            type_: Coded(input.kind),
            state: Coded(ConferenceState::Requested),
            requested_by: me.0,
            requested_at: at,
        },
        &about,
    )
    .await?;
    let mut audience: Vec<Audience> = locked.iter().flat_map(units_of).collect();
    audience.extend(involvements::leads(tx, &case_ids).await?.into_iter().map(Audience::Worker));
    let detail = Detail::Conference(ConferenceDetail {
        kind: input.kind,
        state: ConferenceState::Requested,
        scheduled_for: None,
        previously_scheduled_for: None,
        online: false,
        chair_id: None,
        quorate: None,
    });
    let entity = Entity { kind: ConferenceId::KIND, id: conference_id, version: 1 };
    Announcer::new(&standing.name, role, at)
        .announce(tx, EventType::ConferenceRequested, Severity::Action, entity, None, detail, &audience)
        .await?;
    Ok(Outcome { conference_id: Some(conference_id), ..Outcome::default() })
}

async fn propose_withdrawal(tx: &ViewerTx, input: ProposeConferenceWithdrawal, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let action = Action::ProposeConferenceWithdrawal;
    let taking =
        Taking::begin(tx, input.conference_id, action, Step::ProposeWithdrawal, Some(input.expected_version)).await?;
    if taking.about.conference.withdrawal_proposed_by.is_some() {
        return Err(Error::conflict("It is proposed already: the service manager decides."));
    }
    let change = ConferenceChange { withdrawal_proposed_by: Some(Some(me.0)), ..taking.change() };
    taking.take(tx, change, Some(reason)).await?;
    let audience = taking.about.audience_with_managers();
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, taking.detail(), &audience).await?;
    Ok(taking.outcome())
}

async fn withdraw(tx: &ViewerTx, input: WithdrawConference, reason: String) -> Result<Outcome> {
    let me = tx.viewer().worker_id;
    let action = Action::WithdrawConference;
    let taking = Taking::begin(tx, input.conference_id, action, Step::Withdraw, Some(input.expected_version)).await?;
    match taking.about.conference.withdrawal_proposed_by {
        None => {
            return Err(Error::guard(
                "WITHDRAWAL_PROPOSED",
                "A request is withdrawn by two people: the consultant social worker proposes it first.",
            ));
        }
        Some(proposer) if proposer == me.0 => {
            return Err(Error::guard(
                "TWO_PEOPLE",
                "You proposed it yourself: another manager has to withdraw the request.",
            ));
        }
        Some(_) => {}
    }
    cancel(tx, &taking, reason).await
}

/// What a withdrawal and a dispute that is lost have in common.
async fn cancel(tx: &ViewerTx, taking: &Taking, reason: String) -> Result<Outcome> {
    let mut audience = taking.about.audience_with_managers();
    audience.extend(taking.about.conference.chair_id.map(Audience::Leaving));
    // Whatever follows for a child is done by somebody who sees it.
    taking.about.every_child()?;
    taking.take(tx, taking.change(), Some(reason.clone())).await?;
    for (child, case) in taking.about.children.iter().zip(&taking.about.cases) {
        if let Some(enquiry) = child.enquiry_id {
            reopen(tx, &taking.announcer, case, enquiry, &reason).await?;
            if enquiries::calls_for_conference(tx, case.core.id).await?.is_none() {
                no_plan(tx, case).await?;
            }
        }
    }
    taking.tell(tx, EventType::ConferenceCancelled, Severity::Action, taking.detail(), &audience).await?;
    Ok(taking.outcome())
}

async fn dispute(tx: &ViewerTx, input: DisputeConference, reason: String) -> Result<Outcome> {
    let action = Action::DisputeConference;
    let taking = Taking::begin(tx, input.conference_id, action, Step::Dispute, Some(input.expected_version)).await?;
    taking.take(tx, taking.change(), Some(reason)).await?;
    let audience = taking.about.audience_with_managers();
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, taking.detail(), &audience).await?;
    Ok(taking.outcome())
}

async fn settle(tx: &ViewerTx, input: SettleConferenceDispute, reason: String) -> Result<Outcome> {
    let step = match input.outcome {
        DisputeOutcome::GoAhead => Step::Uphold,
        DisputeOutcome::Withdraw => Step::Drop,
    };
    let action = Action::SettleConferenceDispute;
    let taking = Taking::begin(tx, input.conference_id, action, step, Some(input.expected_version)).await?;
    if input.outcome == DisputeOutcome::Withdraw {
        return cancel(tx, &taking, reason).await;
    }
    taking.take(tx, taking.change(), Some(reason)).await?;
    let audience = taking.about.audience_with_managers();
    taking.tell(tx, EventType::ConferenceChanged, Severity::Action, taking.detail(), &audience).await?;
    Ok(taking.outcome())
}
