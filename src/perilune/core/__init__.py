"""Words everyone speaks: money, instants, numbers, ids, secrets, errors, messages, redaction.

The lowest floor of the house: standard library and msgspec only, no I/O but the shipped messages, no clock.
"""
