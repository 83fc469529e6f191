-- Where conversations with the agent begin anew: in a direct channel with the choice of an organization, and
-- everywhere with "new". A question belongs to the last beginning before it.
create table conversation_starts (
    lane            text not null,                   -- of its questions: a thread or a direct channel
    post_id         text not null,                   -- the post that began it
    since           bigint not null,                 -- milliseconds since 1970; earlier posts do not belong to it
    generation      integer not null,                -- counts the beginnings in the lane
    organization_id uuid,                            -- of a direct channel
    created         timestamptz not null default now(),
    primary key (lane, post_id),
    unique (lane, generation)
);

create index conversation_starts_of_lane on conversation_starts (lane, since);

-- Direct questions count towards a person's limit too.
create index jobs_asks on jobs (author, posted_at)
    where kind in ('mention', 'invite', 'direct') and state <> 'refused';
drop index jobs_asked;

-- What was asked in a direct channel, in order.
create index jobs_direct on jobs (lane, id) where kind = 'direct';

-- Teams that the bot has greeted. Those of before are not greeted any more.
alter table mattermost_org_mappings add column welcomed boolean not null default true;
alter table mattermost_org_mappings alter column welcomed set default false;
