"""Who imports whom, what importing costs, and that everything public says what it is."""

from __future__ import annotations

import ast
import functools
import inspect
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple, TypeGuard

import pytest

import choice
import gpugrad

ROOT = Path(gpugrad.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))  # `kernels` too: a symbolic link, or a folder of the wheel
if not any("kernels" in file.parts for file in FILES):
    FILES += sorted((ROOT / "kernels").rglob("*.py"))

# What a module may import of gpugrad besides modules of its own row; a name stands for all below.
# From the ground floor upwards: nothing imports from a row below its own in this table.
ROWS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("formulas",): (),
    ("hooks",): (),
    ("graph",): ("hooks",),
    ("errors",): (),
    ("_device",): (),
    ("_dtype",): ("errors",),
    ("printing", "type_info"): ("_dtype",),
    ("_layout",): (),
    ("_size",): ("errors",),
    ("kernels",): ("formulas", "_dtype"),
    ("backend",): ("formulas", "errors", "_device", "_dtype"),
    ("op",): ("backend", "formulas", "hooks", "graph", "errors", "_device", "_dtype", "_layout"),
    ("ops",): (
        "backend", "formulas", "graph", "errors", "_device", "_dtype", "_layout", "_size", "op",
    ),
    ("storage",): ("ops",),
    ("settings",): ("backend", "graph"),
    ("methods",): ("graph", "op", "ops"),
    ("cpu",): (),
    ("tensor_types",): ("backend", "graph", "_dtype", "_size", "ops"),
    ("_tensor",): (
        "backend", "hooks", "graph", "errors", "_device", "_dtype", "printing", "_layout", "_size",
        "op", "ops", "methods", "tensor_types",
    ),
    ("random",): ("op",),
    ("types",): ("_device", "_dtype", "_layout", "_size", "_tensor", "storage"),
    ("tree",): ("_tensor",),
    ("autograd",): (
        "backend", "hooks", "graph", "errors", "_device", "_dtype", "_size", "op", "ops",
        "_tensor", "tree",
    ),
    ("func",): ("graph", "op", "ops", "_tensor", "tree", "autograd"),
    ("cuda",): (
        "backend", "graph", "errors", "_device", "_dtype", "op", "ops", "_tensor", "tensor_types",
    ),
    ("accelerator",): ("_device", "cuda"),
    ("backends",): ("backend", "cuda"),
    ("_parameter",): ("op", "ops", "_tensor"),
    ("serialization",): (
        "graph", "_device", "_dtype", "_size", "backend", "op", "ops", "storage", "cuda",
        "_parameter",
    ),
    ("functions", "fft", "signal", "special", "linalg", "return_types"): (
        "errors", "op", "_tensor", "random",
    ),
    ("futures",): (),
    ("distributed",): (
        "futures", "graph", "_device", "_dtype", "backend", "op", "_tensor", "cuda", "functions",
    ),
    ("utils",): (
        "distributed", "hooks",
        "graph", "_device", "_dtype", "op", "_tensor", "autograd", "cuda", "random", "functions",
    ),
    ("numpy",): (
        "backend", "graph", "errors", "_device", "_dtype", "op", "ops", "_tensor", "random", "tree",
        "autograd", "func", "utils",
    ),
    ("array_api",): ("_device", "_dtype", "graph", "ops", "numpy", "cuda"),
    ("nn",): (
        "backend", "hooks", "graph", "errors", "_device", "_dtype", "_layout", "op", "ops",
        "_tensor", "_parameter", "type_info", "autograd", "func", "functions", "linalg", "random",
        "utils", "tree", "futures", "distributed", "backends", "cuda",
    ),
    ("optim",): (
        "backend", "formulas", "hooks", "graph", "errors", "_dtype", "op", "ops", "_tensor",
        "type_info", "autograd", "nn",
    ),
    ("amp",): ("graph", "_dtype", "op", "ops", "_tensor", "autograd", "cuda", "optim"),
    ("kernel",): (
        "backend", "formulas", "graph", "_device", "_dtype", "op", "ops", "_tensor", "autograd",
    ),
    ("cupy",): ("backend", "graph", "op", "ops", "autograd", "numpy", "kernel", "special"),
    ("viz",): ("backend", "hooks", "graph", "_device", "_dtype", "op", "_tensor", "autograd"),
    ("scipy",): ("backend", "_dtype", "errors", "graph", "op", "ops", "autograd", "numpy", "cupy"),
    ("compiler",): (
        "backend", "formulas", "graph", "errors", "_device", "_size", "_dtype", "op", "ops",
        "_tensor", "tree", "autograd", "func", "cuda", "nn", "optim",
    ),
}  # fmt: skip

SPEAK_OF_KERNELS = (
    "gpugrad.backend.compiled", "gpugrad.backend.compiler", "gpugrad.backend.convolution",
    "gpugrad.backend.gates", "gpugrad.backend.indexed", "gpugrad.backend.loops",
    "gpugrad.backend.pool", "gpugrad.backend.rows", "gpugrad.backend.scans",
    "gpugrad.backend.updates", "gpugrad.compiler.elements", "gpugrad.compiler.native",
)  # fmt: skip

# Imports inside functions that the rows forbid, each with its reason.
LATE = {
    ("gpugrad.backend", "gpugrad.backend.cuda"): "CuPy is imported when CUDA is asked for",
    ("gpugrad.cuda.devices", "gpugrad.backend.cuda"): "CuPy is imported when CUDA is asked for",
    ("gpugrad.cuda.amp", "gpugrad.amp.older"): "PyTorch has names of amp in both places",
    ("gpugrad._tensor", "gpugrad.autograd.engine"): "Tensor.backward is autograd.backward",
    ("gpugrad._tensor", "gpugrad.numpy.protocol"): "NumPy's functions are those of a namespace",
    ("gpugrad._tensor", "gpugrad.array_api"): "tensors name their namespace",
    ("gpugrad._tensor", "gpugrad.cupy.hook"): "what CuPy asks is answered when it does",
    ("gpugrad._tensor", "gpugrad.viz.html"): "notebooks ask for pictures",
    ("gpugrad.op.numpys", "gpugrad.numpy"): "NumPy's methods are functions of a namespace",
    ("gpugrad.func.stateless", "gpugrad.nn.modules.batchnorm"): "func changes norms of networks",
    ("gpugrad.nn.modules.hooked", "gpugrad.compiler.interface"): "modules compile themselves",
}

# Without these imports, which stand in functions, no two files need each other.
CIRCLES = {
    ("gpugrad._tensor", "gpugrad.autograd.engine"): "Tensor.backward is autograd.backward",
    ("gpugrad._tensor", "gpugrad.numpy.protocol"): "NumPy's functions are those of a namespace",
    ("gpugrad._tensor", "gpugrad.array_api"): "tensors name their namespace",
    ("gpugrad._tensor", "gpugrad.cupy.hook"): "what CuPy asks is answered when it does",
    ("gpugrad._tensor", "gpugrad.viz.html"): "notebooks ask for pictures",
    ("gpugrad.op.numpys", "gpugrad.numpy"): "NumPy's methods are functions of a namespace",
    ("gpugrad.func.stateless", "gpugrad.nn.modules.batchnorm"): "func changes norms of networks",
    ("gpugrad.nn.modules.hooked", "gpugrad.compiler.interface"): "modules compile themselves",
    ("gpugrad.op.saved", "gpugrad.op.history"): "a view's new history is made of operations",
}

# Modules that use the library as its users do.
ABOVE = ("gpugrad", "gpugrad.__main__", "gpugrad.testing", "gpugrad.version")

EVERY_FILE = choice.each("file", FILES)


class Import(NamedTuple):
    """One imported module, and whether a function imports it."""

    module: str
    late: bool


def module_of(file: Path) -> str:
    parts = ("gpugrad", *file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file) for file in FILES}


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@functools.cache
def imports(file: Path) -> list[Import]:
    """Return what a file imports when it runs."""

    def visit(node: ast.AST, late: bool) -> Iterator[Import]:
        if is_type_checking(node):
            for otherwise in node.orelse:
                yield from visit(otherwise, late)
            return
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner in MODULES else str(node.module), late)
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, late or function)

    return list(visit(tree_of(file), False))


def first(module: str) -> str:
    """Return the part of a module's name by which the rows know it."""
    return module.split(".")[1] if "." in module else ""


@EVERY_FILE
def test_modules_import_from_the_rows_that_they_may_use(file: Path) -> None:
    module = module_of(file)
    if module in ABOVE:
        return
    ((row, allowed),) = [(r, a) for r, a in ROWS.items() if first(module) in r]
    if module in SPEAK_OF_KERNELS or is_of_cuda(module):
        allowed = (*allowed, "kernels")
    for found in imports(file):
        if found.module.split(".")[0] != "gpugrad":
            continue
        if found.late and (module, found.module) in LATE:
            continue
        assert first(found.module) in (*row, *allowed), f"{module} imports {found.module}"


def test_the_rows_lead_upwards() -> None:
    seen: set[str] = set()
    for row, allowed in ROWS.items():
        assert set(allowed) <= seen, row
        seen |= set(row)


def test_every_late_import_is_still_needed() -> None:
    found = {(module_of(f), i.module) for f in FILES for i in imports(f) if i.late}
    assert set(LATE) <= found


def test_files_need_each_other_in_the_named_places_only() -> None:
    found = {module_of(f): {i.module for i in imports(f)} & MODULES for f in FILES}
    for module, needed in CIRCLES:
        found[module].remove(needed)
    TopologicalSorter(found).prepare()  # raises CycleError, which names them


@EVERY_FILE
def test_formula_and_graph_know_no_array_library_and_nothing_of_gpugrad(file: Path) -> None:
    part = first(module_of(file))
    if part in ("formulas", "graph", "hooks"):
        for found in imports(file):
            own = found.module in MODULES and first(found.module) in (part, "hooks")
            assert own or found.module.split(".")[0] in sys.stdlib_module_names


def is_of_cuda(module: str) -> bool:
    return module.startswith(("gpugrad.backend.cuda", "gpugrad.kernels."))


@EVERY_FILE
def test_only_the_cuda_backend_and_the_kernels_import_cupy(file: Path) -> None:
    found = {i.module.split(".")[0] for i in imports(file)} & {"cupy", "cupyx", "cupy_backends"}
    module = module_of(file)
    if not is_of_cuda(module):
        assert not found


@EVERY_FILE
def test_nothing_but_numpy_is_imported_with_a_module(file: Path) -> None:
    module = module_of(file)
    known = {*sys.stdlib_module_names, "numpy", "gpugrad"}
    if is_of_cuda(module):
        known.add("cupy")
    assert {i.module.split(".")[0] for i in imports(file) if not i.late} <= known


@EVERY_FILE
def test_only_backends_kernels_and_creation_know_which_library_an_array_is_of(file: Path) -> None:
    # no ladder of isinstance over array libraries: the backend is the only door
    module = module_of(file)
    if module.startswith(("gpugrad.backend", "gpugrad.kernels")) or module in ABOVE:
        return
    names = {n.id for n in ast.walk(tree_of(file)) if isinstance(n, ast.Name)}
    assert "cupy" not in names


# --------------------------------------------------------------------------- in a fresh process


def python(code: str) -> list[str]:
    """Return the lines that a program prints in a new process that has only imported NumPy."""
    start = f"import sys; sys.path.insert(0, {str(ROOT.parent)!r}); import numpy\n"
    done = subprocess.run(
        [sys.executable, "-c", start + code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_importing_gpugrad_imports_neither_cupy_nor_scipy_nor_torch() -> None:
    found = python("import gpugrad; print(*sys.modules, sep='\\n')")
    others = {"cupy", "cupyx", "cupy_backends", "scipy", "torch", "tqdm", "hypothesis", "pytest"}
    assert not others & {name.split(".")[0] for name in found}


@pytest.mark.sources
def test_the_files_without_doctests_are_those_that_need_cupy() -> None:
    modules = [module_of(f) for f in FILES if "kernels" not in f.parts and f.stem != "__main__"]
    found = python(
        "import importlib\n"
        "sys.modules['cupy'] = None\n"
        f"for name in {modules}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError as error:\n"
        "        assert error.name == 'cupy', error\n"
        "        print(name)\n"
    )
    assert found == [m for m in modules if is_of_cuda(m)]
    assert '"gpugrad/backend/cuda"' in (ROOT.parent / "pyproject.toml").read_text()


def test_working_on_the_cpu_imports_neither_cupy_nor_torch() -> None:
    found = python(
        "import gpugrad as torch\n"
        "x = torch.randn(3, requires_grad=True)\n"
        "(x.exp() * torch.tensor([1.0, 2.0, 3.0]) @ x.detach()).sum().backward()\n"
        "torch.optim.SGD([x], lr=0.1).step()\n"
        "repr(x), torch.as_tensor(x.detach().numpy())\n"
        "print(*sys.modules, sep='\\n')"
    )
    assert not {"cupy", "cupy_backends", "torch"} & {name.split(".")[0] for name in found}


def test_importing_gpugrad_takes_a_bounded_number_of_modules() -> None:
    code = "before = set(sys.modules); import gpugrad\nprint(*set(sys.modules) - before, sep='\\n')"
    found = python(code)
    ours = [name for name in found if name.startswith("gpugrad")]
    # 73 with the standard library's when vmap and conventions were there; since then a file was
    # divided, or one added, for each of many parts of operations, forms and generated text
    assert len(ours) <= 208, sorted(ours)
    assert len(found) - len(ours) <= 20, sorted(
        set(found) - set(ours)
    )  # fewer where a .pth has some


def test_importing_gpugrad_does_no_work_that_an_operation_can_do_when_it_is_first_called() -> None:
    compiled, built, classes, later = python(
        "compiled = []\n"
        "def watch(event, values):\n"
        "    if event == 'compile' and values[0] is not None:\n"
        "        compiled.append(str(values[1]))\n"
        "sys.addaudithook(watch)\n"
        "import gpugrad\n"
        "known = ('.py', '<string>')\n"
        "print(*sorted(t for t in compiled if not t.endswith(known)), sep=';')\n"
        "from gpugrad.op import OPS\n"
        "from gpugrad.op.results import RESULTS\n"
        "print(len(OPS), sum(not callable(op.formula._outputs) for op in OPS.values()))\n"
        "print(len(RESULTS), sum(found._made is not None for found in RESULTS.values()))\n"
        "print(*('gpugrad.' + name in sys.modules for name in ('optim', 'signal', 'utils')))\n"
    )
    # two codes that all functions share which are not written yet; "<string>" are named tuples
    assert compiled == "<gpugrad call>;<gpugrad call>"
    count, parsed = map(int, built.split())
    assert count > 190
    assert parsed == 0
    count, made = map(int, classes.split())
    assert count > 30
    assert made == 0
    assert later == "False False False"


def test_importing_gpugrad_changes_nothing_outside() -> None:
    before, after = python(
        "import warnings, threading\n"
        "state = lambda: print(numpy.geterr(), numpy.get_printoptions(), warnings.filters,\n"
        "                      threading.active_count())\n"
        "state(); import gpugrad; state()"
    )
    assert before == after


# --------------------------------------------------------------------------- what is public


def public() -> Iterator[tuple[str, object]]:
    for name, value in ((name, getattr(gpugrad, name)) for name in dir(gpugrad)):
        constant = value is None or isinstance(value, float)
        if not name.startswith("_") and not inspect.ismodule(value) and not constant:
            yield name, value


def test_everything_public_has_a_docstring() -> None:
    for name, value in public():
        doc = inspect.getdoc(type(value) if isinstance(value, gpugrad.dtype) else value)
        assert doc, name
        assert len(doc.splitlines()[0]) <= 100, name
        assert doc.splitlines()[0].endswith((".", ":", ";")) or "." in doc, name


def test_every_method_and_property_of_a_tensor_has_a_docstring() -> None:
    for name in dir(gpugrad.Tensor):
        if not name.startswith("_"):
            assert inspect.getdoc(getattr(gpugrad.Tensor, name)), name


def test_a_module_has_no_name_of_a_public_object() -> None:
    modules = {m.split(".")[1] for m in MODULES if m.count(".") == 1}
    objects = {name for name, _ in public()}
    assert not modules & objects


@EVERY_FILE
def test_every_module_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(tree_of(file))
