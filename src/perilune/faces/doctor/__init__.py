"""Doctor: what is wrong on this machine and how to put it right, as a list of small checks."""
