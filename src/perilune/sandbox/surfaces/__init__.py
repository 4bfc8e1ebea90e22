"""The three dialects as the vendors speak them: reading requests, writing answers, streams and errors.

Written independently of `perilune.dialects` on purpose, so that a fault of translation cannot cancel itself out.
"""
