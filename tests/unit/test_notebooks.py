"""The course runs top to bottom, offline and within a minute, and is stored without outputs."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

OFFLINE = """
import socket
_connect = socket.socket.connect
def connect(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"the course is offline, but this asked for {address}")
    return _connect(self, address)
socket.socket.connect = connect
"""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_of(path: Path) -> list[dict[str, Any]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_is_a_first_lesson() -> None:
    assert NOTEBOOKS
    assert NOTEBOOKS[0].name == "01-look-inside.ipynb"


@each_notebook
def test_no_outputs_are_stored(path: Path) -> None:
    code = code_of(path)
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_the_first_cell_of_code_shows_a_browser_within_five_lines() -> None:
    first = "".join(code_of(NOTEBOOKS[0])[0]["source"])
    lines = [line for line in first.splitlines() if line]
    assert len(lines) <= 5
    assert "cw.LayerBrowser(" in first


def test_training_in_the_background_says_how_long_it_will_be() -> None:
    path = next(path for path in NOTEBOOKS if path.stem.startswith("03-"))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    (cell,) = (text for one in cells if ".start(train" in (text := "".join(one["source"])))
    steps = re.search(r"steps=(\d+)", cell)
    assert steps
    assert f"total={steps[1]})" in cell


@each_notebook
def test_what_is_to_be_turned_while_it_runs_is_not_waited_for(path: Path) -> None:
    shown = ["".join(cell["source"]) for cell in code_of(path)]
    assert not [source for source in shown if ".run()" in source and ".wait(" in source]


@pytest.mark.slow
@each_notebook
@pytest.mark.filterwarnings(
    "default"
)  # those of the Jupyter client that drives the kernel, not ours
def test_runs_offline_within_a_minute(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Here: what nbformat loads takes longer than all that is fast in this file.
    import nbformat  # noqa: PLC0415
    from nbclient import NotebookClient  # noqa: PLC0415

    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(OFFLINE))  # type: ignore[no-untyped-call]
    began = time.monotonic()
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert time.monotonic() - began < 60
    said = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in said if output.get("name") == "stderr"]
