use async_graphql::{Context, ID, InputObject, Object};

use crate::{
    domain::{
        codes::{AbuseCategory, ConferenceDecision, ConferenceRecord, QuorumException},
        ids::{ChildId, ConferenceId},
    },
    error::Result,
    graphql::{
        context::HearthContext,
        error::{Fault, Nullable, nullable},
        mutation::Changed,
        scalars::{Date, DateTime, local},
        types::{Conference, Plan},
    },
    services::conferences::{ChildDecision, DecideConference, IssueConferenceRecord},
};

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

fn decision(input: ChildDecisionInput) -> Result<ChildDecision> {
    Ok(ChildDecision {
        child_id: local("childId", ChildId::KIND, &input.child_id)?,
        decision: input.decision,
        category: input.category,
        outline_plan: input.outline_plan,
        next_review_on: input.next_review_on.map(|day| day.0),
    })
}

/// What conferences decide, and its record.
#[derive(Default)]
pub struct DecideMutations;

/// What conferences decide, and its record.
#[Object]
impl DecideMutations {
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
}
