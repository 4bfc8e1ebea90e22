"""The structure of code by its grammar: faults, definitions, calls, and what stands near a change."""
