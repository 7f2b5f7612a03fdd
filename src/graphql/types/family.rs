use async_graphql::{Context, ID, Object};

use super::{Child, Person, child};
use crate::{
    db::{
        children, families,
        families::{FamilyGroupRow, FamilyMemberRow, RelationshipRow},
    },
    domain::{codes::ParentalResponsibility, ids::FamilyGroupId},
    graphql::{
        batch::{Instant, Item},
        error::{Answer, Nullable, nullable},
        scalars::{Date, global},
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
        &self.0.name
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
        let load = |snapshot: Instant, ids: Vec<_>| async move { families::children_of(&snapshot, &ids).await };
        let ids: Vec<Item<uuid::Uuid>> = self.0.many("children", String::new(), |family| family.id, load).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            let load =
                move |snapshot: Instant, ids: Vec<_>| async move { children::by_ids(&snapshot, &ids, read).await };
            let child =
                id.one("child", format!("{read:?}"), |id| Some(*id), |child: &children::PersonRow| child.core.id, load);
            found.extend(child.await?.map(Child));
        }
        Ok(found)
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
