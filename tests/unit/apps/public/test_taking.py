"""What follows a report is done by one thread at a time, and no other waits for it."""

import threading
import time

from reports import notice
from studios import Scene, count_entries

from assent.apps.public.taking import Reports
from assent.monitor.cases.intake import open_case


def test_one_thread_settles_for_all(scene: Scene) -> None:
    studio, reports = scene.studio, Reports()
    open_case(studio, notice(), channel="public", later=True)
    studio.disk.make_folder(studio.folder / "cases")
    # Another process settles: whoever wants to has to wait for it.
    with studio.disk.lock(studio.folder / "cases" / ".settling"):
        waiting = threading.Thread(target=reports.settle, args=(studio,))
        waiting.start()
        while not reports._settling.locked():  # noqa: SLF001 - whether it has come so far
            time.sleep(0.01)
        open_case(studio, notice(places=("https://b.example/2",)), channel="public", later=True)
        for _ in range(3):
            reports.settle(studio)
        assert count_entries(studio, "case.opened") == 0
    waiting.join()
    assert count_entries(studio, "case.opened") == 2
    reports.settle(studio)
    assert count_entries(studio, "case.opened") == 2
