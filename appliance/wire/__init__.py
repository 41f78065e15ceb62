"""Pure protocol readers and writers: bytes in, a value or NEED_DATA out. Whole input and byte-at-a-time input agree."""

from enum import Enum


class Need(Enum):
    """The one answer of a reader that is no value."""

    DATA = "more bytes are needed"


NEED_DATA = Need.DATA


class WireError(ValueError):
    """The peer's bytes are not of the protocol, or pass a limit; the message says which, in a few words."""
