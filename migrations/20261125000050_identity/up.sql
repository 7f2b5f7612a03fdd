-- The identity costs every operation, and the policies every statement: both with as little as possible.

-- What they read stands in the expression itself, where plpgsql would be called for it. Without an identity the setting
-- is missing, or empty after an earlier transaction: neither is a uuid or an array, so the statement still fails.
create or replace function hearth.worker() returns uuid language sql stable parallel safe as $$
    select current_setting('hearth.worker')::uuid
$$;
create or replace function hearth.holders() returns uuid[] language sql stable parallel safe as $$
    select current_setting('hearth.holders')::uuid[]
$$;
create or replace function hearth.at() returns timestamptz language sql stable parallel safe as $$
    select current_setting('hearth.at')::timestamptz
$$;

-- The same as before, read by one statement; what is set takes no statement at all.
create or replace function hearth.enter(entering uuid, at timestamptz) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    posts text[];
    managed uuid[];
    held uuid[];
    done text;
begin
    select array(select p.post from public.worker_posts p
                 where p.worker_id = entering and p.started_at <= at and (p.ended_at is null or p.ended_at > at)),
           array(select a.id from public.areas a where a.service_manager_id = entering),
           array(select m.unit_id from public.unit_memberships m
                 where m.worker_id = entering and m.started_at <= at and (m.ended_at is null or m.ended_at > at))
        into posts, managed, held
        from public.workers w where w.id = entering and w.active;
    if not found then
        raise exception 'not an active worker' using errcode = 'HE001';
    end if;
    held := entering || managed || held;
    if 'FIRST_RESPONSE' = any (posts) or cardinality(managed) > 0 then
        held := held || hearth.queue();
    end if;
    done := set_config('hearth.worker', entering::text, true);
    done := set_config('hearth.at', at::text, true);
    done := set_config('hearth.everything', case when 'HEAD_OF_SERVICE' = any (posts) then 'on' else 'off' end, true);
    done := set_config('hearth.holders', held::text, true);
    done := set_config('hearth.writing', '', true);
end $$;
