"""Metrics: one Prometheus exposition of what the monitor, the gateway and the reviewer know."""
