-- The key by which a gateway on another host knows the bridge: one for all processes.
create table gateway_device (
    id      boolean primary key default true check (id), -- one row
    secret  text not null,                               -- sealed
    created timestamptz not null default now()
);
