"""What is done while the server over which hosts share their caps cannot be asked."""

MESSAGES = {
    "leases.divide": "The lease server cannot be reached: each of {hosts} hosts keeps to its share of every cap.",
    "leases.closed": "The lease server cannot be reached: no request is let through until it answers again.",
    "leases.open": "The lease server cannot be reached: this host counts for itself alone.",
}
