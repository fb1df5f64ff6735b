"""mlops_lab: every claim of an introductory MLOps lecture, measured on your own laptop.

This file is the map. It imports nothing: write ``from mlops_lab import worlds``, then ``worlds.Orchard()``.

Vocabulary, which knows none of the topics
    environment   what must stand before Python starts: threads, telemetry, offline switches
    lessons       which lessons there are, and which one is meant
    report        Finding and Report, the one answer type; Sink, where measurements are sent
    plots         one house style for every picture, readable in greyscale
    artifacts     hashes, files that are never half-written, safe model files, aliases
    worlds        seeded worlds of data whose truth we own; bundled real data

Topics of the lecture, which do not know each other
    framing       when to use machine learning, decided by evidence
    versioning    which version is this, what made it, and how are many kept in little space?
    reproducibility  why two trainings differ, and what evidence a comparison of two models needs
    tracking      training runs written down, watched in TensorBoard and W&B, compared, made again
    monitoring    drift, data quality, performance, streams, health and alerts of the running system
    load          varying load: fixed, autoscaled and serverless, and what each bill hides

Several topics together
    reality       a season to be played: bought labels, tested symptoms, priced remedies, and what they did

The classroom, the only code that knows notebooks exist
    classroom     claims, predictions, checks; derive, run, validate and lint the lessons

The commands
    requirements  do the installed packages satisfy what the course asks for?
    installer     fills an environment from the lock
    bootstrap     from a bare Python to a running course, with the standard library alone
    doctor        what is wrong with this machine's set-up, and how to mend it
    cli           the commands that ``python -m mlops_lab`` offers
"""

__all__: list[str] = []
