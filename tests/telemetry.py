"""What an app's telemetry looks like in Application Insights, made from real runs, in tables that KQL can query."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

SEVERITY = {logging.INFO: 1, logging.WARNING: 2, logging.ERROR: 3}

COLUMNS = {
    "traces": "timestamp TIMESTAMP, message VARCHAR, severityLevel INTEGER, itemCount INTEGER, customDimensions JSON",
    "dependencies": "timestamp TIMESTAMP, name VARCHAR, duration DOUBLE, itemCount INTEGER, customDimensions JSON",
}
"""Of what the queries may use: columns of Application Insights' tables."""


class Telemetry:
    """Tables of telemetry. Ages are how long ago something was written."""

    def __init__(self) -> None:
        import duckdb_kql

        self._connection = duckdb_kql.connect()
        self._now = datetime.now(timezone.utc).replace(tzinfo=None)
        for table, columns in COLUMNS.items():
            self._connection.execute(f"CREATE TABLE {table} ({columns})")

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The rows that a query gives."""
        import duckdb_kql

        answer = duckdb_kql.query(self._connection, query)
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]

    def write_as_the_host(self, records: Iterable[logging.LogRecord], age: timedelta = timedelta(0)) -> None:
        """Log lines as the Functions host sends them: the text, and the invocation that it belongs to."""
        for record in _of_the_app(records):
            here = vars(record)
            call = [here.get(f"durable_graph.{key}") for key in ("run_id", "step", "attempt", "item")]
            invocation = call if call[0] else ["start", record.getMessage()]
            self._trace(record, {"InvocationId": json.dumps(invocation)}, age)

    def write_as_the_app(self, records: Iterable[logging.LogRecord]) -> None:
        """Log lines as OpenTelemetry's logging handler sends them: with the attributes of the record."""
        for record in _of_the_app(records):
            own = {key: value for key, value in vars(record).items() if key.startswith("durable_graph.")}
            self._trace(record, own, timedelta(0))

    def track(self, run_id: str, state: str, age: timedelta, *, reason: str = "", continued: bool = False) -> None:
        """A tracking event of the Durable extension.

        Its fields are those of `EndToEndTraceHelper.cs`; the host puts `prop__` before their names, and writes bools as
        .NET does.
        """
        fields = {"functionName": "durable_graph_run", "instanceId": run_id, "state": state, "reason": reason}
        dimensions = {f"prop__{name}": value for name, value in fields.items()}
        if state == "Completed":
            dimensions["prop__continuedAsNew"] = str(continued)
        self._insert("traces", self._now - age, f"{run_id}: {state}", 1, 1, json.dumps(dimensions))

    def write_spans(self, spans: Iterable[Any]) -> None:
        """Spans that are not of servers, as azure-monitor-opentelemetry sends them."""
        for span in spans:
            milliseconds = (span.end_time - span.start_time) / 1e6
            self._insert("dependencies", self._now, span.name, milliseconds, 1, json.dumps(dict(span.attributes)))

    def _trace(self, record: logging.LogRecord, dimensions: Mapping[str, Any], age: timedelta) -> None:
        text, level = record.getMessage(), SEVERITY.get(record.levelno, 0)
        self._insert("traces", self._now - age, text, level, 1, json.dumps(dimensions))

    def _insert(self, table: str, *values: Any) -> None:
        self._connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", list(values))


def _of_the_app(records: Iterable[logging.LogRecord]) -> list[logging.LogRecord]:
    """Without what the local host writes itself."""
    return [record for record in records if record.name != "azure_functions_durable_graph.host"]
