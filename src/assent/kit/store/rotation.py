"""New keys for the studio itself: new root and master key, every person's key wrapped anew.

What an old copy of the studio's secrets could open before, it can't open afterwards. The people's
own keys and the vault stay as they are. Interrupted anywhere, the studio works; called again, it
finishes.
"""

import secrets

from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import NEXT_MASTER, Studio, open_keyring

__all__ = ["rotate"]


def rotate(studio: Studio, *, progress: Progress = nothing) -> int:
    """Replace root and master key; return how many people's keys were wrapped anew.

    `studio` is to be opened again afterwards: its keyring still has the old master key.
    """
    store = studio.secrets
    with studio.disk.lock(studio.folder / "keys" / ".rotation"):
        if NEXT_MASTER not in store.names():
            store.put(NEXT_MASTER, secrets.token_bytes(32))
        count = open_keyring(studio.folder, store, studio.disk).wrap_anew(progress)
        store.put("master", store.get(NEXT_MASTER))
        store.forget(NEXT_MASTER)
        # Last, so that the old master key goes with the root key that it was sealed under.
        store.rotate()
    studio.log.append([canonical({"kind": "keys.rotated", "time": stamp(studio.clock())})])
    return count
