//! Plans with their goals and actions.

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use super::{
    Generator,
    calendar::{back, days, moment, months, years_between},
    cases::Open,
    episodes::Episode,
    homes::{Home, Kid},
    rows::{Action, Goal, Plan},
};
use crate::seed::names::{self, GoalText, Owner};

/// What a plan needs beside the child.
pub(super) struct PlanSpec {
    pub(super) start: NaiveDate,
    pub(super) end: Option<NaiveDate>,
    /// The conference that made it and the category; none for a child in need plan.
    pub(super) protection: Option<(Uuid, &'static str)>,
    pub(super) due: Option<NaiveDate>,
    pub(super) superseded: bool,
}

impl Generator {
    /// The child in need plans of a case, around its child protection plan if it has one.
    pub(super) fn need_plans(
        &mut self,
        home: &Home,
        episode: &Episode,
        open: &Open,
        protected: bool,
        held_by: &dyn Fn(NaiveDate) -> (usize, Uuid),
    ) {
        let today = self.today;
        let by = |end: Option<NaiveDate>| held_by(end.unwrap_or(today));
        let last = episode.closed.map(|(on, _)| on);
        let spec = |start, end| PlanSpec { start, end, protection: None, due: None, superseded: false };
        if let (true, Some(protection)) = (protected, &episode.protection) {
            let start = episode.cin.unwrap_or(protection.initial).max(open.opened);
            if start < protection.initial {
                self.plan(home, episode, open, by(Some(protection.initial)), spec(start, Some(protection.initial)));
            }
            if let (true, None, Some(end)) = (protection.ends, episode.care, protection.reviews.last()) {
                self.plan(home, episode, open, by(last), spec(*end, last));
            }
            return;
        }
        let first = match (episode.cin, &episode.protection) {
            (Some(cin), _) => cin,
            (None, Some(protection)) => protection.initial,
            (None, None) => return,
        };
        let start =
            if open.opened > first { back(self.later(open.opened, 2, 20)).min(self.yesterday()) } else { first };
        let start = start.max(open.opened);
        let end = episode.care.or(last);
        if end.is_some_and(|end| end <= start) {
            return;
        }
        let age = (self.today - start).num_days();
        if end.is_none() && age > 150 && self.chance(self.renewed) {
            let middle = back(start + months(3));
            self.plan(
                home,
                episode,
                open,
                by(Some(middle)),
                PlanSpec { superseded: true, ..spec(start, Some(middle)) },
            );
            self.plan(home, episode, open, by(None), spec(middle, None));
        } else {
            self.plan(home, episode, open, by(end), spec(start, end));
        }
    }

    pub(super) fn plan(
        &mut self,
        home: &Home,
        episode: &Episode,
        open: &Open,
        (unit, lead): (usize, Uuid),
        spec: PlanSpec,
    ) -> Uuid {
        let kid = &home.kids[open.kid];
        let created_at = moment(spec.start, 17, 10);
        let id = self.id(created_at);
        let age = years_between(kid.born, spec.start);
        let last = spec.end.unwrap_or(self.today);
        let mut due = spec.due.unwrap_or(spec.start + months(3));
        // Child in need plans are reviewed after three months and then every six; a few reviews are late.
        while spec.protection.is_none() && due + days(20) < last {
            due = due + months(6);
        }
        let mut change_by = spec.start + months(4);
        while change_by + days(10) < last {
            change_by = change_by + months(3);
        }
        let category = spec.protection.map(|(_, category)| category);
        let previous = category.map(|_| {
            let count = self.protected.entry(kid.id).or_default();
            *count += 1;
            *count - 1
        });
        let aim = self.pick(names::AIMS);
        let parent_view = self.pick(names::PARENT_VIEWS);
        let child_view = (age > 3).then(|| self.pick(names::CHILD_VIEWS));
        let reviewed =
            episode.protection.as_ref().filter(|_| category.is_some()).map_or(0, |found| found.reviews.len());
        let latest = if reviewed > 0 && self.chance(15) { Some("MUL") } else { category };
        self.out.plans.push(Plan {
            id,
            case: open.case,
            child: kid.id,
            kind: if category.is_some() { "CHILD_PROTECTION" } else { "CIN" },
            status: match (spec.end, spec.superseded) {
                (None, _) => "ACTIVE",
                (Some(_), true) => "SUPERSEDED",
                (Some(_), false) => "ENDED",
            },
            start_on: spec.start,
            end_on: spec.end,
            overall_aim: home.fill(aim, kid, spec.start),
            agreed_change_by: Some(change_by),
            review_due_on: due,
            conference: spec.protection.map(|(conference, _)| conference),
            initial_category: category,
            latest_category: latest.filter(|_| category.is_some()),
            previous_cpps: previous,
            parent_view: Some(home.fill(parent_view, kid, spec.start)),
            child_view: child_view.map(|text| home.fill(text, kid, spec.start)),
            version: 1 + i32::try_from(reviewed).unwrap_or(0) + i32::from(spec.end.is_some()),
            created_at,
            section_codes: &[],
            section_texts: Vec::new(),
            route: None,
            needs_assessed_on: None,
        });
        let mut texts: Vec<&GoalText> =
            names::GOALS.iter().filter(|goal| (goal.ages.0..=goal.ages.1).contains(&age)).collect();
        self.rng.shuffle(&mut texts);
        if kid.disabled {
            texts.splice(..0, names::GOALS_DISABLED.iter().filter(|goal| (goal.ages.0..=goal.ages.1).contains(&age)));
        }
        texts.truncate(self.rng.usize(self.goals.0..=self.goals.1));
        for (position, text) in texts.into_iter().enumerate() {
            self.goal(home, kid, id, text, position, (unit, lead), &spec);
        }
        id
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one goal")]
    fn goal(
        &mut self,
        home: &Home,
        kid: &Kid,
        plan: Uuid,
        text: &GoalText,
        position: usize,
        (unit, lead): (usize, Uuid),
        spec: &PlanSpec,
    ) {
        let created_at = moment(spec.start, 17, 15 + position as i64);
        let goal = self.id(created_at);
        let count = self.rng.usize(1..=text.actions.len());
        let yesterday = self.yesterday();
        let running = (self.today - spec.start).num_days() > 120 && spec.end.is_none();
        let mut open = false;
        for (index, (owner, wording)) in text.actions.iter().take(count).enumerate() {
            let id = self.id(created_at + TimeDelta::seconds(index as i64));
            // Plans that have run for long still have something to do: it falls around today.
            let due_on = if running && index + 1 == count {
                self.later(self.today, 0, 58) - days(14)
            } else {
                self.later(spec.start, 14 + index * 18, 45 + index * 25)
            };
            let done = match spec.end {
                Some(_) => true,
                None if due_on + days(25) < self.today => true,
                None if due_on < self.today => self.chance(55),
                None => self.chance(12),
            };
            let latest = spec.end.unwrap_or(yesterday);
            let planned = self.earlier(due_on, 0, 9);
            let done_on = done.then(|| planned.min(latest).max(spec.start));
            open |= !done;
            let age = years_between(kid.born, spec.start);
            let (worker, person, agency) = match owner {
                Owner::Lead => (Some(lead), None, None),
                Owner::Practitioner => (Some(self.staff[unit].practitioner), None, None),
                Owner::Clinician => (Some(self.staff[unit].clinician), None, None),
                Owner::Parent => match home.carer() {
                    Some(adult) => (None, Some(adult.id), None),
                    None => (Some(lead), None, None),
                },
                Owner::School => (None, None, Some(home.school(age))),
                Owner::Health if age < 0 => (None, None, Some(names::MIDWIFERY)),
                Owner::Health if age < 5 => (None, None, Some(names::HEALTH_VISITING)),
                Owner::Health => (None, None, Some(names::SURGERY)),
                Owner::Agency(name) => (None, None, Some(*name)),
            };
            let outcome = if done { Some(self.pick(names::OUTCOMES)) } else { None };
            self.out.actions.push(Action {
                id,
                goal,
                plan,
                child: kid.id,
                text: home.fill(wording, kid, spec.start),
                worker,
                person,
                agency: agency.map(str::to_owned),
                due_on,
                done_on,
                outcome,
            });
        }
        let status = match spec.end {
            Some(_) if spec.superseded => "OPEN",
            Some(_) => self.pick(&["MET", "MET", "MET", "NOT_MET", "DROPPED"]),
            None if !open && self.chance(40) => "MET",
            None => "OPEN",
        };
        self.out.goals.push(Goal {
            id: goal,
            plan,
            child: kid.id,
            position: i32::try_from(position).unwrap_or(0) + 1,
            change: home.fill(text.change, kid, spec.start),
            why: home.fill(text.why, kid, spec.start),
            measure: text.measure,
            baseline: text.baseline,
            target: text.target,
            status,
        });
    }
}
