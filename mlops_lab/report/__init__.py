"""The one answer type: what was found, how sure it is, how we know; and where measurements are sent.

Every topic answers with a ``Report``: a few ``Finding`` rows, each in order, needing attention, or not
decided. The last of the three matters: an answer that could not be given is no good news. What is measured on
the way goes to a ``Sink``, the one protocol that a tracker, a file or a list in memory fulfils.
"""

from mlops_lab.report.answers import Report
from mlops_lab.report.findings import Finding
from mlops_lab.report.measured import benchmark_result
from mlops_lab.report.numbers import shown
from mlops_lab.report.sinks import GuardedSink, MemorySink, Sink, guarded

__all__ = ["Finding", "GuardedSink", "MemorySink", "Report", "Sink", "benchmark_result", "guarded", "shown"]
