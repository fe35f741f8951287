"""The tensor: an array of NumPy's or CuPy's with PyTorch's names and a place in the graph.

What can be done with it are the operations of :mod:`gpugrad.ops`; :mod:`gpugrad.methods` makes them
its methods.
"""

from __future__ import annotations

import copy
import functools
import textwrap
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpugrad import _dtype, backend, hooks, printing, tensor_types
from gpugrad._device import device as Device  # noqa: N812  the class has a property of its name
from gpugrad._dtype import INEXACT
from gpugrad._dtype import dtype as DType  # noqa: N812
from gpugrad._layout import contiguous_format, strided
from gpugrad._layout import layout as Layout  # noqa: N812
from gpugrad._layout import memory_format as MemoryFormat  # noqa: N812
from gpugrad._size import Size, size_of
from gpugrad.backend import exchange
from gpugrad.backend.batched import NO_MEMORY, Batched, levels_of
from gpugrad.backend.batched import shown as every_example
from gpugrad.errors import normal_dim
from gpugrad.errors import size as text_of_size
from gpugrad.graph import (
    LEAF,
    Counter,
    Inference,
    Output,
    TensorBase,
    ends,
    inferring,
    mode,
    of_derivative,
    warn,
)
from gpugrad.hooks import Hook, RemovableHandle
from gpugrad.methods import Methods
from gpugrad.op import dual, saved, writable
from gpugrad.op.follower import Follower, follower_of
from gpugrad.op.history import renew
from gpugrad.op.memory import Memory, memory_of
from gpugrad.op.node import ShownNode, shown
from gpugrad.op.promotion import is_operand
from gpugrad.op.saved import own_array, shared_counter
from gpugrad.ops import complex as complex_
from gpugrad.ops import copy as copies
from gpugrad.ops import creation, indexing, inplace, joining
from gpugrad.ops import shape as shapes

_NOT_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
    "attribute won't be populated during autograd.backward(). If you indeed want the .grad field "
    "to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you "
    "access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See "
    "github.com/pytorch/pytorch/pull/30531 for more information."
)


class _Ufuncs:
    """The place of ``__array_ufunc__``.

    NumPy asks the class for it, and calls what it finds there.  CuPy, and operators
    written in Python, ask an object, and leave arithmetic with it to its operators for ``None``.
    """

    def __get__(self, tensor: Any, owner: type) -> Any:
        return _array_ufunc if tensor is None else None


def _array_ufunc(tensor: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    return _numpy().call_ufunc(ufunc, method, inputs, options)


class Tensor(Methods):
    """An array with a dtype, a device and, where asked for, a gradient.

    ``Tensor(data)`` makes a tensor of the default dtype from numbers, sequences or sizes, as
    PyTorch's old constructor did; prefer :func:`gpugrad.tensor`.
    It takes attributes of any name, as ``parameter.layer = "first"``.
    """

    __module__ = "gpugrad"  # where users find it, and pickles

    __array_ufunc__ = _Ufuncs()
    __array_priority__ = 1000
    __hash__ = object.__hash__
    _inherited = True  # results of operations have the class of the user's that operands have

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """Return what one of NumPy's functions gives: that of our function of its name."""
        return _numpy().call_function(self, function, types, args, options)

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """Return :mod:`gpugrad.array_api`, the functions of the Python array API standard.

        Raises:
            ValueError: Another version of the standard than 2021.12 to 2024.12 is asked for.
        """
        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
            raise ValueError(
                f"gpugrad.array_api is of the version 2024.12 of the standard, not {api_version!r}"
            )
        from gpugrad import array_api  # it is made of functions of tensors

        return array_api

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Note that there are classes of the user's, which results inherit from operands.

        Raises:
            NotImplementedError: It defines ``__torch_function__`` or ``__torch_dispatch__``.
        """
        super().__init_subclass__(**kwargs)
        for name in "__torch_function__", "__torch_dispatch__":
            if name in vars(cls):
                raise NotImplementedError(
                    f"{cls.__name__} defines {name}, which gpugrad would never call. Override the "
                    "methods that are to do something else."
                )
        if cls.__module__ != __name__ and cls._inherited and not saved.subclasses:
            saved.subclasses.append(True)

    def __new__(cls, *data: Any, device: Any = None) -> Any:
        """Return a tensor of the default dtype: of the data, or of given sizes."""
        if len(data) == 1 and isinstance(data[0], TensorBase):
            made: Any = copies.detach(data[0])  # type: ignore[arg-type]
        else:
            made = tensor_types.filled(_dtype.get_default_dtype(), data, device)
        return made if cls is Tensor else saved.of_class(made, cls)

    @staticmethod
    def _make_subclass(cls: Any, data: Tensor, require_grad: bool = False) -> Any:
        """Return a tensor of a class on the memory of another, without its history: a leaf.

        Raises:
            TypeError: The class does not derive from ``Tensor``.
        """
        _check_class(cls)
        made = saved.of_class(copies.detach(data), cls)
        return creation.finish(made, require_grad)

    def as_subclass(self, cls: Any) -> Any:
        """Return a view of the tensor, with its history, as one of a class.

        Results of operations inherit the class from their operands; it is not initialised for them.

        Raises:
            TypeError: The class does not derive from ``Tensor``.
        """
        _check_class(cls)
        return saved.of_class(shapes.alias(self), cls)

    # ----------------------------------------------------------------------- what it is

    @property
    def array(self) -> Any:
        """The NumPy or CuPy array itself, sharing memory; gradients do not see writes to it.

        Raises:
            RuntimeError: It is a view of a conjugate, which may not be written, or has hidden axes.
        """
        if follower_of(self) is not None:
            raise RuntimeError(
                "Can't call numpy() on Tensor that has conjugate bit set. Use "
                "tensor.resolve_conj().numpy() instead."
            )
        return self._memory()

    def _memory(self) -> Any:
        """Return the array for use elsewhere.

        Raises:
            RuntimeError: It has hidden axes, of ``vmap``.
        """
        saved.read(self)
        shared_counter(self)
        array = own_array(self)
        if array.__class__ is Batched:
            raise RuntimeError(NO_MEMORY)
        return backend.exposed(array)

    @property
    def shape(self) -> Size:
        """The lengths of the dimensions."""
        return size_of(Size, self._array.shape)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return _dtype.DTYPES[self._array.dtype]

    _kind = dtype  # also where a class shows its elements' type in another way

    @property
    def device(self) -> Device:
        """The device that holds the array."""
        return backend.of(self._array).device_of(self._array)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def is_cuda(self) -> bool:
        """Whether the array is CuPy's."""
        return backend.of(self._array).type == "cuda"

    @property
    def is_cpu(self) -> bool:
        """Whether the array is NumPy's."""
        return backend.of(self._array).type == "cpu"

    # what a program may ask for that knows PyTorch's other devices and layouts
    is_sparse = is_sparse_csr = is_nested = is_quantized = is_mkldnn = is_meta = False
    is_mps = is_xpu = is_xla = is_ipu = is_mtia = is_maia = is_vulkan = False

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """Return the tensor as another type; without one, the name of its own.

        A type is a dtype, a type of tensors such as ``gpugrad.DoubleTensor``, or its name.

        Raises:
            ValueError: There is no type of that name.
        """
        if dtype is None:
            return saved.type_name(self)
        if isinstance(dtype, str):
            dtype = tensor_types.named(dtype)
        if isinstance(dtype, tensor_types.tensortype):
            return copies.to(self, dtype.where, dtype.dtype)
        return copies.to(self, _dtype.chosen(dtype, self._kind))

    @property
    def itemsize(self) -> int:
        """The size of an element in bytes."""
        return self._kind.itemsize

    @property
    def nbytes(self) -> int:
        """The size of all elements in bytes."""
        return self.numel() * self.itemsize

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of one dimension."""
        if dim is None:
            return self.shape
        return self._array.shape[_one_of("size", dim, self._array.ndim)]

    def dim(self) -> int:
        """Return the number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """Return the number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Return the size of an element in bytes."""
        return self._kind.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Return the distance of neighbours in elements, for each dimension or for one."""
        array = own_array(self)
        strides = tuple(s // array.itemsize for s in array.strides)
        return strides if dim is None else strides[_one_of("stride", dim, array.ndim)]

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        array = self._memory()
        return backend.of(array).address(array)

    def is_contiguous(self, memory_format: MemoryFormat = contiguous_format) -> bool:
        """Return whether the elements lie in memory in the order of their indices, or a format."""
        return copies.lies_in(self, memory_format)

    @property
    def layout(self) -> Layout:
        """How the elements are stored: by strides."""
        return strided

    # ----------------------------------------------------------------------- the graph

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted for it, or for something it was computed from."""
        if backend.recorders:
            backend.asked(self)
        if self._edge is not None or self._view is None:
            return self._edge is not None
        base: Any = self._view.base
        return base._edge is not None or (isinstance(base, Follower) and base.source.requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        saved.up_to_date(self)
        renew(self)
        if not ends(self._edge):
            if not value:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use "
                    "a computed variable in a subgraph that doesn't require differentiation use "
                    "var_no_grad = var.detach()."
                )
            return
        if value and self._array.dtype.kind not in INEXACT:
            raise RuntimeError(
                "only Tensors of floating point and complex dtype can require gradients"
            )
        if value and self.is_inference() and not mode.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed."
            )
        self._edge = LEAF if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor.

        Raises:
            RuntimeError: Its type has no gradients, it was computed and the value is False, or a
                transform runs, such as ``vmap`` or ``func.grad``.
        """
        if mode.batches or mode.transforms:
            raise RuntimeError(
                "You are attempting to call Tensor.requires_grad_() (or perhaps using "
                "gpugrad.autograd.functional.* APIs) inside of a function being transformed by a "
                "functorch transform. This is unsupported, please attempt to use the functorch "
                "transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() "
                "outside of a function being transformed instead."
            )
        if not isinstance(requires_grad, bool):
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        if requires_grad and self._array.dtype.kind not in INEXACT:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether it is an end of the graph: not computed, or without gradient."""
        renew(self)
        backend.asked(self)
        return ends(self._edge)

    @property
    def grad_fn(self) -> ShownNode | None:
        """The node that computed it, ``None`` for a leaf."""
        renew(self)
        backend.asked(self)
        edge: Any = self._edge
        if ends(edge):
            return None
        return shown(edge.node if isinstance(edge, Output) else edge)

    @property
    def output_nr(self) -> int:
        """Which output of its ``grad_fn`` it is."""
        renew(self)
        return self._edge.index if isinstance(self._edge, Output) else 0

    def is_inference(self) -> bool:
        """Return whether its memory was made in inference mode."""
        return isinstance(self._counter, Inference)

    def _is_view(self) -> bool:
        """Return whether it was made as a view of another tensor, whose history it shares."""
        return self._view is not None

    @property
    def _base(self) -> Tensor | None:
        """The tensor that it, or what it is a view of, was made of as a view."""
        view = self._view
        while view is not None and isinstance(view.base, Follower):
            source = view.base.source
            if source._view is None:
                return source
            view = source._view
        return None if view is None else view.base  # type: ignore[return-value]

    @property
    def _version(self) -> int:
        """How often the memory was written in place."""
        if self.is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        return saved.version_of(self)

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient; ``None`` before the first backward."""
        grad = self._grad
        if grad is None and backend.recorders:
            backend.recorders[-1].absent(self)
        if grad is None and not self.is_leaf and not self.retains_grad:
            warn(_NOT_LEAF_GRAD)
        return grad  # type: ignore[return-value]

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            self._check_grad(value)
            if follower_of(value) is not None:  # it will be added to
                value = copies.clone(value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def _check_grad(self, value: Any) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(
                "assigned grad expected to be a Tensor or None but got grad of type "
                f"{type(value).__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        expected = self._chosen_grad_dtype()
        if expected is not None and value._array.dtype != expected.numpy:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{_c_name(value)}' to a tensor with "
                f"grad_dtype '{expected.title}'. The gradient must match the tensor's grad_dtype "
                "(defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute "
                "with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. "
                "Diverging the dtypes of a tensor and its gradient may break downstream systems "
                "that assume they match."
            )
        saved.up_to_date(value)
        if value._array.shape != self._array.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{text_of_size(value._array.shape)}' to "
                f"a tensor of size '{text_of_size(self._array.shape)}'. Please ensure that the "
                "gradient and the tensor are the same size"
            )
        doors = [backend.of(t._array) for t in (value, self)]
        if doors[0] is not doors[1] and {d.type for d in doors} == {doors[0].type}:
            raise RuntimeError(
                "attempting to assign a gradient to a tensor of which it has not the hidden axes: "
                "inside vmap, one of the two is the same for every example, and the other is not"
            )
        if doors[0] is not doors[1]:
            raise RuntimeError(
                "attempting to assign a gradient to a tensor that has data on a different device"
            )

    @property
    def grad_dtype(self) -> DType | None:
        """The type of ``.grad``, by default that of the tensor; ``None`` allows any.

        Gradients are converted to it as they arrive, before hooks see them; where it is ``None``
        they stay in the type in which they were computed.  It can be set, also for
        ``autograd.grad``, while there is no ``.grad`` of another type.
        """
        if not self.is_leaf:
            raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
        return self._chosen_grad_dtype()

    @grad_dtype.setter
    def grad_dtype(self, value: DType | None) -> None:
        if not self.is_leaf:
            raise RuntimeError("grad_dtype can only be set on leaf tensors.")
        if value is not None:
            if not isinstance(value, DType):
                raise RuntimeError(
                    f"grad_dtype must be a gpugrad.dtype or None, but got {type(value).__name__}"
                )
            if value.numpy.kind not in INEXACT:
                raise RuntimeError("grad_dtype must be a floating point or complex dtype")
            grad = self._grad
            if grad is not None and grad._array.dtype != value.numpy:
                raise RuntimeError(
                    f"Cannot set grad_dtype to '{value.title}' because there is already a gradient "
                    f"with dtype '{_c_name(grad)}'. Please clear the gradient (.grad = None) "
                    "before changing grad_dtype, or ensure the new grad_dtype matches the existing "
                    "gradient's dtype."
                )
        hooks.of_leaf(self).grad_dtype = value

    def _chosen_grad_dtype(self) -> DType | None:
        chosen = getattr(self, "_hooks", None)
        return getattr(chosen, "grad_dtype", self._kind)

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on a tensor that is not a leaf."""
        renew(self)
        node = self.grad_fn
        if node is None or node.hooks is None:
            return False
        owner = node.hooks.retained.get(self.output_nr)
        return owner is not None and owner() is self

    def retain_grad(self) -> None:
        """Have ``backward`` fill the ``.grad`` of a tensor that was computed, too.

        Raises:
            RuntimeError: It does not require grad, or a transform runs, such as ``vmap``.
        """
        renew(self)
        if self._edge is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if mode.batches or mode.transforms:
            raise RuntimeError(
                "You are attempting to call Tensor.retain_grad() inside of a function being "
                "transformed by a functorch transform. This is unsupported, please attempt to use "
                "the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call "
                "retain_grad() outside of a function being transformed instead."
            )
        backend.reveal(self, hooked=True)
        if not ends(self._edge):  # the node must not keep its output alive
            hooks.of_node(self.grad_fn).retained[self.output_nr] = weakref.ref(self)

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """Have walks call ``hook(grad)`` with the complete gradient of this tensor.

        A tensor that it returns takes the place of the gradient.  Hooks run in the order in which
        they were registered, before ``retain_grad`` and before the node runs.

        Raises:
            RuntimeError: The tensor does not require grad; in the walk, what the hook returned has
                another shape or type.
            TypeError: In the walk, the hook returned something else.
        """
        renew(self)
        if self._edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        backend.reveal(self, hooked=True)
        found = hooks.of_leaf(self) if ends(self._edge) else hooks.of_node(self.grad_fn)
        return found.tensor.add((self.output_nr, of_derivative(hook)))

    def register_post_accumulate_grad_hook(self, hook: Hook) -> RemovableHandle:
        """Have walks call ``hook(tensor)`` as soon as they have added to the ``.grad`` of a leaf.

        Raises:
            RuntimeError: The tensor does not require grad, or is no leaf.
        """
        renew(self)
        if self._edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not ends(self._edge):
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        return hooks.of_leaf(self).accumulated.add(hook)

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | Tensor | None = None,
    ) -> None:
        """Add the gradient of this tensor to the ``.grad`` of the leaves it was computed from.

        See :func:`gpugrad.autograd.backward`.
        """
        _engine().backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """Return a tensor on the same memory without history."""
        return copies.detach(self)

    def detach_(self) -> Tensor:
        """Forget the history of the tensor, and its tangents, and return it.

        Raises:
            RuntimeError: It is a view; in the walk, the tensor was saved before for a gradient that
                is recorded.
        """
        if isinstance(self._counter, Inference):  # without history
            return self
        if self._view is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using "
                "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set "
                "as True, gradients are views of DDP buckets, and hence detach_() cannot be called "
                "on these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
                "function in torch/optim/optimizer.py as the solution."
            )
        writable.check_scope(self)
        if not ends(self._edge):
            saved.note_detachment(self)
        self._edge = None
        if saved.is_dual(self):
            self._tangents = {}
        return self

    @property
    def data(self) -> Tensor:
        """A tensor on the same memory without history.

        Unlike PyTorch's, it shares the version counter: a write that a backward would have to see
        is noticed.

        Raises:
            RuntimeError: It has hidden axes, of ``vmap``.
        """
        if own_array(self).__class__ is Batched:
            raise RuntimeError("accessing `data` under vmap transform is not allowed")
        return copies.detach(self)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {_full_name(value)}")
        if self._edge is not None and value._array.dtype.kind not in INEXACT:
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex "
                "dtype"
            )
        saved.up_to_date(value)
        if value._array.__class__ is Batched or self._array.__class__ is Batched:
            raise RuntimeError(
                "mutating directly with `.data` under vmap transform is not allowed."
            )
        counter = Counter()
        counter.value = self._version
        self._array = value._array
        self._counter = counter
        saved.note_write(self, value)  # a node that saved this tensor must see the change

    # ----------------------------------------------------------------------- to Python

    def item(self) -> Any:
        """Return the one element as a Python number.

        Raises:
            RuntimeError: There is not exactly one.
        """
        array = self._array
        if array.size != 1:
            raise RuntimeError(f"a Tensor with {array.size} elements cannot be converted to Scalar")
        if inferring or self._view is not None:
            saved.read(self)
        return backend.of(array).item(array)

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers; of a 0-d tensor the number."""
        saved.read(self)
        array = self._array
        if array.__class__ is Batched:
            array = own_array(self)
        return backend.of(array).to_numpy(array).tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """Return the NumPy array, sharing memory.

        Args:
            force: Detach, and copy from the GPU, where that is needed.

        Raises:
            RuntimeError: It requires grad, and gradients are recorded.
            TypeError: It is on a GPU.
        """
        if force:
            saved.read(self)
            return backend.of(self._array).to_numpy(own_array(self))
        if mode.enabled and self.requires_grad:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        if self.is_cuda:
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to "
                "copy the tensor to host memory first."
            )
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        try:
            array = self.numpy()
        except (RuntimeError, TypeError) as error:
            _numpy().name_reader(error)
            raise
        return np.array(array, dtype=dtype, copy=copy)

    def _kept_from_others(self) -> str | None:
        """Return why no other library may read the memory, ``None`` where it may."""
        if self.requires_grad:
            return "requires grad: the gradient would be lost"
        if dual.tangents_of(self):
            return "has tangents of forward mode: they would be lost"
        if follower_of(self) is not None:
            return "is a view of a conjugate, which is not in the memory that it views"
        if self._array.__class__ is Batched:
            return "has hidden axes, of vmap"
        return None

    @property
    def __cuda_array_interface__(self) -> Any:
        if not self.is_cuda:
            raise AttributeError(
                "Can't get __cuda_array_interface__ on non-CUDA tensor type: "
                f"{saved.type_name(self)} If CUDA data is required use tensor.cuda() to copy "
                "tensor to device memory."
            )
        if (why := self._kept_from_others()) is not None:
            raise AttributeError(
                f"Can't get __cuda_array_interface__ of a tensor that {why}. Use tensor.detach()."
            )
        saved.read(self)
        return backend.exposed(own_array(self)).__cuda_array_interface__

    @property
    def __cupy_get_ndarray__(self) -> Any:
        """What CuPy calls to have the array of an object that has no array interface.

        It is there only where that may not be had, to say so: else CuPy would raise errors of its
        own, which cannot know what to do.
        """
        if not self.is_cuda or (why := self._kept_from_others()) is None:
            raise AttributeError("CuPy reads the tensor by __cuda_array_interface__")

        def refuse() -> Any:
            function = _numpy().reader() or "CuPy"
            raise RuntimeError(
                f"{function} would read the memory of a tensor that {why}. {_hook().ways_out()}"
            )

        return refuse

    def __cupy_override_elementwise_kernel__(self, kernel: Any, *args: Any, **kwargs: Any) -> Any:
        return _hook().called(kernel, args, kwargs)

    def __cupy_override_reduction_kernel__(self, kernel: Any, *args: Any) -> Any:
        return _hook().reduced(kernel, self, *args)

    def _scatter_op(self, indices: Any, value: Any, operation: str) -> None:
        # what CuPy's ufuncs call for `at`
        _hook().scattered(self, indices, value, operation)

    def __dlpack__(
        self,
        *,
        stream: int | None = -1,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Return a capsule of DLPack's of the memory, for one library to take.

        By a ``stream`` of -1, the default, nothing waits.

        Raises:
            BufferError: The tensor has a history or tangents, or is a view of a conjugate; its
                type is none that its array library exports.
        """
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if follower_of(self) is not None:
            raise BufferError("Can't export tensors with the conjugate bit set")
        if dual.tangents_of(self):
            raise BufferError(
                "Can't export tensors with tangents, use forward_ad.unpack_dual(tensor).primal"
            )
        given = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
        options = {"stream": stream, **{k: v for k, v in given.items() if v is not None}}
        return exchange.exported(self._memory(), options)

    def __dlpack_device__(self) -> Any:
        return self._memory().__dlpack_device__()

    def _one(self, kind: str) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        saved.read(self)
        value = backend.of(self._array).item(self._array)
        if isinstance(value, complex) and kind != "complex":
            if value.imag:
                raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
            return value.real
        return value

    def __bool__(self) -> bool:
        if self._array.__class__ is Batched and self._array.common() is None:
            raise RuntimeError(
                "vmap: It looks like you're attempting to use a Tensor in some data-dependent "
                "control flow. We don't support that yet, please file an issue at "
                "https://github.com/pytorch/pytorch/issues ."
            )
        n = self._array.size
        if n != 1:
            what = "no values" if n == 0 else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
        saved.read(self)
        return bool(backend.of(self._array).item(self._array))

    def __float__(self) -> float:
        self._warn_of_scalar()
        return float(self._one("double"))

    def __int__(self) -> int:
        return int(self._one("int64_t"))

    def __complex__(self) -> complex:
        self._warn_of_scalar()
        return complex(self._one("complex"))

    def _warn_of_scalar(self) -> None:
        """Warn where the gradient ends in silence, as where an element of an array is set."""
        if mode.enabled and self.requires_grad:
            warn(
                "Converting a tensor with requires_grad=True to a scalar may lead to unexpected "
                "behavior.\nConsider using tensor.detach() first."
            )

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind not in "biu":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        saved.read(self)
        return int(backend.of(self._array).item(self._array))

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(joining.unbind(self, 0))

    def __reversed__(self) -> Tensor:
        return indexing.flip(self, 0) if self._array.ndim else self

    def __contains__(self, value: Any) -> bool:
        if not is_operand(value):
            raise RuntimeError(
                "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                f"{type(value)}."
            )
        return bool((self == value).any())

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    def __dir__(self) -> list[str]:
        """Return the names that there are: some slots are filled only where they are needed."""
        sometimes = "_hooks", "_tangents", "__cuda_array_interface__", "__cupy_get_ndarray__"
        missing = {name for name in sometimes if not hasattr(self, name)}
        return sorted({*object.__dir__(self)} - missing)

    def __repr__(self) -> str:
        levels = levels_of(own_array(self))
        if levels:
            inner = saved.wrap(every_example(self._array, backend.of(self._array), 0, levels[-1]))
            inner._edge = self._edge
            text = textwrap.indent(repr(inner), "    ")
            return f"BatchedTensor(lvl={len(levels)}, bdim=0, value=\n{text}\n)"
        saved.up_to_date(self)
        try:
            node = self.grad_fn
            name = None if node is None else node.name().split("::")[-1]
        except RuntimeError:  # it is a view that must not be used any more, but may be looked at
            name = "Invalid"
        door = backend.of(self._array)
        tangents = [t for level in mode.levels if (t := dual.tangent_of(self, level)) is not None]
        return printing.format_tensor(
            own_array(self),
            name="tensor" if saved.is_plain(self) else type(self).__name__,
            default_dtype=_dtype.get_default_dtype().name,
            device=str(self.device),
            grad_fn=name,
            requires_grad=self.requires_grad,
            tangent=repr(tangents[-1]) if tangents else None,
            to_host=door.to_numpy,
        )

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows: the type, a picture of the values, one of the gradient."""
        from gpugrad.viz.html import of_tensor

        return of_tensor(self)

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0 and saved.is_plain(self):
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def _place(self) -> tuple[Memory, tuple[Any, ...]]:
        """Return the memory that the tensor lies in, and how it does.

        Raises:
            NotImplementedError: It has hidden axes, of ``vmap``.
        """
        saved.read(self)
        if self._array.__class__ is Batched:
            raise NotImplementedError("Cannot access storage of BatchedTensorImpl")
        return memory_of(backend.exposed(own_array(self)))

    def __copy__(self) -> Tensor:
        """Return a leaf on the same memory, which requires grad where the tensor does.

        Unlike PyTorch's, it shares the version counter: a write that a backward would have to see
        is noticed.

        Raises:
            NotImplementedError: A transform of ``func`` differentiates by the tensor, or it has
                hidden axes, of ``vmap``.
        """
        if mode.transforms and self.requires_grad:
            raise NotImplementedError("Cannot access storage of TensorWrapper")
        if self._array.__class__ is Batched:
            raise NotImplementedError("Cannot access storage of BatchedTensorImpl")
        result = copies.detach(self)
        if self.is_inference() and not mode.inference:
            result._counter = None
        result = creation.finish(result, self.requires_grad)
        return self._with_class(result, vars(self))

    def _with_class(self, copied: Tensor, attributes: dict[str, Any]) -> Any:
        """Return a copy of the tensor as one of its class, with the user's attributes."""
        kind = saved.at_rest(type(self))
        if kind is not Tensor:
            copied = saved.of_class(copied, kind)
        vars(copied).update(attributes)
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """Return a copy of the tensor, in a copy of all of the memory that it lies in.

        Tensors that are copied together share memory as they did.

        Raises:
            NotImplementedError: It has hidden axes, of ``vmap``.
            RuntimeError: It was computed from what requires grad.
        """
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment.  If you were attempting to deepcopy a module, this may be "
                "because of a gpugrad.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]
        memory, place = self._place()
        result: Tensor = copy.deepcopy(memory, memo).tensor(*place)
        memo[id(self)] = result = self._with_class(result, {})
        vars(result).update(copy.deepcopy(vars(self), memo))
        result._edge = LEAF if self.requires_grad else None
        result._grad = copy.deepcopy(self._grad, memo)
        if (chosen := self._chosen_grad_dtype()) is not self._kind:
            hooks.of_leaf(result).grad_dtype = chosen
        return result

    def __reduce__(self) -> Any:
        memory, place = self._place()
        kind = saved.at_rest(type(self))
        made = _rebuilt, (memory, place, self.requires_grad, None if kind is Tensor else kind)
        return (*made, vars(self)) if vars(self) else made

    # ----------------------------------------------------------------------- its other views

    @property
    def real(self) -> Tensor:
        """A view of the real part; the tensor itself where it is real."""
        return complex_.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        inplace.copy_(complex_.real(self), value)

    @property
    def imag(self) -> Tensor:
        """A view of the imaginary part of a complex tensor."""
        return complex_.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        inplace.copy_(complex_.imag(self), value)

    @property
    def T(self) -> Tensor:
        """A view with the dimensions in reverse order."""
        return shapes.permute(self, tuple(reversed(range(self._array.ndim))))

    @property
    def mT(self) -> Tensor:
        """A view with the last two dimensions exchanged."""
        return shapes.matrices_transposed(self)

    @property
    def mH(self) -> Tensor:
        """The conjugate with the last two dimensions exchanged."""
        return shapes.adjoint(self, name="mH")

    @property
    def H(self) -> Tensor:
        """The conjugate of a matrix, transposed."""
        ndim = self._array.ndim
        if ndim not in (0, 2):
            advice = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
            raise RuntimeError(
                f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor."
                f"{advice}"
            )
        return shapes.adjoint(self)


@functools.cache
def _numpy() -> Any:
    # NumPy's functions are those of a namespace that is made for tensors.
    from gpugrad.numpy import protocol

    return protocol


@functools.cache
def _hook() -> Any:
    # It speaks of CuPy's functions, by the names of gpugrad.numpy's, which are made for tensors.
    from gpugrad.cupy import hook

    return hook


@functools.cache
def _engine() -> Any:
    # Tensor.backward is autograd.backward, whose package is made for tensors.
    from gpugrad.autograd import engine

    return engine


def _one_of(function: str, dim: int, ndim: int) -> int:
    """Return a dimension counted from the front, of a tensor that has some.

    Raises:
        IndexError: There is no such dimension.
        TypeError: It is not an integer.
    """
    if not hasattr(dim, "__index__"):
        raise TypeError(
            f"{function}(): argument 'dim' (position 1) must be int, not {type(dim).__name__}"
        )
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return normal_dim(dim, ndim)


def _full_name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _check_class(cls: Any) -> None:
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {type(cls).__name__})")
    if not issubclass(cls, Tensor):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not "
            "possible. Make sure your class inherits from Tensor."
        )


def _c_name(tensor: TensorBase) -> str:
    return _dtype.of(tensor._array.dtype).c_name


def _rebuilt(memory: Memory, place: Any, requires_grad: bool, kind: Any) -> Any:
    made = creation.finish(memory.tensor(*place), requires_grad)
    return made if kind is None else saved.of_class(made, kind)


class Dual(Tensor):
    """A tensor with tangents: how it moves, for each level of forward mode."""


saved.close_circle(Tensor, Dual)  # closes the circle: results of operations are tensors
