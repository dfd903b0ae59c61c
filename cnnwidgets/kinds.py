"""What kind of layer a call is, and its settings in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn.modules import activation, batchnorm, conv, dropout, instancenorm, padding, pooling

from cnnwidgets.receptive.operations import option
from cnnwidgets.tracing import function_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnwidgets.tracing import Call, Failure

_MODULES: tuple[tuple[str, tuple[type[nn.Module], ...]], ...] = (
    ("transposed conv", (conv._ConvTransposeNd,)),  # noqa: SLF001 - the common base of 1d, 2d, 3d
    ("conv", (conv._ConvNd,)),  # noqa: SLF001
    ("linear", (nn.Linear, nn.Bilinear)),
    ("attention", (nn.MultiheadAttention,)),
    ("softmax", (nn.Softmax, nn.Softmax2d, nn.LogSoftmax, nn.Softmin)),
    ("activation", tuple(getattr(nn, name) for name in activation.__all__)),
    ("pool", tuple(getattr(nn, name) for name in pooling.__all__)),
    (
        "norm",
        (
            batchnorm._NormBase,  # noqa: SLF001
            instancenorm._InstanceNorm,  # noqa: SLF001
            nn.LayerNorm,
            nn.GroupNorm,
            nn.LocalResponseNorm,
            nn.CrossMapLRN2d,
        ),
    ),
    ("dropout", (dropout._DropoutNd,)),  # noqa: SLF001
    ("flatten", (nn.Flatten,)),
    ("upsample", (nn.Upsample,)),
    ("embedding", (nn.Embedding, nn.EmbeddingBag)),
    ("recurrent", (nn.RNNBase, nn.RNNCellBase)),
    ("identity", (nn.Identity,)),
    (
        "reshape",
        (
            nn.Unflatten,
            nn.Fold,
            nn.Unfold,
            nn.PixelShuffle,
            nn.PixelUnshuffle,
            nn.ChannelShuffle,
            *(getattr(nn, name) for name in padding.__all__),
        ),
    ),
)

_FUNCTIONS = {
    name: kind
    for kind, names in {
        "conv": "conv1d conv2d conv3d",
        "transposed conv": "conv_transpose1d conv_transpose2d conv_transpose3d",
        "linear": "linear bilinear",
        "activation": "celu elu gelu glu hardshrink hardsigmoid hardswish hardtanh leaky_relu "
        "logsigmoid mish prelu relu relu6 rrelu selu sigmoid silu softplus softshrink softsign "
        "tanh tanhshrink threshold",
        "norm": "batch_norm group_norm instance_norm layer_norm local_response_norm normalize "
        "rms_norm",
        "dropout": "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
        "softmax": "gumbel_softmax log_softmax softmax softmin",
        "add": "add sum_list",
        "multiply": "mul multiply",
        "concat": "cat concat concatenate dstack hstack stack vstack",
        "flatten": "flatten ravel",
        "mean": "mean",
        "upsample": "grid_sample interpolate upsample upsample_bilinear upsample_nearest",
        "embedding": "embedding embedding_bag",
        "attention": "multi_head_attention_forward scaled_dot_product_attention",
        "reshape": "H T broadcast_to channel_shuffle chunk dsplit expand expand_as flip fold "
        "gather getitem hsplit index_select mH mT moveaxis movedim narrow pad permute "
        "pixel_shuffle pixel_unshuffle repeat repeat_interleave reshape reshape_as roll rot90 "
        "select setitem split split_with_sizes squeeze swapaxes swapdims t tensor_split tile "
        "transpose unbind unflatten unfold unsqueeze view view_as vsplit",
    }.items()
    for name in names.split()
}


def kind_of(module: nn.Module | None, function: Callable[..., Any] | None) -> str:
    """Name the kind of a layer: what its module or function does, in the field's terms."""
    if module is not None:
        return next((kind for kind, types in _MODULES if isinstance(module, types)), "other")
    name = function_name(function) if function is not None else ""
    if "pool" in name:
        return "pool"
    return _FUNCTIONS.get(name, "other")


def detail_of(call: Call | Failure) -> str:
    """Describe what a layer is and its settings, such as ``3×3, stride 2, groups 32``.

    Parameters
    ----------
    call
        The layer's call of a module or function.

    Returns
    -------
    str
        The class or function first, where the kind does not tell it: ``ReLU6``,
        ``max 2×2, stride 2``. Settings at their usual values are left out.
    """
    kind = kind_of(call.module, call.function)
    size = option(call, "kernel_size")
    if size is None and kind in _CONVOLUTIONS and call.module is None:
        size = getattr(option(call, "weight"), "shape", (None, None))[2:] or None
    first = (_type(call, kind), "" if size is None else _area(size))
    described = [" ".join(filter(None, first))] if any(first) else []
    for name, word, usual in _SETTINGS:
        value = option(call, name)
        if name == "stride" and value is None and kind == "pool":
            value = size
        if name == "dim" and not (call.module or name in call.kwargs or kind in _ALONG):
            value = None  # what comes second is no axis
        if _is_plain(value) and not _same(value, usual):
            described.append(f"{word} {_by(value)}".removesuffix(" True"))
    return ", ".join(described)


def _type(call: Call | Failure, kind: str) -> str:
    """Name the class or function of a layer whose kind says too little."""
    if kind in _SAY_ALL:
        return ""
    if call.module is not None:
        name = type(call.module).__name__
    else:
        name = function_name(call.function) if call.function is not None else ""
    pooling = name.lower().replace("_", "").partition("pool")[0]
    return _POOLS.get(pooling, name) if kind == "pool" else name


_CONVOLUTIONS = {"conv", "transposed conv"}
_SAY_ALL = _CONVOLUTIONS | set(
    str.split("linear attention add multiply concat flatten mean upsample identity")
)
"""Kinds that are known by their word alone."""

_ALONG = {"softmax", "concat", "mean"}
"""Kinds of functions whose second argument is an axis."""

_POOLS = {
    "max": "max",
    "avg": "average",
    "adaptivemax": "adaptive max",
    "adaptiveavg": "adaptive average",
    "fractionalmax": "fractional max",
}

_SETTINGS = (
    ("output_size", "to", None),
    ("stride", "stride", 1),
    ("padding", "padding", 0),
    ("output_padding", "output padding", 0),
    ("dilation", "dilation", 1),
    ("groups", "groups", 1),
    ("padding_mode", "padding mode", "zeros"),
    ("ceil_mode", "ceil mode", False),
    ("num_groups", "groups", None),
    ("num_heads", "heads", None),
    ("hidden_size", "hidden", None),
    ("num_layers", "layers", 1),
    ("bidirectional", "bidirectional", False),
    ("p", "p", None),
    ("negative_slope", "slope", None),
    ("scale_factor", "scale", None),
    ("upscale_factor", "scale", None),
    ("mode", "mode", None),
    ("dim", "dim", None),
)
"""Attribute, the word for it, the value that goes without saying."""


def _same(value: Any, usual: Any) -> bool:  # noqa: ANN401 - attributes of any module
    return all(one == usual for one in (value if isinstance(value, (tuple, list)) else (value,)))


def _is_plain(value: object) -> bool:
    """Whether a value is numbers or a word, not a tensor."""
    numbers = value if isinstance(value, (tuple, list)) else (value,)
    return all(isinstance(number, (int, float, str)) for number in numbers)


def _area(size: Any) -> str:  # noqa: ANN401
    """Write one size as a square's."""
    return _times((size, size) if isinstance(size, int) else size)


def _by(value: Any) -> str:  # noqa: ANN401
    """Write sizes with a multiplication sign between them, equal ones once."""
    if isinstance(value, (tuple, list)):
        return str(value[0]) if len(set(value)) == 1 else _times(value)
    return str(value)


def _times(sizes: Sequence[object]) -> str:
    return "\N{MULTIPLICATION SIGN}".join(map(str, sizes))
