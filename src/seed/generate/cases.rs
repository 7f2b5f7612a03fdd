//! Cases: which units held them, who led them, who helped.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    BLOCK, Generator, Past, Slot, Story,
    calendar::{Moment, back, days, forward, moment, months, years_between},
    episodes::{Episode, Stage},
    homes::Home,
    rows::{Allocation, Case, Involvement, Transfer},
};
use crate::seed::names;

/// A child's case while it is being played.
pub(super) struct Open {
    pub(super) kid: usize,
    pub(super) case: Uuid,
    pub(super) opened: NaiveDate,
    pub(super) until: NaiveDate,
}

impl Generator {
    /// Records an episode for the children whom it concerns; returns how many cases of it are open.
    pub(super) fn play(&mut self, home: &Home, episode: &Episode, slot: Option<&Slot>) -> usize {
        let cases = self.cases(home, episode);
        let mut leads = Vec::new();
        for (index, stage) in episode.stages.iter().enumerate() {
            let to = episode.stages.get(index + 1).map(|next| next.from).or(episode.closed.map(|(on, _)| on));
            let lead = self.lead(stage.unit, stage.from, to);
            leads.push(lead);
        }
        let protected: Vec<usize> = match &episode.protection {
            Some(protection) => {
                let mut there: Vec<usize> = cases
                    .iter()
                    .enumerate()
                    .filter(|(_, open)| open.opened < protection.initial)
                    .map(|(n, _)| n)
                    .collect();
                // Decisions are made for each child: sometimes the youngest needs no plan.
                if there.len() > 1 && self.chance(25) {
                    there.pop();
                }
                there
            }
            None => Vec::new(),
        };
        for (index, open) in cases.iter().enumerate() {
            self.case(home, episode, open, protected.contains(&index));
            self.holdings(home, episode, open, &leads, slot);
        }
        if !episode.stages.is_empty() {
            self.meetings_and_plans(home, episode, &cases, &protected, &leads, slot);
        }
        if episode.closed.is_some() { 0 } else { cases.len() }
    }

    /// Which children have a case in this episode, and from when.
    fn cases(&mut self, home: &Home, episode: &Episode) -> Vec<Open> {
        let mut found: Vec<Open> = Vec::new();
        let until = episode.closed.map_or(self.today, |(on, _)| on);
        for (index, kid) in home.kids.iter().enumerate() {
            let opened = if kid.unborn {
                episode.opened.max(back(kid.born - days(200)))
            } else if kid.born >= episode.opened {
                // The referral for a brother or sister who came later.
                forward(kid.born + days(4))
            } else {
                episode.opened
            };
            let left_out = match episode.story {
                Story::Permanence => opened > episode.opened || self.chance(25),
                _ => self.chance(6),
            };
            let grown = episode.story != Story::CareLeaver && kid.born + months(18 * 12) <= until;
            let late = opened > episode.opened && (opened + days(3) > until || kid.unborn && episode.closed.is_some());
            if grown || late || (left_out && !found.is_empty()) {
                continue;
            }
            let at = moment(opened, 9, 40 + index as i64);
            found.push(Open { kid: index, case: self.id(at), opened, until });
        }
        found
    }

    fn case(&mut self, home: &Home, episode: &Episode, open: &Open, protected: bool) {
        let kid = &home.kids[open.kid];
        let age = years_between(kid.born, open.opened);
        let need = match self.rng.usize(..100) {
            _ if kid.unborn => "N1",
            _ if kid.disabled => "N2",
            0..52 => "N1",
            52..64 => "N5",
            64..76 => "N4",
            76..86 => "N3",
            86..94 if age > 11 => "N6",
            86..94 => "N1",
            _ => "N8",
        };
        let age = if kid.unborn { -1 } else { age };
        let fitting: Vec<&str> = names::referrals(need)
            .iter()
            .filter(|(from, to, _)| (*from..=*to).contains(&age))
            .map(|(_, _, text)| *text)
            .collect();
        let text = self.pick(&fitting);
        let status = match episode.story {
            _ if episode.closed.is_some() => "CLOSED",
            Story::Queue => "REFERRED",
            Story::Assessment => "ASSESSMENT",
            Story::Pending(_) => "CONFERENCE_PENDING",
            Story::Protection { .. } if protected => "CP",
            Story::CareDecision if protected => "CARE_DECISION",
            Story::LookedAfter => "LOOKED_AFTER",
            Story::Permanence => "LOOKED_AFTER_LAC",
            Story::CareLeaver => "CARE_LEAVER",
            _ => "CIN",
        };
        let nfa = episode.story == Story::Closed(Past::Advice);
        let reason = episode.closed.map(|(_, reason)| reason);
        let rationale = match reason {
            Some(_) if nfa => Some("The referral needed advice only, which first response gave.".to_owned()),
            Some(reason) => Some(home.fill(names::closing(reason), kid, open.until)),
            None => None,
        };
        let safe_at_home = match reason {
            Some("RC3" | "RC4" | "RC7") if !nfa => Some(home.fill(names::safe_at_home(), kid, open.until)),
            _ => None,
        };
        self.out.cases.push(Case {
            id: open.case,
            child: kid.id,
            opened_on: open.opened,
            status,
            primary_need: (!nfa).then_some(need),
            referral_nfa: nfa,
            referral_summary: home.fill(text, kid, open.opened),
            closed_on: episode.closed.map(|(on, _)| on),
            closure_reason: reason,
            closure_rationale: rationale,
            safe_at_home,
            version: 1 + i32::try_from(episode.stages.len()).unwrap_or(0) + i32::from(reason.is_some()),
            created_at: moment(open.opened, 9, 40 + open.kid as i64),
        });
    }

    fn involve(
        &mut self,
        open: &Open,
        child: Uuid,
        (worker, capacity): (Uuid, &'static str),
        started_at: Moment,
        end: Option<(Moment, Option<&'static str>)>,
    ) {
        let id = self.id(started_at);
        self.out.involvements.push(Involvement {
            id,
            case: open.case,
            child,
            worker,
            capacity,
            started_at,
            ended_at: end.map(|(at, _)| at),
            change_reason: end.and_then(|(_, reason)| reason),
            version: 1 + i32::from(end.is_some()),
        });
    }

    /// Which units held the case and who in them led it, with the transfers between them.
    fn holdings(&mut self, home: &Home, episode: &Episode, open: &Open, leads: &[Uuid], slot: Option<&Slot>) {
        let kid = &home.kids[open.kid];
        let mut transfer: Option<Uuid> = None;
        for (index, stage) in episode.stages.iter().enumerate() {
            let next = episode.stages.get(index + 1);
            // A child whose case was opened later comes straight to the unit that the family has by then.
            if next.is_some_and(|next| next.from <= open.opened) {
                continue;
            }
            let first = transfer.is_none();
            let started_at = match first {
                true if stage.from > open.opened => moment(stage.from, 10, 15),
                true => moment(open.opened, 14, 30),
                false => moment(stage.from, 11, 0),
            };
            let ended = match (next, episode.closed) {
                (Some(next), _) => Some((moment(next.from, 11, 0), "Transferred to another unit", Some("TSPROC"))),
                (None, Some((on, _))) => Some((moment(on, 16, 0), "Case closed", None)),
                (None, None) => None,
            };
            let unit = self.staff[stage.unit].id;
            let created_by = if first {
                self.first_response[self.rng.usize(..self.first_response.len())]
            } else {
                self.staff[stage.unit].consultant
            };
            let priority = match episode.story {
                Story::Pending(_) | Story::CareDecision => "HIGH",
                Story::Protection { .. } => self.pick(&["HIGH", "HIGH", "URGENT", "MEDIUM"]),
                _ => self.pick(&["NONE", "LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH"]),
            };
            let id = self.id(started_at);
            self.out.allocations.push(Allocation {
                id,
                case: open.case,
                child: kid.id,
                unit,
                kind: "PRIMARY",
                started_at,
                ended_at: ended.map(|(at, ..)| at),
                reason_start: if first { "Allocated from first response" } else { "Transfer accepted" },
                reason_end: ended.map(|(_, reason, _)| reason),
                transfer,
                summary: None,
                priority,
                created_by,
                version: 1 + i32::from(ended.is_some()),
            });
            let lead = (leads[index], "LEAD_PRACTITIONER");
            self.involve(open, kid.id, lead, started_at, ended.map(|(at, _, reason)| (at, reason)));
            match next {
                Some(next) => transfer = Some(self.completed(home, open, stage.unit, next)),
                None if ended.is_none() => self.helpers(home, episode, open, (stage.unit, leads[index]), slot),
                None => {}
            }
        }
    }

    fn completed(&mut self, home: &Home, open: &Open, from: usize, next: &Stage) -> Uuid {
        let kid = &home.kids[open.kid];
        let requested_on = self.earlier(next.from, 2, 6).max(open.opened);
        // Whatever the day, after the first allocation of the case.
        let requested_at = moment(requested_on, 15, 30).min(moment(next.from, 10, 45));
        let id = self.id(requested_at);
        let text = self.pick(names::HANDOVERS);
        self.out.transfers.push(Transfer {
            id,
            case: open.case,
            child: kid.id,
            from_unit: self.staff[from].id,
            to_unit: self.staff[next.unit].id,
            kind: if BLOCK[next.unit % 12].0 == "LOOKED_AFTER" { "TO_LAC" } else { "TO_CIN" },
            state: "COMPLETED",
            requested_by: self.staff[from].consultant,
            requested_at,
            responded_by: Some(self.staff[next.unit].consultant),
            responded_at: Some(moment(next.from, 11, 0)),
            effective_on: Some(next.from),
            handover_summary: home.fill(text, kid, requested_on),
            joint_meeting_on: Some(next.from),
            version: 2,
        });
        id
    }

    /// What is open beside the holding unit: helping units, other named workers, a requested transfer.
    fn helpers(
        &mut self,
        home: &Home,
        episode: &Episode,
        open: &Open,
        (unit, lead): (usize, Uuid),
        slot: Option<&Slot>,
    ) {
        let kid = &home.kids[open.kid];
        let from = episode.stages.last().map_or(open.opened, |stage| stage.from.max(open.opened));
        // After the allocation began, and never today.
        let soon =
            moment(back(self.later(from, 1, 12)), 10, 0).min(moment(self.yesterday(), 16, 0)).max(moment(from, 16, 0));
        if self.chance(40) {
            let capacity = self.pick(&["CO_WORKER", "PARENTING_SUPPORT"]);
            let worker = self.staff[unit].practitioner;
            let joined = self.staff[unit].practitioner_since;
            self.involve(open, kid.id, (worker, capacity), soon.max(joined), None);
        }
        if self.chance(22) {
            let worker = self.staff[unit].clinician;
            let joined = self.staff[unit].clinician_since;
            self.involve(open, kid.id, (worker, "CLINICAL"), soon.max(joined), None);
        }
        if matches!(episode.story, Story::LookedAfter | Story::Permanence) {
            // The first two chairs of a block only chair, so that what they see comes from conferences alone.
            let reviewing = self.chairs[unit / 12 * 4 + 2 + self.rng.usize(..2)];
            self.involve(open, kid.id, (reviewing, "IRO"), soon, None);
        }
        if episode.story == Story::CareLeaver {
            let worker = self.staff[unit].practitioner;
            let joined = self.staff[unit].practitioner_since;
            self.involve(open, kid.id, (worker, "PERSONAL_ADVISER"), soon.max(joined), None);
        }
        let Some(slot) = slot else { return };
        let helping = [
            slot.joint.map(|unit| (unit, "JOINT", "Works with the family beside the holding unit")),
            slot.cover.map(|unit| (unit, "COVER", "Stands in during a colleague's leave")),
        ];
        for (helper, kind, reason_start) in helping.into_iter().flatten() {
            let started_at = if kind == "COVER" { moment(self.yesterday(), 12, 0).max(soon) } else { soon };
            let id = self.id(started_at);
            self.out.allocations.push(Allocation {
                id,
                case: open.case,
                child: kid.id,
                unit: self.staff[helper].id,
                kind,
                started_at,
                ended_at: None,
                reason_start,
                reason_end: None,
                transfer: None,
                summary: (kind == "JOINT").then_some("Shares the visits; the holding unit keeps the plan."),
                priority: "NONE",
                created_by: self.staff[unit].consultant,
                version: 1,
            });
            if kind == "JOINT" {
                let worker = self.staff[helper].consultant;
                self.involve(open, kid.id, (worker, "CO_WORKER"), started_at, None);
            }
        }
        if let Some((to, kind)) = slot.requested {
            let requested_at = moment(self.ago(1, 2), 15, 10).max(soon);
            let id = self.id(requested_at);
            let text = self.pick(names::HANDOVERS);
            self.out.transfers.push(Transfer {
                id,
                case: open.case,
                child: kid.id,
                from_unit: self.staff[unit].id,
                to_unit: self.staff[to].id,
                kind,
                state: "REQUESTED",
                requested_by: lead,
                requested_at,
                responded_by: None,
                responded_at: None,
                effective_on: None,
                handover_summary: home.fill(text, kid, self.today),
                joint_meeting_on: Some(forward(self.today + days(self.rng.usize(1..6)))),
                version: 1,
            });
        }
    }
}
