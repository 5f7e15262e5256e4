import errno
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from studios import Scene

from assent.apps.work import machine
from assent.apps.work.machine import (
    Machine,
    alive,
    give_way,
    is_gone,
    name_worker,
    see_gpu,
    share_cores,
    sweep,
)

AUTOGROUP = Path("/proc/self/autogroup")
TWO = Machine(name="here", counts={"cpu-heavy": 1, "gpu": 2})


def test_a_job_gets_a_slot_of_the_first_device_that_there_is() -> None:
    assert TWO.slots(("gpu", "cpu-heavy")) == [["here/gpu/0", "here/gpu/1"]]
    assert TWO.slots(("tpu", "cpu-heavy")) == [["here/cpu-heavy/0"]]
    assert TWO.slots(()) == []
    without = Machine(name="here", counts={"cpu-heavy": 1, "gpu": 0})
    assert without.slots(("gpu", "cpu-heavy")) == [["here/cpu-heavy/0"]]


def test_this_machine_has_a_slot_for_each_two_cores_or_as_many_as_are_asked_for() -> None:
    cores = len(os.sched_getaffinity(0))
    assert Machine.here().counts["cpu-heavy"] == max(1, cores // 2)
    assert Machine.here(7).counts["cpu-heavy"] == 7


def test_a_job_sees_the_gpu_whose_slot_it_holds_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert see_gpu(["here/gpu/1", "project/model:m"])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert not see_gpu(["here/cpu-heavy/0"])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_a_worker_is_known_to_live_until_its_process_lets_go(scene: Scene) -> None:
    name = name_worker()
    assert is_gone(scene.studio, name)
    with alive(scene.studio, name):
        assert is_gone(scene.studio, name) is False
        assert is_gone(scene.reopened(), name) is False
    assert is_gone(scene.studio, name)
    assert name_worker() != name


def test_of_another_machine_s_workers_nothing_is_known(scene: Scene) -> None:
    assert is_gone(scene.studio, "elsewhere:12-0-ab") is None


def test_what_killed_workers_left_goes_after_a_day(scene: Scene) -> None:
    folder = scene.studio.folder / "work"
    with alive(scene.studio, name_worker()):
        (folder / "killed.lock").touch()
        sweep(scene.studio)
        assert len(list(folder.iterdir())) == 2
        scene.clock.now += timedelta(days=400)
        sweep(scene.studio)
        # The one that lives is left alone, however old.
        assert len(list(folder.iterdir())) == 1


def test_a_worker_gives_way_to_whoever_is_waited_for() -> None:
    code = (
        "import os\n"
        f"from {give_way.__module__} import {give_way.__name__} as give_way\n"
        "for _ in range(2):\n"
        "    give_way()\n"
        "    print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    nice = max(15, os.getpriority(os.PRIO_PROCESS, 0))
    assert told.stdout.split("\n")[:2] == 2 * [f"{nice} {os.SCHED_BATCH}"]


def test_jobs_share_the_cores_unless_somebody_says_otherwise() -> None:
    cores = len(os.sched_getaffinity(0))
    for jobs, part in ((1, cores), (cores, 1), (1000, 1)):
        shared = share_cores({"PATH": "/bin"}, jobs)
        assert shared["PATH"] == "/bin"
        assert shared["OMP_NUM_THREADS"] == shared["NUMBA_NUM_THREADS"] == str(part)
        assert shared["OMP_WAIT_POLICY"] == "PASSIVE"
    assert share_cores({"OMP_NUM_THREADS": "7"}, 1000)["OMP_NUM_THREADS"] == "7"


def nice_of_session(code: str, *, apart: bool) -> str:
    """Return how nice the kernel calls a program's session; "" if it doesn't look at sessions."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(open('{AUTOGROUP}').read())"],
        capture_output=True, check=True, text=True, start_new_session=apart,
    )  # fmt: skip
    return told.stdout.strip().rpartition(" ")[2]


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel shares out among processes alone")
def test_a_worker_s_session_gives_way_as_a_whole() -> None:
    # A kernel may have the file and not use it.
    usual = nice_of_session("", apart=True)
    code = f"from {give_way.__module__} import {give_way.__name__} as give_way\ngive_way()"
    assert nice_of_session(code, apart=True) == (usual and "15")
    # One that shares its session with a shell slows nothing else in it down.
    assert nice_of_session(code, apart=False) == nice_of_session("", apart=False)


def test_the_kernel_is_asked_again_until_it_listens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It takes one such wish in a tenth of a second, from whomever."""
    asked: list[str] = []

    class Busy:
        def write_text(self, text: str) -> None:
            asked.append(text)
            if len(asked) < 3:
                raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(machine, "_AUTOGROUP", Busy())
    monkeypatch.setattr(machine, "_BETWEEN_S", 0)
    monkeypatch.setattr(os, "getsid", lambda _: os.getpid())
    monkeypatch.setattr(os, "setpriority", lambda *_: None)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *_: None)
    give_way()
    assert asked == 3 * ["15"]
    monkeypatch.setattr(machine, "_AUTOGROUP", tmp_path / "none" / "autogroup")
    give_way()
