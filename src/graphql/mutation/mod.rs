//! The mutation root, one file a noun.
//!
//! Every mutation takes one `input` with an idempotency key. What a user can meet in everyday work is answered in
//! `errors`, as data; what the client did wrong, or may not do, is a GraphQL error with a code. The payload is read
//! from a new instant after the commit: a record that is now out of sight is null.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, MergedObject, SimpleObject};
use uuid::Uuid;

use super::{
    audited::Audited,
    batch::{Instant, Item, generation},
    context::{HearthContext, operation},
    error::{Fault, Nullable, nullable},
    scalars::local,
    selection,
    types::{
        AccessDenial, AccessRestriction, Action, AgencyParticipant, Allocation, Assessment, BreakGlass, Case,
        Conference, Consultation, Contact, ContactPerson, Goal, InformationRequest, Invitation, Involvement, Plan,
        Referral, Section47Enquiry, StrategyDiscussion, SupportRequest, Transfer, Unit, unit::Membership,
    },
};
use crate::{
    db::{
        access as access_rows, allocations as allocation_rows, assessments as assessment_rows, cases,
        conferences as conference_rows, contacts as contact_rows, enquiries as enquiry_rows,
        information as information_rows, invitations, involvements as involvement_rows, plans as plan_rows,
        referrals as referral_rows, support as support_rows, transfers as transfer_rows, units,
    },
    domain::ids::{ChildId, PersonId},
    error::{Error, Refusal, Result},
    services::Outcome,
};

/// Why nothing was changed, as data: show the message, and offer what the type offers.
#[derive(Clone, Interface)]
#[graphql(field(name = "message", ty = "String", desc = "In words for the user."))]
pub enum UserError {
    /// The record's state does not allow the step.
    IllegalTransition(IllegalTransition),
    /// Somebody else was faster.
    VersionConflict(VersionConflict),
    /// A rule is not met.
    GuardFailed(GuardFailed),
    /// Another record stands in the way.
    Conflict(Conflict),
}

/// The record's state does not allow the step.
#[derive(Clone, SimpleObject)]
pub struct IllegalTransition {
    /// In words for the user.
    message: String,
    /// The state that it is in.
    from: String,
    /// The states that can come next.
    legal_next: Vec<String>,
}

/// Somebody changed the record since you read it: read it again, then decide again.
#[derive(Clone, SimpleObject)]
pub struct VersionConflict {
    /// In words for the user.
    message: String,
    /// The version that it has now.
    current_version: i32,
}

/// A rule of practice or law is not met.
#[derive(Clone, SimpleObject)]
pub struct GuardFailed {
    /// In words for the user.
    message: String,
    /// The rule's name.
    guard: String,
    /// What is missing, and what to do.
    explanation: String,
}

/// Another record stands in the way.
#[derive(Clone, SimpleObject)]
pub struct Conflict {
    /// In words for the user: what stands in the way, and what to do.
    message: String,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::IllegalTransition { from, legal_next } => {
                let next = if legal_next.is_empty() { "nothing".to_owned() } else { legal_next.join(", ") };
                Self::IllegalTransition(IllegalTransition {
                    message: format!("This is not possible while it is {from}; what can come next: {next}."),
                    from: from.to_owned(),
                    legal_next: legal_next.into_iter().map(str::to_owned).collect(),
                })
            }
            Refusal::VersionConflict { current_version } => Self::VersionConflict(VersionConflict {
                message: "Somebody changed this since you read it: read it again, then decide again.".to_owned(),
                current_version,
            }),
            Refusal::GuardFailed { guard, explanation } => {
                Self::GuardFailed(GuardFailed { message: explanation.clone(), guard: guard.to_owned(), explanation })
            }
            Refusal::Conflict { explanation } => Self::Conflict(Conflict { message: explanation.to_owned() }),
        }
    }
}

/// What every payload is made of.
struct Changed {
    outcome: Outcome,
    snapshot: Option<Instant>,
    errors: Vec<UserError>,
}

impl Changed {
    /// A change that was made, or the refusal as data.
    fn new(ctx: &Context<'_>, result: Result<Outcome>) -> Result<Self> {
        match result {
            Ok(outcome) => {
                operation(ctx)?.made(&outcome);
                Ok(Self { outcome, snapshot: Some(ctx.fresh()?), errors: Vec::new() })
            }
            Err(Error::Refused(refusal)) => {
                operation(ctx)?.refused(refusal.name());
                Ok(Self { outcome: Outcome::default(), snapshot: None, errors: vec![refusal.into()] })
            }
            Err(error) => Err(error),
        }
    }

    /// The record with this id in the new instant.
    async fn read<R, T, F, Fut>(&self, id: Option<Uuid>, load: F) -> Nullable<T>
    where
        R: Audited,
        T: From<Item<R>>,
        F: FnOnce(Instant, Vec<Uuid>) -> Fut,
        Fut: Future<Output = Result<Vec<R>>>,
    {
        let (Some(id), Some(snapshot)) = (id, &self.snapshot) else { return None };
        let found = load(Arc::clone(snapshot), vec![id]).await;
        nullable(found.map(|rows| generation(Arc::clone(snapshot), rows).into_iter().next().map(T::from)))
    }

    async fn case(&self, ctx: &Context<'_>) -> Nullable<Case> {
        let read = selection::of(ctx, selection::CASE);
        let load = move |snapshot: Instant, ids: Vec<_>| async move { cases::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.case_id, load).await
    }

    async fn allocation(&self, ctx: &Context<'_>) -> Nullable<Allocation> {
        let read = selection::of(ctx, selection::ALLOCATION);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { allocation_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.allocation_id, load).await
    }

    async fn involvement(&self, _: &Context<'_>) -> Nullable<Involvement> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { involvement_rows::by_ids(&snapshot, &ids).await };
        self.read(self.outcome.involvement_id, load).await
    }

    async fn transfer(&self, ctx: &Context<'_>) -> Nullable<Transfer> {
        let read = selection::of(ctx, selection::TRANSFER);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { transfer_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.transfer_id, load).await
    }

    async fn conference(&self, _: &Context<'_>) -> Nullable<Conference> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { conference_rows::by_ids(&snapshot, &ids).await };
        self.read(self.outcome.conference_id, load).await
    }

    async fn invitation(&self, ctx: &Context<'_>) -> Nullable<Invitation> {
        let read = selection::of(ctx, selection::INVITATION);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { invitations::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.invitation_id, load).await
    }

    async fn restriction(&self, _: &Context<'_>) -> Nullable<AccessRestriction> {
        let load =
            |snapshot: Instant, ids: Vec<_>| async move { access_rows::restrictions_by_ids(&snapshot, &ids).await };
        self.read(self.outcome.restriction_id, load).await
    }

    async fn denial(&self, _: &Context<'_>) -> Nullable<AccessDenial> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { access_rows::denials_by_ids(&snapshot, &ids).await };
        self.read(self.outcome.denial_id, load).await
    }

    async fn break_glass(&self, _: &Context<'_>) -> Nullable<BreakGlass> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { access_rows::uses_by_ids(&snapshot, &ids).await };
        self.read(self.outcome.break_glass_id, load).await
    }

    async fn unit(&self, _: &Context<'_>) -> Nullable<Unit> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { units::by_ids(&snapshot, &ids).await };
        self.read(self.outcome.unit_id, load).await
    }

    async fn membership(&self, _: &Context<'_>) -> Nullable<Membership> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { units::memberships_by_ids(&snapshot, &ids).await };
        self.read(self.outcome.membership_id, load).await
    }

    async fn plan(&self, ctx: &Context<'_>) -> Nullable<Plan> {
        let read = selection::of(ctx, selection::PLAN);
        let load = move |snapshot: Instant, ids: Vec<_>| async move { plan_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.plan_id, load).await
    }

    async fn goal(&self, _: &Context<'_>) -> Nullable<Goal> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { plan_rows::goals_by_ids(&snapshot, &ids).await };
        self.read(self.outcome.goal_id, load).await
    }

    async fn action(&self, ctx: &Context<'_>) -> Nullable<Action> {
        let read = selection::of(ctx, selection::ACTION);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { plan_rows::actions_by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.action_id, load).await
    }

    async fn contact(&self, ctx: &Context<'_>) -> Nullable<Contact> {
        let read = selection::of(ctx, selection::CONTACT);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { contact_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.contact_id, load).await
    }

    async fn contact_person(&self, ctx: &Context<'_>) -> Nullable<ContactPerson> {
        let read = selection::of(ctx, selection::CONTACT_PERSON);
        let load = move |snapshot: Instant, ids: Vec<_>| async move {
            contact_rows::people_by_ids(&snapshot, &ids, read).await
        };
        self.read(self.outcome.contact_person_id, load).await
    }

    async fn consultation(&self, _: &Context<'_>) -> Nullable<Consultation> {
        let load =
            |snapshot: Instant, ids: Vec<_>| async move { contact_rows::consultations_by_ids(&snapshot, &ids).await };
        self.read(self.outcome.consultation_id, load).await
    }

    async fn referral(&self, ctx: &Context<'_>) -> Nullable<Referral> {
        let read = selection::of(ctx, selection::REFERRAL);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { referral_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.referral_id, load).await
    }

    async fn referrals(&self, ctx: &Context<'_>) -> std::result::Result<Vec<Referral>, Fault> {
        let Some(snapshot) = &self.snapshot else { return Ok(Vec::new()) };
        let read = selection::of(ctx, selection::REFERRAL);
        let rows = referral_rows::by_ids(snapshot, &self.outcome.referral_ids, read).await?;
        Ok(generation(Arc::clone(snapshot), rows).into_iter().map(Referral).collect())
    }

    async fn assessment(&self, ctx: &Context<'_>) -> Nullable<Assessment> {
        let read = selection::of(ctx, selection::ASSESSMENT);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { assessment_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.assessment_id, load).await
    }

    async fn enquiry(&self, ctx: &Context<'_>) -> Nullable<Section47Enquiry> {
        let read = selection::of(ctx, selection::ENQUIRY);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { enquiry_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.enquiry_id, load).await
    }

    async fn discussions(&self, ctx: &Context<'_>) -> std::result::Result<Vec<StrategyDiscussion>, Fault> {
        let Some(snapshot) = &self.snapshot else { return Ok(Vec::new()) };
        let read = selection::of(ctx, selection::DISCUSSION);
        let rows = enquiry_rows::discussions_by_ids(snapshot, &self.outcome.discussion_ids, read).await?;
        Ok(generation(Arc::clone(snapshot), rows).into_iter().map(StrategyDiscussion).collect())
    }

    async fn participant(&self, _: &Context<'_>) -> Nullable<AgencyParticipant> {
        let load = |snapshot: Instant, ids: Vec<_>| async move {
            information_rows::participants_by_ids(&snapshot, &ids).await
        };
        self.read(self.outcome.participant_id, load).await
    }

    async fn request(&self, ctx: &Context<'_>) -> Nullable<InformationRequest> {
        let read = selection::of(ctx, selection::INFORMATION);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { information_rows::by_ids(&snapshot, &ids, read).await };
        self.read(self.outcome.request_id, load).await
    }

    async fn support(&self, _: &Context<'_>) -> Nullable<SupportRequest> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { support_rows::by_ids(&snapshot, &ids).await };
        self.read(self.outcome.support_id, load).await
    }

    async fn plans(&self, ctx: &Context<'_>) -> std::result::Result<Vec<Plan>, Fault> {
        let Some(snapshot) = &self.snapshot else { return Ok(Vec::new()) };
        let read = selection::of(ctx, selection::PLAN);
        let rows = plan_rows::by_ids(snapshot, &self.outcome.plan_ids, read).await?;
        Ok(generation(Arc::clone(snapshot), rows).into_iter().map(Plan).collect())
    }
}

/// What every mutation does: reads its input, runs the use case, answers with what was changed or why it was not.
macro_rules! change {
    ($ctx:ident, $input:ident, $service:ident, $payload:ident, $wanted:expr) => {{
        // Boxed: a mutation root's fields are the arms of one future.
        let changing: futures_util::future::BoxFuture<'_, crate::error::Result<Changed>> = Box::pin(async move {
            let wanted = $wanted;
            let result = $ctx.services().await?.$service($ctx.viewer()?, &$input.idempotency_key, wanted).await;
            Changed::new($ctx, result)
        });
        nullable(changing.await.map($payload).map(Some))
    }};
}

macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $of:ty,)* }) => {
        $(#[$doc])*
        pub struct $name(Changed);

        $(#[$doc])*
        #[Object]
        impl $name {
            /// Why nothing was changed; empty when it was.
            async fn errors(&self) -> Vec<$crate::graphql::mutation::UserError> {
                self.0.errors.clone()
            }

            $(
                $(#[$field_doc])*
                async fn $field(&self, ctx: &Context<'_>) -> $of {
                    self.0.$field(ctx).await
                }
            )*
        }
    };
}

mod access;
mod allocations;
mod assessments;
mod closing;
mod conferences;
mod contacts;
mod enquiries;
mod information;
mod involvements;
mod memberships;
mod plans;
mod reads;
mod transfers;

/// Everything that can be changed. Ask again with the same idempotency key when you did not hear the answer: the
/// change is made once.
#[derive(MergedObject, Default)]
pub struct Mutation(
    allocations::AllocationMutations,
    transfers::TransferMutations,
    conferences::RequestMutations,
    conferences::DiaryMutations,
    conferences::InviteMutations,
    conferences::SittingMutations,
    conferences::DecideMutations,
    memberships::MembershipMutations,
    plans::PlanMutations,
    reads::ReadMutations,
    access::AccessMutations,
    contacts::ContactMutations,
    assessments::AssessmentMutations,
    enquiries::EnquiryMutations,
    information::InformationMutations,
    involvements::InvolvementMutations,
    closing::ClosingMutations,
);

/// A person's id; a child is a person too.
fn person(field: &'static str, id: &ID) -> Result<Uuid> {
    local(field, PersonId::KIND, id)
        .or_else(|_| local(field, ChildId::KIND, id))
        .map_err(|_| Error::bad_input(field, "is no Person or Child id: use the id field of a Person or a Child"))
}

fn optional(field: &'static str, kind: &str, id: Option<&ID>) -> Result<Option<Uuid>> {
    id.map(|id| local(field, kind, id)).transpose()
}
