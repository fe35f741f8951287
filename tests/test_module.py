"""What a module is and does: names, hooks, states, conversions, texts and errors, as PyTorch's."""

from __future__ import annotations

import pytest

from comparison import agree_on

NET = """
nn = torch.nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.rest = nn.Sequential(nn.Linear(3, 3), nn.Identity())
        self.register_buffer("scale", torch.full((3,), 2.0))
        self.register_buffer("count", torch.tensor(0), persistent=False)
        self.tied = self.first
    def forward(self, x, factor=1.0, *, shift=0.0):
        return self.rest(self.first(x)) * self.scale * factor + shift
net = Net()
for k, p in enumerate(net.parameters()):
    torch.nn.init.constant_(p, 0.1 * (k + 1))
x = torch.ones(2, 2, requires_grad=True)
net.to(x.device)
told = []
"""

NAMES = """
r = [
    [name for name, _ in getattr(net, f'named_{what}')(remove_duplicate=same)]
    for what in ('parameters', 'buffers', 'modules') for same in (True, False)
]
r

r = [
    [name for name, _ in getattr(net, f'named_{what}')('top', recurse=False)]
    for what in ('parameters', 'buffers')
]
r

[name for name, _ in net.named_children()], len(list(net.modules())), len(list(net.buffers()))

[type(m).__name__ for m in net.modules(remove_duplicate=False)]

r = (
    [n for n in dir(net) if n in ('first', 'scale', 'weight', '0', 'forward', 'training')],
    '0' in dir(net.rest),
)
r

net.first is net.tied, net.get_submodule('rest.0') is net.rest[0], net.get_submodule('') is net

net.get_parameter('rest.0.bias'), net.get_buffer('scale')

repr(net)

list(net.state_dict()), list(net.state_dict(prefix='a.')), net.state_dict()._metadata

net.state_dict()['first.weight'].requires_grad, net.state_dict(keep_vars=True)['scale'] is net.scale

d = {}
net.state_dict(d, 'p.', True)
list(d), d['p.first.weight'] is net.first.weight

net.eval().training, net.rest[0].training, net.train().training

net.apply(lambda m: told.append(type(m).__name__)) is net, told

net.requires_grad_(False) is net, [p.requires_grad for p in net.parameters()]

net(x).sum().backward()
net.zero_grad(False)
[p.grad for p in net.parameters()]

net(x).sum().backward()
net.zero_grad()
[p.grad for p in net.parameters()]

for p in net.parameters():
    p.grad = p * 2
net.zero_grad(set_to_none=False)
net.first.bias.grad, net.first.bias.grad.requires_grad

net(x, 2.0, shift=1.0)

nn.Module().extra_repr(), repr(nn.Module()), nn.Module()._get_name()

net.set_submodule('rest.1', nn.Flatten())
repr(net.rest)

net.set_submodule('other', nn.Flatten())
repr(net.other)

vars(net.first).keys() - vars(nn.Linear(1, 1)).keys()
""".strip().split("\n\n")

ATTRIBUTES = """
net.first = None
net.first, list(net._modules)

net.scale = None
net.scale, list(net.state_dict())

net.first.bias = None
net.first.bias, list(net.first._parameters), net.first(x).shape

net.scale = torch.ones(3)
'scale' in net._buffers, 'scale' in vars(net)

net.count = nn.Parameter(torch.ones(1))
list(net._buffers), list(net._parameters), net._non_persistent_buffers_set

net.scale = nn.Identity()
list(net._buffers), list(net._modules)

net.first = nn.Parameter(torch.ones(1))
list(net._modules), list(net._parameters)

net.other = 3
net.other = nn.Identity()
'other' in vars(net), 'other' in net._modules

net.other = nn.Buffer(torch.ones(2), persistent=False)
list(net._buffers), 'other' in net.state_dict()

net.scale = nn.Buffer(torch.ones(2))
list(net.state_dict())[-1], net.scale

del net.scale, net.first, net.rest[0].bias
list(net._buffers), list(net._modules), list(net.rest.state_dict())

del net.count
net._non_persistent_buffers_set

net.note = 'a'
del net.note
hasattr(net, 'note')

net.register_parameter('w', None)
net.w, list(net._parameters)

net.register_buffer('w', None)
net.w, list(net._buffers)

net.add_module('w', None)
net.w, repr(net)

net.register_module('w', nn.Identity())
net.w is net._modules['w']

net.register_buffer('scale', torch.ones(1), persistent=False)
list(net.state_dict())

net.missing

del net.missing

net.first = 3

net.first.weight = torch.ones(3, 2)

net.scale = 3

net.register_parameter('w', torch.ones(1))

net.register_parameter('w', 3)

net.register_parameter('a.b', None)

net.register_parameter('', None)

net.register_parameter(3, None)

net.register_parameter('forward', nn.Parameter(torch.ones(1)))

net.register_parameter('w', nn.Parameter(torch.ones(1)).as_subclass(torch.nn.Parameter) * 1)

try:
    net.register_buffer('w', 3)
except TypeError as e:
    told.append(str(e).replace('gpugrad', 'torch'))
told

net.register_buffer('a.b', torch.ones(1))

net.register_buffer('', torch.ones(1))

net.register_buffer(None, torch.ones(1))

net.register_buffer('first', torch.ones(1))

net.add_module('a', 3)

net.add_module('a', nn.Linear)

net.add_module(3, nn.Identity())

net.add_module('a.b', nn.Identity())

net.add_module('', nn.Identity())

net.add_module('scale', nn.Identity())

net.get_submodule('rest.5')

net.get_submodule('first.weight')

net.get_parameter('first.nothing')

net.get_parameter('scale')

net.get_buffer('first.weight')

net.get_buffer('none')

net.set_submodule('', nn.Identity())

net.set_submodule('first', 3)

net.set_submodule('first.weight', nn.Identity())

net.set_submodule('nothing', nn.Identity(), strict=True)

net.set_submodule('nothing.deep', nn.Identity())

net.train(1)

nn.Module()(1)

nn.Module(3)

nn.Module(a=3)

net.get_extra_state()

net.set_extra_state(3)

class Early(nn.Module):
    def __init__(self):
        self.w = nn.Parameter(torch.ones(1))
Early()

class Early(nn.Module):
    def __init__(self):
        self.w = nn.Linear(1, 1)
Early()

class Early(nn.Module):
    def __init__(self):
        self.register_buffer('w', torch.ones(1))
Early()

class Early(nn.Module):
    def __init__(self):
        self.w = nn.Buffer(torch.ones(1))
Early()

class Early(nn.Module):
    def __init__(self):
        self.register_parameter('w', None)
Early()

class Own(nn.Module):
    def register_buffer(self, name, tensor):
        super().register_buffer(name, tensor)
m = Own()
m.b = nn.Buffer(torch.ones(1))
m.c = nn.Buffer(torch.ones(1), persistent=False)

class Base:
    def __init__(self, a, b=2):
        self.a = a, b
class Both(nn.Module, Base):
    call_super_init = True
    def __init__(self):
        super().__init__(1, b=3)
Both().a
""".strip().split("\n\n")

STATES = """
other = Net()
r = repr(other.load_state_dict(net.state_dict()))
r, other.first.weight, other.first.weight is net.first.weight

s = net.state_dict()
del s['scale']
s['extra'] = torch.ones(1)
s['first.more'] = torch.ones(1)
net.load_state_dict(s)

s = net.state_dict()
del s['scale']
s['extra'] = torch.ones(1)
r = net.load_state_dict(s, strict=False)
repr(r), r.missing_keys, r.unexpected_keys, str(r)

net.load_state_dict({'first.weight': torch.ones(2, 3), 'first.bias': torch.ones(1)}, strict=False)

net.load_state_dict({'first.weight': 3}, strict=False)

net.load_state_dict({'first.weight': np.ones((3, 2))}, strict=False)

net.load_state_dict([1, 2])

net.load_state_dict({})

given = {'weight': torch.ones(1, 1), 'bias': torch.ones(1), 'deep.er': torch.ones(1)}
nn.Linear(1, 1).load_state_dict(given)

w = torch.ones(3, 2)
r = net.load_state_dict({'first.weight': w, 'scale': torch.zeros(3)}, strict=False, assign=True)
r = (
    net.first.weight.data_ptr() == w.data_ptr(), type(net.first.weight).__name__,
    net.first.weight.requires_grad, net.scale,
)
r

w = nn.Parameter(torch.ones(3, 2), requires_grad=False)
net.load_state_dict({'first.weight': w}, False, True)
net.first.weight is w, w.requires_grad

w = torch.ones(3, 2, dtype=torch.float64)
net.load_state_dict({'first.weight': w}, False)
net.first.weight

w = torch.ones(3, 2, dtype=torch.float64)
net.load_state_dict({'first.weight': w}, False, True)
net.first.weight.dtype == torch.float64

m = nn.Module()
m.n = nn.Parameter(torch.tensor(1.0))
m.load_state_dict({'n': torch.tensor([2.0])})
m.n

class Extra(nn.Module):
    def get_extra_state(self):
        return {'a': 1}
    def set_extra_state(self, state):
        told.append(state)
m = nn.Sequential(Extra())
s = m.state_dict()
m.load_state_dict(s)
s, told

class Extra(nn.Module):
    def get_extra_state(self):
        return 1
    def set_extra_state(self, state):
        pass
nn.Sequential(Extra()).load_state_dict({})

nn.Sequential(nn.Identity()).load_state_dict({'0._extra_state': 1})

class Version(nn.Module):
    _version = 3
    def _load_from_state_dict(self, state, prefix, about, *args):
        told.append((prefix, dict(about)))
        super()._load_from_state_dict(state, prefix, about, *args)
m = nn.Sequential(Version())
m.load_state_dict(m.state_dict())
told

net.register_state_dict_pre_hook(lambda m, prefix, keep: told.append((m is net, prefix, keep)))
net.state_dict(prefix='a.')
told

net.register_state_dict_post_hook(
    lambda m, s, prefix, about: s.update(more=len(s), about=dict(about))
)
s = net.state_dict()
s['more'], s['about']

net.register_state_dict_post_hook(lambda m, s, prefix, about: s)
net.state_dict()

net._register_state_dict_hook(lambda m, s, prefix, about: {'all': 1})
net.state_dict()

def hook(m, s, prefix, about): pass
net.register_state_dict_post_hook(hook)
net._register_state_dict_hook(hook)

def hook(m, s, prefix, about, strict, missing, unexpected, errors):
    told.append((m is net.first, prefix, about, strict))
    s[prefix + 'weight'] = torch.ones(3, 2)
h = net.first.register_load_state_dict_pre_hook(hook)
net.load_state_dict(net.state_dict())
h.remove()
net.load_state_dict(net.state_dict())
told, net.first.weight

def hook(s, prefix, about, strict, missing, unexpected, errors):
    errors.append('no ' + prefix)
net.rest._register_load_state_dict_pre_hook(hook)
net.load_state_dict(net.state_dict())

net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
net.load_state_dict({})

net.register_load_state_dict_post_hook(lambda m, keys: keys)
net.load_state_dict(net.state_dict())

new = pickle.loads(pickle.dumps(net.state_dict()))
list(new), type(new).__name__, new._metadata
""".strip().split("\n\n")

CONVERSIONS = """
r = (
    net.double() is net, net.first.weight.dtype == torch.float64,
    net.count.dtype == torch.int64, net.scale.dtype == torch.float64,
)
r

p = net.first.weight
net(x).sum().backward()
net.to(torch.float64)
net.first.weight is p, p.dtype == torch.float64, p.grad.dtype == torch.float64, p.requires_grad

r = (
    net.half().first.weight.dtype == torch.float16,
    net.bfloat16().scale.dtype == torch.bfloat16, net.float().scale.dtype == torch.float32,
)
r

net.type(torch.float64).count.dtype == torch.float64

net.to(torch.ones(1, dtype=torch.float64)).first.bias.dtype == torch.float64

net.to('cpu', torch.float64, non_blocking=True).first.bias.dtype == torch.float64

net.to(device='cpu', dtype=torch.float64).first.bias.dtype == torch.float64

net.to(dtype=torch.float64).first.bias.dtype == torch.float64

net.to(torch.float64, non_blocking=True).first.bias.dtype == torch.float64

net.to(torch.complex64).first.weight.dtype == torch.complex64

net.to(memory_format=torch.channels_last) is net

m = nn.Module()
m.w = nn.Parameter(torch.ones(2, 3, 4, 5))
m.to(memory_format=torch.channels_last).w.is_contiguous(memory_format=torch.channels_last)

net.to(torch.int32)

net.to(dtype=torch.int64)

r = (
    net.cpu() is net, net.to_empty(device='cpu').first.weight.shape,
    net.to_empty(device='cpu', recurse=False) is net,
)
r

made = copy.deepcopy(net)
r = (
    made.first is made.tied, made.first.weight is net.first.weight, list(made.state_dict()),
    made.count, made.first.weight,
)
r

made = copy.copy(net)
made.first is net.first, made._parameters is net._parameters

made = pickle.loads(pickle.dumps(nn.Sequential(nn.Linear(2, 1), nn.Flatten())))
repr(made), made[0].weight.requires_grad, type(made[0].weight).__name__

h = net.first.register_forward_hook(lambda m, a, r: r * 2)
made = copy.deepcopy(net)
(made(x) == net(x)).all(), len(made.first._forward_hooks)
""".strip().split("\n\n")

HOOKS = """
net.register_forward_pre_hook(lambda m, args: told.append(('pre', len(args))))
net.register_forward_hook(lambda m, args, r: told.append(('post', len(args), r.shape)))
net(x, 2.0, shift=1.0)
told

net.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
net.register_forward_pre_hook(lambda m, args: args[0] + 1, prepend=True)
net.register_forward_hook(lambda m, args, r: (args[0], r))
net(x)

net.register_forward_pre_hook(
    lambda m, args, kwargs: ((args[0],), {'shift': 5.0}), with_kwargs=True
)
net.register_forward_hook(lambda m, args, kwargs, r: (kwargs, r), with_kwargs=True)
net(x)

net.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
net(x)

for k in range(3):
    net.register_forward_hook(lambda m, a, r, k=k: told.append(k), prepend=k == 2)
net(x)
told

h = net.register_forward_hook(lambda m, a, r: told.append(1))
with h:
    net(x)
net(x)
h.remove()
told, len(net._forward_hooks)

h = net.register_forward_hook(lambda m, a, k, r: told.append(1), with_kwargs=True, always_call=True)
h.remove()
len(net._forward_hooks_with_kwargs), len(net._forward_hooks_always_called)

net.register_forward_hook(lambda m, a, r: told.append(('always', r)), always_call=True)
net.register_forward_hook(lambda m, a, r: told.append('other'))
try:
    net(x, nothing=1)
except TypeError:
    told.append('raised')
told

def bad(m, a, r): raise ValueError('bad hook')
net.register_forward_hook(bad, always_call=True)
net(x, nothing=1)

def bad(m, a, r): raise ValueError('bad hook')
net.register_forward_hook(bad)
net.register_forward_hook(lambda m, a, r: told.append('later'), always_call=True)
try:
    net(x)
except ValueError:
    pass
told

net.register_full_backward_hook(lambda m, gi, go: told.append((gi, go)))
net(x).sum().backward()
told, x.grad

net.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
net(x).sum().backward()
x.grad

net.register_full_backward_pre_hook(lambda m, go: (go[0] * 10,))
net(x).sum().backward()
x.grad

net.register_full_backward_pre_hook(lambda m, go: told.append(1))
net.register_full_backward_pre_hook(lambda m, go: told.append(2), prepend=True)
net.register_full_backward_hook(lambda m, gi, go: told.append(3))
net.register_full_backward_hook(lambda m, gi, go: told.append(4), prepend=True)
net(x).sum().backward()
told

net.register_full_backward_hook(lambda m, gi, go: told.append((gi, len(go))))
net(torch.ones(2, 2)).sum().backward()
told

net.register_full_backward_hook(lambda m, gi, go: (torch.ones(1),))
net(torch.ones(2, 2)).sum().backward()

net.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
net(x).sum().backward()

net.register_full_backward_pre_hook(lambda m, go: (go[0], go[0]))
net(x).sum().backward()

net.register_full_backward_hook(lambda m, gi, go: told.append([g is None for g in gi]))
net(x, 2.0).sum().backward()
told

net.register_full_backward_hook(lambda m, gi, go: told.append(1))
with torch.no_grad():
    y = net(x)
y.requires_grad, told

class Two(nn.Module):
    def forward(self, a, b):
        return a * b, 3, a + b
m = Two()
m.register_full_backward_hook(lambda m, gi, go: told.append((len(gi), [g is None for g in go])))
a, n, b = m(x, x * 2)
(a + b).sum().backward()
told, n

class Dict(nn.Module):
    def forward(self, a):
        return {'a': a * 2}
m = Dict()
m.register_full_backward_hook(lambda m, gi, go: told.append(1))
m(x)['a'].sum().backward()
told

from collections import namedtuple
Pair = namedtuple('Pair', 'a b')
class Named(nn.Module):
    def forward(self, a):
        return Pair(a * 2, a + 1)
m = Named()
m.register_full_backward_hook(lambda m, gi, go: told.append(len(go)))
r = m(x)
r.a.sum().backward()
type(r).__name__, told

net.register_full_backward_hook(lambda m, gi, go: told.append(gi[0].requires_grad))
(g,) = torch.autograd.grad(net(x).pow(2).sum(), x, create_graph=True)
g.sum().backward()
told, x.grad

net.first.register_backward_hook(lambda m, gi, go: told.append((len(gi), go)))
net(x).sum().backward()
told

class Out(nn.Module):
    def forward(self, a):
        return [a * 2]
m = Out()
m.register_backward_hook(lambda m, gi, go: told.append(len(go)))
m(x)[0].sum().backward()
told

class Out(nn.Module):
    def forward(self, a):
        return a * 2, a.exp()
m = Out()
m.register_backward_hook(lambda m, gi, go: told.append(len(go)))
m(x)[0].sum().backward()
told

class Out(nn.Module):
    def forward(self, a):
        return (a * 2).exp()
m = Out()
m.register_backward_hook(lambda m, gi, go: told.append(len(go)))
m(x * 1).sum().backward()
told

net.register_backward_hook(lambda m, gi, go: None)
net.register_full_backward_hook(lambda m, gi, go: None)

net.register_full_backward_hook(lambda m, gi, go: None)
net.register_backward_hook(lambda m, gi, go: None)
""".strip().split("\n\n")

EVERY = """
h = module.register_module_forward_pre_hook(lambda m, a: told.append(type(m).__name__))
net(x)
h.remove()
net(x)
told

h = module.register_module_forward_hook(lambda m, a, r: r + 1)
y = net(x)
h.remove()
y

h = module.register_module_forward_hook(lambda m, a, k, r: told.append(k), with_kwargs=True)
y = net(x, shift=2.0)
h.remove()
told

h = module.register_module_forward_hook(lambda m, a, r: told.append(r), always_call=True)
try:
    net(x, wrong=1)
except TypeError:
    pass
h.remove()
told

def bad(m, a, r): raise ValueError('bad')
h = module.register_module_forward_hook(bad, always_call=True)
try:
    net(x, wrong=1)
except TypeError:
    told.append(1)
h.remove()
told

h = module.register_module_full_backward_hook(lambda m, gi, go: told.append(type(m).__name__))
net(x).sum().backward()
h.remove()
told

h = module.register_module_full_backward_pre_hook(lambda m, go: told.append(type(m).__name__))
net(x).sum().backward()
h.remove()
told

h = module.register_module_parameter_registration_hook(lambda m, n, p: told.append((n, p.shape)))
Net()
h.remove()
told

h = module.register_module_buffer_registration_hook(lambda m, n, b: b * 2)
n = Net()
h.remove()
n.scale

h = module.register_module_module_registration_hook(
    lambda m, n, c: told.append((n, type(c).__name__))
)
n = Net()
n.first = None
h.remove()
told
""".strip().split("\n\n")


@pytest.mark.parametrize("text", [*NAMES, *ATTRIBUTES, *STATES])
def test_a_module_holds_what_pytorchs_does(text: str) -> None:
    found, _ = agree_on(NET + text, "cpu", warned=True)
    assert not isinstance(found, tuple) or "SyntaxError" not in found


@pytest.mark.parametrize("text", [*CONVERSIONS, *HOOKS])
def test_a_module_does_what_pytorchs_does(text: str, device: str) -> None:
    found, _ = agree_on(NET + text, device, warned=True)
    assert not isinstance(found, tuple) or "SyntaxError" not in found


@pytest.mark.parametrize("text", EVERY)
def test_hooks_of_all_modules(text: str, device: str) -> None:
    agree_on(f"{NET}module = torch.nn.modules.module\n{text}", device, warned=True)
