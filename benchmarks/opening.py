"""What is paid before there is anything to see: import, weights looked at, a large picture."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from benchmarks._table import Figure, report
from cnnwidgets import images
from cnnwidgets.fingerprint import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
IMPORT = """
import time
import torch
start = time.perf_counter()
import cnnwidgets
print(time.perf_counter() - start)
"""
VGG16_LIKE = [(512, 512, 3, 3)] * 13 + [(64, 64, 3, 3)] * 20
LARGE = (8000, 6000)
"""48 million pixels, as of a camera."""


def middle(seconds: Callable[[], float]) -> float:
    """Return the median of some rounds, after one that does not count."""
    seconds()
    return statistics.median(seconds() for _ in range(ROUNDS))


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def imported() -> Figure:
    """Measure the import in processes of their own, after torch's."""
    run = [sys.executable, "-c", IMPORT]
    seconds = middle(lambda: float(subprocess.check_output(run, text=True)))
    return Figure("import cnnwidgets, on top of torch", 1e3 * seconds, 300, "ms")


def looked_at() -> Figure:
    """Measure how long it takes to know that no weight has changed, before every answer."""
    weights, look = [torch.zeros(shape) for shape in VGG16_LIKE], Fingerprint()
    seconds = middle(lambda: timed(lambda: look.of(weights)))
    return Figure("have 31 million weights changed?", 1e3 * seconds, 3, "ms")


def prepared(folder: Path) -> list[Figure]:
    """Measure how long a large picture takes to become a batch."""
    ramp = np.linspace(0, 255, 48 * 3).reshape(6, 8, 3).astype(np.uint8)
    picture = Image.fromarray(ramp).resize(LARGE, Image.Resampling.BILINEAR)
    figures = []
    for kind, limit in (("jpg", 1.5), ("png", 6.0), ("array", 2.0)):
        path = folder / f"large.{kind}"
        if kind != "array":
            picture.save(path, compress_level=1)
        given = np.asarray(picture) if kind == "array" else path
        seconds = middle(partial(timed, partial(images.prepare, given, (3, 224, 224))))
        figures.append(Figure(f"48 million pixels ({kind}) to 224²", seconds, limit, "s"))
    return figures


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return report([imported(), looked_at(), *prepared(Path(folder))])


if __name__ == "__main__":
    sys.exit(main())
