"""What every page offers beside its answer: the way to help, in a form that cannot show an unchecked number."""

from dataclasses import dataclass
from urllib.parse import quote

from appliance.notice.markup import Html, figures, fill, join, latin, tag, visible
from appliance.notice.texts import Texts

TAKE_IT_DOWN = "https://takeitdown.ncmec.org/"
"""NCMEC's service for pictures of people under 18 (ncmec.org press release of 2023-02-27)"""


@dataclass(frozen=True, slots=True)
class HelpLine:
    """A children's helpline that somebody at the school has dialled. Do not make one of a number nobody checked."""

    service: str
    """its name, as children know it"""
    number: str
    verified_on: str
    """ISO 8601 date of the check"""
    free: bool = False
    hours: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the pages of the box are, as a device reaches them through the proxy."""

    about: str = "http://schoolgate.internal/"
    why: str = "http://schoolgate.internal/why"
    help: str = "http://help.schoolgate.internal/"


def in_language(url: str, texts: Texts) -> str:
    """`url` with the language asked for, so that the next page speaks as this one."""
    return f"{url}?lang={texts.language}"


def entry(texts: Texts, url: str, helpline: HelpLine | None) -> Html:
    """The panel on every page that says help exists."""
    parts = [
        tag("h2", texts.say("gethelp.title"), id="help"),
        tag("p", texts.say("gethelp.text")),
        tag("p", tag("a", texts.say("gethelp.button"), class_="button", href=in_language(url, texts))),
    ]
    if helpline is not None:
        parts.append(
            tag("p", fill(texts.say("gethelp.call"), service=visible(helpline.service, 80)), " ", call(helpline))
        )
        parts.append(tag("p", *conditions(texts, helpline), class_="small"))
    return tag("section", *parts, class_="box sun", aria_labelledby="help")


def call(helpline: HelpLine) -> Html:
    """The number as something to tap."""
    dialled = "".join(
        letter for letter in helpline.number if letter in "+*#" or (letter.isascii() and letter.isdigit())
    )
    return tag("a", figures(visible(helpline.number, 30)), class_="number", href=f"tel:{quote(dialled, safe='+*')}")


def conditions(texts: Texts, helpline: HelpLine) -> list[Html]:
    """Whether the call is free, when somebody answers, and when the number was checked: a line each."""
    said = [join(texts.say("gethelp.free"), tag("br"))] if helpline.free else []
    if helpline.hours:
        hours = fill(texts.say("gethelp.hours"), hours=visible(helpline.hours, 80))
        said.append(join(hours, tag("br")))
    return [*said, fill(texts.say("gethelp.checked"), date=figures(visible(helpline.verified_on, 10)))]


def blackmail_card(texts: Texts, url: str | None, helpline: HelpLine | None) -> Html:
    """What to do when somebody threatens with a picture. The order of the steps is that of the published guidance.

    `url` is the help page, None on the help page itself.
    """
    steps = [tag("li", texts.say(f"card.{step}")) for step in ("pay", "keep", "stop", "tell")]
    address = tag(
        "a", latin(TAKE_IT_DOWN.removeprefix("https://").rstrip("/")), href=TAKE_IT_DOWN, rel="noreferrer", class_="tap"
    )
    steps.append(tag("li", texts.say("card.takedown"), tag("br"), address))
    if helpline is None:
        steps.append(tag("li", texts.say("card.helpline_none")))
    else:
        said = fill(texts.say("card.helpline"), service=visible(helpline.service, 80))
        steps.append(tag("li", said, " ", call(helpline)))
    parts = [
        tag("h2", texts.say("card.title"), id="card"),
        tag("p", tag("strong", texts.say("card.fault"))),
        tag("ol", *steps),
    ]
    if url is not None:
        more = tag("a", texts.say("card.more"), href=f"{in_language(url, texts)}#card", class_="tap")
        parts.append(tag("p", more))
    return tag("section", *parts, class_="box sky", aria_labelledby="card")


def footer(texts: Texts, links: Links) -> Html:
    """The foot of a page that the box puts in place of another."""
    about = tag("a", texts.say("page.home"), href=in_language(links.about, texts), class_="tap")
    inside = tag("div", tag("p", texts.say("page.motto")), tag("p", about), class_="in")
    return tag("footer", inside, role="contentinfo")
