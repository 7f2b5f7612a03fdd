//! When things happened: the periods of involvement with a family.

use chrono::NaiveDate;

use super::{
    Generator, Past, Slot, Story,
    calendar::{back, days, forward, months},
};

/// A unit's holding of a family's cases.
#[derive(Clone, Copy)]
pub(super) struct Stage {
    pub(super) unit: usize,
    pub(super) from: NaiveDate,
}

/// A family's time on child protection plans.
pub(super) struct Protection {
    pub(super) initial: NaiveDate,
    /// Past reviews; the last one ends the plan when `ends`.
    pub(super) reviews: Vec<NaiveDate>,
    pub(super) ends: bool,
}

/// One period of involvement with a family.
pub(super) struct Episode {
    pub(super) story: Story,
    pub(super) opened: NaiveDate,
    pub(super) stages: Vec<Stage>,
    pub(super) closed: Option<(NaiveDate, &'static str)>,
    /// When the first child in need plan began.
    pub(super) cin: Option<NaiveDate>,
    /// When the children became looked after, which ends their plans.
    pub(super) care: Option<NaiveDate>,
    pub(super) protection: Option<Protection>,
}

impl Generator {
    pub(super) fn episode(&mut self, slot: &Slot) -> Episode {
        let unit = slot.unit.unwrap_or_default();
        let yesterday = self.yesterday();
        let assessing = unit % 12 < 4;
        let mut episode = Episode {
            story: slot.story,
            opened: yesterday,
            stages: Vec::new(),
            closed: None,
            cin: None,
            care: None,
            protection: None,
        };
        match slot.story {
            Story::Queue => {
                episode.opened = self.ago(1, 4);
                return episode;
            }
            Story::Closed(past) => {
                let closed = self.ago(20, 1100);
                return self.closed_episode(closed, past);
            }
            Story::Assessment => episode.stages.push(Stage { unit, from: self.ago(2, 42) }),
            Story::Pending(_) if assessing => episode.stages.push(Stage { unit, from: self.ago(16, 32) }),
            Story::Need if assessing => {
                episode.stages.push(Stage { unit, from: self.ago(44, 60) });
                episode.cin = Some(self.ago(3, 9));
            }
            Story::Protection { .. } if assessing => {
                let initial = self.ago(9, 24);
                episode.stages.push(Stage { unit, from: self.earlier(initial, 24, 34) });
                episode.protection = Some(Protection { initial, reviews: Vec::new(), ends: false });
            }
            Story::Need if unit % 12 >= 10 => {
                let from = self.ago(26, 500);
                episode.stages.push(Stage { unit, from });
                episode.cin = Some(back(self.later(from, 8, 20)));
            }
            Story::Need | Story::Pending(_) | Story::LookedAfter => {
                let from = match slot.story {
                    Story::LookedAfter => self.ago(160, 400),
                    // The work before a birth is never longer than the pregnancy.
                    _ if slot.unborn => self.ago(20, 60),
                    _ => self.ago(20, 500),
                };
                episode.stages = self.stages(unit, from);
                episode.cin = Some(back(self.later(from, 1, 7)).max(from));
                if slot.story == Story::LookedAfter {
                    episode.care = Some(self.ago(15, 90));
                }
            }
            Story::Protection { .. } | Story::StepDown | Story::CareDecision => {
                let initial = match slot.story {
                    Story::Protection { soon: true } => {
                        // Thirteen weeks rather than three months: the ends of months would fall on one day.
                        let initial = self.later(self.today, 19, 34) - days(91);
                        // Both ways, or the days around a holiday would all fall on the one before it.
                        if self.chance(50) { back(initial) } else { forward(initial) }
                    }
                    Story::StepDown => self.ago(150, 400),
                    _ => self.ago(16, 420),
                };
                let mut protection = self.protection(initial, self.today, slot.story == Story::StepDown);
                protection.ends = slot.story == Story::StepDown;
                // Either the conference was held while the case was being assessed, or some time after the transfer.
                let from = if self.chance(40) {
                    back(self.later(initial, 5, 12)).min(yesterday)
                } else {
                    self.earlier(initial, 25, 120)
                };
                episode.stages = self.stages(unit, from);
                if from < initial {
                    episode.cin = Some(back(self.later(from, 1, 7)).max(from));
                } else {
                    episode.stages[0].from = episode.stages[0].from.min(self.earlier(initial, 24, 34));
                }
                episode.protection = Some(protection);
            }
            Story::Permanence | Story::CareLeaver => {
                let (from, care) = match slot.story {
                    Story::CareLeaver => (self.ago(500, 700), self.ago(1000, 1200)),
                    _ => (self.ago(60, 700), self.ago(60, 700)),
                };
                let care = if slot.story == Story::Permanence { self.earlier(from, 120, 240) } else { care };
                let met = self.earlier(care, 150, 260);
                let worked = unit - unit % 12 + 4 + self.rng.usize(..4);
                episode.stages = self.stages(worked, met);
                episode.stages.push(Stage { unit, from });
                episode.cin = Some(back(self.later(met, 1, 7)).max(met));
                episode.care = Some(care);
                if self.chance(50) {
                    let initial = back(self.later(met, 20, 40));
                    let mut protection = self.protection(initial, care - days(30), false);
                    protection.reviews.push(care);
                    episode.protection = Some(Protection { ends: true, ..protection });
                }
            }
        }
        episode.opened =
            episode.stages.first().map_or(yesterday, |stage| back(stage.from - days(self.rng.usize(..=1))));
        episode
    }

    /// An access and assessment unit first, then the unit that took the case over on that day.
    fn stages(&mut self, unit: usize, from: NaiveDate) -> Vec<Stage> {
        let assessing = unit - unit % 12 + self.rng.usize(..4);
        vec![Stage { unit: assessing, from: self.earlier(from, 34, 55) }, Stage { unit, from }]
    }

    /// Review conferences as they fall due: the first within three months, the others within six.
    fn protection(&mut self, initial: NaiveDate, until: NaiveDate, at_least_one: bool) -> Protection {
        let mut reviews = Vec::new();
        let mut next = self.review_day(initial, 3);
        while next < until && (!at_least_one || reviews.len() < 2) {
            reviews.push(next);
            next = self.review_day(next, 6);
        }
        Protection { initial, reviews, ends: false }
    }

    fn review_day(&mut self, last: NaiveDate, after: u32) -> NaiveDate {
        let due = last + months(after);
        self.earlier(due, 1, 8)
    }

    pub(super) fn closed_episode(&mut self, closed: NaiveDate, past: Past) -> Episode {
        let block = self.rng.usize(..self.sizes.units / 12) * 12;
        let (assessing, working) = (block + self.rng.usize(..4), block + 4 + self.rng.usize(..4));
        let mut episode = Episode {
            story: Story::Closed(past),
            opened: closed,
            stages: Vec::new(),
            closed: None,
            cin: None,
            care: None,
            protection: None,
        };
        let path = if past == Past::Protection { 100 } else { self.rng.usize(..100) };
        if past == Past::Advice {
            episode.opened = self.earlier(closed, 1, 3);
            episode.closed = Some((closed, "RC7"));
        } else if path < 48 {
            let from = self.earlier(closed, 25, 55);
            episode.stages.push(Stage { unit: assessing, from });
            episode.opened = from;
            episode.closed = Some((closed, self.pick(&["RC8", "RC8", "RC9"])));
        } else if path < 82 {
            let from = self.earlier(closed, 80, 300);
            episode.stages = self.stages(working, from);
            episode.opened = episode.stages[0].from;
            episode.cin = Some(back(self.later(from, 1, 7)).max(from));
            episode.closed = Some((closed, self.pick(&["RC7", "RC7", "RC7", "RC5", "RC4", "RC3"])));
        } else {
            let end = self.earlier(closed, 60, 120);
            let initial = back(end - months(3));
            let from = self.earlier(initial, 25, 60);
            episode.stages = self.stages(working, from);
            episode.opened = episode.stages[0].from;
            episode.cin = Some(back(self.later(from, 1, 7)).max(from));
            episode.protection = Some(Protection { initial, reviews: vec![end], ends: true });
            episode.closed = Some((closed, "RC7"));
        }
        episode
    }
}
