"""Versions of ipykernel other than the installed one, each in a directory of its own."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# What a version needs beyond the packages of the installed one.
ALSO = {"6.31.0": ["nest-asyncio==1.6.0"]}


def ipykernel(version: str, directory: Path) -> Path | None:
    """Return a directory of packages with that ipykernel; None where it is the installed one.

    Skips the test where pip finds no package index.
    """
    if importlib.metadata.version("ipykernel") == version:
        return None
    # The constraints pin the installed version.
    environment = {k: v for k, v in os.environ.items() if k != "PIP_CONSTRAINT"}
    pip = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--retries", "1"),
            *("--no-deps", "--no-compile", "--target", str(directory)),
            *(f"ipykernel=={version}", *ALSO.get(version, [])),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "(from versions: none)" in pip.stderr:  # not even other versions
        pytest.skip(f"pip finds no package index to take ipykernel {version} from")
    assert pip.returncode == 0, pip.stderr
    return directory
