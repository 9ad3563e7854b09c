"""NCRONTAB: the next tick of a timer trigger."""

import re
from datetime import datetime, timezone

import pytest

from azure_functions_durable_graph.errors import CronError
from azure_functions_durable_graph.graph.cron import parse

NOW = datetime(2026, 11, 25, 12, 30, 15, 500, tzinfo=timezone.utc)  # a Wednesday


@pytest.mark.parametrize(
    ("expression", "tick"),
    [
        ("* * * * * *", "2026-11-25T12:30:16"),
        ("0 * * * * *", "2026-11-25T12:31:00"),
        ("*/20 * * * * *", "2026-11-25T12:30:20"),
        ("0 */5 * * * *", "2026-11-25T12:35:00"),
        ("0 5/10 * * * *", "2026-11-25T12:35:00"),
        ("0 30 2 * * *", "2026-11-26T02:30:00"),
        ("0 0 9-17 * * MON-FRI", "2026-11-25T13:00:00"),
        ("0 0 0 * * SUN", "2026-11-29T00:00:00"),
        ("0 0 0 * * 7", "2026-11-29T00:00:00"),
        ("0 0 0 1,15 * *", "2026-12-01T00:00:00"),
        ("0 0 0 29 feb *", "2028-02-29T00:00:00"),
        ("15 6 * * *", "2026-11-26T06:15:00"),
    ],
)
def test_the_next_tick(expression: str, tick: str) -> None:
    assert parse(expression).after(NOW).isoformat() == f"{tick}+00:00"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("* * *", "needs six fields, not 3"),
        ("61 * * * * *", "'61' is not a valid second (0 to 59)"),
        ("0 0 0 0 * *", "'0' is not a valid day"),
        ("0 0 0 * JUX *", "'JUX' is not a valid month"),
        ("0 5-1 * * * *", "'5-1' is not a valid minute"),
        ("0 */x * * * *", "is not a valid minute"),
    ],
)
def test_an_expression_that_makes_no_sense_names_the_field(expression: str, text: str) -> None:
    with pytest.raises(CronError, match=re.escape(text)):
        parse(expression)


def test_a_schedule_that_never_fires_says_so() -> None:
    with pytest.raises(CronError, match="never fires"):
        parse("0 0 0 31 2 *")


def test_a_rare_day_is_found() -> None:
    assert parse("0 0 0 29 2 1").after(NOW).isoformat() == "2044-02-29T00:00:00+00:00"  # the next such Monday
