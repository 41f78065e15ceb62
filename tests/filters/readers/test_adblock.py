"""Browser filter rules: what is taken, and what is left because the box could not keep its meaning."""

import pytest

from filters.parse import Format, ParsedRule, Problem, Shape, parse
from filters.urls import keys

NAME, EXACT, PATH, GLOB, URL_GLOB, REGEX, URL_REGEX = Shape


def read(line: str) -> tuple[Shape, str] | Problem | None:
    found = list(parse([line], Format.ADBLOCK, lambda name: name in ("com", "co.uk") or "." not in name))
    assert len(found) <= 1
    if not found:
        return None
    return (found[0].shape, found[0].text) if isinstance(found[0], ParsedRule) else found[0].problem


@pytest.mark.parametrize(
    ("line", "shape", "text"),
    [
        ("||bad.example^", NAME, "bad.example"),
        ("||BAD.example^$all", NAME, "bad.example"),
        ("||bad.example^$document,popup,important", NAME, "bad.example"),
        ("||bad.example", NAME, "bad.example"),
        ("||bad.example/", NAME, "bad.example"),
        ("||bad.example^*", NAME, "bad.example"),
        ("||bad.example:8080^", NAME, "bad.example"),
        ("||*.bad.example^", NAME, "bad.example"),
        ("||192.0.2.1^$document", NAME, "192.0.2.1"),
        ("||[2001:db8::1]^", NAME, "2001:db8::1"),
        ("||bücher.example^", NAME, "xn--bcher-kva.example"),
        ("bad.example", NAME, "bad.example"),
        ("0.0.0.0 bad.example", NAME, "bad.example"),
        ("://bad.example^$all", EXACT, "bad.example"),
        ("|https://bad.example^", EXACT, "bad.example"),
        ("|www.bad.example|", EXACT, "www.bad.example"),
        ("||bad.example/path/^$all", PATH, "bad.example/path"),
        ("||bad.example/Path/x.html$all", PATH, "bad.example/path/x.html"),
        ("||bad.example/?u=k&t=d^$all", PATH, "bad.example/?u=k&t=d"),
        ("||bad.example/a$b^", PATH, "bad.example/a$b"),
        ("||bad.example/ad-", URL_GLOB, "bad.example/ad-"),
        ("||bad.example/a*b^", URL_GLOB, "bad.example/a*b"),
        ("||bad.example^*evil", URL_GLOB, "bad.example/**evil"),
        ("||shop-prizes-20*.com^", GLOB, "shop-prizes-20*.com"),
        ("||badbrand.$all", GLOB, "badbrand.*"),
        ("||badbrand-$all", GLOB, "badbrand-*"),
        ("-badbrand.com^", GLOB, "*-badbrand.com"),
        ("badbrand.$all", GLOB, "*badbrand.*"),
        ("/evil-kit.php?$document", URL_GLOB, "*/evil-kit.php?"),
        (r"/^https?:\/\/bad[0-9]{3}\.example\//$all", REGEX, r"^bad[0-9]{3}\.example$"),
        (r"/^192\.0\.2\.\d{1,3}\$/$all", REGEX, r"^192\.0\.2\.\d{1,3}$"),
        (r"/^(.*\.|.*://)?bad\d{2}\.example$/", REGEX, r"(?:^|\.)bad\d{2}\.example$"),
        (r"/evil\/kit[0-9]\.php/$document", URL_REGEX, r"evil\/kit[0-9]\.php"),
    ],
)
def test_rules_that_a_box_can_keep(line: str, shape: Shape, text: str) -> None:
    assert read(line) == (shape, text)


@pytest.mark.parametrize("line", ["@@||good.example^", "@@||good.example^$document", "@@|good.example|"])
def test_exceptions(line: str) -> None:
    (rule,) = parse([line], Format.ADBLOCK, lambda name: False)
    assert isinstance(rule, ParsedRule)
    assert rule.allow
    assert rule.text == "good.example"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "shop.example##.banner",
            "##.banner",
            "shop.example#@#.banner",
            "shop.example#?#div",
            "shop.example$$script[x]",
        ),
        *("||bad.example^$third-party", "||bad.example^$script", "||bad.example^$domain=shop.example", "/banner/ads."),
        *("||bad.example^$all,domain=~good.example", "||bad.example^$badfilter", "||bad.example^$removeparam=x"),
        *("||bad.example^$csp=script-src", "||bad.example^$redirect=noop.js", "||bad.example^$~third-party"),
        *("@@||good.example^$popup", "@@||good.example^$generichide", "||bad.example^$dnstype=a", "&ad_box_"),
        r"/^ftp:\/\/bad\.example/",
    ],
)
def test_rules_that_are_not_for_a_box(line: str) -> None:
    assert read(line) is Problem.NOT_FOR_US


@pytest.mark.parametrize(
    "line", ["||com^", "||co.uk^", "||top^$all", "*$all", "||*^", "*.com^", "||a.$all", r"/.*/$all"]
)
def test_rules_that_are_too_wide(line: str) -> None:
    assert read(line) is Problem.TOO_WIDE


@pytest.mark.parametrize("line", ["! Title: x", "[Adblock Plus 2.0]", "# x", "!#if env_firefox", "   "])
def test_comments(line: str) -> None:
    assert read(line) is None


def test_a_path_rule_is_found_where_a_request_looks() -> None:
    found = read("||bad.example/Kit/^$all")
    assert isinstance(found, tuple)
    assert found[1] in keys("bad.example", "/kit/index.html?x=1")
