"""Planning by requests and tokens: units, what may be used, what it will cost."""
