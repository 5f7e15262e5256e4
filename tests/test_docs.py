"""The documentation is held to the program: commands, messages, errors and links must be real."""

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import imageio_ffmpeg
import pytest
import typer

from assent import __version__
from assent.apps.cli.main import whole
from assent.disclose.entry import SealEntry
from assent.kit import errors
from assent.kit.c2pa import manifest
from assent.purpose.levels import LEVELS
from assent.purpose.questionnaire import QUESTIONS
from assent.verify.findings import Status, Verdict

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "assent"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "samples" / "README.md"])

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_VARIABLE = re.compile(r"\bASSENT_[A-Z_]+\b")


def read(path: Path) -> str:
    return path.read_text("utf-8")


def prose(text: str) -> str:
    return _FENCE.sub("", text)


def shell_lines(text: str) -> Iterator[str]:
    for language, block in _FENCE.findall(text):
        if language == "sh":
            yield from (line for line in block.splitlines() if line.strip())


def reference_script() -> ModuleType:
    return script_of("make_cli_reference")


def script_of(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"_{name}", DOCS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command or group that `words` name, and what follows; fails if there is none."""
    found: Any = typer.main.get_command(whole())
    rest = words[1:]
    while rest and hasattr(found, "commands") and not rest[0].startswith("-"):
        assert rest[0] in found.commands, f"there is no command '{rest[0]}' in {words}"
        found = found.commands[rest[0]]
        rest = rest[1:]
    return found, rest


def test_the_command_reference_is_up_to_date() -> None:
    script = reference_script()
    assert read(script.PAGE) == script.reference(), "run python docs/make_cli_reference.py"


def test_the_command_reference_names_every_option() -> None:
    script = reference_script()
    text = read(script.PAGE)
    for name, command in script.commands():
        section = text.split(f"### {name}\n")[1].split("\n### ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert f"`{parameter.opts[0]}`" in section, f"{name} {parameter.opts[0]}"


@pages
def test_commands_in_blocks_are_accepted(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSENT_PROJECT", "lesson")
    for line in shell_lines(read(page)):
        words = shlex.split(line, comments=True)
        if words and words[0] == "assent":
            command, rest = find_command(words[: words.index(">")] if ">" in words else words)
            command.make_context(" ".join(words[:2]), rest)


@pages
def test_commands_in_the_text_exist_with_their_options(page: Path) -> None:
    for span in _SPAN.findall(prose(read(page))):
        # With a backslash it is a label for deriving a key, which begins in the same way.
        if not span.startswith("assent ") or "\\" in span:
            continue
        command, rest = find_command(shlex.split(span))
        known = {name for parameter in command.params for name in parameter.opts}
        unknown = [word for word in rest if word.startswith("--") and word not in known]
        assert not unknown, f"`{span}`: {unknown}"


@pages
def test_options_in_the_text_exist(page: Path) -> None:
    known = {
        name
        for _, command in reference_script().commands()
        for p in command.params
        for name in p.opts
    }
    spans = _SPAN.findall(prose(read(page)))
    assert {span.split()[0] for span in spans if span.startswith("--")} <= known | {"--help"}


@pages
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", read(page), re.MULTILINE)) <= targets


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(read(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(read(page)), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def test_every_page_is_in_the_navigation() -> None:
    navigation = read(ROOT / "mkdocs.yml").split("\nnav:\n")[1]
    for page in DOCS.rglob("*.md"):
        assert f": {page.relative_to(DOCS)}\n" in navigation


def test_the_site_fetches_nothing_from_elsewhere() -> None:
    assert "\n  font: false\n" in read(ROOT / "mkdocs.yml")
    assert not re.search(r"\bhttps?:", read(ROOT / "mkdocs.yml"))


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"\n## [{__version__}] - " in read(ROOT / "CHANGELOG.md")


def test_environment_variables_are_documented_and_real() -> None:
    used = {v for file in SOURCE.rglob("*.py") for v in _VARIABLE.findall(read(file))}
    table = read(DOCS / "reference" / "cli.md").split("## Environment")[1].split("\n## ")[0]
    assert used == set(_VARIABLE.findall(table))
    assert {v for page in PAGES for v in _VARIABLE.findall(read(page))} <= used


def test_every_error_stands_in_the_reference_with_its_code() -> None:
    text = read(DOCS / "reference" / "errors.md")
    for name in errors.__all__:
        code = getattr(errors, name).exit_code if name != "AssentError" else ""
        assert re.search(rf"^\| `{name}` \| {code} ?\| ", text, re.MULTILINE), name


def test_the_pages_of_practice_are_up_to_date() -> None:
    script = script_of("make_practice")
    assert read(script.RULE_PACKS) == script.rule_packs(), "run python docs/make_practice.py"
    assert read(script.GAP_ANALYSIS) == script.gap_analysis(), "run python docs/make_practice.py"


def test_every_question_stands_on_the_page_of_the_first_step() -> None:
    text = read(DOCS / "1-purpose.md")
    for question in QUESTIONS:
        assert f"| `{question.name}` | {question.text}" in text


def test_every_level_stands_on_the_page_of_the_first_step() -> None:
    text = read(DOCS / "1-purpose.md")
    for level in LEVELS.values():
        parts = (level.sign_off, level.second_reviewer, level.ticks, level.strong_mark)
        answers = " | ".join("yes" if part else "no" for part in parts)
        assert f"| {level.name} | {level.shortest_side} lines | {answers} |" in text


@cache
def sayings() -> str:
    """Return every string of the program, one a line; what is filled in is an ellipsis."""
    found = []
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(read(file))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(_saying(part) for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def _saying(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "…"


@pages
def test_quoted_messages_are_the_programs_own(page: Path) -> None:
    for table in re.findall(r"^\| when \| message \|\n(?:\|.*\n)+", read(page), re.MULTILINE):
        rows = table.splitlines()[2:]
        assert rows
        for row in rows:
            for message in _SPAN.findall(row.split("|")[2]):
                assert message in sayings(), f"{page.name}: {message}"


@pytest.mark.parametrize("step", range(1, 9))
def test_each_step_has_a_page_of_one_shape(step: int) -> None:
    (page,) = DOCS.glob(f"{step}-*.md")
    headings = re.findall(r"^## (.+)$", read(page), re.MULTILINE)
    wanted = ["What this step asks", "Commands", "What is refused", "What is stored where"]
    assert [heading for heading in headings if heading in wanted] == wanted


def test_the_seal_is_described_as_it_is() -> None:
    section = read(DOCS / "reference" / "log-entries.md").split("\n## seal\n")[1]
    entry = SealEntry(
        media="video",
        asset_id="00",
        sha256="11",
        fingerprint="",
        frames=1,
        receipts=(),
        time="t",
    )
    fields = set(re.findall(r'"(\w+)":', entry.to_bytes().decode()))
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == fields


def test_the_consent_assertion_is_described_as_it_is() -> None:
    text = read(DOCS / "specs" / "consent-assertion.md")
    plan = manifest.Plan(
        title="t",
        generator_name="Assent",
        generator_version="0",
        digital_source_type="compositeWithTrainedAlgorithmicMedia",
        actions=(manifest.Action(name="c2pa.opened"),),
        asset_id="00",
        receipts=("11",),
        scope=manifest.Scope(acts=("release",), modalities=("face",)),
        status=(manifest.ListEntry(id="s", path="p", index=1),),
        log="l",
        log_url="u",
        fingerprint="f",
    )
    for assertion in manifest.to_manifest(plan)["assertions"]:
        assert f"`{assertion['label']}`" in text
        if assertion["label"] == manifest.CONSENT:
            described = re.findall(
                r"^\| `(\w+)` \| (?:array|integer|object|string)", text, re.MULTILINE
            )
            assert set(described) == set(assertion["data"])


def test_verdicts_and_states_are_explained() -> None:
    text = read(DOCS / "verify.md")
    for verdict in Verdict:
        assert f"| `{verdict.value}` |" in text
    states = {status.value for status in Status} - {"unknown"}
    assert all(f"*{state}*" in text for state in states)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_session_in_the_readme_runs(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "samples").symlink_to(samples, target_is_directory=True)
    text = read(ROOT / "README.md").split("## The eight steps")[1].split("\n## ")[0]
    session = Session(tmp_path)
    for line in shell_lines(text):
        session.run(line)
    assert "Consent has since been withdrawn." in session.said
    assert "A changed copy of a release of Small Films" in session.said


class Session:
    """Runs the README's lines one by one, with the ids that this run has made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        programs = folder / "programs"
        programs.mkdir()
        # The README's ffmpeg, on machines that have none too.
        (programs / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{programs}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "COLUMNS": "200",
        }
        self._ids: dict[str, str] = {}
        self.said = ""

    def run(self, line: str) -> None:
        """Run one line; it must succeed."""
        if line.startswith("export "):
            pairs = (pair.partition("=") for pair in shlex.split(line)[1:])
            self._environment |= {name: value for name, _, value in pairs}
            return
        for printed, real in self._ids.items():
            line = line.replace(printed, real)
        done = subprocess.run(
            ["bash", "-c", re.sub(r"--minutes \S+", "--iterations 8", line)],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        self.said = done.stdout
        self._learn("2c6c47a2", r"^Draft (\w{8}):")
        self._learn("ae458e06b13e8f75", r"^Asset (\w{16}),")
        self._learn("4fb0e662", r"^Consent (\w{8})\S+ of ben is live")

    def _learn(self, printed: str, pattern: str) -> None:
        found = re.search(pattern, self.said, re.MULTILINE)
        if found:
            self._ids[printed] = found[1]
