"""Several processes that compute together, under ``torch.distributed``'s names.

MPI (the extra ``mpi``, started by ``mpiexec -n 4 python train.py``) carries tensors of the CPU, and
of GPUs by way of the host; NCCL, by CuPy, carries those of GPUs.  A process that ends by an error
ends the others, too.

>>> import gpugrad.distributed as dist
>>> dist.is_initialized()
False
"""

from __future__ import annotations

from gpugrad.distributed import algorithms as algorithms
from gpugrad.distributed.collectives import all_gather as all_gather
from gpugrad.distributed.collectives import all_gather_into_tensor as all_gather_into_tensor
from gpugrad.distributed.collectives import all_reduce as all_reduce
from gpugrad.distributed.collectives import all_to_all as all_to_all
from gpugrad.distributed.collectives import all_to_all_single as all_to_all_single
from gpugrad.distributed.collectives import barrier as barrier
from gpugrad.distributed.collectives import broadcast as broadcast
from gpugrad.distributed.collectives import gather as gather
from gpugrad.distributed.collectives import reduce as reduce
from gpugrad.distributed.collectives import reduce_scatter as reduce_scatter
from gpugrad.distributed.collectives import reduce_scatter_tensor as reduce_scatter_tensor
from gpugrad.distributed.collectives import scatter as scatter
from gpugrad.distributed.gradients import GradBucket as GradBucket
from gpugrad.distributed.group import GroupMember as GroupMember
from gpugrad.distributed.group import ProcessGroup as ProcessGroup
from gpugrad.distributed.group import destroy_process_group as destroy_process_group
from gpugrad.distributed.group import get_backend as get_backend
from gpugrad.distributed.group import get_global_rank as get_global_rank
from gpugrad.distributed.group import get_group_rank as get_group_rank
from gpugrad.distributed.group import get_node_local_rank as get_node_local_rank
from gpugrad.distributed.group import get_process_group_ranks as get_process_group_ranks
from gpugrad.distributed.group import get_rank as get_rank
from gpugrad.distributed.group import get_world_size as get_world_size
from gpugrad.distributed.group import group as group
from gpugrad.distributed.group import init_process_group as init_process_group
from gpugrad.distributed.group import is_available as is_available
from gpugrad.distributed.group import is_initialized as is_initialized
from gpugrad.distributed.group import is_mpi_available as is_mpi_available
from gpugrad.distributed.group import new_group as new_group
from gpugrad.distributed.messages import P2POp as P2POp
from gpugrad.distributed.messages import batch_isend_irecv as batch_isend_irecv
from gpugrad.distributed.messages import irecv as irecv
from gpugrad.distributed.messages import isend as isend
from gpugrad.distributed.messages import recv as recv
from gpugrad.distributed.messages import send as send
from gpugrad.distributed.objects import all_gather_object as all_gather_object
from gpugrad.distributed.objects import broadcast_object_list as broadcast_object_list
from gpugrad.distributed.objects import gather_object as gather_object
from gpugrad.distributed.objects import scatter_object_list as scatter_object_list
from gpugrad.distributed.rendezvous import is_nccl_available as is_nccl_available
from gpugrad.distributed.work import DistBackendError as DistBackendError
from gpugrad.distributed.work import DistError as DistError
from gpugrad.distributed.work import ReduceOp as ReduceOp
from gpugrad.distributed.work import Work as Work
