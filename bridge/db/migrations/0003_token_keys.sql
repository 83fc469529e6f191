-- What the keys of stored tokens are known by, and the tokens themselves.

-- Keys by the ids of TOKEN_KEYS. A fingerprint tells nothing of its key, only whether another one stands in its place.
create table token_keys (
    id          text primary key,
    fingerprint text not null,
    first_used  timestamptz not null default now()
);

alter table mattermost_user_mappings
    -- SHA-256 of the token: finds whose token somebody shows, where tokens and not tickets are shown.
    add column token_digest bytea unique;
