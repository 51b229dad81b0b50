"""Which store this server uses.

DPO_LAB_STORE   a file for SQLite, or redis://HOST:PORT/N for Redis or Valkey (default: rooms.sqlite in the
                user's state folder, $XDG_STATE_HOME/dpo-lab or ~/.local/state/dpo-lab)
"""

import os
from pathlib import Path

from app.room.sqlite_store import SQLiteStore
from app.room.store import Store

VARIABLE = "DPO_LAB_STORE"
REDIS = ("redis://", "rediss://", "unix://")


def open_store() -> Store:
    """The store that the environment names."""
    stated = os.environ.get(VARIABLE, "")
    if stated.startswith(REDIS):
        from app.room.redis_store import RedisStore  # only where it is used

        return RedisStore(stated)
    return SQLiteStore(Path(stated).expanduser() if stated else _default_file())


def _default_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "dpo-lab" / "rooms.sqlite"
