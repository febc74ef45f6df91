"""Generators of the docs pages that come from the code."""
