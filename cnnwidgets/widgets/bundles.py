"""The built front-ends, as text."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"


def bundle(name: str, kind: str) -> str:
    """Return the text of a built front-end file.

    It is sent as text: as a path, anywidget would watch the file and keep every widget alive.

    Raises
    ------
    FileNotFoundError
        If the front-end was not built; the message says how.
    """
    file = STATIC / f"{name}.{kind}"
    if not file.is_file():
        raise FileNotFoundError(
            f"the front-end {file.name} is missing from this installation: in a clone run "
            "`make build`, else reinstall cnnwidgets"
        )
    return _text(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _text(file: Path, _changed: int) -> str:
    return file.read_text(encoding="utf-8")
