"""The command line, run as a user runs it: in processes of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "samples"
ACTS = ("ingest", "train", "portray", "perform", "release")
ENTRY = "from assent.apps.cli.main import main; main()"
RIGHTS = "computer-generated"


class Cli:
    """Runs `assent` in a process of its own, in one studio and one project."""

    def __init__(self, folder: Path, project: str = "film") -> None:
        self.folder = folder
        self.env = {
            **{
                name: os.environ[name]
                for name in ("PATH", "HOME", "PYTHONPATH")
                if name in os.environ
            },
            "ASSENT_STUDIO": str(folder / "studio"),
            "ASSENT_PROJECT": project,
            "COLUMNS": "200",
            "TMPDIR": str(folder / "tmp"),
        }

    @property
    def studio(self) -> Path:
        return self.folder / "studio"

    def start(self, *args: str | Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                # Whoever runs the tests in the background has them ignore it.
                "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
                "from assent.apps.cli.main import main; main()",
                *map(str, args),
            ],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str | Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
        process = self.start(*args)
        out, err = process.communicate(timeout=280)
        assert process.returncode == code, f"{args}: {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err
        return subprocess.CompletedProcess(list(map(str, args)), code, out, err)

    def json(self, *args: str | Path) -> Any:  # noqa: ANN401 - JSON values
        return json.loads(self.run(*args, "--json").stdout)

    def refused(self, *args: str | Path, code: int = 3) -> str:
        """Run a command that must fail, and return what it said: what, then advice."""
        lines = self.run(*args, code=code).stderr.strip().splitlines()
        assert len(lines) >= 2
        return "\n".join(lines[-2:])

    def key(self, person: str) -> Path:
        return self.folder / f"{person}.pem"

    def add_person(self, person: str) -> None:
        self.run("consent", "keygen", self.key(person))
        self.run(
            "person", "add", person, "--name", f"{person} (computer-generated)",
            "--key", f"{self.key(person)}.pub",
        )  # fmt: skip

    def offer(self, person: str, *options: str, acts: tuple[str, ...] = ACTS) -> Path:
        path = self.folder / f"{person}.offer"
        self.run(
            "consent", "offer", person, "--statement", SAMPLES / f"{person}_statement.mp4",
            "--out", path, "--adult", "--modality", "face", "--modality", "voice",
            *(word for act in acts for word in ("--act", act)), *options,
        )  # fmt: skip
        return path

    def consent(self, person: str, *options: str, acts: tuple[str, ...] = ACTS) -> str:
        offer = self.offer(person, *options, acts=acts)
        signed = self.folder / f"{person}.signed"
        self.run("consent", "sign", offer, "--key", self.key(person), "--out", signed, "--yes")
        return str(self.json(*self.accepting(person))["record"])

    def accepting(self, person: str) -> tuple[str | Path, ...]:
        """Return the command that takes a person's signed record in, with Kim vouching for it."""
        if not self.key("kim").exists():
            self.run("consent", "keygen", self.key("kim"))
            self.run(
                "person", "add", "kim", "--name", "Kim", "--key", f"{self.key('kim')}.pub",
                "--staff",
            )  # fmt: skip
        return (
            "consent", "accept", self.folder / f"{person}.signed",
            "--statement", SAMPLES / f"{person}_statement.mp4",
            "--vouched-by", "kim", "--key", self.key("kim"),
        )  # fmt: skip

    def add_footage(self, clip: str | Path, person: str) -> None:
        self.run("footage", "add", SAMPLES / clip, "--person", person, "--rights", RIGHTS)

    def draft(self) -> str:
        return str(self.json("draft", "list")[-1]["draft"])
