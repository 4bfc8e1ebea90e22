"""One file per host: what it reads, in its own form."""
