-- Tool calls of an agent that wait for a person's decision, and what became of them. Kept as long as jobs.
create table approvals (
    id              uuid primary key default gen_random_uuid(),
    gateway_id      text not null unique,
    kind            text not null,                   -- exec or plugin
    organization_id uuid not null,
    conversation    text not null,                   -- its key
    channel_id      text not null,
    thread          text not null,                   -- the root to post under; empty in a direct channel
    asker           text,                            -- the Mattermost account whose question it is about
    run_id          text not null,
    shown           jsonb not null,                  -- title, description, tool, severity, decisions
    created         timestamptz not null default now(),
    expires_at      timestamptz not null,
    remind_at       timestamptz,                     -- when the administrators are told; null: not any more
    state           text not null default 'pending'
                    check (state in ('pending', 'approved', 'denied', 'expired', 'withdrawn', 'elsewhere')),
    outcome         text,                            -- what the gateway says that it has come to
    decided_by      text,                            -- the Mattermost account
    decided_person  uuid,                            -- the Equa user
    decided_name    text,                            -- how a person without an account is called
    role            text,                            -- of that person at that time
    via             text,
    ended           timestamptz,                     -- when it was decided, or has ended undecided
    sent            timestamptz,                     -- when the gateway has heard of the decision
    post_id         text,
    way             text                             -- how the post says that it is decided
);
create index approvals_of_organization on approvals (organization_id, created desc);
create index approvals_pending on approvals (expires_at) where state = 'pending';
create index approvals_ended on approvals (ended) where ended is not null;
create index approvals_of_post on approvals (post_id) where post_id is not null;

-- What a press of a button means. The secret itself is in Mattermost's database alone.
create table buttons (
    digest          bytea primary key,               -- SHA-256 of the secret
    purpose         text not null,                   -- what it is about: approval, question
    subject         text not null,                   -- of which one
    choice          text not null,
    organization_id uuid not null,
    channel_id      text not null,
    post_id         text,                            -- null until it is known
    created         timestamptz not null default now()
);
create index buttons_of_subject on buttons (purpose, subject);
