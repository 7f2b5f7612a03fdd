//! Child protection conferences, one file a phase: asked for, put into the diary, invited to, held, decided for each
//! child, issued; or withdrawn or disputed.

mod decide;
mod diary;
mod invite;
mod request;
mod sitting;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use decide::{ChildDecision, DecideConference, IssueConferenceRecord};
pub use diary::{AppointConferenceChair, MoveConference, PostponeConference, ScheduleConference};
pub use invite::{
    AnswerInvitation, ExcludeFromConference, InviteToConference, Invited, Invitee, RecordConferenceReport,
};
pub use request::{
    DisputeConference, ProposeConferenceWithdrawal, RequestConference, SettleConferenceDispute, WithdrawConference,
};
pub use sitting::{AdjournConference, OpenConference, RecordAttendance, RecordConferenceView};

use super::{
    Outcome, Services,
    announce::{Announcer, Entity, Stamp, managers_of, stamp, units_of},
    illegal, optional_text,
    plans::{Telling, end_line, plan_detail},
    text,
};
use crate::{
    auth::{
        policy,
        policy::Action,
        viewer::{Holding, Standing},
    },
    db::{
        ViewerTx, cases,
        cases::Locked,
        conferences::{self, ConferenceChange, ConferenceChildCore, ConferenceRow, Holders},
        invitations::{self, InvitationCore},
        outbox::Audience,
        sittings, viewers,
    },
    domain::{
        calendar::on_weekend,
        codes::{ConferenceState, EventType, Role, Severity},
        conference::{Step, legal_next},
        event::{ConferenceDetail, Detail},
        ids::{ConferenceId, WorkerId},
    },
    error::{Error, Result},
};

/// A conference with the cases of its children, locked in a fixed order.
struct About {
    conference: ConferenceRow,
    /// Those whom the viewer sees, with their cases.
    children: Vec<ConferenceChildCore>,
    cases: Vec<Locked>,
    /// Of all children, seen or not.
    holders: Holders,
    /// Those whom the viewer sees.
    invitations: Vec<InvitationCore>,
}

impl About {
    async fn lock(tx: &ViewerTx, conference_id: Uuid) -> Result<Self> {
        let conference = conferences::lock(tx, conference_id).await?;
        // Also those of children whom the viewer does not see: who holds them must not change meanwhile.
        conferences::queue_for_cases(tx, conference_id).await?;
        let children = conferences::children(tx, conference_id).await?;
        let mut cases = Vec::with_capacity(children.len());
        for child in &children {
            cases.push(cases::lock(tx, child.case_id).await?);
        }
        let holders = conferences::holders(tx, conference_id).await?;
        let invitations = invitations::of_conference(tx, conference_id).await?;
        Ok(Self { conference, children, cases, holders, invitations })
    }

    /// The role in which the viewer may do this for at least one of the children.
    fn require(&self, standing: &Standing, me: WorkerId, action: Action) -> Result<Role> {
        let named: Vec<WorkerId> = self.conference.chair_id.into_iter().map(WorkerId).collect();
        let mut refused = Error::NotFound;
        for case in &self.cases {
            let holding = Holding { named: named.clone(), ..case.holding.clone() };
            match policy::require(standing, me, &holding, action) {
                Ok(role) => return Ok(role),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn step(&self, step: Step) -> Result<ConferenceState> {
        let state = self.conference.state.0;
        step.from_state(state).ok_or_else(|| illegal(state, legal_next(state)))
    }

    /// What the service may write: the conference and its children.
    fn subjects(&self) -> Vec<Uuid> {
        self.children.iter().map(|child| child.child_id).chain([self.conference.id]).collect()
    }

    fn child_ids(&self) -> Vec<Uuid> {
        self.children.iter().map(|child| child.child_id).collect()
    }

    /// All units and lead practitioners of all children, the chair, and the workers who are invited.
    fn audience(&self) -> Vec<Audience> {
        let mut audience: Vec<Audience> = self.holders.units.iter().copied().map(Audience::Unit).collect();
        audience.extend(self.holders.leads.iter().copied().map(Audience::Worker));
        audience.extend(self.conference.chair_id.map(Audience::Worker));
        audience.extend(self.invitations.iter().filter_map(|one| one.worker_id).map(Audience::Worker));
        audience
    }

    /// The same and the managers of the units that hold the cases.
    fn audience_with_managers(&self) -> Vec<Audience> {
        let mut audience = self.audience();
        audience.extend(self.cases.iter().flat_map(managers_of));
        audience
    }

    /// Refuses when the viewer does not see every child of the conference.
    fn every_child(&self) -> Result<()> {
        if self.children.len() == self.holders.cases.len() {
            return Ok(());
        }
        Err(Error::guard(
            "EVERY_CHILD",
            "Something follows for every child, and you may not see all of them: ask a manager who does.",
        ))
    }
}

/// A step that policy and the state machine allow, about to be taken.
struct Taking {
    about: About,
    step: Step,
    /// The state after it.
    state: ConferenceState,
    at: DateTime<Utc>,
    announcer: Announcer,
}

impl Taking {
    /// Locks the conference and asks, in this order: policy, version, state.
    async fn begin(
        tx: &ViewerTx,
        conference_id: Uuid,
        action: Action,
        step: Step,
        expected_version: Option<i32>,
    ) -> Result<Self> {
        let (me, at) = (tx.viewer().worker_id, tx.viewer().at);
        let about = About::lock(tx, conference_id).await?;
        let standing = viewers::standing(tx).await?;
        let role = about.require(&standing, me, action)?;
        if let Some(expected) = expected_version {
            Error::expect_version(about.conference.version, expected)?;
        }
        let state = about.step(step)?;
        Ok(Self { about, step, state, at, announcer: Announcer::new(&standing.name, role, at) })
    }

    fn id(&self) -> Uuid {
        self.about.conference.id
    }

    /// The version after it.
    fn version(&self) -> i32 {
        self.about.conference.version + 1
    }

    /// The change of the state alone.
    fn change(&self) -> ConferenceChange {
        ConferenceChange::to(self.state, self.version())
    }

    /// Opens the records for writing, takes the step and remembers it with its reason.
    async fn take(&self, tx: &ViewerTx, change: ConferenceChange, reason: Option<String>) -> Result<()> {
        tx.authorise(&self.about.subjects()).await?;
        conferences::change(tx, self.id(), change).await?;
        let taken = sittings::Taken {
            conference_id: self.id(),
            step: self.step,
            before: self.about.conference.state.0,
            after: self.state,
            reason,
            at: self.at,
            version: self.version(),
        };
        sittings::remember(tx, taken).await
    }

    /// What events say of the conference, with nothing changed but its state.
    fn detail(&self) -> ConferenceDetail {
        let conference = &self.about.conference;
        ConferenceDetail {
            kind: conference.type_.0,
            state: self.state,
            scheduled_for: conference.scheduled_for,
            previously_scheduled_for: None,
            online: conference.online,
            chair_id: conference.chair_id,
            quorate: None,
        }
    }

    /// Never with a case: that an event is about one alone would tell those who see one of several children of the others.
    async fn tell(
        &self,
        tx: &ViewerTx,
        of: EventType,
        severity: Severity,
        detail: ConferenceDetail,
        audience: &[Audience],
    ) -> Result<()> {
        let entity = Entity { kind: ConferenceId::KIND, id: self.id(), version: self.version() };
        self.announcer.announce(tx, of, severity, entity, None, Detail::Conference(detail), audience).await
    }

    fn outcome(&self) -> Outcome {
        Outcome { conference_id: Some(self.id()), ..Outcome::default() }
    }
}

fn check_date(field: &'static str, at: DateTime<Utc>) -> Result<()> {
    if on_weekend(at) {
        return Err(Error::bad_input(field, "must not lie on a Saturday or Sunday: a conference is held on a weekday"));
    }
    Ok(())
}
