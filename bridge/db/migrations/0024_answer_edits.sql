-- How often the posts of an answer may have been edited while it grew, over all attempts. A process of the version
-- before does not count.
alter table answer_posts add column edits int not null default 0;
