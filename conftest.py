"""Every test runs under the environment that the lessons run under, and is the same test in every run.

A plain ``pytest --nbval notebooks/NN_topic.ipynb`` comes through here, too: lessons are then read and
compared as `validate` reads them. What only unit tests need may be absent: a student's environment lacks it.
"""

from mlops_lab.setup import environment

environment.apply()

try:
    from hypothesis import settings
except ImportError:
    pass
else:
    settings.register_profile("same_everywhere", derandomize=True, deadline=None)
    settings.load_profile("same_everywhere")


def pytest_configure(config):
    """Put our reading of lessons beside nbval's where notebooks are asked for."""
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        config.pluginmanager.import_plugin("mlops_lab.course.nbval_plugin")
