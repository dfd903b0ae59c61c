"""The wire format: half a step of error, nothing lost, the same bytes in both languages."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cnnwidgets.widgets import wire

VECTORS = Path(__file__).parents[1] / "vectors" / "wire.json"
NAN, INF = math.nan, math.inf
FLOATS = st.floats(width=32)


def cases() -> dict[str, tuple[Any, wire.Encoding]]:
    """The tensors whose bytes both languages must agree on."""
    ramp = np.linspace(-1, 3, 24, dtype=np.float32)
    mixed = np.array([[[1, NAN], [INF, -2]], [[-INF, -INF], [NAN, 5]], [[0, 1], [2, 3]]])
    return {
        "scalar": (np.float32(0.25), "quantised"),
        "vector": (ramp[:5], "quantised"),
        "matrix": (ramp[:6].reshape(2, 3), "quantised"),
        "maps": (ramp.reshape(2, 3, 4), "quantised"),
        "batch of maps": (ramp.reshape(2, 2, 3, 2), "quantised"),
        "constant": (np.full((2, 2, 2), 7.5), "quantised"),
        "zero": (np.zeros((1, 2, 2)), "quantised"),
        "all NaN": (np.full((1, 2, 2), NAN), "quantised"),
        "all infinite": (np.full((1, 1, 3), -INF), "quantised"),
        "NaN and infinities": (mixed, "quantised"),
        "huge range": (np.array([[-3e38, 0, 1, 3e38]]), "quantised"),
        "huge and infinite": (np.array([[[-3e38, INF], [3e38, NAN]]]), "quantised"),
        "subnormal": (np.array([[0, 1e-45, 1e-42, 1e-39]]), "quantised"),
        "narrow around a large value": (np.array([[1e6, 1e6 + 0.0625]], np.float32), "quantised"),
        "no maps": (np.zeros((0, 2, 2)), "quantised"),
        "empty maps": (np.zeros((3, 0, 2)), "quantised"),
        "empty vector": (np.zeros(0), "quantised"),
        "half": (np.array([0, -1.5, 65504, 6e-8, 1e-9, NAN, INF, -INF]), "float16"),
        "too large for half": (np.array([[1.0, 65520.0]]), "float16"),
        "float": (np.array([[0.1, -3e38, 1e-45], [NAN, INF, -INF]]), "float32"),
        "float scalar": (np.float32(math.pi), "float32"),
        "no bounds": (np.zeros((0, 2)), "float32"),
        "picture": (np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 11, "picture"),
        "grey pixel": (np.array([[[200]]], np.uint8), "picture"),
    }


def named(value: float) -> float | str:
    """A number as JSON has it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"


def vectors() -> str:
    """The shared file: for each case the packed bytes and the values they stand for, flat."""
    rows = []
    for name, (array, encoding) in cases().items():
        packed = wire.pack(array, encoding)
        values = [named(float(value)) for value in wire.unpack(packed).ravel()]
        row = {"name": name, "encoding": encoding, "shape": list(np.shape(array))}
        rows.append(json.dumps({**row, "values": values, "hex": packed.hex()}))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def test_vectors_are_up_to_date() -> None:
    if not VECTORS.exists() or VECTORS.read_text() != vectors():
        VECTORS.write_text(vectors())
        pytest.fail("tests/vectors/wire.json was not up to date and is written anew: look at it")


@pytest.mark.parametrize(("array", "encoding"), cases().values(), ids=cases())
def test_cases_come_back(array: Any, encoding: wire.Encoding) -> None:
    expected = np.asarray(array).astype(np.uint8 if encoding == "picture" else np.float32)
    back = wire.unpack(wire.pack(array, encoding))
    assert back.shape == expected.shape
    if encoding == "quantised":
        check_quantised(expected, back)
    elif encoding == "float16" and back.dtype == np.float16:
        np.testing.assert_array_equal(back, expected.astype(np.float16))
    else:
        np.testing.assert_array_equal(back, expected)


def check_quantised(array: np.ndarray[Any, Any], back: np.ndarray[Any, Any]) -> None:
    """At most half a step off; what is not finite is the same."""
    assert back.dtype == np.float32
    maps = array.reshape(math.prod(array.shape[:-2]), math.prod(array.shape[-2:]))
    for expected, found in zip(maps, back.reshape(maps.shape), strict=True):
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(found[~finite], expected[~finite])
        if not finite.any():
            continue
        wide = expected[finite].astype(np.float64)
        half_step = (wide.max() - wide.min()) / wire.LEVELS / 2
        rounding = np.abs(wide).max() * 2.0**-23
        assert np.abs(found[finite] - wide).max() <= half_step * (1 + 1e-4) + rounding


@given(arrays(np.float32, array_shapes(min_dims=0, max_dims=4, min_side=0), elements=FLOATS))
@settings(deadline=None)
@example(np.array([[[16777216, 16777218]], [[INF, 1]]], np.float32))
@example(np.array([0, NAN, 3.3627905e38], np.float32))
def test_quantised_is_off_by_half_a_step_at_most(array: np.ndarray[Any, Any]) -> None:
    check_quantised(array, wire.unpack(wire.pack(array)))


@given(arrays(np.float32, array_shapes(max_dims=3), elements=FLOATS))
@settings(deadline=None)
def test_float32_is_exact_and_half_falls_back(array: np.ndarray[Any, Any]) -> None:
    np.testing.assert_array_equal(wire.unpack(wire.pack(array, "float32")), array)
    half = wire.unpack(wire.pack(array, "float16"))
    fits = bool((np.abs(array[np.isfinite(array)]) <= 65504).all())
    assert half.dtype == (np.float16 if fits else np.float32)
    np.testing.assert_array_equal(half, array.astype(half.dtype))


def test_large_tensors_are_quantised_in_pieces() -> None:
    maps = torch.randn(37, 120, 121, generator=torch.Generator().manual_seed(0))
    maps[5, 3, 3] = NAN
    check_quantised(maps.numpy(), wire.unpack(wire.pack(maps)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int64])
def test_any_real_dtype_is_taken(dtype: torch.dtype) -> None:
    values = torch.tensor([[0, 1], [2, 252]], dtype=dtype, requires_grad=dtype.is_floating_point)
    np.testing.assert_array_equal(wire.unpack(wire.pack(values)), [[0, 1], [2, 252]])


def test_strided_tensors_are_in_c_order() -> None:
    maps = torch.arange(24.0).reshape(2, 3, 4)
    for view in (maps.transpose(0, 2), maps[:, ::2], maps.flip(0)):
        np.testing.assert_array_equal(wire.unpack(wire.pack(view, "float32")), view.numpy())


def test_wrong_arguments_say_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"'quantized'; did you mean 'quantised'\?"):
        wire.pack(np.zeros(2), "quantized")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"a picture is uint8, not torch\.float32"):
        wire.pack(np.zeros(2, np.float32), "picture")


@pytest.mark.parametrize("damage", [b"", b"CNNW", b"JUNK\1\0\0\0\0", b"CNNW\4\0\0\0\0"])
def test_other_buffers_are_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match="not a cnnwidgets tensor"):
        wire.unpack(damage)


def test_a_cut_buffer_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong length"):
        wire.unpack(memoryview(wire.pack(np.arange(4)))[:-1])
