"""What all tests share: Hypothesis profiles, the marker `needs`, and the rule that CI skips nothing.

`@pytest.mark.needs("chromium", "openssl")` skips a test, with the reason, where one of the programs is missing;
`@pytest.mark.root` does so where the tests do not run as root. With CI=true every skip, whatever its cause, fails
the run and is listed at its end, so that a green run means that everything ran.
"""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI") == "true"
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=False, print_blob=True)
settings.register_profile("fuzz", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if IN_CI else "dev")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): skipped where one of the programs is not installed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(program, path=SYSTEM_PATH) is None:
                pytest.skip(f"{program} is not installed: `make tools` gets it or says how")
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("this test must run as root")


def _skips(config: pytest.Config) -> list[pytest.TestReport]:
    """The skipped tests that the process which prints the summary has seen; empty in a worker of pytest-xdist."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("skipped", [])) if reporter else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    if IN_CI and session.exitstatus == pytest.ExitCode.OK and _skips(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skips = _skips(config)
    if IN_CI and skips:
        terminalreporter.section("skipped, which CI=true does not allow", red=True)
        for report in skips:
            terminalreporter.line(report.nodeid)
