"""Names and addresses: tables, laws, and the idna package as the oracle."""

import socket
import unicodedata
from ipaddress import ip_address

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.names import address, host, normalise, parents


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("a_b.example.com", "a_b.example.com"),
        ("-.example.com", "-.example.com"),
        ("localhost", "localhost"),
        ("XN--BCHER-KVA.de", "xn--bcher-kva.de"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("BÜCHER。de", "xn--bcher-kva.de"),
        ("bu\u0308cher.de", "xn--bcher-kva.de"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("soft\u00adhyphen.example", "softhyphen.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("fass.de", "fass.de"),
        (f"{'a' * 63}.com", f"{'a' * 63}.com"),
    ],
)
def test_names_have_one_form(text: str, name: str) -> None:
    assert normalise(text) == name


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "a..b", ".a", "a b.com", "a.com\n", "a/b", "a:1", "*.com", "a@b.com", "é..com", "..é"),
        *("1.2.3", "1.2.3.4", "x.123", "x.0x1f", "com.-a", "xn--é.com", "a\u0000.com", "\u0301a.com", "a\ud800.com"),
        *("a\u202e.com", f"{'a' * 64}.com", f"{'a.' * 130}com", f"{'é' * 60}.com"),
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert normalise(text) is None


def test_homographs_stay_two_names() -> None:
    latin, cyrillic = normalise("paypal.com"), normalise("раураl.com")
    assert latin == "paypal.com"
    assert cyrillic is not None
    assert cyrillic.startswith("xn--")


REAL = (
    *(
        "münchen.de",
        "köln.de",
        "österreich.at",
        "zürich.ch",
        "crédit-agricole.fr",
        "académie-française.fr",
        "español.es",
    ),
    *(
        "straße.de",
        "café.com",
        "łódź.pl",
        "škoda.cz",
        "tromsø.no",
        "ålesund.no",
        "bjørn.no",
        "malmö.se",
        "çankaya.com.tr",
    ),
    *("россия.рф", "яндекс.рф", "президент.рф", "україна.укр", "срб.срб", "ελλάδα.ελ", "σίγμας.gr", "бг.бг", "қаз.қаз"),
    *(
        "例え.テスト",
        "日本語.jp",
        "東京.jp",
        "中国.中国",
        "中文网.网址",
        "台灣.台灣",
        "香港.香港",
        "公司.cn",
        "한국.한국",
        "삼성.한국",
    ),
    *("भारत.भारत", "உதாரணம்.பரிட்சை", "বাংলা.বাংলা", "ไทย.ไทย", "ไทย.com", "հայ.հայ", "გე.გე", "ලංකා.ලංකා"),
    *(
        "ភាសាខ្មែរ.com",
        "မြန်မာ.com",
        "ລາວ.ລາວ",
        "ኢትዮጵያ.com",
        "ᏣᎳᎩ.com",
        "l·l.cat",
        "paral·lel.cat",
        "ﬁn.com",
        "Ⅷ.com",
        "ǅ.com",
    ),
    *("مصر.مصر", "السعودية.السعودية", "إختبار.آزمایشی", "ایران.ایران", "پاکستان.پاکستان", "ישראל.ישראל", "קום.קום"),
)


@pytest.mark.parametrize("name", REAL)
def test_real_international_names_agree_with_idna(name: str) -> None:
    assert normalise(name) == idna.encode(name, uts46=True, transitional=False, std3_rules=False).decode()


def test_every_character_agrees_with_idna_where_both_take_it() -> None:
    # idna also refuses what IDNA2008 does (symbols, emoji, bidirectional and contextual rules); browsers do not, and
    # registered names with emoji exist. The other way round, it knows characters younger than this Python's Unicode.
    taken = 0
    for code in range(0x80, 0x3000):
        name = f"a{chr(code)}b.example"
        try:
            expected = idna.encode(name, uts46=True, transitional=False, std3_rules=False).decode()
        except idna.IDNAError:
            continue
        if unicodedata.category(chr(code)) != "Cn":
            assert normalise(name) == expected, hex(code)
            taken += 1
    assert taken > 5_000


def test_emoji_names_exist() -> None:
    assert normalise("i❤.ws") == "xn--i-7iq.ws"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1.", "192.0.2.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F.0.0.0x1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("192.168.257", "192.168.1.1"),
        ("１２７．０．０．１", "127.0.0.1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::FFFF:C000:201]", "192.0.2.1"),
    ],
)
def test_addresses_have_one_form(text: str, canonical: str) -> None:
    assert address(text) == canonical
    assert host(text) == canonical
    assert normalise(text) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.2.3.4.5", "256.1.1.1", "08.1.1.1", "1..2", "4294967296", ":", ":::", "[::1", "1.2.3.4:80", "9" * 5000],
)
def test_what_is_no_address(text: str) -> None:
    assert address(text) is None


def test_a_host_is_a_name_or_an_address() -> None:
    assert [host(text) for text in ("Example.com", "::1", "a b")] == ["example.com", "::1", None]


def test_parents() -> None:
    assert parents("a.b.c") == ("a.b.c", "b.c", "c")
    assert parents("c") == ("c",)
    assert parents("192.0.2.1") == ("192.0.2.1",)
    assert parents("2001:db8::1") == ("2001:db8::1",)


@given(st.text(max_size=80))
def test_any_text_gives_a_canonical_host_or_none(text: str) -> None:
    for function in (normalise, address, host):
        found = function(text)
        assert found is None or (function(found) == found and found.isascii() and found == found.lower())


@given(st.ip_addresses())
def test_addresses_are_what_ipaddress_says(given_address: object) -> None:
    found = address(str(given_address))
    expected = ip_address(str(given_address))
    mapped = getattr(expected, "ipv4_mapped", None)
    assert found == str(mapped or expected)


@given(
    st.from_regex(
        r"(0x[0-9a-f]{1,8}|0[0-7]{1,11}|[1-9][0-9]{0,9})(\.(0x[0-9a-f]{1,4}|[0-9]{1,4})){0,3}", fullmatch=True
    )
)
def test_odd_addresses_are_what_inet_aton_says(text: str) -> None:
    try:
        expected = socket.inet_ntoa(socket.inet_aton(text))
    except OSError:
        expected = None
    assert address(text) == expected


@given(st.from_regex(r"[a-z0-9_-]{1,20}(\.[a-z0-9_-]{1,20}){0,5}\.[a-z]{2,9}", fullmatch=True))
def test_every_parent_is_canonical_and_ends_the_name(name: str) -> None:
    found = parents(name)
    assert len(found) == name.count(".") + 1
    assert all(name.endswith(parent) and "." + parent in "." + name for parent in found)
