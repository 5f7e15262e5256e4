"""Compile the anchoring contract, and write what the package carries of it.

    .venv/bin/python tools/compile_anchors.py

The compiler lives in an environment of its own (`make test` sets it up). A test compiles the
contract again and compares.
"""

import json
import subprocess
from pathlib import Path

__all__ = ["COMPILER", "compile_contract"]

ROOT = Path(__file__).parents[1]
COMPILER = ROOT / ".venv" / "vyper" / "bin" / "vyper"
SOURCE = ROOT / "src" / "assent" / "kit" / "anchors" / "log_anchors.vy"


def compile_contract() -> dict[str, object]:
    """Return the contract's interface and code, as the package carries them."""
    options = ["--no-bytecode-metadata", "-f", "abi,bytecode,bytecode_runtime"]
    done = subprocess.run(  # noqa: S603 - the project's own compiler and source
        [str(COMPILER), *options, SOURCE.name],
        cwd=SOURCE.parent, check=True, capture_output=True, text=True,
    )  # fmt: skip
    abi, code, runtime = done.stdout.strip().splitlines()
    version = subprocess.run(  # noqa: S603 - the project's own compiler
        [str(COMPILER), "--version"], check=True, capture_output=True, text=True
    ).stdout.strip()
    return {
        "compiler": f"vyper {version}",
        "abi": json.loads(abi),
        "bytecode": code,
        "runtime": runtime,
    }


if __name__ == "__main__":
    SOURCE.with_suffix(".json").write_text(json.dumps(compile_contract(), indent=1) + "\n")
