"""The receipt of one unit as the layer browser shows it, beside what the model computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from cnnwidgets.arithmetic import Receipt, receipt
from cnnwidgets.widgets.requests import RequestError

if TYPE_CHECKING:
    from torch import nn

    from cnnwidgets.convolutions import Convolved
    from cnnwidgets.layers import Layer


def account(
    layer: Layer, found: Convolved, unit: tuple[int, int, int], real: float
) -> tuple[dict[str, Any], Receipt]:
    """Write the receipt of a layer's unit, and describe it as JSON for the browser.

    Parameters
    ----------
    layer
        The layer.
    found
        What it convolves.
    unit
        Channel, row and column. The channels of several images are counted on.
    real
        What the model computed there.

    Raises
    ------
    RequestError
        If the convolution has no such unit: a hook gave its output another shape.
    """
    conv = cast("nn.Conv2d", found.conv)
    image, channel = divmod(unit[0], conv.out_channels)
    batch = found.x.reshape(-1, *found.x.shape[-3:])
    try:
        bill = receipt(conv, batch[image], channel, *unit[1:])
    except (IndexError, ValueError) as error:
        raise RequestError(
            f"receipt: the convolution in {layer.name} has no such unit; "
            "something after it gave its output another shape"
        ) from error
    equal, check = compare(layer, found, bill, real)
    return {
        "bias": _finite(bill.bias),
        "result": _finite(bill.result),
        "torch": _finite(real),
        "equal": equal,
        "check": check,
        "channels": [bill.input_channels.start, bill.input_channels.stop],
        "rows": list(bill.rows),
        "columns": list(bill.columns),
        "stride": list(conv.stride),
        "padding": conv.padding if isinstance(conv.padding, str) else list(conv.padding),
        "dilation": list(conv.dilation),
        "groups": conv.groups,
        "code": _code(layer, bill, image if len(batch) > 1 else None),
    }, bill


def compare(layer: Layer, found: Convolved, bill: Receipt, real: float) -> tuple[bool, str]:
    """Judge a receipt by what the model computed, in one sentence."""
    computed = _digits(real)
    if bill.agrees(real):
        if computed == _digits(bill.result):
            return True, "✓ equals what torch computed"
        return (
            True,
            f"✓ equals what torch computed but for rounding: {_apart(bill, real)}",
        )
    if found.changed:
        hooked = layer.module is not None and layer.module._forward_hooks  # noqa: SLF001
        what = "a forward hook" if hooked else "what follows in the layer"
        return False, f"The convolution gave {_digits(bill.result)}; {what} made it {computed}."
    return False, f"torch computed {computed}, which is more than rounding: {_apart(bill, real)}"


def _apart(bill: Receipt, real: float) -> str:
    share = abs(bill.result - real) / bill.magnitude if bill.magnitude else math.nan
    limit = f"{bill.precision} allows {_short(bill.tolerance)}"
    return f"{_short(share)} of all that is added up, {limit}"


def _code(layer: Layer, bill: Receipt, image: int | None) -> str:
    """Write the Python that computes a receipt's result again from ``net`` and ``image``."""
    one = "" if image is None else f"x = x[{image}]\n"
    return (
        "# net and image: your Network and the picture\n"
        f"conv, x = net.convolution({layer.name!r}, image)\n{one}\n{bill.code()}"
    )


def _digits(value: float) -> str:
    """Write all the digits that tell one float32 from its neighbours, as the front-end does."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN")
    return _minus(repr(float(str(np.float32(value)))).removesuffix(".0"))


def _short(value: float) -> str:
    return _minus(f"{value:.1e}")


def _minus(text: str) -> str:
    return text.replace("-", "−").replace("e−0", "e−")


def _finite(value: float) -> float | None:
    """Return a number that JSON can hold; None for NaN and infinities."""
    return value if math.isfinite(value) else None
