"""The pages that stand in for another: block page, problem page, trusted page, each complete in at most 20 kB.

Total: every Verdict and every Problem has a page, in every language, whatever the host name holds. Nothing is loaded
from anywhere, no script is needed. Send them with HEADERS.
"""

from base64 import b64encode
from enum import Enum
from hashlib import sha256

from appliance.notice import look
from appliance.notice.help import HelpLine, Links, blackmail_card, entry, footer, in_language
from appliance.notice.markup import Content, Html, document, figures, join, latin, tag, visible
from appliance.notice.texts import Texts, texts
from filters.model import Reason, Rule, Verdict

_STYLE_HASH = b64encode(sha256(look.STYLE.encode()).digest()).decode()

HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
"""what goes out with each of them; Content-Length is the listener's"""

_CARD_CATEGORIES = frozenset({"adult", "random-chat"})
"""where picture blackmail begins (N4)"""

_OWN_WORDS = frozenset(
    {
        Reason.SEALED,
        Reason.PAUSED,
        Reason.OUTSIDE_HOURS,
        Reason.BLOCKED_BY_CATEGORY,
        Reason.DIRECT_ADDRESS,
        Reason.ENCRYPTED_HELLO,
        Reason.NO_SERVER_NAME,
        Reason.SEARCH_NOT_LOCKABLE,
        Reason.ENGINE_ERROR,
    }
)


class Problem(Enum):
    """Why a page that is allowed did not come."""

    NAME_NOT_FOUND = "name_not_found"
    UPSTREAM_DOWN = "upstream_down"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    CERTIFICATE_INVALID = "certificate_invalid"
    PRIVATE_ADDRESS = "private_address"
    BAD_REQUEST = "bad_request"

    @property
    def status(self) -> int:
        """The HTTP status that goes with the page (RFC 9110 section 15)."""
        return {Problem.BAD_REQUEST: 400, Problem.PRIVATE_ADDRESS: 403, Problem.UPSTREAM_TIMEOUT: 504}.get(self, 502)


LINKS = Links()


def reason_key(reason: Reason) -> str:
    """The section of the texts that explains `reason` when it closes a page."""
    return f"reason.{reason.value if reason in _OWN_WORDS else 'other'}"


def block_page(
    verdict: Verdict, host: str, language: str, helpline: HelpLine | None = None, links: Links = LINKS
) -> bytes:
    """The page that a blocked request gets, in UTF-8. `host` is what the person asked for."""
    words = texts(language)
    key = reason_key(verdict.reason)
    parts = [
        look.CLOSED_GATE,
        tag("p", latin(visible(host)), class_="host"),
        tag("h1", words.say(f"{key}.title")),
        *_explanation(words, verdict, key),
        tag("p", words.say("block.calm"), class_="calm"),
    ]
    sections = [_todo(words, key, links), entry(words, links.help, helpline)]
    if verdict.category in _CARD_CATEGORIES:
        sections.append(blackmail_card(words, links.help, helpline))
    sections.append(_details(words, verdict, host))
    return _page(words, words.say(f"{key}.title"), [*parts, *sections], links)


def problem_page(
    problem: Problem,
    host: str,
    detail: str,
    language: str,
    helpline: HelpLine | None = None,
    links: Links = LINKS,
) -> bytes:
    """The page for a site that could not be opened. `detail` is one technical sentence for an adult, or ""."""
    words = texts(language)
    key = f"problem.{problem.value}"
    parts = [
        tag("p", latin(visible(host)), class_="host"),
        tag("h1", words.say(f"{key}.title")),
        tag("p", words.say(f"{key}.text")),
        tag("p", tag("strong", words.say(f"{key}.todo"))),
        entry(words, links.help, helpline),
    ]
    if detail:
        label = tag("h2", words.say("problem.detail.label"), id="detail")
        text = tag("p", latin(visible(detail, 300)))
        parts.append(tag("section", label, text, class_="box small", aria_labelledby="detail"))
    return _page(words, words.say(f"{key}.title"), parts, links)


def trusted_page(language: str, links: Links = LINKS) -> bytes:
    """What a device gets over TLS when it trusts the certificate of the box: it worked."""
    words = texts(language)
    parts = [tag("h1", words.say("trusted.yes_title")), tag("p", words.say("trusted.yes"))]
    return _page(words, words.say("trusted.yes_title"), parts, links)


def _explanation(words: Texts, verdict: Verdict, key: str) -> list[Html]:
    text = tag("p", words.say(f"{key}.text"))
    if verdict.reason is not Reason.BLOCKED_BY_CATEGORY:
        return [text]
    category = words.category(verdict.category)
    return [tag("p", visible(category.title, 80), class_="kind"), tag("p", category.text), text]


def _todo(words: Texts, key: str, links: Links) -> Html:
    why = tag("a", words.say("block.wrong"), href=in_language(links.why, words), class_="button plain")
    return tag(
        "section",
        tag("h2", words.say("block.todo"), id="todo"),
        tag("p", words.say(f"{key}.todo")),
        tag("p", why, tag("br"), words.say("block.wrong_text")),
        class_="box",
        aria_labelledby="todo",
    )


def _details(words: Texts, verdict: Verdict, host: str) -> Html:
    rows: list[tuple[str, Content]] = [("site", latin(visible(host)))]
    if verdict.category is not None:
        rows.append(("category", visible(words.category(verdict.category).title, 80)))
    if verdict.rule is not None:
        rows += _rule_rows(words, verdict.rule)
    rows.append(("policy", visible(words.policy(verdict.policy), 100)))
    pairs = [join(tag("dt", words.say(f"block.{name}")), tag("dd", value)) for name, value in rows]
    title = tag("h2", words.say("block.details"), id="details")
    return tag("section", title, tag("dl", *pairs), class_="box", aria_labelledby="details")


def _rule_rows(words: Texts, rule: Rule) -> list[tuple[str, Content]]:
    date = figures(visible(rule.date, 10)) if rule.date else words.say("block.undated")
    name = latin(visible(rule.list, 100))
    if rule.line == 0:
        return [("list", join(name, " (", words.say("block.by_hand"), ")")), ("date", date)]
    return [("list", name), ("line", figures(str(rule.line))), ("date", date)]


def _page(words: Texts, title: str, parts: list[Html], links: Links) -> bytes:
    mark = tag("p", "Schoolgate", class_="mark")
    body = tag(
        "body",
        tag("header", tag("div", mark, class_="in"), class_="top", role="banner"),
        tag("main", tag("div", *parts, class_="in"), role="main"),
        footer(words, links),
    )
    return document(words, title, look.STYLE, body)
