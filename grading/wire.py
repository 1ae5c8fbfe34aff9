"""Values as bytes, and back, between two processes of which one does not trust the other.

A message is a header in JSON and the raw bytes of arrays. Nothing is unpickled; what a header says
of an array is held against the bytes that came, and against limits, before there is an array. Plain
values travel as they are, NumPy arrays and torch tensors with dtype, shape and layout. Whatever
else there is, a function or an object, stays where it is: a number travels in its place.
"""

import json
import math
import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST_BYTES = 300_000_000
"""Of a message."""
DEEPEST = 50
"""Of lists within lists."""
MOST_DIMENSIONS = 16
LARGEST_INTEGER = 4_000
"""Digits of a whole number; Python itself reads 4,300."""
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
WHOLE = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
COMPLEX = [torch.complex64, torch.complex128]
TENSOR_NAMES = {dtype: str(dtype).removeprefix("torch.") for dtype in FLOATS + WHOLE + COMPLEX}
TENSOR_TYPES = {name: dtype for dtype, name in TENSOR_NAMES.items()}
PLAIN_NAME = r"[A-Za-z]\w{0,60}"
"""Of classes and fields."""
NUMBERS = "biufc"
"""Kinds of NumPy's dtypes that travel as raw bytes."""

Refer = Callable[[Any], dict[str, Any]]
"""What stands in the header for a thing that does not travel: one entry, or more."""


class WireError(ValueError):
    """A message cannot be sent, or what came is none."""


def expect(true: bool, wrong: str) -> None:
    """Raise WireError unless true."""
    if not true:
        raise WireError(wrong)


# Messages


def pack(header: Mapping[str, Any], buffers: Sequence[bytes]) -> bytes:
    """A message: the header's length in 8 bytes, the header, the bytes of arrays.

    Args:
        header: What JSON can hold. It gets an entry "sizes".
        buffers: The bytes of each array.
    """
    sizes = [len(buffer) for buffer in buffers]
    text = json.dumps({**header, "sizes": sizes}).encode()
    message = b"".join([len(text).to_bytes(8, "big"), text, *buffers])
    expect(len(message) <= MOST_BYTES, f"it is larger than {MOST_BYTES / 1e6:g} MB")
    return message


def unpack(message: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Undo `pack`.

    Raises:
        WireError: It is no message.
    """
    start = 8 + int.from_bytes(message[:8], "big")
    expect(8 <= start <= len(message), "its header is cut")
    try:
        header = json.loads(message[8:start])
    except (ValueError, RecursionError) as error:
        raise WireError(f"its header is no JSON: {type(error).__name__}") from None
    expect(isinstance(header, dict), "its header is no dictionary")
    sizes = header.get("sizes")
    expect(isinstance(sizes, list) and all(map(_is_size, sizes)), "its sizes are no sizes")
    expect(start + sum(sizes) == len(message), "its sizes do not add up")
    buffers = []
    for size in sizes:
        buffers.append(message[start : start + size])
        start += size
    return header, buffers


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST_BYTES


# Values to headers


class Encoder:
    """Makes entries of a header from values, and collects the bytes of their arrays.

    Tensors of which a gradient may be asked are collected, too: a `slot` stands in their place.
    """

    def __init__(self, refer: Refer) -> None:
        """Args: refer: for what does not travel."""
        self.refer = refer
        self.buffers: list[bytes] = []
        self.slots: list[Tensor] = []

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The entry of a value. Subclasses of Python's own kinds lose what they add.

        Raises:
            WireError: It is too deep, or has too many digits.
        """
        expect(depth < DEEPEST, f"there are more than {DEEPEST} lists within lists")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, np.generic | np.ndarray):
            return self._of_numpy(value, depth)
        if isinstance(value, int):
            many = abs(int(value)) >= 10**LARGEST_INTEGER
            expect(not many, f"a whole number has more than {LARGEST_INTEGER} digits")
            return int(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, str):
            return str(value)
        if isinstance(value, Tensor):
            return self._of_tensor(value)
        return self._of_others(value, depth)

    def _of_others(self, value: Any, depth: int) -> Any:
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            items = [self.encode(item, depth + 1) for item in value]
            about = {"name": type(value).__name__, "fields": list(value._fields), "items": items}
            return {"named": about}
        for kind, tag in [(list, "list"), (tuple, "tuple"), (set | frozenset, "set")]:
            if isinstance(value, kind):
                return {tag: [self.encode(item, depth + 1) for item in value]}
        if isinstance(value, dict):
            pairs = [[key, value[key]] for key in value]
            return {"dict": [[self.encode(x, depth + 1) for x in pair] for pair in pairs]}
        if isinstance(value, complex):
            return {"complex": [value.real, value.imag]}
        if isinstance(value, bytes | bytearray):
            return {"bytes": self._add(bytes(value))}
        if isinstance(value, range):
            return {"range": [value.start, value.stop, value.step]}
        if isinstance(value, torch.dtype) and value in TENSOR_NAMES:
            return {"dtype": TENSOR_NAMES[value]}
        return self.refer(value)

    def _of_numpy(self, value: Any, depth: int) -> dict[str, Any]:
        array = np.asarray(value)
        shape = list(array.shape)
        if array.dtype.kind == "O":
            items = [self.encode(item, depth + 1) for item in array.reshape(-1).tolist()]
            return {"objects": {"shape": shape, "items": items}}
        if array.dtype.kind not in NUMBERS + "U":
            return self.refer(value)
        about = {
            "dtype": array.dtype.newbyteorder("<").str,
            "shape": shape,
            "buffer": self._add(array.astype(array.dtype.newbyteorder("<")).tobytes()),
            "layout": _layout(array),
        }
        return {"scalar" if isinstance(value, np.generic) else "array": about}

    def _of_tensor(self, value: Tensor) -> dict[str, Any]:
        if isinstance(value, torch.nn.Parameter):
            return self.refer(value)
        if value.requires_grad:
            known = [number for number, slot in enumerate(self.slots) if slot is value]
            if not known:
                self.slots.append(value)
            return {"slot": known[0] if known else len(self.slots) - 1}
        return {"tensor": self.tensor(value)}

    def tensor(self, value: Tensor) -> dict[str, Any]:
        """What tells a tensor, its gradient apart.

        Raises:
            WireError: It has no numbers in rows, as sparse ones and those of other sorts.
        """
        plain = value.layout == torch.strided and value.dtype in TENSOR_NAMES
        expect(plain and not value.is_meta, f"a tensor of {value.dtype}, {value.layout} stays here")
        values = value.detach().resolve_conj().resolve_neg().cpu()
        copy = values.clone(memory_format=torch.contiguous_format)
        flat = copy.reshape(-1).view(torch.uint8)
        return {
            "dtype": TENSOR_NAMES[value.dtype],
            "shape": list(value.shape),
            "strides": None if value.is_contiguous() else list(value.stride()),
            "buffer": self._add(flat.numpy().tobytes()),
            "leaf": value.is_leaf,
        }

    def _add(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1


def _layout(array: np.ndarray) -> str:
    if array.flags.c_contiguous:
        return "rows"
    return "columns" if array.flags.f_contiguous else "gaps"


# Headers to values


class Decoder:
    """Makes values from the entries of a header."""

    def __init__(
        self,
        buffers: Sequence[bytes],
        resolve: Callable[[str, Any], Any],
        slots: Sequence[Tensor] = (),
    ) -> None:
        """Prepare for a message.

        Args:
            buffers: The bytes of its arrays.
            resolve: Gives, for a tag and its entry, what stands for a thing that did not travel;
                raises WireError for what it does not know.
            slots: The tensors that stand in slots.
        """
        self.buffers = buffers
        self.resolve = resolve
        self.slots = slots

    def decode(self, entry: Any, depth: int = 0) -> Any:
        """The value of an entry.

        Raises:
            WireError: It is none.
        """
        expect(depth < DEEPEST, "it is too deep")
        if entry is None or isinstance(entry, bool | int | float | str):
            return entry
        expect(isinstance(entry, dict) and len(entry) == 1, "an entry has not one tag")
        ((tag, content),) = entry.items()
        reader = READERS.get(tag)
        if reader is None:
            return self.resolve(tag, content)
        try:
            return reader(self, content, depth)
        except WireError:
            raise
        except (TypeError, ValueError, KeyError, IndexError, OverflowError, RuntimeError) as error:
            raise WireError(f"a {tag} is none: {type(error).__name__}") from None

    def _items(self, content: Any, depth: int) -> list[Any]:
        expect(isinstance(content, list), "a list is none")
        return [self.decode(item, depth + 1) for item in content]

    def _list(self, content: Any, depth: int) -> list[Any]:
        return self._items(content, depth)

    def _tuple(self, content: Any, depth: int) -> tuple[Any, ...]:
        return tuple(self._items(content, depth))

    def _named(self, content: Any, depth: int) -> tuple[Any, ...]:
        name, fields = content["name"], content["fields"]
        names = [name.lstrip("_"), *fields]  # torch's own begin with one, as the kind of a class
        expect(all(re.fullmatch(PLAIN_NAME, one) for one in names), "a tuple's names are none")
        return namedtuple(name, fields)(*self._items(content["items"], depth))

    def _set(self, content: Any, depth: int) -> set[Any]:
        return set(self._items(content, depth))

    def _dict(self, content: Any, depth: int) -> dict[Any, Any]:
        pairs = [self._items(pair, depth) for pair in content]
        return dict(pairs)

    def _complex(self, content: Any, depth: int) -> complex:
        return complex(*content)

    def _bytes(self, content: Any, depth: int) -> bytes:
        return self._buffer(content)

    def _range(self, content: Any, depth: int) -> range:
        return range(*content)

    def _dtype(self, content: Any, depth: int) -> torch.dtype:
        return TENSOR_TYPES[content]

    def _slot(self, content: Any, depth: int) -> Tensor:
        expect(type(content) is int and 0 <= content < len(self.slots), "a slot is none")
        return self.slots[content]

    def _objects(self, content: Any, depth: int) -> np.ndarray:
        items = self._items(content["items"], depth)
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array.reshape(_shape(content))

    def _scalar(self, content: Any, depth: int) -> Any:
        return self._array(content, depth).reshape(())[()]

    def _array(self, content: Any, depth: int) -> np.ndarray:
        dtype, shape = np.dtype(str(content["dtype"])), _shape(content)
        expect(dtype.kind in NUMBERS + "U", f"an array of {dtype} does not travel")
        data = self._buffer(content["buffer"])
        expect(math.prod(shape) * dtype.itemsize == len(data), "an array has other bytes")
        if dtype.kind == "b":  # a byte may be neither 0 nor 1
            array = np.frombuffer(data, np.uint8) != 0
        elif dtype.kind == "U":
            codes = np.frombuffer(data, "<u4")
            expect(not (codes > 0x10FFFF).any(), "a text is none")
            array = np.frombuffer(data, dtype) if dtype.itemsize else np.zeros(shape, dtype)
        else:
            array = np.frombuffer(data, dtype)
        return _laid_out(array.reshape(shape), content.get("layout"))

    def _tensor(self, content: Any, depth: int) -> Tensor:
        return self.tensor(content)

    def tensor(self, content: Any) -> Tensor:
        """The tensor that `Encoder.tensor` told, without gradient.

        Raises:
            WireError: It told none.
        """
        expect(isinstance(content, dict), "a tensor is none")
        dtype, shape = TENSOR_TYPES[content["dtype"]], _shape(content)
        data = self._buffer(content["buffer"])
        expect(math.prod(shape) * dtype.itemsize == len(data), "a tensor has other bytes")
        if dtype == torch.bool:
            values = torch.from_numpy(np.frombuffer(data, np.uint8) != 0)
        else:
            values = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0)
            values = values.to(dtype)
        return _strided(values.reshape(shape), content.get("strides"))

    def _buffer(self, number: Any) -> bytes:
        expect(type(number) is int and 0 <= number < len(self.buffers), "an array has no bytes")
        return self.buffers[number]


READERS: dict[str, Callable[[Decoder, Any, int], Any]] = {
    "list": Decoder._list,
    "tuple": Decoder._tuple,
    "named": Decoder._named,
    "set": Decoder._set,
    "dict": Decoder._dict,
    "complex": Decoder._complex,
    "bytes": Decoder._bytes,
    "range": Decoder._range,
    "dtype": Decoder._dtype,
    "slot": Decoder._slot,
    "objects": Decoder._objects,
    "scalar": Decoder._scalar,
    "array": Decoder._array,
    "tensor": Decoder._tensor,
}


def _shape(content: Mapping[str, Any]) -> tuple[int, ...]:
    shape = content["shape"]
    expect(isinstance(shape, list) and len(shape) <= MOST_DIMENSIONS, "a shape is none")
    expect(all(map(_is_size, shape)), "a shape is none")
    return tuple(shape)


def _laid_out(array: np.ndarray, layout: Any) -> np.ndarray:
    """A copy of one's own that lies in memory as the sender's did, as far as code can tell."""
    if layout == "columns":
        return np.asfortranarray(array.copy())
    if layout == "gaps":
        wide = np.zeros((*array.shape, 2), array.dtype)
        wide[..., 0] = array
        return wide[..., 0]
    return array.copy()


def _strided(values: Tensor, strides: Any) -> Tensor:
    """The same numbers with the sender's strides, so that `view` fails where it failed there."""
    if strides is None:
        return values
    expect(isinstance(strides, list) and len(strides) == values.ndim, "strides are none")
    expect(all(map(_is_size, strides)), "strides are none")
    ends = [(n - 1) * step for n, step in zip(values.shape, strides, strict=True) if n]
    expect(sum(ends) < MOST_BYTES // 8, "strides reach too far")
    repeated = [step == 0 for step in strides]  # by expand
    once = values
    for dimension, is_repeated in enumerate(repeated):
        once = once.narrow(dimension, 0, 1) if is_repeated and once.shape[dimension] else once
    result = torch.empty_strided(once.shape, strides, dtype=values.dtype)
    return result.copy_(once).expand(values.shape)
