"""nn.utils and modules as functions: PyTorch's values, names, texts and errors."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from drawn import give_numbers

import gpugrad
from comparison import agree_on, pytorch
from gpugrad.testing import assert_agree, count_kernels

t: Any = gpugrad

PRELUDE = """
import warnings
nn, utils, func = torch.nn, torch.nn.utils, torch.func
P = utils.parametrize
def values(*shape):
    n = 1
    for k in shape:
        n *= k
    return (torch.arange(n, dtype=torch.float64) * 7.3 % 5 - 2).reshape(shape)
def linear(i=3, o=4, bias=True):
    m = nn.Linear(i, o, bias).double()
    for p in m.parameters():
        p.data.copy_(values(*p.shape))
    return m
def text(value):
    return str(value).replace("gpugrad", "torch")
def names(m):
    return [n for n, _ in m.named_parameters()], [n for n, _ in m.named_buffers()]
def grads(m, x):
    (m(x) ** 2).sum().backward()
    return [p.grad for p in m.parameters()]
def clean(value):
    if isinstance(value, list):
        return [clean(v) for v in value]
    return torch.where(value.abs() < 1e-12, 0.0, value)
class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).T
class Double(nn.Module):
    def forward(self, x):
        return 2 * x
    def right_inverse(self, x):
        return x / 2
class Pair(nn.Module):
    def forward(self, a, b):
        return a * b
    def right_inverse(self, x):
        return x.abs(), x.sign()
m = linear()
x = values(2, 3)
"""

CLIPPING = """
grads(m, x)
r = utils.clip_grad_norm_(m.parameters(), 2.5)
r, [p.grad for p in m.parameters()]

grads(m, x)
r = utils.clip_grad_norm_(m.weight, 1e9, norm_type=1)
r, m.weight.grad

grads(m, x)
utils.clip_grad_norm_(list(m.parameters()), 1.0, float('inf')), m.bias.grad

utils.clip_grad_norm_(m.parameters(), 1.0)

utils.clip_grad_norm_((p for p in []), 1.0)

utils.clip_grad_norm_([], 1.0)

grads(m, x)
m.weight.grad[0, 0] = float('nan')
utils.clip_grad_norm_(m.parameters(), 1.0, error_if_nonfinite=True)

grads(m, x)
m.weight.grad[0, 0] = float('inf')
utils.clip_grad_norm_(m.parameters(), 1.0), m.bias.grad

grads(m, x)
utils.clip_grad_value_(m.parameters(), 1.5)
[p.grad for p in m.parameters()]

grads(m, x)
utils.clip_grad_value_(m.bias, 0.5)
m.bias.grad, m.weight.grad

utils.get_total_norm([values(2), values(3, 2)]), utils.get_total_norm(values(5), 1.0)

utils.get_total_norm([]), utils.get_total_norm([values(2)], foreach=False)

grads(m, x)
utils.clip_grads_with_norm_(m.parameters(), 1.0, torch.tensor(4.0))
m.weight.grad

v = utils.parameters_to_vector(m.parameters())
v, v.requires_grad

utils.vector_to_parameters(values(16) * 2, m.parameters())
m.weight, m.bias, m.weight.requires_grad

utils.vector_to_parameters(3, m.parameters())

torch.norm_except_dim(values(2, 3, 4), 2, 0), torch.norm_except_dim(values(2, 3, 4), 1, 2)

torch.norm_except_dim(values(2, 3, 4), 2, -1), torch.norm_except_dim(values(2, 3, 4), 2, 1)

torch.norm_except_dim(values(3)), torch.norm_except_dim(values(3), dim=-1)
""".strip().split("\n\n")

PARAMETRIZING = """
m = P.register_parametrization(linear(3, 3), 'weight', Symmetric())
m.weight, names(m), text(m), grads(m, x), type(m).__name__

m = P.register_parametrization(linear(3, 3), 'weight', Double())
w = m.weight
m.weight = values(3, 3) + 1
w, m.weight, m.parametrizations.weight.original, list(m.state_dict())

m = P.register_parametrization(linear(3, 3), 'weight', Pair())
m.weight = values(3, 3) + 1
m.weight, names(m), grads(m, x), m.parametrizations.weight.ntensors

m = P.register_parametrization(linear(3, 3), 'weight', Symmetric())
P.register_parametrization(m, 'weight', Double())
text(m), m.weight, len(m.parametrizations.weight)

P.register_parametrization(m, 'weight', Double())
P.register_parametrization(m, 'bias', Double())
P.remove_parametrizations(m, 'weight')
a = type(m).__name__, m.weight, names(m)
P.remove_parametrizations(m, 'bias', leave_parametrized=False)
a, type(m).__name__, m.bias, names(m)

P.register_parametrization(m, 'weight', Pair())
P.remove_parametrizations(m, 'weight')
m.weight, type(m.weight).__name__, names(m)

P.register_parametrization(m, 'weight', Pair())
P.remove_parametrizations(m, 'weight', False)

m = linear(3, 3)
m.register_buffer('b', values(3, 3))
P.register_parametrization(m, 'b', Symmetric())
m.b, names(m), type(P.remove_parametrizations(m, 'b').b).__name__

P.is_parametrized(m), P.is_parametrized(P.register_parametrization(m, 'weight', Double()))

P.register_parametrization(m, 'weight', Double())
r = (
    P.is_parametrized(m, 'weight'), P.is_parametrized(m, 'bias'),
    P.type_before_parametrizations(m) is nn.Linear,
)
r

P.register_parametrization(m, 'weight', Double())
with P.cached():
    a, b = m.weight, m.weight
    with P.cached():
        c = m.weight
    d = m.weight
a is b, b is c, c is d, m.weight is a

P.register_parametrization(m, 'weight', Double())
made = copy.deepcopy(m)
made.weight = values(4, 3) * 3
type(made).__name__, made.weight, m.weight

P.register_parametrization(m, 'weight', Double())
pickle.dumps(m)

P.register_parametrization(m, 'weight', Double())
other = P.register_parametrization(linear(), 'weight', Double())
other.load_state_dict({k: v * 3 for k, v in m.state_dict().items()})
other.weight

P.register_parametrization(m, 'weight', Double())
other = P.transfer_parametrizations_and_params(m, linear())
r = (
    other.weight, names(other),
    other.parametrizations.weight.original is m.parametrizations.weight.original,
)
r

P.register_parametrization(m, 'weight', Pair())
other = P.transfer_parametrizations_and_params(m, nn.Identity(), 'weight')
other.weight, names(other), P.transfer_parametrizations_and_params(linear(), other) is other

P.register_parametrization(m.eval(), 'weight', Double()).parametrizations.weight[0].training

result = func.functional_call(
    P.register_parametrization(m, 'weight', Double()), {'bias': values(4) * 2}, (x,)
)
result

P.register_parametrization(m, 'nothing', Double())

P.register_parametrization(m, 'weight', nn.Flatten(0))

P.register_parametrization(m, 'weight', nn.Flatten(0), unsafe=True).weight.shape

class Float(nn.Module):
    def forward(self, x):
        return x.float()
P.register_parametrization(m, 'weight', Float())

class Number(nn.Module):
    def forward(self, x):
        return 3
P.register_parametrization(m, 'weight', Number())

class Back(Double):
    def right_inverse(self, x):
        return 3
P.register_parametrization(m, 'weight', Back())

class Back(Double):
    def right_inverse(self, x):
        return x.float()
P.register_parametrization(m, 'weight', Back())

class Back(Double):
    def right_inverse(self, x):
        return x, 3
P.register_parametrization(m, 'weight', Back())

class Back(Double):
    def right_inverse(self, x):
        raise NotImplementedError
m = P.register_parametrization(m, 'weight', Back())
m.weight

P.register_parametrization(m, 'weight', Symmetric(), unsafe=True).weight = values(4, 3)

P.register_parametrization(m, 'weight', Pair())
m.weight = values(4, 3).float()

P.register_parametrization(m, 'weight', Double())
m.weight = values(4, 3).float()

P.register_parametrization(m, 'weight', Double())
P.register_parametrization(m, 'weight', Number())

P.register_parametrization(m, 'weight', Double())
P.register_parametrization(m, 'weight', nn.Flatten(0))

P.register_parametrization(m, 'weight', Double())
P.register_parametrization(m, 'weight', Float())

class Back(Double):
    def right_inverse(self, x):
        return x.flatten()
P.register_parametrization(m, 'weight', Double())
P.register_parametrization(m, 'weight', Back())

P.remove_parametrizations(m, 'weight')

P.ParametrizationList([], m.weight)
""".strip().split("\n\n")

NORMS = """
m = utils.parametrizations.weight_norm(linear())
m.weight, names(m), text(m), grads(m, x)

m = utils.parametrizations.weight_norm(linear(), dim=None)
m.weight, m.parametrizations.weight.original0

m = utils.parametrizations.weight_norm(linear(), dim=1)
m.weight = values(4, 3) + 1
m.weight, m.parametrizations.weight.original0

m = utils.parametrizations.weight_norm(linear())
m.load_state_dict({'weight_g': values(4, 1), 'weight_v': values(4, 3) * 2, 'bias': values(4)})
m.weight, m.parametrizations.weight.original1

m = utils.weight_norm(linear())
m.weight, names(m), text(m), grads(m, x)

m = utils.weight_norm(linear(), dim=None)
m.weight_g, utils.remove_weight_norm(m).weight, names(m), len(m._forward_pre_hooks)

utils.weight_norm(utils.weight_norm(linear()))

utils.remove_weight_norm(linear())

utils.weight_norm(nn.LazyLinear(3))

copy.deepcopy(utils.weight_norm(linear()))

m = utils.parametrizations.spectral_norm(linear())
m.weight, names(m), text(m), grads(m, x), m.weight, m.eval().weight, m.weight

m = utils.parametrizations.spectral_norm(linear(), n_power_iterations=3, dim=1)
m.weight, m.parametrizations.weight[0]._u

m = utils.parametrizations.spectral_norm(linear(), 'bias')
m.bias, names(m)

m = utils.parametrizations.spectral_norm(linear())
m.weight = values(4, 3) + 1
m.weight

utils.parametrizations.spectral_norm(linear(), n_power_iterations=0)

utils.parametrizations.spectral_norm(linear(), dim=2)

utils.parametrizations.spectral_norm(linear(), 'nothing')

m = utils.spectral_norm(linear())
m(x), names(m), text(m), grads(m, x), m.weight, m.eval()(x), list(m.state_dict())

m = utils.spectral_norm(linear(), n_power_iterations=2, dim=1)
m(x)
utils.remove_spectral_norm(m)
r = (
    m.weight, names(m), len(m._forward_pre_hooks), len(m._state_dict_hooks),
)
r

m = utils.spectral_norm(linear())
s = m.state_dict()
s._metadata[''], m.load_state_dict(s)

m = utils.spectral_norm(linear())
m(x)
s = dict(m.state_dict())
del s['weight_v']
s['weight'] = m.weight.detach()
m.load_state_dict(s)
m.weight_v

m = utils.spectral_norm(linear())
m.load_state_dict({})

utils.spectral_norm(utils.spectral_norm(linear()))

utils.spectral_norm(linear(bias=False), 'bias')

utils.spectral_norm(linear(), n_power_iterations=0)

utils.spectral_norm(nn.LazyLinear(3))

utils.remove_spectral_norm(linear())

m = utils.parametrizations.orthogonal(linear(3, 3))
clean(m.weight @ m.weight.T), names(m), text(m), clean(m.weight)

m = utils.parametrizations.orthogonal(linear(3, 4))
clean(m.weight), clean(m.weight.T @ m.weight), clean(grads(m, x))

m = utils.parametrizations.orthogonal(linear(4, 3), orthogonal_map='cayley')
clean(m.weight), clean(grads(m, values(2, 4)))

m = utils.parametrizations.orthogonal(linear(4, 3), orthogonal_map='matrix_exp')
clean(m.weight), clean(grads(m, values(2, 4)))

m = utils.parametrizations.orthogonal(
    linear(4, 3), orthogonal_map='householder', use_trivialization=False
)
clean(m.weight), clean(grads(m, values(2, 4)))

m = utils.parametrizations.orthogonal(
    linear(4, 4), orthogonal_map='matrix_exp', use_trivialization=False
)
clean(m.weight), names(m), clean(grads(m, values(2, 4)))

m = utils.parametrizations.orthogonal(linear(3, 3))
m.weight = torch.eye(3, dtype=torch.float64).flip(0)
m.weight

m = utils.parametrizations.orthogonal(
    linear(3, 3), orthogonal_map='cayley', use_trivialization=False
)
m.weight = torch.eye(3, dtype=torch.float64)

m = utils.parametrizations.orthogonal(linear(3, 3))
m.weight = values(2, 3)

m = nn.Module()
m.w = nn.Parameter(torch.complex(values(3, 2), values(3, 2) + 1))
utils.parametrizations.orthogonal(m, 'w').w

m = nn.Module()
m.w = nn.Parameter(torch.complex(values(3, 2), values(3, 2) + 1))
utils.parametrizations.orthogonal(m, 'w', 'householder')

utils.parametrizations.orthogonal(linear(), 'nothing')

utils.parametrizations.orthogonal(linear(), 'bias')

utils.parametrizations.orthogonal(linear(), orthogonal_map='other')
""".strip().split("\n\n")

PRUNING = """
prune.l1_unstructured(m, 'weight', 0.4)
m.weight, m.weight_mask, names(m), grads(m, x), prune.is_pruned(m)

prune.l1_unstructured(m, 'weight', 5)
prune.ln_structured(m, 'weight', 1, 2, 0)
prune.l1_unstructured(m, 'weight', 0.5)
hook = next(iter(m._forward_pre_hooks.values()))
m.weight_mask, len(hook), [type(h).__name__ for h in hook], type(hook[0]).__name__

prune.ln_structured(m, 'weight', 0.5, float('inf'), 1, importance_scores=values(4, 3) ** 2)
m.weight_mask

prune.ln_structured(m, 'weight', 1, 1, dim=-1)
m.weight_mask

prune.l1_unstructured(m, 'weight', 3, importance_scores=-values(4, 3))
m.weight_mask

prune.random_unstructured(m, 'weight', 0.25)
m.weight_mask.sum()

prune.random_structured(m, 'weight', 2, 0)
m.weight_mask.sum(), m.weight_mask.sum(1).sort().values

prune.identity(m, 'bias')
m.bias, m.bias_mask, prune.is_pruned(nn.Sequential(m)), prune.is_pruned(linear())

prune.custom_from_mask(m, 'weight', values(4, 3) > 0)
prune.remove(m, 'weight')
m.weight, names(m), len(m._forward_pre_hooks), type(m.weight).__name__

other = linear(2, 2)
prune.global_unstructured(
    [(m, 'weight'), (other, 'weight'), (m, 'bias')], prune.L1Unstructured, amount=0.5
)
m.weight_mask, other.weight_mask, m.bias_mask

prune.l1_unstructured(m, 'weight', 2)
scores = {(m, 'weight'): values(4, 3) + 3}
prune.global_unstructured([(m, 'weight'), (m, 'bias')], prune.L1Unstructured, scores, amount=6)
m.weight_mask, m.bias_mask

r = (
    prune.L1Unstructured(2).prune(values(2, 3)),
    prune.L1Unstructured(2).prune(values(2, 3), importance_scores=-values(2, 3) - 5),
)
r

prune.l1_unstructured(m, 'weight', 0)
m.weight_mask.sum()

m2 = copy.deepcopy(prune.l1_unstructured(m, 'bias', 1).double())
m2(x)

pickle.loads(pickle.dumps(linear())).weight

prune.l1_unstructured(m, 'weight', -1)

prune.l1_unstructured(m, 'weight', 1.5)

prune.l1_unstructured(m, 'weight', 'a')

prune.l1_unstructured(m, 'weight', 100)

try:
    prune.l1_unstructured(m, 'weight', 100)
except ValueError:
    pass
names(m), 'weight_orig' in m._parameters

prune.ln_structured(m, 'bias', 1, 1, 0)

prune.ln_structured(m, 'weight', 1, 1, 2)

prune.l1_unstructured(m, 'weight', 1, importance_scores=values(2))

prune.L1Unstructured(1).prune(values(3), importance_scores=values(2))

prune.custom_from_mask(m, 'weight', values(3, 3))

prune.remove(m, 'weight')

prune.global_unstructured(3, prune.L1Unstructured)

prune.global_unstructured([(m, 'weight')], prune.L1Unstructured, [1], amount=1)

prune.global_unstructured([(m, 'weight')], prune.LnStructured, amount=1, n=1)

prune.PruningContainer().add_pruning_method(3)

c = prune.PruningContainer()
c._tensor_name = 'a'
b = prune.L1Unstructured(1)
b._tensor_name = 'b'
try:
    c.add_pruning_method(b)
except ValueError as e:
    told = str(e).replace(str(c), 'c')
told

class Odd(prune.BasePruningMethod):
    PRUNING_TYPE = 'odd'
    def compute_mask(self, t, default_mask):
        return default_mask
Odd.apply(m, 'weight')
Odd.apply(m, 'weight')

class Odd(prune.BasePruningMethod):
    PRUNING_TYPE = 'structured'
    def compute_mask(self, t, default_mask):
        return default_mask
Odd.apply(m, 'weight')
Odd.apply(m, 'weight')
""".strip().split("\n\n")

FUNCTIONS = """
s = {'weight': values(4, 3) * 2, 'bias': torch.zeros(4, dtype=torch.float64)}
func.functional_call(m, s, (x,)), m(x), func.functional_call(m, {'bias': s['bias']}, x)

func.functional_call(m, ({'weight': values(4, 3)}, {'bias': values(4)}), (x,))

net = nn.Sequential(linear(3, 3), linear(3, 3))
net[1].weight = net[0].weight
r = (
    func.functional_call(net, {'0.weight': values(3, 3) * 2}, x),
    func.functional_call(net, {'1.weight': values(3, 3) * 2}, x),
)
r

net = nn.Sequential(linear(3, 3), linear(3, 3))
net[1].weight = net[0].weight
func.functional_call(net, {'0.weight': values(3, 3) * 2}, x, tie_weights=False)

net = nn.Sequential(linear(3, 3), linear(3, 3))
net[1].weight = net[0].weight
func.functional_call(net, {'0.weight': values(3, 3), '1.weight': values(3, 3)}, x)

class Count(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer('n', torch.tensor(1.0))
    def forward(self, x):
        self.n = self.n + 1
        return x * self.n
c = Count()
given = {'n': torch.tensor(5.0)}
func.functional_call(c, given, torch.ones(1)), given, c.n

class Other(nn.Module):
    def forward(self, x, *, y=1.0):
        return x * self.extra * y
o = Other()
func.functional_call(o, {'extra': torch.tensor(3.0)}, x, {'y': 2.0}), hasattr(o, 'extra')

func.functional_call(m, {'weight': values(4, 3)}, x, strict=True)

given = {'weight': values(4, 3), 'bias': values(4), 'more': values(1), 'a': values(1)}
func.functional_call(m, given, x, strict=True)

func.functional_call(m, {'deep.weight': values(4, 3)}, x)

func.functional_call(m, {'weight': 3}, x)

func.functional_call(m, 3, x)

func.functional_call(m, [3], x)

func.functional_call(m, [{'weight': values(4, 3)}, {'weight': values(4, 3)}], x)

utils.stateless.functional_call(m, {'bias': values(4) * 2}, (x,))

try:
    func.functional_call(m, {'weight': values(2, 2)}, x)
except RuntimeError:
    pass
m.weight

params = dict(m.named_parameters())
func.grad(lambda p: (func.functional_call(m, p, (x,)) ** 2).sum())(params)

def loss(p, row):
    return (func.functional_call(m, p, (row,)) ** 2).sum()
params = {k: v.detach() for k, v in m.named_parameters()}
g = func.vmap(func.grad(loss), (None, 0))(params, x)
g, [v.shape for v in g.values()]

models = [linear(), linear()]
models[1].weight.data *= 3
params, buffers = func.stack_module_state(models)
r = func.vmap(lambda p, b, x: func.functional_call(models[0], (p, b), x), (0, 0, None))(
    params, buffers, x
)
r, [(k, v.shape, v.requires_grad, v.is_leaf) for k, v in params.items()], buffers

models = nn.ModuleList([linear(), linear()]).requires_grad_(False)
{k: v.requires_grad for k, v in func.stack_module_state(models)[0].items()}

models = [linear(), linear().requires_grad_(False)]
func.stack_module_state(models)

func.stack_module_state([])

func.stack_module_state([linear(), nn.Identity()])

func.stack_module_state([linear(), linear().eval()])

params = {k: v.detach() for k, v in m.named_parameters()}
func.jacrev(lambda p: func.functional_call(m, p, (x,)).sum(0))(params)

params = {k: v.detach() for k, v in m.named_parameters()}
tangents = {k: torch.ones_like(v) for k, v in params.items()}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    r = func.jvp(lambda p: func.functional_call(m, p, (x,)), (params,), (tangents,))
r

net = nn.Sequential(linear(3, 3), linear(3, 1))
params = {k: v.detach() for k, v in net.named_parameters()}
func.hessian(lambda v: func.functional_call(net, params, (v,)).exp().sum())(x[0])

r = (
    torch.autograd.functional.jacobian(m, x),
    torch.autograd.functional.hessian(lambda v: m(v).pow(3).sum(), x),
)
r
""".strip().split("\n\n")

FUSING = """
a, b = utils.fuse_conv_bn_weights(
    values(2, 3, 1, 1), None, values(2), values(2) + 3, 0.1, values(2), values(2)
)
a, b, a.requires_grad, b.requires_grad, type(a).__name__

w = nn.Parameter(values(3, 2, 2))
utils.fuse_conv_bn_weights(w, values(2), values(2), values(2) + 3, 0.1, None, None, transpose=True)

result = utils.fuse_linear_bn_weights(
    values(2, 3), values(2), values(2), values(2) + 3, 0.1, values(2), values(2)
)
result

result = utils.fuse_linear_bn_weights(
    values(2, 3), None, values(2), values(2) + 3, 0.1, values(2), values(2)
)
result

utils.fuse_linear_bn_eval(linear(), linear())

c, b = nn.Conv2d(2, 3, 3).double(), nn.BatchNorm2d(3).double()
for p in [*c.parameters(), *b.parameters(), b.running_mean]:
    p.data.copy_(values(*p.shape))
f = utils.fuse_conv_bn_eval(c.eval(), b.eval())
v = values(1, 2, 5, 5)
f(v), (f(v) - b(c(v))).abs().max() < 1e-12, text(f), f.weight.requires_grad

c, b = nn.ConvTranspose2d(2, 3, 3, bias=False).double(), nn.BatchNorm2d(3).double()
for p in [*c.parameters(), *b.parameters(), b.running_mean]:
    p.data.copy_(values(*p.shape))
f = utils.fuse_conv_bn_eval(c.eval(), b.eval(), transpose=True)
f(values(1, 2, 4, 4)), f.bias.requires_grad

m, b = linear(), nn.BatchNorm1d(4).double()
utils.fuse_linear_bn_eval(m.eval(), b.eval())(x), utils.fuse_linear_bn_eval(m, b).bias

utils.fuse_linear_bn_eval(linear().eval(), nn.BatchNorm1d(3).eval())

b = nn.BatchNorm1d(2, track_running_stats=False).eval()
utils.fuse_conv_bn_eval(nn.Conv1d(1, 2, 1).eval(), b)

m = nn.ConvTranspose2d(2, 3, 3).double()
m.weight.data.copy_(values(2, 3, 3, 3))
utils.parametrizations.spectral_norm(m).weight, m.parametrizations.weight[0]._u.shape

m = nn.Conv2d(2, 3, 3).double()
m.weight.data.copy_(values(3, 2, 3, 3))
m = utils.parametrizations.weight_norm(m)
m.weight, m.parametrizations.weight.original0, text(m)

m = nn.Sequential(nn.Conv2d(2, 3, 3))
utils.convert_conv2d_weight_memory_format(m, torch.channels_last)
m[0].weight.is_contiguous(memory_format=torch.channels_last), m[0].weight.stride()

m = nn.Conv2d(2, 3, 3).double()
m.weight.data.copy_(values(3, 2, 3, 3))
prune.ln_structured(m, 'weight', 1, 2, 0)
m.weight_mask.sum((1, 2, 3)), m(values(1, 2, 4, 4)).shape

m = utils.skip_init(nn.Conv2d, 2, 3, 3)
m.weight.shape, text(m)

utils.fuse_conv_bn_eval(linear(), linear())

m = utils.skip_init(nn.Linear, 2, 3, dtype=torch.float64)
m.weight.shape, m.weight.dtype == torch.float64, text(m), m.weight.requires_grad

utils.skip_init(nn.Flatten)

utils.skip_init(int)

utils.convert_conv2d_weight_memory_format(m, torch.channels_last) is m
""".strip().split("\n\n")


@pytest.mark.parametrize("text", CLIPPING + PARAMETRIZING + NORMS + PRUNING + FUNCTIONS + FUSING)
def test_does_what_pytorch_does(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in pytorch(), t:
        give_numbers(library, monkeypatch)
    snippet = f"{PRELUDE}from importlib import import_module\n"
    snippet += "prune = import_module(f'{utils.__name__}.prune')\n"
    found, _ = agree_on(snippet + text, "cpu", warned=True)
    assert not isinstance(found, tuple) or "SyntaxError" not in found


def test_initialisation_is_skipped_inside_only() -> None:
    t.manual_seed(0)
    before = t.get_rng_state()
    t.nn.utils.skip_init(t.nn.Linear, 200, 300)
    assert (t.get_rng_state() == before).all()
    t.nn.Linear(2, 3)
    assert not (t.get_rng_state() == before).all()


def test_gradients_are_clipped_where_they_are(device: str) -> None:
    p = t.nn.Parameter(t.ones(3, device=device))
    p.grad = t.full((3,), 4.0, device=device)
    grad = p.grad
    total = t.nn.utils.clip_grad_norm_([p], 1.0)
    assert p.grad is grad
    assert total.device == p.device
    assert abs(float(grad.norm()) - 1) < 1e-5


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_norms_of_many_gradients_lose_no_digit(scale: float) -> None:
    """Their squares may leave the range of the type; some are long, and one is a number."""
    random = np.random.default_rng(0)
    arrays = [random.standard_normal(s) * scale for s in (3, (2, 2000), (50, 41), ())]
    parameters = [gpugrad.nn.Parameter(gpugrad.zeros(np.shape(a))) for a in arrays]
    for p, a in zip(parameters, arrays, strict=True):
        p.grad = gpugrad.tensor(a, dtype=gpugrad.float32)
    wanted = np.sqrt(sum(np.square(a).sum() for a in arrays))
    versions = [p.grad._version for p in parameters]
    total = gpugrad.nn.utils.clip_grad_norm_(parameters, wanted / 2)
    assert abs(total.item() / wanted - 1) < 1e-6
    for p, a, before in zip(parameters, arrays, versions, strict=True):
        by = wanted / 2 / (wanted + 1e-6)
        np.testing.assert_allclose(p.grad.numpy(), a * by, rtol=1e-5, atol=1e-44)
        assert p.grad._version > before


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_gradients_are_clipped_by_few_kernels_on_a_gpu(dtype: str) -> None:
    """A kernel finds the norm, four, or five of half precision, the factor, and one multiplies."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((3, 5), (), (0,), (7,), (2000,))]
    kind = getattr(gpugrad, dtype)
    several = []
    for device in "cpu", "cuda":
        tensors = [gpugrad.tensor(a, dtype=kind, device=device, requires_grad=True) for a in arrays]
        for t in tensors:
            t.grad = t.detach() * 2
        with count_kernels() as launched:
            norm = gpugrad.nn.utils.clip_grad_norm_(tensors, 3.0)
        assert launched.total == (0 if device == "cpu" else 7 if kind.itemsize == 2 else 6)
        grads: Any = [t.grad for t in tensors]
        tensors[0].grad = grads[0].t().contiguous().t()  # a view, of columns
        again = gpugrad.nn.utils.clip_grad_norm_(tensors, 1.0)
        several.append([norm.cpu(), again.cpu(), *(cast("Any", t.grad).cpu() for t in tensors)])
    near = {"float16": 2e-3, "bfloat16": 1.6e-2, "float32": 1e-6, "float64": 1e-14}[dtype]
    for one, other in zip(*several, strict=True):
        assert_agree(one, other, near, near)
