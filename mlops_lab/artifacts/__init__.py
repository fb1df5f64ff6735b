"""What a model, a data set or an alias becomes on disk: hashed, whole or absent, and safe to open.

Four questions, four files: is this the same content (``hashes``), is this file whole (``files``), may this
model be loaded (``models``), and which model is the champion (``aliases``)?
"""

from mlops_lab.artifacts.aliases import Aliases
from mlops_lab.artifacts.files import atomic_write, locked, safe_name
from mlops_lab.artifacts.hashes import frame_hash, sha256
from mlops_lab.artifacts.models import UntrustedModelError, load_model, model_hash, save_model

__all__ = [
    "Aliases",
    "UntrustedModelError",
    "atomic_write",
    "frame_hash",
    "load_model",
    "locked",
    "model_hash",
    "safe_name",
    "save_model",
    "sha256",
]
