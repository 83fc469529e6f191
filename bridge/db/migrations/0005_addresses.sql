-- Whose an account's e-mail address is.

alter table mattermost_user_mappings
    -- The address comes from an organization's roster and may be somebody else's: e-mail notifications are
    -- off until the person has come with their own.
    add column unconfirmed  boolean not null default false,
    -- SHA-256 of the address that the person has last come with, so that each is compared once.
    add column email_digest bytea;
