"""Where Cellwright keeps its database and arrays."""

import os
from pathlib import Path

from platformdirs import user_data_dir


def default_home() -> Path:
    """Return the folder that `CELLWRIGHT_HOME` names, or the user's data folder."""
    return (
        Path(os.environ.get("CELLWRIGHT_HOME") or user_data_dir("cellwright", appauthor=False)).expanduser().absolute()
    )
