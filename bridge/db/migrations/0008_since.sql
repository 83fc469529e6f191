-- Nobody reads memberships.since any more. Processes of the release before this one still write it while a
-- rolling deployment replaces them, so the column stays until the release after: then it can be dropped.
alter table memberships
    alter column since drop not null,
    alter column since drop default;

comment on column memberships.since is 'Unused; to be dropped one release after 0.2.0';
