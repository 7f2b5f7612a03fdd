-- Whom a change takes out of sight is told of it, by name and of that alone (LEAVING). Who had a part in something that
-- goes on without them is told by an event of their own (ALONE), and not twice by what the others are told (FORMER).
alter table outbox_audience drop constraint outbox_audience_kind_check,
    add constraint outbox_audience_kind_check
        check (kind in ('UNIT', 'WORKER', 'AREA', 'LEAVING', 'ALONE', 'FORMER'));
