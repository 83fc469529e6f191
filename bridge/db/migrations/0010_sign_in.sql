-- The bridge as provider of Mattermost's GitLab sign-in. A process of the version before leaves all of this as it is.

alter table mattermost_user_mappings
    -- The number by which Mattermost finds the account (its auth_data), and whether Mattermost has it already.
    add column auth_data  bigint unique check (auth_data > 0),
    add column auth_ready boolean not null default false;

-- What leads a browser through a sign-in, each good once and for a minute. Only digests are stored.
create table sign_ins (
    hash         bytea primary key,                  -- SHA-256 of the random value
    purpose      text not null check (purpose in ('browser', 'confirmed', 'code', 'access')),
    person_id    uuid not null,
    client_id    text,                               -- of a code and an access token
    redirect_uri text,                               -- likewise
    proof        bytea,                              -- SHA-256 of what has to come with it
    expires      timestamptz not null
);

create index sign_ins_expires on sign_ins (expires);
