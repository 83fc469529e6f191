-- What agents ask people while they work, and what became of it. Kept as long as jobs.
create table agent_questions (
    id              text primary key,                -- the gateway's
    organization_id uuid not null,
    conversation    text not null,                   -- its key
    lane            text not null,                   -- of the questions of people there
    channel_id      text not null,
    thread          text not null,                   -- the root to post under; empty in a direct channel
    asker           text not null,                   -- the Mattermost account that may answer
    run_id          text not null,
    asked           jsonb not null,
    created         timestamptz not null default now(),
    expires_at      timestamptz not null,
    post_id         text,
    posted_at       bigint,                          -- milliseconds by Mattermost's clock; later posts answer
    answering       text,                            -- which job's answer is being handed over, or was
    chosen          text,                            -- the choice that a button has made
    state           text not null default 'pending'
                    check (state in ('pending', 'answered', 'cancelled', 'expired', 'withdrawn')),
    ended           timestamptz
);
create index agent_questions_pending on agent_questions (lane) where state = 'pending';
create index agent_questions_ended on agent_questions (ended) where ended is not null;
