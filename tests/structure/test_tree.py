"""The shape of the tree: sizes, docstrings, what lies at the top, and a test beside every source file."""

import ast
import statistics
import subprocess
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 300
LONGEST_FUNCTION = 60
MEDIAN_FILE = 150
"""lines; about 110 is the aim"""

TOP = {
    *("appliance", "filters", "rules", "systemd", "tests", "docs", ".ci"),
    *("Makefile", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".gitignore"),
}

TESTED_ELSEWHERE = {
    # source: where it is tested, or why it needs no test of its own
    "appliance/ca.py": "tests/e2e: real clients accept what it signs, and refuse what it must not sign",
    "appliance/errors.py": "classes with a docstring; every test of an error sees them",
    "appliance/health.py": "a list of codes; test_snapshot sees the warnings",
    "appliance/sink.py": "tests/appliance/test_gate.py, with real sockets",
    "appliance/wire/__init__.py": "one enum and one error; every reader's test sees them",
}
BY_END_TO_END = (
    "appliance/cli/",
    "appliance/daemon/",
    "appliance/listeners/conversation.py",
    "appliance/listeners/http.py",
    "appliance/listeners/inspect.py",
    "appliance/listeners/inspected.py",
    "appliance/listeners/tcp.py",
    "appliance/listeners/tunnel.py",
)
"""needs processes, sockets and a browser: tests/e2e drives them as a person does"""

SOURCES = sorted([*(ROOT / "appliance").rglob("*.py"), *(ROOT / "filters").rglob("*.py")])
CODE = [path for path in SOURCES if path.name != "__init__.py" or path.stat().st_size > 400]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert lines(path) <= LONGEST_FILE, f"{name(path)} has {lines(path)} lines: find the part that has its own name"


def test_most_files_are_short(record_property: Callable[[str, object], None]) -> None:
    sizes = [lines(path) for path in CODE]
    median = statistics.median(sizes)
    record_property("files", f"{len(sizes)} files, median {median:.0f} lines, longest {max(sizes)}")
    assert median <= MEDIAN_FILE


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_function_fits_a_screen(path: Path) -> None:
    long = [
        f"{name(path)}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree(path))
        if isinstance(node, Function) and node.end_lineno and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long, long


def public(body: list[ast.stmt], prefix: str = "") -> list[tuple[str, Function | ast.ClassDef]]:
    """Functions and classes that others may use, with the methods of such classes."""
    found: list[tuple[str, Function | ast.ClassDef]] = []
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            found.append((prefix + node.name, node))
            if isinstance(node, ast.ClassDef):
                found += public(node.body, f"{prefix}{node.name}.")
    return found


def answers_a_library(path: Path, dotted: str) -> bool:
    """Hooks that mitmproxy calls are documented by mitmproxy."""
    return name(path) == "appliance/listeners/inspect.py" and "." in dotted


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_everything_public_says_what_it_is(path: Path) -> None:
    module = tree(path)
    assert ast.get_docstring(module), f"{name(path)}: the first line says what the module is"
    silent = [
        dotted
        for dotted, node in public(module.body)
        if not ast.get_docstring(node) and not answers_a_library(path, dotted)
    ]
    assert not silent, f"{name(path)}: no docstring: {silent}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_swallows_every_error(path: Path) -> None:
    """`except Exception` stands in the gate, which answers with the policy, and at the top of a process."""
    if name(path) == "appliance/gate.py" or name(path).startswith("appliance/daemon/"):
        return
    wide = [
        f"{name(path)}:{node.lineno}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert not wide, f"an error that nobody expected must not be hidden: {wide}"


def test_the_top_level_is_as_agreed() -> None:
    found = {part.partition("/")[0] for part in kept()}
    assert found <= TOP, f"these have no place at the top: {sorted(found - TOP)}"
    missing = {part for part in TOP if not (ROOT / part).exists()}
    assert not missing, f"these are missing: {sorted(missing)}"


def kept() -> list[str]:
    """The files of the project: what git keeps or would keep; without git, what .gitignore does not name."""
    if (ROOT / ".git").exists():
        asked = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False)
        if told.returncode == 0:
            return told.stdout.splitlines()
    ignored = [
        line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    return [entry.name for entry in ROOT.iterdir() if not any(fnmatch(entry.name, one) for one in [*ignored, ".git"])]


@pytest.mark.parametrize("path", CODE, ids=name)
def test_every_source_file_has_a_test_file(path: Path) -> None:
    relative = path.relative_to(ROOT)
    own = ROOT / "tests" / relative.parent / f"test_{relative.stem}.py"
    if own.exists() or name(path).startswith(BY_END_TO_END):
        return
    assert name(path) in TESTED_ELSEWHERE, f"{own.relative_to(ROOT)} is missing, and TESTED_ELSEWHERE gives no reason"


def test_no_reason_is_given_for_a_file_that_is_gone_or_tested() -> None:
    for source in TESTED_ELSEWHERE:
        path = ROOT / source
        assert path.exists(), f"{source} is gone: take it out of TESTED_ELSEWHERE"
        beside = ROOT / "tests" / path.relative_to(ROOT).parent / f"test_{path.stem}.py"
        assert not beside.exists(), f"{source} has {beside.name} now: take it out of TESTED_ELSEWHERE"
