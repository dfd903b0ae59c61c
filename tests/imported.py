"""What the modules of the package import: at the top, in a function, for annotations only."""

from __future__ import annotations

import ast
import functools
import sys
from pathlib import Path

import cnnwidgets

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "cnnwidgets").rglob("*.py"))


@functools.cache
def imports(path: Path, *, types: bool = True) -> set[str]:
    """Dotted names that are not of the standard library; without ``types``, those of run time."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found.update(_defined(f"{module}.{alias.name}") for alias in node.names)
        elif types or not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            waiting += ast.iter_child_nodes(node)
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def _defined(name: str) -> str:
    """Say where a public name of the package lives: ``cnnwidgets.link`` is of the widgets."""
    package, _, public = name.partition(".")
    return cnnwidgets._MODULES.get(public, name) if package == "cnnwidgets" else name
