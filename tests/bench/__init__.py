"""The figures, each beside its bare lower bound measured in the same run; nothing here fails a check."""
