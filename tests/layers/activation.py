"""Activation layers."""

from layers.layer import layer

_X = (2, 4, 3)


def _inplace(layer, x):  # type: ignore[no-untyped-def]
    return layer(x * 1)


LAYERS = [
    *(layer(name, lambda nn, name=name: getattr(nn, name)(), _X)  # type: ignore[misc]
      for name in (
          "ReLU", "SELU", "SiLU", "Mish", "Hardswish", "Hardtanh", "ReLU6", "ELU",
          "CELU", "LeakyReLU", "Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink", "GELU",
          "Softplus", "Hardshrink", "Softshrink", "PReLU",
      )),
    *(layer(f"{name}, in place", lambda nn, name=name: getattr(nn, name)(inplace=True),  # type: ignore[misc]
            _X, call=_inplace)
      for name in ("ReLU", "SELU", "SiLU", "Mish", "Hardswish", "Hardtanh", "ReLU6",
                   "ELU", "CELU", "LeakyReLU")),
    # PyTorch's slope is a sixth in single precision
    layer("Hardsigmoid", lambda nn: nn.Hardsigmoid(), _X, double=1e-7),
    layer("Hardsigmoid, in place", lambda nn: nn.Hardsigmoid(True), _X, call=_inplace, double=1e-7),
    layer("Threshold", lambda nn: nn.Threshold(0.1, 20.0), _X),
    layer("Threshold, in place", lambda nn: nn.Threshold(0.1, 20, True), _X, call=_inplace),
    layer("RReLU, not trained", lambda nn: nn.RReLU(0.1, 0.3), _X, training=False),
    layer("RReLU, equal bounds, in place", lambda nn: nn.RReLU(0.25, 0.25, inplace=True), _X,
          call=_inplace),
    layer("Hardtanh, bounds", lambda nn: nn.Hardtanh(-2, 0.5), _X),
    layer("ELU, alpha", lambda nn: nn.ELU(0.5, inplace=False), _X),
    layer("CELU, alpha", lambda nn: nn.CELU(0.5), _X),
    layer("LeakyReLU, slope", lambda nn: nn.LeakyReLU(0.2), _X),
    layer("GLU", lambda nn: nn.GLU(1), _X),
    layer("GELU, tanh", lambda nn: nn.GELU("tanh"), _X),
    layer("Softplus, beta", lambda nn: nn.Softplus(2, 1), _X),
    layer("Hardshrink, lambd", lambda nn: nn.Hardshrink(1), _X),
    layer("Softshrink, lambd", lambda nn: nn.Softshrink(0.1), _X),
    layer("PReLU, channels", lambda nn: nn.PReLU(4, 0.1), _X),
    layer("Softmax", lambda nn: nn.Softmax(dim=1), _X),
    layer("Softmin", lambda nn: nn.Softmin(-1), _X),
    layer("LogSoftmax", lambda nn: nn.LogSoftmax(0), _X),
    layer("Softmax2d", lambda nn: nn.Softmax2d(), (2, 3, 4, 2)),
]  # fmt: skip
