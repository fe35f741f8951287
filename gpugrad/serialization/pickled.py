"""The part of Python's pickles that PyTorch's files of tensors and containers are made of.

What is read here runs nothing: each name that a pickle may name stands in a table, with what is
made for it.  Nothing is imported, no class is looked up, and memory is counted.
"""

from __future__ import annotations

import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from gpugrad import _dtype
from gpugrad._device import device
from gpugrad._size import Size
from gpugrad.graph import TensorBase
from gpugrad.serialization.pieces import known
from gpugrad.serialization.values import DamagedError, give_attributes, is_key, plain_number

# --------------------------------------------------------------------------- reading


class Name(NamedTuple):
    """Something that a pickle names, and calls by what is made of its arguments."""

    text: str
    call: Callable[..., Any] | None = None


class StoredType(NamedTuple):
    """The type of the elements of a storage."""

    dtype: Any


MOST_OBJECTS = 2**26  # bytes of small objects that are always read, however small the file
_SIZES = {b"}": 64, b"]": 56, b"\x8f": 216, b")": 0, b"t": 56, b"\x85": 48, b"\x86": 56,
          b"\x87": 64, b"R": 400, b"\x81": 400, b"c": 100, b"X": 50, b"U": 50, b"G": 24,
          b"J": 28, b"\x8a": 40, b"Q": 100}  # fmt: skip


class Unpickler:
    """Reads one pickle of protocol 2.

    Args:
        data: The pickle.
        names: What it may name.
        storage: Makes a storage of what the pickle says of it.
        size: That of the whole file, to which memory may be in proportion.
    """

    def __init__(
        self,
        data: bytes,
        names: Callable[[str], Name | StoredType | Any | None],
        storage: Callable[[Any], Any],
        size: int,
    ):
        self.data = data
        self.at = 0
        self.names = names
        self.storage = storage
        self.left = 2 * size + MOST_OBJECTS
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def load(self) -> Any:
        """Return what the pickle holds.

        Raises:
            DamagedError: It ends early, or is no such pickle.
            UnpicklingError: It names, or calls, what is none of tensors and containers.
        """
        try:
            while True:
                code = self.take(1)
                if code == pickle.STOP:
                    return self.stack.pop()
                step = _STEPS.get(code)
                if step is None:
                    raise DamagedError(f"its pickle has the code {code!r}, which is not read")
                self.charge(_SIZES.get(code, 0))
                step(self)
        except (IndexError, KeyError, struct.error, UnicodeError, ValueError, TypeError) as error:
            raise DamagedError(f"its pickle is none: {type(error).__name__}: {error}") from None
        except (OverflowError, RecursionError, AttributeError, RuntimeError) as error:
            raise DamagedError(f"its pickle is none: {type(error).__name__}: {error}") from None

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        found = self.data[self.at : self.at + count]
        if len(found) != count:
            raise DamagedError("its pickle ends early")
        self.at += count
        return found

    def line(self) -> str:
        """Return the bytes up to the end of a line, as text."""
        end = self.data.index(b"\n", self.at)
        found = self.data[self.at : end].decode()
        self.at = end + 1
        return found

    def number(self, form: str) -> Any:
        """Return the next bytes as a number."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def charge(self, count: int) -> None:
        """Count memory that is taken, in bytes."""
        self.left -= count
        if self.left < 0:
            raise DamagedError("its pickle would take much more memory than the file")

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """Take what was put on the stack since the last mark."""
        start = self.marks.pop()
        found = self.stack[start:]
        del self.stack[start:]
        self.charge(8 * len(found))
        return found

    def top(self) -> Any:
        """Return what is on top of the stack, since the last mark."""
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise DamagedError("its pickle takes what is not there")
        return self.stack[-1]

    def pop(self) -> Any:
        """Take what is on top of the stack, since the last mark."""
        self.top()
        return self.stack.pop()

    # ----------------------------------------------------------------------- its steps

    def name(self) -> None:
        """Look up a name."""
        text = f"{self.line()}.{self.line()}"
        text = text.replace("__builtin__.", "builtins.", 1)
        found = self.names(text)
        if found is None:
            raise pickle.UnpicklingError(
                f"it names {text}, which is no part of a file of tensors and containers; "
                "gpugrad.load makes nothing else, and runs nothing"
            )
        self.push(found)

    def call(self) -> None:
        """Make what a name and its arguments say."""
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, Name) or name.call is None or type(arguments) is not tuple:
            raise pickle.UnpicklingError(f"it calls {name!r:.80}, which is nothing to be called")
        try:
            made = name.call(*arguments)
        except (ValueError, TypeError, RuntimeError, OverflowError) as error:
            raise DamagedError(f"{name.text}: {error}") from None
        if isinstance(made, str | bytes | bytearray | set | Size):
            self.charge(len(made) * (64 if isinstance(made, set) else 8))
        self.push(made)

    def build(self) -> None:
        """Give a dictionary with an order, as of a module's state, its attributes."""
        state, made = self.pop(), self.top()
        if type(made) is not OrderedDict:
            raise pickle.UnpicklingError(f"it gives a {type(made).__name__} a state")
        give_attributes(made, state)

    def append(self) -> None:
        """Append a value to a list."""
        value = self.pop()
        self._list().append(value)

    def extend(self) -> None:
        """Append values to a list."""
        values = self.since_mark()
        self._list().extend(values)

    def _list(self) -> list[Any]:
        found = self.top()
        if type(found) is not list:
            raise DamagedError(f"it appends to a {type(found).__name__}")
        return found

    def item(self) -> None:
        """Set an item of a dictionary."""
        value, key = self.pop(), self.pop()
        self._set([key, value])

    def items(self) -> None:
        """Set items of a dictionary."""
        self._set(self.since_mark())

    def _set(self, flat: list[Any]) -> None:
        found = self.top()
        if type(found) is not dict and type(found) is not OrderedDict:
            raise DamagedError(f"it sets an item of a {type(found).__name__}")
        self.charge(64 * len(flat))
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if not is_key(key):
                raise DamagedError(f"a {type(key).__name__} is a key")
            found[key] = value

    def tuple_of(self, count: int) -> None:
        """Make a tuple of values on the stack."""
        values = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(values)))

    def stored(self) -> None:
        """Make a storage."""
        self.push(self.storage(self.pop()))

    def remember(self, index: int) -> None:
        """Note what is on top of the stack under a number."""
        if index not in self.memo:
            self.charge(100)
        self.memo[index] = self.top()

    def text(self) -> None:
        """Read a text."""
        found = self.take(self.number("<I"))
        self.charge(4 * len(found))
        self.push(found.decode("utf-8", "surrogatepass"))

    def whole_number(self) -> None:
        """Read a large whole number."""
        self.push(int.from_bytes(self.take(self.number("B")), "little", signed=True))

    def protocol(self) -> None:
        """Check the protocol."""
        if (found := self.number("B")) != 2:
            raise DamagedError(f"its pickle is of protocol {found}, not 2")


_STEPS: dict[bytes, Callable[[Unpickler], None]] = {
    pickle.PROTO: Unpickler.protocol,
    pickle.GLOBAL: Unpickler.name,
    pickle.REDUCE: Unpickler.call,
    pickle.NEWOBJ: Unpickler.call,
    pickle.BUILD: Unpickler.build,
    pickle.APPEND: Unpickler.append,
    pickle.APPENDS: Unpickler.extend,
    pickle.SETITEM: Unpickler.item,
    pickle.SETITEMS: Unpickler.items,
    pickle.MARK: lambda u: u.marks.append(len(u.stack)),
    pickle.TUPLE: lambda u: u.push(tuple(u.since_mark())),
    pickle.TUPLE1: lambda u: u.tuple_of(1),
    pickle.TUPLE2: lambda u: u.tuple_of(2),
    pickle.TUPLE3: lambda u: u.tuple_of(3),
    pickle.EMPTY_TUPLE: lambda u: u.push(()),
    pickle.EMPTY_LIST: lambda u: u.push([]),
    pickle.EMPTY_DICT: lambda u: u.push({}),
    pickle.NONE: lambda u: u.push(None),
    pickle.NEWTRUE: lambda u: u.push(True),
    pickle.NEWFALSE: lambda u: u.push(False),
    pickle.BININT: lambda u: u.push(u.number("<i")),
    pickle.BININT1: lambda u: u.push(u.number("B")),
    pickle.BININT2: lambda u: u.push(u.number("<H")),
    pickle.BINFLOAT: lambda u: u.push(u.number(">d")),
    pickle.LONG1: Unpickler.whole_number,
    pickle.BINUNICODE: Unpickler.text,
    pickle.SHORT_BINSTRING: lambda u: u.push(u.take(u.number("B"))),
    pickle.BINPERSID: Unpickler.stored,
    pickle.BINPUT: lambda u: u.remember(u.number("B")),
    pickle.LONG_BINPUT: lambda u: u.remember(u.number("<I")),
    pickle.BINGET: lambda u: u.push(u.memo[u.number("B")]),
    pickle.LONG_BINGET: lambda u: u.push(u.memo[u.number("<I")]),
}


def _encoded(text: Any, encoding: Any = "latin1") -> bytes:
    if type(text) is not str or encoding not in ("latin1", b"latin1"):
        raise TypeError("bytes are written as a text in latin1")
    return text.encode("latin1")


def _bytes(*content: Any) -> bytearray:
    if [type(c) for c in content] not in ([], [bytes]):
        raise TypeError("a bytearray is made of bytes")
    return bytearray(*content)


def _set_of(content: Any) -> set[Any]:
    if type(content) is not list or not all(map(is_key, content)):
        raise TypeError("a set is made of a list of plain values")
    return set(content)


def _complex(real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise TypeError("a complex number is made of two floats")
    return complex(real, imaginary)


def _ordered(*content: Any) -> OrderedDict[Any, Any]:
    if content:
        raise TypeError("an OrderedDict is made empty, and then filled")
    return OrderedDict()


def _size(lengths: Any) -> Size:
    if type(lengths) is not tuple:
        raise TypeError("a Size is made of a tuple")
    return Size(lengths)


def _device(*what: Any) -> device:
    if not 1 <= len(what) <= 2 or type(what[0]) is not str:
        raise TypeError("a device is made of its name")
    return device(*what)


_PLAIN: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _ordered, "_codecs.encode": _encoded, "builtins.set": _set_of,
    "builtins.bytearray": _bytes, "builtins.complex": _complex, "torch.Size": _size,
    "torch.device": _device,
}  # fmt: skip
_STORAGES = {
    "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
    "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8",
    "Bool": "bool", "ComplexDouble": "complex128", "ComplexFloat": "complex64",
}  # fmt: skip


def plain_name(text: str) -> Any:
    """Return what a pickle of PyTorch's names, ``None`` where it is no plain value's."""
    if text in _PLAIN:
        return Name(text, _PLAIN[text])
    first, _, last = text.rpartition(".")
    if first == "torch" and last.endswith("Storage") and last[:-7] in _STORAGES:
        return StoredType(known(_STORAGES[last[:-7]]))
    if text == "torch.storage.UntypedStorage":
        return StoredType(None)
    if first == "torch" and last in _DTYPES:
        return known(last)
    return None


_DTYPES = {*_STORAGES.values(), "uint16", "uint32", "uint64"}

# --------------------------------------------------------------------------- writing


class Pickler:
    """Writes a pickle that PyTorch reads with ``weights_only``.

    Args:
        tensor: Writes a tensor by this object's functions.
    """

    def __init__(self, tensor: Callable[[Pickler, Any], None]):
        self.tensor = tensor
        self.parts = [pickle.PROTO, b"\x02"]
        self.memo: dict[int, int] = {}
        self.alive: list[Any] = []  # what has been noted: another object may not have its id

    def dump(self, value: Any) -> bytes:
        """Return the pickle of a value."""
        self.write(value)
        self.parts.append(pickle.STOP)
        return b"".join(self.parts)

    def write(self, value: Any) -> None:
        """Write a value: the number that it has been noted under, where there is one."""
        if (index := self.memo.get(id(value))) is not None:
            self.parts += [pickle.LONG_BINGET, struct.pack("<I", index)]
        elif isinstance(value, TensorBase):
            self.tensor(self, value)
            self.note(value)
        elif isinstance(value, list):
            self.parts += [pickle.EMPTY_LIST, pickle.MARK]
            self.all(value)
            self.parts.append(pickle.APPENDS)
            self.note(value)
        elif isinstance(value, dict):
            self._dictionary(value)
            self.note(value)
        elif type(value) is tuple:
            self.parts.append(pickle.MARK)
            self.all(value)
            self.parts.append(pickle.TUPLE)
        else:
            self._plain(value)

    def note(self, value: Any) -> None:
        """Note what was just written under the next number."""
        index = self.memo[id(value)] = len(self.memo)
        self.alive.append(value)
        self.parts += [pickle.LONG_BINPUT, struct.pack("<I", index)]

    def all(self, values: Any) -> None:
        """Write some values."""
        for v in values:
            self.write(v)

    def name(self, module: str, name: str) -> None:
        """Write a name."""
        self.parts += [pickle.GLOBAL, f"{module}\n{name}\n".encode()]

    def call(self, module: str, name: str, *arguments: Any) -> None:
        """Write a call of what a name stands for."""
        self.name(module, name)
        self.write(arguments)
        self.parts.append(pickle.REDUCE)

    def _dictionary(self, value: dict[Any, Any]) -> None:
        if isinstance(value, OrderedDict):
            self.call("collections", "OrderedDict")
        else:
            self.parts.append(pickle.EMPTY_DICT)
        self.parts.append(pickle.MARK)
        for pair in value.items():
            self.all(pair)
        self.parts.append(pickle.SETITEMS)
        if isinstance(value, OrderedDict) and vars(value):
            self._dictionary(vars(value))
            self.parts.append(pickle.BUILD)

    def _plain(self, value: Any) -> None:
        value = plain_number(value)
        if value is None:
            self.parts.append(pickle.NONE)
        elif isinstance(value, bool):
            self.parts.append(pickle.NEWTRUE if value else pickle.NEWFALSE)
        elif isinstance(value, int):
            self._whole_number(value)
        elif isinstance(value, float):
            self.parts += [pickle.BINFLOAT, struct.pack(">d", value)]
        elif isinstance(value, str):
            data = value.encode("utf-8", "surrogatepass")
            self.parts += [pickle.BINUNICODE, struct.pack("<I", len(data)), data]
        elif isinstance(value, bytes):
            self.call("_codecs", "encode", value.decode("latin1"), "latin1")
        elif isinstance(value, complex):
            self.call("__builtin__", "complex", value.real, value.imag)
        elif isinstance(value, set):
            self.call("__builtin__", "set", list(value))
        elif isinstance(value, Size):
            self.call("torch", "Size", tuple(value))
        elif isinstance(value, device):
            self.call("torch", "device", str(value))
        else:
            assert isinstance(value, _dtype.dtype)
            self.name("torch", value.name)

    def _whole_number(self, value: int) -> None:
        if -(2**31) <= value < 2**31:
            self.parts += [pickle.BININT, struct.pack("<i", value)]
            return
        count = math.ceil((value.bit_length() + 1) / 8)
        if count > 255:
            raise ValueError("PyTorch's files hold no whole number of more than 2039 bits")
        self.parts += [pickle.LONG1, bytes([count]), value.to_bytes(count, "little", signed=True)]
