"""How a function of the app fails, as the host says it of a real worker."""

from __future__ import annotations

from datetime import timedelta

from ..engine.actions import Outcome, outcome_of_error


class FunctionFailed(Exception):  # noqa: N818 - an outcome, whatever the function raised
    """A function of the app raised, maybe SystemExit. The cause is what it raised, the text its type and message."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(describe(error))
        self.__cause__ = error


class ActivityFailed(Exception):  # noqa: N818 - an outcome that the host records in a history
    """An activity raised. Its text is what the extension would record."""

    def __init__(self, name: str, error: BaseException) -> None:
        self.summary = str(error) if isinstance(error, FunctionFailed) else describe(error)
        super().__init__(f"Activity function '{name}' failed:  {self.summary}")


class FunctionTimeout(Exception):  # noqa: N818 - the name that a history shows
    """A function took longer than host.json's functionTimeout allows."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"Timeout value of {timedelta(seconds=seconds)} was exceeded by function: Functions.{name}")


def describe(error: BaseException) -> str:
    """The type and text of an error."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # its __str__ is user code, too
        return f"{type(error).__name__} (its __str__ raises)"


def outcome_of_failure(error: BaseException) -> Outcome:
    """What an orchestrator gives that has raised this error."""
    raised = error.__cause__ if isinstance(error, FunctionFailed) else error
    try:
        return outcome_of_error(raised or error)
    except Exception:  # its __str__ raises, or what follows the marker is not a state
        return Outcome(error=describe(raised or error))
