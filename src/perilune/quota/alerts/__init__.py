"""Alerts: what is worth telling a person between two looks at an account, each thing once. Pure rules."""
