"""A studio made with the command line alone, as a user would, and copied for each test."""

import shutil
from pathlib import Path

import pytest
from commands import Cli


@pytest.fixture(scope="session")
def begun_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A studio with a project, and the live consent of ada and ben."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "tmp").mkdir()
    cli = Cli(folder)
    cli.run("init", cli.studio, "--name", "Test studio", "--contact", "us@example.org")
    brief = folder / "brief.toml"
    brief.write_text(cli.run("project", "example").stdout)
    cli.run("project", "create", "--brief", brief, "--name", "film")
    for person in ("ada", "ben"):
        cli.add_person(person)
        cli.consent(person)
    return folder


@pytest.fixture(scope="session")
def filmed_folder(begun_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with footage of both: ben to learn from, ada to learn from and to perform."""
    folder = tmp_path_factory.mktemp("filmed") / "here"
    shutil.copytree(begun_folder, folder)
    cli = Cli(folder)
    cli.add_footage("ben_statement.mp4", "ben")
    cli.add_footage("scene1_ada.mp4", "ada")
    return folder


@pytest.fixture(scope="session")
def rendered_folder(filmed_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a model that has learned a little, and a draft that passed review."""
    folder = tmp_path_factory.mktemp("rendered") / "here"
    shutil.copytree(filmed_folder, folder)
    cli = Cli(folder)
    cli.run("train", "--donor", "ben", "--performer", "ada", "--iterations", "4")
    cli.run("render", "scene1_ada.mp4", "--model", "ben-for-ada")
    cli.run("review", cli.draft())
    return folder


def _copied(folder: Path, to: Path) -> Cli:
    shutil.copytree(folder, to / "here")
    return Cli(to / "here")


@pytest.fixture
def begun(begun_folder: Path, tmp_path: Path) -> Cli:
    return _copied(begun_folder, tmp_path)


@pytest.fixture
def filmed(filmed_folder: Path, tmp_path: Path) -> Cli:
    return _copied(filmed_folder, tmp_path)


@pytest.fixture
def rendered(rendered_folder: Path, tmp_path: Path) -> Cli:
    return _copied(rendered_folder, tmp_path)
