"""State folders for the tests of the command: an empty one, and one with a rule set, built once and copied."""

import shutil
from pathlib import Path

import pytest

from tests.appliance.cli.command import Command


@pytest.fixture
def fresh(tmp_path: Path) -> Command:
    """A box that never ran: its folder does not even exist."""
    return Command(tmp_path / "fresh")


@pytest.fixture(scope="session")
def prototype(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("prototype") / "state"
    Command(state).good("rules", "build")
    return state


@pytest.fixture
def box(prototype: Path, tmp_path: Path) -> Command:
    """A box with the rule set that it begins with."""
    return Command(Path(shutil.copytree(prototype, tmp_path / "state")))
