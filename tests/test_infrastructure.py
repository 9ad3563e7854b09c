"""The Bicep files and the settings of a generated project.

No Bicep compiler is available here: the files are parsed by pycep, which knows the grammar but not Azure's types. Run
`az bicep build` for those.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bicep_expressions import names_of
from projects import ROOT
from pycep import BicepParser

INFRA = ROOT / "{{cookiecutter.project_slug}}" / "infra"


@pytest.fixture(scope="module")
def bicep() -> dict[str, Any]:
    return {path.name: BicepParser().parse(text=path.read_text()) for path in INFRA.glob("*.bicep")}


@pytest.fixture(scope="module")
def resources(bicep: dict[str, Any]) -> dict[str, Any]:
    return {**bicep["app.bicep"]["resources"], **bicep["deployer.bicep"]["resources"]}


def text() -> str:
    return (INFRA / "app.bicep").read_text()


def main_text() -> str:
    return (INFRA / "main.bicep").read_text()


def deployer_text() -> str:
    return (INFRA / "deployer.bicep").read_text()


@pytest.mark.parametrize("module", ["app", "deployer"])
def test_main_gives_each_module_every_parameter_that_it_has(bicep: dict[str, Any], module: str) -> None:
    found = re.search(rf"module {module} '{module}\.bicep' = .*?params: \{{(.*?)\}}", main_text(), re.DOTALL)

    assert found is not None
    assert set(re.findall(r"(?m)^ +(\w+):", found[1])) == set(bicep[f"{module}.bicep"]["parameters"])


def test_each_app_is_a_module_and_all_are_deployed_by_one_identity() -> None:
    assert "module app 'app.bicep' = [\n  for name in apps: {\n    name: 'app-${name}'\n" in main_text()
    assert "      appName: name\n" in main_text()
    assert "deployPrincipalId: deployer.outputs.principalId" in main_text()
    assert "module deployer 'deployer.bicep' = {" in main_text()


def test_every_parameter_gets_a_value(project: Path, bicep: dict[str, Any]) -> None:
    given = json.loads((project / "infra" / "main.parameters.json").read_text())["parameters"]

    assert set(given) == set(bicep["main.bicep"]["parameters"])
    assert given["pythonVersion"]["value"] == (project / ".python-version").read_text().strip()


def test_the_resources_are_there(resources: dict[str, Any]) -> None:
    assert set(resources) >= {
        "runIdentity",
        "deployIdentity",
        "githubCredential",
        "storage",
        "packages",
        "queues",
        "tables",
        "storageRoles",
        "insights",
        "scheduler",
        "hub",
        "hubRole",
        "plan",
        "app",
        "deployRole",
    }


def test_there_is_no_key_anywhere() -> None:
    assert "allowSharedKeyAccess: false" in text()
    assert "DisableLocalAuth: true" in text()
    assert not re.search(r"listKeys|AccountKey|SharedAccess|accountKey", text())
    assert "AzureWebJobsStorage'" not in text()


def test_roles_are_given_to_identities_for_what_they_need() -> None:
    for role in ("blobOwner", "queueContributor", "tableContributor"):
        assert f"roles.{role}" in text()
    assert re.search(r"scope: hub\n", text()), "the scheduler's role is given on the hub, not on the scheduler"
    assert text().count("principalType: 'ServicePrincipal'") == text().count("roleAssignments@")


def test_the_pipeline_is_trusted_by_the_subject_that_the_repository_presents() -> None:
    """Repositories made since 2026-07-15 present ids beside the names, so the beginning is told, not composed."""
    assert "subject: '${githubSubjectPrefix}:environment:${githubEnvironment}'" in deployer_text()
    assert "githubEnvironment: empty(githubEnvironment) ? environmentName : githubEnvironment" in main_text()
    assert "repo:" not in text() + main_text() + deployer_text()


def test_no_name_is_composed_outside_the_two_objects_that_hold_them() -> None:
    fixed = {"packageContainer", "'default'", "'deployer'", "'app-${name}'"}
    for source in (text(), main_text(), deployer_text()):
        names = re.findall(
            r"(?m)^ +name: (.+)$", re.sub(r"(?ms)^var settings.*?^\]|^var schedulerSettings.*?^\]", "", source)
        )
        assert names
        assert all(name.startswith(("names.", "guid(")) or name in fixed for name in names), names


ENVIRONMENTS = ["prod", "my-prod", "1st", "ü", "x" * 64, "a.", "(a)", "A_B", "prod uction", "-"]
"""azd allows the letters, digits and `-_.()`, up to 64; somebody who deploys without azd can name anything."""

APPS = ["abc", "orders", "order-desk-of-the-north", "a" * 40, "a-" * 19 + "ab"]
"""What the prompt for the slug accepts."""

RULES = {
    "group": r"[\w().-]{1,89}[\w()-]",
    "app": r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]",
    "plan": r"[a-z0-9-]{1,40}",
    "storage": r"[a-z0-9]{3,24}",
    "runIdentity": r"[a-z0-9][a-z0-9_-]{2,127}",
    "deployIdentity": r"[a-z0-9][a-z0-9_-]{2,127}",
    "logs": r"[a-z0-9][a-z0-9-]{2,61}[a-z0-9]",
    "insights": r"[a-z0-9-]{1,260}",
    "scheduler": r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]",
    "taskHub": r"[a-zA-Z][a-zA-Z0-9]{2,44}",
    "githubCredential": r"[a-z0-9][a-z0-9_-]{2,119}",
}
"""What Azure allows (docs/azure_facts.md)."""


def composed(app: str, environment: str) -> dict[str, str]:
    """Every name that the two files compose."""
    values: dict[str, Any] = {
        "projectName": app,
        "appName": app,
        "environmentName": environment,
        "durableBackend": "azure_storage",
    }
    names = names_of(main_text(), values)
    values["resourceGroup()"] = {"id": f"/subscriptions/0/resourceGroups/{names['group']}"}
    return {**names, **names_of(deployer_text(), values), **names_of(text(), values)}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_composed_name_is_one_that_azure_allows(app: str, environment: str) -> None:
    names = composed(app, environment)

    assert set(names) == set(RULES)
    for kind, name in names.items():
        # Of what no tool lets through, only the group's name contains anything, and Azure refuses it there by itself.
        if kind != "group" or re.fullmatch(r"[\w().-]+", environment):
            assert re.fullmatch(RULES[kind], name), f"{kind}: {name}"


def test_two_environments_share_no_resource_and_no_hub() -> None:
    for app in APPS:
        every = [
            composed(app, environment) for environment in ["a.", "a.-", "x" * 64, "x" * 63 + "y", *ENVIRONMENTS[:4]]
        ]
        for kind in RULES:
            assert len({names[kind] for names in every}) == len(every), kind


def test_two_apps_of_one_project_share_nothing_but_the_group_and_the_identity_that_deploys() -> None:
    one, other = ({**composed("orders", "production"), **composed_app(app)} for app in ("orders", "billing"))

    assert {kind for kind in RULES if one[kind] == other[kind]} == {"group", "deployIdentity", "githubCredential"}


def composed_app(app: str) -> dict[str, str]:
    """The names of one app of the project `orders`, which new-app has added."""
    group = composed("orders", "production")["group"]
    values: dict[str, Any] = {
        "appName": app,
        "environmentName": "production",
        "durableBackend": "azure_storage",
        "resourceGroup()": {"id": f"/subscriptions/0/resourceGroups/{group}"},
    }
    return names_of(text(), values)


def test_warm_instances_are_for_durable_functions_and_none_unless_asked_for(project: Path) -> None:
    given = json.loads((project / "infra" / "main.parameters.json").read_text())["parameters"]

    assert given["alwaysReadyInstances"]["value"] == "${ALWAYS_READY_INSTANCES=0}"
    assert (
        "alwaysReadyInstances == '0' ? [] : [{ name: 'durable', instanceCount: int(alwaysReadyInstances) }]" in text()
    )


def test_the_address_of_the_app_is_what_azure_says() -> None:
    everything = text() + main_text() + "".join(path.read_text() for path in INFRA.parent.glob(".github/workflows/*"))

    assert "output functionAppUrl string = 'https://${app.properties.defaultHostName}'" in text()
    assert "azurewebsites.net" not in everything


def test_the_plan_is_flex_consumption_without_the_settings_that_it_refuses() -> None:
    assert "name: 'FC1'" in text()
    for setting in ("FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE"):
        assert setting not in text()


def test_azd_finds_the_app(project: Path) -> None:
    azure = yaml.safe_load((project / "azure.yaml").read_text())

    assert azure["name"] == project.name
    assert azure["services"] == {
        project.name: {"project": f"dist/{project.name}", "language": "python", "host": "function"}
    }
    assert "'azd-service-name': appName" in text()
    assert {command["posix"]["run"] for command in azure["hooks"].values()} == {"nox -s package"}


def settings(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def test_the_host_keeps_runs_where_the_answer_says(project: Path, generate: Any, tmp_path: Path) -> None:
    scheduler = generate(tmp_path, durable_backend="durable_task_scheduler")

    storage = settings(project, "host.json")["extensions"]["durableTask"]
    other = settings(scheduler, "host.json")["extensions"]["durableTask"]
    assert storage["storageProvider"]["type"] == "AzureStorage"
    assert other["storageProvider"]["type"] == "azureManaged"
    name = other["storageProvider"]["connectionStringName"]
    assert name in settings(scheduler, "local.settings.example.json")["Values"]
    assert f"'{name}'" in text()
    assert "dts-emulator" in (scheduler / "compose.yaml").read_text()
    assert "dts-emulator" not in (project / "compose.yaml").read_text()


def test_the_host_has_sane_settings_for_python(project: Path) -> None:
    host = settings(project, "host.json")
    durable = host["extensions"]["durableTask"]

    assert host["extensionBundle"]["version"] == "[4.30.0, 5.0.0)"
    assert durable["hubName"] == "%TASKHUB_NAME%"
    assert durable["tracing"] == {"distributedTracingEnabled": True, "version": "V2", "traceInputsAndOutputs": False}
    assert 1 <= durable["maxConcurrentOrchestratorFunctions"] <= 10
    assert "'TASKHUB_NAME'" in text()


def test_a_hub_name_is_letters_and_digits(project: Path) -> None:
    name = settings(project, "local.settings.example.json")["Values"]["TASKHUB_NAME"]

    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]+", name)


def test_the_editor_finds_what_the_azure_extension_expects(project: Path) -> None:
    vscode = {path.name: json.loads(path.read_text()) for path in (project / ".vscode").glob("*.json")}

    assert vscode["settings.json"]["azureFunctions.projectLanguageModel"] == 2
    tasks = {task["label"] for task in vscode["tasks.json"]["tasks"]}
    for launch in vscode["launch.json"]["configurations"]:
        assert launch["type"] == "debugpy"
        assert launch.get("preLaunchTask") in {None, *tasks}


def test_the_emulators_listen_on_this_machine_only(project: Path) -> None:
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]

    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_nothing_that_is_not_the_app_is_published(project: Path) -> None:
    ignored = (project / ".funcignore").read_text().split()

    assert {"/tests/", "/infra/", "/local.settings.json", "/noxfile.py"} <= set(ignored)
    assert not {"requirements.txt", ".python_packages", "graphs.lock.json", "host.json"} & set(ignored)


def test_the_devcontainer_is_optional(project: Path, generate: Any, tmp_path: Path) -> None:
    container = json.loads((project / ".devcontainer.json").read_text())

    assert container["name"] == "Durable Graphs"
    assert not (generate(tmp_path, include_devcontainer=False) / ".devcontainer.json").exists()
