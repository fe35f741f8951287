"""What is shown of tensors, recorded graphs and their memory, and that looking changes nothing."""

from __future__ import annotations

import gc
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpugrad as torch
from gpugrad.backend.batched import levels_of
from gpugrad.viz import picture


def pictures(html: str) -> list[ET.Element]:
    return [ET.fromstring(s) for s in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def html_of(tensor: Any) -> str:
    found = tensor._repr_html_()
    assert isinstance(found, str)
    return found


def kinds(svg: ET.Element) -> list[str]:
    return [e.tag.split("}")[1] for e in svg.iter()]


# --------------------------------------------------------------------------- memory


def test_each_piece_of_memory_is_reported_once_with_its_bytes_and_line() -> None:
    x = torch.ones(300, 200, requires_grad=True)
    y = (x[:100] * x[100:200]).exp()  # the line
    z = (y.sin() @ torch.ones(200, 5)).sum()

    report = torch.memory_report(z)

    found = {(s.operation, s.name): s for s in report}
    leaf = found["MulBackward0", "self"]
    assert (leaf.bytes, leaf.users, leaf.shape) == (300 * 200 * 4, 2, (100, 200))
    out = found["ExpBackward0", "result"]
    assert (out.bytes, out.users) == (100 * 200 * 4, 2)  # sin saved it as well
    line = re.fullmatch(r"(.*):(\d+), in (\w+)", out.line)
    assert line
    assert line[3] == "test_each_piece_of_memory_is_reported_once_with_its_bytes_and_line"
    with open(line[1]) as file:
        assert file.readlines()[int(line[2]) - 1].endswith("# the line\n")
    assert found["MmBackward0", "mat2"].bytes == 200 * 5 * 4
    assert report.bytes == sum(s.bytes for s in report) == 4 * (60_000 + 20_000 + 1000)
    assert [s.bytes for s in report] == sorted((s.bytes for s in report), reverse=True)
    assert str(report).splitlines()[0] == f"{report.nodes} recorded calls keep 316.41 KiB:"
    assert "ExpBackward0.result" in report._repr_html_()

    z.backward()
    assert len(torch.memory_report(z)) == 0


def test_objects_that_are_looked_through_are_not_asked_for_their_class() -> None:
    class Asked:
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

    living = Asked()
    torch.memory_report()
    torch.compile(lambda x: x * 2)(torch.ones(1))
    del living


def test_without_roots_all_living_graphs_are_searched() -> None:
    x = torch.ones(777, requires_grad=True)
    y = x.exp()

    def mine() -> list[object]:
        return [s for s in torch.memory_report() if s.shape == (777,)]

    assert len(mine()) == 1
    del y
    assert not mine()
    with pytest.raises(TypeError, match="roots are tensors, got float"):
        torch.memory_report(1.0)


@pytest.mark.parametrize(
    "fail",
    [
        lambda x: x[:1].expand(2**50) + torch.ones(1).expand(2**50),
        lambda x: torch.outer(x, torch.ones(1).expand(2**50)),
        lambda x: torch.cat([x, torch.ones(1).expand(2**50)]),
        lambda x: x[:1].expand(2**50).exp(),
    ],
    ids=["plain", "whole", "several", "unary"],
)
def test_an_out_of_memory_error_tells_what_graphs_keep(fail: Any) -> None:
    gc.collect()  # graphs of other tests, of which the largest would be told
    x = torch.ones(4, requires_grad=True)
    y = torch.ones(513, requires_grad=True).exp()
    with pytest.raises(MemoryError) as caught:
        fail(x)
    (note,) = caught.value.__notes__
    assert "recorded call" in note
    assert "ExpBackward0.result  float32[513] cpu" in note
    del y


def test_an_out_of_memory_error_of_the_backward_tells_it_too() -> None:
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise MemoryError("none left")

    gc.collect()
    kept = torch.ones(514, requires_grad=True).exp()
    with pytest.raises(MemoryError, match="none left") as caught:
        Fails.apply(torch.ones(2, requires_grad=True)).sum().backward()
    assert "float32[514]" in "".join(caught.value.__notes__)
    del kept


# --------------------------------------------------------------------------- tensors in notebooks


@pytest.mark.parametrize(
    ("make", "drawn"),
    [
        (lambda: torch.arange(12.0), "path"),
        (lambda: torch.rand(5, 7) > 0.5, "image"),
        (lambda: torch.randn(3, 4, 5), "rect"),
        (lambda: torch.randn(3, 4, dtype=torch.complex64), "image"),
        (lambda: torch.tensor(2.5), None),
        (lambda: torch.zeros(0, 3), None),
        (lambda: torch.full((4, 4), float("nan")), "image"),
        (lambda: torch.tensor([1e308, -1e308], dtype=torch.float64), "path"),
    ],
)
def test_the_picture_fits_the_rank(make: Any, drawn: str | None) -> None:
    found = pictures(make()._repr_html_())
    assert len(found) == (drawn is not None)
    if drawn is not None:
        assert drawn in kinds(found[0])


def test_the_html_says_what_the_tensor_is_and_escapes_its_text() -> None:
    x = torch.tensor([1.0, float("nan"), float("inf"), -2.0], requires_grad=True)
    y = x * 2
    y.sum().backward()
    html = html_of(y)
    assert "grad_fn=MulBackward0" in html
    assert "grad_fn=&lt;MulBackward0&gt;" in html
    assert "1 nan, 1 inf" in html
    both = html_of(x)
    assert "requires_grad" in both
    assert len(pictures(both)) == 2  # and the gradient's
    assert "float32" in both


def test_large_tensors_are_sampled_through_views() -> None:
    base = torch.zeros(1).expand(2**40, 2**10)  # no copy of all of this would fit
    html = html_of(base)
    assert "in a sample of" in html
    assert len(html) < 20_000
    for shape in ((2**40,), (3, 2**40), (2,) * 40, (2**20, 2**20)):
        found = picture.sample(np.broadcast_to(np.float32(1), shape[:32]))
        assert 1 <= found.values.size <= picture.MOST
        assert not found.whole


def test_inside_vmap_there_is_text_only() -> None:
    seen = []

    def look(t: Any) -> Any:
        assert levels_of(t._array)
        seen.append(t._repr_html_())
        return t

    torch.vmap(look)(torch.ones(3, 2))
    assert seen == [None]


def test_a_png_has_the_pixels_that_it_is_made_of() -> None:
    import struct
    import zlib

    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    data = picture.png(pixels, 2)
    width, height = struct.unpack(">II", data[16:24])
    body = zlib.decompress(data[41 : data.index(b"IEND") - 8])
    rows = np.frombuffer(body, np.uint8).reshape(height, 1 + 3 * width)
    assert (width, height) == (8, 4)
    np.testing.assert_array_equal(rows[::2, 1:].reshape(2, 8, 3)[:, ::2], pixels)


# --------------------------------------------------------------------------- graphs

SVG = "{http://www.w3.org/2000/svg}"


class Seen:
    """A drawing, read from its SVG."""

    def __init__(self, drawing: Any) -> None:
        self.root = ET.fromstring(drawing._repr_svg_())
        self.boxes: dict[str, tuple[str, list[Any]]] = {}
        self.places: dict[str, tuple[float, ...]] = {}
        for g in self.root.iter(f"{SVG}g"):
            if "data-box" in g.attrib:
                key = g.attrib["data-box"]
                self.boxes[key] = (g.attrib["class"], [t.text for t in g.findall(f"{SVG}text")])
                x, y = map(float, re.findall(r"[-\d.]+", g.attrib["transform"]))
                rect = g.find(f"{SVG}rect")
                assert rect is not None
                self.places[key] = (
                    x, y, x + float(rect.attrib["width"]), y + float(rect.attrib["height"]),
                )  # fmt: skip
        self.arrows = [
            (p.attrib["data-from"], p.attrib["data-to"])
            for p in self.root.iter(f"{SVG}path")
            if p.attrib.get("class") == "arrow"
        ]

    def named(self, title: str) -> list[str]:
        return [k for k, (_, texts) in self.boxes.items() if texts[0] == title]

    def texts(self, title: str) -> list[Any]:
        (key,) = self.named(title)
        return self.boxes[key][1]

    def linked(self) -> set[tuple[str, str]]:
        return {(self.boxes[a][1][0], self.boxes[b][1][0]) for a, b in self.arrows}

    def assert_legible(self) -> None:
        """No boxes overlap, all are within the picture, arrows lead down."""
        left, top, width, height = map(float, self.root.attrib["viewBox"].split())
        places = list(self.places.values())
        for k, (x0, y0, x1, y1) in enumerate(places):
            assert left <= x0 < x1 <= left + width
            assert top <= y0 < y1 <= top + height
            for a0, b0, a1, b1 in places[:k]:
                assert x1 < a0 or a1 < x0 or y1 < b0 or b1 < y0
        for a, b in self.arrows:
            assert self.places[a][3] < self.places[b][1]


def program() -> Any:
    w = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    b = torch.tensor([0.25, 0.75], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    h = torch.tanh(x @ w.T + b)
    return w, b, h, (h[:, 0] * h[:, 1]).sum()


def test_the_graph_has_a_box_for_each_leaf_and_call_and_an_arrow_for_each_input() -> None:
    w, b, _, y = program()
    seen = Seen(torch.viz.graph(y, params={"weight": w, "<bias>": b}))

    seen.assert_legible()
    assert seen.linked() == {
        ("weight", "permute"), ("permute", "mm"), ("mm", "add"), ("<bias>", "add"), ("add", "tanh"),
        ("tanh", "select"), ("select", "mul"), ("mul", "sum"), ("sum", "result"),
    }  # fmt: skip
    assert seen.texts("<bias>")[1:] == ["float32 [0.25, 0.75]", "grad None"]
    assert seen.texts("tanh")[1:] == [
        "= float32[3, 2]", "saved result float32[3, 2], 24 B",
    ]  # fmt: skip
    assert seen.texts("result") == ["result", f"float32 {y.item():.3g}"]
    assert "view" in seen.boxes[seen.named("select")[0]][1]
    y.backward(retain_graph=True)
    after = Seen(torch.viz.graph(y, params={"weight": w, "<bias>": b}))
    assert after.texts("<bias>")[2] == f"grad [{b.grad[0]:.3g}, {b.grad[1]:.3g}]"
    y.backward()
    assert "freed" in Seen(torch.viz.graph(y)).texts("tanh")


def test_the_graph_shows_what_was_written_in_place_and_one_arrow_for_the_same_input() -> None:
    v = torch.tensor([1.0, 2.0], requires_grad=True)
    a = torch.zeros(4)
    a[1:3] = v
    a.mul_(2)
    seen = Seen(torch.viz.graph(a, a * a, params={"v": v}))
    seen.assert_legible()
    assert "in place" in seen.texts("CopySlices")
    assert "written in place 2 times" in seen.texts("result 0")
    ends = [b for _, b in seen.arrows]
    assert [ends.count(k) for k in seen.named("mul")] == [1, 1]
    labels = [t.text for g in seen.root.iter(f"{SVG}g") if g.attrib.get("class") == "label"
              for t in g.iter(f"{SVG}text")]  # fmt: skip
    assert "x, y" in labels


def test_a_wide_graph_with_long_arrows_is_legible() -> None:
    leaves = [torch.ones(3, requires_grad=True) for _ in range(12)]
    total = leaves[0]
    for k, leaf in enumerate(leaves[1:]):
        total = total * leaf + leaves[k // 2].exp()
    seen = Seen(torch.viz.graph(total))
    seen.assert_legible()
    assert len(seen.boxes) == 12 + 11 * 3 + 1


def test_looking_changes_nothing() -> None:
    w, b, h, y = program()
    node = y.grad_fn
    saved = node.next_functions[0][0]._saved_self
    counters = [t._counter and t._counter.value for t in (w, b, h, y)]
    torch.viz.graph(y).svg()
    torch.viz.graph(y).to_dot()
    torch.memory_report(y)
    for t in (w, b, h, y):
        t._repr_html_()
    assert w.grad is None
    assert b.grad is None
    assert [t._counter and t._counter.value for t in (w, b, h, y)] == counters
    assert y.grad_fn is node
    assert (node.next_functions[0][0]._saved_self == saved).all()
    y.backward()
    assert w.grad is not None


def test_a_drawing_is_saved_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    w, _, _, y = program()
    drawing = torch.viz.graph(y, params={'a "w"\\': w})
    drawing.save(tmp_path / "g.svg")
    assert ET.parse(tmp_path / "g.svg").getroot().tag == f"{SVG}svg"
    drawing.save(str(tmp_path / "g.dot"))
    dot = (tmp_path / "g.dot").read_text()
    assert dot.count(" -> ") == len(drawing.recorded.arrows)
    assert r'label="a \"w\"\\\nfloat32[2, 2]\ngrad None"' in dot
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match=r"gpugrad\[viz\]"):
        drawing.save(tmp_path / "g.pdf")
    long = w.sum()
    for _ in range(300):
        long = long.sin()
    Seen(torch.viz.graph(long)).assert_legible()  # and without Graphviz large ones are drawn, too


@pytest.mark.needs("graphviz")
@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program is not installed")
def test_large_drawings_and_other_formats_are_graphvizs(tmp_path: Path) -> None:
    w, _, _, y = program()
    torch.viz.graph(y, params={'a "w"\\': w}).save(tmp_path / "g.pdf")
    assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")
    long = w.sum()
    for _ in range(300):
        long = long.sin()
    svg = torch.viz.graph(long)._repr_svg_()
    assert ET.fromstring(svg).tag == f"{SVG}svg"
    assert svg.count("sin") >= 300
    assert "viewBox" in svg


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v: v.graph(), "at least one tensor"),
        (lambda v: v.graph(3), "roots are tensors, got int"),
        (lambda v: v.graph(torch.ones(1), params={"w": 1}), "'w' is no tensor, but int"),
    ],
)
def test_what_is_no_tensor_is_refused(call: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call(torch.viz)


# --------------------------------------------------------------------------- a backward explained


def test_each_step_has_the_gradients_of_the_backward_and_its_rules() -> None:
    w, b, h, y = program()
    h.retain_grad()
    told = torch.viz.explain(y, params={"w": w, "b": b})

    assert w.grad is b.grad is h.grad is None
    assert [s.number for s in told.steps] == list(range(1, 9))
    (tanh,) = [s for s in told.steps if s.operation == "tanh"]
    assert (tanh.node, tanh.value) == ("TanhBackward0", "tanh(x) = tanh(x)")
    assert tanh.rules == ("dx = g * (1 - (out * out))",)
    assert tanh.arrivals[0].endswith("(from steps 3, 4)")
    y.backward()
    ends = {e.name: e for e in told.ends}
    for found, leaf in ((ends["w"].added, w), (ends["b"].added, b), (tanh.incoming[0], h)):
        assert leaf.grad is not None
        np.testing.assert_array_equal(found.numpy(), leaf.grad.numpy())


def test_the_text_is_that_of_a_lesson() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    assert (
        str(torch.viz.explain(y, params={"x": x}))
        == """\
The backward from float32[] passes 2 recorded calls, the latest first, and ends in 1 leaf.

1. sum  (SumBackward0)
   arrives   1.
   rule      dinput = repeated(g, like.shape, axes, keepdims)
   sends     input -> mul: [1., 1.]

2. mul  (MulBackward0)
   computed  mul(x, y) = x * y
   arrives   [1., 1.]
   rule      dx = g * y
   rule      dy = g * x
   sends     x -> x: [1., 2.]
   sends     y -> x: [1., 2.]

x.grad: [2., 4.] + [2., 4.] becomes [4., 8.]"""
    )
    assert x.grad is not None
    assert x.grad.tolist() == [2, 4]
    told = torch.viz.explain(y, backward=True)
    assert x.grad.tolist() == [4, 8]
    assert told.ends[0].before.tolist() == [2, 4]
    with pytest.raises(RuntimeError, match="second time"):
        torch.viz.explain(y)


def test_views_writes_in_place_and_several_outputs_are_explained() -> None:
    v = torch.tensor([1.0, 2.0], requires_grad=True)
    a = torch.zeros(4)
    a[1:3] = v
    a[2:].mul_(3)
    low, high = a.split(2)
    y = (low * high).max(0).values + high.std()
    told = torch.viz.explain(y, params={"v": v})
    assert any("the part that was written" in r for s in told.steps for r in s.rules)
    assert "output 1: nothing" in str(told)
    seen = Seen(told.drawing)
    seen.assert_legible()
    assert {"step 1", "step 2"} <= {w for _, texts in seen.boxes.values() for t in texts
                                    for w in str(t).split(" · ")}  # fmt: skip
    y.backward()
    assert v.grad is not None
    np.testing.assert_array_equal(told.ends[0].added.numpy(), v.grad.numpy())
    assert told._repr_html_().count("<svg") == 1
    assert "-> output 0 of split: [" in str(told)


def test_an_explanation_is_of_a_gradient_that_is_given_or_of_one_number() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    told = torch.viz.explain(x.exp(), torch.tensor([1.0, 0.0]))
    assert told.ends[0].added.tolist() == [pytest.approx(np.e), 0]
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        torch.viz.explain(x.exp())
    with pytest.raises(RuntimeError, match="has shape"):
        torch.viz.explain(x.exp(), torch.ones(3))
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.viz.explain(torch.ones(()))
    with pytest.raises(TypeError, match="expected a tensor, got float"):
        torch.viz.explain(1.0)


def test_a_function_of_the_users_is_named() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    told = torch.viz.explain(Double.apply(torch.ones((), requires_grad=True)))
    assert told.steps[0].rules == ("Double.backward",)
    assert told.ends[0].added.item() == 2
