import hashlib
import hmac
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.store.pseudonym import DAY, SECRET, Pseudonyms
from tests.appliance.store.support import NOON, FakeClock, bytes_of

CLIENTS = [f"10.20.{third}.{last}" for third in range(4) for last in range(50)]


def secret_of(state: Path) -> bytes:
    return bytes.fromhex(json.loads((state / SECRET).read_text())["secret"])


def test_a_pseudonym_is_the_beginning_of_the_keyed_digest(tmp_path: Path) -> None:
    pseudonyms = Pseudonyms(tmp_path, 120, FakeClock().now)
    expected = hmac.new(secret_of(tmp_path), b"10.20.3.4", hashlib.sha256).hexdigest()[:8]
    assert pseudonyms.of("10.20.3.4") == expected


@given(st.text())
def test_any_text_has_one(client: str) -> None:
    client = client.encode(errors="ignore").decode()
    pseudonyms = Pseudonyms(Path("/proc/no-such-folder"), 120, FakeClock().now)
    assert len(pseudonyms.of(client)) == 8
    assert pseudonyms.of(client) == pseudonyms.of(client)


def test_it_holds_for_the_term_also_after_a_restart_and_then_nothing_links(tmp_path: Path) -> None:
    clock = FakeClock()
    pseudonyms = Pseudonyms(tmp_path, 120, clock.now)
    first = [pseudonyms.of(client) for client in CLIENTS]
    clock.sleep(120 * DAY - 1)
    assert [Pseudonyms(tmp_path, 120, clock.now).of(client) for client in CLIENTS] == first
    clock.sleep(1)
    second = [pseudonyms.of(client) for client in CLIENTS]
    assert not set(first) & set(second)
    assert [Pseudonyms(tmp_path, 120, clock.now).of(client) for client in CLIENTS] == second


def test_the_old_secret_is_destroyed_at_the_end_of_the_term(tmp_path: Path) -> None:
    clock = FakeClock()
    pseudonyms = Pseudonyms(tmp_path, 120, clock.now)
    old = secret_of(tmp_path)
    with (tmp_path / SECRET).open("rb") as still_open:  # sees the blocks that the rename lets go
        clock.sleep(120 * DAY)
        pseudonyms.renew_if_over()
        assert set(still_open.read()) == {0}
    assert secret_of(tmp_path) != old
    assert old.hex().encode() not in bytes_of(tmp_path)


def test_the_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    clock = FakeClock()
    for _ in range(2):
        Pseudonyms(tmp_path, 120, clock.now)
        assert stat.S_IMODE((tmp_path / SECRET).stat().st_mode) == 0o600
        assert len(secret_of(tmp_path)) == 32
        clock.sleep(120 * DAY)


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", "null", "{}", '{"secret": 1, "began": 0}', '{"secret": "ab", "began": 0}',
               '{"secret": "' + "ab" * 32 + '", "began": Infinity}', '{"secret": "zz", "began": null}', "\0" * 100],
)  # fmt: skip
def test_a_broken_file_means_a_new_secret(tmp_path: Path, broken: str) -> None:
    (tmp_path / SECRET).write_text(broken)
    pseudonyms = Pseudonyms(tmp_path, 120, FakeClock().now)
    assert pseudonyms.of("10.20.3.4") == Pseudonyms(tmp_path, 120, FakeClock().now).of("10.20.3.4")


@pytest.mark.parametrize(
    ("wall", "same"),
    [
        (NOON - 2 * DAY, True),  # set back a little: the term goes on
        (0, True),  # never set: says nothing
        (NOON - 121 * DAY, False),  # the secret is dated further ahead than a term: it would last for years
        (NOON + 3_650 * DAY, False),
    ],
)
def test_a_wrong_clock(tmp_path: Path, wall: float, same: bool) -> None:
    first = Pseudonyms(tmp_path, 120, FakeClock().now).of("10.20.3.4")
    assert (Pseudonyms(tmp_path, 120, FakeClock(wall).now).of("10.20.3.4") == first) is same


def test_a_secret_that_cannot_be_stored_serves_from_memory_and_is_stored_later(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("a file where the folder should be")
    pseudonyms = Pseudonyms(state, 120, FakeClock().now)
    first = pseudonyms.of("10.20.3.4")
    state.unlink()
    assert pseudonyms.of("10.20.3.4") == first
    assert Pseudonyms(state, 120, FakeClock().now).of("10.20.3.4") == first
