-- What a person asked for once more is counted, so that nobody asks without end.
create index jobs_repeats on jobs (author, created) where dedupe like 'repeat:%';
