"""Notifications: the channels an alert can go to, one file each, and the worker that delivers."""
