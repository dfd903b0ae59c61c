"""What the gradient ascent viewer sends and answers: frames, curves, what is kept, control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cnnwidgets.widgets.ascent_answers import told
from cnnwidgets.widgets.ascent_frames import shown
from cnnwidgets.widgets.ascent_maps import maps_of, noise_for
from cnnwidgets.widgets.ascent_saving import FORMATS, encoded
from cnnwidgets.widgets.requests import Answer, Request, RequestError, answers
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cnnwidgets.network import Network
    from cnnwidgets.widgets.ascent_answers import Said
    from cnnwidgets.widgets.ascent_climb import Climb
    from cnnwidgets.widgets.ascent_page import Story

MOST_BYTES = 4_000_000
"""Of the frames that one request gets."""
_GONE = "this ascent is over: another one has begun since"


def frame_of(climb: Climb) -> tuple[dict[str, Any], list[bytes]]:
    """Return the newest pictures as a frame, with all numbers since the last one."""
    newest, first, numbers = climb.unsent()
    if newest is None:
        raise ValueError("there is no frame yet")
    value = {
        "generation": climb.generation,
        "step": newest.step,
        "from": first,
        "speed": climb.speed,
        **_answered(newest.said or climb.said(newest.step)),
        **told_beside(climb),
    }
    return value, [pack(shown(newest.pictures), "picture"), pack(numbers, "float32")]


def told_beside(climb: Climb) -> dict[str, Any]:
    """Return what is said of an ascent beside its numbers: notes, firsts, and its turns.

    Of a turn only what it changed, as a slider that is drawn makes many.
    """
    turns: list[dict[str, Any]] = []
    labels, given = [""], dict[str, Any]()
    for step, rules in climb.turns:
        now = {name: value for name, value in rules.given.items() if given.get(name, ()) != value}
        called = climb.labels(step)
        turns.append({"step": step, "now": now, "labels": None if called == labels else called})
        labels, given = called, rules.given
    notes = [note and note._asdict() for note in climb.notes]
    return {"notes": notes, "first": climb.first, "turns": turns}


def _answered(said: Sequence[Said]) -> dict[str, Any]:
    """Return the likeliest class of each picture and the one next to it; None: not asked."""
    return {
        "predictions": [told(one, 0) for one in said],
        "complement": [told(one, 1) for one in said],
    }


class AscentReplies:
    """The requests of the gradient ascent viewer; the widget holds the state that they read."""

    net: Network
    _climb: Climb | None
    _going: bool
    _picture: Tensor | None

    def run(self) -> None:
        """Climb."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the pictures."""
        raise NotImplementedError

    def _go(self, most: int | None = None) -> None:
        raise NotImplementedError

    def _story(self) -> Story:
        raise NotImplementedError

    @answers("run")
    def _answer_run(self, _request: Request) -> Answer:
        self.run()
        return Answer()

    @answers("resume")
    def _answer_resume(self, request: Request) -> Answer:
        return self._answer_run(request)

    @answers("pause")
    def _answer_pause(self, _request: Request) -> Answer:
        return Answer()  # it was, as soon as it was asked

    @answers("step")
    def _answer_step(self, _request: Request) -> Answer:
        self._go(1)
        return Answer()

    @answers("reset")
    def _answer_reset(self, _request: Request) -> Answer:
        self.reset()
        return Answer()

    @answers("curve")
    def _answer_curve(self, request: Request) -> Answer:
        climb = self._of(request)
        value = {"steps_kept": climb.frames.steps, **told_beside(climb)}
        numbers = climb.numbers(0, len(climb.measured))
        return Answer(value, [pack(numbers, "float32")])

    @answers("frames")
    def _answer_frames(self, request: Request) -> Answer:
        """Return pictures that were kept; what the network says of them only if nothing climbs."""
        climb = self._of(request)
        wanted = [step for step in request.get("steps", list) if isinstance(step, int)]
        steps = climb.frames.nearest(wanted)
        pictures = [shown(climb.frames[step]) for step in steps]
        room = max(1, MOST_BYTES // pictures[0].nbytes) if pictures else 0
        del steps[room:], pictures[room:]
        tensors = [pack(np.stack(pictures), "picture")] if pictures else []
        return Answer(self._said(request, climb, steps), tensors)

    @answers("answers")
    def _answer_answers(self, request: Request) -> Answer:
        """Return what the network says of pictures that were kept, without them."""
        climb = self._of(request)
        wanted = [step for step in request.get("steps", list) if isinstance(step, int)]
        return Answer(self._said(request, climb, climb.frames.nearest(wanted)))

    def _said(self, request: Request, climb: Climb, steps: Sequence[int]) -> dict[str, Any]:
        """Return what the network says; while one climbs, only where it was asked already."""
        said = []
        for done, step in enumerate(steps):
            request.step(done, len(steps))
            said.append(_answered(climb.said(step) if self._going else climb.says(step)))
        columns = {name: [one[name] for one in said] for name in ("predictions", "complement")}
        return {"steps": steps, **columns}

    @answers("maps")
    def _answer_maps(self, request: Request) -> Answer:
        """Return how a layer's channels answer the start picture, or one that has grown."""
        layer = request.get("layer", str)
        x, of = self._pictured()
        return Answer({"of": of}, [pack(maps_of(self.net, layer, x), "picture")])

    def _pictured(self) -> tuple[Tensor, str]:
        """Return the picture [1, C, H, W] that channels are shown with, and what it is."""
        if self._picture is not None:
            return self._picture, "the start picture"
        climb = self._climb
        if climb is not None and (frames := climb.of(0)):
            newest, label = frames[-1], climb.panels[0].subject.label
            return newest.image[None], f"the picture of {label} at step {newest.step}"
        return noise_for(self.net), "noise"

    @answers("save")
    def _answer_save(self, request: Request) -> Answer:
        kind = request.choose("format", [one.removeprefix(".") for one in FORMATS])
        story = self._story()
        data = np.frombuffer(bytearray(encoded(story, f".{kind}", request.step)), np.uint8)
        return Answer({"name": f"{story.file_name}.{kind}"}, [pack(data, "picture")])

    def _of(self, request: Request) -> Climb:
        climb = self._climb
        if climb is None or request.get("generation", int) != climb.generation:
            raise RequestError(_GONE)
        return climb
