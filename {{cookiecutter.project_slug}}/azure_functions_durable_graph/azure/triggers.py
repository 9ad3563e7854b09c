"""The functions whose messages start runs, declared on the app.

No `from __future__ import annotations` here: the worker reads the annotations of trigger functions.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func

from .durable import df
from .message_triggers import MessageTrigger, start_from_message

if TYPE_CHECKING:
    from ..calls.graph_calls import GraphCalls

Client = Callable[[df.DurableOrchestrationClient], "GraphCalls"]


def add_queue(app: Any, trigger: MessageTrigger, connection: str, client: Client) -> None:
    """A function for a storage queue. The id of a message is unique in its queue, and stays when it is redelivered."""

    @app.function_name(trigger.function)
    @app.queue_trigger(arg_name="message", queue_name=trigger.source, connection=connection)
    @app.durable_client_input(client_name="durable")
    async def start(message: func.QueueMessage, durable: df.DurableOrchestrationClient) -> None:
        await start_from_message(trigger, client(durable), message.id, message.get_body())


def add_service_bus(app: Any, trigger: MessageTrigger, connection: str, client: Client) -> None:
    """A function for a Service Bus queue. A message has the id that its sender gave it, else its sequence number."""

    @app.function_name(trigger.function)
    @app.service_bus_queue_trigger(arg_name="message", queue_name=trigger.source, connection=connection)
    @app.durable_client_input(client_name="durable")
    async def start(message: func.ServiceBusMessage, durable: df.DurableOrchestrationClient) -> None:
        message_id = message.message_id or message.sequence_number
        await start_from_message(trigger, client(durable), message_id, message.get_body())


def add_event_grid(app: Any, trigger: MessageTrigger, client: Client) -> None:
    """A function for Event Grid. An event's id is unique for its topic, or for the source of a CloudEvent."""

    @app.function_name(trigger.function)
    @app.event_grid_trigger(arg_name="event")
    @app.durable_client_input(client_name="durable")
    async def start(event: func.EventGridEvent, durable: df.DurableOrchestrationClient) -> None:
        origin = getattr(event, "source", None) or getattr(event, "topic", None) or ""
        await start_from_message(trigger, client(durable), f"{origin} {event.id}", event.get_json())
