-- How an agent's answers come in: how often a closing tag of reasoning stands in one without an opening one.
-- A process of the version before neither writes nor reads it.
create table agent_habits (
    agent           text not null,                   -- a digest of its kind, address, name and model
    organization_id uuid not null,
    late_ends       int not null,                    -- the most in one answer
    plain           int not null,                    -- answers without any since then, up to 20
    modified        timestamptz not null default now(),
    primary key (agent, organization_id)
);
