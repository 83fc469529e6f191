-- Who wrote a post that was considered, and when: by it is decided whether a thread has more than one author, and
-- how much a person has asked lately. A process of the version before leaves both columns null.
alter table jobs
    add column author    text,                       -- the Mattermost account
    add column posted_at bigint;                     -- milliseconds since 1970

update jobs set author = payload ->> 'user_id', posted_at = (payload ->> 'create_at')::bigint
where kind in ('mention', 'invite') and payload ? 'user_id';

create index jobs_thread on jobs (lane, author) where kind in ('mention', 'invite');
drop index jobs_lane;
create index jobs_asked on jobs (author, posted_at) where kind in ('mention', 'invite') and state <> 'refused';

-- Repairs of a team are counted, so that a fight over a channel gets slower.
create index jobs_repairs on jobs (lane, id) where kind = 'repair';
