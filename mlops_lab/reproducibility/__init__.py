"""Reproducibility: why two trainings differ, when it matters, and what a comparison needs (L8).

- `same`, `ulps`: are two results equal bit for bit, and if not, by how much?
- `train`, `variants`, `Variants`: how far does each cause move a model?
- `elsewhere`, `kernels`, `old_processor`: the same function in another environment.
- `compare_over_seeds`, `paired_interval`, `Comparison`: which training is better, and how sure is that?
- `leak_test`, `oversample`: does a procedure see its own exam?
- `Recipe`, `Step`: the order of the steps, as a file with a digest.

It leaves out work spread over machines. What a graphics card does is recorded by benchmarks/gpu.py.
"""

from mlops_lab.reproducibility.bitwise_equality import same, ulps
from mlops_lab.reproducibility.causes import Variants, train, variants
from mlops_lab.reproducibility.leakage import leak_test, oversample
from mlops_lab.reproducibility.other_environments import elsewhere, kernels, old_processor
from mlops_lab.reproducibility.recipe import Recipe, Step
from mlops_lab.reproducibility.seed_comparison import Comparison, compare_over_seeds, paired_interval

__all__ = [
    "Comparison",
    "Recipe",
    "Step",
    "Variants",
    "compare_over_seeds",
    "elsewhere",
    "kernels",
    "leak_test",
    "old_processor",
    "oversample",
    "paired_interval",
    "same",
    "train",
    "ulps",
    "variants",
]
