use async_graphql::{Context, ID, InputObject, Object};

use super::Changed;
use crate::{
    domain::{codes::ClosureReason, ids::CaseId},
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::local,
        types::Case,
    },
    services::close::CloseCase,
};

payload! {
    /// Answer to closeCase.
    CloseCasePayload {
        /// The case; null, unless you see it otherwise: it leaves its unit's sight.
        case: Nullable<Case>,
    }
}

/// Closes a case.
#[derive(InputObject)]
pub struct CloseCaseInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the case.
    case_id: ID,
    /// Why: RC1 to RC7. An assessment closes with RC8 and RC9.
    reason: ClosureReason,
    /// Why, in words. At most 20,000 characters.
    rationale: String,
    /// With RC3, RC4 and RC7: why the child can live at home, or with whoever has them by an order, safely without a social worker.
    /// At most 20,000 characters.
    safe_at_home: Option<String>,
    /// The case's version as you read it.
    expected_version: i32,
}

/// Closing.
#[derive(Default)]
pub struct ClosingMutations;

#[Object]
impl ClosingMutations {
    /// Closes a case that stands at CIN, with nothing open behind it. With RC3, RC4 and RC7 every goal of its last plan is met with
    /// evidence that the change lasts, or was given up (CHANGE_LASTS). Every part in the case and every allocation ends; if the
    /// child is referred again within six months, the case is offered to the unit that closed it. By the holding unit's consultant
    /// social worker, the service manager or the head of service; within three months after a child protection plan by one of the
    /// latter two (PROTECTION_ENDED_LATELY).
    async fn close_case(&self, ctx: &Context<'_>, input: CloseCaseInput) -> Nullable<CloseCasePayload> {
        change!(
            ctx,
            input,
            close_case,
            CloseCasePayload,
            CloseCase {
                case_id: local("caseId", CaseId::KIND, &input.case_id)?,
                reason: input.reason,
                rationale: input.rationale,
                safe_at_home: input.safe_at_home,
                expected_version: input.expected_version,
            }
        )
    }
}
