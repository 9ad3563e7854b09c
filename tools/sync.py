"""Update the files derived from the runtime and the samples: the record of the vendored files, and the locks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
LOCKS = {
    "true": TEMPLATE / "{% if cookiecutter.include_samples %}graphs.lock.json{% endif %}",
    "false": TEMPLATE / "{% if not cookiecutter.include_samples %}graphs.lock.json{% endif %}",
}


def main() -> None:
    """Write the record, and the locks of a project with samples and of one without."""
    sys.path.insert(0, str(ROOT / "runtime"))
    from azure_functions_durable_graph.commands.vendored import PACKAGE, RECORD, record_of

    (TEMPLATE / RECORD).write_text(record_of(TEMPLATE / PACKAGE).to_text(), encoding="utf-8")
    for samples, path in LOCKS.items():
        path.write_text(lock_of(samples), encoding="utf-8")


def lock_of(samples: str) -> str:
    """The lock that a new project creates for itself."""
    with tempfile.TemporaryDirectory() as folder:
        generate = [sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", folder, str(ROOT)]
        subprocess.run([*generate, f"include_samples={samples}"], check=True, capture_output=True)
        (project,) = Path(folder).iterdir()
        (project / "graphs.lock.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "azure_functions_durable_graph", "lock"]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
        return (project / "graphs.lock.json").read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
