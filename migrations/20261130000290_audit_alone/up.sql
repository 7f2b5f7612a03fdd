-- Nothing but the function appends to the audit: an id that somebody chose would be a link that nothing comes after.
drop policy append on audit_entries;
revoke insert on audit_entries from hearth_app;
revoke usage on sequence audit_entries_id_seq from hearth_app;
grant insert on audit_entries to hearth_rights;
grant usage on sequence audit_entries_id_seq to hearth_rights;
alter function hearth.append_audit(jsonb) security definer;

-- Whoever seals does not keep answers waiting behind somebody's slow append: it comes again in a second.
alter function hearth.audit_settled() set lock_timeout = '200ms';

-- What a child's conferences tell is found by the child for whoever sees the child, or reads the whole audit.
create or replace function hearth.audit_subjects(record uuid) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not (hearth.sees(record) or hearth.auditing() = any (hearth.holders())) then
        return array[record];
    end if;
    return array(select record union select c.conference_id from public.conference_children c where c.child_id = record);
end $$;
-- The same of a case or a plan.
create or replace function hearth.audit_child(record uuid) returns uuid
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    child uuid := (select c.child_id from public.cases c where c.id = record
                   union select p.child_id from public.plans p where p.id = record);
begin
    return case when hearth.sees(child) or hearth.auditing() = any (hearth.holders()) then child end;
end $$;

-- Whether the viewer sees a subject only because they broke a glass.
create function hearth.by_glass(subject uuid) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    held uuid[] := hearth.holders();
    now timestamptz := hearth.at();
    glasses uuid[] := array(select u.id from public.break_glass_uses u where u.worker_id = me and u.ends_at > now);
begin
    return cardinality(glasses) > 0 and coalesce((
        select bool_and(s.source_id = any (glasses)) from public.sight s
        where s.subject_id = subject and s.holder_id = any (held) and (s.until is null or s.until > now)
          and (s.allowed is null or me = any (s.allowed)) and (s.barred is null or me <> all (s.barred))), false);
end $$;
create or replace function hearth.write(subjects uuid[]) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    done text;
begin
    if exists (select from public.break_glass_uses u where u.worker_id = hearth.worker() and u.ends_at > hearth.at())
        and exists (select from unnest(subjects) as one (id) where hearth.by_glass(one.id)) then
        raise exception 'opened to read' using errcode = 'HE006';
    end if;
    done := set_config('hearth.writing', subjects::text, true);
end $$;
-- The same for what is decided about a record, and not in it: who may see it, whether a glass had to be broken.
create function hearth.govern(subjects uuid[]) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    done text := set_config('hearth.writing', subjects::text, true);
begin
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.append_audit(jsonb) owner to hearth_rights;
alter function hearth.by_glass(uuid) owner to hearth_rights;
alter function hearth.govern(uuid[]) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.by_glass(uuid), hearth.govern(uuid[]) from public;
grant execute on function hearth.by_glass(uuid), hearth.govern(uuid[]) to hearth_app;
