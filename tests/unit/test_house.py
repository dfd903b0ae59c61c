"""What a newcomer relies on: a lock file without addresses, pins, widgets of one form."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".jpg", ".gif", ".safetensors", ".ico"}
SKIPPED = {"node_modules", "static", "__pycache__", "test-results", "dist", "build"}

# In halves, so that this file does not mention them either.
FORBIDDEN = {
    "a registry's host": "|".join(
        re.escape(a + b)
        for a, b in [
            ("pypi", ".org"),
            ("pythonhosted", ".org"),
            ("registry.npm", "js"),
            ("deb", "ian.org"),
        ]
    ),
    "a path of one machine": r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+)/",
    "a folder outside the repository": r"(?<![\w./])sha" + r"red/(?:[A-Z]|prototypes|hooks)",
}


def texts() -> list[Path]:
    """Every text file of the project, in a clone as in an sdist."""
    tops = [p for p in ROOT.iterdir() if p.is_file() or not p.name.startswith(".")]
    files = [p for top in tops for p in ([top] if top.is_file() else top.rglob("*"))]
    return [
        p
        for p in files
        if p.is_file() and p.suffix not in BINARY and SKIPPED.isdisjoint(p.relative_to(ROOT).parts)
    ]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_points_outside_the_repository(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"{what} is mentioned"


def test_the_lock_file_names_no_address() -> None:
    lock = json.loads((ROOT / "js" / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_constraints_pin_every_package_once() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    for pin in pins:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", pin), pin
    bare = [pin.partition("==")[0] for pin in pins if ";" not in pin]
    assert len(bare) == len(set(bare))


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "js/src/widgets").glob("*")), ids=lambda p: p.name
)
def test_every_widget_has_its_parts(folder: Path) -> None:
    index = (folder / "index.tsx").read_text(encoding="utf-8")
    assert 'import "./style.css";' in index
    assert "export default" in index
    assert '"../../shared/theme.css"' in (folder / "style.css").read_text(encoding="utf-8")
    assert (ROOT / "cnnwidgets" / "widgets" / f"{folder.name}.py").exists()
