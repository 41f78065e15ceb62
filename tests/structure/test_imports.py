"""Who may import whom. Plain `ast`: no module is run. Each rule carries its reason, and a failure prints it."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS: tuple[tuple[str, ...], ...] = (
    # downward only, and parts on one line do not import each other; the longest prefix places a module
    ("appliance.cli",),
    ("appliance.daemon",),
    ("appliance.listeners", "appliance.web", "appliance.hub", "appliance.network"),
    ("appliance.gate", "appliance.store", "appliance.vitals", "appliance.lists", "appliance.sink", "appliance.probe"),
    ("appliance.snapshot", "appliance.enforcement", "appliance.scenarios"),
    ("appliance.tables", "appliance.overrides", "appliance.network.clients", "appliance.ca"),
    ("appliance.config", "appliance.wire"),
    (
        "appliance.notice",
        "appliance.settings",
        "appliance.control",
        "appliance.files",
        "appliance.clock",
        "appliance.health",
    ),
    ("filters",),
    ("appliance.errors",),
)
LAYERS_REASON = "what is below must be understood, tested and changed without what is above it"

NOT_YET = {"appliance.hub", "appliance.vitals", "appliance.network.watch"}
"""named by the architecture, not written yet; to be taken out of here with their first line"""

DOORS: dict[str, tuple[tuple[str, ...], str]] = {
    # library: (where it may be imported, why)
    "mitmproxy": (("appliance.listeners.inspect",), "its makers change their interfaces; an upgrade touches one file"),
    "sqlite_utils": (("appliance.store",), "one writer, one schema: nothing else knows that there is a database"),
    "sqlite3": (("appliance.store",), "one writer, one schema: nothing else knows that there is a database"),
    "scapy": (("appliance.network.watch",), "GPL-2.0-only and needs raw sockets: it stays in a process of its own"),
    "psutil": (("appliance.vitals",), "one place measures the machine"),
    "click": (("appliance.cli",), "what the command does can be tested and used without the command"),
    "rich": (("appliance.cli",), "only a person at a terminal needs bars and tables"),
    "h11": (("appliance.listeners",), "http is read where it enters, and nowhere twice"),
    "starlette": (("appliance.web",), "no other process carries a web framework in its memory"),
    "uvicorn": (("appliance.web",), "no other process carries a web framework in its memory"),
    "jinja2": (("appliance.web",), "no other process carries a template engine in its memory"),
    "cryptography": (("appliance.ca",), "one file handles keys, so that one file can be reviewed"),
    "certifi": (("appliance.daemon.inspect",), "one process verifies servers; it only asks where the file lies"),
    "publicsuffixlist": (("appliance.lists", "appliance.store"), "it is slow: it is asked on import and on writing"),
}

PURE = frozenset(
    [
        "abc",
        "array",
        "bisect",
        "collections",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
        "hashlib",
        "ipaddress",
        "itertools",
        "json",
        "re",
        "struct",
        "typing",
        "unicodedata",
    ]
)
"""standard modules that neither wait, nor look at a clock, nor touch the world"""
PURE_REASON = "it is what we claim is right, and it is tested with values alone: no I/O, no clock, no third party"

BEYOND_REPORT = "a slow disk or a page must not delay a packet, and a hole in one is not a hole in all"


@dataclass(frozen=True)
class Never:
    """These never import those."""

    who: str
    whom: tuple[str, ...]
    reason: str


RELATIONS = (
    Never("appliance.listeners", ("appliance.store", "appliance.web", "appliance.lists"), BEYOND_REPORT),
    Never("appliance.web", ("appliance.ca", "appliance.listeners"), "the web never sees the authority's private key"),
    Never("filters", ("appliance", "rules"), "the decision point knows nothing of what is built around it"),
    Never("appliance", ("tests",), "the box runs without its tests"),
    Never("appliance.daemon.gate", ("appliance.ca",), "a gate holds no secret"),
    Never("appliance.store", ("filters.engine", "appliance.snapshot"), "the store keeps events and judges nothing"),
)


@dataclass(frozen=True)
class Import:
    """One import of one module."""

    module: str
    line: int
    name: str
    """dotted; for `from a import b` it is "a.b", which may name a module or something in one"""

    def __str__(self) -> str:
        return f"{self.module.replace('.', '/')}.py:{self.line} imports {self.name}"


def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for folder in ("appliance", "filters", "rules"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def imports_of(module: str, path: Path) -> Iterator[Import]:
    """All imports, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written in full, so that they can be searched"
            for alias in node.names:
                yield Import(module, node.lineno, f"{node.module}.{alias.name}")


MODULES = modules()
IMPORTS = [one for module, path in MODULES.items() for one in imports_of(module, path)]
OURS = [one for one in IMPORTS if one.name.partition(".")[0] in ("appliance", "filters", "rules", "tests")]


def within(name: str, part: str) -> bool:
    return f"{name}.".startswith(f"{part}.")


def layer(name: str) -> tuple[int, str] | None:
    """(row, part) of a module or of something in one; None for what no row names."""
    parts = [(row, part) for row, line in enumerate(LAYERS) for part in line if within(name, part)]
    return max(parts, key=lambda found: len(found[1]), default=None)


def test_every_module_has_a_layer() -> None:
    lost = [name for name in MODULES if layer(name) is None and name not in ("appliance", "rules")]
    assert not lost, f"place these in LAYERS (and in CONTRIBUTING.md): {lost}"


def test_imports_go_downward_only() -> None:
    wrong = []
    for one in OURS:
        own, other = layer(one.module), layer(one.name)
        if own and other and own != other and other[0] <= own[0]:
            how = "beside it" if other[0] == own[0] else "above it"
            wrong.append(f"{one}, which stands {how}")
    assert not wrong, f"{LAYERS_REASON}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("library", DOORS)
def test_one_library_one_door(library: str) -> None:
    doors, reason = DOORS[library]
    wrong = [
        str(one) for one in IMPORTS if within(one.name, library) and not any(within(one.module, at) for at in doors)
    ]
    assert not wrong, f"{library} is for {' and '.join(doors)} only, because {reason}:\n" + "\n".join(wrong)


def test_every_library_has_a_door() -> None:
    ours = {"appliance", "filters", "rules"}
    used = {one.name.partition(".")[0] for one in IMPORTS} - ours - sys.stdlib_module_names
    assert used <= set(DOORS), f"say in DOORS where these may be imported, and why: {sorted(used - set(DOORS))}"


def dependencies() -> set[str]:
    """What pyproject.toml wants installed with the box."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return {re.split(r"[^A-Za-z0-9_.-]", text)[0].replace("-", "_").lower() for text in wanted}


def test_every_dependency_is_used_or_planned() -> None:
    """A dependency that nothing imports is weight on every school's link."""
    idle = dependencies() - set(DOORS) - {"tzdata"}
    assert not idle, f"no door is named for {sorted(idle)}"


def test_every_library_that_is_imported_is_asked_for() -> None:
    """One that comes along with another may stop doing so at the next upgrade."""
    missing = set(DOORS) - dependencies() - sys.stdlib_module_names
    assert not missing, f"pyproject.toml does not name {sorted(missing)}"


@pytest.mark.parametrize("part", ["filters", "appliance.wire"])
def test_what_is_pure_stays_pure(part: str) -> None:
    own = ("filters",) if part == "filters" else ("filters", part)
    wrong = [
        str(one)
        for one in IMPORTS
        if within(one.module, part)
        and one.name.partition(".")[0] not in PURE
        and not any(within(one.name, allowed) for allowed in own)
    ]
    assert not wrong, f"{part}: {PURE_REASON}:\n" + "\n".join(wrong)


def test_the_pure_parts_ask_no_clock() -> None:
    """`datetime` may be imported there for its types; the time itself comes in with the request."""
    asking = {"now", "utcnow", "today", "fromtimestamp"}
    wrong = [
        f"{path}:{node.lineno}: {node.attr}"
        for module, path in MODULES.items()
        if within(module, "filters") or within(module, "appliance.wire")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in asking
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("rule", RELATIONS, ids=lambda rule: rule.who)
def test_never(rule: Never) -> None:
    wrong = [
        str(one) for one in OURS if within(one.module, rule.who) and any(within(one.name, part) for part in rule.whom)
    ]
    assert not wrong, f"{rule.who} never imports {' or '.join(rule.whom)}: {rule.reason}:\n" + "\n".join(wrong)


def test_the_web_process_takes_no_more_of_the_authority_than_its_certificate() -> None:
    taken = {one.name for one in OURS if one.module == "appliance.daemon.web" and within(one.name, "appliance.ca")}
    assert taken <= {"appliance.ca.certificate_path"}, f"the key is for inspect workers only: {sorted(taken)}"


def test_nothing_is_imported_by_a_name_made_at_run_time() -> None:
    """Such an import would pass by every rule above. The command may: it starts processes, which lie below it."""
    makers = {"import_module", "__import__", "exec", "eval"}
    wrong = [
        f"{path}:{node.lineno}"
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and not within(module, "appliance.cli")
        and (getattr(node.func, "id", "") or getattr(node.func, "attr", "")) in makers
    ]
    assert not wrong, wrong


def test_no_rule_names_a_module_that_is_gone() -> None:
    """Rules would rot in silence."""
    named = {part for row in LAYERS for part in row}
    named |= {door for doors, _ in DOORS.values() for door in doors}
    named |= {part for rule in RELATIONS for part in (rule.who, *rule.whom) if part != "tests"}
    gone = sorted(name for name in named - NOT_YET if name not in MODULES)
    assert not gone, f"no module is called {gone}: change the rules above"
    here = sorted(name for name in NOT_YET if name in MODULES)
    assert not here, f"{here} exist now: take them out of NOT_YET"


def test_no_standard_module_on_the_pure_list_is_idle() -> None:
    used = {one.name.partition(".")[0] for one in IMPORTS if within(one.module, "filters")}
    assert used & PURE == PURE, f"nothing imports {sorted(PURE - used)} any more: take it off the list"
