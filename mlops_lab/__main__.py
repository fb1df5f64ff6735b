"""`python -m mlops_lab`: set up what is missing, then do what was asked. See `--help`.

This file is kept in syntax that any Python understands, so that an old one gets an answer, not a traceback.
"""

import sys

__all__ = []


def _too_old():
    # type: () -> str
    """Say which Python is needed, and name one that is already here."""
    import subprocess

    lines = [
        "mlops_lab needs Python 3.11 or newer; this is Python "
        + ".".join(map(str, sys.version_info[:3]))
        + ".",
    ]
    rest = " ".join(["-m", "mlops_lab"] + sys.argv[1:])  # noqa: RUF005
    for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3"):
        try:
            probe = [name, "-c", "import sys; print(sys.version_info >= (3, 11))"]
            found = subprocess.Popen(probe, stdout=subprocess.PIPE, stderr=subprocess.PIPE).communicate()[0]
        except (OSError, ValueError):
            continue
        if found.strip() == b"True":
            lines.append("This machine has one; run:  " + name + " " + rest)
            break
    else:
        if sys.platform == "win32":
            lines.append("See which ones you have with:  py --list    then run:  py -3.12 " + rest)
        lines.append("Otherwise install one (your system's packages, conda, python.org) and run this again.")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.stderr.write(_too_old() + "\n")
        sys.exit(2)

    from mlops_lab.cli import set_up_and_run

    sys.exit(set_up_and_run(sys.argv[1:]))
