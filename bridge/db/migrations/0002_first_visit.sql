-- What a first visit and its repairs need to know.

alter table mattermost_user_mappings
    -- Tokens of ours may exist besides the one that is stored: they are to be revoked.
    add column stray_tokens boolean not null default false;

-- Accounts and teams that are being created. Each carries the mark, which nobody else knows before it
-- exists: by it what an interrupted attempt has left behind is told from what somebody else has made.
create table attempts (
    key     text primary key,                        -- person:<id> or organization:<id>
    mark    text not null,
    name    text not null,                           -- under which it was last tried
    created timestamptz not null default now()
);

-- Which channel is an organization's #documents, whatever it is called by now.
create table mattermost_channel_mappings (
    organization_id       uuid not null references mattermost_org_mappings on delete cascade,
    name                  text not null,             -- as the bridge named it
    mattermost_channel_id text not null,
    primary key (organization_id, name)
);

-- Whom the bridge has put, or is putting, into an organization's team. Who has left stays for a while,
-- so that an older answer of Equa does not let them in again.
create table memberships (
    organization_id uuid not null,
    person_id       uuid not null,
    state           text not null check (state in ('joining', 'joined', 'leaving', 'left')),
    since           timestamptz not null default now(),
    modified        timestamptz not null default now(),
    primary key (organization_id, person_id)
);

create index memberships_of_person on memberships (person_id) where state in ('joining', 'joined');
create index memberships_left on memberships (modified) where state = 'left';

-- One-time tickets of a minute, by the SHA-256 of their text.
create table tickets (
    hash            bytea primary key,
    organization_id uuid not null,
    person_id       uuid not null,
    expires         timestamptz not null
);

create index tickets_of_person on tickets (person_id, organization_id);
create index tickets_expires on tickets (expires);
