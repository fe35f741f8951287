"""Programs with fewer steps, and what runs them: both give what the steps give one by one."""

from __future__ import annotations

import threading
import tracemalloc
from typing import Any, cast

import numpy as np
import pytest

import gpugrad
from gpugrad import backend, testing
from gpugrad._device import CPU
from gpugrad.backend import compiler
from gpugrad.compiler import execution, memory
from gpugrad.compiler.access import common
from gpugrad.compiler.execution import prepared
from gpugrad.compiler.fusion import fused
from gpugrad.compiler.loop import Loop
from gpugrad.compiler.program import Program, Step, Value, placed
from gpugrad.formulas import Formula, call, variable

FLOAT32, FLOAT64, BOOL = np.dtype(np.float32), np.dtype(np.float64), np.dtype(bool)


class Tape:
    """Computes step by step, and writes down the program."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.steps: list[Step] = []
        self.arrays: dict[Value, Any] = {}
        self.given: list[Any] = []

    def input(self, array: Any) -> Value:
        value = Value(array.shape, array.dtype, array.strides, CPU)
        self.inputs.append(value)
        self.given.append(array.copy("K"))
        self.arrays[value] = array
        return value

    def view(self, value: Value, change: Any) -> Value:
        array = self.arrays[value]
        return self.within(value.root, change(array))

    def within(self, root: Value, array: Any) -> Value:
        low = self.arrays[root].__array_interface__["data"][0]
        offset = array.__array_interface__["data"][0] - low
        found = Value(array.shape, array.dtype, array.strides, CPU, root, offset)
        self.arrays[found] = array
        return found

    def call(self, name: str, *args: Any, writes: Any = (), **kwargs: Any) -> Any:
        given = placed(args, self.arrays), placed(kwargs, self.arrays)
        found = getattr(backend.cpu_backend, name)(*given[0], **given[1])
        results = found if isinstance(found, tuple | list) else [found]
        outputs = []
        for result in results:
            if result is None or writes:
                continue
            array = np.asarray(result)
            value = Value(array.shape, array.dtype, array.strides, CPU)
            self.arrays[value] = array
            outputs.append(value)
        self.steps.append(Step(name, args, kwargs, outputs, writes))
        return outputs[0] if len(outputs) == 1 else outputs

    def compute(self, name: str, *operands: Any, **more: Any) -> Any:
        names = [variable(f"x{k}") for k in range(len(operands))]
        value = names[0] * names[0] if name == "square" else call(name, *names)
        return self.evaluate(Formula(name, names, [value]), *operands, **more)

    def evaluate(self, formula: Formula, *operands: Any, **more: Any) -> Any:
        kinds = [o.dtype for o in operands if isinstance(o, Value) and o.dtype != BOOL]
        compute = more.pop("compute", kinds[0] if kinds else FLOAT32)
        results = [BOOL if e.kind == "bool" else compute for e in formula.outputs]
        return self.call("evaluate", formula, list(operands), compute, results, **more)

    def program(self, *outputs: Value) -> Program:
        return Program(self.inputs, [], self.steps, outputs)


def agree(program: Program, given: list[Any], ulps: float = 16) -> Program:
    """Check that a program, the fused one and the prepared one give the same; return the second."""
    expected, wanted = _run(program.run, given)
    faster = fused(program)
    run = prepared(faster)
    for function in (faster.run, run, run):
        found, written = _run(function, given)
        for a, b in zip([*expected, *wanted], [*found, *written], strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            if a.dtype.kind == "f":
                eps = ulps * np.finfo(a.dtype).eps
                scale = float(np.max(np.abs(a[np.isfinite(a)]), initial=1))
                np.testing.assert_allclose(b, a, rtol=eps, atol=eps * scale)
            else:
                np.testing.assert_array_equal(b, a)
    return faster


def _run(function: Any, given: list[Any]) -> tuple[list[Any], list[Any]]:
    arrays = [a.copy("K") for a in given]
    return [np.array(a) for a in function(arrays)], arrays


def loops(program: Program) -> list[Loop]:
    return [step for step in program.steps if isinstance(step, Loop)]


def random_array(seed: int, *shape: int, dtype: Any = FLOAT32) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64])
def test_a_chain_its_sum_and_its_gradient_are_one_loop(dtype: Any) -> None:
    tape = Tape()
    x, y = (tape.input(random_array(k, 100, dtype=dtype)) for k in (0, 1))
    product = tape.compute("mul", x, y)
    out = tape.compute("exp", tape.compute("tanh", product))
    total = tape.call("sum", out, (0,), False, dtype)
    one = tape.call("full", (), 1, dtype, CPU)
    g = tape.view(one, lambda a: np.broadcast_to(a, (100,)))
    gradient = tape.compute("mul", tape.compute("mul", g, out), y)

    found = agree(tape.program(total, gradient), tape.given)

    assert [type(s) for s in found.steps] == [Loop]
    assert len(found.steps[0].inputs) == 2  # type: ignore[attr-defined]


def test_a_value_that_is_read_transposed_and_flat_is_not_written() -> None:
    tape = Tape()
    x, y, z = (tape.input(random_array(0, *s)) for s in ((4, 6), (6, 4), (24,)))
    e = tape.compute("exp", x)
    turned = tape.compute("mul", tape.view(e, lambda a: a.T), y)
    flat = tape.compute("add", tape.view(e, lambda a: a.reshape(24)), z)

    found = agree(tape.program(turned, flat), tape.given)

    assert len(loops(found)) == 1
    assert len(loops(found)[0].stores) == 2


def test_a_broadcast_gradient_is_never_there() -> None:
    tape = Tape()
    x = tape.input(random_array(0, 5, 7))
    mean = tape.call("mean", tape.compute("square", x), (0, 1), False, FLOAT32)
    one = tape.call("full", (), 1, FLOAT32, CPU)
    g = tape.compute("div", one, np.float32(35))
    wide = tape.view(g, lambda a: np.broadcast_to(a, (5, 7)))
    gradient = tape.compute("mul", tape.compute("mul", wide, np.float32(2)), x)

    found = agree(tape.program(mean, gradient), tape.given)

    assert len(loops(found)) == 2  # the elements, and the mean of their sum


def test_sums_over_axes() -> None:
    """Short and long ones, of which some have parts; along rows, columns, and all."""
    shapes = [(3, 5), (300, 7), (7, 300), (2, 20_000), (20_000, 2), (40, 30, 20)]
    tape, outputs, count = Tape(), [], 0
    for k, shape in enumerate(shapes):
        for x in (tape.input(random_array(k, *shape)), tape.input(random_array(k, *shape[::-1]))):
            turned = tape.view(x, lambda a: a.T)
            for axes in ((0,), (1,), (0, 1)):
                square = tape.compute("square", turned)
                outputs.append(tape.call("sum", square, axes, True, FLOAT32))
                outputs.append(tape.call("max", turned, axes, False))
                outputs.append(tape.call("min", square, axes, False))
                count += 1

    found = agree(tape.program(*outputs), tape.given, 64)

    assert len(loops(found)) == count


def test_a_full_gradient_and_a_summed_one_are_one_loop() -> None:
    tape = Tape()
    g, x = (tape.input(random_array(k, 50, 40)) for k in (0, 1))
    b = tape.input(random_array(2, 40))
    names = [variable(n) for n in ("g", "x", "b")]
    formula = Formula("two", names, [names[0] * names[2], names[0] * names[1]])
    full, summed = tape.evaluate(formula, g, x, b, sum_to=(40,), summed=1)

    found = agree(tape.program(full, summed), tape.given, 64)

    assert len(loops(found)) == 1


def test_softmax_and_its_gradient() -> None:
    for log in (False, True):
        tape = Tape()
        x, g = (tape.input(random_array(k, 6, 70)) for k in (0, 1))
        out = tape.call("softmax", x, 1, log, FLOAT32)
        gradient = tape.call("softmax_gradient", g, out, 1, log)

        agree(tape.program(out, gradient), tape.given, 64)


def test_no_read_moves_across_a_write() -> None:
    tape = Tape()
    x = tape.input(random_array(0, 4, 6))
    before = tape.compute("exp", x)
    row = tape.view(x, lambda a: a[1])
    tape.call("assign", row, np.float32(3), writes=[row])
    after = tape.compute("exp", x)
    tape.call("add_into", x, before, writes=[x])
    last = tape.compute("neg", x)
    shifted = tape.view(x, lambda a: a[:, 1:])
    tape.call("assign", shifted, tape.view(x, lambda a: a[:, :-1]), writes=[shifted])

    agree(tape.program(before, after, last), tape.given)


def test_what_is_written_in_place_is_the_output_of_a_loop() -> None:
    tape = Tape()
    p, g = (tape.input(random_array(k, 8, 9)) for k in (0, 1))
    step = tape.compute("mul", g, np.float32(0.1))
    new = tape.compute("sub", p, step)
    tape.call("assign", p, new, writes=[p])

    found = agree(tape.program(), tape.given)

    assert len(found.steps) == 1
    assert not found.steps[0].outputs


def test_what_is_increased_in_place_is_increased_once() -> None:
    tape = Tape()
    x, b, w = (tape.input(random_array(k, *s)) for k, s in enumerate([(4, 4), (4,), (4, 4)]))
    out = tape.call("matmul", x, w)
    tape.call("add_into", out, b, writes=[out])
    active = tape.compute("maximum", out, np.float32(0))

    agree(tape.program(tape.call("sum", active, (0,), False, FLOAT32), active), tape.given, 64)


def test_dead_steps_are_gone() -> None:
    tape = Tape()
    x = tape.input(random_array(0, 3, 3))
    tape.call("matmul", x, x)
    tape.compute("exp", x)

    assert not agree(tape.program(x), tape.given).steps


def test_products_of_matrices_stand_between_loops() -> None:
    tape = Tape()
    x, w, v = (tape.input(random_array(k, 20, 20)) for k in (0, 1, 2))
    b = tape.input(random_array(3, 20))
    hidden = tape.compute(
        "maximum", tape.compute("add", tape.call("matmul", x, w), b), np.float32(0)
    )
    out = tape.call(
        "sum", tape.compute("square", tape.call("matmul", hidden, v)), (0, 1), False, FLOAT32
    )

    found = agree(tape.program(out), tape.given, 256)

    assert [s.name for s in found.steps] == ["matmul", "loop", "matmul", "loop"]


def test_zeros_that_are_partly_written() -> None:
    tape = Tape()
    x = tape.input(random_array(0, 4))
    padded = tape.call("full", (6,), 0, FLOAT32, CPU)
    inside = tape.view(padded, lambda a: a[1:5])
    tape.call("assign", inside, tape.compute("exp", x), writes=[inside])
    room = tape.call("empty", (2, 4), FLOAT32, CPU)
    for k in (0, 1):
        row = tape.view(room, lambda a, k=k: a[k])
        tape.call("assign", row, x, writes=[row])

    agree(tape.program(tape.compute("neg", padded), tape.compute("neg", room)), tape.given)


def test_types() -> None:
    tape = Tape()
    x = tape.input(random_array(0, 30))
    n = tape.input(np.arange(30))
    half = tape.input(random_array(1, 30, dtype=np.float16))
    z = tape.input(random_array(2, 30).astype(np.complex64))
    positive = tape.compute("gt", x, np.float32(0))
    chosen = tape.call("astype", positive, FLOAT32)
    wide = tape.compute("exp", tape.call("astype", x, FLOAT64))
    number = tape.compute("mul", tape.call("astype", n, FLOAT32), x)
    halves = tape.compute("exp", half)
    outputs = [chosen, wide, number, halves, tape.compute("neg", n), tape.call("copy", z)]

    agree(tape.program(*outputs, positive, tape.call("astype", wide, FLOAT32)), tape.given)


def test_nan_infinities_and_signed_zeros_stay() -> None:
    tape = Tape()
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0], np.float32)
    x = tape.input(np.tile(values, 20))
    zero = tape.compute("mul", x, np.float32(0))
    more = tape.compute("add", zero, np.float32(0))
    less = tape.compute("sub", x, x)
    most = tape.compute("maximum", x, np.float32(0))
    program = tape.program(zero, more, less, most)
    found = prepared(fused(program))(tape.given)

    for a, b in zip(program.run(tape.given), found, strict=True):
        np.testing.assert_array_equal(b, a)
        np.testing.assert_array_equal(np.signbit(b), np.signbit(a))


def test_random_programs() -> None:
    for seed in range(25):
        random = np.random.default_rng(seed)
        tape = Tape()
        shapes = [(6, 5), (5,), (6, 1), ()]
        values = [tape.input(random_array(k, *s)) for k, s in enumerate(shapes)]
        for _ in range(12):
            a = values[random.integers(len(values))]
            b = values[random.integers(len(values))]
            match random.integers(7):
                case 0 | 1 if _match(a, b):
                    name = ("add", "mul", "sub", "maximum")[random.integers(4)]
                    values.append(tape.compute(name, a, b))
                case 2:
                    values.append(tape.compute(("sin", "tanh", "neg")[random.integers(3)], a))
                case 3 if len(a.shape) == 2:
                    axes = ((0,), (1,), (0, 1))[random.integers(3)]
                    values.append(tape.call("sum", a, axes, True, FLOAT32))
                case 4 if len(a.shape) == 2:
                    values.append(tape.view(a, lambda x: x.T))
                case 5 if a is not b and a.shape == b.shape and a.root is not b.root:
                    tape.call("add_into", a, tape.compute("sin", b), writes=[a])
                case 6 if len(a.shape) == 2 and a.shape[0] > 2:
                    part = tape.view(a, lambda x: x[1:3])
                    tape.call("assign", part, np.float32(0.5), writes=[part])
        outputs = [values[k] for k in random.permutation(len(values))[:3]]
        agree(tape.program(*outputs), tape.given, 4096)


def _match(a: Value, b: Value) -> bool:
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return True


def test_gradients_that_lay_with_gaps() -> None:
    def f(x: Any, y: Any) -> Any:
        return gpugrad.complex(x, y)

    for _ in range(2):
        x, y = (cast("Any", gpugrad.randn(3, 4, requires_grad=True)) for _ in range(2))
        found = gpugrad.compile(f)
        for _ in range(2):
            (found(x, y) * (2 + 3j)).real.sum().backward()
        assert [set(t.grad.flatten().tolist()) for t in (x, y)] == [{4.0}, {-6.0}]


def test_memory_without_elements() -> None:
    def f(x: Any) -> Any:
        y = gpugrad.complex(x[:0], x[:0]) * 2
        return y.real.roll(1, 0), gpugrad.empty(0), gpugrad.linalg.qr(x, mode="r")[0]

    compiled = gpugrad.compile(f, fullgraph=True)
    for _ in range(2):
        assert [t.shape for t in compiled(gpugrad.randn(3, 3))] == [(0, 3), (0,), (0,)]


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpugrad.backend import loops as frames

    monkeypatch.setattr(frames, "frames", lambda: "none")
    test_gradients_that_lay_with_gaps()
    test_memory_without_elements()
    test_a_full_gradient_and_a_summed_one_are_one_loop()
    test_zeros_that_are_partly_written()
    test_no_read_moves_across_a_write()
    test_products_of_matrices_stand_between_loops()


def test_what_the_compiler_refuses_is_computed_by_the_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusing(*args: Any) -> Any:
        raise compiler.BuildError("no")

    monkeypatch.setattr(execution, "built", refusing)
    test_a_full_gradient_and_a_summed_one_are_one_loop()


@pytest.mark.compiler
def test_special_functions_are_part_of_loops() -> None:
    tape = Tape()
    x = tape.input(np.linspace(0.5, 3, 20))
    found = tape.compute("zeta_of", tape.compute("add", x, np.float64(1)), tape.compute("exp", x))

    found = agree(tape.program(found), tape.given, 64)

    assert len(loops(found)) == 1


def test_two_threads_run_one_program() -> None:
    tape = Tape()
    x, w = (tape.input(random_array(k, 60, 60)) for k in (0, 1))
    out = tape.compute("exp", tape.call("matmul", tape.compute("sin", x), w))
    total = tape.call("sum", tape.call("matmul", out, w), (0,), False, FLOAT32)
    run = prepared(fused(tape.program(total)))
    (expected,) = run(tape.given)
    wrong = []

    def work() -> None:
        for _ in range(200):
            (found,) = run(tape.given)
            if not np.array_equal(found, expected):
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


def test_results_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpugrad.backend import loops as frames

    tape = Tape()
    x = tape.input(random_array(0, 1 << 19))
    total = tape.call("sum", tape.compute("sin", x), (0,), False, FLOAT32)
    run = prepared(fused(tape.program(total)))
    found = []
    for count in (1, 3):
        monkeypatch.setattr(frames, "_threads", count)
        found.append(run(tape.given)[0])

    assert found[0] == found[1]


def test_a_program_tells_what_was_fused() -> None:
    tape = Tape()
    x = tape.input(random_array(0, 4, 1000))
    e = tape.compute("exp", tape.compute("neg", tape.view(x, lambda a: a.T)))
    total = tape.call("sum", e, (0,), False, FLOAT32)
    program = str(fused(tape.program(total)))

    assert "v0: float32[4, 1000]" in program
    assert "v1: float32[4] = sum along 0 of exp((-v0_))" in program
    assert "v0_ = v0 by strides of (4, 4000) bytes" in program
    assert "1 step, which read 16 kB and write 16 bytes" in program


def test_a_program_without_inputs_is_printed() -> None:
    tape = Tape()
    five = tape.call("full", (3,), 5, FLOAT32, CPU)

    assert "v0: float32[3] = 5.0" in str(agree(tape.program(five), []))


@pytest.mark.compiler
def test_the_chain_needs_no_memory_but_that_of_its_results() -> None:
    tape = Tape()
    count = 100_000
    x, y = (tape.input(random_array(k, count)) for k in (0, 1))
    product = tape.compute("mul", x, y)
    out = tape.compute("exp", tape.compute("tanh", product))
    total = tape.call("sum", out, (0,), False, FLOAT32)
    gradient = tape.compute("mul", out, y)
    run = prepared(fused(tape.program(total, gradient)))
    run(tape.given)
    tracemalloc.start()
    found = run(tape.given)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(found) == 2
    assert peak < 4 * count + 10_000


def test_results_of_calls_that_lie_otherwise_are_laid_out() -> None:
    tape = Tape()
    x = tape.input(random_array(0, 4, 6))
    value = Value((4, 6), FLOAT32, (24, 4), CPU)
    tape.steps.append(Step("host", (x,), {}, [value], (), np.asfortranarray))
    tape.arrays[value] = tape.arrays[x].copy()
    negative = tape.compute("neg", value)
    (found,) = prepared(fused(tape.program(negative)))(tape.given)

    np.testing.assert_array_equal(found, -tape.given[0])


def test_memory_is_shared_by_what_does_not_live_at_one_time() -> None:
    offsets, total = memory.placed([(100, (0, 1)), (100, (2, 3)), (60, (1, 2))])

    assert offsets[0] == offsets[1] != offsets[2]
    assert total == 192


def test_dimensions_that_two_domains_have_in_common() -> None:
    found = common(((4, 6), (24, 4)), ((24,), (4,)))

    assert found is not None
    assert [d.size for d in found] == [4, 6]
    assert common(((4, 6), (24, 4)), ((24,), (8,))) is None


@pytest.mark.cuda
def test_programs_on_a_gpu() -> None:
    def f(x: Any, w: Any, b: Any) -> Any:
        x, w, b = (t.detach().requires_grad_() for t in (x, w, b))
        hidden = (x @ w + b).relu()
        loss = (hidden.softmax(1) * hidden.exp().log1p()).sum(0).mean() + (x.t() * 2).square().sum()
        return loss.detach(), *gpugrad.autograd.grad(loss, [x, w, b])

    compiled = gpugrad.compile(f)
    given = [
        gpugrad.tensor(random_array(k, *s), device="cuda")
        for k, s in enumerate([(5, 4), (4, 6), (6,)])
    ]
    expected = f(*given)
    for _ in range(2):
        for a, b in zip(compiled(*given), expected, strict=True):
            assert a.device.type == "cuda"
            testing.assert_agree(a, b, 1e-5, 1e-5)
    assert compiled.reasons == []
    assert loops(compiled.program)
