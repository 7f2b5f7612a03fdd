-- How many cases a unit holds is counted at every allocation: from the index alone.
drop index allocations_unit_id_started_at_id_idx;
create index allocations_open_of_unit on allocations (unit_id, started_at desc, id) include (kind) where ended_at is null;
