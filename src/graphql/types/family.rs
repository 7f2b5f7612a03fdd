use async_graphql::{Context, ID, Object};

use super::{Child, Conference, Person, child, chronology, chronology::ChronologyEntry};
use crate::{
    db::{
        access, children,
        chronology::{Of, Wanted},
        conferences,
        conferences::ConferenceRow,
        families,
        families::{FamilyGroupRow, FamilyMemberRow, RelationshipRow, SiblingRow},
    },
    domain::{
        codes::{ChronologyKind, ParentalResponsibility, SiblingLink},
        ids::{ChildId, FamilyGroupId},
    },
    error::{Error, Result},
    graphql::{
        batch::{Instant, Item},
        connection::{Connection, Listing},
        error::{Answer, Nullable, nullable},
        scalars::{Date, global, local},
        selection,
    },
};

record! {
    /// A family group.
    FamilyGroup(FamilyGroupRow)
}

/// A family group. A case belongs to exactly one child; the family shows them together.
#[Object]
impl FamilyGroup {
    /// Global id.
    pub async fn id(&self) -> ID {
        global(FamilyGroupId::KIND, self.0.id)
    }

    /// Name of the family.
    async fn name(&self) -> &str {
        self.0.name.read()
    }

    /// Steps with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Everybody in the family whom you may see.
    async fn members(&self) -> Answer<Vec<FamilyMember>> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { families::members_of(&snapshot, &ids).await };
        let found = self.0.many("members", String::new(), |family| family.id, load).await?;
        Ok(found.into_iter().map(FamilyMember).collect())
    }

    /// The family's children whom you may see.
    async fn children(&self, ctx: &Context<'_>) -> Answer<Vec<Child>> {
        let read = selection::of(ctx, selection::PERSON);
        let load =
            move |snapshot: Instant, ids: Vec<_>| async move { children::of_families(&snapshot, &ids, read).await };
        let found = self.0.many("children", format!("{read:?}"), |family| family.id, load).await?;
        Ok(found.into_iter().map(Child).collect())
    }

    /// How many members of the family have a restricted record, whether or not you may see them.
    async fn restricted_count(&self) -> Nullable<i64> {
        let load =
            |snapshot: Instant, ids: Vec<_>| async move { access::restricted_of_families(&snapshot, &ids).await };
        let found = self.0.first("restrictedCount", String::new(), |family| family.id, load).await;
        nullable(found.map(|count| count.and_then(|count| *count)))
    }

    /// What the members whom you may see are to each other, in both directions, those that are over included.
    async fn relationships(&self) -> Answer<Vec<Relationship>> {
        let load =
            |snapshot: Instant, ids: Vec<_>| async move { families::relationships_within(&snapshot, &ids).await };
        let found = self.0.many("relationships", String::new(), |family| family.id, load).await?;
        Ok(found.into_iter().map(Relationship).collect())
    }

    /// What happened to the children who are or were in the family, as far as you may see them, newest first: cases,
    /// allocations, transfers, lead practitioners, conferences, plans; and who came to the family and left it.
    async fn chronology(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only entries of these kinds. An empty list is like none.")] kinds: Option<
            Vec<ChronologyKind>,
        >,
        #[graphql(desc = "Only about these children: at most 100 global ids. An empty list is like none.")]
        children: Option<Vec<ID>>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<ChronologyEntry>> {
        let children = match children.map(|ids| some_children(&ids)).transpose() {
            Ok(children) => children,
            Err(error) => return Some(Err(error.into())),
        };
        let list = Listing::new(ctx, &self.0, |family| family.id, "FamilyGroup.chronology", first, after);
        chronology::page(list, Of::Families, Wanted { kinds, children }).await
    }

    /// Conferences about the family, as far as you may see them, latest request first.
    async fn conferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Conference>> {
        let list = Listing::new(ctx, &self.0, |family| family.id, "FamilyGroup.conferences", first, after);
        list.page(
            |row: &ConferenceRow| (row.requested_at, row.id),
            move |snapshot, ids, page| async move { conferences::of_families(&snapshot, &ids, &page).await },
            move |snapshot, ids| async move { conferences::count_of_families(&snapshot, &ids).await },
        )
        .await
    }
}

record! {
    /// Somebody's membership of a family group.
    FamilyMember(FamilyMemberRow)
}

/// Somebody's membership of a family group.
#[Object]
impl FamilyMember {
    /// First day.
    async fn from(&self) -> Date {
        Date(self.0.from_on)
    }

    /// Last day, if it is over.
    async fn to(&self) -> Option<Date> {
        self.0.to_on.map(Date)
    }

    /// The person.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |member| Some(member.person_id), read).await)
    }

    /// The family.
    async fn family(&self) -> Nullable<FamilyGroup> {
        let load = |snapshot: Instant, ids: Vec<_>| async move { families::by_ids(&snapshot, &ids).await };
        let family = self.0.one(
            "family",
            String::new(),
            |member| Some(member.family_id),
            |family: &FamilyGroupRow| family.id,
            load,
        );
        nullable(family.await.map(|family| family.map(FamilyGroup)))
    }
}

record! {
    /// What one person is to another.
    Relationship(RelationshipRow)
}

/// What one person is to another. The inverse is recorded too.
#[Object]
impl Relationship {
    /// What the person is to the other: parent, sibling, grandparent, ...
    async fn r#type(&self) -> &str {
        &self.0.type_
    }

    /// Whether the person has parental responsibility for the other.
    async fn parental_responsibility(&self) -> ParentalResponsibility {
        self.0.parental_responsibility.0
    }

    /// Whether the person is the other's main carer.
    async fn main_carer(&self) -> bool {
        self.0.main_carer
    }

    /// First day.
    async fn from(&self) -> Date {
        Date(self.0.from_on)
    }

    /// Last day, if it is over.
    async fn to(&self) -> Option<Date> {
        self.0.to_on.map(Date)
    }

    /// The person.
    async fn person(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "person", |one| Some(one.person_id), read).await)
    }

    /// The other.
    async fn other(&self, ctx: &Context<'_>) -> Nullable<Person> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_person(&self.0, "other", |one| Some(one.other_id), read).await)
    }
}

/// The most children that a chronology may be narrowed to.
const MAX_CHILDREN: usize = 100;

fn some_children(ids: &[ID]) -> Result<Vec<uuid::Uuid>> {
    if ids.len() > MAX_CHILDREN {
        return Err(Error::bad_input("children", format!("must not have more than {MAX_CHILDREN} ids")));
    }
    ids.iter().map(|id| local("children", ChildId::KIND, id)).collect()
}

record! {
    /// A child's brother or sister.
    Sibling(SiblingRow)
}

/// A child's brother or sister: somebody in the same family group now, or recorded as a sibling of any kind.
#[Object]
impl Sibling {
    /// How the two are siblings; often in more than one way.
    async fn how(&self) -> Vec<SiblingLink> {
        self.0.how.iter().map(|link| link.0).collect()
    }

    /// The brother or sister.
    async fn child(&self, ctx: &Context<'_>) -> Nullable<Child> {
        let read = selection::of(ctx, selection::PERSON);
        nullable(child::one_child(&self.0, "child", |sibling| Some(sibling.child_id), read).await)
    }
}

/// The family group with this id, from any row.
pub(in crate::graphql) async fn one<R: Send + Sync + 'static>(
    from: &Item<R>,
    relation: &'static str,
    foreign: fn(&R) -> Option<uuid::Uuid>,
) -> Result<Option<FamilyGroup>> {
    let load = |snapshot: Instant, ids: Vec<_>| async move { families::by_ids(&snapshot, &ids).await };
    let found = from.one(relation, String::new(), foreign, |family: &FamilyGroupRow| family.id, load).await?;
    Ok(found.map(FamilyGroup))
}
