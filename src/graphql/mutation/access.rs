use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, optional, person};
use crate::{
    domain::{
        codes::{BreakGlassFinding, BreakGlassReason, DenialReason, RestrictionReason},
        ids::{AccessDenialId, AccessRestrictionId, BreakGlassId, ChildId, WorkerId},
    },
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::local,
        types::{AccessDenial, AccessRestriction, BreakGlass},
    },
    services::access,
};

payload! {
    /// Answer to restrictRecord.
    RestrictRecordPayload {
        /// The new restriction.
        restriction: Nullable<AccessRestriction>,
    }
}
payload! {
    /// Answer to changeRestriction.
    ChangeRestrictionPayload {
        /// The restriction.
        restriction: Nullable<AccessRestriction>,
    }
}
payload! {
    /// Answer to liftRestriction.
    LiftRestrictionPayload {
        /// The restriction that was lifted.
        restriction: Nullable<AccessRestriction>,
    }
}
payload! {
    /// Answer to denyAccess.
    DenyAccessPayload {
        /// The new denial; null when it names yourself.
        denial: Nullable<AccessDenial>,
    }
}
payload! {
    /// Answer to endDenial.
    EndDenialPayload {
        /// The denial that ended.
        denial: Nullable<AccessDenial>,
    }
}
payload! {
    /// Answer to breakGlass.
    BreakGlassPayload {
        /// What opens the record to you: read the child through it.
        break_glass: Nullable<BreakGlass>,
    }
}
payload! {
    /// Answer to reviewBreakGlass.
    ReviewBreakGlassPayload {
        /// The break-glass, reviewed.
        break_glass: Nullable<BreakGlass>,
    }
}

/// Restricts a person's record.
#[derive(InputObject)]
pub struct RestrictRecordInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of a child or a person whom you see.
    person_id: ID,
    /// Why.
    reason: RestrictionReason,
    /// Global id of who answers for it: a service manager or the head of service. You, when left out.
    owner_id: Option<ID>,
    /// Global ids of the workers who may see the record, as far as they could without the restriction. The owner is always
    /// among them. At most 50 in all.
    allowed_ids: Vec<ID>,
}

/// Changes a restriction.
#[derive(InputObject)]
pub struct ChangeRestrictionInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the restriction.
    restriction_id: ID,
    /// Global id of the new owner; as before when left out.
    owner_id: Option<ID>,
    /// The whole new list; as before when left out.
    allowed_ids: Option<Vec<ID>>,
    /// The restriction's version as you read it.
    expected_version: i32,
}

/// Lifts a restriction.
#[derive(InputObject)]
pub struct LiftRestrictionInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the restriction.
    restriction_id: ID,
    /// The restriction's version as you read it.
    expected_version: i32,
}

/// Keeps a worker from a person's record by name.
#[derive(InputObject)]
pub struct DenyAccessInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of a child or a person whom you see.
    person_id: ID,
    /// Global id of the worker. Everybody may name themselves: a conflict of interest that they declare.
    worker_id: ID,
    /// Why.
    reason: DenialReason,
}

/// Lets a worker to a person's record again.
#[derive(InputObject)]
pub struct EndDenialInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the denial.
    denial_id: ID,
    /// The denial's version as you read it.
    expected_version: i32,
}

/// Opens the record of a child who is out of your sight, for an hour.
#[derive(InputObject)]
pub struct BreakGlassInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the child.
    child_id: ID,
    /// Why.
    reason: BreakGlassReason,
    /// Why, in your words: whoever reviews it reads them. At most 2,000 characters.
    explanation: String,
}

/// Reviews a break-glass.
#[derive(InputObject)]
pub struct ReviewBreakGlassInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the break-glass.
    break_glass_id: ID,
    /// What you found.
    finding: BreakGlassFinding,
    /// What is to be said about it. At most 2,000 characters.
    note: Option<String>,
    /// The break-glass's version as you read it.
    expected_version: i32,
}

fn workers(ids: &[ID]) -> crate::error::Result<Vec<uuid::Uuid>> {
    ids.iter().map(|id| local("allowedIds", WorkerId::KIND, id)).collect()
}

/// Who may see a record.
#[derive(Default)]
pub struct AccessMutations;

/// Who may see a record.
#[Object]
impl AccessMutations {
    /// Restricts a person's record to those on a list, at once: for everybody else it is absent from lists, counts, searches
    /// and feeds, whatever their unit. By the service manager of the area that holds the case, or the head of service.
    async fn restrict_record(&self, ctx: &Context<'_>, input: RestrictRecordInput) -> Nullable<RestrictRecordPayload> {
        change!(
            ctx,
            input,
            restrict_record,
            RestrictRecordPayload,
            access::RestrictRecord {
                person_id: person("personId", &input.person_id)?,
                reason: input.reason,
                owner_id: optional("ownerId", WorkerId::KIND, input.owner_id.as_ref())?,
                allowed: workers(&input.allowed_ids)?,
            }
        )
    }

    /// Changes the list of a restriction or its owner. By its owner or the head of service.
    async fn change_restriction(
        &self,
        ctx: &Context<'_>,
        input: ChangeRestrictionInput,
    ) -> Nullable<ChangeRestrictionPayload> {
        change!(
            ctx,
            input,
            change_restriction,
            ChangeRestrictionPayload,
            access::ChangeRestriction {
                restriction_id: local("restrictionId", AccessRestrictionId::KIND, &input.restriction_id)?,
                owner_id: optional("ownerId", WorkerId::KIND, input.owner_id.as_ref())?,
                allowed: input.allowed_ids.as_deref().map(workers).transpose()?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Lifts a restriction. By its owner or the head of service.
    async fn lift_restriction(
        &self,
        ctx: &Context<'_>,
        input: LiftRestrictionInput,
    ) -> Nullable<LiftRestrictionPayload> {
        change!(
            ctx,
            input,
            lift_restriction,
            LiftRestrictionPayload,
            access::LiftRestriction {
                restriction_id: local("restrictionId", AccessRestrictionId::KIND, &input.restriction_id)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Keeps a worker from a person's record, whatever else they may, break-glass included. By the service manager of the
    /// area that holds the case or the head of service; and by everybody for themselves.
    async fn deny_access(&self, ctx: &Context<'_>, input: DenyAccessInput) -> Nullable<DenyAccessPayload> {
        change!(
            ctx,
            input,
            deny_access,
            DenyAccessPayload,
            access::DenyAccess {
                person_id: person("personId", &input.person_id)?,
                worker_id: local("workerId", WorkerId::KIND, &input.worker_id)?,
                reason: input.reason,
            }
        )
    }

    /// Lets a worker to a person's record again, as far as they would see it without the denial.
    async fn end_denial(&self, ctx: &Context<'_>, input: EndDenialInput) -> Nullable<EndDenialPayload> {
        change!(
            ctx,
            input,
            end_denial,
            EndDenialPayload,
            access::EndDenial {
                denial_id: local("denialId", AccessDenialId::KIND, &input.denial_id)?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Opens the record of a child who is out of your sight, to read, for 60 minutes. The owner of its restriction and the
    /// service managers are told at the same moment, and one of them reviews it by the next weekday. Only a qualified social
    /// worker, with a reason, at most ten times in 24 hours. The record of a child from whom you are kept by name does not
    /// open: it answers as if there were none.
    async fn break_glass(&self, ctx: &Context<'_>, input: BreakGlassInput) -> Nullable<BreakGlassPayload> {
        change!(
            ctx,
            input,
            break_glass,
            BreakGlassPayload,
            access::BreakGlass {
                child_id: local("childId", ChildId::KIND, &input.child_id)?,
                reason: input.reason,
                explanation: input.explanation.clone(),
            }
        )
    }

    /// Records whether a break-glass was needed. By a service manager or the head of service who was alerted, never by who
    /// used it.
    async fn review_break_glass(
        &self,
        ctx: &Context<'_>,
        input: ReviewBreakGlassInput,
    ) -> Nullable<ReviewBreakGlassPayload> {
        change!(
            ctx,
            input,
            review_break_glass,
            ReviewBreakGlassPayload,
            access::ReviewBreakGlass {
                break_glass_id: local("breakGlassId", BreakGlassId::KIND, &input.break_glass_id)?,
                finding: input.finding,
                note: input.note.clone(),
                expected_version: input.expected_version,
            }
        )
    }
}
