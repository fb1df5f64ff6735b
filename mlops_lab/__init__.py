"""mlops_lab: every claim of an introductory MLOps lecture, measured on your own laptop.

This file is the map. It imports nothing: write ``from mlops_lab import worlds``, then ``worlds.Orchard()``.

Vocabulary, which imports nothing else of ours
    environment   what must stand before Python starts: threads, telemetry, offline switches
    report        Finding and Report, the one answer type; Sink, where measurements are sent
    plots         one house style for every picture, readable in greyscale
    artifacts     hashes, files that are never half-written, safe model files, aliases
    worlds        seeded worlds of data whose truth we own; bundled real data

The classroom, the only code that knows notebooks exist
    classroom     claims, predictions, checks; derive, run, validate and lint the lessons

The commands
    bootstrap     makes the environment, with the standard library alone
    doctor        says what is wrong with this machine's set-up and how to mend it
    cli           the commands that ``python -m mlops_lab`` offers
"""

__all__: list[str] = []
