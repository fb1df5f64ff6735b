"""Which settings made this number, how did the training go, can it be made again (L8, L9).

A ``Run`` writes a training down while it happens, into a file that survives whatever ends the program. The
same run can be watched in TensorBoard and in Weights & Biases, offline. ``read`` gives it back as a
``Record``, ``compare`` puts many side by side, and ``rerun`` trains again from the record alone.
"""

from mlops_lab.tracking.comparison import Comparison, compare
from mlops_lab.tracking.entry_point import UntrustedRecordError, rerunnable
from mlops_lab.tracking.events import TensorBoard, tensorboard_scalars
from mlops_lab.tracking.offline_wandb import Wandb, wandb_history
from mlops_lab.tracking.reading import read, read_all
from mlops_lab.tracking.record import Record
from mlops_lab.tracking.replaying import replay
from mlops_lab.tracking.rerun import Rerun, rerun
from mlops_lab.tracking.run import Run

__all__ = [
    "Comparison",
    "Record",
    "Rerun",
    "Run",
    "TensorBoard",
    "UntrustedRecordError",
    "Wandb",
    "compare",
    "read",
    "read_all",
    "replay",
    "rerun",
    "rerunnable",
    "tensorboard_scalars",
    "wandb_history",
]
