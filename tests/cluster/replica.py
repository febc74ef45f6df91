"""A Redis that follows another one, and takes its place."""

from __future__ import annotations

import subprocess
import time
from contextlib import closing
from pathlib import Path

import redis

from infra.embedded.kafka import free_ports
from infra.embedded.valkey import EmbeddedRedis, valkey_program

PATIENCE = 60.0  # seconds to copy what the primary holds


class Replica:
    """Of an embedded Redis, which gets a port on loopback for it."""

    def __init__(self, primary: EmbeddedRedis, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._primary = primary
        self._socket = folder / "replica.sock"
        with closing(redis.Redis.from_url(primary.url)) as client:
            port, _ = free_ports()
            client.config_set("port", port)
        options = {"port": "0", "unixsocket": str(self._socket), "dir": str(folder), "save": ""}
        words = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [str(valkey_program()), *words, "--replicaof", "127.0.0.1", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def follow_until_whole(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._whole():
            assert time.monotonic() < deadline, "the replica does not get what the primary holds"
            time.sleep(0.05)

    def stop_following(self) -> None:
        with self._client() as client:
            client.replicaof("NO", "ONE")

    def answer_in_place(self) -> None:
        """At the primary's own address, which nobody answers any more."""
        self._socket.replace(self._primary.socket)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _whole(self) -> bool:
        try:
            with self._client() as client:
                return str(client.info("replication")["master_link_status"]) == "up"
        except redis.RedisError:
            return False

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self._socket))
