"""One of several processes that train together; run by `test_together`.

python together.py FOLDER RANK WORLD STEPS STOP: trains with whoever else meets it in the folder,
from the folder's `state` if there is one, for STEPS in all or until it is at STOP; leaves `state`,
and `weights-RANK`.
"""

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import save_file
from torch import distributed

from assent.train.loop import Trainer

HERE = Path(__file__).parent


def drawn() -> ModuleType:
    """The tests' drawn faces."""
    spec = importlib.util.spec_from_file_location("drawn", HERE / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(folder: Path, rank: int, world: int, steps: int, stop: int) -> None:
    """Train, and leave what came of it."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=(folder / f"meet-{stop}").as_uri(), rank=rank, world_size=world
    )
    faces = drawn()
    sets = {
        "ada": faces.drawn_faces((225, 190, 170), 1),
        "ben": faces.drawn_faces((150, 110, 90), 2),
    }
    before = folder / "state"
    # Clocks that disagree: the second process takes its steps to last for ever.
    ticks = iter(range(10**6))
    clock = (lambda: float(next(ticks))) if rank == 0 else (lambda: 1e6 * next(ticks))
    if before.exists():
        trainer = Trainer.resume(before.read_bytes(), sets, device=torch.device("cpu"), clock=clock)
    else:
        config = faces.small_config()
        trainer = Trainer(sets, config, 5, device=torch.device("cpu"), clock=clock)
    # Only the first is told to stop.
    trainer.run(seconds=float(steps), should_stop=lambda: rank == 0 and trainer.iteration >= stop)
    state = trainer.state()
    gradient = trainer.network.encoder.code.weight.grad
    assert gradient is not None
    found = {**trainer.network.state_dict(), "gradient": gradient}
    save_file({name: each.contiguous() for name, each in found.items()}, folder / f"weights-{rank}")
    if rank == 0:
        before.write_bytes(state)
    # Who leaves first would cut the other off.
    (folder / f"done-{stop}-{rank}").touch()
    while not all((folder / f"done-{stop}-{each}").exists() for each in range(world)):
        time.sleep(0.01)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:6]))
