"""What a training monitor answers: one method for each request of its front-end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnnwidgets.training.recorder import Recorder
from cnnwidgets.widgets.monitor_images import image_at, images_of
from cnnwidgets.widgets.monitor_snapshots import WHAT, maps_of, predicted
from cnnwidgets.widgets.monitor_weights import columns_of, told
from cnnwidgets.widgets.requests import Answer, Request, RequestError, answers
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnwidgets.widgets.monitor_runs import Followed
    from cnnwidgets.widgets.requests import Asked

IMAGES = "images"
"""What is asked for to get a logged picture; its tag stands for the layer."""
ACTIONS = ("pause", "resume", "stop", "rate")
_OTHERS = {
    "history": "curves",
    "predictions": "predictions",
    "pictures": "the probe pictures",
    "weights": "weights over the steps",
    IMAGES: "logged pictures",
}
_NAMED = 5


class MonitorAnswers:
    """The requests of the training monitor; the widget holds the runs that they are of."""

    _followed: Sequence[Followed]

    def _tell(self) -> None:
        raise NotImplementedError

    @answers("history")
    def _answer_history(self, request: Request) -> Answer:
        one = self._asked(request)
        one.follow()
        return Answer(*one.digest.whole())

    @answers("maps")
    def _answer_maps(self, request: Request) -> Answer:
        one, step = self._asked(request), request.get("step", int)
        what, layer = request.choose("what", (*WHAT, IMAGES)), request.get("layer", str)
        if what == IMAGES:
            picture, size = image_at(one.run, layer, step)
            return Answer({"size": size}, [pack(picture, "picture")])
        snapshot = one.snapshot(step)
        maps, channels = maps_of(snapshot, layer, what, request.get("picture", int))
        value = {"step": snapshot.step, "channels": channels, "shown": len(maps)}
        return Answer(value, [pack(maps, "quantised")])

    @answers("weights")
    def _answer_weights(self, request: Request) -> Answer:
        run, layer = self._asked(request).run, request.get("layer", str)
        steps, columns = columns_of(run, layer, request.get("after", int), request.step)
        packed = [pack(one, "float32") for one in (columns.values, columns.norms)]
        return Answer(told(steps, columns), packed)

    @answers("pictures")
    def _answer_pictures(self, request: Request) -> Answer:
        pictures = self._asked(request).pictures
        if pictures is None:
            raise RequestError("pictures: the run has no probe")
        return Answer({}, [pack(pictures, "picture")])

    @answers("predictions")
    def _answer_predictions(self, request: Request) -> Answer:
        one = self._asked(request)
        chances = one.predictions.of(one.run)
        if not chances:
            raise RequestError(
                "predictions: the run has no probe, or no snapshot yet, or its network has one "
                "output alone, which chooses between no classes"
            )
        value, likeliest = predicted(chances, one.classes)
        return Answer(value, [pack(likeliest, "float32")])

    @answers("control")
    def _answer_control(self, request: Request) -> Answer:
        run, action = self._asked(request).run, request.choose("action", ACTIONS)
        if not isinstance(run, Recorder) or not run.live:
            raise RequestError("control: this run is not being recorded here")
        if action == "rate":
            _set_rate(run, request.args.get("value"))
        elif not run.running:
            raise RequestError(
                f"control: {action} needs training in the background: run.start(train_fn)"
            )
        else:
            {"pause": run.pause, "resume": run.resume, "stop": run.stop}[action]()
        self._tell()
        return Answer()

    def _asked(self, request: Request) -> Followed:
        identity = request.get("run", str)
        for one in self._followed:
            if one.identity == identity:
                return one
        raise RequestError(f"run: the monitor shows no run {identity!r}")


def _set_rate(run: Recorder, rate: Any) -> None:  # noqa: ANN401 - what a page sends
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise RequestError(f"value: a learning rate is a number, not {type(rate).__name__}")
    try:
        run.set_learning_rate(rate)
    except ValueError as error:
        raise RequestError(str(error)) from None


def recorded(runs: Sequence[Followed], layer: str) -> Iterator[Asked]:
    """Yield the requests that an exported page should answer, most useful first.

    Curves and tables, the probe, the chosen layer's weights over the steps, then its maps and
    filters at every snapshot, then those of the other layers; logged pictures last.

    Parameters
    ----------
    runs
        The one that is looked at first.
    layer
        The chosen layer.
    """
    for name in ("history", "predictions", "pictures"):
        for one in runs:
            if name == "history" or one.pictures is not None:
                yield name, {"run": one.identity}
    for one in runs:
        yield from _weights(one, layer)
    for one in runs:
        for shown in sorted(one.layers(), key=lambda other: other != layer):
            if shown != layer:
                yield from _weights(one, shown)
            yield from _maps(one, shown)
    for one in runs:
        yield from _logged(one)


def _logged(one: Followed) -> Iterator[Asked]:
    for tag, pictures in images_of(one.run).items():
        for step, _ in reversed(pictures):
            args = {"run": one.identity, "step": step, "layer": tag}
            yield "maps", {**args, "what": IMAGES, "picture": 0}


def _weights(one: Followed, layer: str) -> Iterator[Asked]:
    if layer in one.shapes:
        yield "weights", {"run": one.identity, "layer": layer, "after": -1}


def _maps(one: Followed, layer: str) -> Iterator[Asked]:
    pictures = range(0 if one.pictures is None else len(one.pictures))
    for step in reversed(one.run.snapshots):
        args = {"run": one.identity, "step": step, "layer": layer}
        yield "maps", {**args, "what": "filters", "picture": 0}
        for picture in pictures:
            for what in ("maps", "gradients"):
                yield "maps", {**args, "what": what, "picture": picture}


def in_words(asked: Sequence[Asked]) -> str:
    """Say what these requests ask for."""
    kinds = [(args.get("what", name), args) for name, args in asked]
    layers = dict.fromkeys(args["layer"] for kind, args in kinds if kind in WHAT)
    others = dict.fromkeys(kind for kind, _ in kinds if kind not in WHAT)
    said = [_OTHERS[name] for name in others]
    if layers:
        names = ", ".join(list(layers)[:_NAMED]) + ", …" * (len(layers) > _NAMED)
        said.append(f"maps and filters of {len(layers)} layers ({names})")
    return ", ".join(said)
