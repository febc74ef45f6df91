"""Logs, metrics, health and probes of a process."""
