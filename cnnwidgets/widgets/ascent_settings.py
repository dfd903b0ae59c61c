"""What a gradient ascent viewer goes by: some settings act on the way, some from a new start on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from traitlets import Float, Int, TraitError, TraitType, validate

from cnnwidgets.ascent.settings import CALM, Settings
from cnnwidgets.widgets.ascent_checks import (
    LIVE,
    WHOLE,
    valid_setting,
    valid_start,
    valid_whole,
)
from cnnwidgets.widgets.base import Widget
from cnnwidgets.widgets.traits import Choice, TraitValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cnnwidgets.widgets.ascent_panels import Panel


class Rules(NamedTuple):
    """What pictures go by: settings with one weight for each, and the traits they are made of."""

    settings: Settings
    given: dict[str, Any]


class AscentSettings(Widget):
    """A widget with the settings of an ascent."""

    direction = Int(1).tag(sync=True)
    """1, or −1 for what it wants to see least (the SadMap)."""
    steps = Int(256).tag(sync=True)
    """Most steps, 1 to 2,048."""
    lr = Float(0.05).tag(sync=True)
    """Step size, as all settings up to `size` as for `cnnwidgets.ascend`."""
    tv = Float(None, allow_none=True).tag(sync=True)
    """Weight of the total variation; None for one that follows the unit."""
    l2 = Float(0.0).tag(sync=True)
    """Weight of the mean square of pixel − mean."""
    p_norm = Float(0.0).tag(sync=True)
    """Weight of the mean of (pixel − mean)⁶."""
    blur_sigma = Float(0.0).tag(sync=True)
    """Standard deviation in pixels of a Gaussian, every 4 steps."""
    clip = Float(0.0).tag(sync=True)
    """Share of the pixels that are set to the mean after each step."""
    jitter = Float(None, allow_none=True).tag(sync=True)
    """Most pixels by which a step sees the picture moved; None as for `cnnwidgets.ascend`."""
    zoom = Float(None, allow_none=True).tag(sync=True)
    """Most by which it sees it larger or smaller, as a share; None as for `cnnwidgets.ascend`."""
    rotation = Float(None, allow_none=True).tag(sync=True)
    """Most degrees by which it sees it turned; None as for `cnnwidgets.ascend`."""
    parametrization = Choice(("fourier", "pixel"), "fourier").tag(sync=True)
    """How the picture is held."""
    optimizer = Choice(("adam", "sgd"), "adam").tag(sync=True)
    """How a gradient becomes a step."""
    start_from: TraitType[Any, Any] = TraitType("noise").tag(sync=True)
    """"noise", "zeros", "mean", or an image, which is then read as "picture"."""
    seed = Int(0).tag(sync=True)
    """Of the noise and of all moves."""
    size = Int(None, allow_none=True).tag(sync=True)
    """Height and width in pixels; None for the network's."""

    _picture: Tensor | None = None

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - as of any object
        """Say what to give instead of a value of a wrong type."""
        try:
            super().__setattr__(name, value)
        except TraitError as error:
            if not str(error).startswith("The "):  # what traitlets says then
                raise
            kind = self.traits()[name].info()
            raise TraitValueError(f"{name}: {value!r}; give {kind}") from None

    def _restart(self, *, at_once: bool = False) -> None:
        raise NotImplementedError

    @validate(*LIVE)
    def _check_setting(self, proposal: Any) -> Any:  # noqa: ANN401
        return valid_setting(proposal.trait.name, proposal.value)

    @validate(*WHOLE)
    def _check_whole(self, proposal: Any) -> Any:  # noqa: ANN401
        return valid_whole(proposal.trait.name, proposal.value)

    @validate("start_from")
    def _check_start(self, proposal: Any) -> str:  # noqa: ANN401
        name, picture = valid_start(self.net, proposal.value, self._picture)
        before, self._picture = self._picture, picture
        if before is not picture and isinstance(self.start_from, str):  # it stays "picture"
            self._restart()
        return name

    def _rules(self, panels: Sequence[Panel]) -> Rules:
        """Return what the pictures go by, as it is set now."""
        given = {name: getattr(self, name) for name in LIVE}
        times = [panel.smoothing for panel in panels]
        if self.tv is None:
            return Rules(Settings(**given, calm=[CALM * one for one in times]), given)
        weights = [self.tv * one for one in times]
        return Rules(Settings(**{**given, "tv": weights}), given)
