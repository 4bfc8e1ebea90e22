"""What the guard says: one line, a warning for a workflow, a table for its summary."""
