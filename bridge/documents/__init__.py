"""What stands in the files that people attach: recognized, read in a process of its own, fenced."""
