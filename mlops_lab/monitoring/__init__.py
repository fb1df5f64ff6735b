"""Is the running system still the one that was tested? Data, metrics and health, with known error rates (L9).

- `Profile`, `drift`, `joint_drift`, `segment_drift`: has the data moved, by how much, and where?
- `Schema`: is the data whole? Missing, new, out of range, constant, infinite, of another type, twice there.
- `expectation`, `late_labels`, `selective_labels`: is the model as good as promised, as far as labels tell?
- `importance_weighted`, `class_prior`, `attribute_drop`: without labels, and why.
- `Cusum`, `confidence_sequence`: since when? One outcome after the other, with a known rate of false alarms.
- `operate`, `Never`, `Scheduled`, `Triggered`, `Continual`: when to train again, by cost.
- `Latency`, `watch_memory`, `Numerics`, `gpus`: is it healthy? Slow answers, leaks, overflow, idle cards.
- `Monitor`, `AlertRule`, `Alarm`: who is told, when, and through which sink: console, Prometheus, CloudWatch?
"""

from mlops_lab.monitoring.alerting.alerts import AlertRule, Console, Monitor
from mlops_lab.monitoring.alerting.cloudwatch import Alarm, CloudWatch, emf_line
from mlops_lab.monitoring.alerting.prometheus import (
    Prometheus,
    PrometheusServer,
    prometheus_program,
    prometheus_rules,
)
from mlops_lab.monitoring.data.distances import jensen_shannon, psi, wasserstein
from mlops_lab.monitoring.data.drift import correct, drift
from mlops_lab.monitoring.data.joint import joint_drift
from mlops_lab.monitoring.data.profile import Profile
from mlops_lab.monitoring.data.schema import Schema
from mlops_lab.monitoring.data.segments import segment_drift
from mlops_lab.monitoring.health.gpu import gpus, recorded_gpu_work
from mlops_lab.monitoring.health.latency import Latency
from mlops_lab.monitoring.health.memory_leaks import (
    allocating_lines,
    memory_growth,
    resident_bytes,
    watch_memory,
)
from mlops_lab.monitoring.health.numerics import LossScale, Numerics, overflow_margin
from mlops_lab.monitoring.performance.attribution import attribute_drop
from mlops_lab.monitoring.performance.class_prior import class_prior, class_prior_by_confusion
from mlops_lab.monitoring.performance.confidence_sequence import confidence_sequence
from mlops_lab.monitoring.performance.cusum import Cusum
from mlops_lab.monitoring.performance.expectation import expectation
from mlops_lab.monitoring.performance.importance_weighting import importance_weighted, importance_weights
from mlops_lab.monitoring.performance.late_labels import late_labels
from mlops_lab.monitoring.performance.outcomes import exact_interval
from mlops_lab.monitoring.performance.retraining import (
    Continual,
    Never,
    Observation,
    Scheduled,
    Triggered,
    compare_policies,
    operate,
)
from mlops_lab.monitoring.performance.selective_labels import selective_labels

__all__ = [
    "Alarm",
    "AlertRule",
    "CloudWatch",
    "Console",
    "Continual",
    "Cusum",
    "Latency",
    "LossScale",
    "Monitor",
    "Never",
    "Numerics",
    "Observation",
    "Profile",
    "Prometheus",
    "PrometheusServer",
    "Scheduled",
    "Schema",
    "Triggered",
    "allocating_lines",
    "attribute_drop",
    "class_prior",
    "class_prior_by_confusion",
    "compare_policies",
    "confidence_sequence",
    "correct",
    "drift",
    "emf_line",
    "exact_interval",
    "expectation",
    "gpus",
    "importance_weighted",
    "importance_weights",
    "jensen_shannon",
    "joint_drift",
    "late_labels",
    "memory_growth",
    "operate",
    "overflow_margin",
    "prometheus_program",
    "prometheus_rules",
    "psi",
    "recorded_gpu_work",
    "resident_bytes",
    "segment_drift",
    "selective_labels",
    "wasserstein",
    "watch_memory",
]
