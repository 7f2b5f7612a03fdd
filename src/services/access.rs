//! Who is kept from a record, and who looks all the same: restriction, denial by name, break-glass (domain 5.3).

use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, permitted},
    optional_text, text,
};
use crate::{
    auth::{Viewer, policy::Action, viewer::Holding},
    db::{
        Coded, ViewerTx,
        access::{self, NewDenial, NewRestriction, NewUse, RestrictionRow},
        contacts,
        outbox::Audience,
        workers,
    },
    domain::{
        calendar::{london_day, next_weekday},
        codes::{BreakGlassFinding, BreakGlassReason, DenialReason, EventType, RestrictionReason, Severity},
        event::Detail,
        ids::{AccessDenialId, AccessRestrictionId, BreakGlassId, WorkerId},
    },
    error::{Error, Refusal, Result},
};

/// How long a broken glass stays open, in minutes.
const OPEN_MINUTES: i64 = 60;
/// How many glasses one worker may break in 24 hours.
const USES_A_DAY: i64 = 10;
/// How many may be on a restriction's list; every row of sight repeats it.
const LISTED: usize = 50;

/// Restricts a person's record.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct RestrictRecord {
    pub person_id: Uuid,
    pub reason: RestrictionReason,
    /// The viewer when missing.
    pub owner_id: Option<Uuid>,
    pub allowed: Vec<Uuid>,
}

/// Changes who is on a restriction's list, or its owner.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ChangeRestriction {
    pub restriction_id: Uuid,
    /// As before when missing.
    pub owner_id: Option<Uuid>,
    /// The whole new list; as before when missing.
    pub allowed: Option<Vec<Uuid>>,
    pub expected_version: i32,
}

/// Lifts a restriction.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct LiftRestriction {
    pub restriction_id: Uuid,
    pub expected_version: i32,
}

/// Keeps a worker from a record by name.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct DenyAccess {
    pub person_id: Uuid,
    pub worker_id: Uuid,
    pub reason: DenialReason,
}

/// Lets a worker to a record again.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct EndDenial {
    pub denial_id: Uuid,
    pub expected_version: i32,
}

/// Opens a record that is out of sight, for an hour.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct BreakGlass {
    pub child_id: Uuid,
    pub reason: BreakGlassReason,
    pub explanation: String,
}

/// Reviews a break-glass.
#[derive(Clone, Serialize)]
#[allow(missing_docs)]
pub struct ReviewBreakGlass {
    pub break_glass_id: Uuid,
    pub finding: BreakGlassFinding,
    pub note: Option<String>,
    pub expected_version: i32,
}

impl Services {
    /// Only those on the list see the record from now on, as far as they could before.
    pub async fn restrict_record(&self, viewer: Viewer, key: &str, input: RestrictRecord) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "restrictRecord", key, &input, move |tx| Box::pin(restrict(tx, wanted))).await
    }

    /// The list is another from now on.
    pub async fn change_restriction(&self, viewer: Viewer, key: &str, input: ChangeRestriction) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "changeRestriction", key, &input, move |tx| Box::pin(relist(tx, wanted))).await
    }

    /// Everybody sees the record again who would without the restriction.
    pub async fn lift_restriction(&self, viewer: Viewer, key: &str, input: LiftRestriction) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "liftRestriction", key, &input, move |tx| Box::pin(lift(tx, wanted))).await
    }

    /// The worker does not see the record from now on, whatever else they may.
    pub async fn deny_access(&self, viewer: Viewer, key: &str, input: DenyAccess) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "denyAccess", key, &input, move |tx| Box::pin(deny(tx, wanted))).await
    }

    /// The worker sees the record again as far as they would.
    pub async fn end_denial(&self, viewer: Viewer, key: &str, input: EndDenial) -> Result<Outcome> {
        let wanted = input.clone();
        self.change(viewer, "endDenial", key, &input, move |tx| Box::pin(end_denial(tx, wanted))).await
    }

    /// The viewer reads the record for an hour; the owner of its restriction and the service managers are told at once.
    pub async fn break_glass(&self, viewer: Viewer, key: &str, input: BreakGlass) -> Result<Outcome> {
        let explanation = text("explanation", &input.explanation, 2_000)?;
        let wanted = input.clone();
        self.change(viewer, "breakGlass", key, &input, move |tx| Box::pin(break_glass(tx, wanted, explanation))).await
    }

    /// Somebody who was alerted says whether it was needed.
    pub async fn review_break_glass(&self, viewer: Viewer, key: &str, input: ReviewBreakGlass) -> Result<Outcome> {
        let note = optional_text("note", input.note.as_deref(), 2_000)?;
        let wanted = input.clone();
        self.change(viewer, "reviewBreakGlass", key, &input, move |tx| Box::pin(review(tx, wanted, note))).await
    }
}

/// The same about a person's record, by who holds the open case. Nobody holds a record without one: not even the queue.
async fn permitted_for(tx: &ViewerTx, person_id: Uuid, action: Action) -> Result<Announcer> {
    let holding = access::person(tx, person_id).await?.map(|case| case.holding).unwrap_or_default();
    permitted(tx, &holding, action).await
}

/// The list as it is kept: everybody once, the owner among them, all of them active.
async fn listed(tx: &ViewerTx, owner: Uuid, allowed: Vec<Uuid>) -> Result<Vec<Uuid>> {
    let mut allowed = allowed;
    allowed.push(owner);
    allowed.sort_unstable();
    allowed.dedup();
    if allowed.len() > LISTED {
        return Err(Error::bad_input(
            "allowedIds",
            format!("must not name more than {LISTED} workers, the owner included"),
        ));
    }
    if access::active_among(tx, &allowed).await?.len() < allowed.len() {
        return Err(Error::bad_input("allowedIds", "names somebody who is no active worker"));
    }
    if !access::may_own(tx, owner).await? {
        return Err(Error::guard(
            "OWNER_MANAGES",
            "A restriction is owned by a service manager or the head of service: name one of them as the owner.",
        ));
    }
    Ok(allowed)
}

/// Tells those on the lists, and nobody else, in their own feeds.
async fn tell(
    tx: &ViewerTx,
    announcer: &Announcer,
    restriction: Uuid,
    version: i32,
    restricted: bool,
    who: impl Iterator<Item = Uuid>,
) -> Result<()> {
    let audience: Vec<Audience> = who.map(Audience::Alone).collect();
    let detail =
        Detail::Access { restricted: Some(restricted), glass: None, ends_at: None, finding: None, denied: None };
    let entity = Entity { kind: AccessRestrictionId::KIND, id: restriction, version };
    announcer.announce(tx, EventType::RestrictionChanged, Severity::Info, entity, None, detail, &audience).await
}

async fn restrict(tx: &ViewerTx, input: RestrictRecord) -> Result<Outcome> {
    let (me, at) = (tx.viewer().worker_id.0, tx.viewer().at);
    let announcer = permitted_for(tx, input.person_id, Action::RestrictRecord).await?;
    let owner = input.owner_id.unwrap_or(me);
    let allowed = listed(tx, owner, input.allowed).await?;
    if contacts::leaves_contact(tx, input.person_id, allowed.clone()).await? {
        return Err(Error::guard(
            "OPEN_CONTACT",
            "A contact about this child waits for a decision, or a meeting for its outcome: have that recorded first, or put \
             somebody of first response on the list.",
        ));
    }
    tx.authorise(&[input.person_id]).await?;
    let id = AccessRestrictionId::new().0;
    let new = NewRestriction {
        id,
        person_id: input.person_id,
        reason: Coded(input.reason),
        owner_id: owner,
        allowed: allowed.clone(),
        started_at: at,
        created_by: me,
    };
    access::restrict(tx, new).await?;
    tell(tx, &announcer, id, 1, true, allowed.into_iter()).await?;
    Ok(Outcome { restriction_id: Some(id), ..Outcome::default() })
}

/// A running restriction that the viewer may change, locked.
async fn running(tx: &ViewerTx, id: Uuid, expected_version: i32) -> Result<(RestrictionRow, Announcer)> {
    let restriction = access::restriction(tx, id).await?;
    let holding = Holding { named: vec![WorkerId(restriction.owner_id)], ..Holding::default() };
    let announcer = permitted(tx, &holding, Action::ChangeRestriction).await?;
    Error::expect_version(restriction.version, expected_version)?;
    if restriction.ended_at.is_some() {
        return Err(Error::Refused(Refusal::IllegalTransition { from: "LIFTED", legal_next: Vec::new() }));
    }
    Ok((restriction, announcer))
}

async fn relist(tx: &ViewerTx, input: ChangeRestriction) -> Result<Outcome> {
    let (restriction, announcer) = running(tx, input.restriction_id, input.expected_version).await?;
    let owner = input.owner_id.unwrap_or(restriction.owner_id);
    let allowed = listed(tx, owner, input.allowed.unwrap_or_else(|| restriction.allowed.clone())).await?;
    let me = tx.viewer().worker_id.0;
    if allowed.contains(&me) && !restriction.allowed.contains(&me) {
        return Err(Error::guard(
            "OTHERS",
            "Nobody lets themselves into a restricted record: ask another head of service, or break the glass.",
        ));
    }
    tx.authorise_governing(&[restriction.person_id]).await?;
    let version = access::relist(tx, &restriction, owner, allowed.clone()).await?;
    let mut told: Vec<Uuid> = allowed.into_iter().chain(restriction.allowed).collect();
    told.sort_unstable();
    told.dedup();
    tell(tx, &announcer, restriction.id, version, true, told.into_iter()).await?;
    Ok(Outcome { restriction_id: Some(restriction.id), ..Outcome::default() })
}

async fn lift(tx: &ViewerTx, input: LiftRestriction) -> Result<Outcome> {
    let (restriction, announcer) = running(tx, input.restriction_id, input.expected_version).await?;
    if !restriction.allowed.contains(&tx.viewer().worker_id.0) {
        return Err(Error::guard(
            "OTHERS",
            "Nobody lets themselves into a restricted record: make somebody else its owner, who can lift the restriction.",
        ));
    }
    tx.authorise_governing(&[restriction.person_id]).await?;
    let at = announcer.at.max(restriction.started_at);
    let version = access::lift(tx, &restriction, at).await?;
    tell(tx, &announcer, restriction.id, version, false, restriction.allowed.iter().copied()).await?;
    Ok(Outcome { restriction_id: Some(restriction.id), ..Outcome::default() })
}

/// Who did it and who answers for the record: asked before the denial, which may keep the viewer from it.
async fn answering(tx: &ViewerTx, person_id: Uuid) -> Result<Vec<Uuid>> {
    let mut told = access::glass(tx, person_id).await?.map(|glass| glass.alerted).unwrap_or_default();
    told.push(tx.viewer().worker_id.0);
    told.sort_unstable();
    told.dedup();
    Ok(told)
}

/// Tells them in their own feeds; never whom it keeps out.
async fn tell_of_denial(
    tx: &ViewerTx,
    announcer: &Announcer,
    (denial, version): (Uuid, i32),
    denied: bool,
    told: Vec<Uuid>,
    kept_out: Uuid,
) -> Result<()> {
    let audience: Vec<Audience> = told.into_iter().filter(|who| *who != kept_out).map(Audience::Alone).collect();
    if audience.is_empty() {
        return Ok(());
    }
    let detail = Detail::Access { restricted: None, glass: None, ends_at: None, finding: None, denied: Some(denied) };
    let entity = Entity { kind: AccessDenialId::KIND, id: denial, version };
    announcer.announce(tx, EventType::DenialChanged, Severity::Info, entity, None, detail, &audience).await
}

async fn deny(tx: &ViewerTx, input: DenyAccess) -> Result<Outcome> {
    let (me, at) = (tx.viewer().worker_id.0, tx.viewer().at);
    let action = if input.worker_id == me { Action::DeclareConflict } else { Action::DenyAccess };
    let announcer = permitted_for(tx, input.person_id, action).await?;
    workers::get(tx, input.worker_id).await?.ok_or(Error::NotFound)?;
    // Whoever finds out by a broken glass that they are too close says so at once.
    if input.worker_id == me {
        tx.authorise_governing(&[input.person_id]).await?;
    } else {
        tx.authorise(&[input.person_id]).await?;
    }
    let id = AccessDenialId::new().0;
    let new = NewDenial {
        id,
        person_id: input.person_id,
        worker_id: input.worker_id,
        reason: Coded(input.reason),
        started_at: at,
        created_by: me,
    };
    let told = answering(tx, input.person_id).await?;
    access::deny(tx, new).await?;
    tell_of_denial(tx, &announcer, (id, 1), true, told, input.worker_id).await?;
    Ok(Outcome { denial_id: Some(id), ..Outcome::default() })
}

async fn end_denial(tx: &ViewerTx, input: EndDenial) -> Result<Outcome> {
    let denial = access::denial(tx, input.denial_id).await?;
    // The head of service ends one without seeing the record: a restriction may keep it from them.
    let holding = match access::person(tx, denial.person_id).await {
        Ok(case) => case.map(|case| case.holding).unwrap_or_default(),
        Err(Error::NotFound) => Holding::default(),
        Err(error) => return Err(error),
    };
    let announcer = permitted(tx, &holding, Action::DenyAccess).await?;
    Error::expect_version(denial.version, input.expected_version)?;
    if denial.ended_at.is_some() {
        return Err(Error::Refused(Refusal::IllegalTransition { from: "ENDED", legal_next: Vec::new() }));
    }
    tx.authorise_governing(&[denial.person_id]).await?;
    let told = answering(tx, denial.person_id).await?;
    access::end_denial(tx, &denial, announcer.at.max(denial.started_at)).await?;
    tell_of_denial(tx, &announcer, (denial.id, denial.version + 1), false, told, denial.worker_id).await?;
    Ok(Outcome { denial_id: Some(denial.id), ..Outcome::default() })
}

async fn break_glass(tx: &ViewerTx, input: BreakGlass, explanation: String) -> Result<Outcome> {
    let (me, at) = (tx.viewer().worker_id.0, tx.viewer().at);
    // Everything that does not depend on the child comes first: it answers alike for one who does not exist.
    let announcer = permitted(tx, &Holding::default(), Action::BreakGlass).await?;
    if !workers::get(tx, me).await?.is_some_and(|worker| worker.qualified) {
        return Err(Error::guard(
            "QUALIFIED",
            "Only a qualified social worker breaks the glass of a record: ask one, or your service manager.",
        ));
    }
    tx.queue_for_viewer().await?;
    if access::uses_since(tx, me, at - TimeDelta::hours(24)).await? >= USES_A_DAY {
        return Err(Error::guard(
            "USES_A_DAY",
            format!("You broke {USES_A_DAY} glasses in the last 24 hours: ask your service manager."),
        ));
    }
    let glass = access::glass(tx, input.child_id).await?.ok_or(Error::NotFound)?;
    if glass.sees {
        return Err(Error::conflict("You see this record already: open it."));
    }
    if glass.alerted.iter().all(|who| *who == me) {
        return Err(Error::guard(
            "ALERTED",
            "Nobody could be alerted: there is no owner, service manager or head of service. Ask your administrator.",
        ));
    }
    tx.authorise(&[input.child_id]).await?;
    let id = BreakGlassId::new().0;
    let ends_at = at + TimeDelta::minutes(OPEN_MINUTES);
    let new = NewUse {
        id,
        child_id: input.child_id,
        worker_id: me,
        reason: Coded(input.reason),
        explanation,
        started_at: at,
        ends_at,
        alerted: glass.alerted.clone(),
        review_due_on: next_weekday(london_day(at)),
    };
    access::break_glass(tx, new).await?;
    let detail = Detail::Access {
        restricted: None,
        glass: Some(input.reason),
        ends_at: Some(ends_at),
        finding: None,
        denied: None,
    };
    let entity = Entity { kind: BreakGlassId::KIND, id, version: 1 };
    let audience: Vec<Audience> = glass.alerted.into_iter().map(Audience::Alone).collect();
    announcer.announce(tx, EventType::GlassBroken, Severity::Urgent, entity, None, detail, &audience).await?;
    Ok(Outcome { break_glass_id: Some(id), ..Outcome::default() })
}

async fn review(tx: &ViewerTx, input: ReviewBreakGlass, note: Option<String>) -> Result<Outcome> {
    let me = tx.viewer().worker_id.0;
    let glass = access::glass_use(tx, input.break_glass_id).await?;
    let named = glass.alerted.iter().filter(|who| **who != glass.worker_id).map(|who| WorkerId(*who)).collect();
    let announcer = permitted(tx, &Holding { named, ..Holding::default() }, Action::ReviewBreakGlass).await?;
    Error::expect_version(glass.version, input.expected_version)?;
    if glass.reviewed_at.is_some() {
        return Err(Error::Refused(Refusal::IllegalTransition { from: "REVIEWED", legal_next: Vec::new() }));
    }
    tx.authorise_governing(&[glass.child_id]).await?;
    let version = access::review(tx, &glass, input.finding, note, announcer.at.max(glass.started_at)).await?;
    let detail = Detail::Access {
        restricted: None,
        glass: Some(glass.reason.0),
        ends_at: Some(glass.ends_at),
        finding: Some(input.finding),
        denied: None,
    };
    let entity = Entity { kind: BreakGlassId::KIND, id: glass.id, version };
    let told = glass.alerted.iter().copied().chain([glass.worker_id]).filter(|who| *who != me);
    let audience: Vec<Audience> = told.map(Audience::Alone).collect();
    announcer.announce(tx, EventType::GlassReviewed, Severity::Info, entity, None, detail, &audience).await?;
    Ok(Outcome { break_glass_id: Some(glass.id), ..Outcome::default() })
}
