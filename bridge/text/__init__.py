"""What is read out of and put into the text of posts. Pure: no I/O is imported here."""
