"""`doctor`: finds what is wrong and says what to do."""
