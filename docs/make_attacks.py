"""Write `docs/attacks.md` from the attempts themselves: `python docs/make_attacks.py`.

A test compares the page with `page()`, so that no attempt goes unlisted and none is listed that
isn't tried.
"""

import ast
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
                yield theme, node.name, _said(node), " · ".join(_refusals(node))


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


def _refusals(function: ast.FunctionDef) -> list[str]:
    """Return what the test expects to be told, each once."""
    texts: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "refused":
                texts.append(_constant(node.args[0]))
            elif node.func.id == "turned_away":
                texts += [f"the check of {_constant(check)}" for check in node.args[1:]]
    return [f"`{text}`" for text in dict.fromkeys(texts)]


def _constant(argument: ast.expr) -> str:
    """Return a text, or what a name of the test's module stands for."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    return _NAMED[ast.unparse(argument)]


_NAMED = {"GONE": "this link does not work"}


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
