-- Whom a change takes out of sight is told of it, by name and of that alone.
alter table outbox_audience drop constraint outbox_audience_kind_check,
    add constraint outbox_audience_kind_check check (kind in ('UNIT', 'WORKER', 'AREA', 'LEAVING'));
