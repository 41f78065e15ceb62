"""The benchmarks keep running: every module imports, and the smallest of them measures something. Nothing is timed."""

import importlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

HERE = Path(__file__).parent
MODULES = [*sorted(path.stem for path in HERE.glob("bench_*.py")), "run"]
RIG = sorted(f"rig.{path.stem}" for path in (HERE / "rig").glob("*.py"))


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when run.py is started: its own folder comes first."""
    monkeypatch.syspath_prepend(str(HERE))


@pytest.mark.parametrize("name", [*MODULES, *RIG])
def test_it_imports(name: str) -> None:
    assert importlib.import_module(name).__doc__


def test_every_benchmark_is_in_the_entrys_list() -> None:
    run = importlib.import_module("run")
    assert {f"bench_{name}" for name in run.NAMES} | {"run"} == set(MODULES)


def test_rules_are_measured(tmp_path: Path) -> None:
    setting = importlib.import_module("rig.setting").Setting(tmp_path, "localhost", quick=True, count=20_000)
    findings = importlib.import_module("bench_rules").measure(setting)
    figures = {row.what: row for row in findings.rows}
    assert figures["rules: on disk"].kept is None, "the budget is for three million names"
    assert 10 < figures["rules: on disk"].value < 40
    assert all(row.value > 0 for row in findings.rows)


def test_made_names_are_names_all_different_and_the_same_every_time() -> None:
    names = importlib.import_module("rig.names")
    made = list(names.synthetic(20_000))
    assert made == list(names.synthetic(20_000))
    assert len(set(made)) == len(made)
    assert not set(made) & set(names.synthetic(20_000, seed=2))
    normalise = importlib.import_module("filters.names").normalise
    assert all(normalise(name) == name for name in made)


@pytest.mark.parametrize(
    ("value", "at_most", "at_least", "kept"),
    [
        (5.0, 5.0, None, True),
        (5.1, 5.0, None, False),
        (0.9, None, 1.0, False),
        (1.0, None, 1.0, True),
        (3.0, None, None, None),
    ],
)
def test_a_row_knows_whether_its_budget_is_kept(
    value: float, at_most: float | None, at_least: float | None, kept: bool | None
) -> None:
    report = importlib.import_module("rig.report")
    row = report.Row("this", value, "s", at_most, at_least)
    assert row.kept is kept
    printed = "\n".join(report.lines(report.Findings([row])))
    assert ("NO" in printed) is (kept is False)


class _Page(BaseHTTPRequestHandler):
    """The page of 1 kB, and nothing else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"x" * 1_024 if self.path == "/1k" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """The port of a server on loopback, and the file of the authority that signed for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port, str(tmp_path / "authority.pem")
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("each", [1, 5])
def test_the_load_counts_what_the_origin_answers(origin: tuple[int, str], each: int) -> None:
    load = importlib.import_module("rig.load")
    port, authority = origin
    order = load.Order(port, "localhost", 0, clients=3, each=each, most=30, seconds=20.0)
    assert load.fetch(order, authority)[0] > 1_024
    assert 60 <= load.press(order).answers <= 64
    with pytest.raises(load.Broken, match="404"):
        load.press(replace(order, path="/nothing"))
