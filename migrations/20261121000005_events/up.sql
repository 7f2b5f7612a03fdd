-- The one log (outbox), who each event is for, and what a retried mutation already did.

create table outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    -- Given by the relay after commit, gap-free, in the order of id among what is committed.
    seq bigint unique,
    type text not null,
    schema_version integer not null default 1,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    actor_id uuid not null references workers (id),
    actor_role text not null,
    case_id uuid references cases (id),
    correlation_id uuid not null,
    causation_id uuid,
    entity_type text not null,
    entity_id uuid not null,
    entity_version integer not null,
    severity text not null default 'INFO' check (severity in ('INFO', 'ACTION', 'URGENT')),
    -- The safe fields of this type of event and of its envelope: ids, codes, dates, initials. Never free text.
    data jsonb not null
);
create index outbox_waiting on outbox (id) where seq is null;
create index on outbox (recorded_at);
create index on outbox (actor_id);
create index on outbox (case_id);

-- Stored with the event at commit: who it was for does not change afterwards.
create table outbox_audience (
    event_id uuid not null references outbox (event_id) on delete cascade,
    holder_id uuid not null,
    kind text not null check (kind in ('UNIT', 'WORKER', 'AREA')),
    primary key (event_id, holder_id)
);

create table relay_state (
    singleton boolean primary key default true check (singleton),
    last_seq bigint not null default 0,
    -- Everything up to here has been pruned.
    pruned_seq bigint not null default 0
);
insert into relay_state default values;

create table idempotency_keys (
    worker_id uuid not null references workers (id),
    mutation text not null,
    key text not null,
    input_hash bytea not null,
    -- Ids only: the selection is read again as the viewer.
    outcome jsonb not null default '{}',
    created_at timestamptz not null,
    primary key (worker_id, mutation, key)
);
create index on idempotency_keys (created_at);

alter table outbox enable row level security, force row level security;
alter table outbox_audience enable row level security, force row level security;
alter table relay_state enable row level security, force row level security;
alter table idempotency_keys enable row level security, force row level security;

create policy append on outbox for insert to hearth_app with check (actor_id = (select hearth.worker()) and seq is null);
create policy append on outbox_audience for insert to hearth_app with check ((select hearth.worker()) is not null);
grant insert on outbox, outbox_audience to hearth_app;

-- An audience is given with its event, by who caused it, before the event has its place; never later.
create function hearth.audience_with_event() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if session_user = 'hearth_app' then
        if not exists (
            select from public.outbox o where o.event_id = new.event_id and o.seq is null and o.actor_id = hearth.worker()
              and o.xmin = pg_current_xact_id()::xid) then
            raise exception 'an event''s audience does not change' using errcode = 'HE003';
        end if;
    end if;
    return new;
end $$;
create trigger audience_with_event before insert on outbox_audience
    for each row execute function hearth.audience_with_event();
grant select on outbox to hearth_rights;
grant create on schema hearth to hearth_rights;
alter function hearth.audience_with_event() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.audience_with_event() from public;

create policy sequencing on outbox to hearth_relay using (true) with check (true);
grant select, delete on outbox to hearth_relay;
grant update (seq) on outbox to hearth_relay;
create policy sequencing on relay_state to hearth_relay using (true) with check (true);
grant select, update on relay_state to hearth_relay;
create policy pruning on idempotency_keys to hearth_relay using (true);
grant select, delete on idempotency_keys to hearth_relay;

create policy delivering on outbox for select to hearth_bus using (seq is not null);
create policy delivering on outbox_audience for select to hearth_bus using (true);
create policy delivering on relay_state for select to hearth_bus using (true);
grant select on outbox, outbox_audience, relay_state to hearth_bus;

create policy position on relay_state for select to hearth_app using ((select hearth.worker()) is not null);
grant select on relay_state to hearth_app;

create policy mine on idempotency_keys to hearth_app
    using (worker_id = (select hearth.worker())) with check (worker_id = (select hearth.worker()));
grant select, insert, update on idempotency_keys to hearth_app;

-- Every identity sequence is used by inserting only.
grant usage on all sequences in schema public to hearth_app, hearth_seed;

-- So that readiness can tell whether the schema is the one that the program was built for.
do $$ begin
    if to_regclass('public.__diesel_schema_migrations') is not null then
        grant select on public.__diesel_schema_migrations to hearth_app;
    end if;
end $$;
