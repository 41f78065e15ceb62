from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.store.pace import BATCH, BURST, GAP, REFILL, Pace

pauses = st.lists(st.floats(0, 400) | st.just(0.0) | st.just(GAP), min_size=1, max_size=300)


def commits_of(pauses: list[float], waiting: int) -> list[tuple[float, float]]:
    """When each commit was made and since when its first event waited, if each event comes a pause after a commit."""
    pace, at, made = Pace(), 0.0, []
    for pause in pauses:
        since = at + pause
        at = max(since, pace.due(since, waiting))
        pace.spend(at)
        made.append((at, since))
    return made


@given(pauses, st.integers(1, 2 * BATCH))
def test_commits_are_never_closer_than_the_gap(pauses: list[float], waiting: int) -> None:
    made = [at for at, _ in commits_of(pauses, waiting)]
    assert all(later - earlier >= GAP - 1e-6 for earlier, later in pairwise(made))


@given(pauses, st.integers(1, BATCH - 1))
def test_no_time_has_more_commits_than_the_allowance(pauses: list[float], waiting: int) -> None:
    made = [at for at, _ in commits_of(pauses, waiting)]
    for first in range(len(made)):
        span = made[-1] - made[first]
        assert len(made) - first <= BURST + span / REFILL + 1e-6


@given(pauses, st.integers(1, 2 * BATCH))
def test_an_event_waits_for_one_refill_at_most(pauses: list[float], waiting: int) -> None:
    assert all(at - since <= max(GAP, REFILL) + 1e-6 for at, since in commits_of(pauses, waiting))


@pytest.mark.parametrize(("waiting", "wait"), [(1, REFILL), (BATCH - 1, REFILL), (BATCH, GAP)])
def test_after_the_allowance_only_a_full_batch_goes_at_the_gap(waiting: int, wait: float) -> None:
    made = [at for at, _ in commits_of([0.0] * 3 * BURST, waiting)]
    assert made[1] - made[0] == GAP
    assert made[-1] - made[-2] == pytest.approx(wait)


def test_a_quiet_night_fills_the_allowance_again() -> None:
    made = [at for at, _ in commits_of([0.0] * 3 * BURST + [BURST * REFILL] + [0.0] * 10, 1)]
    assert made[-1] - made[-2] == GAP


@pytest.mark.parametrize("waiting", [1, BATCH])
def test_what_a_commit_left_over_waits_for_the_gap_too(waiting: int) -> None:
    pace = Pace()
    pace.spend(100.0)
    assert pace.due(50.0, waiting) == pace.free == 100.0 + GAP
