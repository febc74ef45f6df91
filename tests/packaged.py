"""Servers that tests start, and what is left of them outside of the tests' own directories."""

from __future__ import annotations

import shutil

from infra.embedded.postgres import EmbeddedPostgres


def forget(server: EmbeddedPostgres) -> None:
    """Remove the place of a server that was stopped, where it is outside of its home, and nothing beside it."""
    place, owner = server.place, server.place.with_suffix(".home")
    if place == server.directory or owner.read_text().strip() != str(server.directory):
        return
    shutil.rmtree(place, ignore_errors=True)
    owner.unlink()
