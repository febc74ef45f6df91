"""Whom a packaged server runs as. PostgreSQL refuses to be root, so there a user of the system's runs it, in a place apart.

That place is below the system's variable data, never below a private home, which would have to be opened to the world.
A file in the home points to it, and a file there points back, so that a home may be moved but not share its place with a copy.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from infra.errors import Misconfigured

USER = "regulars-pg"
SHARED = Path("/var/lib/regulars")


@dataclass(frozen=True)
class Account:
    """``user``, ``group``: None for our own."""

    name: str = ""
    user: int | None = None
    group: int | None = None

    def process(self) -> dict[str, Any]:
        """How to start a process of this account's: without our PostgreSQL settings, and in a directory that is anybody's."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        told: dict[str, Any] = {"env": environment | {"LC_ALL": "C"}, "cwd": "/"}
        if self.user is not None:
            told |= {"user": self.user, "group": self.group, "extra_groups": ()}
        return told

    def give(self, directory: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(directory, self.user, self.group)


OWN = Account()


@cache
def account() -> Account:
    """Our own, unless we are root. Raises :class:`Misconfigured` where no user can be made."""
    if os.geteuid():
        return OWN
    try:
        found = pwd.getpwnam(USER)
    except KeyError:
        try:
            subprocess.run(  # noqa: S603 - a constant
                ["useradd", "--system", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin", USER],  # noqa: S607
                check=True,
                capture_output=True,
            )
            found = pwd.getpwnam(USER)
        except (OSError, subprocess.CalledProcessError, KeyError) as fault:
            raise Misconfigured(
                f"PostgreSQL does not run as root, and the user {USER} cannot be made ({fault}): "
                "make it, run Regulars as another user, or set DATABASE_URL."
            ) from None
    return Account(USER, found.pw_uid, found.pw_gid)


def place(directory: Path) -> Path:
    """The place outside that belongs to this directory of a home, noted on both sides.

    Raises :class:`Misconfigured` if it belongs to another home that is still there.
    """
    pointer = directory / "place"
    if pointer.exists():
        found = Path(pointer.read_text().strip())
    else:
        found = SHARED / f"postgres-{sha256(os.fsencode(directory)).hexdigest()[:16]}"
    owner = found.with_suffix(".home")
    belongs = Path(owner.read_text().strip()) if owner.exists() else directory
    if belongs != directory and (belongs / "place").exists():
        raise Misconfigured(f"{found} is the PostgreSQL of {belongs}: a copied home needs one of its own (remove {pointer}).")
    if belongs != directory or not (owner.exists() and pointer.exists()):
        SHARED.mkdir(exist_ok=True, mode=0o755)
        owner.write_text(f"{directory}\n")
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        pointer.write_text(f"{found}\n")
    return found
