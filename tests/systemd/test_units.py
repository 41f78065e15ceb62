"""The unit files, read by systemd itself: they hold no mistake, and expose as little as they say."""

import re
import subprocess
from pathlib import Path

import pytest

UNITS = sorted(Path("systemd").glob("*.service"))
MOST_EXPOSED = 1.8
"""of systemd-analyze's score, on which 0 is a sealed box and 10 an open door"""


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_exposes_little(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    score = re.search(r"exposure level for .*: ([0-9.]+)", told)
    assert score and float(score[1]) <= MOST_EXPOSED


def test_there_are_units() -> None:
    assert UNITS
