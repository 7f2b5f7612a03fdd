use async_graphql::{Context, ID, InputObject, Object};

use super::{Changed, optional};
use crate::{
    domain::{
        codes::{ChangeReason, Role},
        ids::{MembershipId, UnitId, WorkerId},
    },
    graphql::{
        context::HearthContext,
        error::{Nullable, nullable},
        scalars::{DateTime, local},
        types::{Unit, unit::Membership},
    },
    services::memberships::{ChangeMembershipRole, EndMembership, StartMembership},
};

payload! {
    /// Answer to startMembership.
    StartMembershipPayload {
        /// The new membership.
        membership: Nullable<Membership>,
        /// The unit.
        unit: Nullable<Unit>,
    }
}
payload! {
    /// Answer to endMembership.
    EndMembershipPayload {
        /// The membership that ended.
        membership: Nullable<Membership>,
        /// The unit.
        unit: Nullable<Unit>,
    }
}
payload! {
    /// Answer to changeMembershipRole.
    ChangeMembershipRolePayload {
        /// The new membership.
        membership: Nullable<Membership>,
        /// The unit.
        unit: Nullable<Unit>,
    }
}

/// Makes somebody a member of a unit.
#[derive(InputObject)]
pub struct StartMembershipInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the unit.
    unit_id: ID,
    /// Global id of the worker.
    worker_id: ID,
    /// One of the five roles of a unit. Consultant social workers and social workers are qualified.
    role: Role,
    /// How much of a full post, in hundredths: 1 to 100.
    #[graphql(default = 100)]
    share: i32,
    /// Whether the worker stands in for somebody. A unit has one consultant social worker, and one more who covers.
    #[graphql(default)]
    cover: bool,
    /// Until when; needed for cover.
    until: Option<DateTime>,
}

/// Ends somebody's membership of a unit.
#[derive(InputObject)]
pub struct EndMembershipInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the membership.
    membership_id: ID,
    /// Why, as the statutory return codes it.
    reason: ChangeReason,
    /// Global id of who leads the worker's cases from now on: a qualified member of the unit. Its consultant social
    /// worker when left out.
    leads_pass_to_id: Option<ID>,
    /// The membership's version as you read it.
    expected_version: i32,
}

/// Changes somebody's role in a unit.
#[derive(InputObject)]
pub struct ChangeMembershipRoleInput {
    /// Makes asking again safe: a new key for each new change, the same key to ask again. At most 200 characters.
    idempotency_key: String,
    /// Global id of the membership.
    membership_id: ID,
    /// One of the five roles of a unit.
    role: Role,
    /// Whether the worker stands in for somebody.
    #[graphql(default)]
    cover: bool,
    /// Global id of who leads the worker's cases from now on, if the new role does not lead. The unit's consultant
    /// social worker when left out.
    leads_pass_to_id: Option<ID>,
    /// The membership's version as you read it.
    expected_version: i32,
}

/// Who belongs to a unit.
#[derive(Default)]
pub struct MembershipMutations;

/// Who belongs to a unit.
#[Object]
impl MembershipMutations {
    /// Makes somebody a member of a unit, or lets them cover. They receive what happens to its cases from now on.
    async fn start_membership(
        &self,
        ctx: &Context<'_>,
        input: StartMembershipInput,
    ) -> Nullable<StartMembershipPayload> {
        change!(
            ctx,
            input,
            start_membership,
            StartMembershipPayload,
            StartMembership {
                unit_id: local("unitId", UnitId::KIND, &input.unit_id)?,
                worker_id: local("workerId", WorkerId::KIND, &input.worker_id)?,
                role: input.role,
                share: input.share,
                cover: input.cover,
                until: input.until.map(|at| at.0),
            }
        )
    }

    /// Ends somebody's membership of a unit at once. Their parts in its cases end too; cases that they led pass on.
    async fn end_membership(&self, ctx: &Context<'_>, input: EndMembershipInput) -> Nullable<EndMembershipPayload> {
        change!(
            ctx,
            input,
            end_membership,
            EndMembershipPayload,
            EndMembership {
                membership_id: local("membershipId", MembershipId::KIND, &input.membership_id)?,
                reason: input.reason,
                leads_pass_to: optional("leadsPassToId", WorkerId::KIND, input.leads_pass_to_id.as_ref())?,
                expected_version: input.expected_version,
            }
        )
    }

    /// Changes somebody's role in a unit at once: one membership ends and another begins.
    async fn change_membership_role(
        &self,
        ctx: &Context<'_>,
        input: ChangeMembershipRoleInput,
    ) -> Nullable<ChangeMembershipRolePayload> {
        change!(
            ctx,
            input,
            change_membership_role,
            ChangeMembershipRolePayload,
            ChangeMembershipRole {
                membership_id: local("membershipId", MembershipId::KIND, &input.membership_id)?,
                role: input.role,
                cover: input.cover,
                leads_pass_to: optional("leadsPassToId", WorkerId::KIND, input.leads_pass_to_id.as_ref())?,
                expected_version: input.expected_version,
            }
        )
    }
}
