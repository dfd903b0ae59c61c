"""What the saliency viewer answers: one method for each request of its front-end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cnnwidgets.widgets.requests import Answer, Request, RequestError, answers
from cnnwidgets.widgets.saliency_judging import (
    NOISES,
    SAMPLES,
    curves,
    cut_out,
    noise_by_samples,
)
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from cnnwidgets.network import Network
    from cnnwidgets.widgets.saliency_maps import Explanation, Explanations, Panel
    from cnnwidgets.widgets.saliency_subject import Subject

_SMALL = 112
"""Rows and columns that a map of the figure noise × samples may have."""
_GONE = "the map has changed: it is no longer shown"


class SaliencyAnswers:
    """The requests of the saliency viewer; the widget holds the state that they read."""

    net: Network
    target: int
    measure: str
    reduction: str
    part: str
    _subject: Subject
    _made: Explanations
    _curves: Any
    _cut: Any
    _sheet: Any

    def panels(self) -> list[Panel]:
        """List what is shown."""
        raise NotImplementedError

    def _start(self, panels: Iterable[Panel]) -> None:
        raise NotImplementedError

    def _halt(self) -> None:
        raise NotImplementedError

    @answers("run")
    def _answer_run(self, request: Request) -> Answer:
        wanted = request.args.get("ids")
        self._start(one for one in self.panels() if wanted is None or one.id in wanted)
        return Answer()

    @answers("stop")
    def _answer_stop(self, _request: Request) -> Answer:
        self._halt()
        return Answer()

    @answers("map")
    def _answer_map(self, request: Request) -> Answer:
        return Answer({}, [self._asked(request).packed()])

    @answers("stages")
    def _answer_stages(self, request: Request) -> Answer:
        stages = self._made.stages(self._asked(request).panel.id)
        done, packed = [count for count, _ in stages], [data for _, data in stages]
        return Answer({"done": done}, packed)

    @answers("curves")
    def _answer_curves(self, request: Request) -> Answer:
        made = [self._of(str(name)) for name in request.get("ids", list)][:2]
        if not made:
            raise RequestError("curves: ids is empty; name one or two maps")
        shown = [one.shown(self.reduction, self.part) for one in made]
        found = curves(self.net, self._subject, made, shown, request.step)
        self._curves = {**found, **self._how()}
        return Answer()

    @answers("cut")
    def _answer_cut(self, request: Request) -> Answer:
        made = self._of(request.get("id", str))
        inside = cut_out(self.net, self._subject.shown.x, made.shown(self.reduction, self.part))
        mask = pack(np.where(inside, 255, 0).astype(np.uint8), "picture")
        value = {"id": made.panel.id, "version": made.version, "mask": mask}
        self._cut = {**value, "share": float(inside.mean()), **self._how()}
        return Answer()

    @answers("noise")
    def _answer_noise(self, request: Request) -> Answer:
        cells: dict[tuple[int, int], Tensor] = {}
        total = len(NOISES) * len(SAMPLES)
        for row, column, values in noise_by_samples(
            self._subject, self.net, self.target, self.measure
        ):
            cells[row, column] = values
            request.step(len(cells), total)
        maps = torch.stack([cells[at] for at in sorted(cells)])
        apart = -(-max(maps.shape[2:]) // _SMALL)
        thin = maps[..., ::apart, ::apart].contiguous()
        value = {"noises": list(NOISES), "samples": list(SAMPLES), "apart": apart}
        value |= {"target": self._subject.name(self.target), "key": self._subject.shown.key}
        self._sheet = {**value, "maps": pack(thin, "quantised")}
        return Answer()

    def _how(self) -> dict[str, str]:
        return {"reduction": self.reduction, "part": self.part}

    def _asked(self, request: Request) -> Explanation:
        made = self._of(request.get("id", str))
        if made.version != request.get("version", int):
            raise RequestError(_GONE)
        return made

    def _of(self, identity: str) -> Explanation:
        made = self._made.named(identity)
        if made is None or made.attribution is None:
            raise RequestError(_GONE)
        return made
