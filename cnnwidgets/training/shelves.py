"""Snapshots as files: one safetensors file for each, which is read without running code."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cnnwidgets.training.probing import Probed
from cnnwidgets.training.snapshots import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cnnwidgets.training.snapshots import Kind

_MODEL, _ACTIVATIONS, _GRADIENTS, _OUTPUT, _OPTIMIZER = (
    *("model/", "activations/", "gradients/"),
    *("output", "optimizer/"),
)
_PICTURES = "pictures.safetensors"


class Files:
    """Keeps snapshots in a folder, as ``step-12.safetensors`` and the like.

    Parameters
    ----------
    folder
        Made when the first snapshot is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def steps(self) -> list[int]:
        """The steps whose snapshots are there."""
        names = (
            path.stem.removeprefix("step-") for path in self._folder.glob("step-*.safetensors")
        )
        return sorted(int(name) for name in names if name.isdecimal())

    def put(self, snapshot: Snapshot) -> None:
        """Write one; it is there completely or not at all."""
        tensors = {_MODEL + name: tensor.contiguous() for name, tensor in snapshot.state.items()}
        if snapshot.probed is not None:
            probed = snapshot.probed
            tensors |= {_ACTIVATIONS + name: one for name, one in probed.activations.items()}
            tensors |= {_GRADIENTS + name: one for name, one in probed.gradients.items()}
            tensors[_OUTPUT] = probed.output
        optimizers = _plain(list(snapshot.optimizers), _OPTIMIZER, tensors)
        about = {
            "kind": snapshot.kind,
            "optimizers": json.dumps(optimizers),
            "transposed": json.dumps(snapshot.transposed),
        }
        self._write(self._path(snapshot.step), tensors, about)

    def get(self, step: int) -> Snapshot:
        """Read one; KeyError if it is not there, or damaged."""
        with self._opened(step) as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
        probed = None
        if _OUTPUT in tensors:
            maps = (_under(_ACTIVATIONS, tensors), _under(_GRADIENTS, tensors))
            probed = Probed(*maps, tensors[_OUTPUT])
        optimizers = _rebuilt(json.loads(about.get("optimizers", "[]")), tensors)
        return _snapshot(step, about, tensors, tuple(optimizers or ()), probed)

    def outline(self, step: int) -> Snapshot:
        """Read the shapes of what one holds, as tensors of the device "meta"; KeyError as `get`."""
        with self._opened(step) as file:
            names = [name for name in file.keys() if name.startswith(_MODEL)]  # noqa: SIM118
            shapes = {name: file.get_slice(name).get_shape() for name in names}
            about = file.metadata() or {}
        empty = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
        return _snapshot(step, about, empty)

    def kind(self, step: int) -> Kind | None:
        """Read what one holds; None if it is not there, or damaged."""
        with suppress(OSError, SafetensorError), safe_open(self._path(step), "pt") as file:
            kind: Kind = (file.metadata() or {}).get("kind", "weights")
            return kind
        return None

    def keep(self, pictures: NDArray[np.uint8], classes: Sequence[str]) -> None:
        """Write what the network is shown at each snapshot, and the names of its classes."""
        kept = {"pictures": torch.from_numpy(pictures)}
        self._write(self._folder / _PICTURES, kept, {"classes": json.dumps(list(classes))})

    def kept(self) -> tuple[NDArray[np.uint8] | None, list[str]]:
        """Read the pictures, None if there are none, and the names of the classes."""
        with (
            suppress(OSError, ValueError, SafetensorError),
            safe_open(self._folder / _PICTURES, "np") as file,
        ):
            classes = json.loads((file.metadata() or {}).get("classes", "[]"))
            return file.get_tensor("pictures"), [str(name) for name in classes]
        return None, []

    def drop(self, step: int) -> None:
        """Remove one."""
        with suppress(OSError):
            self._path(step).unlink()

    @contextmanager
    def _opened(self, step: int) -> Iterator[Any]:
        try:
            with safe_open(self._path(step), "pt") as file:
                yield file
        except (OSError, SafetensorError) as error:
            raise KeyError(f"the snapshot of step {step} cannot be read: {error}") from error

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step}.safetensors"

    def _write(self, path: Path, tensors: dict[str, Tensor], about: dict[str, str]) -> None:
        """Write a file, completely or not at all; OSError if that is not possible."""
        self._folder.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial")
        try:
            save_file({name: one.contiguous() for name, one in tensors.items()}, partial, about)
            partial.replace(path)
        except SafetensorError as error:  # which a full disk is to it
            raise OSError(str(error)) from error
        finally:
            with suppress(OSError):
                partial.unlink()


def _snapshot(
    step: int,
    about: Mapping[str, str],
    tensors: dict[str, Tensor],
    optimizers: tuple[dict[str, Any], ...] = (),
    probed: Probed | None = None,
) -> Snapshot:
    kind: Any = about.get("kind", "weights")
    transposed = json.loads(about.get("transposed", "{}"))
    return Snapshot(step, kind, _under(_MODEL, tensors), optimizers, probed, transposed)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    found = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): tensor for name, tensor in found.items()}


def _plain(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:  # noqa: ANN401
    """Make JSON of an optimizer's state, its tensors put aside by name."""
    if isinstance(value, Tensor):
        tensors[path] = value
        return {"tensor": path}
    if isinstance(value, dict):
        items = enumerate(value.items())
        return {"dict": [[key, _plain(one, f"{path}/{i}", tensors)] for i, (key, one) in items]}
    if isinstance(value, (list, tuple)):
        return [_plain(one, f"{path}/{i}", tensors) for i, one in enumerate(value)]
    return value if isinstance(value, (bool, int, float, str, type(None))) else repr(value)


def _rebuilt(value: Any, tensors: dict[str, Tensor]) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: _rebuilt(one, tensors) for key, one in value["dict"]}
    return [_rebuilt(one, tensors) for one in value] if isinstance(value, list) else value
