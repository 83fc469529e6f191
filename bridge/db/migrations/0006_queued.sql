-- A job behind another unfinished one of its lane is queued: it cannot be claimed, so a claim does not look at
-- it, however many there are. The end of a job lets the next of its lane be claimed.
alter table jobs add column queued boolean not null default false;

drop index jobs_claim;
create index jobs_claim on jobs (turn, id) where state = 'waiting' and not queued;
drop index jobs_due;
create index jobs_due on jobs (run_at) where state = 'waiting' and not queued;
create index jobs_queued on jobs (lane) where state = 'waiting' and queued;
