"""``gradcheck``: derivatives against differences, with PyTorch's arguments and words.

A Jacobian has a row for each element of an input and a column for each element of an output.
All are compared on the CPU, wherever the function ran.

>>> import gpugrad
>>> x = gpugrad.tensor([1.0, 2.0], dtype=gpugrad.float64, requires_grad=True)
>>> gradcheck(gpugrad.exp, x)
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gpugrad import _dtype, backend
from gpugrad._tensor import Tensor
from gpugrad.autograd import engine, forward_ad, function
from gpugrad.autograd.basis import at_once, basis
from gpugrad.graph import warn
from gpugrad.op.saved import own_array, wrap
from gpugrad.ops.creation import tensor
from gpugrad.ops.filled import zeros_like
from gpugrad.ops.joining import stack

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[..., Any]
Tensors = tuple[Any, ...]


class GradcheckError(RuntimeError):
    """A derivative that is not what differences say."""


def central_difference(
    at: Callable[[float], Sequence[Any]], step: float, fourth_order: bool = False
) -> list[Any]:
    """Return how each result of ``at`` changes at 0, from two points or, to fourth order, four."""
    ahead, behind = at(step), at(-step)
    if not fourth_order:
        return [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
    further, back = at(2 * step), at(-2 * step)
    return [
        (8 * (a - b) - (c - d)) / (12 * step)
        for a, b, c, d in zip(ahead, behind, further, back, strict=True)
    ]


# PyTorch's words, with the part that is about its own tests left out.
_NOT_DETERMINISTIC = (
    "\n\nNOTE: If your op relies on non-deterministic operations i.e., it is listed here:\n"
    "https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html\n"
    "this failure might be expected.\n"
)
_NOT_BATCHED = (
    "gradcheck or gradgradcheck failed while testing batched gradient computation.\n\n"
    "To compute batched grads (e.g., jacobians, hessians), we vmap over the backward\n"
    "computation. The most common failure case is if there is a 'vmap-incompatible\n"
    "operation' in the backward pass. To leave this check out, call\n"
    "gradcheck/gradgradcheck with `check_batched_grad=False` as a keyword argument."
)
_NOT_BATCHED_FORWARD = (
    "gradcheck failed while testing batched gradient computation with forward-mode AD.\n\n"
    "To leave this check out, call gradcheck with `check_batched_forward_grad=False`\n"
    "as a keyword argument."
)

# --------------------------------------------------------------------------- what is checked


@dataclass(frozen=True, eq=False)
class _Check:
    """A function at a point, how it is to be checked, and the words for it."""

    func: Function
    inputs: Tensors
    eps: float
    rtol: float
    atol: float
    nondet_tol: float
    dtypes: bool
    forward: bool = False
    complex_indices: tuple[int, ...] = ()
    imaginary: bool = False

    @property
    def wanted(self) -> list[int]:
        """The places of the inputs to differentiate by."""
        return [k for k, x in enumerate(self.inputs) if _differentiable(x)]

    def __call__(self, *inputs: Any) -> Tensors:
        return _tuple(self.func(*inputs))

    def along(self, place: int, direction: Any) -> Callable[[float], list[Array]]:
        """Return the outputs as a function of how far an input has moved.

        The input itself is moved, and then back: the function may know it from elsewhere, as a
        parameter.  No version changes, so that what was saved before can be used after.
        """

        def at(step: float) -> list[Array]:
            x = self.inputs[place]
            door, before = backend.of(x._array), x.detach().clone()
            moved = (before + direction * step).to(x._kind)
            try:
                door.assign(own_array(x), moved._array)
                found = [np.array(_array(t)) for t in self(*self.inputs)]
            finally:
                door.assign(own_array(x), before._array)
            if step:
                self._check_alike(found)
            return found

        return at

    def _check_alike(self, outputs: Sequence[Array]) -> None:
        for now, before in zip(outputs, [_array(t) for t in self(*self.inputs)], strict=True):
            for what in ("shape", "dtype"):
                if getattr(now, what) != getattr(before, what):
                    raise AssertionError(
                        f"Expected `func` to return outputs with the same {what} when inputs are "
                        f"perturbed by {self.eps}, but got: {what}s {getattr(before, what)} and "
                        f"{getattr(now, what)}."
                    )

    def numerical(self, place: int, direction: Any, imaginary: Any) -> list[Array]:
        """Return the change of each output along a direction; of a complex input along two."""
        changes = central_difference(self.along(place, direction), self.eps)
        if self.inputs[place].is_complex():
            other = central_difference(self.along(place, imaginary * 1j), self.eps)
            changes = [c + 1j * d for c, d in zip(changes, other, strict=True)]
        return [np.asarray(c).reshape(-1) for c in changes]


def _tuple(value: Any) -> Tensors:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _differentiable(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _outputs(result: Any) -> Tensors:
    return tuple(t for t in _tuple(result) if t.requires_grad)


def _moves(t: Any) -> bool:
    return bool(t.is_floating_point() or t.is_complex())


def _array(t: Any) -> Array:
    array = np.array(t.numpy(force=True))
    return array.astype(np.int8) if array.dtype == bool else array  # bools have no differences


def _close(a: Array, b: Array, rtol: float, atol: float) -> bool:
    with np.errstate(all="ignore"):
        near = np.abs(a - b) <= atol + rtol * np.abs(b)
    return bool(np.all(near | (a == b)))


def _numerical_jacobian(check: _Check, place: int) -> list[Array]:
    """Return the Jacobian of each output by one input, by differences."""
    x = check.inputs[place]
    rows = [check.numerical(place, e, e) for e in basis(x)]
    found = []
    for k, output in enumerate(check(*check.inputs)):
        kind = x._kind.numpy if x.is_complex() else output._kind.numpy
        jacobian = np.zeros((x.numel(), output.numel()), kind)
        for j, row in enumerate(rows):
            jacobian[j] = row[k]
        found.append(jacobian)
    return found


# --------------------------------------------------------------------------- by the library


def _rows(output: Any, wanted: Sequence[Any], weights: Sequence[Any]) -> list[Array]:
    """Return, for each wanted input, the gradients for each of the weights as columns."""
    columns: list[list[Array]] = [[] for _ in wanted]
    for weight in weights:
        grads = engine.grad(output, wanted, weight, retain_graph=True, allow_unused=True)
        for column, x, g in zip(columns, wanted, grads, strict=True):
            if g is None:
                column.append(np.zeros(x.numel(), x._kind.numpy))
            else:
                column.append(_array(g).reshape(-1))
    return [
        np.stack(column, 1) if column else np.zeros((x.numel(), 0), x._kind.numpy)
        for column, x in zip(columns, wanted, strict=True)
    ]


def _analytical_rows(check: _Check, output: Any, weights: Sequence[Any]) -> list[Array]:
    """Return the gradients of an output, which must be the same when computed again.

    Raises:
        GradcheckError: They are not.
    """
    wanted = [check.inputs[k] for k in check.wanted]
    first, second = (_rows(output, wanted, weights) for _ in range(2))
    for x, a, b in zip(wanted, first, second, strict=True):
        if check.dtypes and a.dtype != x._kind.numpy:
            raise GradcheckError("Gradient has dtype mismatch")
        if a.size and not np.all(np.abs(a - b) <= check.nondet_tol):
            if np.array_equal(a, b, equal_nan=True):
                continue
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                f"numerical gradient.The tolerance for nondeterminism was {check.nondet_tol}."
                + _NOT_DETERMINISTIC
            )
    return first


def _forward(check: _Check, place: int, direction: Any | None) -> list[Array | None]:
    """Return the tangents of the outputs when one input moves; with ``None`` none does."""
    with forward_ad.dual_level():
        duals = [x.detach() if isinstance(x, Tensor) else x for x in check.inputs]
        for k in check.wanted:
            still = zeros_like(check.inputs[k])
            if k != place:
                duals[k] = forward_ad.make_dual(duals[k], still)
            elif direction is not None:
                duals[k] = forward_ad.make_dual(duals[k], direction)
        found: list[Array | None] = []
        for output in check(*duals):
            if not _moves(output):
                continue
            value, tangent = forward_ad.unpack_dual(output)
            if check.dtypes and tangent is not None and value.is_complex() != tangent.is_complex():
                raise GradcheckError("Forward AD gradient has dtype mismatch.")
            found.append(None if tangent is None else _array(tangent).reshape(-1))
        return found


def _forward_jacobian(check: _Check, place: int) -> list[Array]:
    x = check.inputs[place]
    outputs = [t for t in check(*check.inputs) if _moves(t)]
    found = [np.zeros((x.numel(), t.numel()), t._kind.numpy) for t in outputs]
    for row, direction in enumerate(basis(x)):
        for jacobian, tangent in zip(found, _forward(check, place, direction), strict=True):
            if tangent is not None:
                jacobian[row] = tangent
    return found


# --------------------------------------------------------------------------- element by element


def _slow(check: _Check) -> None:
    """Compare whole Jacobians.

    Raises:
        GradcheckError: They differ.
    """
    result = check(*check.inputs)
    outputs = _outputs(result)
    numerical = [_numerical_jacobian(check, place) for place in check.wanted]
    if not outputs:
        _check_constant([jacobian for found in numerical for jacobian in found], 0.0)
        return
    recorded = [k for k, t in enumerate(result) if t.requires_grad]
    if check.forward:
        moving = [k for k, t in enumerate(result) if _moves(t)]
        by_input = [_forward_jacobian(check, place) for place in check.wanted]
        found = [[row[moving.index(k)] for row in by_input] for k in recorded]
    for i, (k, output) in enumerate(zip(recorded, outputs, strict=True)):
        rows = found[i] if check.forward else _analytical_rows(check, output, [*basis(output)])
        for j, analytical in enumerate(rows):
            if not _close(analytical, numerical[j][k], check.rtol, check.atol):
                raise _mismatch(check, analytical, numerical[j][k], i, j, k)


def _check_constant(changes: Sequence[Array], tolerance: float) -> None:
    if any(np.any(np.abs(c) > tolerance) for c in changes):
        raise GradcheckError("Numerical gradient for function expected to be zero")


def _text(value: Any) -> str:
    return repr(wrap(np.asarray(value)))


def _mismatch(
    check: _Check, analytical: Any, numerical: Any, i: int, j: int, output: int, more: str = ""
) -> GradcheckError:
    """Return the error for output ``i`` and input ``j``; ``output`` is its place among all."""
    part = "imaginary" if check.imaginary else "real"
    element = "inputs" if check.forward else "outputs"
    prefix = ""
    if (j if check.forward else i) in check.complex_indices:
        prefix = f"While considering the {part} part of complex {element} only, "
    how = "computed with forward mode " if check.forward else ""
    error = GradcheckError(
        f"{prefix}Jacobian {how}mismatch for output {i} with respect to input {j},\n"
        f"numerical:{_text(numerical)}\nanalytical:{_text(analytical)}\n{more}"
    )
    kink = _kink(check, check.wanted[j], output)
    if kink:
        error.add_note(kink)
    return error


def _kink(check: _Check, place: int, output: int) -> str:
    """Return a sentence about a point at which the function has no derivative; "" if it has."""
    x = check.inputs[place]
    for index, direction in zip(np.ndindex(*x.shape), basis(x), strict=True):
        at = check.along(place, direction)
        here, ahead, behind = (at(s)[output] for s in (0.0, check.eps, -check.eps))
        with np.errstate(all="ignore"):
            right, left = (ahead - here) / check.eps, (here - behind) / check.eps
            apart = np.abs(right - left) > 1e-2 * (1 + np.minimum(np.abs(right), np.abs(left)))
        broken = apart | ~np.isfinite(right) | ~np.isfinite(left)
        if np.any(broken):
            where = f"[{', '.join(map(str, index))}]" if index else ""
            first = tuple(np.argwhere(broken)[0])
            return (
                f"The function does not seem to be differentiable here: where input {place}{where} "
                f"is {x.detach()[index].item()!r}, its slope is {left[first]:.6g} from below and "
                f"{right[first]:.6g} from above. Check it away from such points."
            )
    return ""


# --------------------------------------------------------------------------- in one direction


def _vectors(generator: np.random.Generator, t: Any, real: bool) -> Array:
    """Return a random vector of length 1 for the elements of a tensor."""
    found = generator.random(t.numel())
    norm = float(np.linalg.norm(found))
    kind = t._kind.numpy
    if real and kind.kind == "c":
        kind = np.dtype(f"f{kind.itemsize // 2}")
    return (found / norm if norm else found).astype(kind)


def _like(array: Array, t: Any) -> Any:
    return tensor(array.reshape(t.shape), device=t.device)


def _fast(check: _Check) -> None:
    """Compare the Jacobians in random directions.

    Raises:
        GradcheckError: They differ.
    """
    generator = np.random.default_rng(0)
    result = check(*check.inputs)
    outputs = _outputs(result)
    recorded = [k for k, t in enumerate(result) if t.requires_grad]
    us = []  # for each input: along the real numbers, and along the imaginary ones
    for k in check.wanted:
        x = check.inputs[k]
        us.append((_vectors(generator, x, True), _vectors(generator, x, True)))
    vs = [_vectors(generator, t, False) for t in outputs]
    numerical = [
        check.numerical(k, *(_like(part, check.inputs[k]) for part in u))
        for k, u in zip(check.wanted, us, strict=True)
    ]
    if not outputs:
        _check_constant([c for found in numerical for c in found], check.nondet_tol)
    for j, (place, u) in enumerate(zip(check.wanted, us, strict=True)):
        moving = [k for k, t in enumerate(result) if _moves(t)]
        tangents = _forward(check, place, _like(u[0], check.inputs[place])) if check.forward else []
        for i, (k, output) in enumerate(zip(recorded, outputs, strict=True)):
            complex_ = check.inputs[place].is_complex()
            scale = float(u[0].sum()) + (float(u[1].sum()) if complex_ else 0.0)
            if check.forward:
                tangent = tangents[moving.index(k)]
                a = np.zeros(output.numel()) if tangent is None else tangent
                n, atol = numerical[j][k], check.atol * scale
            else:
                column = _analytical_rows(check, output, [_like(vs[i], output)])[j][:, 0]
                a = np.asarray(
                    column.real @ u[0] + 1j * (column.imag @ u[1]) if complex_ else column @ u[0]
                )
                n = np.asarray((vs[i] * numerical[j][k]).sum())
                atol = check.atol * scale * abs(vs[i].sum())
            if not _close(a, n, check.rtol, atol):
                raise _mismatch(check, a, n, i, j, k, _slow_text(check, place, i, j, k))


def _slow_text(check: _Check, place: int, i: int, j: int, output: int) -> str:
    """Return what a whole comparison says where one in a random direction has failed."""
    numerical = _numerical_jacobian(check, place)[output]
    result = check(*check.inputs)
    if check.forward:
        moving = [k for k, t in enumerate(result) if _moves(t)]
        analytical = _forward_jacobian(check, place)[moving.index(output)]
    else:
        t = _outputs(result)[i]
        analytical = _analytical_rows(replace(check, nondet_tol=float("inf")), t, [*basis(t)])[j]
    worst = np.abs(numerical - analytical).max()
    text = (
        "\nThe above quantities relating the numerical and analytical jacobians are computed \nin "
        "fast mode. See: https://github.com/pytorch/pytorch/issues/53876 for more background \n"
        "about fast mode. Below, we recompute numerical and analytical jacobians in slow mode:\n\n"
        f"Numerical:\n {_text(numerical)}\nAnalytical:\n{_text(analytical)}\n\n"
        f"The max per-element difference (slow mode) is: {worst}.\n"
    )
    if _close(analytical, numerical, check.rtol, check.atol):
        text += (
            "Fast gradcheck failed but element-wise differences are small. This means that the\n"
            "test might've passed in slow_mode!\n"
        )
    return text


# --------------------------------------------------------------------------- further checks


def _check_linear(check: _Check) -> None:
    """Raise unless the gradients of zero are zero, of the inputs' shapes and types."""
    wanted = [check.inputs[k] for k in check.wanted]
    outputs = _outputs(check(*check.inputs))
    if not outputs:
        return
    weights = [zeros_like(t) for t in outputs]
    grads = engine.grad(outputs, wanted, weights, allow_unused=True)
    for g, x in zip(grads, wanted, strict=True):
        if g is None:
            continue
        if not (g == 0).all():
            raise GradcheckError("backward not multiplied by grad_output")
        for what, name in (("dtype", "type"), ("device", "device"), ("shape", "size")):
            if getattr(g, what) != getattr(x, what):
                raise GradcheckError(f"grad is incorrect {name}")


_UNDEFINED = (
    ' Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
)


class _WithoutGradient(function.Function):
    """What is the same, and hands no gradient on."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        """Return a copy."""
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        """Return no gradient."""
        return None


def _check_undefined(check: _Check) -> None:
    """Raise unless a backward bears that no gradient arrives at one of the outputs."""
    wanted = [check.inputs[k] for k in check.wanted]
    for missing in range(len(_outputs(check(*check.inputs)))):
        outputs = list(_outputs(check(*check.inputs)))
        outputs[missing] = _WithoutGradient.apply(outputs[missing])
        zeros = [zeros_like(t) for t in outputs]
        try:
            grads = engine.grad(outputs, wanted, zeros, allow_unused=True)
        except RuntimeError as error:
            raise GradcheckError(
                "Expected backward function to handle undefined output grads." + _UNDEFINED
            ) from error
        if not all(g is None or (g == 0).all() for g in grads):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are "
                "undefined or zero." + _UNDEFINED
            )


def _check_undefined_tangents(check: _Check) -> None:
    """Raise unless an input without tangent is as good as one whose tangent is zero."""
    for place in check.wanted:
        still = _forward(check, place, zeros_like(check.inputs[place]))
        for k, (a, b) in enumerate(zip(still, _forward(check, place, None), strict=True)):
            if a is not None and b is not None and not _close(a, b, 1e-5, 1e-8):
                raise GradcheckError(
                    "Mismatch in tangent values for output with index: ", k, " when input: ",
                    check.inputs[place], " has an undefined tangent value. ", " Got: ", a,
                    " but expected: ", b,
                )  # fmt: skip


def _check_batched_gradients(check: _Check) -> None:
    """Raise unless two backwards at once give what one after the other gives."""
    wanted = [check.inputs[k] for k in check.wanted]
    for i, output in enumerate(_outputs(check(*check.inputs))):

        def vjp(vectors: Sequence[Any], output: Any = output) -> Tensors:
            return engine.grad(output, wanted, vectors, retain_graph=True, materialize_grads=True)

        for j, pair in enumerate(_one_by_one_and_at_once(vjp, output, _NOT_BATCHED)):
            _check_same(*pair, i, j, _NOT_BATCHED)


def _check_batched_tangents(check: _Check) -> None:
    """Raise unless two tangents at once lead to what one after the other leads to."""
    for j, place in enumerate(check.wanted):

        def jvp(tangents: Sequence[Any], place: int = place) -> Sequence[Any]:
            with forward_ad.dual_level():
                values = [x.detach() if isinstance(x, Tensor) else x for x in check.inputs]
                values[place] = forward_ad.make_dual(values[place], *tangents)
                pairs = [forward_ad.unpack_dual(t) for t in check(*values) if _moves(t)]
                return [zeros_like(value) if t is None else t for value, t in pairs]

        x = check.inputs[place]
        for i, pair in enumerate(_one_by_one_and_at_once(jvp, x, _NOT_BATCHED_FORWARD)):
            _check_same(*pair, i, j, _NOT_BATCHED_FORWARD)


def _one_by_one_and_at_once(
    derivative: Callable[[Sequence[Any]], Sequence[Any]], like: Any, words: str
) -> Iterator[tuple[Any, Any]]:
    """Return, for each result of a derivative, what it is for two vectors by either way.

    Raises:
        GradcheckError: They cannot be computed at once.
    """
    generator = np.random.default_rng(0)
    vectors = [_weight(generator, like, gaps=False).detach() for _ in range(2)]
    one_by_one = [stack(column) for column in zip(*[derivative([v]) for v in vectors], strict=True)]
    try:
        together = at_once(derivative, [stack(vectors)], len(vectors))
    except RuntimeError as error:
        raise GradcheckError(
            f"While computing batched gradients, got: {error}\n\n{words}"
        ) from error
    return zip(one_by_one, together, strict=True)


def _check_same(expected: Any, found: Any, i: int, j: int, words: str) -> None:
    if not _close(_array(found), _array(expected), 1e-5, 1e-8):
        raise GradcheckError(
            f"For output {i} and input {j}:\n\n{words}\n\nGot:\n{found}\n\nExpected:\n{expected}"
        )


def _check_inputs(inputs: Tensors) -> None:
    found = False
    for k, x in enumerate(inputs):
        if not _differentiable(x):
            continue
        found = True
        if x._kind not in (_dtype.float64, _dtype.complex128):
            warn(
                f"Input #{k} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. "
            )
        if x.numel() and any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {k}th input has a dimension with stride 0. gradcheck only supports inputs "
                "that are non-overlapping to be able to compute the numerical gradients correctly. "
                "You should call .contiguous on the input before passing it to gradcheck."
            )
    if not found:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )


def _parts(check: _Check) -> Iterator[_Check]:
    """Yield what is compared: of complex outputs, or inputs, the two parts one by one."""
    func, inputs = check.func, check.inputs
    if not check.forward:
        result = _tuple(func(*inputs))
        indices = tuple(k for k, t in enumerate(_outputs(result)) if t.is_complex())
        if not any(t.is_complex() for t in result):
            yield check
            return
        for imaginary in (True, False):
            part = "imag" if imaginary else "real"
            yield replace(
                check,
                func=lambda *values, part=part: tuple(
                    [getattr(t, part) if t.is_complex() else t for t in _tuple(func(*values))]
                ),
                complex_indices=indices,
                imaginary=imaginary,
            )
        return
    indices = tuple(k for k, x in enumerate(inputs) if isinstance(x, Tensor) and x.is_complex())
    if not indices:
        yield check
        return
    for imaginary in (True, False):

        def moved(*values: Any, imaginary: bool = imaginary) -> Any:
            whole = list(values)
            for k in indices:
                whole[k] = (
                    inputs[k].real + values[k] * 1j
                    if imaginary
                    else values[k] + inputs[k].imag * 1j
                )
            return func(*whole)

        parts = [
            (x.imag if imaginary else x.real) if k in indices else x for k, x in enumerate(inputs)
        ]
        yield replace(
            check, func=moved, inputs=tuple(parts), complex_indices=indices, imaginary=imaginary
        )


# --------------------------------------------------------------------------- public


def gradcheck(
    func: Function,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Return True where the derivatives of a function agree with central differences.

    Where they do not, and the function has no derivative at the point, a note at the error says so.

    Args:
        func: Of tensors; it returns one or several tensors.
        inputs: Those that require grad are moved; they should be float64 or complex128.
        eps: How far they are moved.
        atol: Absolute tolerance.
        rtol: Relative tolerance.
        raise_exception: Raise instead of returning False.
        nondet_tol: How far two backward calls may be apart.
        check_undefined_grad: Check also that an output may receive no gradient.
        check_grad_dtypes: Check also the types of the gradients.
        check_batched_grad: Check also that backward computes several gradients at once, as
            ``is_grads_batched`` and :func:`gpugrad.func.vmap` ask it to.
        check_batched_forward_grad: The same for forward mode.
        check_forward_ad: Check forward mode.
        check_backward_ad: Check reverse mode.
        fast_mode: Compare in one random direction instead of element by element.
        masked: Taken for PyTorch's sake; it is about sparse tensors.

    Raises:
        GradcheckError: They disagree.
        RuntimeError: Elements of an input share memory.
        ValueError: No input requires grad.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError(
            "Expected at least one of check_forward_ad or check_backward_ad to be True"
        )
    if check_batched_grad and not check_backward_ad:
        raise AssertionError(
            "Setting check_batched_grad=True requires check_backward_ad to be True"
        )
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError(
            "Setting check_batched_forward_grad=True requires check_forward_ad to be True"
        )
    tensors = _tuple(inputs)
    check = _Check(func, tensors, eps, rtol, atol, nondet_tol, check_grad_dtypes)
    compare = _fast if fast_mode else _slow
    try:
        _check_inputs(tensors)
        if check_backward_ad:
            for part in _parts(check):
                compare(part)
        if check_forward_ad:
            for part in _parts(replace(check, forward=True)):
                compare(part)
                if check_undefined_grad:
                    _check_undefined_tangents(part)
        if check_batched_forward_grad:
            _check_batched_tangents(check)
        if check_batched_grad:
            _check_batched_gradients(check)
        if check_backward_ad:
            _check_linear(check)
            if check_undefined_grad:
                _check_undefined(check)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Return True where the second derivatives of a function agree with differences.

    The gradient is checked by :func:`gradcheck`, as a function of the inputs and of what is given
    to backward; the arguments are the same but for those below.

    Args:
        func: Of tensors; it returns one or several tensors.
        inputs: Those that require grad are moved; they should be float64 or complex128.
        grad_outputs: What is given to backward, for each output; by default random numbers.
        eps: How far they are moved.
        atol: Absolute tolerance.
        rtol: Relative tolerance.
        gen_non_contig_grad_outputs: Whether the random ones have gaps in memory.
        raise_exception: Raise instead of returning False.
        nondet_tol: How far two backward calls may be apart.
        check_undefined_grad: Check also that an output may receive no gradient.
        check_grad_dtypes: Check also the types of the gradients.
        check_batched_grad: Check also that backward computes several gradients at once.
        check_fwd_over_rev: Differentiate the gradient in forward mode.
        check_rev_over_rev: Differentiate the gradient in reverse mode.
        fast_mode: Compare in one random direction instead of element by element.
        masked: Taken for PyTorch's sake; it is about sparse tensors.

    Raises:
        GradcheckError: They disagree.
        ValueError: No input requires grad.
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError(
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
        )
    if check_undefined_grad and not check_rev_over_rev:
        raise AssertionError(
            "Setting check_undefined_grad=True requires check_rev_over_rev to be True"
        )
    if check_batched_grad and not check_rev_over_rev:
        raise AssertionError(
            "Setting check_batched_grad=True requires check_rev_over_rev to be True"
        )
    starts = _tuple(inputs)
    if grad_outputs is None:
        outputs = _outputs(func(*starts))
        generator = np.random.default_rng(0)
        weights = tuple([_weight(generator, t, gen_non_contig_grad_outputs) for t in outputs])
    else:
        weights = _tuple(grad_outputs)
    count = len(starts)

    def gradient(*values: Any) -> Tensors:
        tracked = [
            v.requires_grad_() if _differentiable(like) else v
            for v, like in zip(values, (*starts, *weights), strict=True)
        ]
        wanted = [v for v, x in zip(tracked, starts, strict=False) if _differentiable(x)]
        grads = engine.grad(
            _outputs(func(*tracked[:count])), wanted, tracked[count:],
            create_graph=True, allow_unused=True,
        )  # fmt: skip
        return tuple([g for g in grads if g is not None])

    return gradcheck(
        gradient, (*starts, *weights), eps=eps, atol=atol, rtol=rtol,
        raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, fast_mode=fast_mode,
        check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, masked=masked,
    )  # fmt: skip


def _weight(generator: np.random.Generator, like: Any, gaps: bool) -> Any:
    """Return random numbers between -1 and 1 that require grad, of the shape of an output."""
    shape = (*like.shape, 2) if gaps else like.shape
    found = generator.uniform(-1, 1, shape)
    if like.is_complex():
        found = found + 1j * generator.uniform(-1, 1, shape)
    made = tensor(np.asarray(found, like._kind.numpy), device=like.device)
    return (made[..., 0] if gaps else made).detach().requires_grad_()
