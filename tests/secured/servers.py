"""Debian's Redis and PostgreSQL as processes of the tests' own, on loopback, with TLS and nothing else; ended by their id."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.embedded.kafka import free_ports, is_listening
from infra.embedded.postgres import server_account
from tests.secured.authority import Authority

START_TIMEOUT = 20.0  # seconds
READY = "ready to accept connections"


@contextmanager
def redis_server(program: Path, directory: Path, authority: Authority, users: str) -> Iterator[int]:
    """The port of a server that speaks TLS alone, with those who have a certificate. ``users``: its ACL."""
    directory.mkdir()
    server, (port, _) = authority.sign("redis-server"), free_ports()
    (directory / "users.acl").write_text(users)
    options = {
        "port": "0",
        "tls-port": str(port),
        "bind": "127.0.0.1",
        "tls-cert-file": str(server.certificate),
        "tls-key-file": str(server.key),
        "tls-ca-cert-file": str(authority.file),
        "tls-auth-clients": "yes",
        "aclfile": str(directory / "users.acl"),
        "dir": str(directory),
        "appendonly": "yes",
        "save": "",
    }
    command = [str(program), *(part for name, value in options.items() for part in (f"--{name}", value))]
    with served(command, directory / "redis.log", lambda: is_listening(port)):
        yield port


@contextmanager
def postgres_server(program: Path, authority: Authority, role: str, password: str) -> Iterator[int]:
    """The port of a server that asks for TLS, a certificate in the role's name, and the password; database ``postgres``."""
    owner, (port, _) = server_account(), free_ports()
    server = authority.sign("postgres-server")
    with TemporaryDirectory(prefix="regulars-postgres-") as made:  # where its user may go, as it may not into a test's own
        directory = Path(made)
        (directory / "password").write_text(password)
        for file, name in ((server.certificate, "server.pem"), (server.key, "server.key"), (authority.file, "ca.pem")):
            shutil.copy(file, directory / name)
        for path in (directory, *directory.iterdir()):
            owner.give(path)
        initdb = [str(program.with_name("initdb")), "-D", f"{made}/data", "-U", role, f"--pwfile={made}/password"]
        subprocess.run(
            [*initdb, "--auth=reject", "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            **owner.process(),
        )
        (directory / "data" / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "ssl": "on",
            "ssl_cert_file": f"{made}/server.pem",
            "ssl_key_file": f"{made}/server.key",
            "ssl_ca_file": f"{made}/ca.pem",
            "fsync": "off",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with served(
            [str(program), "-D", f"{made}/data", *settings],
            directory / "postgres.log",
            lambda: READY in (directory / "postgres.log").read_text(),
            **owner.process(),
        ):
            yield port


@contextmanager
def served(command: list[str], log: Path, ready: Callable[[], bool], **how: Any) -> Iterator[None]:
    """A server while it is wanted."""
    with log.open("wb") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, **how)
        try:
            deadline = time.monotonic() + START_TIMEOUT
            while not ready():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(START_TIMEOUT)
