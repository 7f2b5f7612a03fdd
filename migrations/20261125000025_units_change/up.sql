-- A transfer may be rejected or withdrawn, with a reason; memberships begin, change and end here.

alter table case_transfers
    add column response_reason text,
    add constraint refusal_is_reasoned check (state not in ('REJECTED', 'WITHDRAWN') or response_reason is not null) not valid;

create or replace function hearth.only_answered() returns trigger language plpgsql as $$
declare
    answer text[] := array['state', 'responded_by', 'responded_at', 'effective_on', 'response_reason', 'version'];
begin
    if tg_op = 'DELETE' then
        raise exception 'a transfer is never deleted' using errcode = 'HE003';
    end if;
    if old.state <> 'REQUESTED' or to_jsonb(new) - answer <> to_jsonb(old) - answer then
        raise exception 'a transfer can only be answered, once' using errcode = 'HE003';
    end if;
    return new;
end $$;

alter table unit_memberships
    add column version integer not null default 1,
    add column reason_end text;

-- Cover is given an end in advance; it may still end earlier, never later, and never in the past.
create function hearth.membership_only_ends() returns trigger language plpgsql as $$
declare
    now timestamptz := coalesce(nullif(current_setting('hearth.at', true), '')::timestamptz, clock_timestamp());
begin
    if tg_op = 'DELETE' then
        raise exception 'unit_memberships is never deleted' using errcode = 'HE003';
    end if;
    if (old.ended_at is not null and (old.ended_at <= now or new.ended_at is null or new.ended_at > old.ended_at))
        or to_jsonb(new) - array['ended_at', 'reason_end', 'version']
           <> to_jsonb(old) - array['ended_at', 'reason_end', 'version'] then
        raise exception 'unit_memberships is history: it can only be ended, once' using errcode = 'HE003';
    end if;
    return new;
end $$;
drop trigger only_ends on unit_memberships;
create trigger only_ends before update or delete on unit_memberships
    for each row execute function hearth.membership_only_ends();
revoke execute on function hearth.membership_only_ends() from public;

-- Written for a unit that the service authorised.
create policy authorised_insert on unit_memberships for insert to hearth_app
    with check (unit_id = any ((select hearth.writing())::uuid[]));
create policy authorised_update on unit_memberships for update to hearth_app
    using (unit_id = any ((select hearth.writing())::uuid[])) with check (unit_id = any ((select hearth.writing())::uuid[]));
grant insert on unit_memberships to hearth_app;
grant update (ended_at, reason_end, version) on unit_memberships to hearth_app;
