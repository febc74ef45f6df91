"""What the operator's page says, done: its users of Redis, certificates for everybody, and the settings of a process."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parts import program
from tests.secured.authority import Authority, Signed
from tests.secured.servers import redis_server

ROOT = Path(__file__).parents[2]
USERS = re.compile(r"^user .*$", re.MULTILINE)
ADMIN = "user admin on >admin ~* &* +@all"


def users() -> list[str]:
    """Redis's users as the page has them, each with its name as password."""
    told = USERS.findall((ROOT / "docs/operating.md").read_text())
    return [re.sub(r"^user (\S+) on >\S+", r"user \1 on >\1", line) for line in told]


def file_of_users(server: Path) -> str:
    """For this program, and with one who sees all."""
    version = re.search(
        r"v=(\d+)\.(\d+)", subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    )
    assert version
    lines = "\n".join([*users(), ADMIN, ""])
    return lines if (int(version[1]), int(version[2])) >= (7, 2) else lines.replace("+client|setinfo ", "")


@dataclass(frozen=True)
class Guarded:
    """A server, whose authority signed it, and a client's own certificate."""

    port: int
    authority: Authority
    client: Signed

    def variables(self, server: str) -> dict[str, str]:
        files = {"CA": self.authority.file, "CERT": self.client.certificate, "KEY": self.client.key}
        return {f"{server}_{what}_FILE": str(path) for what, path in files.items()}

    def redis(self, user: str) -> dict[str, str]:
        """The variables of a process that is this user of Redis's."""
        return {"REDIS_URL": f"rediss://{user}:{user}@localhost:{self.port}/1", **self.variables("REDIS")}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority, 100%"))


@pytest.fixture(scope="session")
def regulars(authority: Authority) -> Signed:
    return authority.sign("regulars")


@pytest.fixture
def guarded_redis(tmp_path: Path, authority: Authority, regulars: Signed) -> Iterator[Guarded]:
    server = program("redis-server", "redis-server")
    with redis_server(server, tmp_path / "redis", authority, file_of_users(server)) as port:
        yield Guarded(port, authority, regulars)
