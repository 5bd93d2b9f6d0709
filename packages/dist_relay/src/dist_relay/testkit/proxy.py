"""A TCP proxy that can be cut, healed, and made to lose a reply: the network between two parts, in a test's hands."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """Forwards connections to ``target`` (a loopback port) from :attr:`port`, which stays the same."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._server.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._whole = True
        self._marker: bytes | None = None
        self._tear = False
        self.lost = threading.Event()
        """Set once a reply was lost or a request torn, see :meth:`lose_reply` and :meth:`tear`."""
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._whole = False
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _end(connection)

    def heal(self) -> None:
        """Let new connections through again."""
        self._whole = True

    @contextmanager
    def severed(self) -> Iterator[None]:
        """Cut inside the block."""
        self.cut()
        try:
            yield
        finally:
            self.heal()

    def lose_reply(self, marker: bytes) -> None:
        """Let the next request with ``marker`` through, and reset its connection in place of the reply."""
        self.lost.clear()
        self._tear, self._marker = False, marker

    def tear(self, marker: bytes) -> None:
        """Let half of the next request with ``marker`` through, and reset its connection."""
        self.lost.clear()
        self._tear, self._marker = True, marker

    def close(self) -> None:
        """End for good."""
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._server.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        try:
            if not self._whole:
                raise ConnectionRefusedError
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            _end(client)
            return
        for each in (client, server):
            each.settimeout(None)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        doomed = threading.Event()
        threading.Thread(target=self._requests, args=(client, server, doomed), daemon=True).start()
        self._replies(client, server, doomed)

    def _requests(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                if self._marker and self._marker in data:
                    self._marker = None
                    doomed.set()
                    if self._tear:
                        server.sendall(data[: len(data) // 2])
                        self.lost.set()
                        break
                server.sendall(data)
        self._part(client, server)

    def _replies(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                if doomed.is_set():
                    self.lost.set()
                    break
                client.sendall(data)
        self._part(client, server)

    def _part(self, *ends: socket.socket) -> None:
        with self._lock:
            self._open.difference_update(ends)
        for end in ends:
            _end(end)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
