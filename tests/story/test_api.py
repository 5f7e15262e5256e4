"""The walk of docs/api.md, run as it stands there, against a server on this machine."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from commands import Cli

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"^(ada|ben): http://127\.0\.0\.1:[0-9]+/c/\S+$")
SMALL = {"ben_train.mp4": "ben_statement.mp4", "minutes=3": "iterations=4"}

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(1500)]


def the_walk() -> str:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    walk: str = next(b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "# 8." in b)
    for large, small in SMALL.items():
        assert large in walk
        walk = walk.replace(large, small)
    return walk.replace('Path("samples")', f"Path({str(ROOT / 'samples')!r})")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "tmp").mkdir()
    cli = Cli(tmp_path, project="lesson")
    cli.run("init", cli.studio, "--name", "Test studio", "--contact", "us@example.org")
    for person in ("ada", "ben"):
        cli.add_person(person)
    return cli


@pytest.fixture
def url(cli: Cli) -> Iterator[str]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = cli.start("studio", "--port", str(port), "--public-url", address, "--workers", "1")
    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe]
    drains = [threading.Thread(target=pipe.read) for pipe in pipes]
    for drain in drains:
        drain.start()
    try:
        for _ in range(600):
            with suppress(OSError):
                urllib.request.urlopen(f"{address}/api/v1/openapi.json", timeout=5).close()  # noqa: S310 - this machine
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(60)
        for drain, pipe in zip(drains, pipes, strict=True):
            drain.join()
            pipe.close()


def test_a_program_walks_from_a_brief_to_a_verified_release(cli: Cli, url: str) -> None:
    token = cli.json("token", "create", "walk", "--days", "1", *_all_scopes())["token"]
    program = subprocess.Popen(
        [sys.executable, "-c", the_walk()], cwd=cli.folder, text=True, stdout=subprocess.PIPE,
        env={**os.environ, **cli.env, "STUDIO_URL": url, "STUDIO_TOKEN": token},
    )  # fmt: skip
    lines, asked = [], 0
    for line in program.stdout or ():
        lines.append(line.rstrip("\n"))
        if LINK.match(lines[-1]):
            asked += 1
        if asked == 2:
            # Each signs with their own key, elsewhere.
            asked = 0
            for person in ("ada", "ben"):
                cli.consent(person)
    program.communicate(timeout=60)
    assert program.returncode == 0, lines
    assert lines[0].startswith("risk medium: [")
    assert "waits for: None" in lines
    assert lines[-1].startswith("A release of Test studio, unaltered")
    (sealed,) = cli.folder.glob("lesson-*.mp4")
    assert cli.json("verify", sealed)["verdict"] == "sealed"
    (listed,) = cli.json("token", "list")
    assert listed["used"]


def _all_scopes() -> list[str]:
    names = (
        "*.read", "verify", "project.create", "people.change", "footage.change", "models.train",
        "drafts.render", "drafts.review", "releases.release",
    )  # fmt: skip
    return [part for name in names for part in ("--scope", name)]
