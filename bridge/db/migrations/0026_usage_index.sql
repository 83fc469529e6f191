-- What a budget is compared with is read for each question: from the index alone, if that is vacuumed.
create index usage_of_budget on usage (organization_id, began)
    include (runs, unreported, prompt_tokens, completion_tokens, cost);
drop index usage_of_organization;
alter table usage set (
    autovacuum_vacuum_insert_scale_factor = 0.01,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_analyze_scale_factor = 0.01
);
