-- Who decided, stopped, changed or was refused what. No text of a question or of an answer is in it.
create table audit (
    id              bigint generated always as identity primary key,
    organization_id uuid not null,
    at              timestamptz not null default clock_timestamp(),
    kind            text not null,
    outcome         text not null,
    person_id       uuid,                            -- the Equa user; null if nobody or unknown
    user_id         text,                            -- the Mattermost account; likewise
    role            text,                            -- of that person at that time
    via             text not null,                   -- by which way it was done
    subject         text not null default '',        -- e.g. post:<post id>
    details         jsonb not null default '{}'      -- codes and numbers
);
create index audit_of_organization on audit (organization_id, at, id);
create index audit_old on audit using brin (at);

-- Rows are only ever added, and deleted once they are older than 13 months.
create function audit_rows_stay() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.at < now() - interval '13 months' then
        return old;
    end if;
    raise exception 'audit rows are only ever added' using errcode = 'restrict_violation';
end
$$;
create trigger audit_rows_stay before update or delete on audit
    for each row execute function audit_rows_stay();
create trigger audit_is_not_truncated before truncate on audit
    for each statement execute function audit_rows_stay();

-- What an organization's administrators have decided about its agent; null is the operator's variable.
create table organization_settings (
    organization_id uuid primary key,
    version         bigint not null,                 -- from 1, one more with each change
    approvers       text check (approvers in ('admins', 'members', 'asker')),
    follow_ups      text check (follow_ups in ('always', 'alone', 'never')),
    budget_tokens   bigint check (budget_tokens > 0),  -- a month
    budget_cost     numeric check (budget_cost > 0),   -- a month
    muted_notices   text[] not null default '{}',    -- types of events that are not posted
    modified        timestamptz not null default now()
);
