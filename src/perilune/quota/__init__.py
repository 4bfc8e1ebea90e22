"""Windows, balances, snapshots, verdicts, pace: pure rules over what vendors reported."""
