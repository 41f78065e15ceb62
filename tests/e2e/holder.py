"""A server that takes connections and holds them in silence until their clients end them; prints its port.

A process of its own, because the descriptors of ten thousand connections are a process's limit on many machines.
"""

import asyncio
import resource
import socket
import sys
from contextlib import suppress


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    with suppress(OSError):
        while await reader.read(65_536):
            pass
    writer.close()


async def main() -> None:
    """Serve until standard input ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    server = await asyncio.start_server(hold, sock=listening, backlog=4096)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close_clients()


if __name__ == "__main__":
    asyncio.run(main())
