"""squidGuard's urls and expressions."""

from filters.parse import Format, ParsedRule, Problem, Shape, parse


def read(text: str, form: Format) -> list[tuple[Shape, str] | Problem]:
    return [
        (one.shape, one.text) if isinstance(one, ParsedRule) else one.problem
        for one in parse(text.split("\n"), form, lambda name: "." not in name)
    ]


def test_urls() -> None:
    text = "# x\nbad.example/Sub/\n192.0.2.1/24\nhttps://bad.example:8080/a?b=c;d\nworse.example/\nno!host/x\n"
    assert read(text, Format.SQUIDGUARD_URLS) == [
        (Shape.PATH, "bad.example/sub"),
        (Shape.PATH, "192.0.2.1/24"),
        (Shape.PATH, "bad.example/a?b=c;d"),
        (Shape.NAME, "worse.example"),
        Problem.NOT_A_NAME,
    ]


def test_expressions_that_speak_of_no_path_hold_for_the_name_alone_too() -> None:
    assert read("# x\n(badword|worseword)\n", Format.SQUIDGUARD_EXPRESSIONS) == [
        (Shape.URL_REGEX, "(badword|worseword)"),
        (Shape.REGEX, "(badword|worseword)"),
    ]


def test_expressions_lose_what_says_nothing() -> None:
    assert read(".*/messenger*\\.exe", Format.SQUIDGUARD_EXPRESSIONS) == [(Shape.URL_REGEX, "/messenger*\\.exe")]


def test_bad_expressions() -> None:
    assert read("(a+)+$\n(\n.*\n", Format.SQUIDGUARD_EXPRESSIONS) == [
        Problem.UNSAFE_EXPRESSION,
        Problem.BROKEN_EXPRESSION,
        Problem.TOO_WIDE,
    ]
