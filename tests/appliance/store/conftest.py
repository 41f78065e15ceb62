"""A state folder with an empty store in it, copied rather than made anew for each test."""

import shutil
from pathlib import Path

import pytest

from appliance.store.migrations import migrate
from appliance.store.schema import STORE


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / STORE
    migrate(path)
    return path


@pytest.fixture
def state(tmp_path: Path, empty: Path) -> Path:
    shutil.copy(empty, tmp_path / STORE)
    return tmp_path
