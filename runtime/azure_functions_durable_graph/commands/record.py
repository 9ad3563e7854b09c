"""The command `record`: keep a run's history as a fixture."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlencode

from ..errors import HistoryError, HostError
from ..graph.names import RUN_ID_RULE, is_run_id
from ..history.recording import recorded_run
from .file_names import distinct_stem


def record(run_id: str, url: str, key: str | None, output: Path) -> Path:
    """Ask the management API at `url` (scheme, host and port) for a run, and write it below `output`.

    In Azure the API wants the Durable extension's system key. Raises HostError or HistoryError with one sentence.
    """
    if not is_run_id(run_id):
        raise HistoryError(f"{run_id!r} is no run id: it is {RUN_ID_RULE}")
    query = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true", **({"code": key} if key else {})}
    place = f"{url.rstrip('/')}/runtime/webhooks/durabletask/instances/{quote(run_id)}"
    try:
        with urllib.request.urlopen(f"{place}?{urlencode(query)}", timeout=60) as response:
            status = json.load(response)
    except urllib.error.HTTPError as error:
        cure = {404: "there is no such run", 401: "the system key of the Durable extension is needed: --key"}
        raise HostError(f"{place} answered {error.code}: {cure.get(error.code, error.reason)}") from None
    except (OSError, ValueError) as error:
        raise HostError(f"{place} cannot be read: {error}") from None
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{distinct_stem(run_id)}.json"
    path.write_text(recorded_run(status).to_text(), encoding="utf-8")
    return path
