"""Many mentions while everything fails: 0 lost, 0 double, 0 out of order."""
