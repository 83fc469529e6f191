-- The customer's two mapping tables, with what token renewal and repair need beside their columns.
create table mattermost_user_mappings (
    id                    uuid primary key,          -- Equa user
    mattermost_user_id    text not null unique,
    mattermost_username   text,
    personal_access_token text,                      -- sealed, see bridge/crypto.py
    token_id              text,                      -- Mattermost's id of the token, to revoke it by
    token_created         timestamptz,
    provisioned           boolean not null default true,  -- false: an existing account was adopted
    created               timestamptz not null default now(),
    modified              timestamptz not null default now()
);

create table mattermost_org_mappings (
    organization_id      uuid primary key,           -- Equa organization
    mattermost_team_id   text not null unique,
    mattermost_team_name text,
    auto_sync            boolean not null default true,
    created              timestamptz not null default now(),
    modified             timestamptz not null default now()
);

-- Everything that was considered or is to be done, and what became of it.
--
-- Within a lane jobs run one at a time and in the order of their ids. Among lanes the lowest turn
-- goes first: a turn is one more than the organization's last waiting one, but never behind the
-- turns now being served (start-time fair queueing), so a long backlog of one organization does
-- not delay another's first question.
create table jobs (
    id              bigint generated always as identity primary key,
    kind            text not null,
    lane            text not null,
    organization_id uuid,
    dedupe          text not null unique,            -- e.g. post:<post id>: stored once, done once
    payload         jsonb not null,
    state           text not null default 'waiting'
                    check (state in ('waiting', 'running', 'done', 'dead', 'refused')),
    reason          text,                            -- why it was refused, or the last error
    turn            bigint not null default 0,
    attempts        integer not null default 0,
    run_at          timestamptz not null default now(),
    lease           timestamptz,                     -- until when its holder may work on it
    holder          uuid,                            -- the process that works on it
    key             uuid not null default gen_random_uuid(),
    answer          text,                            -- what is posted, stored before it is
    failure         text,                            -- why the answer is an apology
    result          jsonb,
    created         timestamptz not null default now(),
    started         timestamptz,
    finished        timestamptz
) with (
    -- The claim is only quick while the planner knows how few rows are waiting.
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_analyze_scale_factor = 0.01,
    fillfactor = 80
);

create index jobs_claim on jobs (turn, id) where state = 'waiting';
-- What is parked for hours, lanes behind it included, has a later run_at and costs a claim nothing.
create index jobs_due on jobs (run_at) where state = 'waiting';
create index jobs_lane_head on jobs (lane, id) where state in ('waiting', 'running');
create unique index jobs_one_running_a_lane on jobs (lane) where state = 'running';
create index jobs_expired on jobs (lease) where state = 'running';
create index jobs_served on jobs (turn) where state = 'running';
create index jobs_turn on jobs (organization_id, turn) where state = 'waiting';
create index jobs_lane on jobs (lane) where kind = 'mention' and state <> 'refused';
create index jobs_finished on jobs (finished) where state in ('done', 'dead', 'refused');

-- Up to where each channel was read. A position only moves forward, and only in the transaction
-- that stores what it passes.
create table positions (
    channel_id text primary key,
    post_id    text not null,
    create_at  bigint not null,                      -- milliseconds, of that post
    begin_at   bigint not null,                      -- posts before this are history
    modified   timestamptz not null default now()
);

-- When this database was first served, so that a channel which appears later is read from its
-- beginning while the very first start answers no history.
create table bridge_state (
    only_row   boolean primary key default true check (only_row),
    started_at bigint not null                       -- milliseconds, by Mattermost's clock
);
