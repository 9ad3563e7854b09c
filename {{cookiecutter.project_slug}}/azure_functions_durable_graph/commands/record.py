"""The command `record`: saves a run's history as a fixture."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

from ..errors import HistoryError, HostError
from ..graph.documents import why
from ..graph.names import RUN_ID_RULE, is_run_id
from ..history.recording import recorded_run
from .asking import ask
from .file_names import distinct_stem

_HINTS = {404: "there is no such run", 401: "pass the system key of the Durable extension with --key"}


def record(run_id: str, url: str, key: str | None, output: Path) -> Path:
    """Get a run from the management API at `url` (scheme, host and port), and write it below `output`.

    In Azure the API requires the Durable extension's system key. Raises HostError or HistoryError with one sentence.
    """
    if not is_run_id(run_id):
        raise HistoryError(f"{run_id!r} is not a valid run id: use {RUN_ID_RULE}")
    query = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true", **({"code": key} if key else {})}
    place = f"{url.rstrip('/')}/runtime/webhooks/durabletask/instances/{quote(run_id)}"
    code, status = ask(f"{place}?{urlencode(query)}", public_url=place)
    if code not in (200, 202):  # 202: the run has not finished
        raise HostError(f"{place} answered {code}: {_HINTS.get(code, 'is it the address of the app?')}")
    if not isinstance(status, dict) or not isinstance(status.get("name"), str):
        raise HostError(f"{place} did not answer with JSON about a run; is it the address of the app?")
    text = recorded_run(status).to_text()
    path = output / f"{distinct_stem(run_id)}.json"
    try:
        output.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HostError(f"{path} cannot be written: {why(error)}") from None
    return path
