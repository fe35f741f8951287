"""``torch.autograd.functional``: Jacobians, Hessians, and their products with vectors.

Each function takes a function of tensors and where to differentiate it, and returns new tensors;
no ``.grad`` is touched.  They also record inside of inference mode, where PyTorch's give zeros:
there the inputs are copied, and another tensor of that mode cannot be saved.

>>> import gpugrad
>>> jacobian(gpugrad.exp, gpugrad.zeros(2))
tensor([[1., 0.],
        [0., 1.]])
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gpugrad._tensor import Tensor
from gpugrad.autograd import engine, forward_ad
from gpugrad.autograd.basis import along_basis, basis
from gpugrad.autograd.grad_mode import inference_mode
from gpugrad.graph import mode, recording, restoring
from gpugrad.op.dual import variable
from gpugrad.ops.filled import zeros_like
from gpugrad.ops.joining import stack

F = TypeVar("F", bound=Callable[..., Any])
Function = Callable[..., Any]
Tensors = tuple[Any, ...]

_OUTPUTS = "outputs of the user-provided function"


# --------------------------------------------------------------------------- what was given


def _recorded(function: F) -> F:
    """Return a function that is called outside of inference mode, with copies of its tensors."""

    @functools.wraps(function)
    def called(*args: Any, **options: Any) -> Any:
        if not mode.inference:
            return function(*args, **options)
        with inference_mode(False):
            copies = {name: _copied(value) for name, value in options.items()}
            return function(*map(_copied, args), **copies)

    return called  # type: ignore[return-value]


def _copied(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_copied, value))
    return value.clone() if isinstance(value, Tensor) else value


def _tuple(value: Any, argument: str, function: str) -> tuple[bool, Tensors]:
    """Return whether a tuple was given, and the tensors in it or the one tensor.

    Raises:
        TypeError: There is something else than tensors.
    """
    several = isinstance(value, tuple)
    values = value if several else (value,)
    for k, v in enumerate(values):
        if not isinstance(v, Tensor):
            where = f"value at index {k} has" if several else f"given {argument} has"
            raise TypeError(
                f"The {argument} given to {function} must be either a Tensor or a tuple of Tensors "
                f"but the {where} type {type(v)}."
            )
    return several, values


def _started(inputs: Any, function: str, create_graph: bool) -> tuple[bool, Tensors]:
    """Return whether a tuple of inputs was given, and the tensors to differentiate by."""
    many, starts = _tuple(inputs, "inputs", function)
    return many, _tracked(starts, create_graph)


def _called(func: Function, starts: Tensors, function: str, strict: bool) -> tuple[bool, Tensors]:
    """Return whether the user's function returned a tuple, and its outputs."""
    several, outputs = _tuple(func(*starts), _OUTPUTS, function)
    _check_recorded(outputs, "outputs", strict)
    return several, outputs


def _tracked(tensors: Tensors, create_graph: bool, wanted: bool = True) -> Tensors:
    """Return the tensors as ends of a graph of this call, tied to their own where it is kept."""
    ends = [t.view_as(t) if create_graph else t for t in tensors]
    return tuple(
        end if create_graph and end._edge is not None else t.detach().requires_grad_(wanted)
        for t, end in zip(tensors, ends, strict=True)
    )


def _given(
    v: Any, like: Tensors, several: bool, create_graph: bool, function: str, example: str
) -> Tensors | None:
    """Return the vectors that belong to the tensors ``like``; ``None`` stands for a single 1.

    Raises:
        RuntimeError: They are missing where they are needed, or do not fit.
        TypeError: One is no tensor.
    """
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if {example} a single Tensor with a single element."
            )
        return None
    vectors = _tracked(_tuple(v, "v", function)[1], create_graph, False)
    if len(vectors) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}."
            if several else "The given v should contain a single Tensor."
        )  # fmt: skip
    for k, (vector, t) in enumerate(zip(vectors, like, strict=True)):
        if vector.shape != t.shape:
            raise RuntimeError(
                f"{f'Entry {k} in ' if several else ''}v has invalid size: should be {t.shape} but "
                f"got {vector.shape}."
            )
    return vectors


_OF_FUNCTION = "the user-provided function returns"
_OF_INPUT = "the input to the user-provided function is"


def _scalar(outputs: Tensors, several: bool, function: str) -> None:
    """Raise unless a function returned one tensor with one element."""
    if several:
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {function} should contain a single "
            "element"
        )


# --------------------------------------------------------------------------- what comes back


def _shaped(results: Sequence[Any], several: bool) -> Any:
    return tuple(results) if several else results[0]


def _table(rows: Sequence[Tensors], several_outputs: bool, several_inputs: bool) -> Any:
    return _shaped([_shaped(row, several_inputs) for row in rows], several_outputs)


def _detached(tensors: Sequence[Any], create_graph: bool) -> Tensors:
    return tuple(tensors) if create_graph else tuple([t.detach() for t in tensors])


def _returned(tensors: Tensors, several: bool, create_graph: bool) -> Any:
    return _shaped(_detached(tensors, create_graph), several)


def _gradients(
    outputs: Tensors, inputs: Tensors, vectors: Tensors | None, create_graph: bool
) -> Tensors:
    """Return the gradients of the outputs that have any, ``None`` where none arrives."""
    weights = (None,) * len(outputs) if vectors is None else vectors
    pairs = [(t, w) for t, w in zip(outputs, weights, strict=True) if t is not None]
    pairs = [(t, w) for t, w in pairs if t.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return engine.grad(
        [t for t, _ in pairs], inputs, [w for _, w in pairs], retain_graph=True,
        create_graph=create_graph, allow_unused=True,
    )  # fmt: skip


def _complete(grads: Sequence[Any], like: Tensors) -> Tensors:
    """Return the gradients with zeros where there are none."""
    return tuple(zeros_like(t) if g is None else g for g, t in zip(grads, like, strict=True))


def _filled(
    grads: Tensors,
    like: Tensors,
    strict: bool,
    create_graph: bool,
    missing: str,
    constant: str = "jacobian",
) -> Tensors:
    """Return the gradients, :func:`_complete`.

    Raises:
        RuntimeError: It is ``strict``, and one is missing or cannot be differentiated though asked.
    """
    for k, g in enumerate(grads):
        if strict and g is None:
            raise RuntimeError(missing.format(k))
        if strict and create_graph and not g.requires_grad:
            raise RuntimeError(
                f"The {constant} of the user-provided function is independent of input {k}. This "
                "is not allowed in strict mode when create_graph=True."
            )
    return _complete(grads, like)


_NOT_STRICT = " This is not allowed in strict mode."
_UNUSED = "The output of the user-provided function is independent of input {}." + _NOT_STRICT
_NO_JACOBIAN = "The jacobian of the user-provided function is independent of input {}."
_NO_TANGENT = (
    "The gradient with respect to the input is independent of entry {} in the grad_outputs when "
    "using the double backward trick to compute forward mode gradients." + _NOT_STRICT
)
_NO_HESSIAN = (
    "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. "
    "This is not allowed in strict mode as it prevents from using the double backward trick to "
    "replace forward mode AD."
)
_NOT_RECORDED = {
    "outputs": (
        "Output {} of the user-provided function does not require gradients. The outputs must be "
        "computed in a differentiable manner from the input when running in strict mode."
    ),
    "gradients": (
        "The gradient with respect to input {} is independent of the inputs of the user-provided "
        "function." + _NOT_STRICT
    ),
    "jacobian": (
        "While computing the hessian, found that the jacobian of the user-provided function with "
        "respect to input {} is independent of the input. This is not allowed in strict mode. You "
        "should ensure that your function is twice differentiable and that the jacobian depends on "
        "the inputs (this would be violated by a linear function for example)."
    ),
}


def _check_recorded(tensors: Tensors, kind: str, strict: bool) -> None:
    """Raise where the strict mode finds something that does not depend on the inputs."""
    if not strict:
        return
    for k, t in enumerate(tensors):
        if t is None:
            raise RuntimeError(_UNUSED.format(k))
        if not t.requires_grad:
            raise RuntimeError(_NOT_RECORDED[kind].format(k))


# --------------------------------------------------------------------------- products


@restoring
@_recorded
def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, and the product of ``v`` with its Jacobian.

    Args:
        func: Of tensors; it returns a tensor or a tuple of them.
        inputs: A tensor or a tuple of them.
        v: A tensor of the shape of each output; may be left out where there is one element.
        create_graph: Record the results, so that they can be differentiated.
        strict: Raise where an output does not depend on an input, instead of giving zeros.

    Returns:
        The outputs, and for each input a tensor of its shape, in tuples where tuples were given.

    Raises:
        RuntimeError: ``v`` does not fit, or ``strict`` found an independence.
        TypeError: Something is no tensor.
    """
    with recording(True):
        many, starts = _started(inputs, "vjp", create_graph)
        several, outputs = _called(func, starts, "vjp", strict)
        vectors = _given(v, outputs, several, create_graph, "vjp", _OF_FUNCTION)
        grads = _gradients(outputs, starts, vectors, create_graph)
        found = _filled(grads, starts, strict, create_graph, _UNUSED)
    return _returned(outputs, several, create_graph), _returned(found, many, create_graph)


@restoring
@_recorded
def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, and the product of its Jacobian with ``v``.

    It is found by differentiating a vector-Jacobian product by its vector, as in PyTorch;
    :func:`gpugrad.func.jvp` does it in forward mode, in one pass.

    Args:
        func: Of tensors; it returns a tensor or a tuple of them.
        inputs: A tensor or a tuple of them.
        v: A tensor of the shape of each input; may be left out where there is one element.
        create_graph: Record the results, so that they can be differentiated.
        strict: Raise where an output does not depend on an input, instead of giving zeros.

    Returns:
        The outputs, and for each a tensor of its shape.

    Raises:
        RuntimeError: ``v`` does not fit, or ``strict`` found an independence.
        TypeError: Something is no tensor.

    Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """
    with recording(True):
        many, starts = _started(inputs, "jvp", create_graph)
        vectors = _given(v, starts, many, create_graph, "jvp", _OF_INPUT)
        several, outputs = _called(func, starts, "jvp", strict)
        weights = tuple([zeros_like(t, requires_grad=True) for t in outputs])
        grads = _gradients(outputs, starts, weights, True)
        _check_recorded(grads, "gradients", strict)
        moved = _gradients(grads, weights, vectors, create_graph)
        found = _filled(moved, outputs, strict, create_graph, _NO_TANGENT)
    return _returned(outputs, several, create_graph), _returned(found, several, create_graph)


@restoring
@_recorded
def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, a scalar, and the product of ``v`` with its Hessian.

    Args:
        func: Of tensors; it returns a tensor with one element.
        inputs: A tensor or a tuple of them.
        v: A tensor of the shape of each input; may be left out where there is one element.
        create_graph: Record the results, so that they can be differentiated.
        strict: Raise where the gradient does not depend on an input, instead of giving zeros.

    Returns:
        The output, and for each input a tensor of its shape.

    Raises:
        RuntimeError: ``func`` returns something else, ``v`` does not fit, or ``strict`` found an
            independence.
        TypeError: Something is no tensor.
    """
    with recording(True):
        many, starts, vectors, outputs, grads = _gradient(
            func, inputs, v, create_graph, strict, "vhp"
        )
        missing = _NO_JACOBIAN + _NOT_STRICT
        products = _gradients(grads, starts, vectors, create_graph)
        found = _filled(products, starts, strict, create_graph, missing, "hessian")
    return _returned(outputs, False, create_graph), _returned(found, many, create_graph)


@restoring
@_recorded
def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """Return ``func(*inputs)``, a scalar, and the product of its Hessian with ``v``.

    For a function that is twice continuously differentiable it is :func:`vhp`, which costs less.

    Arguments, what is returned and what is raised are those of :func:`vhp`.
    """
    with recording(True):
        many, starts, vectors, outputs, grads = _gradient(
            func, inputs, v, create_graph, strict, "hvp"
        )
        weights = tuple([zeros_like(t, requires_grad=True) for t in starts])
        products = _gradients(grads, starts, weights, True)
        moved = _gradients(products, weights, vectors, create_graph)
        found = _filled(moved, starts, strict, create_graph, _NO_HESSIAN, "hessian")
    return _returned(outputs, False, create_graph), _returned(found, many, create_graph)


def _gradient(
    func: Function, inputs: Any, v: Any, create_graph: bool, strict: bool, function: str
) -> tuple[bool, Tensors, Tensors | None, Tensors, Tensors]:
    """Return the inputs, the vectors, the scalar output and its recorded gradient."""
    many, starts = _started(inputs, function, create_graph)
    vectors = _given(v, starts, many, create_graph, function, _OF_INPUT)
    several, outputs = _called(func, starts, function, strict)
    _scalar(outputs, several, function)
    grads = _gradients(outputs, starts, None, True)
    _check_recorded(grads, "jacobian", strict)
    return many, starts, vectors, outputs, grads


# --------------------------------------------------------------------------- matrices

_STRATEGIES = ("forward-mode", "reverse-mode")
_WHERE = "gpugrad.autograd.functional.jacobian: "
_HOW = 'Expected strategy to be either "forward-mode" or "reverse-mode".'


@restoring
@_recorded
def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the derivative of each output by each input.

    Each element of an output costs one walk through the graph.  With ``vectorize=True`` one walk
    computes all rows together, as :func:`gpugrad.func.vmap` does, which is faster and takes more
    memory; in forward mode one call of ``func`` computes all columns.

    Args:
        func: Of tensors; it returns a tensor or a tuple of them.
        inputs: A tensor or a tuple of them.
        create_graph: Record the results, so that they can be differentiated; in forward mode they
            are anyway where something requires grad.
        strict: Raise where an output does not depend on an input, instead of giving zeros.
        vectorize: Compute all rows, or columns, at once.
        strategy: "reverse-mode", or "forward-mode", which needs ``vectorize=True``.

    Returns:
        A tensor of shape ``output.shape + input.shape``; a tuple of them where ``inputs`` is a
        tuple, and a tuple of that where ``func`` returns a tuple.

    Raises:
        RuntimeError: ``strict`` found an independence, or does not go with the other arguments.
        NotImplementedError: The arguments do not go together in forward mode.
        AssertionError: There is no such strategy.
        TypeError: Something is no tensor.
    """
    if strategy not in _STRATEGIES:
        raise AssertionError(
            f'{_HOW} Hint: If your function has more outputs than inputs, "forward-mode" tends to '
            'be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    _check_forward(create_graph, strict, vectorize, strategy)
    if strategy == "forward-mode":
        return _by_columns(func, inputs)
    with recording(True):
        many, starts = _started(inputs, "jacobian", create_graph)
        several, outputs = _called(func, starts, "jacobian", strict)
        if vectorize and strict:
            raise RuntimeError(
                f"{_WHERE}`strict=True` and `vectorized=True` are not supported together. Please "
                "either set `strict=False` or `vectorize=False`."
            )
        rows = _all_rows(outputs, starts, create_graph) if vectorize else [
            _by_rows(k, output, starts, create_graph, strict) for k, output in enumerate(outputs)
        ]  # fmt: skip
        found = [_detached(row, create_graph) for row in rows]
    return _table(found, several, many)


def _check_forward(create_graph: bool, strict: bool, vectorize: bool, strategy: str) -> None:
    if strategy != "forward-mode":
        return
    if create_graph:
        raise NotImplementedError(
            f'{_WHERE}`create_graph=True` and `strategy="forward-mode"` are not supported together '
            '(yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strict:
        raise RuntimeError(
            f'{_WHERE}`strict=True` and `strategy="forward-mode"` are not supported together '
            '(yet). Please either set `strict=False` or `strategy="reverse-mode"`.'
        )
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is"
            "only implemented for `vectorize=True`."
        )


def _by_rows(
    index: int, output: Any, starts: Tensors, create_graph: bool, strict: bool
) -> list[Any]:
    """Return the derivatives of one output, a row for each of its elements."""
    rows = []
    for weight in basis(output):
        grads = _gradients((output,), starts, (weight,), create_graph)
        for k, g in enumerate(grads):
            if strict and g is None:
                raise RuntimeError(
                    f"Output {index} of the user-provided function is independent of input {k}."
                    + _NOT_STRICT
                )
            if strict and create_graph and not g.requires_grad:
                raise RuntimeError(
                    _NO_JACOBIAN.format(index)
                    + " This is not allowed in strict mode when create_graph=True."
                )
        rows.append(_complete(grads, starts))
    return [
        stack([row[k] for row in rows], 0).reshape(output.shape + x.shape)
        if rows else zeros_like(x).expand(0, *x.shape).reshape(output.shape + x.shape)
        for k, x in enumerate(starts)
    ]  # fmt: skip


def _all_rows(outputs: Tensors, starts: Tensors, create_graph: bool) -> list[list[Any]]:
    """Return the derivatives of each output, all rows by one walk."""

    def along(weights: Sequence[Any]) -> Sequence[Any]:
        return _complete(_gradients(outputs, starts, tuple(weights), create_graph), starts)

    sizes = [t.numel() for t in outputs]
    blocks = zip(*[rows.split(sizes) for rows in along_basis(along, outputs)], strict=True)
    return [
        [rows.reshape(t.shape + x.shape) for rows, x in zip(block, starts, strict=True)]
        for t, block in zip(outputs, blocks, strict=True)
    ]


def _by_columns(func: Function, inputs: Any) -> Any:
    """Return the derivatives by the inputs, in forward mode, all columns by one call."""
    many, starts = _tuple(inputs, "inputs", "jacobian")
    several = False

    def along(directions: Sequence[Any]) -> Sequence[Any]:
        nonlocal several
        with forward_ad.dual_level():
            duals = map(forward_ad.make_dual, starts, directions)
            several, outputs = _tuple(func(*duals), "outputs", "jacobian")
            return [_tangent(t) for t in outputs]

    sizes = [x.numel() for x in starts]
    table = [
        tuple([
            block.movedim(0, -1).reshape(block.shape[1:] + x.shape)
            for block, x in zip(columns.split(sizes), starts, strict=True)
        ])
        for columns in along_basis(along, starts)
    ]  # fmt: skip
    return _table(table, several, many)


def _tangent(output: Any) -> Any:
    primal, tangent = forward_ad.unpack_dual(output)
    return zeros_like(primal) if tangent is None else tangent


@restoring
@_recorded
def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the second derivatives of a scalar function by each pair of inputs.

    It is the Jacobian of the gradient; see :func:`jacobian` for what it costs and for
    ``vectorize``.

    Args:
        func: Of tensors; it returns a tensor with one element.
        inputs: A tensor or a tuple of them.
        create_graph: Record the results, so that they can be differentiated; in forward mode they
            are anyway where something requires grad.
        strict: Raise where a derivative does not depend on an input, instead of giving zeros.
        vectorize: Compute all rows, or columns, of the outer Jacobian at once.
        outer_jacobian_strategy: How the gradient is differentiated.

    Returns:
        A tensor of shape ``input.shape + input.shape``; where ``inputs`` is a tuple, a tuple of
        tuples.

    Raises:
        RuntimeError: ``func`` returns something else, or ``strict`` found an independence.
        AssertionError: There is no such strategy.
        TypeError: Something is no tensor.
    """
    many, starts = _tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in _STRATEGIES:
        raise AssertionError(_HOW)

    def scalar(*values: Any) -> Any:
        several, outputs = _called(func, values, "hessian", strict)
        _scalar(outputs, several, "hessian")
        return outputs[0].squeeze()

    def gradient(*values: Any) -> Any:
        if outer_jacobian_strategy == "forward-mode":
            values = tuple([v if v.requires_grad else variable(v) for v in values])
        found = jacobian(scalar, values, create_graph=True)
        _check_recorded(found, "jacobian", strict)
        return found

    found = jacobian(gradient, starts, create_graph, strict, vectorize, outer_jacobian_strategy)
    return _table(found, many, many)
