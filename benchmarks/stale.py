"""Say loudly which committed results were measured on sources that have changed since; never a failure."""

import importlib.util
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent


def stale(folder: Path = HERE) -> list[str]:
    """Name the benchmarks whose results carry another digest than their sources have now."""
    found = []
    sys.path.insert(0, str(HERE))  # where digest.py stands
    for result in sorted((folder / "results").glob("*.json")):
        spec = importlib.util.spec_from_file_location(
            f"benchmark_{result.stem}", folder / f"{result.stem}.py"
        )
        assert spec is not None and spec.loader is not None  # noqa: S101  a path that ends in .py has both
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where a dataclass looks its module up
        spec.loader.exec_module(module)
        measured = json.loads(result.read_text(encoding="utf-8"))["sources_sha256"]
        if measured != module.sources_digest():
            found.append(result.stem)
    return found


if __name__ == "__main__":
    for name in stale():
        print(f"!!!!! STALE: benchmarks/results/{name}.json measured other sources; run benchmarks/{name}.py")
    print("benchmarks: " + ", ".join(sorted(path.stem for path in (HERE / "results").glob("*.json"))))
