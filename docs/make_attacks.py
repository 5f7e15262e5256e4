"""Write `docs/attacks.md` from the attempts themselves: `python docs/make_attacks.py`.

A test compares the page with `page()`, so that no attempt goes unlisted and none is listed that
isn't tried.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["PAGE", "attempts", "page"]

PAGE = Path(__file__).parent / "attacks.md"
TESTS = Path(__file__).parents[1] / "tests" / "attacks"

_HEAD = """\
# What was tried

This page is written by `docs/make_attacks.py` from `tests/attacks/`.

{count} attempts to work without valid consent, each tried by a test on every run. Next to each
stands what the attacker is told; an error says what to do besides. What such tests can't show is in
[limits](limits.md) and, for recordings, in [the recorded statement](recording.md).
"""


def attempts() -> Iterator[tuple[str, str, str, str]]:
    """Yield theme, name, what is tried and what refuses it."""
    for path in sorted(TESTS.glob("test_*.py")):
        if path.stem == "test_listing":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        theme = _said(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                refusals = list(dict.fromkeys(_refusals(node)))
                # What shows that a lawful way stays open is no attempt.
                if refusals:
                    yield theme, node.name, _said(node) or _in_words(node.name), ", ".join(refusals)


def page() -> str:
    """Return the page."""
    found = list(attempts())
    parts = [_HEAD.format(count=len(found))]
    for theme in dict.fromkeys(each[0] for each in found):
        rows = [f"| {tried} | {refusal} |" for of, _, tried, refusal in found if of == theme]
        parts.append(f"## {theme}\n\n| tried | refused |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _said(node: ast.Module | ast.FunctionDef) -> str:
    """Return the first paragraph of a docstring, on one line."""
    text = ast.get_docstring(node) or ""
    return " ".join(text.partition("\n\n")[0].split()).removesuffix(".")


def _in_words(name: str) -> str:
    """Return a test's name as a sentence."""
    return name.removeprefix("test_").replace("_", " ").capitalize()


def _refusals(function: ast.FunctionDef) -> Iterator[str]:
    """Yield what the test expects to be told."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "refused":
            yield f"`{_constant(node.args[0])}`"
        elif called == "shut":
            yield f"{_constant(node.args[1])} `{_constant(node.args[2])}`".removesuffix(" ``")
        elif called == "turned_away":
            yield from (f"the check of `{_constant(check)}`" for check in node.args[1:])
        elif called == "pytest.raises":
            yield from _expected(node)


def _expected(raises: ast.Call) -> Iterator[str]:
    """Yield the message that `pytest.raises` waits for, or else the errors' names."""
    for keyword in raises.keywords:
        if keyword.arg == "match" and isinstance(keyword.value, ast.Constant):
            yield f"`{_plain(str(keyword.value.value))}`"
            return
    names = re.findall(r"\w+Error", ast.unparse(raises.args[0]))
    yield from (f"`{name}`" for name in names)


def _plain(pattern: str) -> str:
    """Return a regular expression as the text that it stands for, roughly."""
    open_places = re.sub(r"\\d|\[\w+\]|\.\*|\.\+", "…", pattern)
    return open_places.replace("\\", "").replace("|", " or ")


def _constant(argument: ast.expr) -> str:
    """Return a text, or what a name of the test's module stands for."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    return _NAMED[ast.unparse(argument)]


_NAMED = {"GONE": "this link does not work"}


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
