"""The function app of a DurableGraphApp."""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import azure.functions as func

from ..errors import RegistrationError
from .durable import df

logger = logging.getLogger(__name__)


class Checked(Protocol):
    """What it asks of the DurableGraphApp."""

    @property
    def warnings(self) -> Sequence[str]: ...

    def check(self) -> None: ...


class GraphFunctions(df.DFApp):
    """The function app of a DurableGraphApp. When its functions are listed it is complete, and its graphs are checked.

    The worker lists the functions while it loads the app. A fault between graphs must not keep the others from loading,
    so it is only logged there; the local host and tests call `check`, which raises.
    """

    def __init__(self, auth_level: func.AuthLevel, runtime: "Checked") -> None:
        super().__init__(http_auth_level=auth_level)
        self.runtime = runtime

    def get_functions(self) -> list[Any]:
        """The functions that the worker loads."""
        for warning in self.runtime.warnings:
            logger.warning("%s", warning)
        try:
            self.runtime.check()
        except RegistrationError as error:
            logger.error("%s", error)
        except Exception:
            logger.exception("the app's graphs could not be checked")
        return list(super().get_functions())
