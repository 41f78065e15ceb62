"""What was flagged, and nothing else: one recorder writes it, anyone may read it, and it forgets by itself.

No file here holds a device's address or a whole host name, and nothing outside this folder opens the database.
"""

CLOCK_FLOOR = 1_767_225_600
"""unix seconds of 2026-01-01: a clock that tells less was never set, and nothing is thrown away on its word"""
