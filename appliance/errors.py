"""Every error a person may meet. Each says what is wrong and where, and carries a hint: what to do about it.

SchoolgateError
├── ConfigError      the configuration or a policy: file, key and remedy
├── ListError        a list that cannot be imported as a whole (single bad lines are reported, not raised)
├── RuleSetError     a compiled rule set that is damaged or of another version
├── StateError       the state folder: missing, unreadable, in use
├── UpstreamError    something outside did not answer
└── NotRunning       the box is not running
"""


class SchoolgateError(Exception):
    """The root. `str(error)` is one sentence; `hint` is one sentence on what to do, or ""."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(SchoolgateError):
    """The configuration or a policy."""


class ListError(SchoolgateError):
    """A list that cannot be imported as a whole."""


class RuleSetError(SchoolgateError):
    """A compiled rule set that is damaged or of another version."""


class StateError(SchoolgateError):
    """The state folder."""


class UpstreamError(SchoolgateError):
    """Something outside did not answer."""


class NotRunning(SchoolgateError):
    """The box is not running."""
