"""mypy and pyright (as basedpyright, which brings its own Node program), over files that use the runtime."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from projects import ROOT

RUNTIME = ROOT / "runtime"

MYPY_SETTINGS = """
[mypy]
strict = true
mypy_path = {runtime}
cache_dir = {folder}/.mypy_cache
[mypy-azure_functions_durable_graph.*]
ignore_errors = true
[mypy-azure.durable_functions.*]
ignore_missing_imports = true
"""

Found = dict[tuple[str, int], str]
"""The message of each error by file name and line."""


def mypy(folder: Path, *files: Path) -> Found:
    """What mypy finds in strict mode; `folder` takes its settings and its cache."""
    settings = folder / "mypy.ini"
    settings.write_text(MYPY_SETTINGS.format(runtime=RUNTIME, folder=folder), encoding="utf-8")
    text = _run("mypy", "--config-file", settings, "--no-error-summary", "--hide-error-context", *files)
    found = re.findall(r"([\w.]+\.py):(\d+): error: (.*)", text)
    assert found or not text.strip(), text
    return {(name, int(line)): message for name, line, message in found}


def pyright(folder: Path, *files: Path) -> Found:
    """What pyright finds in the mode that editors use."""
    settings = {
        "include": [str(file) for file in files],
        "extraPaths": [str(RUNTIME)],
        "typeCheckingMode": "standard",
        "pythonVersion": "3.10",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    text = _run("basedpyright", "--project", folder / "pyrightconfig.json", "--outputjson")
    report = json.loads(text)
    assert report["summary"]["filesAnalyzed"] == len(files), text
    return {
        (Path(item["file"]).name, item["range"]["start"]["line"] + 1): item["message"]
        for item in report["generalDiagnostics"]
        if item["severity"] == "error"
    }


def _run(tool: str, *words: str | Path) -> str:
    command = [sys.executable, "-m", tool, *map(str, words)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert answer.returncode in (0, 1), f"{tool} ended with {answer.returncode}\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout
