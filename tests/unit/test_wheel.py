"""The wheel and the sdist: whole, small, installable without Node.js, silent on the network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.imported import MODULES, imports

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KILOBYTE = 1000
SCRIPT_LIMIT = 90 * KILOBYTE
STYLE_LIMIT = 10 * KILOBYTE
# Above the limit of the others: they may shrink, not grow.
LARGER = {
    "cnnwidgets/static/layer_browser.css": 11_600,
    "cnnwidgets/static/training_monitor.css": 12_300,
    "cnnwidgets/static/training_monitor.js": 116_900,
}
WHEEL_LIMIT = 7_000 * KILOBYTE

WIDGETS = sorted(folder.name for folder in (ROOT / "js" / "src" / "widgets").iterdir())
# Names that XML gives to its languages; a browser never asks for them.
NAMESPACES = {
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1998/Math/MathML",
    "http://www.w3.org/1999/xhtml",
}
# Packages that are called otherwise than what they install.
PACKAGES = {"PIL": "pillow", "skimage": "scikit-image", "cv2": "opencv-python-headless"}
COME_ALONG = {"traitlets"}  # with ipywidgets, which is made of them
# A module imported by name; host.js imports only the blobs that it makes itself.
LOADING = re.compile(r"""(?:^|[;}\s])import\s*["'{*]|\bimport(?:Scripts)?\s*\(\s*["'`]""")
# An address with its scheme, or without one as the first thing of a string or of url(…).
ADDRESS = re.compile(r"""(?:https?|wss?|ftp)://[^"'`\s)]*|(?<=["'`(])//[^"'`\s)]+""", re.IGNORECASE)


def build(source: Path, kind: str, into: Path, path: str | None = None) -> Path:
    """Build with the tools that are installed, and nothing else on the PATH if one is given."""
    environment = {"PATH": path, "HOME": str(into)} if path else None
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", kind, "--outdir", into, source],
        env=environment,
        check=True,
    )
    (built,) = [p for p in into.iterdir() if p.suffix == (".whl" if kind == "--wheel" else ".gz")]
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clone = tmp_path_factory.mktemp("clone") / "cnnwidgets"
    ignored = shutil.ignore_patterns(".*", "node_modules", "static", "__pycache__", "test-results")
    shutil.copytree(ROOT, clone, ignore=ignored)
    (clone / "js" / "node_modules").symlink_to(ROOT / "js" / "node_modules")
    return build(clone, "--sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made of the sdist alone, on a machine without Node.js."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    empty = tmp_path_factory.mktemp("bin")
    return build(source, "--wheel", tmp_path_factory.mktemp("wheel"), path=str(empty))


@pytest.fixture(scope="module")
def files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_sdist_can_be_developed_from(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "constraints.txt", "hatch_build.py", "js/package-lock.json"} <= names
    assert {"tests/e2e/driver.js", "notebooks/01-look-inside.ipynb"} <= names
    assert not any("node_modules" in name for name in names)


def test_the_wheel_is_whole(wheel: Path, files: dict[str, bytes]) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < WHEEL_LIMIT
    bundles = {f"cnnwidgets/static/{name}.{kind}" for name in WIDGETS for kind in ("js", "css")}
    assert bundles | {"cnnwidgets/static/host.js", "cnnwidgets/py.typed"} <= set(files)
    assert any(name.endswith("licenses/LICENSE") for name in files)
    data = {str(p.relative_to(ROOT)) for p in (ROOT / "cnnwidgets/samples/data").iterdir()}
    assert data <= set(files)
    assert all(content for name, content in files.items() if "static" in name)
    strange = [n for n in files if not n.startswith(("cnnwidgets/", "cnnwidgets-"))]
    assert strange == []


def test_what_it_requires_is_what_it_imports(files: dict[str, bytes]) -> None:
    (metadata,) = (text.decode() for n, text in files.items() if n.endswith(".dist-info/METADATA"))
    required = re.findall(r"^Requires-Dist: ([\w.-]+)(.*)$", metadata, re.MULTILINE)
    plain = {spelled(name) for name, rest in required if "extra ==" not in rest}
    extra = {spelled(name) for name, rest in required if re.search("'(imagenet|segment)'", rest)}
    tops = {name.partition(".")[0] for path in MODULES for name in imports(path)}
    imported = {spelled(PACKAGES.get(top, top)) for top in tops - {"cnnwidgets"} - COME_ALONG}
    assert extra
    assert plain | extra == imported
    assert not plain & extra


def spelled(package: str) -> str:
    """Spell a package as indices compare it."""
    return package.lower().replace("_", "-")


def test_the_licences_of_what_is_bundled_are_there(files: dict[str, bytes]) -> None:
    text = files["cnnwidgets/static/THIRD-PARTY-LICENSES.txt"].decode()
    for package in json.loads((ROOT / "js/package.json").read_text())["dependencies"]:
        assert re.search(rf"^{re.escape(package)} [\d.]+ \(MIT\)$", text, re.MULTILINE), package
    assert text.count("Permission is hereby granted") >= 3  # preact, signals, signals-core


def test_bundles_are_small_and_load_nothing(files: dict[str, bytes]) -> None:
    scripts = {n: c.decode() for n, c in files.items() if n.startswith("cnnwidgets/static/")}
    for name, text in scripts.items():
        if name.endswith(".txt"):
            continue
        limit = LARGER.get(name, STYLE_LIMIT if name.endswith(".css") else SCRIPT_LIMIT)
        assert len(text.encode()) <= limit, name
        assert set(ADDRESS.findall(text)) <= NAMESPACES, name
        assert "@import" not in text, name
        assert not LOADING.search(text), name


def test_the_search_for_addresses_finds_them() -> None:
    text = """import"https://a/b.js";fetch('//c/d');url(//e/f) x//comment "http://www.w3.org/x" """
    assert LOADING.search(text)
    assert ADDRESS.findall(text) == ["https://a/b.js", "//c/d", "//e/f", "http://www.w3.org/x"]


USE = """
import json
import cnnwidgets as cw
net, images, labels = cw.samples.fashion()
widget = cw.LayerBrowser(net, images[0])
print(json.dumps([cw.__file__, len(widget._esm), len(widget._css), len(images)]))
"""


def test_the_wheel_works_where_there_is_no_node(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", fresh], check=True)
    python = fresh / "bin" / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", *install, wheel], check=True)
    # What it depends on comes from the environment of this test: torch is not installed twice.
    (site,) = fresh.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")

    printed = subprocess.check_output(
        [python, "-c", USE],
        cwd=tmp_path,
        env={"PATH": str(fresh / "bin"), "HOME": str(tmp_path), "MPLBACKEND": "agg"},
        text=True,
    )
    file, script, style, pictures = json.loads(printed)
    assert Path(file).is_relative_to(site)
    assert script > 10 * KILOBYTE
    assert style > KILOBYTE
    assert pictures >= 2000
