"""Durable jobs of the reviewer: the port, what one job sees while it is worked on, and the worker."""
