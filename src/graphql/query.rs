//! The query root.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use uuid::Uuid;

use super::{
    audited::Audited,
    batch::{Item, generation},
    connection::{Connection, List},
    context::HearthContext,
    error::{Answer, Nullable, nullable},
    scalars::{Date, local, split},
    selection,
    types::{
        AccessRestriction, AuditEntry, Case, Child, Conference, Contact, Node, Plan, Transfer, Unit, Worker, node,
        viewer::ViewerType,
    },
};
use crate::{
    db::{access, audit, cases, children, conferences, contacts, plans, statistics, transfers, units, workers},
    domain::{
        codes::{CaseStatus, CountBy, PlanKind, Service},
        ids::{CaseId, ChildId, ConferenceId, ContactId, PlanId, TransferId, UnitId, WorkerId},
        statistics::suppressed,
        text::{TextFault, clean},
    },
    error::{Error, Result},
};

/// The most ids that `nodes` takes.
const MAX_NODES: usize = 100;

/// How many there are of a kind.
#[derive(SimpleObject)]
pub struct Count {
    /// The kind: a code of what was counted by.
    key: String,
    /// How many; null when there are so few that somebody could be told by it.
    count: Option<i64>,
}

/// Everything that can be read. All of a request shows one instant. What you may not see is not there: a hidden
/// record answers like one that does not exist.
pub struct Query;

fn single<R: Audited>(snapshot: Arc<crate::db::Snapshot>, rows: Vec<R>) -> Option<Item<R>> {
    generation(snapshot, rows).into_iter().next()
}

/// Everything that can be read. All of a request shows one instant. What you may not see is not there: a hidden
/// record answers like one that does not exist.
#[Object]
impl Query {
    /// You.
    async fn viewer(&self, ctx: &Context<'_>) -> Answer<ViewerType> {
        let snapshot = ctx.snapshot()?;
        let me = snapshot.viewer().worker_id.0;
        let rows = workers::by_ids(&snapshot, &[me]).await?;
        Ok(single(snapshot, rows).map(ViewerType).ok_or(Error::Unauthenticated)?)
    }

    /// Any record by its global id.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Global id.")] id: ID) -> Nullable<Node> {
        nullable(
            async {
                let (kind, uuid) = known(&id)?;
                let found = node::load(ctx, &ctx.snapshot()?, kind, &[uuid]).await?;
                Ok(found.into_iter().next().map(|(_, node)| node))
            }
            .await,
        )
    }

    /// Records by their global ids, in the same order; null where there is none.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100 global ids.")] ids: Vec<ID>,
    ) -> Answer<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::bad_input("ids", format!("must not have more than {MAX_NODES} ids")).into());
        }
        let wanted: Vec<(&str, Uuid)> = ids.iter().map(known).collect::<Result<_>>()?;
        let mut of_kind: HashMap<&str, Vec<Uuid>> = HashMap::new();
        for (kind, id) in &wanted {
            of_kind.entry(kind).or_default().push(*id);
        }
        let snapshot = ctx.snapshot()?;
        let mut found: HashMap<(&str, Uuid), Node> = HashMap::new();
        for (kind, ids) in of_kind {
            for (id, node) in node::load(ctx, &snapshot, kind, &ids).await? {
                found.insert((kind, id), node);
            }
        }
        Ok(wanted.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// A unit.
    async fn unit(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a unit.")] id: ID) -> Nullable<Unit> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", UnitId::KIND, &id)?);
                let rows = units::by_ids(&snapshot, &[id]).await?;
                Ok(single(snapshot, rows).map(Unit))
            }
            .await,
        )
    }

    /// All units by name.
    async fn units(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Unit>> {
        nullable(
            async {
                let list = List::root("units");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = ctx.snapshot()?;
                let rows = units::page(&snapshot, &page).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { units::count(&snapshot).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.name.clone(), row.id), count).map(Some)
            }
            .await,
        )
    }

    /// A child.
    async fn child(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a child.")] id: ID) -> Nullable<Child> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", ChildId::KIND, &id)?);
                let rows = children::by_ids(&snapshot, &[id], selection::of(ctx, selection::PERSON)).await?;
                Ok(single(snapshot, rows).map(Child))
            }
            .await,
        )
    }

    /// The children whom you may see, by last name.
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Words of the child's names, in any order: the beginning of a name, or a whole name in another \
                    spelling or as it is said for short. Accents, apostrophes and hyphens do not matter. Every word must \
                    match. At most 100 characters and 10 words."
        )]
        search: Option<String>,
        #[graphql(desc = "Only those to whom all of it applies.")] filter: Option<ChildFilter>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Child>> {
        nullable(
            async {
                let list = List::root("children");
                let page = list.page(ctx, first, after.as_deref())?;
                let mut wanted = filter.map(ChildFilter::wanted).transpose()?.unwrap_or_default();
                let search = search.as_deref().map(searchable).transpose()?;
                let snapshot = ctx.snapshot()?;
                if let Some(search) = search {
                    wanted.words = children::search_words(&snapshot, search).await?;
                    if wanted.words.is_empty() {
                        return Err(no_word());
                    }
                    if wanted.words.len() > MAX_WORDS {
                        return Err(Error::bad_input("search", format!("must not have more than {MAX_WORDS} words")));
                    }
                }
                let read = selection::of_nodes(ctx, selection::PERSON);
                let reach = children::reach(&snapshot, &wanted).await?;
                let counted = ctx.look_ahead().field("totalCount").exists();
                let found = children::page(&snapshot, reach, &wanted, &page, counted, read).await?;
                let rows = generation(Arc::clone(&snapshot), found.rows);
                let count = move || {
                    let (snapshot, wanted) = (Arc::clone(&snapshot), wanted.clone());
                    Box::pin(async move {
                        match found.total {
                            Some(total) => Ok(total),
                            None => children::count(&snapshot, reach, &wanted).await,
                        }
                    }) as _
                };
                Connection::new(
                    &list,
                    &page,
                    rows,
                    |row| (row.core.sort_name.as_ref().map(|name| name.read().to_owned()), row.core.id),
                    count,
                )
                .map(Some)
            }
            .await,
        )
    }

    /// A case.
    async fn case(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a case.")] id: ID) -> Nullable<Case> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", CaseId::KIND, &id)?);
                let rows = cases::by_ids(&snapshot, &[id], selection::of(ctx, selection::CASE)).await?;
                Ok(single(snapshot, rows).map(Case))
            }
            .await,
        )
    }

    /// Open cases that no unit holds, as far as you may see them, newest first: the queue of first response.
    async fn unallocated_cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Case>> {
        nullable(
            async {
                let list = List::root("unallocatedCases");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = ctx.snapshot()?;
                let rows = cases::queue(&snapshot, &page, selection::of_nodes(ctx, selection::CASE)).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { cases::count_queue(&snapshot).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.core.opened_on, row.core.id), count).map(Some)
            }
            .await,
        )
    }

    /// A contact.
    async fn contact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a contact.")] id: ID,
    ) -> Nullable<Contact> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", ContactId::KIND, &id)?);
                let rows = contacts::by_ids(&snapshot, &[id], selection::of(ctx, selection::CONTACT)).await?;
                Ok(single(snapshot, rows).map(Contact))
            }
            .await,
        )
    }

    /// The contacts that you may see, latest first.
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that nobody has decided yet: the work of the front door.", default)] open: bool,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<Contact>> {
        nullable(
            async {
                let list = List::root("contacts");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = ctx.snapshot()?;
                let rows = contacts::page(&snapshot, open, &page, selection::of_nodes(ctx, selection::CONTACT)).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { contacts::count(&snapshot, open).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.core.received_at, row.core.id), count).map(Some)
            }
            .await,
        )
    }

    /// A transfer.
    async fn transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a transfer.")] id: ID,
    ) -> Nullable<Transfer> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", TransferId::KIND, &id)?);
                let rows = transfers::by_ids(&snapshot, &[id], selection::of(ctx, selection::TRANSFER)).await?;
                Ok(single(snapshot, rows).map(Transfer))
            }
            .await,
        )
    }

    /// A child protection conference.
    async fn conference(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a conference.")] id: ID,
    ) -> Nullable<Conference> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", ConferenceId::KIND, &id)?);
                let rows = conferences::by_ids(&snapshot, &[id]).await?;
                Ok(single(snapshot, rows).map(Conference))
            }
            .await,
        )
    }

    /// A plan.
    async fn plan(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a plan.")] id: ID) -> Nullable<Plan> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", PlanId::KIND, &id)?);
                let rows = plans::by_ids(&snapshot, &[id], selection::of(ctx, selection::PLAN)).await?;
                Ok(single(snapshot, rows).map(Plan))
            }
            .await,
        )
    }

    /// Entries of the audit that you may read, newest first: your own; for auditors and the head of service all.
    async fn audit_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of a worker: only what they did.")] worker_id: Option<ID>,
        #[graphql(desc = "Global id of a record: only entries that name it.")] record_id: Option<ID>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<AuditEntry>> {
        nullable(
            async {
                let list = List::root("auditEntries");
                let page = list.page(ctx, first, after.as_deref())?;
                let wanted = audit::Wanted {
                    worker_id: worker_id.map(|id| local("workerId", WorkerId::KIND, &id)).transpose()?,
                    record_id: record_id.as_ref().map(known).transpose()?.map(|(_, id)| id),
                };
                let snapshot = ctx.snapshot()?;
                let rows = audit::page(&snapshot, wanted, &page).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { audit::count(&snapshot, wanted).await }) as _
                };
                Connection::new(&list, &page, rows, |row| row.id, count).map(Some)
            }
            .await,
        )
    }

    /// How many open cases there are of each kind, for data analysts, service managers and the head of service. Restricted ones
    /// count too. Numbers from one to four are withheld, others come rounded to the nearest five: do not add them up. Where one
    /// that is withheld could be reckoned from the others, the smallest of those is withheld too.
    async fn open_case_counts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is counted apart.")] by: CountBy,
    ) -> Nullable<Vec<Count>> {
        nullable(
            async {
                let counted = statistics::open_cases(&*ctx.snapshot()?, by).await?;
                let (keys, counts): (Vec<String>, Vec<i64>) = counted.into_iter().unzip();
                let shown = suppressed(&counts);
                Ok(Some(keys.into_iter().zip(shown).map(|(key, count)| Count { key, count }).collect()))
            }
            .await,
        )
    }

    /// Running restrictions of records that you may read, newest first: those on whose list you are, and for the head of
    /// service all.
    async fn access_restrictions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100, 25 when left out.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the node before the page.")] after: Option<String>,
    ) -> Nullable<Connection<AccessRestriction>> {
        nullable(
            async {
                let list = List::root("accessRestrictions");
                let page = list.page(ctx, first, after.as_deref())?;
                let snapshot = ctx.snapshot()?;
                let rows = access::restrictions(&snapshot, &page).await?;
                let rows = generation(Arc::clone(&snapshot), rows);
                let count = move || {
                    let snapshot = Arc::clone(&snapshot);
                    Box::pin(async move { access::count_restrictions(&snapshot).await }) as _
                };
                Connection::new(&list, &page, rows, |row| (row.started_at, row.id), count).map(Some)
            }
            .await,
        )
    }

    /// A worker.
    async fn worker(&self, ctx: &Context<'_>, #[graphql(desc = "Global id of a worker.")] id: ID) -> Nullable<Worker> {
        nullable(
            async {
                let (snapshot, id) = (ctx.snapshot()?, local("id", WorkerId::KIND, &id)?);
                let rows = workers::by_ids(&snapshot, &[id]).await?;
                Ok(single(snapshot, rows).map(Worker))
            }
            .await,
        )
    }
}

/// Kind and uuid of a global id of any kind.
fn known(id: &ID) -> Result<(&str, Uuid)> {
    split(id).ok_or_else(|| Error::bad_input("id", "is no global id: use the id field of a record"))
}

/// The longest search, in characters.
const MAX_SEARCH: usize = 100;
/// The most words of a search.
const MAX_WORDS: usize = 10;

/// A search that may be looked for. What is wrong with it is said without repeating it.
fn searchable(search: &str) -> Result<String> {
    let search = clean(search, MAX_SEARCH).map_err(|fault| Error::bad_input("search", fault.to_string()))?;
    if search.chars().any(char::is_control) {
        return Err(Error::bad_input("search", TextFault::Unprintable.to_string()));
    }
    if search.chars().any(char::is_alphanumeric) { Ok(search) } else { Err(no_word()) }
}

fn no_word() -> Error {
    Error::bad_input("search", "must have a letter or a digit in it; leave it out to list all")
}

/// Which children are wanted. All of it must apply; what is left out does not matter.
#[derive(InputObject)]
pub struct ChildFilter {
    /// Global id of a unit: the child's case is held by it now, in any way.
    unit_id: Option<ID>,
    /// The child has a case with one of these statuses. An empty list is like none.
    case_status: Option<Vec<CaseStatus>>,
    /// The child has a plan of this kind in force.
    plan_kind: Option<PlanKind>,
    /// Global id of a worker: the child's lead practitioner now.
    lead_practitioner_id: Option<ID>,
    /// Born on this day or later. Unborn children are not among them.
    born_from: Option<Date>,
    /// Born on this day or earlier. Unborn children are not among them.
    born_to: Option<Date>,
    /// The child's case is held now by a unit of this service, in any way.
    service: Option<Service>,
}

impl ChildFilter {
    fn wanted(self) -> Result<children::Wanted> {
        let (born_from, born_to) = (self.born_from.map(|day| day.0), self.born_to.map(|day| day.0));
        if let (Some(from), Some(to)) = (born_from, born_to)
            && from > to
        {
            return Err(Error::bad_input("bornFrom", "must not be later than bornTo"));
        }
        Ok(children::Wanted {
            words: Vec::new(),
            unit_id: self.unit_id.map(|id| local("unitId", UnitId::KIND, &id)).transpose()?,
            case_status: self.case_status.unwrap_or_default(),
            plan_kind: self.plan_kind,
            lead_practitioner_id: self
                .lead_practitioner_id
                .map(|id| local("leadPractitionerId", WorkerId::KIND, &id))
                .transpose()?,
            born_from,
            born_to,
            service: self.service,
        })
    }
}
