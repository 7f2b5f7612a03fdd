//! Children and adults, and what they are to each other.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Europe::London;
use uuid::Uuid;

use super::{
    Generator, Slot,
    calendar::{Moment, back, days, forward, moment, years_between},
    homes::{Adult, Kid},
    rows::{Child, Person, Relationship},
};
use crate::seed::names::{self, BACKGROUNDS, Background};

const DISABILITIES: [&str; 7] = ["MOB", "LD", "AUT", "COMM", "HEAR", "VIS", "CON"];

impl Generator {
    pub(super) fn background(&mut self) -> &'static Background {
        let whole: usize = BACKGROUNDS.iter().map(|background| background.weight).sum();
        let mut drawn = self.rng.usize(..whole);
        for background in BACKGROUNDS {
            if drawn < background.weight {
                return background;
            }
            drawn -= background.weight;
        }
        &BACKGROUNDS[0]
    }

    /// A number from the range that the health service keeps for tests, with its check digit.
    /// None when the range is used up, which takes a million people.
    fn nhs_no(&mut self) -> Option<String> {
        loop {
            if self.nhs == 999_999 {
                return None;
            }
            self.nhs += 1;
            let digits = format!("999{:06}", self.nhs);
            let sum: u32 =
                digits.bytes().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
            let check = (11 - sum % 11) % 11;
            if check < 10 {
                return Some(format!("{digits}{check}"));
            }
        }
    }

    /// A pupil number of an authority that does not exist, with its check letter.
    fn upn(&mut self, born: NaiveDate) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRTUVWXYZ";
        let digits =
            format!("999{:04}{:02}{:03}", self.rng.usize(2000..2060), (born.year() + 4) % 100, self.rng.usize(..999));
        let sum: usize = digits.bytes().zip(2..).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
        format!("{}{digits}", char::from(LETTERS[sum % LETTERS.len()]))
    }

    pub(super) fn adult(
        &mut self,
        background: &Background,
        man: bool,
        surname: &str,
        born: NaiveDate,
        known: Moment,
    ) -> (Uuid, String) {
        let id = self.id(known);
        let (women, men) = background.elders.unwrap_or((background.girls, background.boys));
        let first = self.pick(if man { men } else { women }).to_owned();
        let language = self.pick(background.languages);
        let interpreter = language != "English" && self.chance(35);
        let person = Person {
            id,
            first_name: first.clone(),
            last_name: surname.to_owned(),
            preferred_name: None,
            born: Some(born),
            expected: None,
            sex: if man { "M" } else { "F" },
            ethnicity: background.ethnicities[0],
            religion: self.pick(background.religions),
            first_language: language,
            interpreter_needed: Some(interpreter),
            communication_needs: None,
            nhs_no: self.chance(70).then(|| self.nhs_no()).flatten(),
            created_at: known,
        };
        self.out.persons.push(person);
        (id, first)
    }

    pub(super) fn kids(
        &mut self,
        births: &[(NaiveDate, bool)],
        slot: &Slot,
        known: Moment,
        (mothers, fathers): (&Background, &Background),
        (surname, ethnicity): (&str, &'static str),
        taken: &mut Vec<String>,
    ) -> Vec<Kid> {
        let mut kids: Vec<Kid> = Vec::new();
        let religion = self.pick(mothers.religions);
        let language = self.pick(mothers.languages);
        for (index, &(born, unborn)) in births.iter().enumerate() {
            let heard = if unborn { back(born - days(200)) } else { forward(born + days(3)) };
            let created_at = known.max(moment(heard, 9, 30));
            let since = if unborn { created_at.with_timezone(&London).date_naive() } else { born };
            let id = self.id(created_at);
            let mut names = if self.chance(70) { mothers } else { fathers };
            let girl = self.rng.bool();
            let mut first = "Unborn".to_owned();
            while !unborn && (first == "Unborn" || taken.contains(&first)) {
                first = self.pick(if girl { names.girls } else { names.boys }).to_owned();
                // A large family can use up a short list of names.
                if taken.contains(&first) {
                    names = self.background();
                }
            }
            taken.push(first.clone());
            let disabled =
                !unborn && ((slot.disabled && index == 0) || self.chance(if slot.disabled { 15 } else { 7 }));
            let mut disabilities = vec!["NONE"];
            if disabled {
                disabilities = vec![self.pick(&DISABILITIES)];
                let second = self.pick(&DISABILITIES);
                if self.chance(40) && second != disabilities[0] {
                    disabilities.push(second);
                }
            }
            let communication_needs = match disabilities.as_slice() {
                codes if codes.contains(&"HEAR") => {
                    Some("Uses British Sign Language; please face the child when speaking.")
                }
                codes if codes.contains(&"COMM") => Some("Uses pictures and signs; allow time for an answer."),
                codes if codes.contains(&"AUT") => Some("Wants to know beforehand what will happen; quiet rooms help."),
                _ => None,
            };
            let age = years_between(born, self.today);
            let preferred =
                names::PREFERRED.iter().find(|(name, _)| *name == first).map(|(_, called)| (*called).to_owned());
            let has_number = !unborn && self.chance(85);
            let at_school = (5..=16).contains(&age) && self.chance(92);
            let person = Person {
                id,
                first_name: first.clone(),
                last_name: surname.to_owned(),
                preferred_name: preferred,
                born: (!unborn).then_some(born),
                expected: unborn.then_some(born),
                sex: if unborn { "U" } else { ["M", "F"][usize::from(girl)] },
                ethnicity: if unborn { "NOBT" } else { ethnicity },
                religion,
                first_language: if age > 4 && self.chance(60) { "English" } else { language },
                interpreter_needed: (age > 3).then_some(false),
                communication_needs,
                nhs_no: has_number.then(|| self.nhs_no()).flatten(),
                created_at,
            };
            self.out.persons.push(person);
            let upn = at_school.then(|| self.upn(born));
            self.out.children.push(Child { id, upn, disabilities });
            kids.push(Kid { id, first, born, unborn, disabled, since });
        }
        kids
    }

    fn relate(
        &mut self,
        known: Moment,
        one: (Uuid, &'static str),
        two: (Uuid, &'static str),
        duty: (&'static str, bool),
        from: NaiveDate,
    ) {
        let ids = (self.id(known), self.id(known));
        let row = |id, person, other, kind, (parental_responsibility, main_carer)| Relationship {
            id,
            person,
            other,
            kind,
            parental_responsibility,
            main_carer,
            from,
        };
        self.out.relationships.push(row(ids.0, one.0, two.0, one.1, duty));
        self.out.relationships.push(row(ids.1, two.0, one.0, two.1, ("N", false)));
    }

    pub(super) fn relatives(
        &mut self,
        kids: &[Kid],
        adults: &[Adult],
        (mother, father, grandmother): (Option<Uuid>, Option<Uuid>, Option<Uuid>),
        together: bool,
        married: bool,
        known: Moment,
    ) {
        let first = kids.iter().map(|kid| kid.since).min().unwrap_or(self.today);
        let carer = |id: Uuid| adults.iter().any(|adult| adult.id == id && adult.carer);
        // The eldest of some families has another father, of whom nothing is recorded.
        let half = kids.len() > 1 && father.is_some() && mother.is_some() && self.chance(18);
        for (index, kid) in kids.iter().enumerate() {
            let from = kid.since;
            let (of, to) = if kid.unborn { ("parentOfUnbornChild", "unbornChild") } else { ("parent", "child") };
            if let Some(id) = mother {
                let duty = (if kid.unborn { "N" } else { "Y" }, carer(id));
                self.relate(known, (id, of), (kid.id, to), duty, from);
            }
            if let Some(id) = father {
                let responsible = match self.rng.usize(..100) {
                    _ if kid.unborn => "N",
                    _ if married || mother.is_none() => "Y",
                    0..70 => "Y",
                    70..88 => "N",
                    _ => "UNKNOWN",
                };
                let stepfather = half && index == 0;
                let (of, to) = if stepfather && !kid.unborn { ("stepParent", "stepChild") } else { (of, to) };
                let duty = (if stepfather { "N" } else { responsible }, carer(id) || (together && !kid.unborn));
                self.relate(known, (id, of), (kid.id, to), duty, from);
            }
            if let Some(id) = grandmother {
                let duty = (if carer(id) && !kid.unborn { "Y" } else { "N" }, carer(id));
                self.relate(known, (id, "grandparent"), (kid.id, "grandchild"), duty, from);
            }
            for elder in &kids[..index] {
                let (of, to) = match (kid.unborn, half && elder.id == kids[0].id) {
                    (true, _) => ("siblingOfUnbornChild", "unbornSibling"),
                    (false, true) => ("halfSibling", "halfSibling"),
                    (false, false) => ("sibling", "sibling"),
                };
                self.relate(known, (elder.id, of), (kid.id, to), ("N", false), from);
            }
        }
        if let (Some(mother), Some(father)) = (mother, father) {
            let kind = match (together, married) {
                (true, true) => "spouse",
                (true, false) => "partner",
                _ if self.chance(40) => "exSpouse",
                _ => "exPartner",
            };
            self.relate(known, (mother, kind), (father, kind), ("N", false), first);
        }
        if let (Some(mother), Some(grandmother)) = (mother, grandmother) {
            self.relate(known, (grandmother, "parent"), (mother, "child"), ("N", false), first);
        }
    }
}

/// The code of a child whose parents' codes these are.
pub(super) fn mixed(mother: &'static str, father: &'static str) -> &'static str {
    let white = |code: &str| code.starts_with('W');
    let other = match (white(mother), white(father)) {
        _ if father.is_empty() || mother == father => return mother,
        (true, true) => return "WOTH",
        (true, false) => father,
        (false, true) => mother,
        (false, false) => return "MOTH",
    };
    match other {
        "BCRB" => "MWBC",
        "BAFR" => "MWBA",
        "AIND" | "APKN" | "ABAN" | "AOTH" | "CHNE" => "MWAS",
        _ => "MOTH",
    }
}
