"""What the box says of itself: every process is asked, and the answers are added up. Counts, no hosts, no devices."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from appliance import control
from appliance.daemon.process import DAEMON
from appliance.snapshot import Paths


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a running box."""

    processes: tuple[Mapping[str, object], ...]
    """name, state, restarts and pid of each"""
    in_use: Mapping[str, int] = field(default_factory=dict)
    """lane → connections now"""
    used: Mapping[str, int] = field(default_factory=dict)
    """lane → connections since the start"""
    judged: Mapping[str, int] = field(default_factory=dict)
    """action → verdicts since the start; protected names are in no count"""
    blocked: Mapping[str, int] = field(default_factory=dict)
    """category, or reason where there is none → refusals since the start"""
    events: Mapping[str, object] = field(default_factory=dict)
    """what the recorder says of itself"""
    warnings: tuple[Mapping[str, str], ...] = ()


def gather(paths: Paths) -> Status | None:
    """Ask every process; None where no supervisor answers, so that the box is not running."""
    daemon = control.ask(paths.run / f"{DAEMON}.sock", "status")
    if daemon is None:
        return None
    names = [str(process["name"]) for process in daemon["processes"]]
    answers = {name: control.ask(paths.run / f"{name}.sock", "status") or {} for name in names if name != "web"}
    gates = [answer for name, answer in answers.items() if name.startswith("gate-")]
    workers = [answer for name, answer in answers.items() if name.startswith("inspect-")]
    in_use = _added(gates, "lanes")
    in_use["inspect"] = sum(int(worker.get("connections", 0)) for worker in workers)
    recorder = answers.get("recorder", {})
    told = [*daemon["warnings"], *recorder.get("warnings", [])]
    told += [warning for gate in gates for warning in gate.get("warnings", [])]
    return Status(
        tuple(daemon["processes"]),
        in_use,
        _added(gates, "used"),
        _added(gates, "judged"),
        _added([*gates, *workers], "blocked"),
        recorder,
        tuple({warning["code"]: warning for warning in told}.values()),
    )


def _added(answers: Iterable[control.Message], key: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for answer in answers:
        total.update(answer.get(key, {}))
    return total
