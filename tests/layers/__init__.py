"""The layers of gpugrad.nn as they are compared with PyTorch's, in files named as theirs."""
