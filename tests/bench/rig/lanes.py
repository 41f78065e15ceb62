"""The paths that are measured beside each other, each started with a configuration of ours: Squid, HAProxy, mitmproxy.

A peer gets what it does best at: no log, no cache, its own threads, and a blocklist of 20,000 names in its fast form.
"""

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rig.load import Order
from rig.names import synthetic
from rig.origin import Origin
from rig.processes import Started, find, free_port, pss, start

LISTED = 20_000
"""names on a peer's blocklist"""


@dataclass(frozen=True, slots=True)
class Lane:
    """One way to the origin."""

    name: str
    port: int
    connects: bool
    """whether it is an explicit proxy, so that a client begins with CONNECT"""
    started: Started | None
    authority: Path
    """whose certificate a client sees: the origin's own, unless the lane decrypts"""

    def order(self, origin: Origin, path: str = "/1k", **more: int | float) -> Order:
        """An order for load over this lane."""
        asked = origin.port if self.connects else 0
        return Order(self.port, origin.host, asked, path, **more)  # type: ignore[arg-type]

    def pids(self) -> list[int]:
        """The lane's processes."""
        return self.started.pids() if self.started else []

    def memory(self) -> float:
        """MiB of all its processes."""
        return pss(self.pids())

    def stop(self) -> None:
        """End its processes."""
        if self.started:
            self.started.stop()


def direct(origin: Origin) -> Lane:
    """No filter at all."""
    return Lane("direct", origin.port, False, None, origin.authority)


_SQUID = """\
http_port 127.0.0.1:{port} ssl-bump tls-cert={pair} generate-host-certificates=off
acl step1 at_step SslBump1
acl listed_name ssl::server_name "{names}"
acl listed_host dstdomain "{names}"
ssl_bump peek step1
ssl_bump terminate listed_name
ssl_bump splice all
http_access deny listed_host
http_access allow all
cache deny all
cache_mem 0
access_log none
cache_log {folder}/cache.log
cache_store_log none
pid_filename {folder}/pid
coredump_dir {folder}
shutdown_lifetime 0 seconds
pinger_enable off
netdb_filename none
max_filedescriptors 8192
visible_hostname bench.invalid
"""


def squid(folder: Path, origin: Origin) -> Lane:
    """Squid as an explicit proxy that peeks at the ClientHello and splices. Raises LookupError, DidNotStart."""
    program = _found("squid", "squid-openssl")
    own = _folder(folder, "squid")
    if os.getuid() == 0:
        shutil.chown(own, "proxy")  # Debian's Squid serves as this user where root starts it
    port = free_port()
    text = _SQUID.format(port=port, pair=origin.authority_pair, names=_names(own), folder=own)
    (own / "squid.conf").write_text(text, encoding="utf-8")
    service = f"bench{os.getpid()}"  # its shared memory is called so
    started = start("squid", [program, "-N", "-n", service, "-f", own / "squid.conf"], own)
    started.wait_for_port(port)
    return Lane("Squid peek+splice", port, True, started, origin.authority)


_HAPROXY = """\
global
    maxconn 4000
defaults
    mode tcp
    option splice-auto
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend devices
    bind 127.0.0.1:{port}
    tcp-request inspect-delay 5s
    tcp-request content reject if {{ req.ssl_sni,lower -m str -f {names} }}
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin_port}
"""


def haproxy(folder: Path, origin: Origin) -> Lane:
    """HAProxy reading the SNI; no proxy for CONNECT, so it is spared that round trip. Raises LookupError."""
    program = _found("haproxy", "haproxy")
    own = _folder(folder, "haproxy")
    port = free_port()
    text = _HAPROXY.format(port=port, names=_names(own), origin_port=origin.port)
    (own / "haproxy.cfg").write_text(text, encoding="utf-8")
    started = start("haproxy", [program, "-db", "-f", own / "haproxy.cfg"], own)
    started.wait_for_port(port)
    return Lane("HAProxy SNI", port, False, started, origin.authority)


def mitmproxy_passing(folder: Path, origin: Origin) -> Lane:
    """mitmproxy alone, told to decrypt nothing."""
    return _mitmdump("mitmproxy pass-through", folder, origin, ["--ignore-hosts", ".*"], decrypts=False)


def mitmproxy_inspecting(folder: Path, origin: Origin) -> Lane:
    """mitmproxy alone, as it comes: it decrypts and keeps each body whole until it has it."""
    return _mitmdump("mitmproxy inspect", folder, origin, [], decrypts=True)


def _mitmdump(name: str, folder: Path, origin: Origin, more: Iterable[str], decrypts: bool) -> Lane:
    own = _folder(folder, name.replace(" ", "-"))
    port = free_port()
    trusts = f"ssl_verify_upstream_trusted_ca={origin.authority}"
    command: list[str | Path] = [
        Path(sys.executable).parent / "mitmdump",
        "-q",
        "--listen-host",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    started = start(name, [*command, "--set", f"confdir={own}", "--set", trusts, *more], own)
    started.wait_for_port(port)
    return Lane(name, port, True, started, own / "mitmproxy-ca-cert.pem" if decrypts else origin.authority)


def _found(program: str, package: str) -> str:
    path = find(program)
    if path is None:
        raise LookupError(f"{program} is not installed (`apt-get install {package}`)")
    return path


def _folder(folder: Path, name: str) -> Path:
    own = folder / name
    own.mkdir()
    return own


def _names(folder: Path) -> Path:
    names = folder / "names.txt"
    names.write_text("".join(f"{name}\n" for name in synthetic(LISTED, seed=9)), encoding="ascii")
    return names
