"""Servers that demand TLS and a user of whoever comes."""
