"""HIPS/autograd's operators in gpugrad.numpy: values, containers, classes, nesting, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpugrad
import gpugrad.numpy as gnp
from gpugrad.numpy import extend, misc
from gpugrad.numpy.test_util import check_equivalent, check_grads
from gpugrad.testing import assert_agree

X = np.array([0.3, -1.2, 0.7])
A = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])


def wave(x: Any) -> Any:
    return gnp.tanh(gnp.dot(A, x))


def slope(x: Any) -> Any:
    return A * (1 - np.tanh(A @ x) ** 2)[:, None]


def test_a_gradient_has_the_type_of_its_argument() -> None:
    square: Any = lambda x: gnp.sum(x * x)  # noqa: E731
    for x, kind in [
        (1.5, np.float64), (np.float32(1.5), np.float32), (1.5 + 0j, np.complex128),
        (X, np.ndarray), (gnp.array(X), gnp.ndarray), (gpugrad.tensor(X), gpugrad.Tensor),
    ]:  # fmt: skip
        real: Any = (lambda x: gnp.real(square(x))) if isinstance(x, complex) else square
        value, found = gnp.value_and_grad(real)(x)
        assert type(found) is kind
        assert isinstance(value, gpugrad.Tensor) is isinstance(x, gpugrad.Tensor)
        assert_agree(found, 2 * np.asarray(x))
    assert gnp.grad(square)(X.astype(np.float32)).dtype == np.float32


@pytest.mark.cuda
def test_an_array_of_cupys_has_a_gradient_of_cupys() -> None:
    cupy = pytest.importorskip("cupy")
    value, found = gnp.value_and_grad(lambda x: gnp.sum(x**3))(cupy.asarray(X))
    assert isinstance(found, cupy.ndarray)
    assert isinstance(value, cupy.ndarray)
    assert_agree(found, 3 * X**2)


def test_containers_and_several_arguments() -> None:
    def energy(p: Any, scale: Any, *, twice: bool = False) -> Any:
        first, (second,) = p["a"]
        return gnp.sum(first * second) * scale * (2 if twice else 1)

    p = {"a": [X, (3.0,)], "unused": np.ones((2, 2))}
    found = gnp.grad(energy)(p, 2.0, twice=True)
    assert isinstance(found["a"], list)
    assert isinstance(found["a"][1], tuple)
    assert_agree(found["a"][0], np.full(3, 12.0))
    assert_agree(found["a"][1][0], 4 * X.sum())
    assert_agree(found["unused"], np.zeros((2, 2)))
    both = gnp.grad(energy, argnum=[1, 0])(p, 2.0)
    assert_agree(both[0], 3 * X.sum())
    assert_agree(both[1]["a"][0], np.full(3, 6.0))
    assert gnp.multigrad_dict(lambda a, b=2.0: a * b)(3.0) == {"a": 2.0, "b": 3.0}
    assert gnp.grad_named(lambda a, b: a * b * b, "b")(1.0, 2.0) == 4.0
    with pytest.raises(ValueError, match="has no argument 'c'"):
        gnp.grad_named(lambda a, b: a, "c")


def test_products_and_matrices() -> None:
    v, w = np.array([1.0, -0.5, 2.0]), np.array([0.7, -1.1])
    j = slope(X)
    assert_agree(gnp.jacobian(wave)(X), j)
    pull, value = gnp.make_vjp(wave)(X)
    assert_agree(value, np.tanh(A @ X))
    assert_agree(pull(w), w @ j)
    assert_agree(pull(gnp.array(w)), w @ j)
    assert_agree(gnp.make_jvp(wave)(X)(v)[1], j @ v)
    push = gnp.make_jvp_reversemode(wave)(X)
    assert type(push(v)) is np.ndarray
    assert_agree(push(v), j @ v)
    assert_agree(gnp.tensor_jacobian_product(wave)(X, w), w @ j)
    assert_agree(gnp.make_ggnvp(wave)(X)(v), j.T @ (j @ v))
    assert_agree(
        gnp.make_ggnvp(wave, lambda y: gnp.sum(y**4))(X)(v),
        j.T @ (12 * np.tanh(A @ X) ** 2 * (j @ v)),
    )
    cubes = lambda x: gnp.sum(x**3) + x[0] * x[1]  # noqa: E731
    h = np.diag(6 * X)
    h[0, 1] = h[1, 0] = 1
    assert_agree(gnp.hessian(cubes)(X), h)
    assert_agree(gnp.hvp(cubes)(X, v), h @ v)
    assert_agree(gnp.make_hvp(cubes)(X)[0](v), h @ v)
    assert_agree(gnp.elementwise_grad(gnp.sin)(X), np.cos(X))
    assert_agree(gnp.deriv(gnp.sin)(X), np.cos(X))
    found, aux = gnp.grad_and_aux(lambda x: (gnp.sum(x**2), x**3))(X)
    assert_agree(found, 2 * X)
    assert_agree(aux, X**3)
    blocks = gnp.jacobian(lambda x, y: x * y, (0, 1))(X, v)
    assert_agree(blocks[0], np.diag(v))
    assert_agree(gnp.jacobian(lambda t: gnp.array([t, t**2]))(2.0), np.array([1.0, 4.0]))


def test_derivatives_of_derivatives_that_share_variables() -> None:
    f = lambda x: x * gnp.grad(lambda y: x * y * y)(2.0)  # noqa: E731
    assert gnp.grad(f)(3.0) == 24.0
    assert gnp.grad(gnp.grad(gnp.grad(gnp.sin)))(0.5) == pytest.approx(-np.cos(0.5))
    inner = lambda x: gnp.make_jvp(lambda y: y**3 * x)(x)(1.0)[1]  # noqa: E731
    assert gnp.grad(inner)(2.0) == pytest.approx(9 * 4)
    assert gnp.deriv(gnp.grad(lambda x: x**4))(2.0) == pytest.approx(48)
    assert gnp.grad(lambda x: 1.0)(2.0) == 0.0
    again = gnp.checkpoint(lambda x, k: gnp.sin(k * x))
    assert gnp.grad(gnp.grad(again))(0.3, 2.0) == pytest.approx(-4 * np.sin(0.6))


def test_complex_gradients_are_conjugates_of_pytorchs() -> None:
    z = np.array([1.0 + 2.0j, -0.5j])
    found = gnp.grad(lambda z: gnp.sum(gnp.real(z * z)))(z)
    assert_agree(found, 2 * z)  # of a holomorphic function it is the derivative
    assert_agree(gnp.grad(lambda z: gnp.sum(gnp.abs(z) ** 2))(z), 2 * z.conj())
    assert gnp.holomorphic_grad(lambda z: z**3)(1 + 1j) == pytest.approx(3 * (1 + 1j) ** 2)
    pull, _ = gnp.make_vjp(lambda x: x * (1 + 2j))(3.0)
    assert pull(1j) == -2.0
    pull, _ = gnp.make_vjp(gnp.exp)(z)
    assert_agree(pull(1j * z), 1j * z * np.exp(z))


def test_what_has_no_derivative_is_refused() -> None:
    for argument in 3, np.arange(3), "text", None:
        with pytest.raises(TypeError, match="no derivative by"):
            gnp.grad(lambda x: 1.0)(argument)
    for operator in gnp.grad, gnp.value_and_grad:
        for f in (lambda x: x), (lambda x: gnp.sum(x) * 1j), (lambda x: (1.0, 2.0)):
            with pytest.raises(TypeError, match="real scalar-output"):
                operator(f)(X)
    with pytest.raises(TypeError, match="returned None"):
        gnp.grad(lambda x: None)(X)
    with pytest.raises(TypeError, match="argnum must be"):
        gnp.grad(wave, "x")
    with pytest.raises(TypeError, match="one real array"):
        gnp.jacobian(lambda x: x * 1j)(X)
    with pytest.raises(TypeError, match="real-output"):
        gnp.elementwise_grad(lambda x: x * 1j)(X)
    with pytest.raises(TypeError, match="not complex"):
        gnp.holomorphic_grad(lambda x: x)(1.0)
    pull, _ = gnp.make_vjp(wave)(X)
    with pytest.raises(ValueError, match="has shape"):
        pull(np.ones(3))
    with pytest.raises(TypeError, match="is complex128, but float64"):
        pull(np.ones(2) * 1j)
    with pytest.raises(TypeError, match="but \\* is expected"):
        pull([1.0, 2.0])


def test_a_vector_that_is_returned_keeps_its_class() -> None:
    v = gpugrad.ones(3, dtype=gpugrad.float64)
    found = gnp.make_vjp(lambda x: x)(gnp.array(X))[0](v)
    assert type(v) is gpugrad.Tensor
    assert type(found) is gnp.ndarray


def test_a_primitive_has_the_derivatives_that_are_declared() -> None:
    seen: list[Any] = []

    @extend.primitive
    def log_sum(parts: Any, scale: Any, *, power: int = 1) -> Any:
        seen.append(type(parts[0]))
        return scale * np.log(sum(np.exp(power * p).sum() for p in parts))

    def shares(ans: Any, parts: Any, scale: Any, power: int) -> Any:
        return [power * gnp.exp(power * p - ans / scale) for p in parts]

    extend.defvjp(
        log_sum,
        lambda ans, parts, scale, power=1: (
            lambda g: [g * scale * s for s in shares(ans, parts, scale, power)]
        ),
        lambda ans, parts, scale, power=1: lambda g: g * ans / scale,
    )
    v = np.array([1.0, 0.5, -1.0])
    f = lambda x, y, scale: log_sum([x, y], scale, power=2)  # noqa: E731
    known = lambda x, y, s: s * gnp.log(gnp.sum(gnp.exp(2 * x)) + gnp.sum(gnp.exp(2 * y)))  # noqa: E731
    for k in range(3):
        assert_agree(gnp.grad(f, k)(X, v, 1.5), gnp.grad(known, k)(X, v, 1.5))
    assert_agree(gnp.hessian(f)(X, v, 1.5), gnp.hessian(known)(X, v, 1.5))
    assert set(seen) == {np.ndarray}
    check_grads(f, (0, 1, 2), modes=["rev"])(X, v, 1.5)
    with pytest.raises(NotImplementedError, match="JVP of log_sum not defined"):
        gnp.deriv(f)(X, v, 1.5)
    with pytest.raises(TypeError, match="a keyword is differentiated"):
        gnp.grad(lambda p: log_sum([X], 1.0, power=p))(2.0)
    with pytest.raises(TypeError, match="is no primitive"):
        extend.defvjp(gnp.sin, lambda ans, x: lambda g: g)

    @extend.primitive
    def twist(z: Any, w: Any) -> Any:
        return z * w**2

    extend.defvjp(
        twist, lambda ans, z, w: lambda g: g * w**2, lambda ans, z, w: lambda g: g * 2 * z * w
    )
    extend.defjvp(twist, "same", lambda g, ans, z, w: 2 * z * w * g)
    check_grads(twist, (0, 1))(X + 1j * v, 2.0 - 1j)
    check_grads(twist, (0, 1))(X, v)


def test_parameters_as_a_vector_and_optimizers() -> None:
    p = {"b": (1.0, [X]), "a": np.ones((2, 2), np.float32)}
    vector, unflatten = misc.flatten(p)
    assert_agree(vector, np.array([1.0, 1, 1, 1, 1, *X]))
    back = unflatten(vector)
    assert list(back) == ["b", "a"]
    assert type(back["b"]) is tuple
    assert_agree(back["b"][1][0], X)
    inside = lambda v: unflatten(v)["b"][1][0].sum() * misc.flatten([v[0], 2.0])[0][0]  # noqa: E731
    assert_agree(gnp.grad(inside)(vector), np.array([X.sum(), 0, 0, 0, 0, 1, 1, 1]))
    with pytest.raises(ValueError, match="8 numbers is expected"):
        unflatten(np.ones(3))

    loss = lambda p, i: gnp.sum((p["x"] - X) ** 2) + (p["y"][0] - 2) ** 2  # noqa: E731
    for optimizer, options in [
        (misc.optimizers.sgd, {"step_size": 0.5}), (misc.optimizers.rmsprop, {"step_size": 0.01}),
        (misc.optimizers.adam, {"step_size": 0.05}),
    ]:  # fmt: skip
        steps: list[int] = []
        found = optimizer(
            gnp.grad(loss), {"x": np.zeros(3), "y": [1.0]},
            lambda p, i, g, steps=steps: steps.append(i), num_iters=400, **options,
        )  # fmt: skip
        assert steps == list(range(400))
        np.testing.assert_allclose(found["x"], X, atol=0.02)  # rmsprop steps to and fro
        np.testing.assert_allclose(found["y"][0], 2, atol=0.02)


def test_a_fixed_point_is_differentiated_by_what_it_depends_on() -> None:
    newton = lambda a: lambda x: 0.5 * (x + a / x)  # noqa: E731
    root = lambda a: misc.fixed_points.fixed_point(  # noqa: E731
        newton, a, 1.0, lambda x, y: gnp.abs(x - y), 1e-13
    )
    assert gnp.grad(root)(2.0) == pytest.approx(0.5 / np.sqrt(2))
    assert gnp.grad(gnp.grad(root))(2.0) == pytest.approx(-0.25 * 2**-1.5)


def test_checks_find_what_is_wrong() -> None:
    @extend.primitive
    def wrong(x: Any) -> Any:
        return np.sin(x)

    extend.defvjp(wrong, lambda ans, x: lambda g: g * gnp.cos(x) * 1.01)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of wrong failed"):
        check_grads(wrong, modes=["rev"])(0.5)
    with pytest.raises(AssertionError, match="VSpace mismatch"):
        check_equivalent(X, X[:2])
    with pytest.raises(AssertionError, match="Value mismatch"):
        check_equivalent([X, 1.0], [X, 1.1])
    with pytest.raises(ValueError, match="modes are"):
        check_grads(gnp.sin, modes=["both"])
    space = extend.vspace((1.0, np.zeros((2, 1), complex)))
    assert space.size == 5
    assert space.iscomplex
    assert space == extend.vspace((2.0, np.ones((2, 1), complex))) != extend.vspace(1.0)
    assert [space.inner_prod(a, b) for a in space.standard_basis() for b in space.standard_basis()
            ] == list(np.eye(5).ravel())  # fmt: skip


@pytest.mark.parametrize("part", ["L", "U"])
def test_the_gradient_of_eigh_is_of_the_triangle_that_is_read(part: str) -> None:
    a = np.array([[2.0, 0.5 + 1j, 0.1], [0.3 - 0.2j, -1.0, 0.7j], [0.4, 1.0 + 1j, 0.3 + 2j]])
    for m in a, a.real:
        check_grads(lambda m: gnp.linalg.eigvalsh(m, part))(m)
        check_grads(lambda m: gnp.abs(gnp.linalg.eigh(m, UPLO=part)[1]))(m)
    other = np.triu(a.real, 1) if part == "L" else np.tril(a.real, -1)
    found = gnp.grad(lambda m: gnp.sum(gnp.linalg.eigvalsh(m, part) ** 2))(a.real)
    assert not found[other != 0].any()


def test_one_number_does_not_deviate() -> None:
    for x in X[:1], X[None], X[:1] + 1j:
        for spread in gnp.std, gnp.var:
            found = gnp.grad(lambda x, spread=spread: gnp.sum(spread(x, axis=0)))(x)
            assert_agree(found, np.zeros_like(x))


def test_draws_of_a_dirichlet_distribution_have_its_density() -> None:
    stats = pytest.importorskip("gpugrad.scipy.stats")
    drawn = stats.dirichlet.rvs(np.array([1.0, 2.0, 3.0]), size=4)
    assert drawn.shape == (4, 3)
    assert_agree(drawn.sum(-1), np.ones(4))


def test_forward_mode_over_a_power_of_zero() -> None:
    y = np.array(0.6)
    moved = gnp.grad(lambda y: gnp.make_jvp(lambda y: gnp.power(0.0, y))(y)(0.9)[1])
    assert moved(y) == 0.0


@pytest.mark.parametrize("asked", [lambda x: x.item(), lambda x: x.tolist(), float, complex])
def test_numbers_of_what_is_differentiated_are_refused(asked: Any) -> None:
    for operator in (gnp.grad, gnp.elementwise_grad):
        with pytest.raises(TypeError, match="the gradient would be lost"):
            operator(lambda x: asked(x) * x)(2.0)
    assert gnp.grad(lambda x: abs(asked(x.detach())) * x)(2.0) == 2.0
    assert gnp.grad(lambda x: x * len(f"{x:.2f} {x}"))(2.0) == len("2.00 2.0")


def test_roots_and_integrals_are_differentiated_by_the_operators() -> None:
    pytest.importorskip("scipy")
    from gpugrad.scipy import integrate, optimize

    def root(c: Any) -> Any:
        return optimize.root(lambda x, c: x**2 - c, gnp.array([1.0]), (c,)).x.sum()

    assert_agree(gnp.grad(root)(2.0), np.array(0.5 * 2**-0.5))
    assert_agree(gnp.grad(gnp.grad(root))(2.0), np.array(-0.25 * 2**-1.5))

    def point(c: Any) -> Any:
        return optimize.fixed_point(lambda x, c: gnp.cos(c * x), 0.6, (c,))

    def area(c: Any) -> Any:
        return integrate.quad(lambda x, c: gnp.exp(-c * x), 0.0, 1.0, (c,))[0]

    def state(c: Any) -> Any:
        return integrate.odeint(lambda y, t, c: -c * y, [1.0], [0.0, 1.0], (c,))[-1].sum()

    for function, tolerance in ((point, 1e-6), (area, 1e-6), (state, 1e-5)):
        near = (float(function(1.0 + 1e-4)) - float(function(1.0 - 1e-4))) / 2e-4
        assert float(gnp.grad(function)(1.0)) == pytest.approx(near, abs=tolerance)
        each = gpugrad.func.vmap(function)(gnp.array([1.0, 0.9]))
        np.testing.assert_allclose(each.numpy(), [float(function(c)) for c in (1.0, 0.9)])
        gpugrad.func.vmap(gpugrad.func.grad(function))(gnp.array([1.0, 0.9]))
