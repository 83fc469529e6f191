-- What each answer has taken. A row outlives its job, and is kept for 13 months.
--
-- A question has one row, however often it was asked: its figures are sums over all runs of the agent for it.
-- A run that was thrown away has cost its tokens too. What nobody has reported is in `unreported`, and is never
-- guessed: a run that was stopped or broke off, and the attempt of a process that has died.
create table usage (
    job_id            bigint primary key,
    organization_id   uuid not null,
    person_id         uuid not null,                 -- who has asked
    kind              text not null,                 -- of the job
    conversation      text not null,                 -- its lane: a thread or a direct channel
    post_id           text not null,                 -- the question
    outcome           text not null
                      check (outcome in ('answered', 'failed', 'stopped', 'refused', 'no_reply', 'unfinished')),
    reason            text,                          -- why it was refused
    model             text,                          -- that has answered last, as its server calls it
    runs              integer not null,              -- how often the agent has begun to answer
    unreported        integer not null,              -- runs whose tokens are not all known
    prompt_tokens     bigint,                        -- null: unknown
    completion_tokens bigint,
    cost              numeric,                       -- by AGENT_PRICES of that time; null: unknown
    first_text        double precision,              -- seconds since the question was stored
    last_text         double precision,
    began             timestamptz not null,
    ended             timestamptz not null
);

create index usage_of_organization on usage (organization_id, began);
create index usage_began on usage (began);
