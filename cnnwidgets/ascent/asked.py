"""What may stand for an objective, checked: messages name the argument and what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnwidgets.ascent.objectives import OUTPUT, Objective
from cnnwidgets.ascent.outputs import Function
from cnnwidgets.ascent.units import Channel
from cnnwidgets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from torch import Tensor

    from cnnwidgets.network import Network

    Asked: TypeAlias = "Objective | str | Callable[[Any], Tensor]"

_FORMS = '"layer:channel", cw.Class("zebra"), cw.Channel(layer, channel), or a function'


def objective_of(net: Network, asked: Asked) -> Objective:
    """Return the objective that was meant, of layers that the network has.

    Parameters
    ----------
    net
        The network.
    asked
        An objective; ``"layer:channel"``; or a function of what the model returns for N pictures
        to [N].

    Raises
    ------
    TypeError, ValueError
        If it is none, or there is no such layer; the message names the nearest.
    """
    if isinstance(asked, str):
        objective: Objective = _channel(net, asked)
    elif isinstance(asked, Objective):
        objective = asked
    elif callable(asked) and not isinstance(asked, type):
        objective = Function(asked)
    else:
        raise TypeError(f"objective: {asked!r}; give {_FORMS}")
    for name in objective.layers - {OUTPUT}:
        if (error := net.layer(name).error) is not None:
            raise ValueError(f"layer {name!r} failed, so that it cannot be followed: {error}")
    return objective


def _channel(net: Network, asked: str) -> Channel:
    layer, colon, channel = asked.rpartition(":")
    if not colon:
        names = [one.name for one in net.layers]
        if asked in names:
            raise ValueError(f'objective: {asked!r} has no channel; give "{asked}:0"')
        known = nearest(asked, [*net.classes, *names])
        raise ValueError(f"objective: {asked!r}; {known} Give {_FORMS}")
    try:
        net.layer(layer)
    except ValueError as error:
        raise ValueError(f"objective: {asked!r}; {error}") from None
    if not channel.strip().isdecimal():
        raise ValueError(f'objective: {asked!r}; after the colon comes a channel, "{layer}:0"')
    return Channel(layer, int(channel))
