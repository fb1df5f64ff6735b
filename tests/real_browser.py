"""The Chromium of this machine, for the tests that look at a page as a person does."""

import shutil

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]


def leaves(url, base):
    """Say whether a request goes to another machine than the one at `base`."""
    return not url.startswith((base, base.replace("http", "ws"), "data:", "blob:"))
