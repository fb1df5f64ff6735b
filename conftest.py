"""Every test runs under the environment that the lessons run under."""

from mlops_lab import environment

environment.apply()
