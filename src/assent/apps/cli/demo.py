"""The whole story with computer-generated performers, in one command."""

import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from assent.apps.cli.console import out, progress_bar, show_table
from assent.apps.cli.files import write_document, write_secret
from assent.apps.cli.options import guard
from assent.apps.cli.purpose import example_brief
from assent.apps.cli.verify import show_document
from assent.consent.ceremony import Terms, accept, offer
from assent.consent.clearance import Act, Modality
from assent.consent.ground import vouch
from assent.consent.people import Person, add_person, find_person
from assent.consent.receipt import sign_record
from assent.consent.register import list_records
from assent.disclose.still import seal_draft_sheet, seal_model_sheet
from assent.disclose.wording import spoken_notice
from assent.kit.clock import system
from assent.kit.content.gate import ContentGate
from assent.kit.errors import InputError, NotFoundError
from assent.kit.hashing import hash_file
from assent.kit.media.notice import speak
from assent.kit.signing import SigningKey, from_pem, new_key, public_of, to_pem
from assent.kit.store.studio import Studio, create_studio, open_studio
from assent.purpose.brief import Brief
from assent.purpose.projects import Purpose, list_projects
from assent.verify.result import result_of

__all__ = ["register"]

PANEL = "Start here"

RIGHTS = "computer-generated for Assent from ICT-FaceKit (MIT licence)"
CAST = {"ada": "Ada (computer-generated)", "ben": "Ben (computer-generated)"}


def register(app: typer.Typer) -> None:
    """Add the demonstration."""
    app.command("demo", rich_help_panel=PANEL)(demo)


def demo(
    folder: Annotated[
        Path, typer.Argument(help="A new studio, or the demo's own to go on.", metavar="DIR")
    ] = Path("demo-studio"),
    minutes: Annotated[float, typer.Option(help="Most time to train.", min=0.05)] = 3.0,
    samples: Annotated[
        Path | None, typer.Option(help="Where the performers' clips are.", metavar="DIR")
    ] = None,
) -> None:
    """Walk all eight steps: ben's face on ada's performance, sealed and verified.

    Ada and Ben don't exist: they are computer-generated, and so the demo signs for them. In a real
    studio nobody but the subject can.
    """
    from assent import story
    from assent.train.run import Progress as Training

    began = time.monotonic()
    clips = _samples(samples)
    out.print(
        "Ada and Ben are computer-generated: [bold]the demo makes their keys and signs for "
        "them.[/bold]\nIn a real studio only the subject can sign.\n"
    )
    studio = _studio(folder)
    people = {handle: _person(studio, handle) for handle in CAST}
    cast = story.Cast(
        donor=people["ben"],
        performer=people["ada"],
        agree={
            handle: _agree(studio, person, clips / f"{handle}_statement.mp4")
            for handle, person in people.items()
        },
        donor_footage=clips / "ben_train.mp4",
        performer_footage=clips / "ada_train.mp4",
        performance=clips / "scene1_ada.mp4",
        rights=RIGHTS,
    )
    notice = speak(spoken_notice("en"), language="en")
    with progress_bar() as progress:

        def training(state: Training) -> None:
            note = f"unlikeness {state.losses.total:.3f}"
            progress(f"training|{note}", state.iteration, state.total or state.iteration)

        ending = story.tell(
            studio,
            _brief(studio),
            cast,
            minutes=minutes,
            notice=notice,
            progress=progress,
            on_training=training,
        )
    sheet = seal_draft_sheet(studio, ending.purpose, ending.draft, gate=ContentGate())
    preview = seal_model_sheet(studio, ending.purpose, "ben-for-ada", gate=ContentGate())
    rows = [
        (
            "1 purpose",
            f"project {ending.purpose.slug}, risk {ending.purpose.assessment.level.name}",
        ),
        ("2 consent", "ada and ben, signed by the demo, countersigned, in the log"),
        ("3 data", "3 clips, every face accounted for, encrypted in vault/"),
        (
            "4 train",
            f"{ending.iterations} passes over the pictures in "
            f"{ending.training_seconds:.0f} s; {preview}",
        ),
        ("5 create", f"{ending.draft.replaced} of {ending.draft.frames} faces replaced; {sheet}"),
        (
            "6 safeguard",
            f"content gate passed; up to {ending.purpose.assessment.level.shortest_side} lines",
        ),
        ("7 disclose", str(ending.released.path)),
        ("8 monitor", f"asset {ending.released.asset_id}, log entry {ending.released.log_index}"),
    ]
    show_table(("step", "what was made, and where"), rows)
    spoken = "with" if notice else "without (espeak-ng is not installed)"
    out.print(f"Spoken notice: {spoken}. Took {(time.monotonic() - began) / 60:.1f} minutes.\n")
    out.print(f"[bold]assent verify {ending.released.path}[/bold]", soft_wrap=True)
    show_document(result_of(ending.findings.to_json(), now=system()))


def _samples(given: Path | None) -> Path:
    """Return where the performers' clips are: as given, in the package, or in the checkout."""
    package = Path(str(resources.files("assent")))
    places = [given] if given else [package / "samples", package.parents[1] / "samples"]
    for place in places:
        if (place / "scene1_ada.mp4").is_file():
            return place
    raise NotFoundError(
        "the performers' clips are not here", advice="Name their folder with --samples."
    )


def _studio(folder: Path) -> Studio:
    if (folder / "studio.toml").exists():
        studio = open_studio(folder, guard=guard())
        if studio.name != "Assent demo":
            raise InputError(
                f"{folder} is a studio, but not the demo's", advice="Name a new folder."
            )
        return studio
    return create_studio(folder, name="Assent demo", contact="demo@example.org", guard=guard())


def _brief(studio: Studio) -> Brief:
    """Return the demo's brief, the one that it began with if it goes on on another day."""
    begun = [brief for _, brief in list_projects(studio)]
    today = studio.clock().date()
    return begun[0] if begun else Brief.from_mapping(Brief.parse_toml(example_brief(today)))


def _person(studio: Studio, handle: str) -> Person:
    """Return a performer; their key lies beside the studio, as it would with a subject."""
    try:
        return find_person(studio, handle)
    except NotFoundError:
        key = _key(studio, handle)
        return add_person(studio, handle=handle, name=CAST[handle], key=public_of(key))


def _producer(studio: Studio) -> Person:
    """Return the demo's member of staff, who vouches for the statements."""
    key = public_of(_key(studio, "producer"))
    return add_person(studio, handle="producer", name="The demo's producer", key=key, staff=True)


def _key(studio: Studio, handle: str) -> SigningKey:
    path = studio.folder / "subjects" / f"{handle}.pem"
    if not path.exists():
        studio.disk.make_folder(path.parent)
        write_secret(path, to_pem(new_key()))
    return from_pem(path.read_bytes(), name=path.name)


def _agree(studio: Studio, person: Person, statement: Path) -> Callable[[Purpose], None]:
    def agree(purpose: Purpose) -> None:
        if any(r.state == "live" and r.handle == person.handle for r in list_records(studio)):
            return
        with statement.open("rb") as file:
            brief = purpose.brief
            terms = Terms(
                acts=frozenset(Act),
                modalities=frozenset(Modality),
                use=brief.purpose,
                channels=frozenset(brief.channels),
                starts=brief.starts,
                ends=brief.ends,
            )
            record = offer(studio, purpose, person, terms, statement_sha256=hash_file(file))
            signed = sign_record(record, _key(studio, person.handle))
            # The clips weren't recorded in the ceremony: somebody at the studio must vouch.
            ground = vouch(
                studio, record, _producer(studio), _key(studio, "producer"), reason=RIGHTS
            )
            accepted = accept(studio, signed, statement=file, name=statement.name, ground=ground)
        receipt = studio.folder / "subjects" / f"{person.handle}-receipt.jws"
        write_document(receipt, accepted.receipt + "\n")

    return agree
