use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, contacts::ParticularNeedInput};
use crate::{
    domain::{
        codes::{AssessmentFactor, AssessmentOutcome},
        ids::{AssessmentId, CaseId},
    },
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::{Date, local},
        types::{Assessment, Case},
    },
    services::{
        assessments::{AnswerAssessment, AssessmentContent, ChangeAssessment, StartAssessment, SubmitAssessment},
        needs::NeedInput,
    },
};

payload! {
    /// Answer to startAssessment.
    StartAssessmentPayload {
        /// The assessment; null when you may not see it any more.
        assessment: Nullable<Assessment>,
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to changeAssessment.
    ChangeAssessmentPayload {
        /// The assessment; null when you may not see it any more.
        assessment: Nullable<Assessment>,
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to submitAssessment.
    SubmitAssessmentPayload {
        /// The assessment; null when you may not see it any more.
        assessment: Nullable<Assessment>,
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to returnAssessment.
    ReturnAssessmentPayload {
        /// The assessment; null when you may not see it any more.
        assessment: Nullable<Assessment>,
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
    }
}
payload! {
    /// Answer to authoriseAssessment.
    AuthoriseAssessmentPayload {
        /// The assessment; null when you may not see it any more.
        assessment: Nullable<Assessment>,
        /// The case; null when you may not see it any more.
        case: Nullable<Case>,
    }
}

/// Begins an assessment.
#[derive(InputObject)]
pub struct StartAssessmentInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// First day; today when left out. Not before the referral.
    started_on: Option<Date>,
    /// When the unit looks at it together, before it is due.
    review_on: Option<Date>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Writes an assessment.
#[derive(InputObject)]
pub struct ChangeAssessmentInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the assessment.
    assessment_id: ID,
    /// What it is to say: everything.
    content: AssessmentContentInput,
    /// The assessment's version as you read it.
    expected_version: i32,
}

/// Hands an assessment in.
#[derive(InputObject)]
pub struct SubmitAssessmentInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the assessment.
    assessment_id: ID,
    /// What it came to.
    outcome: AssessmentOutcome,
    /// The assessment's version as you read it.
    expected_version: i32,
}

/// Gives an assessment back.
#[derive(InputObject)]
pub struct ReturnAssessmentInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the assessment.
    assessment_id: ID,
    /// What is missing. At most 5,000 characters.
    reason: String,
    /// The assessment's version as you read it.
    expected_version: i32,
}

/// Authorises an assessment.
#[derive(InputObject)]
pub struct AuthoriseAssessmentInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the assessment.
    assessment_id: ID,
    /// Why. Of a case that closes by it, its rationale. At most 5,000 characters.
    reason: String,
    /// The assessment's version as you read it.
    expected_version: i32,
}

/// The whole of what an assessment says so far.
#[derive(InputObject)]
pub struct AssessmentContentInput {
    /// When the unit looks at it together, before it is due.
    review_on: Option<Date>,
    /// When the child was seen: not before its first day, not in the future.
    child_seen_on: Option<Date>,
    /// Whether alone; with childSeenOn.
    child_seen_alone: Option<bool>,
    /// Why the child was not seen, if not. At most 50,000 characters.
    not_seen_reason: Option<String>,
    /// What the child wishes and feels. At most 50,000 characters.
    wishes_feelings: Option<String>,
    /// What was understood of the child's life. At most 50,000 characters.
    analysis: Option<String>,
    /// What was found, each once; 21 alone.
    #[graphql(default)]
    factors: Vec<AssessmentFactor>,
    /// What was answered about particular needs; of a kind that is not named the last answer stays.
    #[graphql(default)]
    needs: Vec<ParticularNeedInput>,
}

impl From<AssessmentContentInput> for AssessmentContent {
    fn from(said: AssessmentContentInput) -> Self {
        Self {
            review_on: said.review_on.map(|day| day.0),
            child_seen_on: said.child_seen_on.map(|day| day.0),
            child_seen_alone: said.child_seen_alone,
            not_seen_reason: said.not_seen_reason,
            wishes_feelings: said.wishes_feelings,
            analysis: said.analysis,
            factors: said.factors,
            needs: said.needs.into_iter().map(NeedInput::from).collect(),
        }
    }
}

/// Changes of assessments.
#[derive(Default)]
pub struct AssessmentMutations;

#[Object]
impl AssessmentMutations {
    /// Begins the child and family assessment of a case that a unit holds. One at a time.
    async fn start_assessment(
        &self,
        ctx: &Context<'_>,
        input: StartAssessmentInput,
    ) -> Nullable<StartAssessmentPayload> {
        change!(
            ctx,
            input,
            start_assessment,
            StartAssessmentPayload,
            StartAssessment {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                started_on: input.started_on.map(|day| day.0),
                review_on: input.review_on.map(|day| day.0),
                expected_version: input.expected_version,
            }
        )
    }

    /// Writes what is known so far; only while it is in progress.
    async fn change_assessment(
        &self,
        ctx: &Context<'_>,
        input: ChangeAssessmentInput,
    ) -> Nullable<ChangeAssessmentPayload> {
        change!(
            ctx,
            input,
            change_assessment,
            ChangeAssessmentPayload,
            ChangeAssessment {
                assessment_id: local("assessmentId", AssessmentId::KIND, &input.assessment_id)?,
                content: input.content.into(),
                expected_version: input.expected_version,
            }
        )
    }

    /// Hands it in. Refused until needs from religion, culture and disability are answered, the child was seen or it is said why
    /// not, and there are an analysis and factors.
    async fn submit_assessment(
        &self,
        ctx: &Context<'_>,
        input: SubmitAssessmentInput,
    ) -> Nullable<SubmitAssessmentPayload> {
        change!(
            ctx,
            input,
            submit_assessment,
            SubmitAssessmentPayload,
            SubmitAssessment {
                assessment_id: local("assessmentId", AssessmentId::KIND, &input.assessment_id)?,
                outcome: input.outcome,
                expected_version: input.expected_version,
            }
        )
    }

    /// Gives it back: it is written further.
    async fn return_assessment(
        &self,
        ctx: &Context<'_>,
        input: ReturnAssessmentInput,
    ) -> Nullable<ReturnAssessmentPayload> {
        change!(
            ctx,
            input,
            return_assessment,
            ReturnAssessmentPayload,
            AnswerAssessment {
                assessment_id: local("assessmentId", AssessmentId::KIND, &input.assessment_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }

    /// Authorises it: another person than who wrote it or handed it in. With NFA or EARLY_HELP a case in assessment closes, unless
    /// something is open behind it; you may see it no more then, and the payload's records are null.
    async fn authorise_assessment(
        &self,
        ctx: &Context<'_>,
        input: AuthoriseAssessmentInput,
    ) -> Nullable<AuthoriseAssessmentPayload> {
        change!(
            ctx,
            input,
            authorise_assessment,
            AuthoriseAssessmentPayload,
            AnswerAssessment {
                assessment_id: local("assessmentId", AssessmentId::KIND, &input.assessment_id)?,
                reason: input.reason,
                expected_version: input.expected_version,
            }
        )
    }
}
