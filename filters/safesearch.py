"""Which name enforces safe search for which host: reached instead of it, its certificate still matches."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SafeSearch:
    """rules/safesearch.toml as values. Hosts are exact: images and mail of the same company are left alone."""

    targets: Mapping[str, str] = field(default_factory=dict)
    """host of a search engine → its own safe host"""
    youtube: frozenset[str] = frozenset()
    """the hosts that one restricted mode covers"""
    youtube_targets: Mapping[str, str] = field(default_factory=dict)
    """"strict" or "moderate" → the host that enforces it"""
    not_lockable: tuple[str, ...] = ()
    """engines with no safe host, each as ".name", so that the names below are meant too"""

    def target(self, host: str, search: bool, youtube: str | None) -> str | None:
        """The name to reach instead of `host` under a policy with these two settings, or None."""
        if search and host in self.targets:
            return self.targets[host]
        if youtube and host in self.youtube:
            return self.youtube_targets.get(youtube)
        return None

    def is_lockable(self, host: str) -> bool:
        """False for a search engine that no name and no header can lock."""
        return not f".{host}".endswith(self.not_lockable)
