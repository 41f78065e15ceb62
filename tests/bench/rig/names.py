"""Host names that look like those of real lists, as many as are wanted, all different, the same at every run."""

import lzma
from collections.abc import Iterator
from pathlib import Path

_PARTS = (
    "ba be bet bo bu ca cam chi co cu da de di do dro fa fer fi flo fo ga gen gi go gra ha he hi ho hot in ja je jo "
    "ka ki ku la le li lo lu ma mar me mi mo mu na ne net ni no nu on pa pe pi po pro ra re ri ro ru sa se ser shi"
)
_WORDS = "free best top my the live play shop web online club world star video city go real new super easy"
_ENDS = (  # weighted by repetition, roughly as in lists of adult sites
    "com com com com com com com com com com com com com com com com com com net net net org org info info biz xyz "
    "xyz top online site club de ru fr nl it pl com.br co.uk cn in eu us tv co me cc"
)
_BELOW = ("", "", "", "", "", "", "", "", "", "", "www.", "m.", "blog.", "cdn1.", "img.", "static.shop.")
_BITS = 30
_ODD = 0x2545F491


def synthetic(count: int, seed: int = 1) -> Iterator[str]:
    """`count` different names; another seed gives other names."""
    mask = (1 << _BITS) - 1
    parts, words, ends = _PARTS.split(), _WORDS.split(), _ENDS.split()
    for number in range(count):
        mixed = (number * _ODD + seed * 0x9E3779B1) & mask  # an odd factor permutes, so no two are alike
        word = "".join(parts[mixed >> shift & 63] for shift in range(0, _BITS, 6))
        spice = mixed * 0x45D9F3B >> 7
        if spice & 3 == 0:
            word = words[(spice >> 2) % len(words)] + ("-" if spice & 64 else "") + word
        elif spice & 31 == 5:
            word += str(spice >> 9 & 0xFF)
        yield f"{_BELOW[spice >> 12 & 15]}{word}.{ends[(spice >> 5) % len(ends)]}"


def from_file(path: Path, count: int) -> Iterator[str]:
    """The first `count` names of a plain list, which may be packed with xz."""
    with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number >= count:
                return
            yield line.strip()
