//! Areas, units and the people who work there.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    BLOCK, Generator,
    calendar::{Moment, days, forward, moment, months},
    rows::{Area, Membership, Post, Unit, Worker},
};
use crate::seed::names::{self, BACKGROUNDS};

const AREA_NAMES: [&str; 3] = ["Access and Assessment", "Children in Need", "Care and Support"];
pub(super) const AREA_UNITS: usize = 4;

/// The people of a unit, with the time of their membership.
#[derive(Default)]
pub(in crate::seed) struct Staff {
    pub(in crate::seed) id: Uuid,
    pub(super) consultant: Uuid,
    pub(super) practitioner: Uuid,
    /// Since when the practitioner is here, and the clinician: no part of theirs in a case begins earlier.
    pub(super) practitioner_since: Moment,
    pub(super) clinician: Uuid,
    pub(super) clinician_since: Moment,
    pub(super) coordinator: Uuid,
    /// Social workers beside the consultant: who, from when, until when.
    social_workers: Vec<(Uuid, NaiveDate, Option<NaiveDate>)>,
}

impl Generator {
    fn worker(&mut self, staff_no: String, qualified: bool, fte: f64, since: NaiveDate) -> Uuid {
        let background = &BACKGROUNDS[self.rng.usize(..BACKGROUNDS.len())];
        let (women, men) = background.elders.unwrap_or((background.girls, background.boys));
        let given = if self.chance(70) { women } else { men };
        let at = moment(since, 9, 0);
        let id = self.id(at);
        self.workers += 1;
        let name = format!("{} {}", self.pick(given), self.pick(background.surnames));
        let agency_worker = self.chance(8);
        self.out.workers.push(Worker {
            id,
            name,
            email: format!("{}@hearth.example", staff_no.to_lowercase()),
            staff_no,
            sw_england_no: qualified.then(|| format!("SW{}", 20_000 + 37 * self.workers)),
            qualified,
            active: true,
            fte,
            agency_worker,
            created_at: at,
        });
        id
    }

    fn member(
        &mut self,
        unit: usize,
        worker: Uuid,
        role: &'static str,
        from: NaiveDate,
        to: Option<NaiveDate>,
        fte: f64,
    ) {
        let started_at = moment(from, 9, 0);
        let id = self.id(started_at);
        self.out.memberships.push(Membership {
            id,
            unit: self.staff[unit].id,
            worker,
            role,
            started_at,
            ended_at: to.map(|day| moment(day, 17, 0)),
            fte,
        });
    }

    fn post(&mut self, worker: Uuid, post: &'static str, since: NaiveDate) {
        let started_at = moment(since, 9, 0);
        let id = self.id(started_at);
        self.out.posts.push(Post { id, worker, post, started_at });
    }

    /// Units from the `first` on, a multiple of twelve, and who is there because of them.
    pub(in crate::seed) fn organisation(&mut self, first: usize) {
        let founded = forward(self.today - months(12 * 10));
        let at = moment(founded, 9, 0);
        if first == 0 {
            let head = self.worker("HS-1".to_owned(), true, 1.0, founded);
            self.post(head, "HEAD_OF_SERVICE", founded);
        }
        for (count, prefix, post) in [(3, "FR", "FIRST_RESPONSE"), (4, "CH", "CP_CHAIR")] {
            for number in count * first.div_ceil(12) + 1..=count * self.sizes.units.div_ceil(12) {
                let since = self.ago(2800, 3400);
                let id = self.worker(format!("{prefix}-{number}"), true, 1.0, since);
                self.post(id, post, since);
                if prefix == "FR" { self.first_response.push(id) } else { self.chairs.push(id) }
            }
        }
        for area in first.div_ceil(AREA_UNITS)..self.sizes.units.div_ceil(AREA_UNITS) {
            let manager = self.worker(format!("SM-{}", area + 1), true, 1.0, founded);
            let id = self.id(at);
            let name = format!("{} (area {})", AREA_NAMES[area % AREA_NAMES.len()], area + 1);
            self.out.areas.push(Area { id, name, manager });
            self.areas.push(id);
            self.managers.push(manager);
        }
        for unit in first..self.sizes.units {
            self.unit(unit, founded, at);
        }
        // One clinician works in two units of looked-after children.
        for block in (first..self.sizes.units.saturating_sub(9)).step_by(12) {
            let since = self.ago(300, 700);
            let clinician = self.staff[block + 8].clinician;
            self.member(block + 9, clinician, "CLINICIAN", since, None, 0.4);
        }
        self.supporters();
    }

    fn unit(&mut self, unit: usize, founded: NaiveDate, at: Moment) {
        let (service, number) = (BLOCK[unit % 12].0, unit + 1);
        let id = self.id(at);
        self.out.units.push(Unit {
            id,
            name: format!("{} Unit {number}", names::service_name(service)),
            service,
            area: self.areas[unit / AREA_UNITS],
            // Numbers that the regulator keeps for fiction.
            contact_point: format!("020 7946 {:04}", number % 1000),
            active_from: founded,
        });
        self.staff.push(Staff { id, ..Staff::default() });
        let staff_no = |role: &str| format!("U{number:02}-{role}");

        // The consultant has been there for longer than any case in here, so that there is always somebody to lead.
        let since = self.ago(2800, 3400);
        let consultant = self.worker(staff_no("CSW"), true, 1.0, since);
        self.member(unit, consultant, "CONSULTANT_SOCIAL_WORKER", since, None, 1.0);
        let since = self.ago(420, 1500);
        let social_worker = self.worker(staff_no("SW"), true, 1.0, since);
        self.member(unit, social_worker, "SOCIAL_WORKER", since, None, 1.0);
        let mut social_workers = vec![(social_worker, since, None)];
        let since = self.ago(200, 1800);
        let practitioner = self.worker(staff_no("CP"), false, 1.0, since);
        self.member(unit, practitioner, "CHILDRENS_PRACTITIONER", since, None, 1.0);
        let practitioner_since = moment(since, 9, 0);
        let since = self.ago(200, 1800);
        let fte = if unit % 12 == 8 { 0.6 } else { self.pick(&[0.5, 0.6, 0.8, 1.0]) };
        let clinician = self.worker(staff_no("CL"), false, fte, since);
        self.member(unit, clinician, "CLINICIAN", since, None, fte);
        let clinician_since = moment(since, 9, 0);
        let since = self.ago(200, 1800);
        let coordinator = self.worker(staff_no("UC"), false, 1.0, since);
        self.member(unit, coordinator, "UNIT_COORDINATOR", since, None, 1.0);

        if unit % 12 % 3 == 2 || unit % 12 == 4 {
            let since = self.ago(60, 320);
            // Some came from another unit of the area, and left a membership behind there.
            let before = (!unit.is_multiple_of(AREA_UNITS)).then(|| self.earlier(since, 400, 700));
            let second = self.worker(staff_no("SW2"), true, 0.8, before.unwrap_or(since));
            if let Some(before) = before {
                self.member(unit - 1, second, "SOCIAL_WORKER", before, Some(since), 0.8);
                self.staff[unit - 1].social_workers.push((second, before, Some(since)));
            }
            self.member(unit, second, "SOCIAL_WORKER", forward(since + days(1)), None, 0.8);
            social_workers.push((second, forward(since + days(1)), None));
        }
        if unit % 3 == 1 {
            let left = self.ago(380, 640);
            let since = self.earlier(left, 500, 1100);
            let former = self.worker(staff_no("SW0"), true, 1.0, since);
            if let Some(worker) = self.out.workers.last_mut() {
                worker.active = false;
            }
            self.member(unit, former, "SOCIAL_WORKER", since, Some(left), 1.0);
            social_workers.push((former, since, Some(left)));
        }
        self.staff[unit] = Staff {
            id,
            consultant,
            practitioner,
            practitioner_since,
            clinician,
            clinician_since,
            coordinator,
            social_workers,
        };
    }

    /// Who leads the cases that a unit holds from one day to another: somebody who is a member all that time.
    pub(super) fn lead(&mut self, unit: usize, from: NaiveDate, to: Option<NaiveDate>) -> Uuid {
        let covers = |(worker, since, left): &(Uuid, NaiveDate, Option<NaiveDate>)| {
            let stays = match (left, to) {
                (None, _) => true,
                (Some(left), Some(to)) => *left > to,
                (Some(_), None) => false,
            };
            (*since < from && stays).then_some(*worker)
        };
        let workers: Vec<Uuid> = self.staff[unit].social_workers.iter().filter_map(covers).collect();
        if workers.is_empty() || self.chance(40) { self.staff[unit].consultant } else { self.pick(&workers) }
    }
}
