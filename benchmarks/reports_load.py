"""Reports under load: how many a minute the public form takes, and that none of them is ever lost.

    python benchmarks/reports_load.py [--reports 200] [--seconds 60] [--json]

Starts the public pages of a fresh studio as a process of their own, behind a proxy that says which
network each report comes from. Reports come evenly over the time and then all at once; in the
middle of that the process is killed (SIGKILL). Then every report whose receipt arrived must be in
the studio, open with its PIN, and be entered in the log once. What is refused must be refused aloud
(429 or 503) and not be there.
"""

import argparse
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlencode

from assent.kit.store.studio import Studio, create_studio, open_studio
from assent.monitor.cases.case import list_cases
from assent.monitor.cases.intake import settle
from assent.monitor.cases.receipt import find_by_receipt

__all__ = ["Figures", "main", "measure"]

_SERVER = """
import sys
from pathlib import Path
from assent.apps.public.place import place_of
from assent.apps.public.server import build, corner_of, serve
from assent.apps.public.source import Source
from assent.kit.store.studio import open_studio
studio = open_studio(Path(sys.argv[1]))
source = Source(studio.folder, vkey=studio.log_verifier.vkey)
place = place_of(f"http://127.0.0.1:{sys.argv[2]}", contact=studio.contact)
serve(build(corner_of(source, place, studio=studio)), host="127.0.0.1", port=int(sys.argv[2]),
      behind_proxy=True)
"""
_AT_ONCE = 24
_RECEIPT = re.compile(r"<dd><code>([^<]+)</code></dd>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of it; `seconds` is how long the even part took, `cpu` the server's time a report.

    `lost` counts receipts that lead to nothing, and `unlogged` reports that the log doesn't name.
    """

    sent: int
    accepted: int
    refused: int
    unanswered: int
    seconds: float
    a_minute: float
    slowest_s: float
    cpu_ms: float
    lost: int
    unlogged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    receipt: tuple[str, str] | None
    seconds: float


def measure(folder: Path, *, reports: int, seconds: float, flood: int) -> Figures:
    """Send `reports` evenly over `seconds`, then `flood` more at once, and kill in their midst."""
    studio = create_studio(folder / "studio", name="Small Films", contact="a@b.example")
    studio.database.close()
    port = _free_port()
    server = subprocess.Popen([sys.executable, "-c", _SERVER, str(studio.folder), str(port)])
    try:
        _wait(port)
        began = time.monotonic()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            waits = [pool.submit(_send_at, port, n, began + n * seconds / reports)
                     for n in range(reports)]  # fmt: skip
            even = [each.result() for each in waits]
            took = time.monotonic() - began
            cpu = _cpu_of(server.pid)
            waits = [pool.submit(_send_at, port, reports + n, 0.0) for n in range(flood)]
            # In the midst of it.
            while waits and sum(each.done() for each in waits) < max(1, flood // 3):
                time.sleep(0.005)
            os.kill(server.pid, signal.SIGKILL)
            rest = [each.result() for each in waits]
    finally:
        server.kill()
        server.wait()
    return _figures(folder / "studio", even, rest, took, cpu)


def _figures(
    folder: Path, even: Sequence[_Answer], rest: Sequence[_Answer], took: float, cpu: float
) -> Figures:
    answers = [*even, *rest]
    accepted = [each for each in answers if each.receipt is not None]
    studio = open_studio(folder)
    settle(studio)
    lost = sum(not _is_there(studio, *each.receipt) for each in accepted if each.receipt)
    kept = len(list_cases(studio, joined=True))
    entries = sum(b'"kind":"case.opened"' in entry for _, entry in studio.log.reader().entries())
    studio.database.close()
    return Figures(
        sent=len(answers),
        accepted=len(accepted),
        refused=sum(each.status in (429, 503) for each in answers),
        unanswered=sum(each.status == 0 for each in answers),
        seconds=round(took, 1),
        a_minute=round(sum(each.receipt is not None for each in even) / took * 60, 1),
        slowest_s=round(max(each.seconds for each in even), 2),
        cpu_ms=round(cpu / max(1, len(even)) * 1000, 1),
        lost=lost,
        unlogged=max(0, kept - entries),
    )


def _send_at(port: int, number: int, moment: float) -> _Answer:
    time.sleep(max(0.0, moment - time.monotonic()))
    body = urlencode(
        {
            "kind": "mislabelled", "reasons": f"The label is missing in copy {number}.",
            "places": f"https://videos.example.org/{number}", "good_faith": "yes",
            "name": "Rosa", "email": f"rosa{number}@example.org",
        }
    )  # fmt: skip
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Forwarded-For": f"198.51.{number // 250}.{number % 250 + 1}",
    }
    began = time.monotonic()
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        wire.request("POST", "/en/report/", body, headers)
        answer = wire.getresponse()
        page = answer.read().decode()
    except (OSError, http.client.HTTPException):
        return _Answer(status=0, receipt=None, seconds=time.monotonic() - began)
    finally:
        wire.close()
    found = _RECEIPT.findall(page) if answer.status == 201 else []
    receipt = (found[0], found[1]) if len(found) == 2 else None
    return _Answer(status=answer.status, receipt=receipt, seconds=time.monotonic() - began)


def _is_there(studio: Studio, number: str, pin: str) -> bool:
    try:
        return find_by_receipt(studio, number, pin).number == number
    except Exception:  # noqa: BLE001 - whatever it is, the report is not there
        return False


def _cpu_of(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0 if nothing was lost and the rate was held."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reports", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--flood", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(
            Path(folder), reports=given.reports, seconds=given.seconds, flood=given.flood
        )
    if given.json:
        print(json.dumps(asdict(figures)))
    else:
        for name, value in asdict(figures).items():
            print(f"{name:12} {value}")
    return 0 if figures.lost == 0 and figures.unlogged == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
