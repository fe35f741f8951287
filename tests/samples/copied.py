"""Samples of copies of views: the views themselves have more."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples.draw import ANY, PLANE
from samples.family import NOT, X, Z, case, rearranged
from samples.sample import Sample

REFERENCE: dict[str, Any] = {
    "alias_copy": np.copy,
    "diagonal_copy": np.diagonal,
    "expand_copy": np.broadcast_to,
    "permute_copy": np.transpose,
    "squeeze_copy": np.squeeze,
    "t_copy": np.transpose,
    "transpose_copy": np.swapaxes,
    "unsqueeze_copy": np.expand_dims,
    "view_copy": np.reshape,
}

COLUMN, PAIRS = ANY((3, 1), 0), ANY((3, 2), 0)

SAMPLES: dict[str, list[Sample]] = {
    "alias_copy": [case("ordinary", lambda lib, x: lib.alias_copy(x), X)],
    "as_strided_copy": [
        case("ordinary", lambda lib, x: lib.as_strided_copy(x, (2, 2), (4, 1), 1), X,
             reference=lambda x: x[:2, 1:3]),
    ],
    "detach_copy": [case("ordinary", lambda lib, x: lib.detach_copy(x), X, reference=np.copy,
                         **NOT)],
    "diagonal_copy": [case("ordinary", lambda lib, x: lib.diagonal_copy(x, 1), X)],
    "expand_copy": [case("ordinary", lambda lib, x: lib.expand_copy(x, (2, 3, 4)), COLUMN)],
    "permute_copy": rearranged(lambda lib, x: lib.permute_copy(x, (2, 0, 1)), (2, 3, 4)),
    "select_copy": [case("ordinary", lambda lib, x: lib.select_copy(x, 1, 2), X,
                         reference=lambda x: x[:, 2])],
    "slice_copy": [
        case("ordinary", lambda lib, x: lib.slice_copy(x, 1, 0, 3, 2), X,
             reference=lambda x: x[:, 0:3:2]),
        case("whole", lambda lib, x: lib.slice_copy(x), X, reference=np.copy),
    ],
    "split_copy": [case("ordinary", lambda lib, x: lib.split_copy(x, 2), X,
                        reference=lambda x: (x[:2], x[2:]))],
    "split_with_sizes_copy": [
        case("ordinary", lambda lib, x: lib.split_with_sizes_copy(x, [1, 3], 1), X,
             reference=lambda x: (x[:, :1], x[:, 1:])),
    ],
    "squeeze_copy": [case("dims", lambda lib, x: lib.squeeze_copy(x, (1,)), COLUMN)],
    "t_copy": [case("ordinary", lambda lib, x: lib.t_copy(x), X)],
    "transpose_copy": [case("ordinary", lambda lib, x: lib.transpose_copy(x, 0, 2), Z)],
    "unbind_copy": [case("ordinary", lambda lib, x: lib.unbind_copy(x, 1), PAIRS,
                         reference=lambda x: (x[:, 0], x[:, 1]))],
    "unfold_copy": [case("ordinary", lambda lib, x: lib.unfold_copy(x, 1, 2, 2), X,
                         reference=lambda x: x.reshape(3, 2, 2))],
    "unsqueeze_copy": [case("ordinary", lambda lib, x: lib.unsqueeze_copy(x, 1), X)],
    "view_as_complex_copy": [case("ordinary", lambda lib, x: lib.view_as_complex_copy(x), PAIRS,
                                  reference=lambda x: x[:, 0] + 1j * x[:, 1], half=False)],
    "view_as_real_copy": [case("ordinary", lambda lib, x: lib.view_as_real_copy(x),
                               PLANE((3,), 0), reference=lambda x: np.stack((x.real, x.imag), -1))],
    "view_copy": [case("ordinary", lambda lib, x: lib.view_copy(x, (2, 6)), X)],
}  # fmt: skip
