-- The posts of answers: what has become of each, and whose question it answers. A process of the version before
-- neither writes nor reads them.
create table answer_posts (
    post_id  text primary key,                       -- Mattermost's
    job_id   bigint not null references jobs on delete cascade,
    part     int not null,                           -- from 1
    state    text not null default 'growing' check (state in ('growing', 'done', 'stopped', 'failed')),
    modified timestamptz not null default now()
);
create index answer_posts_job on answer_posts (job_id);

-- A person wants a running job to stop, or to begin again with other words.
create table stops (
    job_id    bigint primary key references jobs on delete cascade,
    cause     text not null check (cause in ('deleted', 'edited', 'reaction', 'word')),
    by_user   text not null,                         -- the Mattermost account; '' if nobody says who
    taken     boolean not null default false,        -- the job has been stopped by it
    requested timestamptz not null default now()
);
