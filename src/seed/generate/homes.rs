//! Homes: who lives together, and where.

use chrono::NaiveDate;
use chrono_tz::Europe::London;
use fastrand::Rng;
use uuid::Uuid;

use super::{
    Generator, Slot, Story,
    calendar::{Moment, days, months, years_between},
    episodes::Episode,
    people::mixed,
    rows::{Address, Family, FamilyMember},
};
use crate::seed::names;

pub(super) struct Kid {
    pub(super) id: Uuid,
    pub(super) first: String,
    pub(super) born: NaiveDate,
    pub(super) unborn: bool,
    pub(super) disabled: bool,
    /// The birth, or for an unborn child the day on which the service heard of it.
    pub(super) since: NaiveDate,
}

pub(super) struct Adult {
    pub(super) id: Uuid,
    pub(super) first: String,
    pub(super) parent: bool,
    pub(super) carer: bool,
    /// Does not live with the children.
    elsewhere: bool,
}

pub(super) struct Home {
    pub(super) family: Uuid,
    pub(super) kids: Vec<Kid>,
    pub(super) adults: Vec<Adult>,
    primary: &'static str,
    secondary: &'static str,
}

impl Home {
    pub(super) fn carer(&self) -> Option<&Adult> {
        self.adults.iter().find(|adult| adult.carer)
    }

    pub(super) fn school(&self, age: i32) -> &'static str {
        if age > 11 { self.secondary } else { self.primary }
    }

    pub(super) fn fill(&self, text: &str, kid: &Kid, day: NaiveDate) -> String {
        let child = if kid.unborn { "the baby" } else { &kid.first };
        let filled = text
            .replace("{child}", child)
            .replace("{parent}", self.carer().map_or("the family", |adult| &adult.first))
            .replace("{school}", self.school(years_between(kid.born, day)));
        // "the baby" and "the family" may begin a sentence.
        let filled = filled.replace(". the ", ". The ");
        match filled.strip_prefix("the ") {
            Some(rest) => format!("The {rest}"),
            None => filled,
        }
    }
}

impl Generator {
    /// The children's dates of birth, eldest first, and whether the last one is still unborn.
    pub(super) fn births(&mut self, slot: &Slot) -> Vec<(NaiveDate, bool)> {
        let spread = self.rng.usize(..100);
        let count = match spread {
            _ if slot.single => 1,
            0..36 => 1,
            36..72 => 2,
            72..90 => 3,
            _ => 4,
        };
        if slot.unborn {
            let mut births = vec![(self.today + days(self.rng.usize(24..135)), true)];
            if self.chance(50) {
                births.insert(0, (self.today - days(self.rng.usize(500..2600)), false));
            }
            return births;
        }
        let youngest = match slot.story {
            Story::CareLeaver => self.rng.usize(6640..7400),
            Story::Permanence => self.rng.usize(1400..5800),
            _ => self.rng.usize(20..5600),
        };
        let mut births = vec![(self.today - days(youngest), false)];
        let mut age = youngest;
        for _ in 1..count {
            age += self.rng.usize(390..1500);
            // Grown-up brothers and sisters are not recorded as children.
            if age < 17 * 365 {
                births.insert(0, (self.today - days(age), false));
            }
        }
        births
    }

    pub(super) fn home(&mut self, births: &[(NaiveDate, bool)], slot: &Slot, known: Moment) -> Home {
        let mothers = self.background();
        let fathers = if self.chance(14) { self.background() } else { mothers };
        let mother_name = self.pick(mothers.surnames);
        let known_on = known.with_timezone(&London).date_naive();
        let eldest = births[0].0;
        let span = births.last().map_or(0, |(born, _)| years_between(eldest, *born).max(0));
        let mother_age = 19 + self.rng.usize(0..=usize::try_from(24 - span).unwrap_or(0).min(16));
        let father_age = mother_age + self.rng.usize(..7);
        let form = self.rng.usize(..100);
        // Together, apart, mother alone, father alone, grandmother.
        let (has_mother, has_father, together, grandmother_cares) = match form {
            0..40 => (true, true, true, false),
            40..62 => (true, true, false, false),
            62..90 => (true, false, false, false),
            90..95 if !births.iter().any(|(_, unborn)| *unborn) => (false, true, false, false),
            90..95 => (true, false, false, false),
            _ => (true, false, false, true),
        };
        let married = together && self.chance(55);
        let father_name = if married && self.chance(60) { mother_name } else { self.pick(fathers.surnames) };
        let surname = if has_father && (married || self.chance(50)) { father_name } else { mother_name };
        let born_before = |years: usize, anchor: NaiveDate, rng: &mut Rng| {
            anchor - months(years as u32 * 12) - days(rng.usize(1..300))
        };

        let family = self.id(known);
        let name = match (has_mother && has_father, mother_name == father_name) {
            (true, false) => format!("{mother_name} and {father_name} family"),
            (true, true) => format!("{mother_name} family"),
            (false, _) => format!("{surname} family"),
        };
        self.out.families.push(Family { id: family, name, created_at: known });
        let mut adults = Vec::new();
        let mother = has_mother.then(|| {
            let born = born_before(mother_age, eldest, &mut self.rng);
            (self.adult(mothers, false, mother_name, born, known), born)
        });
        let father = has_father.then(|| {
            let born = born_before(father_age, eldest, &mut self.rng);
            self.adult(fathers, true, father_name, born, known)
        });
        let grandmother = mother.as_ref().filter(|_| grandmother_cares).map(|(_, born)| *born).map(|daughter| {
            let years = 20 + self.rng.usize(..12);
            let born = born_before(years, daughter, &mut self.rng);
            self.adult(mothers, false, mother_name, born, known)
        });
        let grandmother = match (grandmother, &mother) {
            (None, Some((_, born))) if self.chance(9) => {
                let born = born_before(23, *born, &mut self.rng);
                Some(self.adult(mothers, false, mother_name, born, known))
            }
            (found, _) => found,
        };
        let mother = mother.map(|(mother, _)| mother);
        if let Some((id, first)) = &mother {
            adults.push(Adult {
                id: *id,
                first: first.clone(),
                parent: true,
                carer: !grandmother_cares,
                elsewhere: grandmother_cares,
            });
        }
        if let Some((id, first)) = &father {
            adults.push(Adult {
                id: *id,
                first: first.clone(),
                parent: true,
                carer: !has_mother,
                elsewhere: has_mother && !together,
            });
        }
        if let Some((id, first)) = &grandmother {
            adults.push(Adult {
                id: *id,
                first: first.clone(),
                parent: false,
                carer: grandmother_cares,
                elsewhere: !grandmother_cares,
            });
        }

        let ethnicity = mixed(self.pick(mothers.ethnicities), if has_father { fathers.ethnicities[0] } else { "" });
        let mut taken: Vec<String> = adults.iter().map(|adult: &Adult| adult.first.clone()).collect();
        let kids = self.kids(births, slot, known, (mothers, fathers), (surname, ethnicity), &mut taken);
        let first = eldest.min(known_on);
        for (person, from) in
            adults.iter().map(|adult| (adult.id, first)).chain(kids.iter().map(|kid| (kid.id, kid.since)))
        {
            let id = self.id(known);
            self.out.family_members.push(FamilyMember { id, family, person, from });
        }
        let ids = [&mother, &father, &grandmother].map(|found| found.as_ref().map(|(id, _)| *id));
        self.relatives(&kids, &adults, ids.into(), together, married, known);
        Home {
            family,
            kids,
            adults,
            primary: self.pick(names::PRIMARY_SCHOOLS),
            secondary: self.pick(names::SECONDARY_SCHOOLS),
        }
    }

    fn place(&mut self) -> (String, String) {
        let number = self.rng.usize(1..140);
        let street = self.pick(names::STREETS);
        let line = if self.chance(30) {
            format!("Flat {}, {}, {street}", self.rng.usize(1..60), self.pick(names::BUILDINGS))
        } else {
            format!("{number} {street}")
        };
        let (one, two) = (self.pick(names::POSTCODE_LETTERS), self.pick(names::POSTCODE_LETTERS));
        let postcode = format!("{} {}{one}{two}", self.pick(names::DISTRICTS), self.rng.usize(1..=9));
        (line, postcode)
    }

    /// Where the family lives, and the children in care.
    pub(super) fn addresses(&mut self, home: &Home, known: Moment, episode: &Episode, in_care: &[Uuid]) {
        let known_on = known.with_timezone(&London).date_naive();
        let here = self.place();
        let since = known_on - days(self.rng.usize(60..2400));
        let before = self.chance(20).then(|| (self.place(), since - days(self.rng.usize(300..1500))));
        let confidential = self.chance(3);
        for adult in &home.adults {
            let at = if adult.elsewhere { self.place() } else { here.clone() };
            if let (false, Some((at, from))) = (adult.elsewhere, before.clone()) {
                self.address(adult.id, "HOME", at, (from, Some(since)), false, known);
            }
            self.address(adult.id, "HOME", at, (since, None), confidential && !adult.elsewhere, known);
        }
        for kid in &home.kids {
            let from = since.max(kid.since);
            if let Some((at, earlier)) = before.clone().filter(|_| kid.born < since && !kid.unborn) {
                self.address(kid.id, "HOME", at, (earlier.max(kid.born), Some(since)), false, known);
            }
            let care = episode.care.filter(|care| from < *care && in_care.contains(&kid.id));
            self.address(kid.id, "HOME", here.clone(), (from, care), confidential, known);
            if let Some(care) = care {
                let kind = if episode.story == Story::CareLeaver { "OTHER" } else { "PLACEMENT" };
                let (at, hidden) = (self.place(), self.chance(15));
                self.address(kid.id, kind, at, (care, None), hidden, known);
            }
        }
    }

    fn address(
        &mut self,
        person: Uuid,
        kind: &'static str,
        (line, postcode): (String, String),
        (from, to): (NaiveDate, Option<NaiveDate>),
        confidential: bool,
        known: Moment,
    ) {
        let id = self.id(known);
        self.out.addresses.push(Address { id, person, kind, line, postcode, from, to, confidential });
    }
}
