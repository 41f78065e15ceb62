"""Names for the box's processes, as the DNS of a school would give them: loaded by Python itself from PYTHONPATH.

SCHOOLGATE_TEST_NAMES is a JSON object of name → addresses; a name covers those below it, the longest one decides, and
no address means that the name does not exist. Every other name goes to the machine's own resolver. Only getaddrinfo is
stood in for, so the tests need neither root nor a line in /etc/hosts.
"""

import json
import os
import socket
from typing import Any

_NAMES: dict[str, list[str]] = json.loads(os.environ.get("SCHOOLGATE_TEST_NAMES", "{}"))
_getaddrinfo = socket.getaddrinfo


def _known(host: object) -> list[str] | None:
    name = host if isinstance(host, str) else ""
    while name:
        if name in _NAMES:
            return _NAMES[name]
        name = name.partition(".")[2]
    return None


def _answer(host: Any, *args: Any, **kwargs: Any) -> Any:
    addresses = _known(host)
    if addresses is None:
        return _getaddrinfo(host, *args, **kwargs)
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return [row for address in addresses for row in _getaddrinfo(address, *args, **kwargs)]


if _NAMES:
    socket.getaddrinfo = _answer
