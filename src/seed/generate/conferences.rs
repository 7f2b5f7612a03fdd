//! Conferences, those that were held and those to come, with the decisions for each child.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Europe::London;
use uuid::Uuid;

use super::{
    Generator, Slot, Story, Upcoming,
    calendar::{Moment, back, days, forward, moment, months, years_between},
    cases::Open,
    episodes::Episode,
    homes::Home,
    plans::PlanSpec,
    rows::{Conference, ConferenceChild, Invitation, Move},
};
use crate::seed::names;

/// The hour and minute at which conferences begin.
const SLOTS: [(i64, i64); 4] = [(9, 30), (11, 30), (13, 30), (15, 30)];

/// What a conference needs beside its day.
struct Meeting<'a> {
    kind: &'static str,
    /// None for a conference that was held.
    upcoming: Option<Upcoming>,
    day: NaiveDate,
    requested_on: NaiveDate,
    chair: usize,
    unit: usize,
    lead: Uuid,
    kids: &'a [usize],
}

/// What a conference decided for one child.
struct Decision {
    code: &'static str,
    category: Option<&'static str>,
    outline: Option<&'static str>,
    next: Option<NaiveDate>,
    plan: Option<Uuid>,
}

impl Generator {
    pub(super) fn meetings_and_plans(
        &mut self,
        home: &Home,
        episode: &Episode,
        cases: &[Open],
        protected: &[usize],
        leads: &[Uuid],
        slot: Option<&Slot>,
    ) {
        let anchor = slot.and_then(|slot| slot.anchor);
        let chair = match anchor {
            // The shown unit's conferences are chaired by the first chair of its block.
            Some(unit) => unit / 12 * 4 + (unit + 2) % 4,
            // And by nobody else's.
            None => 1 + self.rng.usize(..self.chairs.len() - 1),
        };
        let held_by = |day: NaiveDate| {
            let stage = episode.stages.iter().rposition(|stage| stage.from <= day).unwrap_or(0);
            (episode.stages[stage].unit, leads[stage])
        };
        let now = held_by(self.today);

        // Conference ids and plan ids first, as each names the other.
        let mut protection_plans: HashMap<usize, Uuid> = HashMap::new();
        if let Some(protection) = &episode.protection {
            let initial = protection.initial;
            let (unit, lead) = held_by(initial);
            let there: Vec<usize> =
                cases.iter().enumerate().filter(|(_, open)| open.opened < initial).map(|(n, _)| n).collect();
            let kids: Vec<usize> = there.iter().map(|n| cases[*n].kid).collect();
            let meeting = Meeting {
                kind: "INITIAL",
                upcoming: None,
                day: initial,
                requested_on: self.earlier(initial, 12, 17),
                chair,
                unit,
                lead,
                kids: &kids,
            };
            let conference = self.conference(home, &meeting);
            let review = initial + months(3);
            let category = self.pick(&["NEG", "NEG", "NEG", "EMO", "EMO", "PHY", "MUL"]);
            for n in there {
                let open = &cases[n];
                let plan = protected.contains(&n).then(|| {
                    let end = protection.reviews.last().filter(|_| protection.ends).copied();
                    let due = match protection.reviews.last() {
                        Some(last) => *last + months(6),
                        None => review,
                    };
                    let spec = PlanSpec {
                        start: initial,
                        end,
                        protection: Some((conference, category)),
                        due: Some(due),
                        superseded: false,
                    };
                    let plan = self.plan(home, episode, open, held_by(end.unwrap_or(self.today)), spec);
                    protection_plans.insert(n, plan);
                    plan
                });
                let outline = self.pick(names::OUTLINES);
                self.conference_child(
                    home,
                    open,
                    conference,
                    initial,
                    match plan {
                        Some(plan) => Decision {
                            code: "PLAN",
                            category: Some(category),
                            outline: Some(outline),
                            next: Some(review),
                            plan: Some(plan),
                        },
                        None => Decision { code: "NO_PLAN", category: None, outline: None, next: None, plan: None },
                    },
                );
            }
            let kids: Vec<usize> = protected.iter().map(|n| cases[*n].kid).collect();
            let mut last = initial;
            for (index, day) in protection.reviews.iter().enumerate() {
                let (unit, lead) = held_by(*day);
                let requested_on = self.earlier(*day, 25, 35).max(back(last + days(2)));
                let meeting =
                    Meeting { kind: "REVIEW", upcoming: None, day: *day, requested_on, chair, unit, lead, kids: &kids };
                let conference = self.conference(home, &meeting);
                let ends = protection.ends && index + 1 == protection.reviews.len();
                for n in protected {
                    let outline = (!ends).then(|| self.pick(names::OUTLINES));
                    let decision = Decision {
                        code: if ends { "END" } else { "CONTINUE" },
                        category: None,
                        outline,
                        next: (!ends).then(|| *day + months(6)),
                        plan: protection_plans.get(n).copied(),
                    };
                    self.conference_child(home, &cases[*n], conference, *day, decision);
                }
                last = *day;
            }
            if !protection.ends && episode.closed.is_none() && !kids.is_empty() {
                let due = last + months(if protection.reviews.is_empty() { 3 } else { 6 });
                self.next_review(home, cases, protected, &kids, due, chair, now);
            }
        }
        if let Story::Pending(upcoming) = episode.story {
            let kids: Vec<usize> = cases.iter().map(|open| open.kid).collect();
            let unborn_only = kids.iter().all(|kid| home.kids[*kid].unborn);
            let requested_on = if upcoming == Upcoming::Requested { self.ago(1, 2) } else { self.ago(7, 10) };
            let newest = cases.iter().map(|open| open.opened).max().unwrap_or(requested_on);
            let meeting = Meeting {
                kind: if unborn_only { "PRE_BIRTH" } else { "INITIAL" },
                upcoming: Some(upcoming),
                day: forward(self.today + days(self.rng.usize(2..12))),
                requested_on: requested_on.max(newest),
                chair,
                unit: now.0,
                lead: now.1,
                kids: &kids,
            };
            let conference = self.conference(home, &meeting);
            for open in cases {
                self.undecided(home, open, conference);
            }
        }
        for (n, open) in cases.iter().enumerate() {
            self.need_plans(home, episode, open, protected.contains(&n), &held_by);
        }
    }

    /// The next review of running plans, when it is near enough to be on somebody's desk.
    #[expect(clippy::too_many_arguments, reason = "the parts of one meeting")]
    fn next_review(
        &mut self,
        home: &Home,
        cases: &[Open],
        protected: &[usize],
        kids: &[usize],
        due: NaiveDate,
        chair: usize,
        (unit, lead): (usize, Uuid),
    ) {
        let tomorrow = forward(self.today + days(1));
        // A review that is due within five weeks or so has its date by now.
        let day = if due <= self.today + days(38) {
            let most = usize::try_from((due - self.today).num_days()).unwrap_or(0).clamp(3, 22) - 1;
            back(self.later(self.today, 2, most)).max(tomorrow)
        } else {
            self.earlier(due, 1, 14)
        };
        let upcoming = if day <= self.today + days(21) {
            if self.chance(60) { Upcoming::Invited } else { Upcoming::Scheduled }
        } else if day <= self.today + days(45) && self.chance(60) {
            Upcoming::Requested
        } else {
            return;
        };
        let requested_on = if upcoming == Upcoming::Requested { self.ago(1, 3) } else { self.ago(6, 12) };
        let meeting = Meeting { kind: "REVIEW", upcoming: Some(upcoming), day, requested_on, chair, unit, lead, kids };
        let conference = self.conference(home, &meeting);
        for n in protected {
            self.undecided(home, &cases[*n], conference);
        }
    }

    /// A free time of the chair on that day, or of a colleague when the chair's day is full.
    fn free(&mut self, chair: usize, day: NaiveDate) -> (Uuid, Moment) {
        let first = self.rng.usize(..SLOTS.len());
        // The first chair stands in for nobody.
        for stands_in in std::iter::once(chair).chain(1..self.chairs.len()) {
            for step in 0..SLOTS.len() {
                let (hour, minute) = SLOTS[(first + step) % SLOTS.len()];
                let at = moment(day, hour, minute);
                if self.diary.insert((stands_in, at)) {
                    return (self.chairs[stands_in], at);
                }
            }
        }
        (self.chairs[chair], moment(day, SLOTS[first].0, SLOTS[first].1))
    }

    fn conference(&mut self, home: &Home, meeting: &Meeting) -> Uuid {
        let requested_at = moment(meeting.requested_on, 14, 45);
        let id = self.id(requested_at);
        let online = self.chance(15);
        let venue = (!online).then(|| self.pick(names::VENUES));
        let (chair, scheduled_for) = match meeting.upcoming {
            Some(Upcoming::Requested) => (None, None),
            _ => Some(self.free(meeting.chair, meeting.day)).unzip(),
        };
        let held_at = scheduled_for.filter(|_| meeting.upcoming.is_none());
        let sent_on = forward(self.later(meeting.day, 4, 22));
        let minutes_sent_at = held_at.filter(|_| sent_on < self.today).map(|_| moment(sent_on, 15, 0));
        let (state, mut version) = match (meeting.upcoming, minutes_sent_at) {
            (Some(Upcoming::Requested), _) => ("REQUESTED", 1),
            (Some(Upcoming::Scheduled), _) => ("SCHEDULED", 2),
            (Some(Upcoming::Invited), _) => ("INVITED", 3),
            (None, None) => ("DECIDED", 4),
            (None, Some(_)) => ("ISSUED", 5),
        };
        let mut moved_at = None;
        if let (Some(to), Some(Upcoming::Invited | Upcoming::Scheduled)) = (scheduled_for, meeting.upcoming) {
            self.moved += 1;
            let from = back(meeting.day - days(2));
            if self.moved.is_multiple_of(5) && from > self.today {
                let at = moment(self.yesterday(), 13, 0);
                let move_id = self.id(at);
                let reason = self.pick(names::MOVE_REASONS);
                self.out.moves.push(Move {
                    id: move_id,
                    conference: id,
                    from: moment(from, 13, 30),
                    to,
                    reason,
                    by: self.staff[meeting.unit].coordinator,
                    at,
                });
                moved_at = Some(at);
                version += 1;
            }
        }
        self.out.conferences.push(Conference {
            id,
            family: home.family,
            kind: meeting.kind,
            state,
            requested_by: meeting.lead,
            requested_at,
            scheduled_for,
            venue: venue.filter(|_| chair.is_some()),
            online: online && chair.is_some(),
            chair,
            held_at,
            quorate: held_at.map(|_| true),
            minutes_sent_at,
            version,
        });
        if !matches!(state, "REQUESTED" | "SCHEDULED") {
            self.invitations(home, meeting, id, moved_at, held_at);
        }
        id
    }

    fn invitations(
        &mut self,
        home: &Home,
        meeting: &Meeting,
        conference: Uuid,
        moved_at: Option<Moment>,
        held_at: Option<Moment>,
    ) {
        enum Who {
            Person(Uuid),
            Worker(Uuid),
            Agency(String),
        }
        let ages: Vec<i32> = meeting
            .kids
            .iter()
            .map(|kid| &home.kids[*kid])
            .map(|kid| if kid.unborn { -1 } else { years_between(kid.born, meeting.day) })
            .collect();
        let mut invited = vec![(Who::Worker(meeting.lead), "SOCIAL_CARE")];
        for adult in home.adults.iter().filter(|adult| adult.parent || adult.carer) {
            invited.push((Who::Person(adult.id), if adult.parent { "PARENT" } else { "FAMILY" }));
        }
        for (kid, age) in meeting.kids.iter().zip(&ages) {
            if *age >= 12 {
                invited.push((Who::Person(home.kids[*kid].id), "CHILD"));
            }
        }
        let schools: Vec<&str> = [4..12, 12..17]
            .into_iter()
            .filter_map(|range| ages.iter().find(|age| range.contains(*age)))
            .map(|age| home.school(*age))
            .collect();
        for school in &schools {
            invited.push((Who::Agency((*school).to_owned()), "SCHOOL"));
        }
        let health = [
            (ages.iter().any(|age| *age < 0), names::MIDWIFERY),
            (ages.iter().any(|age| (0..5).contains(age)), names::HEALTH_VISITING),
            (!schools.is_empty(), names::SCHOOL_NURSING),
        ];
        for (_, service) in health.into_iter().filter(|(fits, _)| *fits) {
            invited.push((Who::Agency(service.to_owned()), "HEALTH"));
        }
        invited.push((Who::Agency(names::POLICE.to_owned()), "POLICE"));

        let (sent_at, latest) = match held_at {
            Some(held) => (moment(self.earlier(meeting.day, 7, 9).max(meeting.requested_on), 16, 10), held),
            None => (moment(self.ago(3, 5).max(meeting.requested_on), 16, 10), moment(self.yesterday(), 16, 50)),
        };
        let asked = moved_at.unwrap_or(sent_at).max(sent_at);
        for (who, capacity) in invited {
            let id = self.id(sent_at);
            let answers = if held_at.is_some() { 92 } else { 55 };
            let answered = self.chance(answers) && latest > asked;
            let accepts = self.chance(match capacity {
                "SOCIAL_CARE" => 100,
                "POLICE" => 70,
                _ => 88,
            });
            // In working hours, on a day between the question and the last moment at which an answer counts.
            let share = self.rng.i32(0..100);
            let on = (asked + (latest - asked) * share / 100).with_timezone(&London).date_naive();
            let at = moment(on, self.rng.i64(9..17), self.rng.i64(0..60));
            let responded_at = answered.then(|| at.max(asked + TimeDelta::minutes(20)).min(latest));
            let method = match &who {
                Who::Person(_) => self.pick(&["LETTER", "LETTER", "IN_PERSON", "PHONE"]),
                _ => "EMAIL",
            };
            let (person, worker, agency) = match who {
                Who::Person(id) => (Some(id), None, None),
                Who::Worker(id) => (None, Some(id), None),
                Who::Agency(name) => (None, None, Some(name)),
            };
            self.out.invitations.push(Invitation {
                id,
                conference,
                person,
                worker,
                agency,
                capacity,
                sent_at,
                method,
                response: match (answered, accepts) {
                    (false, _) => "NONE",
                    (true, true) => "ACCEPTED",
                    (true, false) => "DECLINED",
                },
                responded_at,
                answer_asked_at: asked,
                version: 1 + i32::from(answered) + i32::from(moved_at.is_some()),
            });
        }
    }

    fn conference_child(&mut self, home: &Home, open: &Open, conference: Uuid, day: NaiveDate, decision: Decision) {
        let kid = &home.kids[open.kid];
        let id = self.id(moment(day, 16, 45));
        self.out.conference_children.push(ConferenceChild {
            id,
            conference,
            child: kid.id,
            case: open.case,
            decision: Some(decision.code),
            category: decision.category,
            outline_plan: decision.outline.map(|text| home.fill(text, kid, day)),
            next_review_on: decision.next,
            plan: decision.plan,
            enquiry: None,
        });
    }

    fn undecided(&mut self, home: &Home, open: &Open, conference: Uuid) {
        let child = home.kids[open.kid].id;
        let id = self.id(moment(self.yesterday(), 15, 0));
        self.out.conference_children.push(ConferenceChild {
            id,
            conference,
            child,
            case: open.case,
            decision: None,
            category: None,
            outline_plan: None,
            next_review_on: None,
            plan: None,
            enquiry: None,
        });
    }
}
