"""The course as a newcomer meets it: every notebook runs in JupyterLab, its widgets come up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.e2e.server import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import OpenNotebook

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
WIDGET = "section[data-state]"
READY = "section:is([data-state=ready], [data-state=ended])"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(open_notebook: OpenNotebook, path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    page = open_notebook(*code)
    page.run_all()
    made = len(re.findall(r"cw\.[A-Z]\w+(?:Browser|Slider|Viewer|Monitor)\(", "\n".join(code)))
    assert made
    for index in range(made):
        ready = page.locate(WIDGET).nth(index).and_(page.locate(READY))
        ready.wait_for(timeout=60_000)
    assert page.locate(WIDGET).count() == made
