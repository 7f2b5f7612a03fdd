use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, optional};
use crate::{
    domain::{
        codes::{Agency, EnquiryOutcome, StrategyDecision},
        ids::{CaseId, Section47EnquiryId, WorkerId},
    },
    error::{Error, Result},
    graphql::{
        context::HearthContext,
        error::{Fault, Nullable, nullable},
        scalars::{Date, DateTime, local},
        types::{Case, Section47Enquiry, StrategyDiscussion},
    },
    services::enquiries::{
        ChildDiscussed, ConcludeSection47, CountersignSection47, HoldStrategyDiscussion, ParticipantInput,
        RecordSection47Progress, ReturnSection47,
    },
};

payload! {
    /// Answer to holdStrategyDiscussion.
    HoldStrategyDiscussionPayload {
        /// What was recorded, one for each child.
        discussions: std::result::Result<Vec<StrategyDiscussion>, Fault>,
        /// The enquiry that began; of several children the first. The others stand with their discussions.
        enquiry: Nullable<Section47Enquiry>,
    }
}
payload! {
    /// Answer to recordSection47Progress.
    RecordSection47ProgressPayload {
        /// The enquiry.
        enquiry: Nullable<Section47Enquiry>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to concludeSection47.
    ConcludeSection47Payload {
        /// The enquiry.
        enquiry: Nullable<Section47Enquiry>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to countersignSection47.
    CountersignSection47Payload {
        /// The enquiry.
        enquiry: Nullable<Section47Enquiry>,
        /// The case.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to returnSection47.
    ReturnSection47Payload {
        /// The enquiry.
        enquiry: Nullable<Section47Enquiry>,
        /// The case.
        case: Nullable<Case>,
    }
}

/// Records a strategy discussion.
#[derive(InputObject)]
pub struct HoldStrategyDiscussionInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// When it was held: not in the future, at most 31 days back.
    held_at: DateTime,
    /// Who took part, between 1 and 40.
    participants: Vec<StrategyParticipantInput>,
    /// Why it was held without the police or without health, if it was. At most 2,000 characters.
    absence_reason: Option<String>,
    /// The children it was about, each with what was said and decided of it; between 1 and 20.
    children: Vec<ChildDiscussedInput>,
}

/// Records how far an enquiry has come: what is left out stays as it is.
#[derive(InputObject)]
pub struct RecordSection47ProgressInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the enquiry.
    enquiry_id: ID,
    /// Global id of who leads it from now on: a qualified social worker of the holding unit.
    lead_practitioner_id: Option<ID>,
    /// The police's reference, of a joint one. At most 200 characters.
    police_reference: Option<String>,
    /// When the child was seen: not before its first day, not in the future.
    child_seen_on: Option<Date>,
    /// Whether alone; with childSeenOn.
    child_seen_alone: Option<bool>,
    /// Whether the child was interviewed for evidence.
    interviewed: Option<bool>,
    /// Whether a doctor examined the child.
    medical: Option<bool>,
    /// The enquiry's version as you read it.
    expected_version: i32,
}

/// Gives an enquiry its outcome.
#[derive(InputObject)]
pub struct ConcludeSection47Input {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the enquiry.
    enquiry_id: ID,
    /// What it came to.
    outcome: EnquiryOutcome,
    /// What was found. At most 50,000 characters.
    findings: String,
    /// The enquiry's version as you read it.
    expected_version: i32,
}

/// Countersigns that there is no conference.
#[derive(InputObject)]
pub struct CountersignSection47Input {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the enquiry.
    enquiry_id: ID,
    /// The enquiry's version as you read it.
    expected_version: i32,
}

/// Gives an enquiry's outcome back.
#[derive(InputObject)]
pub struct ReturnSection47Input {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the enquiry.
    enquiry_id: ID,
    /// Why. At most 5,000 characters.
    reason: String,
    /// The enquiry's version as you read it.
    expected_version: i32,
}

/// Somebody who took part in a strategy discussion.
#[derive(InputObject)]
pub struct StrategyParticipantInput {
    /// The agency. Social care, the police and health take part; without the police or health say why.
    agency: Agency,
    /// The organisation: needed of another agency. At most 200 characters.
    organisation: Option<String>,
    /// Their name. At most 200 characters.
    name: String,
    /// What they are there. At most 200 characters.
    role: Option<String>,
}

impl From<StrategyParticipantInput> for ParticipantInput {
    fn from(said: StrategyParticipantInput) -> Self {
        Self { agency: said.agency, organisation: said.organisation, name: said.name, role: said.role }
    }
}

/// What a strategy discussion said of one child, and decided.
#[derive(InputObject)]
pub struct ChildDiscussedInput {
    /// Global id of the child's case.
    case_id: ID,
    /// What each agency told of this child. At most 50,000 characters.
    information_shared: String,
    /// What was decided.
    decision: StrategyDecision,
    /// Why. At most 10,000 characters.
    decision_reason: String,
    /// What is done at once to keep the child safe. At most 10,000 characters.
    immediate_action: Option<String>,
    /// Who does what, at most 30, each at most 2,000 characters.
    #[graphql(default)]
    actions: Vec<String>,
    /// Who took part for this child alone, beside those of the whole meeting: the school of one of several children. At most 40.
    #[graphql(default)]
    participants: Vec<StrategyParticipantInput>,
    /// Global id of who leads the enquiry that begins; the case's lead practitioner when left out.
    lead_practitioner_id: Option<ID>,
    /// The police's reference, with S47_JOINT. At most 200 characters.
    police_reference: Option<String>,
    /// The case's version as you read it.
    expected_version: i32,
}

impl ChildDiscussedInput {
    fn read(self) -> Result<ChildDiscussed> {
        Ok::<_, Error>(ChildDiscussed {
            case_id: local("caseId", CaseId::KIND, &self.case_id)?,
            information_shared: self.information_shared,
            decision: self.decision,
            decision_reason: self.decision_reason,
            immediate_action: self.immediate_action,
            actions: self.actions,
            participants: self.participants.into_iter().map(ParticipantInput::from).collect(),
            lead_practitioner_id: optional("leadPractitionerId", WorkerId::KIND, self.lead_practitioner_id.as_ref())?,
            police_reference: self.police_reference,
            expected_version: self.expected_version,
        })
    }
}

/// Changes of strategy discussions and section 47 enquiries.
#[derive(Default)]
pub struct EnquiryMutations;

#[Object]
impl EnquiryMutations {
    /// Records a strategy discussion with the police, health and others, and what it decided for each child. S47_SINGLE and
    /// S47_JOINT begin a section 47 enquiry from the day of the discussion; whoever took part from another agency takes part in
    /// the case from then on.
    async fn hold_strategy_discussion(
        &self,
        ctx: &Context<'_>,
        input: HoldStrategyDiscussionInput,
    ) -> Nullable<HoldStrategyDiscussionPayload> {
        change!(
            ctx,
            input,
            hold_strategy_discussion,
            HoldStrategyDiscussionPayload,
            HoldStrategyDiscussion {
                held_at: input.held_at.0,
                participants: input.participants.into_iter().map(ParticipantInput::from).collect(),
                absence_reason: input.absence_reason,
                children: input.children.into_iter().map(ChildDiscussedInput::read).collect::<Result<_>>()?,
            }
        )
    }

    /// Records who leads the enquiry, when the child was seen, whether there was an interview or an examination.
    async fn record_section47_progress(
        &self,
        ctx: &Context<'_>,
        input: RecordSection47ProgressInput,
    ) -> Nullable<RecordSection47ProgressPayload> {
        change!(
            ctx,
            input,
            record_section47_progress,
            RecordSection47ProgressPayload,
            RecordSection47Progress {
                enquiry_id: local("enquiryId", Section47EnquiryId::KIND, &input.enquiry_id)?,
                lead_practitioner_id: optional(
                    "leadPractitionerId",
                    WorkerId::KIND,
                    input.lead_practitioner_id.as_ref()
                )?,
                police_reference: input.police_reference,
                child_seen_on: input.child_seen_on.map(|day| day.0),
                child_seen_alone: input.child_seen_alone,
                interviewed: input.interviewed,
                medical: input.medical,
                expected_version: input.expected_version,
            }
        )
    }

    /// Gives the enquiry its outcome. INITIAL_CONFERENCE ends it, and the case waits for the conference: ask for it with
    /// requestConference. Every other outcome waits until a service manager countersigns it.
    async fn conclude_section47(
        &self,
        ctx: &Context<'_>,
        input: ConcludeSection47Input,
    ) -> Nullable<ConcludeSection47Payload> {
        change!(
            ctx,
            input,
            conclude_section47,
            ConcludeSection47Payload,
            ConcludeSection47 {
                enquiry_id: local("enquiryId", Section47EnquiryId::KIND, &input.enquiry_id)?,
                outcome: input.outcome,
                findings: input.findings,
                expected_version: input.expected_version,
            }
        )
    }

    /// Agrees that no conference is needed: the enquiry is over.
    async fn countersign_section47(
        &self,
        ctx: &Context<'_>,
        input: CountersignSection47Input,
    ) -> Nullable<CountersignSection47Payload> {
        change!(
            ctx,
            input,
            countersign_section47,
            CountersignSection47Payload,
            CountersignSection47 {
                enquiry_id: local("enquiryId", Section47EnquiryId::KIND, &input.enquiry_id)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Does not agree that no conference is needed: the enquiry goes on.
    async fn return_section47(
        &self,
        ctx: &Context<'_>,
        input: ReturnSection47Input,
    ) -> Nullable<ReturnSection47Payload> {
        change!(
            ctx,
            input,
            return_section47,
            ReturnSection47Payload,
            ReturnSection47 {
                enquiry_id: local("enquiryId", Section47EnquiryId::KIND, &input.enquiry_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
