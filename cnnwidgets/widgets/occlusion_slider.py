"""OcclusionSlider: a patch to move over a picture, and a sweep of it over all places."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Int, List, TraitType, Unicode, observe, validate

from cnnwidgets.attribution.grid import Grid
from cnnwidgets.attribution.measures import MEASURES
from cnnwidgets.attribution.question import finite
from cnnwidgets.network import as_network
from cnnwidgets.widgets.occlusion_answers import OcclusionAnswers
from cnnwidgets.widgets.occlusion_cells import Cells, cells_of
from cnnwidgets.widgets.occlusion_checks import checked
from cnnwidgets.widgets.occlusion_probing import CHANGED, Patch, Probing
from cnnwidgets.widgets.occlusion_sheet import Sheet, preview
from cnnwidgets.widgets.occlusion_tally import Tally
from cnnwidgets.widgets.pictures import Shown, identify, seen
from cnnwidgets.widgets.requests import RequestError
from cnnwidgets.widgets.running import Running
from cnnwidgets.widgets.traits import Choice, ClassIndex
from cnnwidgets.widgets.wire import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.figure import Figure
    from torch import Tensor, nn

    from cnnwidgets.attribution.occlusion_map import OcclusionMap
    from cnnwidgets.attribution.probe import Box
    from cnnwidgets.images import Picture
    from cnnwidgets.network import Network
    from cnnwidgets.widgets.requests import Asked

_WINDOWS = 7  # of them cover a side, by default: 32 pixels of 224, 4 of 28
_PAUSE, _BYTES_PER_SECOND = 0.1, 3e6  # frames of a sweep come no closer


class OcclusionSlider(Running, OcclusionAnswers):
    """Move a patch over a picture and see what the network says; sweep it over all places.

    Parameters
    ----------
    net
        A `cnnwidgets.Network`, or a bare ``nn.Module``.
    image
        A path, a PIL image, a uint8 array [H, W] or [H, W, 3], or a float tensor
        [C, H, W] that is already preprocessed.
    target
        Class index or name that is followed; the predicted class by default.
    score, activation
        For a network that is no classifier, or of several labels: as for `cnnwidgets.occlusion`.
    traits
        First values of `window`, `stride`, `fill`, `row`, `column`, `kept`, `measure`.

    Methods
    -------
    run()
        Sweep the patch over all places, in the background.
    stop()
        End the sweep after the batch that is running.
    wait(timeout=None)
        Wait until the sweep is over.
    figure()
        Draw what is shown with matplotlib.
    to_html(path)
        Write an offline page in which the sweep can be explored.
    close()
        Free the memory and take the widget off every page.

    Raises
    ------
    TypeError
        If a keyword is unknown; the message names the nearest.
    ValueError
        If an image, a size or a class is not what the network takes, or the image has values that
        are no numbers.

    Examples
    --------
    >>> net, images, labels = cw.samples.fashion()
    >>> slider = cw.OcclusionSlider(net, images[0], window=6)
    >>> slider.row = 20
    >>> slider.probabilities[0]["change"]
    >>> slider.run()
    >>> slider.wait()
    >>> slider.result.heatmap()
    """

    _bundle = "occlusion_slider"

    window = Int().tag(sync=True)
    """Edge of the patch in pixels of the network's input; a seventh of the picture by default."""
    stride = Int().tag(sync=True)
    """Step of the sweep in pixels; half the window by default."""
    fill: TraitType[Any, Any] = TraitType("mean").tag(sync=True)
    """What the patch shows: "mean", "blur", "noise", a colour, or a number.

    "mean" is the mean colour of this picture. A number is a value after normalisation, not a grey
    level of 0 to 255; (red, green, blue) of 0 to 255 becomes ``"#rrggbb"``.
    """
    row = Int(0).tag(sync=True)
    """First row of the patch."""
    column = Int(0).tag(sync=True)
    """First column of the patch."""
    kept: List[Box] = List().tag(sync=True)
    """Patches that stay beside it and show the same: (row, column, window) of each."""
    target = ClassIndex(0).tag(sync=True)
    """Class that the map follows, set by index or name; read, it is the index."""
    measure = Choice(MEASURES, "probability").tag(sync=True)
    """What the map and the numbers show: "probability", "logit" or "log-odds".

    There is no "logit" where the network's outputs are probabilities already.
    """
    probabilities: List[dict[str, Any]] = List(read_only=True).tag(sync=True)
    """Of each class shown, with the patch and those kept: ``index``, ``name``, ``probability``,
    ``logit``, ``log_odds``, and ``change``, ``logit_change`` and ``log_odds_change`` against the
    untouched picture."""

    _picture = Dict().tag(sync=True)
    _filled = Dict().tag(sync=True)
    _sweep = Dict(default_value=None, allow_none=True).tag(sync=True)
    _classes: List[str] = List().tag(sync=True)
    _network = Unicode().tag(sync=True)
    _measures: List[str] = List().tag(sync=True)
    _note = Unicode().tag(sync=True)

    def __init__(
        self,
        net: Network | nn.Module,
        image: Picture,
        target: int | str | None = None,
        *,
        score: Callable[[Any], Tensor] | None = None,
        activation: str = "auto",
        **traits: Any,  # noqa: ANN401 - checked by the base class
    ) -> None:
        self._check_keywords(traits)
        network = as_network(net, image)
        name, _ = identify(image, {}, "picture")
        shown = Shown(finite(network.prepare(image)), name)
        self._probing = probing = Probing(network, shown, score, activation)
        self._map: OcclusionMap | None = None
        self._made = self._heard = False
        self._predicted = int(probing.bare.argmax())
        if target is not None:
            traits["target"] = target
        super().__init__(
            network,
            _picture=probing.shown.trait(network),
            _classes=[probing.name(index) for index in range(len(probing.bare))],
            _network=network.name,
            _measures=list(probing.measures),
            _note=probing.note,
            **{**self._first(traits.get("window")), **traits},
        )
        self._made = True
        self._fill_patch()
        self._probe()

    @property
    def result(self) -> OcclusionMap | None:
        """The map of the last sweep, of the class and measure shown; None before the first.

        Of a sweep that runs or was stopped, what there is.
        """
        return None if self._map is None else self._map.following(self.target, self.measure)

    def run(self) -> None:
        """Sweep the patch over all places, in the background; one that runs is given up."""
        self._halt()
        self._renew()
        grid = self._grid(self.window, self.stride)
        self._setting = {
            "key": self._probing.shown.key,
            "stride": self.stride,
            "fill": self.fill,
            "kept": self.kept,
            "total": len(grid.rows) * len(grid.columns),
        }
        self._map, self._tally, self._next_frame = None, Tally(self._probing), 0.0
        maps = self._probing.sweep(self._patch(), self.stride, self.target, self.measure)
        self._sweep = None  # type: ignore[assignment]  # traitlets' type has no None
        self._begin(maps)

    def figure(self) -> Figure:
        """Draw the picture with its patches, the probabilities and the map.

        The map is that of the screen: each score in the middle of its patch. `result.heatmap()` is
        another one, the mean over the patches that covered a pixel.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from cnnwidgets.widgets.occlusion_figure import draw  # noqa: PLC0415 - matplotlib is slow to load

        pixels, _ = seen(self.net, self._probing.picture(self._patch()))
        return draw(pixels, self._patch(), self.probabilities, self._cells())

    def preview(self) -> bytes:
        """Draw it as PNG within milliseconds, for the notebook's file."""
        patch = self._patch()
        pixels, _ = seen(self.net, self._probing.picture(patch))
        return preview(
            Sheet(
                pixels,
                [*patch.kept, (patch.row, patch.column, patch.window)],
                self.probabilities,
                f"{patch.window} × {patch.window} at row {patch.row}, column {patch.column}",
                self._cells(),
            )
        )

    def _cells(self) -> Cells | None:
        """Return the map as the browser draws it."""
        if self.result is None:
            return None
        name = self._probing.name(self.target)
        single = len(self._probing.bare) == 1
        kept = len(self._setting["kept"])
        beside = f" beside {kept} kept" if kept else ""
        what = name if single else f"{self.measure} of {name}"
        caption = f"{what} with the patch here{beside}"
        return cells_of(self.result, self._setting["stride"], caption)

    def recorded(self) -> Iterator[Asked]:
        """Yield the requests that an exported page should answer."""
        patch = {**self._patch()._asdict(), "kept": self.kept}
        yield "layers", {"key": self._probing.shown.key, **patch}

    def in_words(self, asked: Sequence[Asked]) -> str:  # noqa: ARG002 - there is only one
        """Say what a page had no room for."""
        return "which layers notice the patch"

    def close(self) -> None:
        """Stop the sweep, free the tensors and take the widget off every page."""
        super().close()
        self._map = None

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take traits from the browser, which asks itself for what follows from them."""
        self._heard = True
        try:
            super().set_state(sync_data)
        finally:
            self._heard = False

    @validate("window", "stride", "row", "column", "fill", "kept", "target", "measure")
    def _check(self, proposal: Any) -> Any:  # noqa: ANN401 - traitlets' Bunch
        return self._valid(proposal.trait.name, proposal.value)

    def _valid(self, name: str, value: Any) -> Any:  # noqa: ANN401
        return checked(self._probing, name, value)

    @observe("row", "column", "window", "fill", "kept", "target")
    def _moved(self, change: Any) -> None:  # noqa: ANN401
        if not self._made:
            return
        if change.name == "fill":
            self._fill_patch()
        if change.name == "target" and self._map is not None:
            self._publish(self._map)
        if self._heard:  # the browser asks itself
            self._keep_up()
        else:
            self._probe()

    def _first(self, window: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return where to begin."""
        height, width = self._probing.size
        edge = window if isinstance(window, int) else max(1, round(min(height, width) / _WINDOWS))
        return {
            "window": edge,
            "stride": max(1, edge // 2),
            "row": max(0, (height - edge) // 2),
            "column": max(0, (width - edge) // 2),
            "measure": "probability" if len(self._probing.bare) > 1 else "logit",
            "target": self._predicted,
        }

    def _patch(self) -> Patch:
        return Patch(self.row, self.column, self.window, self.fill, tuple(self.kept))

    def _grid(self, window: int, stride: int) -> Grid:
        return Grid.regular((window, window), (stride, stride), self._probing.size)

    def _fill_patch(self) -> None:
        pixels, _ = seen(self.net, self._probing.filled(self.fill))
        self._filled = {"fill": self.fill, "picture": pack(pixels, "picture")}

    def _probe(self) -> None:
        """See what the network says with the patch where it is."""
        self._renew()
        patch = self._patch()
        self._found(patch, self._probing.rows(patch, self.target))

    def _found(self, patch: Patch, rows: list[dict[str, Any]]) -> None:
        self._latest = patch, rows
        self._keep_up()

    def _keep_up(self) -> None:
        """Show what was found of the patch; the browser may ask before it says that it moved."""
        patch, rows = self._latest
        if patch == self._patch():
            self.set_trait("probabilities", rows)

    def _renew(self) -> None:
        """Look again if the weights have changed."""
        if not self._probing.renew():
            return
        followed = self.target == self._predicted
        self._predicted = int(self._probing.bare.argmax())
        with self.hold_sync():
            self._picture = self._probing.shown.trait(self.net)
            self._fill_patch()
            if followed:
                self.target = self._predicted

    def _batch(self, found: OcclusionMap) -> None:
        """Take the map after a batch, and let the browser know now and then."""
        if self._probing.changed or self._setting["key"] != self._probing.shown.key:
            raise RequestError(CHANGED)
        self._map = found
        now = time.monotonic()
        if now < self._next_frame:
            return
        value, scores = self._snapshot(found)
        self.stream("sweep").offer(value, [scores])
        self._next_frame = now + max(_PAUSE, len(scores) / _BYTES_PER_SECOND)

    def _over(self) -> None:
        if self._map is not None:
            self._publish(self._map)

    def _publish(self, found: OcclusionMap) -> None:
        value, scores = self._snapshot(found)
        self._sweep = {**value, "scores": scores}

    def _snapshot(self, found: OcclusionMap) -> tuple[dict[str, Any], bytes]:
        value, scores = self._tally.snapshot(found, self.target)
        self.set_trait("progress", value["done"] / self._setting["total"])
        return {**self._setting, **value}, scores
