"""Which settings made this number, how did the training go, can it be made again (L8, L9).

A ``Run`` writes a training down while it happens, into a file that survives whatever ends the program. The
same run can be watched in TensorBoard and in Weights & Biases, offline. ``read`` gives it back as a
record, ``compare`` puts many side by side, and ``rerun`` trains again from the record alone.
"""

from mlops_lab.tracking.comparison import compare
from mlops_lab.tracking.offline_wandb import Wandb, wandb_history
from mlops_lab.tracking.record import read, read_all
from mlops_lab.tracking.rerun import rerun
from mlops_lab.tracking.run import Run
from mlops_lab.tracking.run_environment import UntrustedRecordError
from mlops_lab.tracking.sinks import replay
from mlops_lab.tracking.tensorboard_events import TensorBoard

__all__ = [
    "Run",
    "TensorBoard",
    "UntrustedRecordError",
    "Wandb",
    "compare",
    "read",
    "read_all",
    "replay",
    "rerun",
    "wandb_history",
]
