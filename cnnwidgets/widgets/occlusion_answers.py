"""What the occlusion slider answers: one method for each request of its front-end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cnnwidgets.widgets.occlusion_probing import Patch, Probing
from cnnwidgets.widgets.requests import Answer, Request, RequestError, answers
from cnnwidgets.widgets.traits import TraitValueError

if TYPE_CHECKING:
    from cnnwidgets.attribution.grid import Grid


class OcclusionAnswers:
    """The requests of the occlusion slider; the widget holds the state that they read."""

    _probing: Probing

    def run(self) -> None:
        """Start a sweep."""
        raise NotImplementedError

    def _halt(self) -> None:
        raise NotImplementedError

    def _found(self, patch: Patch, rows: list[dict[str, Any]]) -> None:
        raise NotImplementedError

    def _valid(self, name: str, value: Any) -> Any:  # noqa: ANN401 - what was asked
        raise NotImplementedError

    def _grid(self, window: int, stride: int) -> Grid:
        raise NotImplementedError

    def _renew(self) -> None:
        raise NotImplementedError

    @answers("patch")
    def _answer_patch(self, request: Request) -> Answer:
        patch = self._asked(request)
        rows = self._probing.rows(patch, request.index("target", len(self._probing.bare)))
        self._found(patch, rows)
        return Answer({"rows": rows, "milliseconds": 1000 * (time.monotonic() - request.begun)})

    @answers("layers")
    def _answer_layers(self, request: Request) -> Answer:
        patch = self._asked(request)
        return Answer({"layers": self._probing.noticing(patch, request.check)})

    @answers("cost")
    def _answer_cost(self, request: Request) -> Answer:
        window, stride, fill = (self._of(request, name) for name in ("window", "stride", "fill"))
        grid = self._grid(window, stride)
        seconds = self._probing.seconds(grid, fill)
        return Answer({"rows": len(grid.rows), "columns": len(grid.columns), "seconds": seconds})

    @answers("run")
    def _answer_run(self, _request: Request) -> Answer:
        self.run()
        return Answer()

    @answers("stop")
    def _answer_stop(self, _request: Request) -> Answer:
        self._halt()
        return Answer()

    def _asked(self, request: Request) -> Patch:
        """Return the patch that is asked for, of the picture that is asked for."""
        self._renew()
        if self._probing.shown.key != request.get("key", int):
            raise RequestError("the picture has changed")
        return Patch(*(self._of(request, name) for name in Patch._fields))

    def _of(self, request: Request, name: str) -> Any:  # noqa: ANN401
        kinds: dict[str, type] = {"fill": object, "kept": list}
        try:
            value = self._valid(name, request.get(name, kinds.get(name, int)))
        except TraitValueError as error:
            raise RequestError(str(error)) from None
        return tuple(value) if name == "kept" else value
