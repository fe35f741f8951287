"""Every mistake gets PyTorch's exception class and PyTorch's sentence.

A row is a snippet, the class, and the text.  Each snippet runs under gpugrad on every device and,
where it is installed, under PyTorch itself, so that the texts here cannot drift from PyTorch's.
Where PyTorch names itself as a module or a type, as in ``torch.Size``, gpugrad says ``gpugrad.``.
What is different on purpose stands in :data:`DELIBERATE`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snippets import ours, raised, run

import gpugrad
from comparison import pytorch

Row = tuple[str, type[Exception], str]

SECOND_BACKWARD = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)
NOT_SCALAR = "grad can be implicitly created only for scalar outputs"
NO_GRAPH = "element 0 of tensors does not require grad and does not have a grad_fn"
ONLY_LEAVES = (
    "you can only change requires_grad flags of leaf variables. If you want to use a computed "
    "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
)
LEAF_WRITTEN = "a leaf Variable that requires grad is being used in an in-place operation."
VIEW_OF_LEAF_WRITTEN = (
    "a view of a leaf Variable that requires grad is being used in an in-place operation."
)
SHARED_MEMORY = (
    "unsupported operation: more than one element of the written-to tensor refers to a single "
    "memory location. Please clone() the tensor before performing the operation."
)
SHARED_WITH_INPUT = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
    "single memory location. Please clone() the tensor before performing the operation."
)
BOOL_DIFFERENCE = (
    "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to "
    "invert a mask, use the `~` or `logical_not()` operator instead."
)
INFERENCE_WRITTEN = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone "
    "to get a normal tensor before doing inplace update.See "
    "https://github.com/pytorch/rfcs/pull/17 for more details."
)
NUMPY_NEEDS_DETACH = (
    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
)


def stale(of: str, operation: str, version: int = 1, expected: int = 0) -> str:
    return (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [torch.FloatTensor {of}], which is output 0 of {operation}, is at version "
        f"{version}; expected version {expected} instead. Hint: enable anomaly detection to find "
        "the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def several_views(operation: str, output: int = 0) -> str:
    return (
        f"Output {output} of {operation} is a view and is being modified inplace. This view is the "
        "output of a function that returns multiple views. Such functions do not allow the output "
        "views to be modified inplace. You should replace the inplace operation by an out-of-place "
        "one."
    )


BACKWARD: list[Row] = [
    (
        "x = torch.tensor(2.0, requires_grad=True); y = x**2\ny.backward(); y.backward()",
        RuntimeError,
        SECOND_BACKWARD,
    ),
    (
        "x = torch.tensor(2.0, requires_grad=True); y = x**2\n"
        "torch.autograd.grad(y, x); torch.autograd.grad(y, x)",
        RuntimeError,
        SECOND_BACKWARD,
    ),
    (
        "x = torch.ones(3, requires_grad=True); y = (x * 2).sum()\ny.backward(); y.backward()",
        RuntimeError,
        SECOND_BACKWARD,
    ),
    (
        "x = torch.ones(3, requires_grad=True); z = x * x\nz.sum().backward(); z.sum().backward()",
        RuntimeError,
        SECOND_BACKWARD,
    ),
    ("(torch.ones(3, requires_grad=True) * 2).backward()", RuntimeError, NOT_SCALAR),
    (
        "x = torch.ones(3, requires_grad=True)\ntorch.autograd.grad(x * 2, x)",
        RuntimeError,
        NOT_SCALAR,
    ),
    ("torch.tensor(1.0).backward()", RuntimeError, NO_GRAPH),
    ("torch.autograd.grad(torch.tensor(1.0), torch.tensor(1.0))", RuntimeError, NO_GRAPH),
    (
        "x = torch.tensor(1.0, requires_grad=True)\n"
        "torch.autograd.backward([x * 2, torch.tensor(1.0)])",
        RuntimeError,
        "element 1 of tensors does not require grad and does not have a grad_fn",
    ),
    (
        "x = torch.tensor(1.0, requires_grad=True)\ntorch.autograd.grad(x * 2, torch.tensor(1.0))",
        RuntimeError,
        "One of the differentiated Tensors does not require grad",
    ),
    (
        "x, z = (torch.tensor(1.0, requires_grad=True) for _ in range(2))\n"
        "torch.autograd.grad(x * 2, z)",
        RuntimeError,
        "The differentiated Tensor at index 0 appears to not have been used in the graph. Set "
        "allow_unused=True if this is the desired behavior.",
    ),
    (
        "x, z = (torch.tensor(1.0, requires_grad=True) for _ in range(2))\n"
        "torch.autograd.grad(x * 2, [x, z])",
        RuntimeError,
        "The differentiated Tensor at index 1 appears to not have been used in the graph. Set "
        "allow_unused=True if this is the desired behavior.",
    ),
    (
        "x, z = (torch.tensor(1.0, requires_grad=True) for _ in range(2))\n"
        "torch.autograd.grad(x * 2, z, allow_unused=False, materialize_grads=True)",
        ValueError,
        "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
        "allow_unused=False.",
    ),
    (
        "(torch.ones(3, requires_grad=True) * 2).backward(torch.ones(2))",
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a "
        "shape of torch.Size([3]).",
    ),
    (
        "(torch.ones(3, requires_grad=True) * 2).backward(torch.ones(3, dtype=torch.complex64))",
        RuntimeError,
        "For complex Tensors, both grad_output and output are required to have the same dtype. "
        "Mismatch in dtype: grad_output[0] has a dtype of torch.complex64 and output[0] has a "
        "dtype of torch.float32.",
    ),
    (
        "(torch.ones(3, requires_grad=True) * 2).backward([1.0, 1.0, 1.0])",
        TypeError,
        "gradients can be either Tensors or None, but got float",
    ),
    (
        "(torch.ones(3, requires_grad=True) * 2).backward(np.ones(3))",
        TypeError,
        "gradients can be either Tensors or None, but got float64",
    ),
    (
        "(torch.ones(3, requires_grad=True) * 2).backward(3.0)",
        TypeError,
        "'float' object is not iterable",
    ),
    (
        "(torch.ones((), requires_grad=True) * 2).backward(inputs=[])",
        RuntimeError,
        "`inputs` argument to `backward()` cannot be empty.",
    ),
    (
        "(torch.ones((), requires_grad=True) * 2).backward(inputs=[torch.tensor(1.0)])",
        RuntimeError,
        "can't retain_grad on Tensor that has requires_grad=False",
    ),
    (
        "torch.autograd.grad(torch.ones((), requires_grad=True) * 2, [])",
        RuntimeError,
        "`inputs` argument to `grad()` cannot be empty.",
    ),
    (
        "x = torch.ones((), requires_grad=True)\ntorch.autograd.backward([x * 2, x * 3], [None])",
        RuntimeError,
        "got 2 tensors and 1 gradients",
    ),
    (
        "x = torch.ones(3, requires_grad=True)\n"
        "torch.autograd.grad(x * 2, x, grad_outputs=torch.ones(3, 3))",
        RuntimeError,
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([3, 3]) and output[0] has a "
        "shape of torch.Size([3]).",
    ),
    (
        "torch.ones(2, dtype=torch.complex64, requires_grad=True).sum().backward()",
        RuntimeError,
        "grad can be implicitly created only for real scalar outputs but got torch.complex64",
    ),
    (
        "with torch.no_grad(): y = torch.ones(2, requires_grad=True) * 2\ny.sum().backward()",
        RuntimeError,
        NO_GRAPH,
    ),
    (
        "torch.set_grad_enabled('a')",
        TypeError,
        "set_grad_enabled(): argument 'enabled' (position 1) must be bool, not str",
    ),
]

REQUIRES_GRAD: list[Row] = [
    (
        "torch.tensor([1, 2], requires_grad=True)",
        RuntimeError,
        "Only Tensors of floating point and complex dtype can require gradients",
    ),
    (
        "torch.tensor([True], requires_grad=True)",
        RuntimeError,
        "Only Tensors of floating point and complex dtype can require gradients",
    ),
    (
        "torch.arange(3, requires_grad=True)",
        RuntimeError,
        "Only Tensors of floating point and complex dtype can require gradients",
    ),
    (
        "torch.tensor([1, 2]).requires_grad_()",
        RuntimeError,
        "only Tensors of floating point dtype can require gradients",
    ),
    (
        "torch.ones(2, requires_grad=True).argmax().requires_grad_()",
        RuntimeError,
        "only Tensors of floating point dtype can require gradients",
    ),
    (
        "x = torch.tensor([1, 2])\nx.requires_grad = True",
        RuntimeError,
        "only Tensors of floating point and complex dtype can require gradients",
    ),
    (
        "x = torch.ones(2, requires_grad=True) * 2\nx.requires_grad = False",
        RuntimeError,
        ONLY_LEAVES,
    ),
    (
        "x = torch.ones(2, requires_grad=True) * 2\nx.requires_grad_(False)",
        RuntimeError,
        ONLY_LEAVES,
    ),
    (
        "torch.autograd.Variable([1, 2], requires_grad=True)",
        TypeError,
        "Variable data has to be a tensor, but got list",
    ),
]

IN_PLACE: list[Row] = [
    ("torch.ones(2, requires_grad=True).add_(1)", RuntimeError, LEAF_WRITTEN),
    ("torch.ones(2, requires_grad=True).zero_()", RuntimeError, LEAF_WRITTEN),
    ("torch.ones(2, requires_grad=True).mul_(torch.ones(3))", RuntimeError, LEAF_WRITTEN),
    ("torch.ones(2, requires_grad=True).ge_(torch.ones(2, 2))", RuntimeError, LEAF_WRITTEN),
    ("torch.ones(2, requires_grad=True).copy_(torch.ones(2))", RuntimeError, LEAF_WRITTEN),
    ("torch.ones(2, requires_grad=True).exp_()", RuntimeError, LEAF_WRITTEN),
    ("x = torch.ones(2, requires_grad=True)\nx += 1", RuntimeError, LEAF_WRITTEN),
    ("x = torch.ones(2, requires_grad=True)\nx[0] = 3.0", RuntimeError, VIEW_OF_LEAF_WRITTEN),
    ("torch.ones(2, requires_grad=True)[0].add_(1)", RuntimeError, VIEW_OF_LEAF_WRITTEN),
    ("torch.ones(2, requires_grad=True).view(2).mul_(2)", RuntimeError, VIEW_OF_LEAF_WRITTEN),
    (
        "x = torch.ones(2, requires_grad=True); y = x * 2; z = y**2\ny.add_(1); z.sum().backward()",
        RuntimeError,
        stale("[2]", "Add"),
    ),
    (
        "x = torch.ones(2, dtype=torch.complex64, device='cpu', requires_grad=True)\n"
        "y = x.exp()\nwith torch.no_grad(): y[0] = 2\ny.abs().sum().backward()",
        RuntimeError,
        stale("[2]", "Exp").replace("torch.FloatTensor", "CPUComplexFloatType"),
    ),
    (
        "x = torch.ones(2, device='cpu', requires_grad=True)\nm = x.detach() > 0\n"
        "y = torch.where(m, x, 0)\nm[0] = False\ny.sum().backward()",
        RuntimeError,
        stale("[2]", "").replace(
            "torch.FloatTensor [2]], which is output 0 of ,", "CPUBoolType [2]]"
        ),
    ),
    (
        "y = torch.ones(2, requires_grad=True).exp()\ny.add_(1); y.sum().backward()",
        RuntimeError,
        stale("[2]", "Exp"),
    ),
    (
        "y = torch.ones(2, requires_grad=True).exp()\n"
        "y.add_(1); y.mul_(2); z = y * y; y.sub_(1); z.sum().backward()",
        RuntimeError,
        stale("[2]", "Sub", 3, 2),
    ),
    (
        "y = torch.ones(2, 2, requires_grad=True) * 1\na, b = y.unbind(0); a.mul_(2)",
        RuntimeError,
        several_views("Unbind"),
    ),
    (
        "y = torch.ones(2, 2, requires_grad=True) * 1\na, b = y.unbind(0); b.mul_(2)",
        RuntimeError,
        several_views("Unbind", 1),
    ),
    (
        "y = torch.ones(2, 2, requires_grad=True) * 1\na, b = y.chunk(2); a.mul_(2)",
        RuntimeError,
        several_views("Split"),
    ),
    (
        "y = torch.ones(2, 2, requires_grad=True) * 1\n"
        "with torch.no_grad(): v = y.view(4)\n"
        "v.mul_(2)",
        RuntimeError,
        "A view was created in no_grad mode and is being modified inplace with grad mode enabled. "
        "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify "
        "your code by moving both the view and the inplace either both inside the no_grad block "
        "(if you don't want the inplace to be tracked) or both outside (if you want the inplace to "
        "be tracked).",
    ),
    (
        "y = (torch.ones(2, 2, requires_grad=True) * 1).expand(3, 2, 2)\ny.add_(1)",
        RuntimeError,
        SHARED_MEMORY,
    ),
    ("torch.ones(1).expand(3).add_(1)", RuntimeError, SHARED_MEMORY),
    (
        "torch.ones(2).add_(torch.ones(3, 2))",
        RuntimeError,
        "output with shape [2] doesn't match the broadcast shape [3, 2]",
    ),
    (
        "torch.ones(2, dtype=torch.int64).add_(1.5)",
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    (
        "x = torch.ones(2, dtype=torch.int64)\nx /= 2",
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    (
        "torch.ones(2).add_(torch.ones(2, dtype=torch.complex64))",
        RuntimeError,
        "result type ComplexFloat can't be cast to the desired output type Float",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nx.data = torch.ones(2, dtype=torch.int64)",
        RuntimeError,
        "data set to a tensor that requires gradients must be floating point or complex dtype",
    ),
    (
        "x = torch.arange(4.0)\nx[1:].copy_(x[:-1])",
        RuntimeError,
        SHARED_WITH_INPUT,
    ),
    (
        "x = torch.arange(4.0)\nx[1:].add_(x[:-1])",
        RuntimeError,
        SHARED_WITH_INPUT,
    ),
    (
        "torch.ones(2).fill_(torch.ones(2))",
        RuntimeError,
        "fill_ only supports 0-dimension value tensor but got tensor with 1 dimensions.",
    ),
    (
        "x = torch.ones(3)\nx[:2] = torch.ones(3)",
        RuntimeError,
        "The expanded size of the tensor (2) must match the existing size (3) at non-singleton "
        "dimension 0.  Target sizes: [2].  Tensor sizes: [3]",
    ),
    (
        "torch.ones(2).copy_(torch.ones(3))",
        RuntimeError,
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
    ),
    (
        "torch.ones(2).copy_(torch.ones(3, 2))",
        RuntimeError,
        "output with shape [2] doesn't match the broadcast shape [3, 2]",
    ),
    (
        "torch.ones(2).copy_('a')",
        TypeError,
        "copy_(): argument 'other' (position 1) must be Tensor, not str",
    ),
    (
        "x = torch.ones(3)\nx[:2] = torch.ones(2, 2)",
        RuntimeError,
        "expand(torch.FloatTensor{[2, 2]}, size=[2]): the number of sizes provided (1) must be "
        "greater or equal to the number of dimensions in the tensor (2)",
    ),
    ("x = torch.ones(3)\nx[0] = 'a'", TypeError, "can't assign a str to a torch.FloatTensor"),
    ("x = torch.ones(3)\nx[0] = None", TypeError, "can't assign a NoneType to a torch.FloatTensor"),
    ("x = torch.ones(3)\nx[:2] = [1, 2]", TypeError, "can't assign a list to a torch.FloatTensor"),
    (
        "x = torch.ones(3)\nx[0] = 1j",
        RuntimeError,
        "value cannot be converted to type float without overflow",
    ),
    (
        "x = torch.ones(3, dtype=torch.uint8)\nx[0] = 300",
        RuntimeError,
        "value cannot be converted to type uint8_t without overflow",
    ),
    (
        "torch.ones(3, dtype=torch.int64).fill_(float('nan'))",
        RuntimeError,
        "value cannot be converted to type int64_t without overflow",
    ),
    (
        "torch.ones(3).fill_(1j)",
        RuntimeError,
        "value cannot be converted to type float without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.int64).pow_(-1)",
        RuntimeError,
        "Integers to negative integer powers are not allowed.",
    ),
    ("x = torch.arange(4.0)\nx.add_(x[0])", RuntimeError, SHARED_WITH_INPUT),
    ("x = torch.arange(4.0).view(2, 2)\nx.add_(x.t())", RuntimeError, SHARED_WITH_INPUT),
    ("x = torch.arange(4.0)\nx[1:] = x[:-1]", RuntimeError, SHARED_WITH_INPUT),
    (
        "torch.ones(2, dtype=torch.bool).sub_(1)",
        RuntimeError,
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to "
        "invert a mask, use the `~` or `logical_not()` operator instead.",
    ),
    (
        "torch.ones(2, dtype=torch.int64).add_(1, alpha=1.5)",
        RuntimeError,
        "For integral input tensors, argument alpha must not be a floating point number.",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nx.view(2).detach_()",
        RuntimeError,
        "Can't detach views in-place. Use detach() instead. If you are using "
        "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, "
        "gradients are views of DDP buckets, and hence detach_() cannot be called on these "
        "gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
        "torch/optim/optimizer.py as the solution.",
    ),
]

GRAD: list[Row] = [
    (
        "x = torch.ones(2, requires_grad=True)\nx.grad = torch.ones(3)",
        RuntimeError,
        "attempting to assign a gradient of size '[3]' to a tensor of size '[2]'. Please ensure "
        "that the gradient and the tensor are the same size",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nx.grad = torch.ones(2, dtype=torch.float64)",
        RuntimeError,
        "attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float'. "
        "The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can "
        "set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. "
        "Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break "
        "downstream systems that assume they match.",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nx.grad = 1.0",
        TypeError,
        "assigned grad expected to be a Tensor or None but got grad of type float",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nx.grad = x",
        RuntimeError,
        "can't assign Variable as its own grad",
    ),
    (
        "torch.ones(2, requires_grad=True).grad.zero_()",
        AttributeError,
        "'NoneType' object has no attribute 'zero_'",
    ),
    (
        "torch.tensor(1.0).retain_grad()",
        RuntimeError,
        "can't retain_grad on Tensor that has requires_grad=False",
    ),
]

CONVERSION: list[Row] = [
    ("torch.ones(2, requires_grad=True).numpy()", RuntimeError, NUMPY_NEEDS_DETACH),
    ("np.asarray(torch.ones(2, requires_grad=True))", RuntimeError, NUMPY_NEEDS_DETACH),
    (
        "torch.ones(2).item()",
        RuntimeError,
        "a Tensor with 2 elements cannot be converted to Scalar",
    ),
    (
        "torch.ones(0).item()",
        RuntimeError,
        "a Tensor with 0 elements cannot be converted to Scalar",
    ),
    (
        "bool(torch.ones(2))",
        RuntimeError,
        "Boolean value of Tensor with more than one value is ambiguous",
    ),
    ("bool(torch.ones(0))", RuntimeError, "Boolean value of Tensor with no values is ambiguous"),
    (
        "float(torch.ones(2))",
        ValueError,
        "only one element tensors can be converted to Python scalars",
    ),
    (
        "int(torch.ones(2))",
        ValueError,
        "only one element tensors can be converted to Python scalars",
    ),
    (
        "complex(torch.ones(2))",
        ValueError,
        "only one element tensors can be converted to Python scalars",
    ),
    (
        "float(torch.tensor(1j))",
        RuntimeError,
        "value cannot be converted to type double without overflow",
    ),
    (
        "int(torch.tensor(1j))",
        RuntimeError,
        "value cannot be converted to type int64_t without overflow",
    ),
    (
        "range(torch.tensor(2.5))",
        TypeError,
        "only integer tensors of a single element can be converted to an index",
    ),
    ("len(torch.tensor(1.0))", TypeError, "len() of a 0-d tensor"),
    ("iter(torch.tensor(1.0))", TypeError, "iteration over a 0-d tensor"),
    ("list(torch.tensor(1.0))", TypeError, "iteration over a 0-d tensor"),
    (
        "copy.deepcopy(torch.ones(2, requires_grad=True) * 2)",
        RuntimeError,
        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol "
        "at the moment.  If you were attempting to deepcopy a module, this may be because of a "
        "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001",
    ),
]

INDEXING: list[Row] = [
    (
        "torch.tensor(1.0)[0]",
        IndexError,
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in "
        "C++ to convert a 0-dim tensor to a number",
    ),
    ("torch.ones(2)[5]", IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    ("torch.ones(2)[-3]", IndexError, "index -3 is out of bounds for dimension 0 with size 2"),
    ("torch.ones(2, 3)[1, 3]", IndexError, "index 3 is out of bounds for dimension 1 with size 3"),
    ("torch.ones(2)[0, 0]", IndexError, "too many indices for tensor of dimension 1"),
    ("torch.ones(2)['a']", TypeError, "new(): invalid data type 'str'"),
    (
        "torch.ones(2)[1.5]",
        IndexError,
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        "indices (got float)",
    ),
    (
        "torch.ones(3)[torch.tensor([True, False])]",
        IndexError,
        "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3] "
        "at index 0",
    ),
    (
        "torch.ones(3)[torch.tensor([0.5])]",
        IndexError,
        "tensors used as indices must be long, int, byte or bool tensors",
    ),
    ("torch.ones(3)[::-1]", ValueError, "step must be greater than zero"),
    ("torch.ones(3)[::0]", ValueError, "slice step cannot be zero"),
    (
        "torch.ones(3)[1.5:]",
        TypeError,
        "slice indices must be integers or None or have an __index__ method",
    ),
    ("torch.tensor(1.0)[:]", IndexError, "slice() cannot be applied to a 0-dim tensor."),
    (
        "torch.ones(3, 3)[0, torch.tensor([True, False])]",
        IndexError,
        "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3] "
        "at index 0",
    ),
    (
        "torch.ones(2).stride(3)",
        IndexError,
        "Dimension out of range (expected to be in range of [-1, 0], but got 3)",
    ),
    (
        "torch.ones(3, 3)[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]",
        IndexError,
        "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]",
    ),
    (
        "x = torch.ones(3)\nx[torch.tensor([0, 1])] = torch.ones(3)",
        RuntimeError,
        "shape mismatch: value tensor of shape [3] cannot be broadcast to indexing result of "
        "shape [2]",
    ),
]

CREATION: list[Row] = [
    ("torch.from_numpy([1, 2])", TypeError, "expected np.ndarray (got list)"),
    ("torch.tensor(['a'])", ValueError, "too many dimensions 'str'"),
    (
        "torch.tensor([[1, 2], [3]])",
        ValueError,
        "expected sequence of length 2 at dim 1 (got 1)",
    ),
    ("torch.tensor([[1, 2], 3])", TypeError, "not a sequence"),
    ("torch.tensor([1.5, [2]])", TypeError, "must be real number, not list"),
    ("torch.tensor([1, [2]])", TypeError, "'list' object cannot be interpreted as an integer"),
    (
        "torch.tensor([torch.ones(2), torch.ones(2)])",
        ValueError,
        "only one element tensors can be converted to Python scalars",
    ),
    (
        "torch.tensor([1.5, float('nan')], dtype=torch.int64)",
        RuntimeError,
        "value cannot be converted to type int64 without overflow",
    ),
    ("torch.tensor(1j, dtype=torch.float32)", TypeError, "must be real number, not complex"),
    (
        "torch.tensor(1j, dtype=torch.int64)",
        TypeError,
        "'complex' object cannot be interpreted as an integer",
    ),
    (
        "torch.full((2,), 300, dtype=torch.uint8)",
        RuntimeError,
        "value cannot be converted to type uint8_t without overflow",
    ),
    (
        "torch.from_numpy(np.array(['a']))",
        TypeError,
        "can't convert np.ndarray of type numpy.str_. The only supported types are: float64, "
        "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, "
        "uint16, uint8, and bool.",
    ),
    (
        "torch.tensor(np.array([object()]))",
        TypeError,
        "can't convert np.ndarray of type numpy.object_. The only supported types are: float64, "
        "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, "
        "uint16, uint8, and bool.",
    ),
    (
        "torch.full((2,), 1e10, dtype=torch.float16)",
        RuntimeError,
        "value cannot be converted to type c10::Half without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.float16).fill_(65520)",
        RuntimeError,
        "value cannot be converted to type c10::Half without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.float16).new_full((2,), -1e10)",
        RuntimeError,
        "value cannot be converted to type c10::Half without overflow",
    ),
    (
        "torch.linspace(0, 1e6, 3, dtype=torch.float16)",
        RuntimeError,
        "value cannot be converted to type c10::Half without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.int8).clamp(max=1000)",
        RuntimeError,
        "value cannot be converted to type int8_t without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.int8).clamp_(min=-1000)",
        RuntimeError,
        "value cannot be converted to type int8_t without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.int8).clamp(torch.tensor(0, dtype=torch.int8), 1000)",
        RuntimeError,
        "value cannot be converted to type int8_t without overflow",
    ),
    (
        "torch.ones(2).clip(max=1e40)",
        RuntimeError,
        "value cannot be converted to type float without overflow",
    ),
    (
        "torch.where(torch.tensor(True), torch.ones(1, dtype=torch.int8), 1000)",
        RuntimeError,
        "value cannot be converted to type int8_t without overflow",
    ),
    (
        "torch.where(torch.tensor(True), 1e40, torch.ones(1))",
        RuntimeError,
        "value cannot be converted to type float without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.int8) ** 1000",
        RuntimeError,
        "value cannot be converted to type int8_t without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.int8).add(2, alpha=1000)",
        RuntimeError,
        "value cannot be converted to type int8_t without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.int8).sub_(2, alpha=-1000)",
        RuntimeError,
        "value cannot be converted to type int8_t without overflow",
    ),
    (
        "torch.ones(2, dtype=torch.float16).add(1, alpha=1e6)",
        RuntimeError,
        "value cannot be converted to type c10::Half without overflow",
    ),
    (
        "torch.full((2,), None)",
        TypeError,
        "full(): argument 'fill_value' (position 2) must be Number, not NoneType",
    ),
    (
        "torch.add(torch.ones(2), torch.ones(2), alpha=True)",
        RuntimeError,
        "Boolean alpha only supported for Boolean results.",
    ),
    (
        "torch.ones(2).sub_(torch.ones(2), alpha=True)",
        RuntimeError,
        "Boolean alpha only supported for Boolean results.",
    ),
    (
        "torch.ones(2) - True",
        RuntimeError,
        BOOL_DIFFERENCE,
    ),
    (
        "True - torch.ones(2)",
        RuntimeError,
        BOOL_DIFFERENCE,
    ),
    (
        "torch.ones(2, dtype=torch.int64).sub_(True)",
        RuntimeError,
        BOOL_DIFFERENCE,
    ),
    (
        "torch.rsub(torch.ones(2), True)",
        RuntimeError,
        BOOL_DIFFERENCE,
    ),
    (
        "torch.exp(torch.ones(3), out=torch.ones(1).expand(3))",
        RuntimeError,
        SHARED_MEMORY,
    ),
    (
        "torch.matmul(torch.ones(2, 2), torch.ones(2, 2), out=torch.ones(1).expand(2, 2))",
        RuntimeError,
        SHARED_MEMORY,
    ),
    (
        "i = torch.ones(2, dtype=torch.int64)\n"
        "torch.max(torch.ones(2, 2), 0, out=(torch.ones(1).expand(2), i))",
        RuntimeError,
        SHARED_MEMORY,
    ),
    (
        "x = torch.ones(4)\ntorch.add(x[:3], 1, out=x[1:])",
        RuntimeError,
        SHARED_WITH_INPUT,
    ),
    (
        "x = torch.ones(3, 3)\ntorch.exp(x, out=x.t())",
        RuntimeError,
        SHARED_WITH_INPUT,
    ),
    (
        "x = torch.ones(4)\ntorch.cat([x[:2], x[:2]], out=x)",
        RuntimeError,
        SHARED_WITH_INPUT,
    ),
    (
        "x = torch.ones(4, 4)\ntorch.cumsum(x[:3], 0, out=x[1:])",
        RuntimeError,
        SHARED_WITH_INPUT,
    ),
    (
        "with torch.inference_mode(): x = torch.ones(2)\ntorch.exp(torch.ones(2), out=x)",
        RuntimeError,
        INFERENCE_WRITTEN,
    ),
    (
        "torch.max(torch.ones(2, 2), 0, out=(torch.ones(2), torch.ones(2)))",
        RuntimeError,
        "Expected out tensor to have dtype long int, but got float instead",
    ),
    (
        "torch.max(torch.ones(2, 2), 0, out=(torch.ones(2),))",
        TypeError,
        "expected tuple of 2 elements but got 1",
    ),
    (
        "torch.zeros(2.5)",
        TypeError,
        "zeros(): argument 'size' (position 1) must be tuple of ints, not float",
    ),
    (
        "torch.ones('a')",
        TypeError,
        "ones(): argument 'size' (position 1) must be tuple of ints, not str",
    ),
    (
        "torch.rand(2, 2.5)",
        TypeError,
        "rand(): argument 'size' failed to unpack the object at pos 2 with error "
        '"type must be tuple of ints,but got float"',
    ),
    ("torch.zeros()", TypeError, 'zeros() missing 1 required positional arguments: "size"'),
    ("torch.arange(float('nan'))", RuntimeError, "unsupported range: 0 -> nan"),
    ("torch.arange(0, float('inf'))", RuntimeError, "unsupported range: 0 -> inf"),
    ("torch.eye(2, -1)", RuntimeError, "m must be greater or equal to 0, got -1"),
    (
        "torch.randint(0, 5)",
        TypeError,
        "randint(): argument 'size' (position 2) must be tuple of ints, not int",
    ),
    (
        "torch.Tensor(1.5)",
        TypeError,
        "new(): data must be a sequence (got float)",
    ),
    ("torch.Tensor('a')", TypeError, "new(): invalid data type 'str'"),
    ("torch.tensor(None)", RuntimeError, "Could not infer dtype of NoneType"),
    ("torch.tensor([object()])", RuntimeError, "Could not infer dtype of object"),
    (
        "torch.tensor(np.ones(2, '>f4'))",
        ValueError,
        "given numpy array has byte order different from the native byte order. Conversion between "
        "byte orders is currently not supported.",
    ),
    ("torch.tensor(2**70)", ValueError, "Overflow when unpacking long long"),
    (
        "torch.tensor([300], dtype=torch.uint8)",
        RuntimeError,
        "value cannot be converted to type uint8 without overflow",
    ),
    (
        "torch.ones(-1)",
        RuntimeError,
        "Trying to create tensor with negative dimension -1: [-1]",
    ),
    (
        "torch.arange(0, 1, -1)",
        RuntimeError,
        "upper bound and lower bound inconsistent with step sign",
    ),
    ("torch.arange(0, 1, 0)", RuntimeError, "step must be nonzero"),
    ("torch.linspace(0, 1, -1)", RuntimeError, "number of steps must be non-negative"),
    ("torch.eye(-1)", RuntimeError, "n must be greater or equal to 0, got -1"),
    ("torch.manual_seed('a')", ValueError, "invalid literal for int() with base 10: 'a'"),
    (
        "torch.rand(2, dtype=torch.int64)",
        NotImplementedError,
        "\"check_uniform_bounds\" not implemented for 'Long'",
    ),
    (
        "torch.randint(3, 3, (2,))",
        RuntimeError,
        "random_ expects 'from' to be less than 'to', but got from=3 >= to=3",
    ),
    (
        "torch.set_default_dtype(torch.int64)",
        TypeError,
        "only floating-point types are supported as the default type",
    ),
]

DEVICES: list[Row] = [
    ("torch.device('')", RuntimeError, "Device string must not be empty"),
    ("torch.device('cuda', -1)", RuntimeError, "Device index must not be negative"),
    (
        "torch.device('cuda', 'a')",
        TypeError,
        "device(): argument 'index' (position 2) must be int, not str",
    ),
    ("torch.device('cuda:-1')", RuntimeError, "Invalid device string: 'cuda:-1'"),
    ("torch.device('cuda:01')", RuntimeError, "Invalid device string: 'cuda:01'"),
    ("torch.device('cuda:x')", RuntimeError, "Invalid device string: 'cuda:x'"),
    (
        "torch.device('cuda:0', 0)",
        RuntimeError,
        "type (string) must not include an index because index was passed explicitly: cuda:0",
    ),
]

SHAPES: list[Row] = [
    (
        "torch.ones(2) + torch.ones(3)",
        RuntimeError,
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
    ),
    (
        "torch.ones(4, 2, 1) * torch.ones(3, 1)",
        RuntimeError,
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1",
    ),
    (
        "torch.ones(2, 3) @ torch.ones(2, 3)",
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
    ),
    (
        "torch.ones(2, 3).mm(torch.ones(2, 3))",
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
    ),
    ("torch.ones(2).mm(torch.ones(2))", RuntimeError, "self must be a matrix"),
    ("torch.ones(2, 2).mm(torch.ones(2))", RuntimeError, "mat2 must be a matrix"),
    (
        "torch.ones(2, 3) @ torch.ones(2)",
        RuntimeError,
        "size mismatch, got input (2), mat (2x3), vec (2)",
    ),
    (
        "torch.ones(2).mv(torch.ones(2))",
        RuntimeError,
        "vector + matrix @ vector expected, got 1, 1, 1",
    ),
    (
        "torch.ones(2) @ torch.ones(())",
        RuntimeError,
        "both arguments to matmul need to be at least 1D, but they are 1D and 0D",
    ),
    (
        "torch.ones(2, 3, 4) @ torch.ones(2, 3, 4)",
        RuntimeError,
        "Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [2, 3].",
    ),
    (
        "torch.ones(2, 3, 4).bmm(torch.ones(2, 3, 4))",
        RuntimeError,
        "Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [2, 3].",
    ),
    ("torch.ones(2, 3).bmm(torch.ones(2, 3, 4))", RuntimeError, "batch1 must be a 3D tensor"),
    (
        "torch.ones(2, 3, 4) @ torch.ones(3, 4, 5)",
        RuntimeError,
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
    ),
    (
        "torch.dot(torch.ones(2, 2), torch.ones(2, 2))",
        RuntimeError,
        "1D tensors expected, but got 2D and 2D tensors",
    ),
    (
        "torch.dot(torch.ones(2), torch.ones(3))",
        RuntimeError,
        "inconsistent tensor size, expected tensor [2] and src [3] to have the same number of "
        "elements, but got 2 and 3 elements respectively",
    ),
    (
        "torch.outer(torch.ones(2, 2), torch.ones(2))",
        RuntimeError,
        "outer: Expected 1-D argument self, but got 2-D",
    ),
    (
        "torch.ones(2) @ torch.ones(2, dtype=torch.float64)",
        RuntimeError,
        "dot : expected both vectors to have same dtype, but found Float and Double",
    ),
    (
        "torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64)",
        RuntimeError,
        "expected m1 and m2 to have the same dtype, but got: float != double",
    ),
    (
        "torch.ones(2, 2) @ torch.ones(2, dtype=torch.float64)",
        RuntimeError,
        "addmv input tensors must have the same dtype, but got Double, Float, and Double",
    ),
    (
        "torch.ones(2, 2, 2) @ torch.ones(2, 2, 2, dtype=torch.int64)",
        RuntimeError,
        "expected scalar type Float but found Long",
    ),
    (
        "torch.ones(2, 2, dtype=torch.float16) @ torch.ones(2, 2, dtype=torch.int64)",
        RuntimeError,
        "expected m1 and m2 to have the same dtype, but got: c10::Half != long int",
    ),
    (
        "torch.ones(2, 2, dtype=torch.complex64) @ torch.ones(2, 2, dtype=torch.uint8)",
        RuntimeError,
        "expected m1 and m2 to have the same dtype, but got: c10::complex<float> != unsigned char",
    ),
    (
        "torch.ones(2, 2, dtype=torch.int16) @ torch.ones(2, 2, dtype=torch.int8)",
        RuntimeError,
        "expected m1 and m2 to have the same dtype, but got: short int != signed char",
    ),
    (
        "torch.ones(2, 3, 4) @ torch.ones(3)",
        RuntimeError,
        "size mismatch, got input (6), mat (6x4), vec (3)",
    ),
    (
        "torch.ones(2, 3, 4) @ torch.ones(3, 4)",
        RuntimeError,
        "mat1 and mat2 shapes cannot be multiplied (6x4 and 3x4)",
    ),
    (
        "torch.ones(2, 3, 4, 5) @ torch.ones(3, 4, 5)",
        RuntimeError,
        "Expected size for first two dimensions of batch2 tensor to be: [6, 5] but got: [6, 4].",
    ),
    ("torch.ones(2, 3).view(4)", RuntimeError, "shape '[4]' is invalid for input of size 6"),
    (
        "torch.ones(2, 3).t().view(6)",
        RuntimeError,
        "view size is not compatible with input tensor's size and stride (at least one dimension "
        "spans across two contiguous subspaces). Use .reshape(...) instead.",
    ),
    ("torch.ones(2, 3).reshape(-1, -1)", RuntimeError, "only one dimension can be inferred"),
    (
        "torch.ones(2, 3).reshape(-2, 3)",
        RuntimeError,
        "invalid shape dimension -2 at index 0 of shape [-2, 3]",
    ),
    ("torch.ones(2, 3).reshape(4)", RuntimeError, "shape '[4]' is invalid for input of size 6"),
    (
        "torch.ones(2, 3).reshape(-1, 4)",
        RuntimeError,
        "shape '[-1, 4]' is invalid for input of size 6",
    ),
    (
        "torch.ones(0, 3).reshape(-1, 0)",
        RuntimeError,
        "cannot reshape tensor of 0 elements into shape [-1, 0] because the unspecified dimension "
        "size -1 can be any value and is ambiguous",
    ),
    (
        "torch.ones(2, 3, 4).flatten(2, 1)",
        RuntimeError,
        "flatten() has invalid args: start_dim cannot come after end_dim",
    ),
    (
        "torch.ones(2, 3).sum(dim=5)",
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got 5)",
    ),
    (
        "torch.ones(2, 3).sum(dim=(0, 0))",
        RuntimeError,
        "dim 0 appears multiple times in the list of dims",
    ),
    (
        "torch.ones(2, 3).sum(dim=(0, -2))",
        RuntimeError,
        "dim 0 appears multiple times in the list of dims",
    ),
    (
        "torch.ones(2, 3).permute(0, 0)",
        RuntimeError,
        "permute(): duplicate dims are not allowed.",
    ),
    (
        "torch.ones(2, 3).permute(0)",
        RuntimeError,
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length "
        "of the desired ordering of dimensions i.e. input.dim() = 2 is not equal to len(dims) = 1",
    ),
    (
        "torch.ones(2, 3).transpose(0, 2)",
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got 2)",
    ),
    (
        "torch.ones(2, 3, 4).t()",
        RuntimeError,
        "t() expects a tensor with <= 2 dimensions, but self is 3D",
    ),
    *[
        (
            f"torch.ones(2).{name}",
            RuntimeError,
            f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor.",
        )
        for name in ("mT", "mH", "adjoint()")
    ],
    *[
        (
            f"torch.ones({shape}).H",
            RuntimeError,
            f"tensor.H is only supported on matrices (2-D tensors). Got {count}-D tensor.{advice}",
        )
        for shape, count, advice in (
            ("2", 1, ""),
            ("2, 3, 4", 3, " For batches of matrices, consider using tensor.mH"),
        )
    ],
    (
        "torch.ones(2).expand(3)",
        RuntimeError,
        "The expanded size of the tensor (3) must match the existing size (2) at non-singleton "
        "dimension 0.  Target sizes: [3].  Tensor sizes: [2]",
    ),
    (
        "torch.ones(2).expand(-1, 2)",
        RuntimeError,
        "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension 0",
    ),
    (
        "torch.ones(2, 2).expand(2)",
        RuntimeError,
        "expand(torch.FloatTensor{[2, 2]}, size=[2]): the number of sizes provided (1) must be "
        "greater or equal to the number of dimensions in the tensor (2)",
    ),
    (
        "torch.ones(2).squeeze(3)",
        IndexError,
        "Dimension out of range (expected to be in range of [-1, 0], but got 3)",
    ),
    (
        "torch.ones(2).unsqueeze(3)",
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got 3)",
    ),
    ("torch.cat([])", ValueError, "torch.cat(): expected a non-empty list of Tensors"),
    (
        "torch.cat([torch.ones(2, 2), torch.ones(3, 3)])",
        RuntimeError,
        "Sizes of tensors must match except in dimension 0. Expected size 2 but got size 3 for "
        "tensor number 1 in the list.",
    ),
    (
        "torch.cat([torch.ones(2, 2), torch.ones(3)])",
        RuntimeError,
        "Tensors must have same number of dimensions: got 2 and 1",
    ),
    (
        "torch.cat([torch.ones(()), torch.ones(())])",
        RuntimeError,
        "zero-dimensional tensor (at position 0) cannot be concatenated",
    ),
    (
        "torch.cat([torch.ones(2), 3])",
        TypeError,
        "expected Tensor as element 1 in argument 0, but got int",
    ),
    (
        "torch.cat(torch.ones(2))",
        TypeError,
        "cat(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor",
    ),
    ("torch.stack([])", RuntimeError, "stack expects a non-empty TensorList"),
    (
        "torch.stack([torch.ones(2), torch.ones(3)])",
        RuntimeError,
        "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1",
    ),
    (
        "torch.split(torch.ones(5), [2, 2])",
        RuntimeError,
        "split_with_sizes expects split_sizes to sum exactly to 5 (input tensor's size at "
        "dimension 0), but got split_sizes=[2, 2]",
    ),
    (
        "torch.split(torch.ones(5), -1)",
        RuntimeError,
        "split expects split_size be non-negative, but got split_size=-1",
    ),
    (
        "torch.ones(5).chunk(0)",
        RuntimeError,
        "chunk expects `chunks` to be greater than 0, got: 0",
    ),
    (
        "torch.ones(()).unbind()",
        IndexError,
        "Dimension specified as 0 but tensor has no dimensions",
    ),
    ("torch.ones(()).select(0, 0)", IndexError, "select() cannot be applied to a 0-dim tensor."),
    (
        "torch.ones(2).select(0, 2)",
        IndexError,
        "select(): index 2 out of range for tensor of size [2] at dimension 0",
    ),
    (
        "torch.ones(2).narrow(0, 1, 2)",
        RuntimeError,
        "start (1) + length (2) exceeds dimension size (2).",
    ),
    (
        "torch.ones(2).narrow(0, 0, -1)",
        RuntimeError,
        "narrow(): length must be non-negative.",
    ),
    (
        "torch.index_select(torch.ones(2), 0, torch.zeros(1, 1, dtype=torch.int64))",
        IndexError,
        "index_select(): Index is supposed to be a vector",
    ),
    (
        "torch.ones(0).max()",
        RuntimeError,
        "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
        "reduction dim with the 'dim' argument.",
    ),
    (
        "torch.ones(0).argmax()",
        IndexError,
        "argmax(): Expected reduction dim to be specified for input.numel() == 0.",
    ),
    (
        "torch.ones(0).min(dim=0)",
        IndexError,
        "min(): Expected reduction dim 0 to have non-zero size.",
    ),
    (
        "torch.ones(2, 0).amax(dim=1)",
        IndexError,
        "amax(): Expected reduction dim 1 to have non-zero size.",
    ),
    (
        "torch.ones(0).amax()",
        RuntimeError,
        "amax(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
        "reduction dim with the 'dim' argument.",
    ),
]

DTYPES: list[Row] = [
    (
        "torch.ones(2, dtype=torch.int64).mean()",
        RuntimeError,
        "mean(): could not infer output dtype. Input dtype must be either a floating point or "
        "complex dtype. Got: Long",
    ),
    (
        "torch.ones(2, dtype=torch.int64).std()",
        RuntimeError,
        "std and var only support floating point and complex dtypes",
    ),
    (
        "torch.ones(2, dtype=torch.int64).norm()",
        RuntimeError,
        "linalg.vector_norm: Expected a floating point or complex tensor as input. Got Long",
    ),
    (
        "torch.where(torch.ones(2), torch.ones(2), torch.ones(2))",
        RuntimeError,
        "where expected condition to be a boolean tensor, but got a tensor with dtype Float",
    ),
    (
        "torch.clamp(torch.ones(2))",
        RuntimeError,
        "torch.clamp: At least one of 'min' or 'max' must not be None",
    ),
    (
        "torch.ones(2, dtype=torch.bool) - torch.ones(2, dtype=torch.bool)",
        RuntimeError,
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
        "`logical_xor()` operator instead.",
    ),
    (
        "torch.ones(2, dtype=torch.bool) - 1.5",
        RuntimeError,
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to "
        "invert a mask, use the `~` or `logical_not()` operator instead.",
    ),
    (
        "True - torch.ones(2, dtype=torch.bool)",
        RuntimeError,
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
        "`logical_xor()` operator instead.",
    ),
    (
        "torch.add(torch.ones(2, dtype=torch.int64), 1, alpha=1.5)",
        RuntimeError,
        "For integral input tensors, argument alpha must not be a floating point number.",
    ),
    (
        "torch.add(torch.ones(2), 1, alpha=1j)",
        RuntimeError,
        "For non-complex input tensors, argument alpha must not be a complex number.",
    ),
    (
        "torch.sub(torch.ones(2), 1, alpha=False)",
        RuntimeError,
        "Boolean alpha only supported for Boolean results.",
    ),
    (
        "torch.ones(2, dtype=torch.complex64).argmax()",
        RuntimeError,
        "argmax(): does not support complex input",
    ),
    (
        "torch.ones(2, dtype=torch.complex64).max(0)",
        RuntimeError,
        "max(): does not support complex input",
    ),
    (
        "-torch.ones(2, dtype=torch.bool)",
        RuntimeError,
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
        "invert a mask, use the `~` or `logical_not()` operator instead.",
    ),
    (
        "torch.tensor([2]) ** -1",
        RuntimeError,
        "Integers to negative integer powers are not allowed.",
    ),
    (
        "torch.ones(2, requires_grad=True).imag",
        RuntimeError,
        "imag is not implemented for tensors with non-complex dtypes.",
    ),
]

ARGUMENTS: list[Row] = [
    ("torch.ones(2) + 'a'", TypeError, "unsupported operand type(s) for +: 'Tensor' and 'str'"),
    (
        "torch.ones(2) + None",
        TypeError,
        "unsupported operand type(s) for +: 'Tensor' and 'NoneType'",
    ),
    ("torch.ones(2) @ 3", TypeError, "unsupported operand type(s) for @: 'Tensor' and 'int'"),
    ("3 @ torch.ones(2)", TypeError, "unsupported operand type(s) for @: 'int' and 'Tensor'"),
    (
        "'a' * torch.ones(2)",
        TypeError,
        "only integer tensors of a single element can be converted to an index",
    ),
    (
        "torch.mm(torch.ones(2, 2), 3)",
        TypeError,
        "mm(): argument 'mat2' (position 2) must be Tensor, not int",
    ),
    (
        "torch.dot(torch.ones(2), [1, 2])",
        TypeError,
        "dot(): argument 'tensor' (position 2) must be Tensor, not list",
    ),
    (
        "torch.ones(2).reshape(2.0)",
        TypeError,
        "reshape(): argument 'shape' (position 1) must be tuple of ints, not float",
    ),
    (
        "torch.ones(2).permute('a')",
        TypeError,
        "permute(): argument 'dims' (position 1) must be tuple of ints, not str",
    ),
    (
        "torch.ones(2) < 'a'",
        TypeError,
        "'<' not supported between instances of 'Tensor' and 'str'",
    ),
]

OPTIM: list[Row] = [
    ("torch.optim.SGD([], lr=0.1)", ValueError, "optimizer got an empty parameter list"),
    (
        "torch.optim.SGD([torch.tensor(1.0) * torch.tensor(1.0, requires_grad=True)], lr=0.1)",
        ValueError,
        "can't optimize a non-leaf Tensor",
    ),
    (
        "torch.optim.SGD(torch.ones(2), lr=0.1)",
        TypeError,
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
        "torch.FloatTensor",
    ),
    ("torch.optim.SGD([torch.ones(2)], lr=-0.1)", ValueError, "Invalid learning rate: -0.1"),
    (
        "torch.optim.SGD([torch.ones(2)], lr=0.1, momentum=-1)",
        ValueError,
        "Invalid momentum value: -1",
    ),
    (
        "torch.optim.SGD([torch.ones(2)], lr=0.1, weight_decay=-1)",
        ValueError,
        "Invalid weight_decay value: -1",
    ),
    (
        "torch.optim.SGD([torch.ones(2)], lr=0.1, nesterov=True)",
        ValueError,
        "Nesterov momentum requires a momentum and zero dampening",
    ),
    (
        "torch.optim.SGD([1.0], lr=0.1)",
        TypeError,
        "optimizer can only optimize Tensors, but one of the params is float",
    ),
    (
        "x = torch.ones(2)\ntorch.optim.SGD([{'params': [x]}, {'params': [x]}], lr=0.1)",
        ValueError,
        "some parameters appear in more than one parameter group",
    ),
    (
        "x = torch.ones(2)\ntorch.optim.SGD([x], lr=0.1).add_param_group([x])",
        TypeError,
        "param_group must be a dict, but got <class 'list'>",
    ),
    (
        "x = torch.ones(2); a = torch.optim.SGD([x], lr=0.1)\n"
        "a.load_state_dict({'state': {}, 'param_groups': []})",
        ValueError,
        "loaded state dict has a different number of parameter groups",
    ),
    (
        "x, y = torch.ones(2), torch.ones(2)\n"
        "a, b = torch.optim.SGD([x], lr=0.1), torch.optim.SGD([x, y], lr=0.1)\n"
        "a.load_state_dict(b.state_dict())",
        ValueError,
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's "
        "group",
    ),
]

INFERENCE: list[Row] = [
    (
        "with torch.inference_mode(): x = torch.ones(2)\nx.requires_grad_()",
        RuntimeError,
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.",
    ),
    (
        "with torch.inference_mode(): x = torch.ones(2)\n"
        "(torch.ones(2, requires_grad=True) * x).sum().backward()",
        RuntimeError,
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
        "inference mode in computation tracked by autograd. To work around this, you can make a "
        "clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of "
        "`torch.inference_mode()`.",
    ),
    (
        "with torch.inference_mode(): x = torch.ones(2)\nx.add_(1)",
        RuntimeError,
        "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a "
        "clone to get a normal tensor before doing inplace update.See "
        "https://github.com/pytorch/rfcs/pull/17 for more details.",
    ),
]

HOOKS: list[Row] = [
    (
        "torch.tensor(1.0).register_hook(lambda g: g)",
        RuntimeError,
        "cannot register a hook on a tensor that doesn't require gradient",
    ),
    (
        "x = torch.tensor(1.0, requires_grad=True)\n"
        "x.register_hook(lambda g: torch.ones(3)); (x * 2).backward()",
        RuntimeError,
        "hook '<lambda>' has changed the size of value",
    ),
    (
        "x = torch.tensor(1.0, requires_grad=True)\n"
        "x.register_hook(lambda g: 3); (x * 2).backward()",
        TypeError,
        "expected Variable, but hook returned 'int'",
    ),
    (
        "x = torch.tensor(1.0, requires_grad=True)\n"
        "(x * 2).register_post_accumulate_grad_hook(lambda p: None)",
        RuntimeError,
        "post accumulate grad hooks cannot be registered on non-leaf tensors",
    ),
    (
        "x = torch.tensor(1.0, requires_grad=True)\n"
        "x.register_post_accumulate_grad_hook(lambda p: 3); (x * 2).backward()",
        TypeError,
        "expected Variable, but hook returned 'int'",
    ),
    (
        "with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 3):\n"
        "    y = torch.tensor(1.0, requires_grad=True) ** 2\n"
        "y.backward()",
        TypeError,
        "Output of saved tensor unpack_hook expected to be a Tensor but got result of type int",
    ),
    (
        "with torch.autograd.graph.disable_saved_tensors_hooks('no hooks'):\n"
        "    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):\n"
        "        torch.tensor(1.0, requires_grad=True) ** 2\n",
        RuntimeError,
        "no hooks",
    ),
]


def function(forward: str, backward: str = "", call: str = "F.apply(x).backward()") -> str:
    """Return a snippet that defines and calls a function of one argument."""
    text = "class F(torch.autograd.Function):\n"
    text += f"    @staticmethod\n    def forward(ctx, x): {forward}\n"
    if backward:
        text += f"    @staticmethod\n    def backward(ctx, g): {backward}\n"
    return f"{text}x = torch.tensor(1.0, requires_grad=True)\n{call}"


FUNCTIONS: list[Row] = [
    (
        function("return x * 2"),
        NotImplementedError,
        "You must implement either the backward or vjp method for your custom autograd.Function to "
        "use it with backward mode AD.",
    ),
    (
        function("return x * 2", "return g, g"),
        RuntimeError,
        "function FBackward returned an incorrect number of gradients (expected 1, got 2)",
    ),
    (
        function("return x * y", "return g", "F.apply(x, x).backward()").replace(
            "(ctx, x)", "(ctx, x, y)"
        ),
        RuntimeError,
        "function FBackward returned an incorrect number of gradients (expected 2, got 1)",
    ),
    (
        function("return x * 2", "return ()"),
        RuntimeError,
        "function FBackward returned an incorrect number of gradients (expected 1, got 0)",
    ),
    (
        function("return x * 2", "return 3.0"),
        RuntimeError,
        "expected Variable or None (got float)",
    ),
    (
        function("return x * 2", "return g", "F()(x)"),
        RuntimeError,
        "Legacy autograd function with non-static forward method is deprecated. Please use "
        "new-style autograd function with static forward method. (Example: "
        "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)",
    ),
    (
        function(
            "return x * 2",
            "return g * 2",
            "F.backward = staticmethod(torch.autograd.function.once_differentiable(F.backward))\n"
            "g, = torch.autograd.grad(F.apply(x), x, create_graph=True)\n"
            "g.backward()",
        ),
        RuntimeError,
        NO_GRAPH,
    ),
    (
        function("ctx.save_for_backward(3); return x * 2", "return g", "F.apply(x)"),
        TypeError,
        "save_for_backward can only save variables, but argument 0 is of type int",
    ),
    (
        function(
            "ctx.save_for_backward(x); return x * 2",
            "return g * ctx.saved_tensors[0]",
            "y = F.apply(x); y.backward(); y.grad_fn.saved_tensors",
        ),
        RuntimeError,
        SECOND_BACKWARD,
    ),
    (
        function("ctx.mark_dirty(x); x.add_(1); return x", "return g", "F.apply(x)"),
        RuntimeError,
        "a leaf Variable that requires grad has been used in an in-place operation.",
    ),
    (
        function("return 'a'", "return g"),
        AttributeError,
        "'str' object has no attribute 'backward'",
    ),
    (function("raise ValueError('inside')", call="F.apply(x)"), ValueError, "inside"),
    (function("return x * 2", "raise ValueError('inside')"), ValueError, "inside"),
]

DIFFERENTIATION: list[Row] = [
    (
        "with torch.autograd.set_detect_anomaly(True):\n"
        "    torch.sqrt(torch.tensor(-1.0, requires_grad=True)).backward()\n",
        RuntimeError,
        "Function 'SqrtBackward0' returned nan values in its 0th output.",
    ),
    (
        "torch.autograd.gradcheck(lambda x: x * 2, torch.ones(2, dtype=torch.double))",
        ValueError,
        "gradcheck expects at least one input tensor to require gradient, but none of them have "
        "requires_grad=True.",
    ),
    (
        "torch.autograd.functional.jacobian(lambda x: 3, torch.ones(2))",
        TypeError,
        "The outputs of the user-provided function given to jacobian must be either a Tensor or a "
        "tuple of Tensors but the given outputs of the user-provided function has type <class "
        "'int'>.",
    ),
    (
        "torch.autograd.functional.hessian(lambda x: x, torch.ones(2))",
        RuntimeError,
        "The Tensor returned by the function given to hessian should contain a single element",
    ),
    (
        "torch.autograd.functional.jvp(lambda x: x, torch.ones(2))",
        RuntimeError,
        "The vector v can only be None if the input to the user-provided function is a single "
        "Tensor with a single element.",
    ),
    (
        "torch.autograd.functional.jacobian(\n"
        "    lambda x: torch.ones(2), torch.ones(2), strict=True)\n",
        RuntimeError,
        "Output 0 of the user-provided function does not require gradients. The outputs must be "
        "computed in a differentiable manner from the input when running in strict mode.",
    ),
    (
        "torch.func.grad(lambda x: x)(torch.ones(2))",
        RuntimeError,
        "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with 1 "
        "dims. Maybe you wanted to use the vjp or jacrev APIs instead?",
    ),
    (
        "torch.func.grad(lambda x: 3)(torch.ones(2))",
        RuntimeError,
        "grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got <class 'int'>",
    ),
    (
        "torch.func.grad(lambda x: x.sum())(torch.ones(2, dtype=torch.int64))",
        RuntimeError,
        "only Tensors of floating point dtype can require gradients",
    ),
    (
        "torch.func.jvp(lambda x: x, (torch.ones(2),), (torch.ones(3),))",
        RuntimeError,
        "Trying to set a forward gradient that has a different size than that of the original "
        "Tensor, this is not supported. Tensor is of size [2] while the given forward gradient is "
        "of size [3].",
    ),
    (
        "torch.autograd.forward_ad.make_dual(torch.ones(2), torch.ones(2))",
        RuntimeError,
        "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
        "enter_dual_level() first.",
    ),
    (
        "with torch.autograd.forward_ad.dual_level():\n"
        "    torch.autograd.forward_ad.make_dual(torch.ones(2), torch.ones(3))\n",
        RuntimeError,
        "Trying to set a forward gradient that has a different size than that of the original "
        "Tensor, this is not supported. Tensor is of size [2] while the given forward gradient is "
        "of size [3].",
    ),
]

# On CUDA a check of the values would have to wait for the device, and the text has the device.
NO_ORDER = "maximum not implemented for complex tensors."
NO_CLAMP = "clamp is not supported for complex types"
NO_COMPLEX_FILL = "index_fill_(): Converting complex Scalar to non-complex type is not supported"

OPERANDS: list[Row] = [
    ("z = torch.tensor([1j, 2])\nz.max(0)", RuntimeError, "max(): does not support complex input"),
    ("z = torch.tensor([1j, 2])\nz.min(0)", RuntimeError, "min(): does not support complex input"),
    ("torch.tensor([1j]).argmax()", RuntimeError, "argmax(): does not support complex input"),
    (
        "torch.zeros(0, dtype=torch.complex64).argmin(0)",
        RuntimeError,
        "argmin(): does not support complex input",
    ),
    (
        "torch.zeros(0, dtype=torch.complex64).max(0)",
        IndexError,
        "max(): Expected reduction dim 0 to have non-zero size.",
    ),
    (
        "torch.tensor([1j]).max()",
        NotImplementedError,
        "\"max_all\" not implemented for 'ComplexFloat'",
    ),
    (
        "torch.tensor([1j], dtype=torch.complex128).min()",
        NotImplementedError,
        "\"min_all\" not implemented for 'ComplexDouble'",
    ),
    ("z = torch.tensor([1j, 2])\ntorch.maximum(z, z)", RuntimeError, NO_ORDER),
    ("z = torch.tensor([1j, 2])\ntorch.max(z, z.real)", RuntimeError, NO_ORDER),
    (
        "z = torch.tensor([1j, 2])\ntorch.minimum(z, z)",
        RuntimeError,
        "minimum not implemented for complex tensors.",
    ),
    ("torch.tensor([1j]).clamp(0, 1)", NotImplementedError, NO_CLAMP),
    ("torch.tensor([1j]).clamp_(min=torch.ones(1))", NotImplementedError, NO_CLAMP),
    ("torch.tensor([1j]).relu()", NotImplementedError, NO_CLAMP),
    (
        "~torch.ones(2)",
        TypeError,
        "~ (operator.invert) is only implemented on integer and Boolean-type tensors",
    ),
    (
        "torch.ones(2, dtype=torch.int64).bitwise_and_(torch.ones(2))",
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    (
        "torch.ones(2, dtype=torch.int64).bitwise_or_(1.5)",
        RuntimeError,
        "result type Float can't be cast to the desired output type Long",
    ),
    (
        "torch.ones(2) & torch.ones(3)",
        RuntimeError,
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0",
    ),
    ("torch.ones(3).index_fill(0, torch.tensor([0]), 1j)", RuntimeError, NO_COMPLEX_FILL),
    ("torch.ones(3).index_fill_(0, torch.tensor([0]), 1 + 0j)", RuntimeError, NO_COMPLEX_FILL),
    (
        "torch.ones(3).index_fill(0, torch.tensor([0]), torch.tensor(1j))",
        RuntimeError,
        NO_COMPLEX_FILL,
    ),
    ("torch.ones(3).int().index_fill(5, torch.tensor([0]), 1j)", RuntimeError, NO_COMPLEX_FILL),
    (
        "torch.ones(2, 3, 4).t_()",
        RuntimeError,
        "t_() expects a tensor with <= 2 dimensions, but self is 3D",
    ),
    (
        "x = torch.ones(2, requires_grad=True) * 1; z = x * x; x.fill_(1)\nz.sum().backward()",
        RuntimeError,
        stale("[2]", "Fill2"),
    ),
    (
        "x = torch.ones(2, requires_grad=True) * 1; z = x * x; x.fill_(torch.tensor(1.0))\n"
        "z.sum().backward()",
        RuntimeError,
        stale("[2]", "Fill3"),
    ),
    (
        "x = torch.ones(2, requires_grad=True) * 1; z = x * x; x.zero_()\nz.sum().backward()",
        RuntimeError,
        stale("[2]", "Zero"),
    ),
    (
        "x = torch.ones(2, 3, requires_grad=True) * 1; x.t_(); z = x * x; x.t_()\n"
        "z.sum().backward()",
        RuntimeError,
        stale("[2, 3]", "T1", 2, 1),
    ),
    (
        "a, b = torch.ones(2, 2, requires_grad=True).unbind(0)\nb.add_(1)",
        RuntimeError,
        several_views("Unbind", 1),
    ),
    (
        "x = torch.ones(2, 2, requires_grad=True) * 1; a, b = x.unbind(0); x.detach().mul_(2)\n"
        "b.add_(1)",
        RuntimeError,
        several_views("Unbind", 1),
    ),
]

CPU_ONLY: list[Row] = [
    (
        "torch.tensor([1j]).amax()",
        NotImplementedError,
        "\"max_values_cpu\" not implemented for 'ComplexFloat'",
    ),
    (
        "torch.tensor([1j], dtype=torch.complex128).amin(0)",
        NotImplementedError,
        "\"min_values_cpu\" not implemented for 'ComplexDouble'",
    ),
    (
        "torch.ones(2) & torch.ones(2)",
        NotImplementedError,
        "\"bitwise_and_cpu\" not implemented for 'Float'",
    ),
    (
        "1.5 | torch.ones(2, dtype=torch.int64)",
        NotImplementedError,
        "\"bitwise_or_cpu\" not implemented for 'Float'",
    ),
    (
        "torch.ones(2, dtype=torch.complex128) ^ 1",
        NotImplementedError,
        "\"bitwise_xor_cpu\" not implemented for 'ComplexDouble'",
    ),
    (
        "torch.ones(2).half().bitwise_not()",
        NotImplementedError,
        "\"bitwise_not_cpu\" not implemented for 'Half'",
    ),
    (
        "x = torch.ones(2)\nx &= torch.ones(2)",
        NotImplementedError,
        "\"bitwise_and_cpu\" not implemented for 'Float'",
    ),
    (
        "torch.ones(3)[torch.tensor([0, 7])]",
        IndexError,
        "index 7 is out of bounds for dimension 0 with size 3",
    ),
    (
        "torch.ones(3, 4)[0, torch.tensor([0, -5])]",
        IndexError,
        "index -5 is out of bounds for dimension 0 with size 4",
    ),
    ("torch.arange(3) // 0", RuntimeError, "ZeroDivisionError"),
    ("torch.arange(3) % torch.arange(3)", RuntimeError, "ZeroDivisionError"),
    ("torch.div(torch.arange(3), 0, rounding_mode='trunc')", RuntimeError, "ZeroDivisionError"),
    ("torch.arange(3).fmod_(0)", RuntimeError, "ZeroDivisionError"),
    ("torch.ones(2) << 1", NotImplementedError, "\"lshift_cpu\" not implemented for 'Float'"),
    (
        "torch.floor(torch.ones(2, dtype=torch.bool))",
        NotImplementedError,
        "\"floor_vml_cpu\" not implemented for 'Bool'",
    ),
    ("torch.frac(torch.arange(3))", NotImplementedError, "\"frac_cpu\" not implemented for 'Long'"),
    (
        "torch.gcd(torch.ones(2), torch.ones(2))",
        NotImplementedError,
        "\"gcd_cpu\" not implemented for 'Float'",
    ),
    ("torch.celu(torch.arange(3))", NotImplementedError, "\"elu_cpu\" not implemented for 'Long'"),
    ("{torch.ones(2): 1}[torch.ones(2)]", KeyError, "tensor([1., 1.])"),
    (
        "torch.ones(2, requires_grad=True).__dlpack__()",
        BufferError,
        "Can't export tensors that require gradient, use tensor.detach()",
    ),
]

ELEMENTWISE: list[Row] = [
    (
        "torch.floor_divide(torch.ones(2, requires_grad=True), 2).sum().backward()",
        RuntimeError,
        "derivative for aten::floor_divide is not implemented",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\ntorch.heaviside(x, x).sum().backward()",
        RuntimeError,
        "derivative for aten::heaviside is not implemented",
    ),
    (
        "torch.heaviside(torch.ones(2), torch.ones(2, dtype=torch.int64))",
        RuntimeError,
        "heaviside is not yet implemented for tensors with different dtypes.",
    ),
    (
        "torch.div(torch.ones(2), 2, rounding_mode='up')",
        RuntimeError,
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'",
    ),
    (
        "torch.lerp(torch.ones(2), torch.ones(2, dtype=torch.float64), 0.5)",
        RuntimeError,
        "expected dtype float for `end` but got dtype double",
    ),
    (
        "torch.lerp(torch.ones(2), torch.ones(2), torch.ones(2, dtype=torch.float64))",
        RuntimeError,
        "expected dtype float for `weight` but got dtype double",
    ),
    (
        "torch.frexp(torch.arange(3))",
        RuntimeError,
        "torch.frexp() only supports floating-point dtypes",
    ),
    (
        "torch.ones(2).float_power_(2)",
        RuntimeError,
        "the base given to float_power_ has dtype Float but the operation's result requires dtype "
        "Double",
    ),
    (
        "torch.prelu(torch.ones(2, 3), torch.ones(2))",
        RuntimeError,
        "Mismatch of parameter numbers and input channel size. Found parameter numbers = 2 and "
        "channel size = 3.",
    ),
    (
        "torch.celu(torch.ones(2), 0)",
        RuntimeError,
        "ZeroDivisionError: alpha cannot be 0 for CELU",
    ),
    (
        "torch.deg2rad(torch.ones(2, dtype=torch.complex64))",
        RuntimeError,
        "deg2rad is not supported for complex tensors.",
    ),
    (
        "torch.floor(torch.ones(2, dtype=torch.complex64))",
        NotImplementedError,
        "floor is not supported for complex inputs",
    ),
    (
        "torch.fmax(torch.ones(2, dtype=torch.complex64), torch.ones(2))",
        RuntimeError,
        "fmax not implemented for complex tensors.",
    ),
    (
        "torch.signbit(torch.ones(2, dtype=torch.complex64))",
        NotImplementedError,
        "signbit is not implemented for complex tensors.",
    ),
    (
        "torch.atan2(torch.ones(2), 2)",
        TypeError,
        "atan2(): argument 'other' (position 2) must be Tensor, not int",
    ),
    (
        "torch.exp_(2.0)",
        TypeError,
        "exp_(): argument 'input' (position 1) must be Tensor, not float",
    ),
]

TABLES = {
    "backward": BACKWARD, "requires_grad": REQUIRES_GRAD, "in_place": IN_PLACE, "grad": GRAD,
    "conversion": CONVERSION, "indexing": INDEXING, "creation": CREATION, "devices": DEVICES,
    "shapes": SHAPES, "dtypes": DTYPES, "arguments": ARGUMENTS, "optim": OPTIM,
    "inference": INFERENCE, "hooks": HOOKS, "functions": FUNCTIONS,
    "differentiation": DIFFERENTIATION, "operands": OPERANDS,
    "elementwise": ELEMENTWISE,
}  # fmt: skip


def rows(*tables: list[Row]) -> list[Any]:
    """Return the rows as parameters, named by the last line of their snippets."""
    return [pytest.param(*row, id=row[0].split("\n")[-1]) for table in tables for row in table]


@pytest.mark.parametrize(("snippet", "error", "text"), rows(*TABLES.values()))
def test_class_and_text_are_pytorchs(
    snippet: str, error: type[Exception], text: str, device: str
) -> None:
    expected = ours(text)
    if device == "cuda":
        expected = expected.replace("gpugrad.FloatTensor", "gpugrad.cuda.FloatTensor")
    assert raised(snippet, gpugrad, device) == (error, expected)


@pytest.mark.parametrize(("snippet", "error", "text"), rows(CPU_ONLY))
def test_class_and_text_are_pytorchs_on_the_cpu(
    snippet: str, error: type[Exception], text: str
) -> None:
    assert raised(snippet, gpugrad) == (error, ours(text))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("snippet", "error", "text"), rows(*TABLES.values(), CPU_ONLY))
def test_pytorch_still_says_so(snippet: str, error: type[Exception], text: str) -> None:
    torch = pytorch()

    assert raised(snippet, torch) == (error, text)


# --------------------------------------------------------------------------- different on purpose

ACCEPTED = "no error"
FUNCTION = "class F(torch.autograd.Function):\n"
CUBE = f"{FUNCTION}    generate_vmap_rule = True\n    forward = staticmethod(lambda x: x**3)\n"
# What PyTorch raises, what gpugrad raises or ACCEPTED, and why.
DELIBERATE: list[tuple[str, tuple[type[Exception], str], Any, str]] = [
    (
        "torch.from_numpy(np.arange(3)[::-1])",
        (ValueError, "At least one stride in the given numpy array is negative"),
        ACCEPTED,
        "NumPy and CuPy compute with negative strides, so there is nothing to refuse",
    ),
    (
        "np.ones(2) + torch.ones(2)",
        (TypeError, "Concatenation operation is not implemented for NumPy arrays"),
        ACCEPTED,
        "arrays are operands, on either side",
    ),
    (
        "torch.sin(np.ones(2))",
        (TypeError, "sin(): argument 'input' (position 1) must be Tensor, not numpy.ndarray"),
        ACCEPTED,
        "arrays are operands of functions, too",
    ),
    (
        "x = torch.ones(3)\nx[:] = np.ones(3)",
        (TypeError, "can't assign a numpy.ndarray to a torch.FloatTensor"),
        ACCEPTED,
        "and may be assigned",
    ),
    (
        "torch.ones(2).copy_(np.ones(2))",
        (TypeError, "copy_(): argument 'other' (position 1) must be Tensor, not numpy.ndarray"),
        ACCEPTED,
        "and be copied from",
    ),
    (
        "np.sin(torch.ones(2, requires_grad=True))",
        (RuntimeError, NUMPY_NEEDS_DETACH),
        ACCEPTED,
        "NumPy's functions are recorded; those that have no rule are refused for every tensor, so "
        "that a gradient is never lost",
    ),
    (
        "np.ones(2) @ torch.ones(2)",
        (TypeError, "unsupported operand type(s) for @: 'numpy.ndarray' and 'Tensor'"),
        ACCEPTED,
        "arrays are operands, of the type that both promote to",
    ),
    (
        "torch.tensor([[], [1]])",
        (AssertionError, ""),
        (ValueError, "expected sequence of length 0 at dim 1 (got 1)"),
        "PyTorch drops the 1 and returns an empty tensor",
    ),
    (
        "torch.ones(2, 3)[..., ..., 0]",
        (IndexError, "index 0 is out of bounds for dimension 2 with size 0"),
        (IndexError, "an index can only have a single ellipsis ('...')"),
        "PyTorch takes the second ellipsis for a slice",
    ),
    (
        "torch.ones(2, device='foo')",
        (RuntimeError, "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep,"),
        (RuntimeError, "Expected one of cpu, cuda device type at start of device string: foo"),
        "only the devices that there are",
    ),
    (
        "y = torch.ones(2).requires_grad_() * 2\ny.grad_fn = None",
        (AttributeError, "attribute 'grad_fn' of 'torch._C.TensorBase' objects is not writable"),
        (AttributeError, "property 'grad_fn' of 'Tensor' object has no setter"),
        "Python's own sentence",
    ),
    (
        "torch.Tensor([2, 4], requires_grad=True)",
        (
            TypeError,
            "new() received an invalid combination of arguments - got (list, requires_grad",
        ),
        (TypeError, "Tensor.__new__() got an unexpected keyword argument 'requires_grad'"),
        "Python's own sentence instead of a list of signatures",
    ),
    (
        "torch.randn(2, generator=3)",
        (TypeError, "randn() received an invalid combination of arguments - got (int, generator"),
        (TypeError, "argument 'generator' must be gpugrad.Generator, not int"),
        "one sentence instead of a list of signatures",
    ),
    (
        "torch.empty(10**15)",
        (RuntimeError, "[enforce fail at alloc_cpu.cpp"),
        (
            MemoryError,
            "Unable to allocate 3.55 PiB for an array with shape (1000000000000000,) and "
            "data type float32",
        ),
        "NumPy's class and sentence, which give the shape",
    ),
    (
        "torch.ones(2, device='meta')",
        (AssertionError, ""),
        (RuntimeError, "Expected one of cpu, cuda device type at start of device string: meta"),
        "only the devices that there are",
    ),
    (
        "y = torch.ones(3, requires_grad=True).prod()\ny.detach().mul_(2); y.backward()",
        (RuntimeError, "one of the variables needed for gradient computation has been modified"),
        ACCEPTED,
        "the gradient of a product does not read the result",
    ),
    (
        "x = torch.ones(3, requires_grad=True) * 1\n"
        "v = x[:2]; z = (v * v).sum(); x.mul_(2); z.backward()",
        (
            RuntimeError,
            "one of the variables needed for gradient computation has been modified by an inplace "
            "operation: [torch.FloatTensor [2]], which is output 0 of AsStrided, is at version 1;",
        ),
        (RuntimeError, ours(stale("[2]", "Slice"))),
        "names the view as it was made; PyTorch has replaced its history when it looks",
    ),
    (
        "x = torch.ones(1).expand(3)\nx.copy_(x)",
        (AssertionError, ""),
        (RuntimeError, SHARED_MEMORY),
        "PyTorch does not copy a tensor to itself, and so does not look at its memory",
    ),
    (
        "x = torch.ones(2, dtype=torch.complex64)\nx.conj().mul_(2)",
        (AssertionError, ""),
        (
            RuntimeError,
            "a conjugate (conj, adjoint, mH, H), or a part of one, is being modified inplace. It "
            "shows what its tensor is, but does not lie in its memory. Write into the tensor, or "
            "into a clone() of the conjugate.",
        ),
        "no array conjugates what is read and written: a conjugate is a copy that follows the "
        "tensor",
    ),
    (
        "y = torch.ones(3, requires_grad=True) * 1\ny.unfold(0, 2, 1).mul_(2)",
        (AssertionError, ""),
        (RuntimeError, SHARED_MEMORY),
        "of elements that lie on each other one value remains, and the gradient would be that of "
        "all; PyTorch looks only where they all are one",
    ),
    (
        "x = torch.ones(2, requires_grad=True)\nx[torch.tensor([5])] = 2.0",
        (RuntimeError, LEAF_WRITTEN),
        (IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
        "of two mistakes the index is found first",
    ),
    (
        "y = torch.ones(2, 2, requires_grad=True) * 1\na, b = y.unbind(0); y.mul_(2); a.sum(5)",
        (RuntimeError, "Output 0 of Unbind is a view and its base or another view of its base has"),
        (IndexError, "Dimension out of range (expected to be in range of [-1, 0], but got 5)"),
        "of two mistakes the dimension is found first",
    ),
    (
        "torch.ones((1,) * 64).unsqueeze(0)",
        (AssertionError, ""),
        (ValueError, "maximum supported dimension for an ndarray is currently 64, found 65"),
        "NumPy and CuPy stop at 64 dimensions",
    ),
    (
        f"{CUBE}    setup_context = staticmethod(lambda ctx, i, o: ctx.save_for_backward(*i))\n"
        "    backward = lambda ctx, g: 3 * g * ctx.saved_tensors[0]**2\n"
        "    backward = staticmethod(torch.autograd.function.once_differentiable(backward))\n"
        "torch.func.grad(torch.func.grad(F.apply))(torch.tensor(1.0))",
        (AssertionError, ""),
        (
            RuntimeError,
            "trying to differentiate twice a function that was marked with @once_differentiable",
        ),
        "PyTorch takes the first gradient for a constant, and gives 0",
    ),
    (
        f"{FUNCTION}    generate_vmap_rule = True\n"
        "    forward = staticmethod(lambda x: x.mul_(2))\n"
        "    setup_context = staticmethod(lambda ctx, i, o: ctx.mark_dirty(*i))\n"
        "torch.func.vmap(F.apply)(torch.ones(2))",
        (RuntimeError, "Some elements marked as dirty during the forward method were not returned"),
        ACCEPTED,
        "examples are written to in place, too",
    ),
    (
        f"{FUNCTION}    forward = staticmethod(lambda ctx, x: x.detach().numpy() * 2)\n"
        "F.apply(torch.ones(2, requires_grad=True))",
        (AssertionError, ""),
        (
            TypeError,
            "the forward of F returned an array as output 0, which would have no gradient. Return "
            "a tensor, as of gpugrad.as_tensor(array), or array.tolist() of what is no function of "
            "the arguments.",
        ),
        "PyTorch returns the array, and the gradient is lost",
    ),
    (
        "x = torch.ones(2, requires_grad=True); c = torch.ones(2); f = lambda q: q.sin() * c\n"
        "z = torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)\n"
        "c.mul_(3); z.sum().backward()",
        (AssertionError, ""),
        (
            RuntimeError,
            "one of the variables needed for gradient computation has been modified by an inplace "
            "operation: [gpugrad.FloatTensor [2]] is at version 1; expected version 0 instead. "
            "Hint: enable anomaly detection to find the operation that failed to compute its "
            "gradient, with gpugrad.autograd.set_detect_anomaly(True, check_nan=False).",
        ),
        "PyTorch looks at arguments only, and computes another gradient",
    ),
]


def deliberate(entries: list[Any]) -> list[Any]:
    return [pytest.param(*entry, id=entry[0].split("\n")[-1]) for entry in entries]


@pytest.mark.parametrize(("snippet", "theirs", "mine", "reason"), deliberate(DELIBERATE))
def test_what_is_different_on_purpose(
    snippet: str, theirs: tuple[type[Exception], str], mine: Any, reason: str
) -> None:
    if mine == ACCEPTED:
        run(snippet, gpugrad)
    else:
        error, text = raised(snippet, gpugrad)
        assert issubclass(error, mine[0]), reason
        assert text == mine[1]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("snippet", "theirs", "mine", "reason"), deliberate(DELIBERATE))
def test_pytorch_is_different_there(
    snippet: str, theirs: tuple[type[Exception], str], mine: Any, reason: str
) -> None:
    torch = pytorch()
    if theirs[0] is AssertionError:  # PyTorch accepts it
        run(snippet, torch)
        return
    error, text = raised(snippet, torch)

    assert error is theirs[0]
    assert text.startswith(theirs[1])


@pytest.mark.parametrize(
    "call",
    [
        lambda: gpugrad.tensor([1, 2], dtype="float32"),  # type: ignore[arg-type]
        lambda: gpugrad.tensor(1.0, dtype=float),  # type: ignore[arg-type]
        lambda: gpugrad.zeros(2, dtype="float32"),  # type: ignore[arg-type]
        lambda: gpugrad.arange(3, dtype="int64"),  # type: ignore[arg-type]
        lambda: gpugrad.randn(2, dtype="float32"),  # type: ignore[arg-type]
        lambda: gpugrad.ones(2).sum(dtype="float64"),  # type: ignore[arg-type]
        lambda: gpugrad.ones(2).mean(dtype="float64"),  # type: ignore[arg-type]
    ],
)
def test_a_dtype_of_another_kind_is_refused_by_name(call: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=r"argument 'dtype' must be gpugrad.dtype, not (str|type)"):
        call()


@pytest.mark.parametrize("name", ["bitwise_and", "remainder", "pow", "xlogy"])
def test_numbers_alone_are_no_operands(name: str) -> None:
    """Where PyTorch says so, with a list of what it takes."""
    message = rf"{name}\(\) received an invalid combination of arguments - got \(float, int"
    for library in (gpugrad, pytorch()):
        with pytest.raises(TypeError, match=message):
            getattr(library, name)(1.5, 2)
