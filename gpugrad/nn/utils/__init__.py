"""What is done with the parameters and inputs of networks, under the names of PyTorch's."""

from gpugrad.nn.utils import rnn as rnn
