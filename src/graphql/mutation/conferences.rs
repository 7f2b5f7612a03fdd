use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, optional, person};
use crate::{
    domain::{
        codes::{
            AbuseCategory, Attendance, ConferenceDecision, ConferenceRecord, ConferenceType, DisputeOutcome, Exclusion,
            InvitationCapacity, InvitationMethod, Participation, QuorumException, ReportStep,
        },
        ids::{CaseId, ChildId, ConferenceId, InvitationId, WorkerId},
    },
    error::{Error, Result},
    graphql::{
        context::HearthContext,
        error::{Fault, Nullable, nullable},
        scalars::{Date, DateTime, local},
        types::{Conference, Invitation, Plan},
    },
    services::conferences::{
        AdjournConference, AnswerInvitation, AppointConferenceChair, ChildDecision, DecideConference,
        DisputeConference, ExcludeFromConference, InviteToConference, Invited, Invitee, IssueConferenceRecord,
        MoveConference, OpenConference, PostponeConference, ProposeConferenceWithdrawal, RecordAttendance,
        RecordConferenceReport, RecordConferenceView, RequestConference, ScheduleConference, SettleConferenceDispute,
        WithdrawConference,
    },
};

payload! {
    /// Answer to requestConference.
    RequestConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to appointConferenceChair.
    AppointConferenceChairPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to scheduleConference.
    ScheduleConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to inviteToConference.
    InviteToConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to answerInvitation.
    AnswerInvitationPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}
payload! {
    /// Answer to recordConferenceReport.
    RecordConferenceReportPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}
payload! {
    /// Answer to excludeFromConference.
    ExcludeFromConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}
payload! {
    /// Answer to moveConference.
    MoveConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to postponeConference.
    PostponeConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to openConference.
    OpenConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to recordAttendance.
    RecordAttendancePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to recordConferenceView.
    RecordConferenceViewPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The invitation; null when you may not see it.
        invitation: Nullable<Invitation>,
    }
}
payload! {
    /// Answer to adjournConference.
    AdjournConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to decideConference.
    DecideConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
        /// The plans that began or went on.
        plans: std::result::Result<Vec<Plan>, Fault>,
    }
}
payload! {
    /// Answer to issueConferenceRecord.
    IssueConferenceRecordPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to proposeConferenceWithdrawal.
    ProposeConferenceWithdrawalPayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to withdrawConference.
    WithdrawConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to disputeConference.
    DisputeConferencePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}
payload! {
    /// Answer to settleConferenceDispute.
    SettleConferenceDisputePayload {
        /// The conference; null when you may not see it any more.
        conference: Nullable<Conference>,
    }
}

/// Asks for a child protection conference.
#[derive(InputObject)]
pub struct RequestConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global ids of the cases of the children that it is about: one family, at most 20.
    case_ids: Vec<ID>,
    /// What kind of conference.
    r#type: ConferenceType,
}

/// Names who is to chair a conference.
#[derive(InputObject)]
pub struct AppointConferenceChairInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Global id of the chair: a conference chair who is independent of the units that hold the case.
    chair_id: ID,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Gives a conference its date and chair.
#[derive(InputObject)]
pub struct ScheduleConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When: a weekday in the future.
    scheduled_for: DateTime,
    /// Global id of the chair: a conference chair who is independent of the units that hold the case.
    chair_id: ID,
    /// Where; needed unless it is online. At most 500 characters.
    venue: Option<String>,
    /// Whether it is held online.
    #[graphql(default)]
    online: bool,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Sends invitations to a conference.
#[derive(InputObject)]
pub struct InviteToConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Whom to invite, at most 50 at once.
    invitations: Vec<NewInvitationInput>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Records somebody's answer to an invitation.
#[derive(InputObject)]
pub struct AnswerInvitationInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the invitation.
    invitation_id: ID,
    /// Whether they will come.
    accepted: bool,
    /// The invitation's version as you read it.
    expected_version: i32,
}

/// Records how far somebody's report to a conference has come.
#[derive(InputObject)]
pub struct RecordConferenceReportInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the invitation.
    invitation_id: ID,
    /// How far it has come.
    step: ReportStep,
    /// When; now when left out.
    at: Option<DateTime>,
    /// The invitation's version as you read it.
    expected_version: i32,
}

/// Records why somebody is not to come to a conference.
#[derive(InputObject)]
pub struct ExcludeFromConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Global id of the person.
    person_id: ID,
    /// As what they would be invited.
    capacity: InvitationCapacity,
    /// Which reason. Only the chair excludes.
    exclusion: Exclusion,
    /// The reason in words. At most 2,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Gives a conference another date.
#[derive(InputObject)]
pub struct MoveConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When: a weekday in the future.
    scheduled_for: DateTime,
    /// Why. At most 1,000 characters.
    reason: String,
    /// Where, if that changes too. At most 500 characters.
    venue: Option<String>,
    /// Whether it is held online, if that changes too.
    online: Option<bool>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Puts a conference off without a new date.
#[derive(InputObject)]
pub struct PostponeConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Begins the meeting of a conference.
#[derive(InputObject)]
pub struct OpenConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// When it began, if that is recorded afterwards: a weekday, not in the future. Now when left out.
    opened_at: Option<DateTime>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Records who came to a conference.
#[derive(InputObject)]
pub struct RecordAttendanceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Who came, of those who are invited.
    attendances: Vec<AttendanceInput>,
    /// How the children took part.
    #[graphql(default)]
    participations: Vec<ParticipationInput>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Minutes what somebody said to a conference's decision.
#[derive(InputObject)]
pub struct RecordConferenceViewInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the invitation of who said it.
    invitation_id: ID,
    /// Global id of the child whom it is about; all of them when left out.
    child_id: Option<ID>,
    /// Whether they agree.
    agrees: bool,
    /// In their words. At most 10,000 characters.
    text: String,
    /// The category of abuse that they see.
    category: Option<AbuseCategory>,
}

/// Ends a meeting that has no quorum.
#[derive(InputObject)]
pub struct AdjournConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// What keeps the children safe until it sits again. At most 20,000 characters.
    interim_plan: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Records what a conference decided.
#[derive(InputObject)]
pub struct DecideConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// One decision for every child of the conference.
    decisions: Vec<ChildDecisionInput>,
    /// Why the chair goes on without a quorum: needed when fewer than social care and two other agencies came.
    quorum_exception: Option<QuorumException>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Records that outline plans or minutes of a conference went out.
#[derive(InputObject)]
pub struct IssueConferenceRecordInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// What went out.
    record: ConferenceRecord,
    /// When; now when left out.
    sent_at: Option<DateTime>,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Proposes to withdraw the request for a conference.
#[derive(InputObject)]
pub struct ProposeConferenceWithdrawalInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Withdraws the request for a conference.
#[derive(InputObject)]
pub struct WithdrawConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Disputes that a conference is called for.
#[derive(InputObject)]
pub struct DisputeConferenceInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// Settles a chair's dispute.
#[derive(InputObject)]
pub struct SettleConferenceDisputeInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the conference.
    conference_id: ID,
    /// How.
    outcome: DisputeOutcome,
    /// Why. At most 1,000 characters.
    reason: String,
    /// The conference's version as you read it.
    expected_version: i32,
}

/// An invitation to send: exactly one of person, worker and agency.
#[derive(InputObject)]
pub struct NewInvitationInput {
    /// Global id of a person.
    person_id: Option<ID>,
    /// Global id of a worker of the authority.
    worker_id: Option<ID>,
    /// Name of an agency. At most 200 characters.
    agency_name: Option<String>,
    /// As what.
    capacity: InvitationCapacity,
    /// How it is sent.
    method: InvitationMethod,
    /// Whether a report is asked for with it.
    #[graphql(default)]
    report_requested: bool,
}

/// Whether somebody who is invited came.
#[derive(InputObject)]
pub struct AttendanceInput {
    /// Global id of the invitation.
    invitation_id: ID,
    /// Whether they came.
    attended: Attendance,
}

/// How a child took part.
#[derive(InputObject)]
pub struct ParticipationInput {
    /// Global id of the child.
    child_id: ID,
    /// How: PN0 exactly for a child under four.
    participation: Participation,
}

/// What was decided for one child.
#[derive(InputObject)]
pub struct ChildDecisionInput {
    /// Global id of the child.
    child_id: ID,
    /// What was decided.
    decision: ConferenceDecision,
    /// Category of abuse: needed with PLAN, refused with anything else.
    category: Option<AbuseCategory>,
    /// The outline plan. At most 20,000 characters.
    outline_plan: Option<String>,
    /// When the next review is due.
    next_review_on: Option<Date>,
}

fn invited(input: NewInvitationInput) -> Result<Invited> {
    let invitee = match (input.person_id, input.worker_id, input.agency_name) {
        (Some(id), None, None) => Invitee::Person(person("personId", &id)?),
        (None, Some(id), None) => Invitee::Worker(local("workerId", WorkerId::KIND, &id)?),
        (None, None, Some(name)) => Invitee::Agency(name),
        _ => {
            return Err(Error::bad_input(
                "invitations",
                "must name each exactly one of personId, workerId, agencyName",
            ));
        }
    };
    Ok(Invited { invitee, capacity: input.capacity, method: input.method, report_requested: input.report_requested })
}

fn decision(input: ChildDecisionInput) -> Result<ChildDecision> {
    Ok(ChildDecision {
        child_id: local("childId", ChildId::KIND, &input.child_id)?,
        decision: input.decision,
        category: input.category,
        outline_plan: input.outline_plan,
        next_review_on: input.next_review_on.map(|day| day.0),
    })
}

/// Child protection conferences.
#[derive(Default)]
pub struct ConferenceMutations;

/// Child protection conferences.
#[Object]
impl ConferenceMutations {
    /// Asks for a child protection conference about one or more children of a family.
    async fn request_conference(
        &self,
        ctx: &Context<'_>,
        input: RequestConferenceInput,
    ) -> Nullable<RequestConferencePayload> {
        change!(
            ctx,
            input,
            request_conference,
            RequestConferencePayload,
            RequestConference {
                case_ids: input
                    .case_ids
                    .iter()
                    .map(|id| local("caseIds", CaseId::KIND, id))
                    .collect::<Result<Vec<_>>>()?,
                kind: input.r#type,
            }
        )
    }

    /// Names who is to chair a conference. The chair sees the children from then on.
    async fn appoint_conference_chair(
        &self,
        ctx: &Context<'_>,
        input: AppointConferenceChairInput,
    ) -> Nullable<AppointConferenceChairPayload> {
        change!(
            ctx,
            input,
            appoint_conference_chair,
            AppointConferenceChairPayload,
            AppointConferenceChair {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                chair_id: local("chairId", WorkerId::KIND, &input.chair_id)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Gives a conference its date, chair and place. Whoever was invited for another date is asked again.
    async fn schedule_conference(
        &self,
        ctx: &Context<'_>,
        input: ScheduleConferenceInput,
    ) -> Nullable<ScheduleConferencePayload> {
        change!(
            ctx,
            input,
            schedule_conference,
            ScheduleConferencePayload,
            ScheduleConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                scheduled_for: input.scheduled_for.0,
                chair_id: local("chairId", WorkerId::KIND, &input.chair_id)?,
                venue: input.venue,
                online: input.online,
                expected_version: input.expected_version,
            }
        )
    }

    /// Sends invitations. Without any it sends again what a conference with a new date has already.
    async fn invite_to_conference(
        &self,
        ctx: &Context<'_>,
        input: InviteToConferenceInput,
    ) -> Nullable<InviteToConferencePayload> {
        change!(
            ctx,
            input,
            invite_to_conference,
            InviteToConferencePayload,
            InviteToConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                invitations: input.invitations.into_iter().map(invited).collect::<Result<Vec<_>>>()?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records somebody's answer for the present date. A later answer replaces it.
    async fn answer_invitation(
        &self,
        ctx: &Context<'_>,
        input: AnswerInvitationInput,
    ) -> Nullable<AnswerInvitationPayload> {
        change!(
            ctx,
            input,
            answer_invitation,
            AnswerInvitationPayload,
            AnswerInvitation {
                invitation_id: local("invitationId", InvitationId::KIND, &input.invitation_id)?,
                accepted: input.accepted,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records that a report was asked for, received, or shared with the parents, in this order.
    async fn record_conference_report(
        &self,
        ctx: &Context<'_>,
        input: RecordConferenceReportInput,
    ) -> Nullable<RecordConferenceReportPayload> {
        change!(
            ctx,
            input,
            record_conference_report,
            RecordConferenceReportPayload,
            RecordConferenceReport {
                invitation_id: local("invitationId", InvitationId::KIND, &input.invitation_id)?,
                step: input.step,
                at: input.at.map(|at| at.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Records why somebody is not to come: the chair excludes them, or nobody knows where they are. Inviting
    /// them lifts it.
    async fn exclude_from_conference(
        &self,
        ctx: &Context<'_>,
        input: ExcludeFromConferenceInput,
    ) -> Nullable<ExcludeFromConferencePayload> {
        change!(
            ctx,
            input,
            exclude_from_conference,
            ExcludeFromConferencePayload,
            ExcludeFromConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                person_id: person("personId", &input.person_id)?,
                capacity: input.capacity,
                exclusion: input.exclusion,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Gives a conference another date. Invitations stay, everybody is asked again, no clock restarts.
    async fn move_conference(&self, ctx: &Context<'_>, input: MoveConferenceInput) -> Nullable<MoveConferencePayload> {
        change!(
            ctx,
            input,
            move_conference,
            MoveConferencePayload,
            MoveConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                scheduled_for: input.scheduled_for.0,
                reason: input.reason,
                venue: input.venue,
                online: input.online,
                expected_version: input.expected_version,
            }
        )
    }

    /// Puts a conference off without a new date. Invitations stay, no clock restarts; schedule it again.
    async fn postpone_conference(
        &self,
        ctx: &Context<'_>,
        input: PostponeConferenceInput,
    ) -> Nullable<PostponeConferencePayload> {
        change!(
            ctx,
            input,
            postpone_conference,
            PostponeConferencePayload,
            PostponeConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Begins the meeting. An initial conference is not opened while somebody with parental responsibility has
    /// neither an invitation nor a recorded reason (`uninvitedParents`).
    async fn open_conference(&self, ctx: &Context<'_>, input: OpenConferenceInput) -> Nullable<OpenConferencePayload> {
        change!(
            ctx,
            input,
            open_conference,
            OpenConferencePayload,
            OpenConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                opened_at: input.opened_at.map(|at| at.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Records who came, and how the children took part. Recording it again corrects it.
    async fn record_attendance(
        &self,
        ctx: &Context<'_>,
        input: RecordAttendanceInput,
    ) -> Nullable<RecordAttendancePayload> {
        change!(
            ctx,
            input,
            record_attendance,
            RecordAttendancePayload,
            RecordAttendance {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                attendances: input
                    .attendances
                    .into_iter()
                    .map(|one| Ok((local("invitationId", InvitationId::KIND, &one.invitation_id)?, one.attended)))
                    .collect::<Result<Vec<_>>>()?,
                participations: input
                    .participations
                    .into_iter()
                    .map(|one| Ok((local("childId", ChildId::KIND, &one.child_id)?, one.participation)))
                    .collect::<Result<Vec<_>>>()?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Minutes what somebody who came said to the decision. A dissent blocks nothing.
    async fn record_conference_view(
        &self,
        ctx: &Context<'_>,
        input: RecordConferenceViewInput,
    ) -> Nullable<RecordConferenceViewPayload> {
        change!(
            ctx,
            input,
            record_conference_view,
            RecordConferenceViewPayload,
            RecordConferenceView {
                invitation_id: local("invitationId", InvitationId::KIND, &input.invitation_id)?,
                child_id: optional("childId", ChildId::KIND, input.child_id.as_ref())?,
                agrees: input.agrees,
                text: input.text,
                category: input.category,
            }
        )
    }

    /// Ends a meeting that has no quorum. It needs an interim plan, and does not happen twice in a row;
    /// schedule it again.
    async fn adjourn_conference(
        &self,
        ctx: &Context<'_>,
        input: AdjournConferenceInput,
    ) -> Nullable<AdjournConferencePayload> {
        change!(
            ctx,
            input,
            adjourn_conference,
            AdjournConferencePayload,
            AdjournConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                interim_plan: input.interim_plan,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records what a conference decided, for every child. PLAN makes the child protection plan, dated the
    /// conference, and ends an open child in need plan; END steps down to a child in need plan of the same day.
    async fn decide_conference(
        &self,
        ctx: &Context<'_>,
        input: DecideConferenceInput,
    ) -> Nullable<DecideConferencePayload> {
        change!(
            ctx,
            input,
            decide_conference,
            DecideConferencePayload,
            DecideConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                decisions: input.decisions.into_iter().map(decision).collect::<Result<Vec<_>>>()?,
                quorum_exception: input.quorum_exception,
                expected_version: input.expected_version,
            }
        )
    }

    /// Records that the outline plans, or after them the minutes, went out. With the minutes the conference is
    /// over.
    async fn issue_conference_record(
        &self,
        ctx: &Context<'_>,
        input: IssueConferenceRecordInput,
    ) -> Nullable<IssueConferenceRecordPayload> {
        change!(
            ctx,
            input,
            issue_conference_record,
            IssueConferenceRecordPayload,
            IssueConferenceRecord {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                record: input.record,
                sent_at: input.sent_at.map(|at| at.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Proposes to the service manager to withdraw the request for a conference. Nothing is withdrawn yet.
    async fn propose_conference_withdrawal(
        &self,
        ctx: &Context<'_>,
        input: ProposeConferenceWithdrawalInput,
    ) -> Nullable<ProposeConferenceWithdrawalPayload> {
        change!(
            ctx,
            input,
            propose_conference_withdrawal,
            ProposeConferenceWithdrawalPayload,
            ProposeConferenceWithdrawal {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Withdraws the request for a conference that the consultant social worker proposed to withdraw.
    async fn withdraw_conference(
        &self,
        ctx: &Context<'_>,
        input: WithdrawConferenceInput,
    ) -> Nullable<WithdrawConferencePayload> {
        change!(
            ctx,
            input,
            withdraw_conference,
            WithdrawConferencePayload,
            WithdrawConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// The appointed chair disputes that a conference is called for; the managers hear of it and settle it.
    async fn dispute_conference(
        &self,
        ctx: &Context<'_>,
        input: DisputeConferenceInput,
    ) -> Nullable<DisputeConferencePayload> {
        change!(
            ctx,
            input,
            dispute_conference,
            DisputeConferencePayload,
            DisputeConference {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Settles a chair's dispute: the conference goes ahead, or its request is withdrawn.
    async fn settle_conference_dispute(
        &self,
        ctx: &Context<'_>,
        input: SettleConferenceDisputeInput,
    ) -> Nullable<SettleConferenceDisputePayload> {
        change!(
            ctx,
            input,
            settle_conference_dispute,
            SettleConferenceDisputePayload,
            SettleConferenceDispute {
                conference_id: local("conferenceId", ConferenceId::KIND, &input.conference_id)?,
                outcome: input.outcome,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
