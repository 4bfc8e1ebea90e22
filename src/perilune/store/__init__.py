"""Tables, migrations, snapshots, ledger, leases, jobs."""
