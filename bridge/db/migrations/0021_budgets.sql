-- The attempt for which an organization's budget had something left: while that runs, it counts as a question that
-- is being answered. Only questions of organizations with a budget have it.
alter table jobs add column admitted integer;

-- What was told of a budget, once a month and budget. Whoever sets another one is told again.
create table budget_marks (
    organization_id uuid not null,
    month           date not null,                   -- its first day, in UTC
    mark            text not null check (mark in ('warned', 'reached')),
    budget          text not null,                   -- e.g. tokens:2000000
    marked          timestamptz not null default now(),
    primary key (organization_id, month, mark, budget)
);
