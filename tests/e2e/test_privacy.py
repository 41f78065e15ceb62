"""What nobody may find out: after visits to help, and ordinary browsing, through every lane, no file of the box and
nothing it printed holds a name, a path, a word that was searched for, or a device's address."""

import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress

import httpx
import pytest

from appliance.tables import rules_folder
from tests.e2e.box import Box, until
from tests.e2e.client import Refused, fetch, fetch_secure, learn_trust, open_tunnel, secure, trusting
from tests.e2e.origin import Certificates, Origin

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-live")]

DEVICE, TRUSTING_DEVICE = "127.1.0.77", "127.10.0.77"
BLOCKED = "adult.schoolgate.test"
HELP = [
    line.partition("#")[0].strip()
    for line in (rules_folder() / "protected.txt").read_text(encoding="utf-8").splitlines()
    if "." in line.partition("#")[0] and "schoolgate" not in line
][::7]
"""every seventh protected name"""
ORDINARY = ["ordinary-rabbit.pages.example", "another-tortoise.pages.example"]
WORDS = ["planted-path-walrus", "planted-query-pelican", "planted-referer-ostrich", "planted-cookie-badger"]


@pytest.fixture(scope="module")
def names() -> dict[str, list[str]]:
    """Every other one exists."""
    return {name: ["127.0.0.1"] if number % 2 else [] for number, name in enumerate(HELP)}


@pytest.fixture(scope="module")
def visited(box: Box, origin: Origin, certificates: Certificates) -> Iterator[Box]:
    """The box after all visits."""
    trusts = learn_trust(box, TRUSTING_DEVICE)
    for host in (*HELP, *ORDINARY):
        visit(box, origin, host, trusting(certificates.path), trusts)
    for number, name in enumerate(HELP):  # a refusal that is recorded, with help all around it
        url = f"http://{BLOCKED}:{origin.http}/{WORDS[0]}/{name}?{WORDS[1]}={name}"
        fetch(box, url, DEVICE, headers={"Referer": f"https://{name}/{WORDS[2]}", "Cookie": f"a={name}{WORDS[3]}"})
        if number % 10 == 0:
            fetch_secure(box, BLOCKED, origin.https, trusts, TRUSTING_DEVICE, f"/{WORDS[0]}?{WORDS[1]}={name}")
    until(lambda: box.ask("recorder")["events_today"], 10, "the refusals are recorded")
    yield box


def visit(box: Box, origin: Origin, host: str, plain: ssl.SSLContext, trusts: ssl.SSLContext) -> None:
    """In every lane, also where it fails."""
    path = f"/{WORDS[0]}?{WORDS[1]}=help-me"
    headers = {"Referer": f"https://{host}/{WORDS[2]}", "Cookie": WORDS[3]}
    fetch(box, f"http://{host}:{origin.http}{path}", DEVICE, headers=headers)
    fetch(box, f"http://{host}:9{path}", DEVICE, headers=headers)
    for context, device in ((plain, DEVICE), (trusts, TRUSTING_DEVICE)):
        with suppress(OSError, Refused):  # the origin's certificate is not for them
            fetch_secure(box, host, origin.https, context, device, path)
    with suppress(Refused), open_tunnel(box, host, origin.http, DEVICE) as tunnel:
        tunnel.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        tunnel.recv(1000)
    with suppress(ssl.SSLError), secure(box, ORDINARY[0], origin.https, plain, DEVICE, name=host):
        pass
    for page in ("why", "help", f"?{host}", f"trust?{WORDS[1]}"):
        fetch(box, f"http://schoolgate.internal/{page}", DEVICE, headers=headers)


def found(box: Box, words: list[str]) -> dict[str, list[str]]:
    """File → which of the words it holds, whatever their case."""
    files = [path for path in box.folder.rglob("*") if path.is_file()]
    assert {box.output, box.state / "events.db"} <= set(files)
    held = {path: path.read_bytes().lower() for path in files}
    return {
        str(path.relative_to(box.folder)): bad
        for path, content in held.items()
        if (bad := [word for word in words if word.lower().encode() in content])
    }


def secrets() -> list[str]:
    return [*HELP, *ORDINARY, *WORDS, "help-me", DEVICE]


def test_nothing_is_written_while_the_box_runs(visited: Box) -> None:
    assert found(visited, secrets()) == {}


def test_nothing_is_told_by_the_status_either(visited: Box) -> None:
    told = [visited.cli("status"), visited.cli("status", "--json"), visited.cli("events", "--json")]
    told += [fetch(visited, "http://schoolgate.internal/why", TRUSTING_DEVICE).text]
    with httpx.Client() as browser:
        told += [browser.get("http://{}:{}{}".format(*visited.web, page)).text for page in ("/status", "/status.json")]
    for text in told:
        assert [word for word in secrets() if word in text] == []


def test_protected_names_are_in_no_count(visited: Box, origin: Origin) -> None:
    before = dict(visited.status().judged)
    for name in HELP[:20]:
        fetch(visited, f"http://{name}:{origin.http}/", DEVICE)
    assert dict(visited.status().judged) == before


def test_nothing_is_left_after_the_end(visited: Box) -> None:
    """The last test of the module: it stops the box."""
    assert visited.stop() == 0
    assert found(visited, secrets()) == {}
    with closing(sqlite3.connect(visited.state / "events.db")) as store:
        domains = {row[0] for row in store.execute("SELECT domain FROM events")}
    assert domains == {"schoolgate.test"}, "the refusals, by their registrable domain"
