-- The versions of a plan are one line, known by its first version; what an action carries on is known by the first
-- version's action, as a goal's lineage is.

alter table plans
    -- The first version, of every later one.
    add column root_id uuid references plans (id),
    add column line_id uuid not null generated always as (coalesce(root_id, id)) stored;
alter table plan_actions
    -- The action of the first version that this one carries on.
    add column root_id uuid references plan_actions (id),
    add column lineage_id uuid not null generated always as (coalesce(root_id, id)) stored;
create index on plans (root_id);
create index on plans (line_id);
create index on plan_actions (root_id);

-- The rows that are there: history is not rewritten but for the new columns, and drafts that nobody can agree any more
-- (a second one of a line, one whose plan is over) leave the way free.
set local row_security = off;
alter table plans no force row level security, disable trigger user;
alter table plan_actions no force row level security, disable trigger user;
with recursive line (id, root_id) as (
    select id, id from plans where previous_id is null
    union all
    select p.id, l.root_id from plans p join line l on l.id = p.previous_id
)
update plans p set root_id = l.root_id from line l where l.id = p.id and p.previous_id is not null;
update plans d set status = 'SUPERSEDED', end_on = current_date, version = version + 1
    where d.status = 'DRAFT'
      and (exists (select from plans o where o.line_id = d.line_id and o.status = 'DRAFT' and o.id > d.id)
           or exists (select from plans o where o.line_id = d.line_id and o.start_on is not null)
              and not exists (select from plans o where o.line_id = d.line_id and o.status in ('ACTIVE', 'ESCALATED')));
update plan_actions a set dropped_on = p.end_on, version = a.version + 1
    from plans p
    where p.id = a.plan_id and p.status in ('SUPERSEDED', 'ENDED') and a.done_on is null and a.dropped_on is null;
alter table plans force row level security, enable trigger user;
alter table plan_actions force row level security, enable trigger user;

alter table plans add constraint root_with_previous check ((root_id is null) = (previous_id is null));
-- One draft at a time: of a line of versions, and of a new plan of a kind.
drop index one_draft_plan;
create unique index one_draft_plan on plans (line_id) where status = 'DRAFT';
create unique index one_new_draft_plan on plans (case_id, kind) where status = 'DRAFT' and previous_id is null;

create or replace function hearth.shared_is_immutable() returns trigger language plpgsql as $$
declare
    shared boolean;
    kept text[];
begin
    -- Generated columns have no value yet before the row is written.
    if tg_table_name = 'plans' then
        shared := old.shared_at is not null;
        kept := array['status', 'start_on', 'end_on', 'end_reason', 'agreed_change_by', 'review_due_on', 'latest_category', 'version',
                      'line_id'];
        if not shared then
            return new;
        end if;
    else
        select p.shared_at is not null into shared from public.plans p where p.id = new.plan_id;
        kept := case tg_table_name when 'plan_goals' then array['status', 'version', 'lineage_id']
                else array['done_on', 'outcome', 'dropped_on', 'version', 'lineage_id'] end;
        if not coalesce(shared, false) then
            return new;
        end if;
    end if;
    if tg_op = 'INSERT' or (to_jsonb(new) - kept) <> (to_jsonb(old) - kept) then
        raise exception 'this version was shared: revise the plan' using errcode = 'HE003';
    end if;
    return new;
end $$;
