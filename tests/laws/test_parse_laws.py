"""What holds for every text in every format."""

from hypothesis import given
from hypothesis import strategies as st

from filters.names import host
from filters.parse import Format, ParsedRule, Problem, RuleSyntaxError, Shape, parse
from filters.patterns import Pattern
from filters.syntax import LONGEST_QUOTE

SUFFIXES = frozenset({"com", "example", "uk", "co.uk", "io", "github.io"})

PIECES = st.sampled_from(
    [
        *(
            "bad.example",
            "co.uk",
            "com",
            "*",
            ".",
            "||",
            "^",
            "$all",
            "$document",
            "@@",
            "|",
            "://",
            "/path",
            "/",
            "?q=1",
        ),
        *(
            "0.0.0.0 ",
            "127.0.0.1\t",
            ":: ",
            "192.0.2.1",
            "2001:db8::1",
            "[",
            "]",
            "(",
            ")",
            "+",
            "{2,}",
            "\\",
            "#",
            "!",
            ";",
        ),
        *("address=/", "server=/", "local-zone: ", "local-data: ", '"', " always_nxdomain", " redirect", " A 0.0.0.0"),
        *(
            " CNAME .",
            "*.",
            "$ORIGIN ",
            "full:",
            "regexp:",
            "keyword:",
            "include:",
            " @ads",
            "{",
            "}",
            '"blacklist": [',
            ",",
        ),
        *("é", "\u202e", "\x00", "\ufeff", " ", "\t", "xn--", "##", "-"),
    ]
)
LINES = st.lists(st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=8).map("".join), max_size=8)
FORMATS = st.sampled_from(Format)


def is_suffix(name: str) -> bool:
    return name in SUFFIXES or "." not in name


def read(lines: list[str], form: Format) -> list[ParsedRule | RuleSyntaxError]:
    return list(parse(lines, form, is_suffix, include=lambda name: lines))


@given(LINES, FORMATS)
def test_any_text_is_read_and_every_answer_has_its_place(lines: list[str], form: Format) -> None:
    for one in read(lines, form):
        assert 1 <= one.line <= len(lines)
        if isinstance(one, RuleSyntaxError):
            assert one.column >= 1
            assert len(one.text) <= LONGEST_QUOTE
            assert isinstance(one.problem, Problem)


@given(LINES, FORMATS)
def test_accepted_rules_are_canonical_and_never_cover_a_suffix(lines: list[str], form: Format) -> None:
    for one in read(lines, form):
        if not isinstance(one, ParsedRule):
            continue
        if one.shape in (Shape.NAME, Shape.EXACT):
            assert host(one.text) == one.text
            if one.shape is Shape.NAME and not one.allow:
                assert ":" in one.text or not is_suffix(one.text)
        elif one.shape is Shape.PATH:
            name, slash, path = one.text.partition("/")
            assert slash
            assert path
            assert host(name) == name
        else:
            assert not Pattern(one.shape, one.text).matches("qzxvkwj.com", "/") or one.shape is Shape.URL_GLOB


@given(LINES, FORMATS, st.integers(0, 8))
def test_a_bad_line_changes_no_other(lines: list[str], form: Format, at: int) -> None:
    if form in (Format.RPZ, Format.UNBOUND, Format.ETH_PHISHING, Format.V2FLY):
        return  # their lines hang together
    lines = [line.replace("\ufeff", "") for line in lines]  # which belongs to the first line alone
    at = min(at, len(lines))
    with_bad = [*lines[:at], "( no rule", *lines[at:]]
    kept = [one for one in read(with_bad, form) if isinstance(one, ParsedRule)]
    assert [one.text for one in kept] == [one.text for one in read(lines, form) if isinstance(one, ParsedRule)]


@given(LINES, FORMATS)
def test_line_breaks_do_not_matter(lines: list[str], form: Format) -> None:
    lines = [line.replace("\x0b", "").replace("\x0c", "") for line in lines]
    assert list(parse([line + "\r\n" for line in lines], form, is_suffix)) == list(parse(lines, form, is_suffix))


@given(st.lists(st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){1,3}\.example", fullmatch=True), max_size=20))
def test_names_survive_every_format_of_names(names: list[str]) -> None:
    def read_as(form: Format, shape: str) -> list[str]:
        return [one.text for one in parse([shape.format(name) for name in names], form, is_suffix)]

    shapes = {
        Format.PLAIN: "{}",
        Format.HOSTS: "0.0.0.0 {}",
        Format.WILDCARD: "*.{}",
        Format.ADBLOCK: "||{}^",
        Format.DNSMASQ: "local=/{}/",
        Format.UNBOUND: 'local-zone: "{}" static',
        Format.RPZ: "*.{} CNAME .",
        Format.V2FLY: "domain:{}",
    }
    assert all(read_as(form, shape) == names for form, shape in shapes.items())
