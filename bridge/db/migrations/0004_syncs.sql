-- Syncs of whole teams that were asked for: what they go by, how far they are and what came of them.
-- Whether one waits or runs is its job's state; the job has the key sync:<id>.
create table syncs (
    id                uuid primary key,
    organization_id   uuid not null,
    organization_name text not null,
    roster            jsonb,                         -- people's names and addresses, gone when it has ended
    read_at           timestamptz not null,
    done              integer not null default 0,    -- people it has dealt with, of so many it is about
    total             integer not null default 0,
    created           integer not null default 0,    -- what earlier attempts have done
    added             integer not null default 0,
    removed           integer not null default 0,
    outcome           jsonb,                         -- the report, or the error
    requested         timestamptz not null default now(),
    modified          timestamptz not null default now()
);

create index syncs_of_organization on syncs (organization_id) where outcome is null;
create index syncs_requested on syncs (requested);

-- When things that are done now and then were last done, whichever process did them.
create table chores (
    name     text primary key,
    finished timestamptz not null
);

-- The newest of what the platform has told of a membership counts.
create index jobs_membership_lane on jobs (lane, id) where kind = 'membership';
