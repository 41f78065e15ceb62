"""The one origin server that all paths lead to: nginx with TLS 1.3, a page of 1 kB and large files of nothing."""

import os
from dataclasses import dataclass
from pathlib import Path

import trustme
from rig.machine import CORES
from rig.processes import Started, find, free_port, start

BIG, HUGE = 200_000_000, 1_000_000_000
"""bytes of /big and /huge"""

_CONFIG = """\
{user}
worker_processes {cores};
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    keepalive_requests 100000000;
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_certificate {folder}/origin.pem;
        ssl_certificate_key {folder}/origin.pem;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        root {folder}/www;
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where it is, and whose certificate it shows."""

    host: str
    port: int
    authority: Path
    """the certificate of the authority that signed for it (P-256)"""
    authority_pair: Path
    """that certificate and its key, for proxies that want one"""
    server: Started

    def stop(self) -> None:
        """End the server."""
        self.server.stop()


def start_origin(folder: Path, host: str) -> Origin:
    """Raises DidNotStart; LookupError where nginx is not installed."""
    nginx = find("nginx")
    if nginx is None:
        raise LookupError("nginx is not installed (`apt-get install nginx-light`)")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    issued = authority.issue_cert(host)
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "origin.pem")
    pair = folder / "authority-pair.pem"
    pair.write_bytes(authority.cert_pem.bytes() + authority.private_key_pem.bytes())
    www = folder / "www"
    www.mkdir()
    (www / "1k").write_bytes(b"schoolgate bench " * 60 + b"end.")
    for name, size in (("big", BIG), ("huge", HUGE)):
        with (www / name).open("wb") as file:
            file.truncate(size)
    port = free_port()
    user = "user root;" if os.getuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(user=user, cores=CORES, folder=folder, port=port), encoding="utf-8")
    server = start("origin", [nginx, "-e", folder / "nginx.err", "-c", config, "-p", folder], folder)
    server.wait_for_port(port)
    return Origin(host, port, folder / "authority.pem", pair, server)
