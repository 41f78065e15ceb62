"""A real Encrypted Client Hello against GREASE: browsers send the extension to everybody (RFC 9849 section 6.2)."""

import pytest

from appliance.tables import read_tables
from filters.bypass import hello_of
from filters.model import Hello

OUTER = frozenset({"cloudflare-ech.com"})


@pytest.mark.parametrize(
    ("asked", "outer", "encrypted", "hello"),
    [
        ("example.org", "example.org", False, Hello.NAMED),
        ("example.org", "example.org", True, Hello.NAMED),  # GREASE: the true name is outside
        ("example.org", "cloudflare-ech.com", True, Hello.ENCRYPTED),
        ("example.org", "other.example", True, Hello.ENCRYPTED),
        ("example.org", "other.example", False, Hello.NAMED),  # two names, both are judged
        ("cloudflare-ech.com", "cloudflare-ech.com", True, Hello.ENCRYPTED),
        ("cloudflare-ech.com", "cloudflare-ech.com", False, Hello.NAMED),
        ("example.org", None, False, Hello.NO_NAME),
        ("example.org", None, True, Hello.NO_NAME),
        ("93.184.215.14", "example.org", False, Hello.NAMED),
        ("93.184.215.14", "example.org", True, Hello.ENCRYPTED),
    ],
)
def test_hello_of(asked: str, outer: str | None, encrypted: bool, hello: Hello) -> None:
    assert hello_of(asked, outer, encrypted=encrypted, outer_names=OUTER) is hello


def test_the_built_in_outer_name_is_known() -> None:
    outer_names = read_tables(None).ech_outer_names
    assert hello_of("a.example", "cloudflare-ech.com", encrypted=True, outer_names=outer_names) is Hello.ENCRYPTED
