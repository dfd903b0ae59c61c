"""What tests of widgets share: no kernel, and a front-end that needs no build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel import FakeComm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def front_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of built front-ends that holds next to nothing; comms are recorded."""
    from cnnwidgets.widgets import base  # noqa: PLC0415 - only tests of widgets pay for it

    for name in ("layer_browser", "toy", "host"):
        (tmp_path / f"{name}.js").write_text(f"export default {{ name: '{name} </script>' }};")
        (tmp_path / f"{name}.css").write_text(f".cnnw-{name} {{ color: red }}")
    monkeypatch.setattr(base, "STATIC", tmp_path)
    monkeypatch.setattr("comm.create_comm", FakeComm)
    return tmp_path
