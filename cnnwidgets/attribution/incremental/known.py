"""What is known of the picture as it is, and how much was computed to see it occluded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnwidgets.attribution.incremental.windows import Maps

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Known:
    """The maps that each function of the forward gives for the picture as it is.

    They are told apart by when the function is called: a forward calls the same
    functions in the same order for every batch of patches.

    Attributes
    ----------
    operations
        Multiply-adds of convolutions and dense layers so far.
    values
        How many numbers they gave.
    """

    def __init__(self) -> None:
        self.operations = self.values = 0
        self._calls = 0
        self._maps: dict[int, tuple[str, Maps]] = {}

    def restart(self) -> None:
        """Begin another forward."""
        self._calls = 0

    def called(self) -> None:
        """Note that the forward calls its next function."""
        self._calls += 1

    def maps(self, name: str, compute: Callable[[], Tensor]) -> Maps:
        """Return what the present function gives for the picture, computed once.

        Raises
        ------
        RuntimeError
            If another function was called at this point before.
        """
        if self._calls not in self._maps:
            self._maps[self._calls] = name, Maps(compute())
        before, maps = self._maps[self._calls]
        if before != name:
            raise RuntimeError(f"the forward called {name} where it called {before} before")
        return maps

    def count(self, name: str, args: Any, result: Any) -> None:  # noqa: ANN401
        """Add up the multiply-adds of a call that has been made."""
        if name in {"conv2d", "linear"}:
            self.operations += result.numel() * args[1][0].numel()
            self.values += result.numel()
        elif name == "conv_transpose2d":
            self.operations += args[0].numel() * args[1][0].numel()
            self.values += result.numel()
