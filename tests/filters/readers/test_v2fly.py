"""v2fly's lists: types, attributes, includes."""

from filters.parse import Format, ParsedRule, Problem, RuleSyntaxError, Shape, parse

LISTS = {
    "shop": "shop.example\nads.shop.example @ads\nfull:cdn.shop.example @cn @ads\n",
    "loop": "loop.example\ninclude:loop2\n",
    "loop2": "loop2.example\ninclude:loop\n",
    "ads": "include:shop @ads\n",
    "home": "include:shop @-cn\n",
    "long": "x" * 5000 + "\nok.example",
}


def read(text: str, attribute: str | None = None) -> list[ParsedRule | RuleSyntaxError]:
    def include(name: str) -> list[str]:
        return LISTS[name].split("\n")

    return list(parse(text.split("\n"), Format.V2FLY, lambda name: "." not in name, include, attribute))


def texts(text: str, attribute: str | None = None) -> list[str]:
    return [one.text if isinstance(one, ParsedRule) else one.problem.name for one in read(text, attribute)]


def test_types() -> None:
    text = (
        "domain:a.example\nb.example # why\nfull:c.example &other\nkeyword:badword\nregexp:(^|\\.)bad[0-9]\\.example$"
    )
    assert read(text) == [
        ParsedRule(1, Shape.NAME, False, "a.example"),
        ParsedRule(2, Shape.NAME, False, "b.example"),
        ParsedRule(3, Shape.EXACT, False, "c.example"),
        ParsedRule(4, Shape.GLOB, False, "*badword*"),
        ParsedRule(5, Shape.REGEX, False, "(^|\\.)bad[0-9]\\.example$"),
    ]


def test_refusals() -> None:
    assert texts("domain:com\nkeyword:sex\nfull:a..b\nregexp:(a+)+\ninclude:nothing\ndomain:") == [
        "TOO_WIDE",
        "TOO_WIDE",
        "NOT_A_NAME",
        "UNSAFE_EXPRESSION",
        "NO_SUCH_LIST",
    ]


def test_rules_of_an_include_have_its_line() -> None:
    assert [(one.line, one.text) for one in read("top.example\n\ninclude:shop\nend.example")] == [
        (1, "top.example"),
        (3, "shop.example"),
        (3, "ads.shop.example"),
        (3, "cdn.shop.example"),
        (4, "end.example"),
    ]


def test_attributes() -> None:
    assert texts("include:ads") == ["ads.shop.example", "cdn.shop.example"]
    assert texts("include:home") == ["shop.example", "ads.shop.example"]
    assert texts("include:shop", attribute="cn") == ["cdn.shop.example"]
    assert texts("include:shop", attribute="-ads") == ["shop.example"]
    assert texts("include:ads", attribute="cn") == ["cdn.shop.example"]


def test_lists_that_include_each_other_end() -> None:
    assert texts("include:loop\ninclude:loop2") == ["loop.example", "loop2.example"]


def test_a_chain_of_includes_may_be_long() -> None:
    def include(name: str) -> list[str]:
        return [f"n{name}.example", f"include:{int(name) + 1}"] if int(name) < 5_000 else ["end.example"]

    found = list(parse(["include:0"], Format.V2FLY, lambda name: False, include))
    assert len(found) == 5_001


def test_a_long_line_of_an_included_list_is_refused() -> None:
    found = read("include:long")
    assert isinstance(found[0], RuleSyntaxError)
    assert found[0].problem is Problem.TOO_LONG
    assert found[1].text == "ok.example"


def test_without_a_collection_nothing_can_be_included() -> None:
    (found,) = parse(["include:x"], Format.V2FLY, lambda name: False)
    assert isinstance(found, RuleSyntaxError)
    assert found.problem is Problem.NO_SUCH_LIST
