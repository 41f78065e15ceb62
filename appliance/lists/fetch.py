"""Fetches a list from the web into a folder: once, then only when the server says that it has changed.

The file in the folder is whole or not there: a download that fails, is cut off or turns out to be a web page leaves
the last good one in its place.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from appliance.errors import ListError
from appliance.files import read_json, write_atomic, write_json
from appliance.lists.archive import CHUNK, Progress
from filters.formats import not_a_list
from filters.syntax import Problem

MOST_BYTES = 256 << 20
TIMEOUT = 30.0
"""seconds without a byte"""
_KEPT = "The last good list is kept. "


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from the web."""

    path: Path
    changed: bool
    """False when the server says that it is the one fetched before"""


def is_url(where: str) -> bool:
    """Whether `where` is a web address and no path."""
    return re.match(r"https?://", where, re.IGNORECASE) is not None


def fetch(url: str, folder: Path, progress: Progress | None = None) -> Fetched:
    """The file at the address, new or as fetched before. Raises ListError."""
    path, about = _places(url, folder)
    known = read_json(about) if path.exists() else None
    headers = {"User-Agent": "Schoolgate", "Accept-Encoding": "identity"}
    if isinstance(known, dict) and known.get("url") == url:
        headers |= {header: known[key] for key, header in _VALIDATORS.items() if isinstance(known.get(key), str)}
    try:
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 304:
            return Fetched(path, changed=False)
        hint = f"{_KEPT}Look in a browser whether the address is still right."
        raise ListError(f"{url}: the server answers {error.code} {error.reason}", hint) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _unreachable(url, error) from error
    with response:
        _keep(response, url, path, about, progress)
    return Fetched(path, changed=True)


_VALIDATORS = {"etag": "If-None-Match", "modified": "If-Modified-Since"}


def _places(url: str, folder: Path) -> tuple[Path, Path]:
    """Where the file is kept, and what the server said of it."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", url.partition("?")[0].rstrip("/").rpartition("/")[2])[-80:].lstrip(".")
    kept = folder / blake2b(url.encode(errors="replace"), digest_size=8).hexdigest()
    return kept / (name or "list"), kept / ".about.json"


def _keep(response: HTTPResponse, url: str, path: Path, about: Path, progress: Progress | None) -> None:
    if urlsplit(response.url).scheme not in ("http", "https"):
        raise ListError(f"{url}: leads away from the web", _KEPT.strip())
    modified = response.headers.get("Last-Modified")
    try:
        write_atomic(path, _body(response, url, progress))
        with suppress(TypeError, ValueError, OverflowError):
            stamp = parsedate_to_datetime(modified or "").timestamp()
            os.utime(path, (stamp, stamp))
        write_json(about, {"url": url, "etag": response.headers.get("ETag"), "modified": modified})
    except OSError as error:
        raise ListError(f"{path}: cannot be written ({error.strerror})", f"{_KEPT}Make room on the disk.") from error


def _body(response: HTTPResponse, url: str, progress: Progress | None) -> Iterator[bytes]:
    """What the server sends, as long as it can be a list."""
    length = response.headers.get("Content-Length", "")
    told, read = int(length) if length.isdecimal() else -1, 0
    while chunk := _chunk(response, url):
        page = not_a_list(chunk.decode(errors="replace")) if read == 0 else None
        if page and page.problem is Problem.WEB_PAGE:
            raise ListError(f"{url}: {page}", f"{_KEPT}Open the address in a browser: the network may want a sign-in.")
        read += len(chunk)
        if max(read, told) > MOST_BYTES:
            raise ListError(f"{url}: is larger than {MOST_BYTES >> 20} MiB", f"{_KEPT}It is no list.")
        yield chunk
        if progress:
            progress(read)
    if read < told:
        raise ListError(f"{url}: ended after {read:,} of {told:,} bytes", f"{_KEPT}Try again.")


def _chunk(response: HTTPResponse, url: str) -> bytes:
    try:
        return response.read(CHUNK)
    except (OSError, HTTPException) as error:
        raise _unreachable(url, error) from error


def _unreachable(url: str, error: Exception) -> ListError:
    return ListError(f"{url}: cannot be reached ({getattr(error, 'reason', error)})", f"{_KEPT}Try again later.")
