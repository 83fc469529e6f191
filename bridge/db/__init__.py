"""PostgreSQL: the connections, the schema and the statements."""
