"""Lists for dnsmasq, unbound, and response policy zones."""

import pytest

from filters.parse import Format, ParsedRule, Shape, parse


def read(text: str, form: Format) -> list[str]:
    """Each rule as its text, with "=" before an exact one and "+" before an exception; each refusal as its problem."""
    told = []
    for one in parse(text.split("\n"), form, lambda name: "." not in name):
        if isinstance(one, ParsedRule):
            told.append("+" * one.allow + "=" * (one.shape is Shape.EXACT) + one.text)
        else:
            told.append(f"{one.problem.name}@{one.line}")
    return told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("address=/bad.example/", ["bad.example"]),
        ("address=/bad.example/0.0.0.0", ["bad.example"]),
        ("address=/bad.example/worse.example/::", ["bad.example", "worse.example"]),
        ("address=/bad.example/#", ["bad.example"]),
        ("server=/bad.example/", ["bad.example"]),
        ("local=/.bad.example/ # why", ["bad.example"]),
        ("server=/good.example/#", ["+good.example"]),
        ("server=/corp.example/192.0.2.53", ["NOT_FOR_US@1"]),
        ("address=/search.example/192.0.2.1", ["NOT_FOR_US@1"]),
        ("address=/#/0.0.0.0", ["TOO_WIDE@1"]),
        ("address=/com/", ["TOO_WIDE@1"]),
        ("cache-size=1000", ["NOT_FOR_US@1"]),
        ("bogus-priv", ["NOT_FOR_US@1"]),
        ("what is this?", ["NOT_THE_FORMAT@1"]),
        ("# address=/bad.example/", []),
    ],
)
def test_dnsmasq(line: str, told: list[str]) -> None:
    assert read(line, Format.DNSMASQ) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('local-zone: "bad.example." always_nxdomain', ["bad.example"]),
        ("  local-zone: bad.example refuse  # why", ["bad.example"]),
        ('local-zone: "good.example" transparent', ["+good.example"]),
        ('local-zone: "bad.example" inform', ["NOT_FOR_US@1"]),
        ('local-zone: "com" static', ["TOO_WIDE@1"]),
        ('local-data: "bad.example A 0.0.0.0"', ["=bad.example"]),
        ('local-data: "bad.example. 3600 IN AAAA ::"', ["=bad.example"]),
        ('local-data: "nas.example A 192.0.2.1"', ["NOT_FOR_US@1"]),
        ('local-zone: "bad.example" redirect', ["bad.example"]),
        ('local-zone: "bad.example" redirect\nlocal-data: "bad.example A 127.0.0.1"', ["bad.example"]),
        ('local-zone: "find.example" redirect\nlocal-data: "find.example CNAME safe.find.example"', ["NOT_FOR_US@2"]),
        ('local-zone: "bad.example" redirect\nlocal-zone: "worse.example" deny', ["bad.example", "worse.example"]),
        ("server:\n  verbosity: 1", ["NOT_FOR_US@2"]),
        ("words without sense", ["NOT_THE_FORMAT@1"]),
    ],
)
def test_unbound(text: str, told: list[str]) -> None:
    assert read(text, Format.UNBOUND) == told


ZONE = """\
$TTL 2h
$ORIGIN rpz.school.example.
@ IN SOA localhost. root.localhost. (
    2026081901 ; serial
    1h 15m 30d 2h )
  IN NS localhost.
bad.example CNAME .
*.bad.example 300 IN CNAME .  ; and below
worse.example CNAME *.
dropped.example CNAME rpz-drop.
good.example CNAME rpz-passthru.
sunk.example A 0.0.0.0
full.example.rpz.school.example. CNAME .
absolute.example. CNAME .
safe.example CNAME forcesafe.example.
32.1.2.0.192.rpz-ip CNAME .
*.com CNAME .
nonsense
"""


def test_rpz() -> None:
    assert read(ZONE, Format.RPZ) == [
        *("=bad.example", "bad.example", "=worse.example", "=dropped.example", "+=good.example", "=sunk.example"),
        *("=full.example", "=absolute.example", "NOT_FOR_US@15", "NOT_FOR_US@16", "TOO_WIDE@17", "NOT_THE_FORMAT@18"),
    ]


def test_an_owner_left_out_is_the_one_before() -> None:
    assert read("bad.example CNAME .\n        CNAME *.", Format.RPZ) == ["=bad.example", "=bad.example"]
