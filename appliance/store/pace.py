"""When the recorder may commit: each commit costs an SD card several pages, however little it holds.

At most one commit in GAP seconds. Beside that, commits are paid from an allowance, so that a quiet box writes an event
down at once, and a busy one gathers more events into each commit instead of making more commits.
"""

GAP = 2.0
"""seconds between commits, and that a first event waits for others"""
BURST, REFILL = 60, 40.0
"""commits in the full allowance, and the seconds in which it grows by one: at most 690 in a school day of 7 hours"""
BATCH = 500
"""rows of one commit; as many wait for no allowance, for then the rows cost and not the commits"""


class Pace:
    """Remembers the commits made. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._paid_until = float("-inf")
        """when the allowance will be full again"""

    @property
    def free(self) -> float:
        """No commit before this."""
        return self._last + GAP

    def due(self, since: float, waiting: int) -> float:
        """When to commit `waiting` rows of which the first has waited since then."""
        if waiting >= BATCH:
            return self.free
        return max(since + GAP, self.free, self._paid_until - (BURST - 1) * REFILL)

    def spend(self, at: float) -> None:
        """A commit was made."""
        self.rest(at)
        self._paid_until = max(self._paid_until, at) + REFILL

    def rest(self, at: float) -> None:
        """A commit was made that no event asked for: it keeps the gap and costs no allowance."""
        self._last = at
