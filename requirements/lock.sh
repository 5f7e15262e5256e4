#!/bin/sh
# Remake the lock files: `make lock` (needs uv). They hold for Python 3.11 to 3.13, with the hash of every file.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$@" >/dev/null; }
compile pyproject.toml requirements/build.in -o requirements/run.txt
compile requirements/dev.in requirements/autoencoder.in requirements/extras.in -c requirements/run.txt -o requirements/dev.txt
compile requirements/docs.in -c requirements/run.txt -c requirements/dev.txt -o requirements/docs.txt
compile requirements/vyper.in -o requirements/vyper.txt
