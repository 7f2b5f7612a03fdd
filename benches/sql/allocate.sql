-- $1 worker, $2 idempotency key, $3 hash of the input, $4 case, $5 unit, $6 reason, $7 expected version, $8 allocation,
-- $9 involvement, $10 event, $11 correlation, $12 place. The place is below zero, so that the relay of a server on the
-- same database does not take the event up.
with remembered as (
    insert into idempotency_keys (worker_id, mutation, key, input_hash, outcome, created_at)
    values ($1, 'allocateCase', $2, $3,
            jsonb_build_object('case_id', $4::uuid, 'allocation_id', $8::uuid), now())
), unit as (
    select u.id, u.name, u.area_id, u.service, lead.worker_id as lead_id
    from units u
    cross join lateral (
        select m.worker_id from unit_memberships m
        join workers w on w.id = m.worker_id and w.active and w.qualified
        where m.unit_id = u.id and m.role = 'CONSULTANT_SOCIAL_WORKER'
          and m.started_at <= now() and (m.ended_at is null or m.ended_at > now())
        order by m.cover limit 1) lead
    where u.id = $5
), changed as (
    update cases k set version = k.version + 1,
        status = case when k.status = 'REFERRED' and u.service = 'ACCESS_ASSESSMENT' then 'ASSESSMENT' else k.status end
    from unit u
    where k.id = $4 and k.version = $7
    returning k.id, k.child_id, k.case_no, k.status, k.version
), allocated as (
    insert into allocations (id, case_id, child_id, unit_id, kind, started_at, reason_start, priority, created_by)
    select $8, k.id, k.child_id, $5, 'PRIMARY', now(), $6, 'NONE', $1 from changed k
), involved as (
    insert into worker_involvements (id, case_id, child_id, worker_id, capacity, started_at)
    select $9, k.id, k.child_id, u.lead_id, 'LEAD_PRACTITIONER', now() from changed k, unit u
), event as (
    insert into outbox (event_id, seq, type, occurred_at, recorded_at, actor_id, actor_role, case_id, correlation_id,
                        entity_type, entity_id, entity_version, severity, data)
    select $10, $12, 'ALLOCATION_STARTED', now(), now(), $1, 'SERVICE_MANAGER', k.id, $11,
           'Allocation', $8, 1, 'ACTION', jsonb_build_object(
               'actor_name', me.name,
               'case', jsonb_build_object(
                   'case_no', k.case_no,
                   'child_initials', upper(left(p.first_name, 1) || left(p.last_name, 1)), 'child_id', k.child_id),
               'detail', jsonb_build_object(
                   'of', 'Allocation', 'unit_id', u.id, 'unit_name', u.name, 'kind', 'PRIMARY', 'priority', 'NONE',
                   'started_at', now(), 'ended_at', null, 'lead_practitioner_id', u.lead_id,
                   'previous_unit_id', null))
    from changed k join persons p on p.id = k.child_id join workers me on me.id = $1 cross join unit u
    returning event_id
), audience as (
    -- From the event: a trigger copies its time, so it must be there first.
    insert into outbox_audience (event_id, holder_id, kind)
    select e.event_id, h.id, h.kind
    from event e cross join unit u
    cross join lateral (values (u.id, 'UNIT'), (u.area_id, 'AREA'), (u.lead_id, 'WORKER')) h (id, kind)
)
select json_build_object('data', json_build_object('allocateCase', json_build_object(
    'errors', '[]'::json,
    'case', json_build_object('id', 'Case:' || k.id, 'version', k.version, 'status', k.status),
    'allocation', json_build_object('kind', 'PRIMARY', 'priority', 'NONE',
                                    'unit', json_build_object('name', u.name)))))::text
from changed k, unit u
