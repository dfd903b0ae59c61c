"""What a call does, by name, whether it is a module or a function, and with which options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.nn.modules import activation

from cnnwidgets.tracing import function_name

if TYPE_CHECKING:
    from cnnwidgets.tracing import Call, Failure


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTWISE = _names(
    """
    abs absolute add addcdiv addcmul alpha_dropout and atan2 bernoulli bfloat16 bool celu ceil
    clamp clamp_max clamp_min clip clone contiguous copy copysign cos cpu cuda detach div divide
    double dropout dropout1d dropout2d dropout3d elu eq erf exp exp2 expm1 feature_alpha_dropout
    fill float floor floor_divide floordiv fmod ge gelu gt half hardshrink hardsigmoid hardswish
    hardtanh heaviside hypot invert isfinite isinf isnan le leaky_relu lerp local_response_norm
    log log10 log1p log2 logical_and logical_not logical_or logit logsigmoid lt masked_fill
    maximum minimum mish mod mul multiply nan_to_num ne neg negative or positive pow prelu
    reciprocal relu relu6 remainder round rrelu rsqrt rsub selu sigmoid sign silu sin softplus
    softshrink softsign sqrt square sub subtract tan tanh tanhshrink threshold true_divide trunc
    where
    """
)
"""Functions whose output at each position depends on the inputs at that position only."""

REDUCTIONS = _names(
    """
    all amax amin any argmax argmin logsumexp max mean min nanmean nansum norm prod std sum var
    """
)
"""Functions that reduce the axes `dim`."""

MOVES = _names(
    """
    T mT broadcast_to channel_shuffle chunk expand expand_as flatten flip fliplr flipud getitem
    index_select moveaxis movedim narrow permute pixel_shuffle ravel repeat repeat_interleave
    reshape reshape_as roll rot90 select split split_with_sizes squeeze swapaxes swapdims t
    tensor_split tile transpose unbind unflatten unsqueeze view view_as
    """
)
"""Functions that move, drop or repeat elements without computing."""

_MIXING = {"GLU": "glu", "Softmin": "softmin", "Softmax": "softmax", "LogSoftmax": "log_softmax"}

_MODULES = {
    **dict.fromkeys(set(activation.__all__) - {"MultiheadAttention"}, "relu"),
    **_MIXING,
    **dict.fromkeys(["Dropout", "Dropout1d", "Dropout2d", "Dropout3d"], "dropout"),
    **dict.fromkeys(["AlphaDropout", "FeatureAlphaDropout", "Identity"], "dropout"),
    **dict.fromkeys(["LocalResponseNorm", "CrossMapLRN2d"], "local_response_norm"),
    **dict.fromkeys(["BatchNorm2d", "SyncBatchNorm", "InstanceNorm2d"], "batch_norm"),
    **dict.fromkeys(["LayerNorm", "RMSNorm"], "layer_norm"),
    **dict.fromkeys(["ZeroPad2d", "ConstantPad2d", "ReflectionPad2d"], "pad"),
    **dict.fromkeys(["ReplicationPad2d", "CircularPad2d"], "pad"),
    **dict.fromkeys(["Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"], "interpolate"),
    **dict.fromkeys(["AdaptiveAvgPool2d", "AdaptiveMaxPool2d"], "adaptive_avg_pool2d"),
    "AvgPool2d": "avg_pool2d",
    "ChannelShuffle": "channel_shuffle",
    "Conv2d": "conv2d",
    "ConvTranspose2d": "conv_transpose2d",
    "Flatten": "flatten",
    "GroupNorm": "group_norm",
    "LPPool2d": "lp_pool2d",
    "Linear": "linear",
    "MaxPool2d": "max_pool2d",
    "PixelShuffle": "pixel_shuffle",
    "PixelUnshuffle": "pixel_unshuffle",
    "Unflatten": "unflatten",
}

_MAX_POOL = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
_INTERPOLATE = ("input", "size", "scale_factor", "mode", "align_corners", "recompute_scale_factor")
_CONV = ("input", "weight", "bias", "stride", "padding")
_NORM = ("input", "running_mean", "running_var", "weight", "bias")
_POSITIONS = {
    "adaptive_avg_pool2d": ("input", "output_size"),
    "adaptive_max_pool2d": ("input", "output_size"),
    "avg_pool2d": ("input", "kernel_size", "stride", "padding", "ceil_mode"),
    "batch_norm": (*_NORM, "training"),
    **dict.fromkeys(["conv1d", "conv2d", "conv3d"], (*_CONV, "dilation", "groups")),
    **dict.fromkeys(
        ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"],
        (*_CONV, "output_padding", "groups", "dilation"),
    ),
    "dropout": ("input", "p"),
    "glu": ("input", "dim"),
    "group_norm": ("input", "num_groups"),
    "instance_norm": (*_NORM, "use_input_stats"),
    "interpolate": _INTERPOLATE,
    "leaky_relu": ("input", "negative_slope"),
    "layer_norm": ("input", "normalized_shape"),
    "lp_pool2d": ("input", "norm_type", "kernel_size", "stride"),
    "max_pool2d": _MAX_POOL,
    "max_pool2d_with_indices": _MAX_POOL,
    "norm": ("input", "p", "dim"),
    "normalize": ("input", "p", "dim"),
    "pad": ("input", "pad", "mode"),
    "pixel_unshuffle": ("input", "downscale_factor"),
    "rms_norm": ("input", "normalized_shape"),
    "upsample": _INTERPOLATE,
}
_ALIASES = {"axis": "dim"}


def operation(call: Call | Failure) -> str | None:
    """Name what a call does as torch's functions are named; None if that is not known.

    A subclass counts as its torch class only while it computes as that does.
    """
    if call.module is None:
        name = function_name(call.function) if call.function else ""
        if name in {"max", "min"} and any(isinstance(other, Tensor) for other in call.args[1:]):
            return name + "imum"
        return name
    own = type(call.module)
    for cls in own.__mro__:
        if cls.__module__.startswith("torch.nn.modules") and cls.__name__ in _MODULES:
            same = all(
                getattr(own, part, None) is getattr(cls, part, None)
                for part in ("forward", "_conv_forward")
            )
            return _MODULES[cls.__name__] if same else None
    return None


def option(call: Call | Failure, name: str, *, default: Any = None) -> Any:  # noqa: ANN401 - any type
    """Look up an option: a module's attribute, a keyword, or an argument by its position."""
    if call.module is not None:
        return getattr(call.module, name, default)
    for keyword, value in call.kwargs.items():
        if _ALIASES.get(keyword, keyword) == name:
            return value
    positions = _POSITIONS.get(operation(call) or "", ("input", "dim"))
    if name in positions and positions.index(name) < len(call.args):
        return call.args[positions.index(name)]
    return default
