"""What stands around each example of docs/usage.md and of the README, so that a type checker can read it.

Names that an example uses and does not define are defined here; `COMMON` stands before all of them.
"""

COMMON = """
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import run_graph
"""

TICKETS = """
class TicketState(BaseModel):
    category: str = ""

def nothing(state: TicketState) -> None: ...
classify = escalate = auto_reply = nothing
builder = ManifestBuilder("g", TicketState)
"""

REVIEWS = """
class ReviewState(BaseModel):
    needs_approval: bool = True
    approved: bool = False
    reviewer: str | None = None

builder = ManifestBuilder("g", ReviewState)
"""

ANY_STATE = """
class AnyState(BaseModel):
    value: int = 0

def nothing(state: AnyState) -> None: ...
builder = ManifestBuilder("g", AnyState)
"""

REGISTRATIONS = """
def registered(name: str) -> GraphRegistration:
    return ManifestBuilder(name, BaseModel).build()

review_registration = order_flow_registration = support_agent_registration = registered("any")
"""

ORDERS = """
class OrderState(BaseModel):
    order_id: str

def nothing(state: OrderState) -> None: ...
validate_order = pack_order = ship_order = nothing
runtime = DurableGraphApp()
"""

SITUATIONS: dict[str, str] = {
    "Baseline pattern 1": "",
    "Front page 1": ORDERS,
    "Sequential flow 1": ANY_STATE + "handler_a = handler_b = handler_c = nothing",
    "Conditional routing 1": TICKETS,
    "String shorthand 1": TICKETS,
    "String shorthand 2": TICKETS,
    "External events 1": REVIEWS,
    "External events 2": REVIEWS,
    "The question 1": REVIEWS,
    "Waits 1": REVIEWS,
    "Waits 2": REVIEWS,
    "Waits 3": """
class PollState(BaseModel):
    ready: bool = False

def poll(state: PollState) -> None: ...
fetch = finish = poll
builder = ManifestBuilder("g", PollState)
""",
    "State merging 1": "class MyState(BaseModel): ...",
    "Reducers 1": "",
    "Large data 1": "",
    "Retries, time-outs and error edges 1": ANY_STATE
    + """
class CardDeclined(Exception): ...
charge_card = refund = alert = nothing
""",
    "Steps without a checkpoint 1": """
class LetterState(BaseModel):
    text: str = ""

def send_letter(state: LetterState) -> None: ...
file_letter = send_letter
""",
    "The context of a handler 1": """
class InvoiceState(BaseModel):
    customer: str

class Billing:
    def send(self, customer: str, key: str) -> None: ...
billing = Billing()
""",
    "Progress 1": """
class ImportState(BaseModel):
    rows: list[str] = []
    imported: int = 0

def store(row: str) -> None: ...
""",
    "Parallel branches 1": ANY_STATE + "check_credit = check_fraud = decide = nothing",
    "Parallel branches 2": ANY_STATE
    + """
prepare_legal = prepare_finance = file_opinion = book_costs = publish = give_up = nothing
def ask_legal(state: AnyState) -> RouteDecision:
    return RouteDecision.wait_for_event(event_name="legal", resume_node="legal_done")
ask_finance = ask_legal
""",
    "Parallel branches 3": ANY_STATE,
    "Maps 2": ANY_STATE,
    "Maps 4": ANY_STATE,
    "Maps 3": """
from azure_functions_durable_graph import ItemResult

class Document(BaseModel):
    text: str
""",
    "Maps 1": """
class Document(BaseModel):
    text: str

class BatchState(BaseModel):
    documents: list[Document] = []
    scores: list[int] = []
builder = ManifestBuilder("g", BatchState)
""",
    "Subgraphs 1": ANY_STATE,
    "Schedules 1": "runtime = DurableGraphApp()",
    "Messages that start runs 1": "runtime = DurableGraphApp()",
    "Messages that start runs 4": "",
    "Runs from code 1": "runtime = DurableGraphApp()",
    "From outside 1": "",
    "Async handlers 1": """
class AgentState(BaseModel):
    prompt: str

class Client:
    async def complete(self, prompt: str) -> str:
        return prompt
llm_client = Client()
""",
    "Multiple graphs 1": REGISTRATIONS,
    "Graph versioning 1": ORDERS,
    "Testing graph registrations 1": "",
    "Testing whole runs 1": REGISTRATIONS,
    "Testing whole runs 2": REGISTRATIONS,
    "Testing whole runs 3": "",
}
