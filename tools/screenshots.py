"""Take the screenshots of the studio for the documents: the samples, served from a generated project, light and dark.

They are written to docs/images/. Look at them before you commit them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 800}
NO, YES = ({"approved": answer, "reviewer": "alice@example.com"} for answer in (False, True))
TICKET = {"ticket_id": "T-7", "customer": "Mr. Ono", "message": "The pot leaks", "refund": "80"}
DOCUMENTS = [{"name": "plan", "text": "We ship in May"}, {"name": "keys", "text": "password: hunter2"}]

RUNS: tuple[tuple[str, str, dict[str, Any], list[tuple[str, Any]]], ...] = (
    ("order-1040", "order_flow", {"order_id": "1040", "lines": [{"sku": "moka-pot", "quantity": 2}]}, []),
    ("question-11", "content_classifier", {"text": "Any red ones?"}, []),
    ("order-1041", "order_flow", {"order_id": "1041", "lines": [{"sku": "grinder", "quantity": 1}]}, []),
    ("outage-12", "content_classifier", {"text": "There is an outage in Oslo"}, []),
    ("batch-may", "document_review", {"documents": DOCUMENTS[:1]}, [("legal_sign_off", YES), ("editor_sign_off", YES)]),
    ("batch-june", "document_review", {"documents": DOCUMENTS}, []),
    ("ticket-6", "support_agent", {**TICKET, "ticket_id": "T-6"}, [("manager_approval", YES)]),
    ("ticket-7", "support_agent", TICKET, [("manager_approval", {**NO, "comment": "offer a new one first"})]),
)
"""Id, graph, input and answers of the runs in the pictures."""

VIEWS = {"runs": "runs", "run": "runs/ticket-7", "failed": "runs/order-1041", "graph": "graphs/document_review"}


def main() -> None:
    """Serve the samples, start the runs, and take each picture in both schemes."""
    sys.path[:0] = [str(ROOT / "runtime" / "tests" / "helpers"), str(ROOT / "tests")]
    from browser import launched, opened

    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as url, launched() as browser:
        start_runs(url)
        for scheme in ("light", "dark"):
            for name, place in VIEWS.items():
                options = {"viewport": SIZE, "color_scheme": scheme, "timezone_id": "UTC", "locale": "en-GB"}
                with opened(browser, f"{url}/studio#/{place}", **options) as page:
                    page.locator("h1").wait_for()
                    page.get_by_text(re.compile("Loading|Drawing")).first.wait_for(state="detached")
                    page.locator(".table .line, .canvas svg").first.wait_for()
                    if name == "run":
                        page.get_by_label("yes").check()
                        page.get_by_label("reviewer").fill("alice@example.com")
                        page.locator(".bar-line").nth(1).click()
                    page.mouse.move(0, 0)
                    page.screenshot(path=IMAGES / f"studio-{name}-{scheme}.png")
                    print(f"docs/images/studio-{name}-{scheme}.png")


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """A generated project with this repository's runtime; gives the URL of its routes."""
    from projects import cookiecutter

    subprocess.run(cookiecutter(folder, source=ROOT), check=True, capture_output=True)
    (project,) = folder.iterdir()
    shutil.rmtree(project / "azure_functions_durable_graph")
    command = [sys.executable, "-m", "azure_functions_durable_graph", "serve", "--port", "0", "--memory"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "runtime")}
    with subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+(?=/studio)", process.stdout.readline())
            assert found is not None, "the samples are not served"
            yield found.group()
        finally:
            process.terminate()


def start_runs(url: str) -> None:
    """Start the runs, and answer those that have an answer."""
    with httpx.Client(base_url=url, timeout=60) as api:
        for run_id, graph, given, answers in RUNS:
            tags = {"team": "care" if graph == "support_agent" else "shop"}
            body = {"input": given, "instance_id": run_id, "tags": tags}
            api.post(f"/graphs/{graph}/runs", json=body).raise_for_status()
            for event, payload in answers:
                api.post(f"/runs/{run_id}/events/{event}", params={"wait": 20}, json=payload).raise_for_status()
            api.get(f"/runs/{run_id}", params={"wait": 20})


if __name__ == "__main__":
    main()
