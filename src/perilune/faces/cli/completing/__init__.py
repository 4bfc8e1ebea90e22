"""Completion: what could stand at the end of an unfinished command line. Nothing is asked over a network."""

VARIABLE = "_PERILUNE_COMPLETE"
