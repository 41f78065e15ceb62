"""The sentences of one language, read once from texts/LANGUAGE.toml and then kept.

Every key is "section.name" or "section.sub.name". A missing key is our own mistake and raises KeyError; that all
languages have the same keys is a test.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("texts")

Sentences = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A heading and the plain sentence below it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Texts:
    """All sentences of one language."""

    language: str
    """one of language.LANGUAGES"""
    sentences: Mapping[str, Sentences]
    """a single sentence is a tuple of one"""

    @property
    def name(self) -> str:
        """What the language calls itself."""
        return self.say("meta.name")

    @property
    def direction(self) -> str:
        """ "ltr" or "rtl", as the HTML attribute dir wants it."""
        return self.say("meta.direction")

    def say(self, key: str, **values: object) -> str:
        """The sentence of `key` with its {places} filled in. Plain text: the caller escapes it."""
        (sentence,) = self.sentences[key]
        return sentence.format_map(values) if values else sentence

    def lines(self, key: str) -> Sentences:
        """The sentences of a key that has several, for example the steps of an instruction."""
        return self.sentences[key]

    def category(self, name: str | None) -> Words:
        """Title and explanation of a category. One that a school made itself has its name as the title."""
        if name is not None and f"category.{name}.title" in self.sentences:
            return Words(self.say(f"category.{name}.title"), self.say(f"category.{name}.text"))
        return Words(name or self.say("category.other.title"), self.say("category.other.text"))

    def policy(self, name: str) -> str:
        """Whom a policy is for, in plain words; the name itself for a policy that a school made."""
        key = f"policy.{name}"
        return self.say(key) if key in self.sentences else name


@cache
def texts(language: str) -> Texts:
    """The texts of `language`, one of LANGUAGES."""
    with (_FOLDER / f"{language}.toml").open("rb") as file:
        return Texts(language, dict(_flat(tomllib.load(file))))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Sentences]]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{key}.")
        else:
            yield key, (value,) if isinstance(value, str) else tuple(value)
