-- Posts that the bot made by itself: what the agent said first, notices, greetings. A process of the version before
-- neither writes nor reads them.
create table own_posts (
    post_id text primary key,                        -- Mattermost's
    job_id  bigint not null references jobs on delete cascade
);
create index own_posts_job on own_posts (job_id);
