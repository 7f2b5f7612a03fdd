//! Who receives an event, and in which stream: decided at delivery, once for all who listen.
//!
//! | stream | who receives the event |
//! | --- | --- |
//! | a unit of its audience | the unit's members at the event's time and now |
//! | a post of its audience (the front door's, the queue's) | who has the post at the event's time and now |
//! | a worker whom its audience names | the worker, while a member of one of its units or in one of its posts then and now, the manager of one of its areas, or personally in sight, in part or whole, of a child whom it is about |
//! | a worker whom the event's own change took out of sight, or whom alone it is for | the worker, of this event: it says that they are |
//! | a child whom it is about | whoever receives it through a unit, an area, a post or by name, and sees the child whole now; not whom alone it is for |
//!
//! An active worker in any case, and nobody from whom a restriction or a denial keeps a child whom it is about, unless they
//! see another child whom it is about too.
//!
//! That is reckoned twice, and either alone would do: here from memberships, areas and sight, and by the database from the
//! rights that its policies go by (`hearth.may_be_told`). Whom only the first finds gets nothing, and that is an error in
//! the log.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_types::{Array, BigInt, Timestamptz, Uuid as UuidSql},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::{
    failed,
    kept::Kept,
    outbox::{EventRow, Post},
    schema::{
        areas, outbox_audience, outbox_subjects, person_locks, sight, unit_memberships, units, worker_posts, workers,
    },
};
use crate::{
    domain::{Code, codes::EventType},
    error::Result,
};

/// A stream's topic (a unit, a worker, a child), and a worker who receives the event in it.
pub(in crate::db) type Recipient = (Uuid, Uuid);

/// Who alone may see a record, and who may not.
#[derive(Clone, Debug, Default, Queryable)]
struct Lock {
    allowed: Option<Vec<Uuid>>,
    barred: Option<Vec<Uuid>>,
}

impl Lock {
    fn keeps_out(&self, worker: Uuid) -> bool {
        self.allowed.as_ref().is_some_and(|allowed| !allowed.contains(&worker))
            || self.barred.as_ref().is_some_and(|barred| barred.contains(&worker))
    }
}

/// Worker, from, to.
type Period = (Uuid, DateTime<Utc>, Option<DateTime<Utc>>);

/// What decides about a page of events.
#[derive(Default)]
struct Facts {
    /// Of each event: holder and kind.
    audience: HashMap<Uuid, Vec<(Uuid, String)>>,
    /// Of each event: the children whom it is about and somebody sees whole.
    subjects: HashMap<Uuid, HashSet<Uuid>>,
    /// Of each child: units, areas and workers in whole sight, and what locks their sight.
    sight: HashMap<Uuid, Vec<(Uuid, Lock)>>,
    /// Of each event: who sees a child whom it is about in person and in part, and whom it concerns for that part: who gives
    /// parenting support, or was asked.
    partly: HashMap<Uuid, Vec<(Uuid, Lock)>>,
    /// Of each event: the locks of the children whom it is about.
    locks: HashMap<Uuid, Vec<Lock>>,
    /// Of each unit: everybody who is a member now, with every period in which they were one.
    members: HashMap<Uuid, Vec<Period>>,
    /// Of each post that an event is for: who has it now, with every period in which they had it.
    posts: HashMap<Uuid, Vec<Period>>,
    /// Of each area: its manager.
    managers: HashMap<Uuid, Uuid>,
    /// Named workers who work here.
    active: HashSet<Uuid>,
}

/// The recipients of each of these events, sorted. Reads the same few statements however many events there are.
pub(in crate::db) async fn of(
    conn: &AsyncPgConnection,
    events: &[EventRow],
    at: DateTime<Utc>,
) -> Result<Vec<Vec<Recipient>>> {
    let facts = read(conn, events, at).await?;
    let mut found: Vec<Vec<Recipient>> =
        events.iter().map(|event| facts.recipients(event.event_id, event.recorded_at)).collect();
    drop(facts);
    let (ids, workers): (Vec<Uuid>, Vec<Uuid>) = events
        .iter()
        .zip(&found)
        .flat_map(|(event, recipients)| {
            let mut workers: Vec<Uuid> = recipients.iter().map(|(_, worker)| *worker).collect();
            workers.sort_unstable();
            workers.dedup();
            workers.into_iter().map(|worker| (event.event_id, worker))
        })
        .unzip();
    let told = may_be_told(conn, &ids, &workers, at).await?;
    for (event, recipients) in events.iter().zip(&mut found) {
        let before = recipients.len();
        recipients.retain(|(_, worker)| told.contains(&(event.event_id, *worker)));
        if recipients.len() < before {
            let withheld = before - recipients.len();
            tracing::error!(event_id = %event.event_id, withheld, "the two walls around an event disagree: it is withheld");
        }
    }
    Ok(found)
}

/// The pairs of an event and a worker in which the database lets the worker be told of the event.
async fn may_be_told(
    conn: &AsyncPgConnection,
    events: &[Uuid],
    workers: &[Uuid],
    at: DateTime<Utc>,
) -> Result<HashSet<(Uuid, Uuid)>> {
    #[derive(QueryableByName)]
    struct Told {
        #[diesel(sql_type = BigInt)]
        place: i64,
    }
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let mut conn = conn;
    let query = diesel::sql_query("select place from hearth.may_be_told($1, $2, $3) as place")
        .bind::<Array<UuidSql>, _>(events)
        .bind::<Array<UuidSql>, _>(workers)
        .bind::<Timestamptz, _>(at);
    let told: Vec<Told> = Kept(query).load(&mut conn).await.map_err(failed)?;
    let pair = |told: Told| {
        let place = usize::try_from(told.place - 1).ok()?;
        Some((*events.get(place)?, *workers.get(place)?))
    };
    Ok(told.into_iter().filter_map(pair).collect())
}

async fn read(conn: &AsyncPgConnection, events: &[EventRow], at: DateTime<Utc>) -> Result<Facts> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.event_id).collect();
    let audience = outbox_audience::table.filter(outbox_audience::event_id.eq_any(&ids)).select((
        outbox_audience::event_id,
        outbox_audience::holder_id,
        outbox_audience::kind,
    ));
    let subjects = outbox_subjects::table
        .inner_join(sight::table.on(sight::subject_id.eq(outbox_subjects::child_id)))
        .filter(outbox_subjects::event_id.eq_any(&ids))
        .filter(sight::until.is_null().or(sight::until.gt(at)))
        .select((
            outbox_subjects::event_id,
            outbox_subjects::child_id,
            sight::holder_id,
            (sight::whole, sight::plans),
            (sight::allowed, sight::barred),
        ));
    let locks = outbox_subjects::table
        .inner_join(person_locks::table.on(person_locks::person_id.eq(outbox_subjects::child_id)))
        .filter(outbox_subjects::event_id.eq_any(&ids))
        .select((outbox_subjects::event_id, (person_locks::allowed, person_locks::barred)));
    // What belongs to one level is on its way together.
    let (mut first, mut second, mut third) = (conn, conn, conn);
    let (audience, subjects, locks) = futures_util::join!(
        audience.load::<(Uuid, Uuid, String)>(&mut first),
        subjects.load::<(Uuid, Uuid, Uuid, (bool, bool), Lock)>(&mut second),
        locks.load::<(Uuid, Lock)>(&mut third)
    );
    let mut facts = Facts::default();
    let mut holders: HashSet<Uuid> = HashSet::new();
    for (event, holder, kind) in audience.map_err(failed)? {
        holders.insert(holder);
        facts.audience.entry(event).or_default().push((holder, kind));
    }
    let types: HashMap<Uuid, EventType> =
        events.iter().filter_map(|event| Some((event.event_id, EventType::parse(&event.type_)?))).collect();
    for (event, child, holder, (whole, plans), lock) in subjects.map_err(failed)? {
        if !whole {
            if types.get(&event).is_none_or(|of| !of.concerns_part(plans)) {
                continue;
            }
            facts.partly.entry(event).or_default().push((holder, lock));
            continue;
        }
        holders.insert(holder);
        facts.subjects.entry(event).or_default().insert(child);
        facts.sight.entry(child).or_default().push((holder, lock));
    }
    for (event, lock) in locks.map_err(failed)? {
        facts.locks.entry(event).or_default().push(lock);
    }

    if [Post::Queue, Post::FrontDoor].iter().any(|post| holders.contains(&post.topic())) {
        facts.posts = Box::pin(in_post(conn, at)).await?;
    }
    let holders: Vec<Uuid> = holders.into_iter().collect();
    let (now, then) = diesel::alias!(unit_memberships as now, unit_memberships as then);
    let members = now
        .inner_join(
            then.on(then
                .field(unit_memberships::unit_id)
                .eq(now.field(unit_memberships::unit_id))
                .and(then.field(unit_memberships::worker_id).eq(now.field(unit_memberships::worker_id)))),
        )
        .inner_join(workers::table.on(workers::id.eq(now.field(unit_memberships::worker_id))))
        .filter(workers::active)
        .filter(now.field(unit_memberships::unit_id).eq_any(&holders))
        .filter(now.field(unit_memberships::started_at).le(at))
        // One that somebody ended is over, whatever this process's clock says to the other's.
        .filter(
            now.field(unit_memberships::ended_at).is_null().or(now
                .field(unit_memberships::ended_at)
                .gt(at)
                .and(now.field(unit_memberships::reason_end).is_null())),
        )
        .select((
            now.field(unit_memberships::unit_id),
            now.field(unit_memberships::worker_id),
            then.field(unit_memberships::started_at),
            then.field(unit_memberships::ended_at),
        ));
    let managers = areas::table
        .inner_join(workers::table)
        .filter(workers::active)
        .filter(areas::id.eq_any(&holders))
        .select((areas::id, workers::id));
    let active = workers::table.filter(workers::active).filter(workers::id.eq_any(&holders)).select(workers::id);
    let (mut first, mut second, mut third) = (conn, conn, conn);
    let (members, managers, active) = futures_util::join!(
        members.load::<(Uuid, Uuid, DateTime<Utc>, Option<DateTime<Utc>>)>(&mut first),
        managers.load::<(Uuid, Uuid)>(&mut second),
        active.load::<Uuid>(&mut third)
    );
    for (unit, worker, from, to) in members.map_err(failed)? {
        facts.members.entry(unit).or_default().push((worker, from, to));
    }
    facts.managers = managers.map_err(failed)?.into_iter().collect();
    facts.active = active.map_err(failed)?.into_iter().collect();
    Ok(facts)
}

/// Who has each post: first response has both, the queue's too who manages an area, the front door's too who manages one
/// whose units take in what comes.
async fn in_post(conn: &AsyncPgConnection, at: DateTime<Utc>) -> Result<HashMap<Uuid, Vec<Period>>> {
    let (now, then) = diesel::alias!(worker_posts as now, worker_posts as then);
    let first_response = now
        .inner_join(then.on(then.field(worker_posts::worker_id).eq(now.field(worker_posts::worker_id))))
        .inner_join(workers::table.on(workers::id.eq(now.field(worker_posts::worker_id))))
        .filter(workers::active)
        .filter(now.field(worker_posts::post).eq("FIRST_RESPONSE"))
        .filter(then.field(worker_posts::post).eq("FIRST_RESPONSE"))
        .filter(now.field(worker_posts::started_at).le(at))
        .filter(now.field(worker_posts::ended_at).is_null().or(now.field(worker_posts::ended_at).gt(at)))
        .select((
            now.field(worker_posts::worker_id),
            then.field(worker_posts::started_at),
            then.field(worker_posts::ended_at),
        ));
    let takes_in = units::table
        .select(units::id)
        .filter(units::area_id.eq(areas::id))
        .filter(units::service.eq_any(["FIRST_RESPONSE", "ACCESS_ASSESSMENT"]));
    let managers = areas::table
        .inner_join(workers::table)
        .filter(workers::active)
        .select((workers::id, diesel::dsl::exists(takes_in)));
    let (mut first, mut second) = (conn, conn);
    let (first_response, managers) =
        futures_util::join!(first_response.load::<Period>(&mut first), managers.load::<(Uuid, bool)>(&mut second));
    let mut posts: HashMap<Uuid, Vec<Period>> = HashMap::new();
    for period in first_response.map_err(failed)? {
        posts.entry(Post::Queue.topic()).or_default().push(period);
        posts.entry(Post::FrontDoor.topic()).or_default().push(period);
    }
    for (worker, takes_in) in managers.map_err(failed)? {
        let always = (worker, DateTime::<Utc>::MIN_UTC, None);
        posts.entry(Post::Queue.topic()).or_default().push(always);
        if takes_in {
            posts.entry(Post::FrontDoor.topic()).or_default().push(always);
        }
    }
    Ok(posts)
}

impl Facts {
    fn recipients(&self, event: Uuid, recorded_at: DateTime<Utc>) -> Vec<Recipient> {
        let mut found = Vec::new();
        let (mut receive, mut named, mut former) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (holder, kind) in self.audience.get(&event).into_iter().flatten() {
            match kind.as_str() {
                kind @ ("UNIT" | "POST") => {
                    let then = |(_, from, to): &&Period| *from <= recorded_at && to.is_none_or(|to| to > recorded_at);
                    let of = if kind == "UNIT" { &self.members } else { &self.posts };
                    for (worker, ..) in of.get(holder).into_iter().flatten().filter(then) {
                        found.push((*holder, *worker));
                        receive.insert(*worker);
                    }
                }
                // A stream of their own comes later; what they receive is in the children's.
                "AREA" => receive.extend(self.managers.get(holder)),
                "WORKER" if self.active.contains(holder) => {
                    named.insert(*holder);
                }
                "LEAVING" if self.active.contains(holder) => {
                    found.push((*holder, *holder));
                    named.insert(*holder);
                }
                "ALONE" if self.active.contains(holder) => found.push((*holder, *holder)),
                "FORMER" if self.active.contains(holder) => {
                    former.insert(*holder);
                }
                _ => {}
            }
        }
        let children = self.subjects.get(&event);
        for child in children.into_iter().flatten() {
            let all = receive.iter().chain(&named).chain(&former);
            found.extend(all.filter(|worker| self.sees(**worker, *child)).map(|one| (*child, *one)));
        }
        let in_sight = |worker: &Uuid| {
            let personally = |(holder, lock): &(Uuid, Lock)| holder == worker && !lock.keeps_out(*worker);
            children
                .into_iter()
                .flatten()
                .any(|child| self.sight.get(child).is_some_and(|by| by.iter().any(personally)))
                || self.partly.get(&event).is_some_and(|by| by.iter().any(personally))
        };
        found.extend(named.iter().filter(|one| receive.contains(one) || in_sight(one)).map(|one| (*one, *one)));
        if let Some(locks) = self.locks.get(&event) {
            let sees_one = |worker| children.into_iter().flatten().any(|child| self.sees(worker, *child));
            found.retain(|(_, worker)| !locks.iter().any(|lock| lock.keeps_out(*worker)) || sees_one(*worker));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a worker sees a child whole now: in person, with a unit, as manager of an area.
    fn sees(&self, worker: Uuid, child: Uuid) -> bool {
        self.sight.get(&child).into_iter().flatten().any(|(holder, lock)| {
            let holds = *holder == worker
                || self.managers.get(holder) == Some(&worker)
                || self.members.get(holder).into_iter().flatten().any(|(member, ..)| *member == worker);
            holds && !lock.keeps_out(worker)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::Duration::hours(hour)
    }

    /// Sight of these holders that nothing locks.
    fn open<const N: usize>(holders: [Uuid; N]) -> Vec<(Uuid, Lock)> {
        holders.map(|holder| (holder, Lock::default())).to_vec()
    }

    /// An event at hour 10 for a unit, an area and a named worker, about a child whom another unit sees.
    struct Scene {
        facts: Facts,
        event: Uuid,
        unit: Uuid,
        area: Uuid,
        child: Uuid,
        named: Uuid,
    }

    fn scene() -> Scene {
        let [event, unit, area, child, named] = std::array::from_fn(|_| Uuid::now_v7());
        let mut facts = Facts::default();
        let audience = [(unit, "UNIT"), (area, "AREA"), (named, "WORKER")];
        facts.audience.insert(event, audience.map(|(holder, kind)| (holder, kind.to_owned())).to_vec());
        facts.subjects.insert(event, HashSet::from([child]));
        facts.active.insert(named);
        Scene { facts, event, unit, area, child, named }
    }

    impl Scene {
        fn recipients(&self) -> Vec<Recipient> {
            self.facts.recipients(self.event, at(10))
        }
    }

    #[test]
    fn a_unit_hears_through_who_was_a_member_then_and_is_one_now() {
        let mut scene = scene();
        let [old, new, gone_and_back] = std::array::from_fn(|_| Uuid::now_v7());
        // Only who is a member now is here at all, with every period.
        let periods = vec![
            (old, at(1), None),
            (new, at(11), None),
            (gone_and_back, at(1), Some(at(9))),
            (gone_and_back, at(12), None),
        ];
        scene.facts.members.insert(scene.unit, periods);
        assert_eq!(scene.recipients(), [(scene.unit, old)]);
    }

    #[test]
    fn who_is_named_hears_only_while_something_ties_them_to_it() {
        let mut scene = scene();
        assert_eq!(scene.recipients(), []);
        scene.facts.members.insert(scene.unit, vec![(scene.named, at(11), None)]);
        assert_eq!(scene.recipients(), [], "a member since later");
        scene.facts.managers.insert(scene.area, scene.named);
        assert_eq!(scene.recipients(), [(scene.named, scene.named)], "the area's manager");
        scene.facts.managers.clear();
        scene.facts.sight.insert(scene.child, open([scene.named]));
        let mut both = vec![(scene.named, scene.named), (scene.child, scene.named)];
        both.sort_unstable();
        assert_eq!(scene.recipients(), both, "personally in sight, as a chair");
        scene.facts.active.clear();
        assert_eq!(scene.recipients(), [], "works here no longer");
    }

    #[test]
    fn who_is_leaving_hears_of_it_in_their_own_stream_only() {
        let mut scene = scene();
        scene.facts.audience.insert(scene.event, vec![(scene.unit, "UNIT".into()), (scene.named, "LEAVING".into())]);
        assert_eq!(scene.recipients(), [(scene.named, scene.named)], "not in the unit's, nor in the child's");
        scene.facts.active.clear();
        assert_eq!(scene.recipients(), [], "works here no longer");
    }

    #[test]
    fn what_is_for_a_worker_alone_and_what_others_are_told_of_it_are_one_event_in_each_stream() {
        let mut scene = scene();
        scene.facts.sight.insert(scene.child, open([scene.named]));
        scene.facts.audience.insert(scene.event, vec![(scene.unit, "UNIT".into()), (scene.named, "FORMER".into())]);
        assert_eq!(scene.recipients(), [(scene.child, scene.named)], "they still see the child");
        scene.facts.audience.insert(scene.event, vec![(scene.named, "ALONE".into())]);
        assert_eq!(scene.recipients(), [(scene.named, scene.named)]);
        scene.facts.sight.clear();
        assert_eq!(scene.recipients(), [(scene.named, scene.named)], "whatever they see");
        scene.facts.audience.insert(scene.event, vec![(scene.unit, "UNIT".into()), (scene.named, "FORMER".into())]);
        assert_eq!(scene.recipients(), []);
        scene.facts.active.clear();
        scene.facts.audience.insert(scene.event, vec![(scene.named, "ALONE".into())]);
        assert_eq!(scene.recipients(), [], "works here no longer");
    }

    #[test]
    fn a_post_hears_through_who_had_it_then_and_has_it_now() {
        let mut scene = scene();
        let [old, new] = std::array::from_fn(|_| Uuid::now_v7());
        let post = Post::FrontDoor.topic();
        scene.facts.audience.insert(scene.event, vec![(post, "POST".into())]);
        scene.facts.posts.insert(post, vec![(old, at(1), None), (new, at(11), None)]);
        assert_eq!(scene.recipients(), [(post, old)], "and not in the child's stream: a post sees no child whole");
    }

    #[test]
    fn a_childs_stream_needs_both_the_audience_and_whole_sight_now() {
        let mut scene = scene();
        let [member, manager, other_unit, other] = std::array::from_fn(|_| Uuid::now_v7());
        scene.facts.members.insert(scene.unit, vec![(member, at(1), None)]);
        scene.facts.members.insert(other_unit, vec![(other, at(1), None)]);
        scene.facts.managers.insert(scene.area, manager);
        scene.facts.sight.insert(scene.child, open([other_unit]));
        // The other unit sees the child and heard nothing of the event; the unit heard of it and sees the child no more.
        assert_eq!(scene.recipients(), [(scene.unit, member)]);
        scene.facts.sight.insert(scene.child, open([scene.unit, scene.area, other_unit]));
        let mut all = vec![(scene.unit, member), (scene.child, member), (scene.child, manager)];
        all.sort_unstable();
        assert_eq!(scene.recipients(), all);
    }

    #[test]
    fn who_is_not_on_a_restrictions_list_or_is_denied_by_name_hears_nothing() {
        let mut scene = scene();
        let [listed, unlisted, relative] = std::array::from_fn(|_| Uuid::now_v7());
        let periods = [listed, unlisted, relative].map(|member| (member, at(1), None)).to_vec();
        scene.facts.members.insert(scene.unit, periods);
        scene.facts.managers.insert(scene.area, unlisted);
        let lock = Lock { allowed: Some(vec![listed, relative]), barred: Some(vec![relative]) };
        scene.facts.locks.insert(scene.event, vec![lock.clone()]);
        scene.facts.sight.insert(scene.child, vec![(scene.unit, lock.clone()), (scene.named, lock)]);
        let mut all = vec![(scene.unit, listed), (scene.child, listed)];
        all.sort_unstable();
        assert_eq!(scene.recipients(), all, "not by membership, as manager or by name");
    }

    #[test]
    fn who_sees_another_child_of_the_event_hears_of_it_all_the_same() {
        let mut scene = scene();
        let (member, sibling) = (Uuid::now_v7(), Uuid::now_v7());
        scene.facts.members.insert(scene.unit, vec![(member, at(1), None)]);
        let lock = Lock { allowed: Some(vec![]), barred: None };
        scene.facts.locks.insert(scene.event, vec![lock.clone()]);
        scene.facts.sight.insert(scene.child, vec![(scene.unit, lock)]);
        scene.facts.subjects.insert(scene.event, HashSet::from([scene.child, sibling]));
        assert_eq!(scene.recipients(), []);
        scene.facts.sight.insert(sibling, open([scene.unit]));
        let mut all = vec![(scene.unit, member), (sibling, member)];
        all.sort_unstable();
        assert_eq!(scene.recipients(), all);
    }
}
