-- What the bridge has set in Mattermost. As long as Mattermost shows it, the bridge may change it when Equa does;
-- null is what somebody else has set. A process of the version before leaves these columns as they are.

alter table mattermost_org_mappings
    add column shown_name text;                      -- the team's display name

alter table mattermost_channel_mappings
    -- Title and purpose are set, and the system posts about that are deleted.
    add column introduced boolean not null default false,
    -- Why the channel is not what people expect: it is private, or another channel has its name.
    add column problem    text check (problem in ('private', 'renamed'));

alter table mattermost_user_mappings
    add column shown_name   text,                    -- first and last name, on one line
    add column visit_name   text,                    -- the name that Equa had at the last visit
    add column roster_name  text,                    -- the name that the last roster had
    add column shown_email  bytea,                   -- SHA-256 of an address that a roster gave
    add column introduced   boolean not null default false,  -- the tours are switched off
    add column color_scheme text;                    -- of the page at the first visit that named one

-- Whoever has visited has seen the tours, and has had the time to choose a theme.
update mattermost_user_mappings set introduced = true, color_scheme = '' where token_id is not null;
