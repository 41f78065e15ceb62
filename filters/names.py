"""Host names and addresses in one canonical form, so that every list and every listener speaks of the same host.

A name: lower-case, IDNA A-labels, no trailing dot. An address: dotted quad, or compressed lower-case IPv6 without
brackets and zone. Whatever a browser would connect to as an address is an address here too (WHATWG URL section 3.5),
or a child could write a blocked one in another way. Homographs stay what they are: two names, never one.
"""

import re
import unicodedata
from ipaddress import IPv6Address

NAME = re.compile(
    r"(?:[a-z0-9_-]{1,63}\.)*"
    r"(?!-|[0-9]+\Z|0x[0-9a-f]*\Z)[a-z0-9_-]{1,63}"  # a last label that is a number makes it an address, or nothing
)
"""fullmatch tells a name in canonical form, up to its length; for loops in which a call more would be felt"""
LONGEST_NAME = 253
"""characters, without the dot of the root (RFC 1035 section 2.3.4 counts octets with it)"""
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}\.?")
_DOTS = {0x3002: ".", 0xFF0E: ".", 0xFF61: "."}  # UTS #46 section 2.3: the full stops of ideographic scripts

_IGNORED = dict.fromkeys(
    [
        *(0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x200B, 0x2060, 0xFEFF),
        *range(0x180B, 0x180F),
        *range(0x2061, 0x2065),
        *range(0x206A, 0x2070),
        *range(0xFE00, 0xFE10),
        *range(0x1BCA0, 0x1BCA4),
        *range(0xE0100, 0xE01F0),
    ]
)  # UTS #46: these are dropped; a name with a soft hyphen in it is the name without
_KEPT = frozenset("ßς\u200c\u200d")  # UTS #46 non-transitional: browsers no longer turn these into others
_PUNCTUATION = frozenset("-_·\u0375\u05f3\u05f4\u0f0b\u30fb\u200c\u200d")  # RFC 5892, beside letters, marks, numbers


def normalise(text: str) -> str | None:
    """A host name in canonical form, or None when `text` is none. "xn--" labels are kept as they are."""
    if not text.isascii():
        text = _to_ascii(text) or ""
    elif not text.islower():
        text = text.lower()
    if text.endswith("."):
        text = text[:-1]
    return text if NAME.fullmatch(text) and len(text) <= LONGEST_NAME else None


def address(text: str) -> str | None:
    """A canonical IP address, or None when `text` is none. An IPv4-mapped IPv6 address is the IPv4 one (RFC 4291
    section 2.5.5.2); "0x7f.1", "2130706433" and "0177.0.0.1" are what inet_aton makes of them."""
    if _QUAD.fullmatch(text):
        return text
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_DOTS))
    text = text.lower()
    if ":" in text:
        return _address6(text)
    return _address4(text) if _NUMBERS.fullmatch(text) else None


def host(text: str) -> str | None:
    """An address or a name in canonical form, or None when `text` is neither."""
    return normalise(text) or address(text)


def parents(name: str) -> tuple[str, ...]:
    """The canonical name itself, then each name above it: "a.b.c" gives "a.b.c", "b.c", "c". Nothing lies above an
    address."""
    if ":" in name or _QUAD.fullmatch(name):
        return (name,)
    found = [name]
    while name := name.partition(".")[2]:
        found.append(name)
    return tuple(found)


def _address4(text: str) -> str | None:
    """The dotted quad that inet_aton makes of one to four numbers: decimal, octal after 0, hexadecimal after 0x."""
    value = 0
    parts = text.removesuffix(".").split(".")
    for place, part in enumerate(parts):
        try:
            number = int(part[2:] or "0", 16) if part[:2] == "0x" else int(part, 8 if part[0] == "0" else 10)
        except ValueError:  # an 8 or 9 in an octal number, or thousands of digits
            return None
        last = place == len(parts) - 1
        if number >= (1 << 8 * (4 - place) if last else 256):
            return None
        value |= number << (0 if last else 8 * (3 - place))
    return ".".join(str(byte) for byte in value.to_bytes(4))


def _address6(text: str) -> str | None:
    if text[0] == "[" and text[-1] == "]":
        text = text[1:-1]
    try:
        found = IPv6Address(text.partition("%")[0])
    except ValueError:
        return None
    return str(found.ipv4_mapped) if found.ipv4_mapped else found.compressed


def _to_ascii(text: str) -> str | None:
    """UTS #46 processing, non-transitional, as browsers do it, with what the standard library knows of Unicode.

    Wider than IDNA2008, as browsers are: symbols (emoji names exist) and contextual rules are not checked.
    """
    if len(text) > LONGEST_NAME:
        return None
    mapped = "".join(map(_mapped, text.translate(_DOTS))).translate(_IGNORED)
    labels = [_to_a_label(label) for label in unicodedata.normalize("NFKC", mapped).split(".")]
    return ".".join(label or "" for label in labels) if None not in labels else None


def _mapped(char: str) -> str:
    """One character as UTS #46 maps it; what it composes with is left to normalisation."""
    if char in _KEPT:
        return char
    return "ß" if char == "ẞ" else unicodedata.normalize("NFKC", char).casefold()


def _to_a_label(label: str) -> str | None:
    if label.isascii():
        return label
    if label[:4] == "xn--" or unicodedata.category(label[0])[0] == "M":
        return None
    if not all(char in _PUNCTUATION or unicodedata.category(char)[0] in "LMNS" for char in label):
        return None
    return "xn--" + label.encode("punycode").decode()
