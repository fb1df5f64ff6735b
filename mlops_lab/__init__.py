"""mlops_lab: every claim of an introductory MLOps lecture, measured on your own laptop.

This file is the map. It imports nothing: write ``from mlops_lab import worlds``, then ``worlds.Orchard()``.

Before anything is installed
    setup         packages, environment, doctor, and which lessons there are: standard library only

Vocabulary, which knows none of the topics
    report        Finding and Report, the one answer type; Sink, where measurements are sent
    plots         one house style for every picture, readable in greyscale
    artifacts     hashes, files that are never half-written, safe model files, aliases
    worlds        seeded worlds of data whose truth we own; bundled real data
    tables        how a table's columns are read: by what their cells mean, however they are stored

Topics of the lecture, which do not know each other
    framing       when to use machine learning, decided by evidence
    versioning    which version is this, what made it, and how are many kept in little space?
    reproducibility  why two trainings differ, and what evidence a comparison of two models needs
    tracking      training runs written down, watched in TensorBoard and W&B, compared, made again
    monitoring    data, performance, health and alerting of the running system
    load          varying load: fixed, autoscaled and serverless, and what each bill hides

Several topics together
    reality       a season to be played: bought labels, tested symptoms, priced remedies, and what they did

The page, the only code that knows notebooks exist
    exercises     one file a lesson: how answers are judged, hints, and the mistakes that are known by name
    lesson        what a lesson calls: claim, predict, reveal, check, hint, live, picture, scratch
    game          lesson 13's play: board, terminal, leaderboard

The makers
    course        derives, runs, compares, lints and hands out the lessons
    slides        the lecture's deck, its pictures drawn and its numbers quoted from the lessons
    cli           the commands that ``python -m mlops_lab`` offers
"""

__all__: list[str] = []
