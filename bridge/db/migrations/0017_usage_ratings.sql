-- How people had rated an answer when its job, and their reactions with it, were forgotten.
alter table usage
    add column up   integer not null default 0,
    add column down integer not null default 0;
