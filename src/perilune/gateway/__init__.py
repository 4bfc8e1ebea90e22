"""One address for every tool: routes, admission, dispatch, failover, ledger."""
