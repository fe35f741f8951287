"""Pictures of tensors and of what was recorded; nothing here changes what it shows."""

from gpugrad.viz.drawing import Drawing as Drawing
from gpugrad.viz.drawing import graph as graph
from gpugrad.viz.explanation import Explanation as Explanation
from gpugrad.viz.explanation import explain as explain
