"""Every test runs under the environment that the lessons run under, and is the same test in every run."""

from hypothesis import settings

from mlops_lab.setup import environment

environment.apply()
settings.register_profile("same_everywhere", derandomize=True, deadline=None)
settings.load_profile("same_everywhere")
