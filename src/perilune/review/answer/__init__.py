"""Answers: parsed, repaired in order, each finding checked alone."""
