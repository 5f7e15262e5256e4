"""robots.txt: what a site asks programs to leave alone (RFC 9309).

>>> rules = parse_robots("User-agent: *\\nDisallow: /a\\nAllow: /a/open", agent="assent")
>>> rules.allows("/a/b"), rules.allows("/a/open/b"), rules.allows("/robots.txt")
(False, True, True)
"""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["LARGEST", "Robots", "parse_robots"]

LARGEST = 512 * 1024
"""Bytes that are read of a robots.txt; the standard asks for 500 KiB at least."""
_MOST_RULES = 5000
_LONGEST_DELAY = 60.0


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for one program: (allowed, pattern) pairs, and seconds between requests."""

    rules: tuple[tuple[bool, str], ...] = ()
    delay: float = 0.0

    def allows(self, path: str) -> bool:
        """Tell whether a path with its query may be fetched: the longest pattern that fits says."""
        if path == "/robots.txt":
            return True
        fitting = [
            (len(pattern), allowed) for allowed, pattern in self.rules if _fits(pattern, path)
        ]
        return max(fitting, default=(0, True))[1]


def parse_robots(text: str, *, agent: str) -> Robots:
    """Return the rules of the group that names `agent`, else of the one for all."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for names, lines in _groups(text):
        for name in names:
            groups.setdefault(name, []).extend(lines)
    own = groups.get(agent.lower(), groups.get("*", []))
    rules = [(field == "allow", value) for field, value in own if field != "crawl-delay" and value]
    delays = [_seconds(value) for field, value in own if field == "crawl-delay"]
    return Robots(tuple(rules[:_MOST_RULES]), max(delays, default=0.0))


def _groups(text: str) -> Iterator[tuple[list[str], list[tuple[str, str]]]]:
    names: list[str] = []
    lines: list[tuple[str, str]] = []
    for line in text.splitlines():
        field, _, value = line.split("#", 1)[0].partition(":")
        field, value = field.strip().lower(), value.strip()
        if field == "user-agent":
            if lines:
                yield names, lines
                names, lines = [], []
            names.append(value.lower())
        elif field in ("allow", "disallow", "crawl-delay") and names:
            lines.append((field, value))
    if names:
        yield names, lines


def _fits(pattern: str, path: str) -> bool:
    """Tell whether a pattern with * and a final $ fits the path's beginning, in linear time."""
    ends = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if ends and not others:
        return path == first
    last = others.pop() if ends else ""
    at = len(first)
    for part in others:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return not ends or (path.endswith(last) and len(path) - len(last) >= at)


def _seconds(text: str) -> float:
    try:
        return max(0.0, min(float(text), _LONGEST_DELAY))
    except ValueError:
        return 0.0
