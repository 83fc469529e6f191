-- What each process says of itself every few seconds, so that it can be seen while none answers.
create table processes (
    id         uuid primary key,                     -- the holder of its jobs
    host       text not null,
    pid        integer not null,
    version    text not null,
    started    timestamptz not null,
    seen       timestamptz not null default now(),
    socket     text not null,                        -- the websocket's state; empty without a bot
    last_frame timestamptz,                          -- when the websocket was last heard
    queue      integer not null,                     -- events of the websocket that wait to be taken
    unread     integer not null                      -- channels in which posts may be unread
);
