-- Who had a part in something that goes on without them is told by an event of their own (ALONE), and not twice by what
-- the others are told (FORMER).
alter table outbox_audience drop constraint outbox_audience_kind_check,
    add constraint outbox_audience_kind_check
        check (kind in ('UNIT', 'WORKER', 'AREA', 'LEAVING', 'ALONE', 'FORMER'));

-- Actions that revisions copied before there were lineages (migration 20261130000010) carry theirs on too.
set local row_security = off;
alter table plans no force row level security;
alter table plan_goals no force row level security;
alter table plan_actions no force row level security, disable trigger user;
-- A version's action carries on the one of the version before that says the same, word for word, for the same goal:
-- that is what a revision copied. Where several say the same, or it was worded anew since, nobody can tell any more: it
-- stays on its own.
with recursive said as (
    select a.id, p.id as plan_id, p.previous_id,
           jsonb_build_array(g.lineage_id, a.text, a.owner_worker_id, a.owner_person_id, a.owner_agency, a.due_on) as words
    from plan_actions a join plan_goals g on g.id = a.goal_id join plans p on p.id = a.plan_id
), alone as (
    select s.* from (select *, count(*) over (partition by plan_id, words) as as_many from said) s where as_many = 1
), line (id, root_id) as (
    select s.id, s.id from said s
    where not exists (select from alone l join alone b on b.plan_id = l.previous_id and b.words = l.words where l.id = s.id)
    union all
    select l.id, r.root_id from line r join alone b on b.id = r.id
    join alone l on l.previous_id = b.plan_id and l.words = b.words
)
update plan_actions a set root_id = l.root_id from line l where l.id = a.id and l.root_id <> a.id and a.root_id is null;
alter table plans force row level security;
alter table plan_goals force row level security;
alter table plan_actions force row level security, enable trigger user;
