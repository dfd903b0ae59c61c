"""The course as a newcomer meets it: every notebook runs in JupyterLab, its widgets come up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.e2e.layer_browser import ROOT, LayerBrowser
from tests.e2e.server import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import OpenNotebook

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(open_notebook: OpenNotebook, path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    page = open_notebook(*(cell.source for cell in cells if cell.cell_type == "code"))
    page.run_all()
    page.wait_for(ROOT)
    for index in range(page.locate(ROOT).count()):
        LayerBrowser(page, index).wait_state()
