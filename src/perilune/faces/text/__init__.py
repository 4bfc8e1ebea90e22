"""Documents as lines of text: full, brief, narrow, one line at a time."""
