"""Files of tensors: what they keep, what PyTorch reads of them, and what is refused."""

from __future__ import annotations

import io
import math
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpugrad
from comparison import pytorch
from gpugrad.serialization import pickled, safe

FORMATS = pytest.mark.parametrize("form", ["safetensors", "pytorch"])
DTYPES = (
    "float64", "float32", "float16", "bfloat16", "complex64", "complex128", "int64", "int32",
    "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool",
)  # fmt: skip


def again(value: Any, form: str, **options: Any) -> Any:
    """Return a value written into a file and read from it."""
    file = io.BytesIO()
    gpugrad.save(value, file, format=form)
    file.seek(0)
    return gpugrad.load(file, **options)


def content(value: Any, form: str) -> bytes:
    file = io.BytesIO()
    gpugrad.save(value, file, format=form)
    return file.getvalue()


def check_equal(found: Any, expected: Any) -> None:
    assert type(found).__name__ == type(expected).__name__
    if isinstance(expected, gpugrad.Tensor):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert (found.device, found.requires_grad) == (expected.device, expected.requires_grad)
        np.testing.assert_array_equal(found.detach().cpu().array, expected.detach().cpu().array)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            check_equal(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            check_equal(f, e)
    else:
        assert repr(found) == repr(expected)


def state() -> Any:
    """Return what the state of a module, and of its optimizer, looks like."""
    module = OrderedDict(
        {"layer.weight": gpugrad.randn(3, 4), "layer.bias": gpugrad.randn(3)},
    )
    module._metadata = OrderedDict({"": {"version": 1}, "layer": {"version": 1}})  # type: ignore[attr-defined]
    groups = [
        {"lr": 0.1, "betas": (0.9, 0.999), "amsgrad": False, "params": [0, 1], "foreach": None}
    ]
    step = {"step": gpugrad.tensor(3.0), "exp_avg": gpugrad.zeros(3, 4)}
    return {"model": module, "optimizer": {"state": {0: step}, "param_groups": groups}, "epoch": 7}


PLAIN: dict[str, Any] = {
    "numbers": [0, -1, 70_000, 2**31, -(2**31) - 1, 10**40, 0.1, -0.0, 1e300, True, False, None],
    "not finite": (float("inf"), float("-inf"), float("nan"), 1 + 2j, complex("nan-infj")),
    "texts": ["", "a", "ä€😀", "\ud800", "__metadata__", b"", b"\x00\xff", "line\nline"],
    "containers": {"a": [[], {}, (), set(), OrderedDict()], 3: {1, "b"}, (1, "x"): None, None: 1},
    "types": [gpugrad.float32, gpugrad.bool, gpugrad.device("cuda:1"), gpugrad.Size([2, 0])],
    "a number": 3, "a text": "text", "nothing": None, "an empty list": [],
}  # fmt: skip


@FORMATS
@pytest.mark.parametrize("name", PLAIN)
def test_plain_values_come_back(name: str, form: str) -> None:
    check_equal(again(PLAIN[name], form), PLAIN[name])


@FORMATS
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_of_each_type_come_back(dtype: str, form: str, device: str) -> None:
    x = gpugrad.tensor([[0, 1, 2], [3, 1, 0]], device=device).to(getattr(gpugrad, dtype))
    values = {"x": x, "none": x[:0], "scalar": x[0, 1].clone(), "transposed": x.clone().T}
    check_equal(again(values, form), values)


@FORMATS
def test_a_state_comes_back_with_its_attributes(form: str) -> None:
    saved = state()
    found = again(saved, form)
    check_equal(found, saved)
    check_equal(found["model"]._metadata, saved["model"]._metadata)


SHARED: dict[str, Callable[[], list[Any]]] = {
    "rows": lambda: [x := gpugrad.arange(12.0).reshape(3, 4), x[1:], x[2, 1]],
    "columns": lambda: [x := gpugrad.arange(12.0).reshape(3, 4), x.T, x[:, 1]],
    "no whole": lambda: [x := gpugrad.arange(12.0), x[2:8], x[4:10]][1:],
    "repeated": lambda: [gpugrad.arange(2.0).reshape(2, 1).expand(2, 3)],
    "windows": lambda: [gpugrad.arange(6.0).unfold(0, 3, 1)],
    "gaps that others fill": lambda: [x := gpugrad.arange(12.0), x[::2], x[1::3]],
}


@FORMATS
@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("name", SHARED)
def test_shared_memory_is_shared_again(name: str, mapped: bool, form: str, tmp_path: Path) -> None:
    tensors = SHARED[name]()
    gpugrad.save(tensors, tmp_path / "file", format=form)
    found = gpugrad.load(tmp_path / "file", mmap=mapped)

    check_equal(found, tensors)
    assert [t.stride() for t in found] == [t.stride() for t in tensors]
    for group in (found, tensors):
        group[-1].select(0, 0).fill_(70) if group[-1].ndim else group[-1].fill_(70)
    check_equal(found, tensors)
    assert len({t._version for t in found}) == 1, "they share the count of writes, too"


@FORMATS
def test_types_may_differ_in_shared_memory_but_in_pytorchs_format(form: str) -> None:
    x = gpugrad.zeros(4)
    values = [x, gpugrad.view_as_complex(x.reshape(2, 2))]
    if form == "pytorch":
        with pytest.raises(
            RuntimeError, match="Cannot save multiple tensors or storages that view"
        ):
            again(values, form)
        return
    found = again(values, form)
    found[0][1] = 3
    assert found[1][0] == 3j


@FORMATS
def test_the_same_tensor_is_the_same_again_and_a_lone_view_is_small(form: str) -> None:
    x = gpugrad.ones(3, requires_grad=True)
    found = again([x, x, gpugrad.zeros(10_000)[::10]], form)
    assert found[0] is found[1]
    assert found[0].is_leaf
    assert found[2].stride() == (1,)
    assert len(content(gpugrad.zeros(100_000)[7:9], form)) < 2000


@FORMATS
def test_parameters_are_parameters_again(form: str) -> None:
    p = gpugrad.nn.Parameter(gpugrad.ones(2))
    frozen = gpugrad.nn.Parameter(gpugrad.ones(2, dtype=gpugrad.int32), requires_grad=False)
    found = again([p, frozen, p.detach()], form)
    check_equal(found, [p, frozen, p.detach()])
    found[0].data.fill_(3)
    assert found[2].tolist() == [3, 3]


@FORMATS
def test_conjugates_are_saved_as_what_they_show(form: str) -> None:
    x = gpugrad.tensor([1 + 2j]).conj()
    check_equal(again(x, form), x.resolve_conj())


def test_a_header_of_any_length_is_one() -> None:
    """The first byte of a file is that of a number: it may be the first one of a pickle."""
    found = set()
    for length in range(300):
        value = {"a" * length: gpugrad.ones(1)}
        found.add(content(value, "safetensors")[0])
        check_equal(again(value, "safetensors"), value)
    assert 0x80 in found


# --------------------------------------------------------------------------- beside PyTorch


def numbers(tensor: Any) -> Any:
    tensor = tensor.detach()
    return tensor.float().numpy() if "bfloat16" in str(tensor.dtype) else tensor.numpy()


def check_like_pytorchs(found: Any, expected: Any) -> None:
    """Check that what gpugrad and PyTorch hold is the same."""
    if hasattr(expected, "untyped_storage"):
        assert str(found.dtype).split(".")[1] == str(expected.dtype).split(".")[1]
        assert tuple(found.stride()) == tuple(expected.stride())
        assert found.requires_grad == expected.requires_grad
        np.testing.assert_array_equal(numbers(found), numbers(expected))
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            check_like_pytorchs(found[key], expected[key])
        if isinstance(expected, OrderedDict):
            check_like_pytorchs(vars(found), vars(expected))
    elif isinstance(expected, list | tuple):
        assert type(found).__name__ == type(expected).__name__
        for f, e in zip(found, expected, strict=True):
            check_like_pytorchs(f, e)
    else:
        assert repr(found).replace("gpugrad", "torch") == repr(expected)


def torch_states() -> dict[str, Any]:
    torch = pytorch()
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.LSTM(4, 5)
    )
    linear = torch.nn.Linear(3, 2)
    adam = torch.optim.Adam(linear.parameters(), amsgrad=True)
    linear(torch.ones(1, 3)).sum().backward()
    adam.step()
    x = torch.arange(12.0).reshape(3, 4)
    kinds = {d: torch.ones(2, dtype=getattr(torch, d)) for d in DTYPES}
    return {
        "net": net.state_dict(), "optimizer": adam.state_dict(), "views": [x, x.T, x[1:, ::2]],
        "types": kinds, "plain": {"a": (1, 2.5, None, True, "ä", 10**30, -5, b"ab", 1 + 2j, {3})},
        "others": [torch.float32, torch.Size([1, 2]), torch.device("cpu"), torch.zeros(0, 3)],
        "gradient": torch.ones(2, requires_grad=True), "parameters": list(linear.parameters()),
        "nested": [[[{"a": {}}]], ()],
    }  # fmt: skip


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("name", ["net", "optimizer", "views", "types", "plain", "others",
                                  "gradient", "parameters", "nested"])  # fmt: skip
def test_pytorchs_files_are_read_and_ours_read_by_it(
    name: str, mapped: bool, tmp_path: Path
) -> None:
    torch = pytorch()
    expected = torch_states()[name]
    torch.save(expected, tmp_path / "theirs.pt")
    found = gpugrad.load(tmp_path / "theirs.pt", mmap=mapped)
    check_like_pytorchs(found, expected)

    gpugrad.save(found, tmp_path / "ours.pt", format="pytorch")
    theirs = torch.load(tmp_path / "ours.pt", weights_only=True, mmap=mapped)
    check_like_pytorchs(theirs, expected)


def test_pytorchs_conjugates_and_storages_are_read() -> None:
    torch = pytorch()
    file = io.BytesIO()
    x = torch.tensor([1 + 2j])
    torch.save([x.conj(), x.clone().conj().imag, torch.ones(2).untyped_storage()], file)
    file.seek(0)
    conjugate, negative, storage = gpugrad.load(file)
    assert conjugate.tolist() == [1 - 2j]
    assert negative.tolist() == [-2]
    assert storage.tolist() == [0, 0, 128, 63, 0, 0, 128, 63]


def test_files_of_the_other_byte_order_are_read() -> None:
    torch = pytorch()
    file = io.BytesIO()
    values = [
        torch.tensor([1.5, 2]),
        torch.tensor([1 + 2j]),
        torch.tensor([258], dtype=torch.int16),
    ]
    torch.save(values, file)
    swapped = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(swapped, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("byteorder"):
                data = b"big"
            elif "/data/" in info.filename:
                width = {"0": 4, "1": 4, "2": 2}[info.filename[-1]]
                data = np.frombuffer(data, f"u{width}").byteswap().tobytes()
            new.writestr(info.filename, data)
    swapped.seek(0)
    assert [t.tolist() for t in gpugrad.load(swapped)] == [[1.5, 2], [1 + 2j], [258]]


def test_other_programs_read_our_safetensors_and_we_theirs(tmp_path: Path) -> None:
    numpys = pytest.importorskip("safetensors.numpy")
    gpugrad.save({"a": {"weight": gpugrad.ones(2, 3)}, "b": [gpugrad.zeros(2)]}, tmp_path / "ours")
    found = numpys.load_file(tmp_path / "ours")
    assert {k: v.tolist() for k, v in found.items()} == {"a.weight": [[1] * 3] * 2, "b.0": [0, 0]}

    numpys.save_file({"x": np.arange(3), "y": np.ones((2, 2), np.float16)}, tmp_path / "theirs")
    for file in (tmp_path / "theirs", io.BytesIO((tmp_path / "theirs").read_bytes())):
        loaded = gpugrad.load(file)
        assert {k: v.tolist() for k, v in loaded.items()} == {"x": [0, 1, 2], "y": [[1, 1], [1, 1]]}
        assert loaded["y"].dtype == gpugrad.float16


# --------------------------------------------------------------------------- map_location


@FORMATS
def test_map_location_is_a_device_a_dictionary_or_a_function(form: str) -> None:
    x = {"a": gpugrad.ones(2), "b": gpugrad.zeros(3)}
    tags = []

    def noted(storage: Any, tag: str) -> Any:
        tags.append((tag, storage.nbytes(), type(storage).__name__))
        return None if len(tags) == 1 else storage.clone()

    for where in ("cpu", gpugrad.device("cpu"), {"cuda:0": "cpu"}, noted):
        check_equal(again(x, form, map_location=where), x)
    assert sorted(tags) == [("cpu", 8, "UntypedStorage"), ("cpu", 12, "UntypedStorage")]
    with pytest.raises(RuntimeError, match="don't know how to restore data location of"):
        again(x, form, map_location="tpu")
    with pytest.raises(TypeError, match="UntypedStorage"):
        again(x, form, map_location=lambda storage, tag: 3)


@FORMATS
@pytest.mark.cuda
def test_tensors_go_back_to_their_gpu_or_where_they_are_mapped(form: str) -> None:
    x = gpugrad.ones(2, 3, device="cuda")
    values = [x, x[1:], gpugrad.ones(2)]
    found = again(values, form)
    check_equal(found, values)
    found[0].fill_(3)
    assert found[1].tolist() == [[3, 3, 3]]
    assert {t.device.type for t in again(values, form, map_location="cpu")} == {"cpu"}
    assert {t.device.type for t in again(values, form, map_location={"cpu": "cuda:0"})} == {"cuda"}
    with pytest.raises(RuntimeError, match="on CUDA device 99 but"):
        again(values, form, map_location="cuda:99")


# --------------------------------------------------------------------------- whole or not at all


@FORMATS
def test_a_file_is_replaced_as_a_whole(form: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    gpugrad.save([1], path, format=form)
    path.chmod(0o640)
    with pytest.raises(TypeError):
        gpugrad.save([object()], path, format=form)
    assert gpugrad.load(path) == [1]
    link = tmp_path / "link"
    link.symlink_to(path)
    gpugrad.save([2], link, format=form)
    assert gpugrad.load(path) == [2]
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


@FORMATS
def test_a_new_file_has_the_permissions_of_new_files(form: str, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    gpugrad.save([gpugrad.ones(2)], tmp_path / "file", format=form)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


KILLED = """
import os, gpugrad
from gpugrad.serialization import writing
writing._to_disk = lambda path: os._exit(9)
gpugrad.save([gpugrad.zeros(1000)], {path!r})
"""


def test_a_process_that_ends_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    gpugrad.save("old", path)
    ended = subprocess.run([sys.executable, "-c", KILLED.format(path=str(path))], check=False)
    assert ended.returncode == 9
    assert gpugrad.load(path) == "old"


def test_mapped_tensors_are_written_in_memory_only(tmp_path: Path) -> None:
    for form in ("safetensors", "pytorch"):
        gpugrad.save([gpugrad.zeros(3)], tmp_path / form, format=form)
        gpugrad.load(tmp_path / form, mmap=True)[0].fill_(5)
        assert gpugrad.load(tmp_path / form)[0].tolist() == [0, 0, 0]


# --------------------------------------------------------------------------- what is refused


class Net:
    def state_dict(self) -> dict[str, Any]:
        return {}


class Kind(gpugrad.Tensor):
    pass


def with_attribute() -> Any:
    x = gpugrad.ones(2)
    x.layer = "first"  # type: ignore[attr-defined]
    return x


def endless() -> Any:
    found: list[Any] = []
    found.append(found)
    return found


def deep(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


UNSAVED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a module": (lambda: {"a": [Net()]}, TypeError, r"at \['a'\]\['0'\]: .* save its state_dict"),
    "an object": (object, TypeError, "the object itself: this is a builtins.object"),
    "a function": (lambda: [print], TypeError, "builtins.builtin_function_or_method"),
    "an array": (lambda: [np.ones(2)], TypeError, "gpugrad.tensor"),
    "NumPy's wide number": (lambda: [np.longdouble(2)], TypeError, "value.item()"),
    "NumPy's date": (lambda: [np.datetime64("2024-01-01")], TypeError, "value.item()"),
    "a subclass": (lambda: gpugrad.ones(2).as_subclass(Kind), TypeError, "Kind is a class"),
    "an attribute": (with_attribute, TypeError, "'layer'"),
    "a tensor as key": (lambda: {gpugrad.ones(2): 1}, TypeError, "is a Tensor"),
    "itself": (endless, ValueError, "holds itself"),
    "too deep": (lambda: deep(500), ValueError, "nested more than 200"),
}


@FORMATS
@pytest.mark.parametrize("name", UNSAVED)
def test_what_no_file_holds_is_refused(name: str, form: str) -> None:
    make, error, match = UNSAVED[name]
    with pytest.raises(error, match=match):
        again(make(), form)


@FORMATS
def test_numpys_numbers_are_loaded_as_pythons(form: str) -> None:
    given = {
        "loss": np.mean([0.5, 1.0]), "half": np.float32(0.1), "epoch": np.int64(2**40),
        "best": np.bool_(True), "z": np.complex64(1 + 2j), "in": (np.uint8(3), {np.int32(4)}),
        np.int64(5): 1, (np.int64(6), "a"): [np.float64("inf")],
    }  # fmt: skip
    found = again(given, form)
    assert found == {
        "loss": 0.75, "half": float(np.float32(0.1)), "epoch": 2**40, "best": True, "z": 1 + 2j,
        "in": (3, {4}), 5: 1, (6, "a"): [math.inf],
    }  # fmt: skip
    assert type(found["loss"]) is float
    assert type(found["epoch"]) is int
    assert found["best"] is True
    assert {type(key) for key in found} == {str, int, tuple}


def test_examples_of_vmap_are_not_saved() -> None:
    with pytest.raises(NotImplementedError):
        gpugrad.vmap(lambda x: gpugrad.save(x, io.BytesIO()))(gpugrad.ones(2, 3))


def test_pytorchs_tensors_with_attributes_are_read() -> None:
    torch = pytorch()
    x = torch.ones(2)
    x.layer = "first"
    file = io.BytesIO()
    torch.save([x, torch.nn.Buffer(torch.zeros(1))], file)
    file.seek(0)
    found, buffer = gpugrad.load(file)
    assert found.layer == "first"
    assert isinstance(buffer, gpugrad.nn.Buffer)


def test_arguments_that_mean_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format must be"):
        gpugrad.save(1, io.BytesIO(), format="hdf5")
    with pytest.raises(ValueError, match=r"before version 1\.6"):
        gpugrad.save(1, io.BytesIO(), _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match="no module pickles"):
        gpugrad.save(1, io.BytesIO(), pickle)
    with pytest.raises(RuntimeError, match="Can not safely load weights"):
        gpugrad.load(io.BytesIO(), pickle_module=pickle)
    with pytest.raises(ValueError, match="f must be a file path"):
        gpugrad.load(io.BytesIO(content(1, "pytorch")), mmap=True)
    with pytest.raises(FileNotFoundError):
        gpugrad.load(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        gpugrad.save(1, tmp_path)
    wrong: Any = 3
    with pytest.raises(AttributeError, match="file-like object"):
        gpugrad.load(wrong)
    with pytest.raises(AttributeError, match="file-like object"):
        gpugrad.save(1, wrong)


def archive_of(data: bytes, **records: Any) -> bytes:
    """Return a file of PyTorch's with a pickle, and other records, of which None is none."""
    file = io.BytesIO()
    found: dict[str, Any] = {"data.pkl": data, "version": b"3\n", "byteorder": b"little"}
    with zipfile.ZipFile(file, "w") as archive:
        for name, record in {**found, **records}.items():
            if record is not None:
                archive.writestr(f"archive/{name}", record)
    return file.getvalue()


def tensor_call(
    offset: Any = 0, size: Any = (2,), stride: Any = (1,), count: int = 2, key: str = "0"
) -> bytes:
    """Return a pickle of a tensor that lies in eight bytes."""
    from gpugrad.serialization.pickled import Pickler

    out = Pickler(lambda *_: None)
    out.name("torch._utils", "_rebuild_tensor_v2")
    out.parts += [pickle.MARK, pickle.MARK]
    out.write("storage")
    out.name("torch", "FloatStorage")
    out.all([key, "cpu", count])
    out.parts += [pickle.TUPLE, pickle.BINPERSID]
    out.all([offset, size, stride, False])
    out.call("collections", "OrderedDict")
    out.parts += [pickle.TUPLE, pickle.REDUCE, pickle.STOP]
    return b"".join(out.parts)


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo executed",)


def of_the_second(name: str) -> bytes:
    """Return a file with a record that is there twice."""
    file = io.BytesIO(archive_of(pickle.dumps(1, 2)))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr(f"archive/{name}", b"")
    return file.getvalue()


def compressed() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 10_000_000)
        archive.writestr("archive/version", b"3\n")
    return file.getvalue()


EIGHT = {"data/0": bytes(8)}
HEADER = '{"__metadata__":{"gpugrad":%s},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'


def safe_file(structure: str) -> bytes:
    """Return a file of safetensors' with one tensor of two numbers, and a structure."""
    import json

    header = (HEADER % json.dumps(structure)).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


def described(tensor: str, root: str = '{"tensor":0}') -> bytes:
    return safe_file(f'{{"version":1,"tensors":[{tensor}],"root":{root}}}')


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "it is empty"),
    "text": (lambda: b"hello, this is no file of tensors at all", "header"),
    "a pickle": (lambda: pickle.dumps(Evil(), 2), "it is a pickle, which could do anything"),
    "a call": (lambda: archive_of(pickle.dumps(Evil(), 2)), "it names posix.system"),
    "eval": (lambda: archive_of(b"c__builtin__\neval\n(X\x01\x00\x00\x001tR."), "builtins.eval"),
    "an instruction": (lambda: archive_of(b"(i__builtin__\neval\n."), "which is not read"),
    "no call": (lambda: archive_of(b"]()R."), "takes what is not there"),
    "called text": (lambda: archive_of(b"X\x01\x00\x00\x00a)R."), "nothing to be called"),
    "ends early": (lambda: archive_of(b"X\xff\xff\xff\xffa"), "ends early"),
    "no stop": (lambda: archive_of(b"]"), "ends early"),
    "nothing left": (lambda: archive_of(b"0."), "not read"),
    "no mark": (lambda: archive_of(b"t."), "its pickle is none"),
    "beyond the mark": (lambda: archive_of(b"](a."), "takes what is not there"),
    "no memo": (lambda: archive_of(b"h\x07."), "its pickle is none"),
    "protocol": (lambda: archive_of(b"\x80\x05]."), "protocol 5"),
    "appends to itself": (lambda: archive_of(b"]q\x00h\x00a."), "holds itself"),
    "deep": (lambda: archive_of(b")" + b"\x85" * 20_000 + b"."), "nested more than 200"),
    "a deep key": (lambda: archive_of(b"})" + b"\x85" * 100_000 + b"Ns."), "a tuple is a key"),
    "many lists": (lambda: archive_of(b"(" + b"]" * 50_000 + b"t."), "much more memory"),
    "copies": (
        lambda: archive_of(
            b"X"
            + struct.pack("<I", 10**4)
            + b"a" * 10**4
            + b"q\x00X\x06\x00\x00\x00latin1q\x01("
            + b"c_codecs\nencode\nh\x00h\x01\x86R" * 1000
            + b"t."
        ),
        "much more memory",
    ),
    "zeros": (lambda: archive_of(b"cbuiltins\nbytearray\nJ\x00\x00\x00\x40\x85R."), "bytes"),
    "a list as key": (lambda: archive_of(b"}]Ns."), "a list is a key"),
    "an attribute": (lambda: archive_of(b"]}b."), "gives a list a state"),
    "hidden": (
        lambda: archive_of(b"ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsNsb."),
        "an attribute 'items' would hide",
    ),
    "hidden, in JSON": (
        lambda: described('{"name":"x"}', '{"OrderedDict":[[],[["keys",null]]]}'),
        "an attribute 'keys' would hide",
    ),
    "no storage": (lambda: archive_of(tensor_call()), "no record 'data/0'"),
    "a path": (lambda: archive_of(tensor_call(key="../../etc/passwd")), "no record"),
    "a small storage": (lambda: archive_of(tensor_call(), **{"data/0": b"1234"}), "has 4 bytes"),
    "a large storage": (lambda: archive_of(tensor_call(count=2**40), **EIGHT), "has 8 bytes, not"),
    "behind": (lambda: archive_of(tensor_call(offset=1), **EIGHT), "ends 12 bytes"),
    "before": (lambda: archive_of(tensor_call(offset=-1), **EIGHT), "from -4"),
    "negative strides": (lambda: archive_of(tensor_call(stride=(-1,)), **EIGHT), "the strides"),
    "no strides": (lambda: archive_of(tensor_call(stride=()), **EIGHT), "the strides"),
    "huge": (lambda: archive_of(tensor_call(size=(2**62,)), **EIGHT), "ends"),
    "huge and repeated": (
        lambda: archive_of(tensor_call(size=(2**62, 2**62), stride=(0, 0)), **EIGHT),
        "_rebuild_tensor_v2",
    ),
    "many dimensions": (
        lambda: archive_of(tensor_call(size=(1,) * 500, stride=(1,) * 500), **EIGHT),
        "_rebuild_tensor_v2",
    ),
    "no numbers": (lambda: archive_of(tensor_call(size=("a",)), **EIGHT), "no numbers"),
    "compressed": (compressed, "is compressed|larger than the file"),
    "twice": (lambda: of_the_second("data.pkl"), "is there twice"),
    "TorchScript": (lambda: archive_of(b"N.", **{"constants.pkl": b""}), "TorchScript"),
    "another zip": (lambda: archive_of(b"N.", version=None), "not written by torch.save"),
    "newer": (lambda: archive_of(b"N.", version=b"99\n"), "newest known"),
    "byte order": (lambda: archive_of(b"N.", byteorder=b"middle"), "Unknown endianness"),
    "no JSON": (lambda: safe_file("{"), "no JSON"),
    "deep JSON": (lambda: safe_file("[" * 100_000 + "]" * 100_000), "no JSON"),
    "another version": (lambda: safe_file('{"version":9}'), "version 9"),
    "a long number": (lambda: safe_file("9" * 10_000), "no JSON"),
    "no tensors": (lambda: safe_file('{"version":1,"root":1}'), "has no tensors"),
    "a missing tensor": (lambda: described('{"name":"y"}'), "no tensor 'y'"),
    "no tensor": (lambda: described("3"), "described by no object"),
    "a missing number": (lambda: described('{"name":"x"}', '{"tensor":1}'), "tensor that is none"),
    "an unknown kind": (lambda: described('{"name":"x"}', '{"_reader":1}'), "unknown"),
    "a class": (lambda: described('{"name":"x"}', '{"value":1}'), "unknown"),
    "unlike": (lambda: described('{"name":"x","dtype":"float32"}'), "no shape"),
    "larger": (
        lambda: described('{"name":"x","dtype":"float64","shape":[2],"strides":[8],"offset":0}'),
        "ends 16 bytes",
    ),
    "across": (
        lambda: described('{"name":"x","dtype":"float32","shape":[1],"strides":[4],"offset":2}'),
        "across its elements",
    ),
    "an unknown type": (
        lambda: described('{"name":"x","dtype":"float8","shape":[1],"strides":[4],"offset":0}'),
        "no type 'float8'",
    ),
    "no gradient": (
        lambda: described(
            '{"name":"x","dtype":"int32","shape":[1],"strides":[4],"offset":0,"requires_grad":true}'
        ),
        "requires grad",
    ),
    "JSON's lists": (
        lambda: described('{"name":"x"}', "[" + ",".join(["[]"] * 50_000) + "]"),
        "much more memory",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_its_name(
    name: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, match = HOSTILE[name]
    if match == "much more memory":  # small files will do
        for module in (pickled, safe):
            monkeypatch.setattr(module, "MOST_OBJECTS", 2**20)
    path = tmp_path / "hostile"
    path.write_bytes(make())
    with path.open("rb") as opened:
        for file in (path, opened):
            with pytest.raises((RuntimeError, pickle.UnpicklingError), match=match) as caught:
                gpugrad.load(file)
            assert str(path) in str(caught.value)
            assert caught.value.__cause__ is None
    assert "executed" not in capfd.readouterr().out


def test_pytorchs_older_format_and_other_objects_are_refused() -> None:
    torch = pytorch()
    for value, options, match in (
        ([torch.ones(2)], {"_use_new_zipfile_serialization": False}, "before version 1.6"),
        (torch.nn.Linear(2, 2), {}, "it names torch.nn.modules.linear.Linear"),
        (torch.ones(2).to_sparse(), {}, "it names torch"),
    ):
        file = io.BytesIO()
        torch.save(value, file, **options)
        file.seek(0)
        with pytest.raises((RuntimeError, pickle.UnpicklingError), match=match):
            gpugrad.load(file, weights_only=False)


# --------------------------------------------------------------------------- damage


def damaged(data: bytes, path: Path) -> None:
    """Check that a damaged file is read as something, or ends in an error with its name."""
    path.write_bytes(data)
    for mapped in (False, True):
        error = None
        try:
            gpugrad.load(path, mmap=mapped)
        except (RuntimeError, pickle.UnpicklingError) as raised:
            error = raised
        assert error is None or str(path) in " ".join(
            [str(error), *getattr(error, "__notes__", [])]
        )


SAVED = {form: content(state(), form) for form in ("safetensors", "pytorch")}


@FORMATS
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_bytes_end_in_an_error_or_in_values(
    form: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = bytearray(SAVED[form])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    damaged(bytes(whole), tmp_path_factory.getbasetemp() / "damaged")


@FORMATS
def test_truncated_files_end_in_an_error(form: str, tmp_path: Path) -> None:
    path = tmp_path / "short"
    for length in {*range(0, len(SAVED[form]), 61), len(SAVED[form]) - 1}:
        path.write_bytes(SAVED[form][:length])
        with pytest.raises((RuntimeError, pickle.UnpicklingError), match="short"):
            gpugrad.load(path)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_pickles_end_in_an_error_or_in_values(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The checksums of the archive fit: the pickle itself is read."""
    with zipfile.ZipFile(io.BytesIO(SAVED["pytorch"])) as archive:
        records = {i.filename.partition("/")[2]: archive.read(i) for i in archive.infolist()}
    whole = bytearray(records.pop("data.pkl"))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    damaged(archive_of(bytes(whole), **records), tmp_path_factory.getbasetemp() / "damaged")


MEASURED = """
import resource, sys, gpugrad
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024
x = [gpugrad.zeros(100) for _ in range(3)]
gpugrad.save(x, {path!r} + "0", format={form!r}); gpugrad.load({path!r} + "0")
start = peak()
kept = gpugrad.load({path!r})
print((peak() - start) / {size})
"""


@FORMATS
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory was taken")
def test_memory_stays_within_twice_the_size_of_a_file(form: str, tmp_path: Path) -> None:
    path = str(tmp_path / "large")
    gpugrad.save([gpugrad.ones(10_000_000), gpugrad.ones(10)], path, format=form)
    program = MEASURED.format(path=path, form=form, size=os.path.getsize(path))
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 0.9 < float(ran.stdout) < 2.1


# --------------------------------------------------------------------------- modules, optimizers


def nets(library: Any) -> tuple[Any, Any]:
    """Return a net of a library and its optimizer, after a step."""
    nn = library.nn
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    optimizer = library.optim.AdamW(net.parameters(), lr=0.1, amsgrad=True)
    net(library.arange(15.0).reshape(5, 3)).square().sum().backward()
    optimizer.step()
    return net, optimizer


def test_the_states_of_modules_and_optimizers_go_both_ways(tmp_path: Path) -> None:
    torch = pytorch()
    ours, theirs = nets(gpugrad), nets(torch)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))

    def states(pair: tuple[Any, Any]) -> list[Any]:
        return [part.state_dict() for part in pair]

    torch.save(states(theirs), tmp_path / "theirs.pt")
    for part, state_of_it in zip(ours, gpugrad.load(tmp_path / "theirs.pt"), strict=True):
        part.load_state_dict(state_of_it)
    again_ours, again_theirs = nets(gpugrad), nets(torch)
    gpugrad.save(states(ours), tmp_path / "ours.safetensors")
    gpugrad.save(states(ours), tmp_path / "ours.pt", format="pytorch")
    loaded = gpugrad.load(tmp_path / "ours.safetensors")
    for part, state_of_it in zip(again_ours, loaded, strict=True):
        part.load_state_dict(state_of_it)
    for part, state_of_it in zip(again_theirs, torch.load(tmp_path / "ours.pt"), strict=True):
        part.load_state_dict(state_of_it)

    results = []
    for net, optimizer in (ours, theirs, again_ours, again_theirs):
        library = gpugrad if isinstance(net, gpugrad.nn.Module) else torch
        optimizer.zero_grad()
        net(library.tensor(x.tolist())).square().sum().backward()
        optimizer.step()
        values = [v.tolist() for v in net.state_dict().values()]
        results.append(np.concatenate([np.ravel(v) for v in values]))
    for found in results[1:]:
        np.testing.assert_allclose(found, results[0], rtol=1e-5, atol=1e-6)
