"""Reaching a server: name to addresses, addresses that may not be reached, and a connection to the first that answers.

The box must not become a way into the school's network or into itself, whatever a name resolves to.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from appliance.config import Config, Network
from appliance.errors import UpstreamError

STAGGER = 0.25
"""seconds before the next address is tried beside the last one (RFC 8305 section 5, Connection Attempt Delay)"""
KEPT = 60.0
"""seconds for which addresses are kept; the resolver's own times come with the DNS listener"""
KEPT_FAILED = 5.0
_LARGEST = 4_096


class NameNotFound(UpstreamError):
    """The name does not exist, or no resolver answers."""


class Forbidden(UpstreamError):
    """The name leads only to addresses that may not be reached through the box."""


class Dialer:
    """Connects to names. One for each process; its resolver threads are few, and the loop never waits for them."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._threads = ThreadPoolExecutor(8, "resolver")
        self._kept: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._asked: dict[str, asyncio.Future[tuple[str, ...]]] = {}

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a normalised host that may be reached on this port. Raises NameNotFound or Forbidden."""
        found = await self._resolve(host)
        if not found:
            raise NameNotFound(f"{host} was not found")
        config = self._config()
        own = {port for _, port in (*config.proxy, config.web)}
        allowed = tuple(
            address
            for address in found
            if may_be_reached(address, config.reachable) and not (port in own and is_own(address))
        )
        if not allowed:
            raise Forbidden(f"{host} leads into a network that cannot be reached from here")
        return allowed

    async def _resolve(self, host: str) -> tuple[str, ...]:
        if ":" in host or host.rpartition(".")[2].isdigit():
            return (host,)
        loop = asyncio.get_running_loop()
        until, found = self._kept.get(host, (0.0, ()))
        if loop.time() < until:
            return found
        asked = self._asked.get(host)
        if asked is None:
            asked = self._asked[host] = asyncio.ensure_future(self._ask(host))
            asked.add_done_callback(lambda _: self._asked.pop(host, None))
        return await asyncio.shield(asked)

    async def _ask(self, host: str) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        try:
            answer = await asyncio.wait_for(
                loop.run_in_executor(self._threads, _getaddrinfo, host), self._config().connect_seconds
            )
        except (OSError, TimeoutError, UnicodeError):
            answer = ()
        if len(self._kept) >= _LARGEST:
            self._kept.clear()
        self._kept[host] = (loop.time() + (KEPT if answer else KEPT_FAILED), answer)
        return answer

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected non-blocking socket. Raises NameNotFound, Forbidden or UpstreamError."""
        addresses = await self.addresses(host, port)
        try:
            seconds = self._config().connect_seconds
            if len(addresses) == 1:
                return await _connect(addresses[0], port, seconds)
            async with asyncio.timeout(seconds):
                return await _race(addresses, port, seconds)
        except TimeoutError as error:
            raise UpstreamError(f"{host} did not answer in time") from error
        except OSError as error:
            raise UpstreamError(f"{host} cannot be reached ({error.strerror or error})") from error


def _getaddrinfo(host: str) -> tuple[str, ...]:
    rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


async def _connect(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to one address. asyncio's sock_connect() would look the address up once more."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = connection.connect_ex((address, port))
        if error == errno.EINPROGRESS:
            await _writable(connection, seconds)
            error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
    except BaseException:
        connection.close()
        raise
    return connection


async def _writable(connection: socket.socket, seconds: float) -> None:
    """Wait until the socket can be written, or raise TimeoutError."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    timer = loop.call_later(seconds, _set_late, waiter)
    loop.add_writer(connection, _set_done, waiter)
    try:
        await waiter
    finally:
        timer.cancel()
        loop.remove_writer(connection)


def _set_done(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _set_late(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError("no answer"))


async def _race(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """The first of several addresses to answer, each begun STAGGER after the one before (RFC 8305)."""
    tasks: list[asyncio.Task[socket.socket]] = []
    waiting: set[asyncio.Task[socket.socket]] = set()
    error: BaseException = OSError("no address")
    try:
        for address in (*addresses, None):
            if address is not None:
                task = asyncio.ensure_future(_connect(address, port, seconds))
                tasks.append(task)
                waiting.add(task)
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=None if address is None else STAGGER, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    if (failed := task.exception()) is None:
                        return task.result()
                    error = failed
                if address is not None and (done or waiting):
                    break
        raise error
    finally:
        won = next((task for task in tasks if task.done() and not task.cancelled() and not task.exception()), None)
        for task in tasks:
            if not task.done():
                task.cancel()
            elif task is not won and not task.cancelled() and not task.exception():
                task.result().close()


@lru_cache(maxsize=8192)
def may_be_reached(text: str, reachable: tuple[Network, ...]) -> bool:
    """Whether a connection to this address may be made for a client: public addresses, and the networks that the
    configuration names. Addresses that carry another one inside (IPv4-mapped, 6to4, NAT64) are judged by both."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return all(_public(one) or any(one in network for network in reachable) for one in _inside(address))


@lru_cache(maxsize=1024)
def is_own(address: str) -> bool:
    """Whether the address is one of this machine's: only those can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _inside(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    found: list[IPv4Address | IPv6Address] = [address]
    if address.sixtofour:
        found.append(address.sixtofour)
    if address.packed[:12] == bytes.fromhex("0064ff9b" + "00" * 8):  # RFC 6052 section 2.1
        return [IPv4Address(address.packed[12:])]
    return found


def _public(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    )


_NOT_PUBLIC = tuple(ip_network(text) for text in ("fec0::/10", "3fff::/20", "5f00::/16"))
"""site-local (RFC 3879), documentation (RFC 9637) and segment routing (RFC 9602), which ipaddress takes for public"""
