"""Writing a run as an event file for TensorBoard."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cnnwidgets.training.tensorboard import records
from cnnwidgets.training.tensorboard.protobuf import chunk, double, single, varint
from cnnwidgets.training.tensorboard.reading import TensorBoardRun

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cnnwidgets.training.run import Run


def write(run: Run, logdir: str | os.PathLike[str]) -> Path:
    """Write the scalars, histograms and pictures of a run as one event file.

    Pictures are those of the probe, at step 0, or those that were read of other event files.

    Parameters
    ----------
    run
        The run.
    logdir
        The folder, which is made if it is not there.

    Returns
    -------
    Path
        The file.
    """
    folder = Path(logdir)
    folder.mkdir(parents=True, exist_ok=True)
    began = time.time()
    events = [(0.0, _event(began, 0, chunk(3, "brain.Event:2")))]
    for name, curve in run.scalars.items():
        for step, value, seconds in zip(*(column.tolist() for column in curve), strict=True):
            said = chunk(1, name) + single(2, value)
            events.append((seconds, _summary(began + seconds, step, said)))
    for layer in run.layers:
        for quantity in run.quantities(layer):
            events += _histograms(run, layer, quantity, began)
    for tag, step, picture in _pictures(run):
        if said := _image(picture):
            events.append((0.0, _summary(began, step, chunk(1, tag) + chunk(4, said))))
    path = folder / f"events.out.tfevents.{int(began)}.cnnwidgets.{time.perf_counter_ns()}"
    with path.open("xb") as file:
        for _, event in sorted(events, key=lambda pair: pair[0]):
            records.write(file, event)
    return path


def _pictures(run: Run) -> Iterator[tuple[str, int, bytes]]:
    """Yield tags, steps and files of the run's pictures."""
    if isinstance(run, TensorBoardRun):
        for tag, pictures in run.images.items():
            yield from ((tag, step, file) for step, file in pictures)
    elif run.pictures is not None:
        for index, pixels in enumerate(run.pictures):
            png = io.BytesIO()
            Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(png, "png")
            yield f"probe/{index}", 0, png.getvalue()


def _image(file: bytes) -> bytes:
    """Encode a picture's file; nothing if it is damaged."""
    try:
        with Image.open(io.BytesIO(file)) as image:
            (width, height), bands = image.size, len(image.getbands())
    except (OSError, ValueError, Image.DecompressionBombError):
        return b""
    return varint(1, height) + varint(2, width) + varint(3, bands) + chunk(4, file)


def _histograms(run: Run, layer: str, quantity: str, began: float) -> list[tuple[float, bytes]]:
    """Encode the histograms of one layer; where it was not measured there is none."""
    steps, edges, shares = run.histograms(layer, quantity)
    numbers = run.statistics(layer, quantity)
    seconds = run.seconds
    found = []
    for i in np.flatnonzero(np.isfinite(shares).all(1) & np.isfinite(numbers.std)).tolist():
        mean = float(numbers.mean[i])
        square = mean**2 + float(numbers.std[i]) ** 2
        count = float(numbers.norm[i]) ** 2 / square if square else 1.0
        held = shares[i].astype(np.float64)
        said = _histogram(edges, count * held / (held.sum() or 1), mean, square)
        value = chunk(1, f"{layer}/{quantity}") + chunk(5, said)
        found.append((float(seconds[i]), _summary(began + seconds[i], int(steps[i]), value)))
    return found


def _histogram(
    edges: NDArray[np.float64], counts: NDArray[np.float64], mean: float, square: float
) -> bytes:
    """Encode a histogram; `square` is the mean square of the values."""
    filled, total = np.flatnonzero(counts), counts.sum()
    low, high = (edges[filled[0]], edges[filled[-1] + 1]) if len(filled) else (0.0, 0.0)
    return b"".join(
        [
            *(double(1, low), double(2, high), double(3, total)),
            *(double(4, total * mean), double(5, total * square)),
            *(chunk(6, edges[1:]), chunk(7, counts)),
        ]
    )


def _summary(wall_time: float, step: int, value: bytes) -> bytes:
    return _event(wall_time, step, chunk(5, chunk(1, value)))


def _event(wall_time: float, step: int, what: bytes) -> bytes:
    return double(1, wall_time) + varint(2, step) + what
