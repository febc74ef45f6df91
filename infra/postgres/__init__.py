"""Connections to PostgreSQL, its errors, and tables of a known version."""
