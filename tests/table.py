"""The table of PyTorch's functions that there are, ``docs/functions.md``.

``python tests/table.py`` writes it anew, for which PyTorch is needed; ``tests/test_op_db.py`` sees
that it is current.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import gpugrad
from comparison import pytorch

PATH = Path(__file__).parent.parent / "docs" / "functions.md"

# What is no function of arrays in memory: how tensors are laid out or computed elsewhere, and
# PyTorch's own machinery.
OTHER = (
    "sparse", "to_sparse", "coalesce", "is_coalesced", "dense", "to_dense", "crow_", "col_",
    "row_indices",
    "ccol_", "hspmm", "smm", "sspaddmm", "quantize", "dequantize", "q_", "qscheme", "int_repr",
    "fake_quant", "mkldnn", "to_mkldnn", "to_padded", "ipu", "xpu", "xla", "mps", "mtia", "hpu",
    "is_ipu", "is_xpu", "is_xla", "is_mps", "is_mtia", "is_quantized", "share_memory", "is_shared",
    "import_ir", "parse_", "merge_type", "unify_type", "fork", "wait", "compile", "init_num",
    "sym_", "while_loop", "cond", "vitals", "module_load", "record_stream", "pin_memory",
    "is_pinned", "is_vulkan", "is_maia", "indices", "values", "hash_tensor", "thread_safe",
    "const_data_ptr", "native_", "get_device_module", "storage_type", "from_file",
)  # fmt: skip


def names(home: Any, left_out: tuple[str, ...] = ()) -> list[str]:
    """Return the documented functions of a module, or the methods of a class."""
    found = []
    for name in dir(home):
        value = inspect.getattr_static(home, name)
        skipped = name.startswith("_") or inspect.isclass(value) or inspect.ismodule(value)
        if skipped or not (getattr(home, name).__doc__ or "").strip():
            continue
        if inspect.isfunction(value) and not value.__module__.startswith("torch"):
            continue
        if name == "index":  # which gives dimensions names that are objects
            continue
        if callable(getattr(home, name)) and not name.startswith(left_out):
            found.append(name)
    return found


def mark(there: bool, here: bool) -> str:
    """Return what a cell says: empty where PyTorch has nothing either."""
    return ("yes" if here else "**no**") if there or here else ""


def rows() -> dict[str, tuple[str, str, str]]:
    """Return for each name: function, method and in-place form."""
    torch = pytorch()
    functions, methods = (set(names(home, OTHER)) for home in (torch, torch.Tensor))
    plain = {n[:-1] if n.endswith("_") and n[:-1] in methods else n for n in functions | methods}
    return {
        name: (
            mark(name in functions, name in functions and hasattr(gpugrad, name)),
            mark(name in methods, name in methods and hasattr(gpugrad.Tensor, name)),
            mark(f"{name}_" in methods, hasattr(gpugrad.Tensor, f"{name}_")),
        )
        for name in sorted(plain)
    }


def text() -> str:
    """Return what the file should hold."""
    found = rows()
    lines = [
        "# Which of PyTorch's functions there are",
        "",
        "Functions of arrays, of PyTorch 2.13; written by `python tests/table.py`.",
        "An empty cell is a form that PyTorch does not have either.",
        "The modules of networks (`torch.nn`), sparse and quantized tensors and compilers are not "
        "in the table.",
        "",
        "## `torch` and `torch.Tensor`",
        "",
        "| name | function | method | in place |",
        "| --- | --- | --- | --- |",
        *(f"| `{name}` | {' | '.join(cells)} |" for name, cells in found.items()),
    ]
    for module in ("linalg", "fft", "special"):
        here = _module(f"gpugrad.{module}")
        lines += ["", f"## `torch.{module}`", "", "| name | function |", "| --- | --- |"]
        lines += [
            f"| `{name}` | {mark(True, hasattr(here, name))} |"
            for name in names(import_module(f"torch.{module}"))
        ]
    return "\n".join(lines) + "\n"


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(text())
