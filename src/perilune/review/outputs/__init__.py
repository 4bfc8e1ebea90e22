"""Writers: one result, several formats; pure functions."""
