-- How people rate answers, one row a reaction; the last one of a person counts.
create table feedback (
    post_id    text not null references answer_posts on delete cascade,
    user_id    text not null,                        -- the Mattermost account
    emoji      text not null,
    rating     smallint not null check (rating in (1, -1)),
    reacted_at bigint not null,                      -- milliseconds since 1970
    primary key (post_id, user_id, emoji)
);
