"""A network between a program and its PostgreSQL that can be cut, also between a commit and the answer to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict


class Proxy:
    """Listens on the loopback and passes everything on to a server's Unix socket."""

    def __init__(self, url: str) -> None:
        told = conninfo_to_dict(url)
        self._server = f"{told['host']}/.s.PGSQL.5432"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"postgresql://{told['user']}@127.0.0.1:{self._listening.getsockname()[1]}/{quote(str(told['dbname']))}"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.open = True
        self._awaited: bytes | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_the_answer_to(self, word: bytes) -> None:
        """The next connection that sends this word is cut as soon as the server has answered."""
        self._awaited = word

    def cut(self) -> None:
        """Cut every connection, and let no other in until ``open`` is set again."""
        self.open = False
        for pair in self._pairs:
            self._end(pair)

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if not self.open:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._pairs.append((client, server))
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=self._bring_back, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while sent := client.recv(1 << 16):
                if self._awaited and self._awaited in sent:
                    self._awaited = None
                    self.cuts += 1
                    client.shutdown(socket.SHUT_WR)  # no answer goes back from here on
                    server.sendall(sent)
                    continue
                server.sendall(sent)
        self._end((client, server))

    def _bring_back(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while answer := server.recv(1 << 16):
                client.sendall(answer)
        self._end((client, server))

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
