"""A proxy that stands in front of a server and does to its connections what networks and dying servers do."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path

PAUSE = 0.2


class ChaosProxy:
    """Listens on a port of 127.0.0.1 and passes bytes to and from a server, as ``mode`` says.

    pass: as if it were not there. refuse: no new connection, and what is open is reset. hang: connections are
    accepted and nothing moves; what was sent arrives when the mode changes, as after a silent network. half: as hang,
    for answers alone. slow: each piece takes 0.2 seconds. ``cut`` resets what is open, once.
    """

    def __init__(self, upstream: Path | tuple[str, int]) -> None:
        self.upstream = upstream
        self.port = 0
        self._mode = "pass"
        self._changed = asyncio.Condition()
        self._live: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="chaos", daemon=True)

    def start(self) -> None:
        """Listen, on a port that stays the same until the end."""
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        """Reset every connection, and end."""
        self.become("refuse")
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(10)

    def become(self, mode: str) -> None:
        """Behave like this from now on."""
        assert mode in {"pass", "refuse", "hang", "half", "slow"}
        self._call(self._set(mode))

    def cut(self) -> None:
        """Reset every connection there is."""
        self._call(self._cut())

    def _call(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ending.wait()
        server.close()

    async def _set(self, mode: str) -> None:
        async with self._changed:
            self._mode = mode
            self._changed.notify_all()
        if mode == "refuse":
            await self._cut()

    async def _cut(self) -> None:
        for writer in list(self._live):
            reset(writer)
        self._live.clear()

    async def _until(self, allowed: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(allowed)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._live.add(writer)
        await self._until(lambda: self._mode != "hang")
        if self._mode == "refuse":
            reset(writer)
            return
        try:
            if isinstance(self.upstream, Path):
                far_reader, far_writer = await asyncio.open_unix_connection(str(self.upstream))
            else:
                far_reader, far_writer = await asyncio.open_connection(*self.upstream)
        except OSError:
            reset(writer)
            return
        self._live.add(far_writer)
        await asyncio.gather(
            self._pump(reader, far_writer, held={"hang"}), self._pump(far_reader, writer, held={"hang", "half"})
        )
        self._live -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, held: set[str]) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65_536):
                await self._until(lambda: self._mode not in held)
                if self._mode == "slow":
                    await asyncio.sleep(PAUSE)
                writer.write(piece)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crashed machine does: by RST."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
