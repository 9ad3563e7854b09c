"""A deployment, as `deploy-to.yml` does it: what may be deployed, who may deploy, and whether it is served then."""

from __future__ import annotations

import json
import shutil
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pipeline import Runner, commands, programs, served, token_server

(CHANGES,) = [step for step in commands("ci.yml", "graphs") if step.get("name") == "Changes of graphs since the base"]
INSTALL, FETCH, COMPARE = GATE = commands("deploy-to.yml", "graphs")
PREFLIGHT, REFUSED, WHERE, LIVE, SMOKE, RECORD = DEPLOY = commands("deploy-to.yml", "deploy")

APP = "durable-graphs"
PRODUCTION = {
    "inputs.environment": "production",
    "inputs.runs_may_park": "false",
    "github.event_name": "push",
    "github.token": "token",
}
SUBJECT = "repo:owner@24213737/orders@1323153730:environment:production"
VARIABLES = {
    "AZURE_CLIENT_ID": "00000000-client",
    "AZURE_TENANT_ID": "00000000-tenant",
    "AZURE_SUBSCRIPTION_ID": "00000000-subscription",
    "AZURE_RESOURCE_GROUP": "rg-orders-production",
}
GRAPH = Path("graphs", "support_agent.py")


@pytest.fixture
def runner(generate: Any, run: Any, tmp_path: Path) -> Runner:
    """A project in a repository of its own, on the branch that deploys."""
    (tmp_path / "made").mkdir()
    checkout: Path = generate(tmp_path / "made")
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=checkout)
    return Runner(checkout, programs(tmp_path / "programs"), tmp_path, "--no-venv --no-install", {"DEPLOYMENTS": "{}"})


@pytest.fixture
def push(runner: Runner, run: Any) -> Callable[..., str]:
    """Commit a change of the sample graph, with a lock made anew, as somebody in a hurry would. Gives the commit."""

    def commit(old: str = "", new: str = "") -> str:
        graph = runner.checkout / GRAPH
        assert old in graph.read_text()
        graph.write_text(graph.read_text().replace(old, new, 1))
        copy = runner.temporary / "copy"
        shutil.copytree(runner.checkout, copy, ignore=shutil.ignore_patterns(".git", "graphs.lock.json"))
        run(sys.executable, "-m", "azure_functions_durable_graph", "lock", cwd=copy)
        shutil.copy(copy / "graphs.lock.json", runner.checkout)
        shutil.rmtree(copy)
        run("git", "add", "--all", cwd=runner.checkout)
        run("git", "commit", "--quiet", "--allow-empty", "--message", "A change", cwd=runner.checkout)
        return str(run("git", "rev-parse", "HEAD", cwd=runner.checkout).stdout.strip())

    return commit


BREAKING = ("    ticket_id: str\n", "    ticket_id: str\n    region: str\n")
ANOTHER_VERSION = ('version="1"', 'version="2"')


def deployed(runner: Runner, *history: tuple[str, str]) -> None:
    """Tell which deployments of the app there were, the latest first: the state and the commit of each."""
    nodes = [{"state": state, "commitOid": commit} for state, commit in history]
    runner.environment["DEPLOYMENTS"] = json.dumps({f"production/{APP}": nodes})


def gate(runner: Runner, **values: str) -> Any:
    """The job that decides whether the graphs may be deployed; gives its last step's answer."""
    for left in ("apps.txt", f"{APP}.lock.json"):
        (runner.temporary / left).unlink(missing_ok=True)
    fetched = runner.run(FETCH, {**PRODUCTION, **values})
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    return runner.run(COMPARE, {**PRODUCTION, **values})


def test_a_push_straight_to_main_is_compared_with_the_commit_before_it(runner: Runner, push: Any) -> None:
    before = push()
    push(*BREAKING)

    answer = runner.run(CHANGES, BASE=before, APP=APP)

    assert answer.returncode != 0
    assert "support_agent" in answer.stdout
    assert "needs a new version" in answer.stdout
    assert runner.run(CHANGES, BASE="HEAD", APP=APP).returncode == 0, (
        "this is what the change would be compared with otherwise"
    )


@pytest.mark.parametrize("before", ["0" * 40, "1" * 40], ids=["a new branch", "a branch that was rewritten"])
def test_a_push_whose_base_is_not_there_says_so(runner: Runner, push: Any, before: str) -> None:
    push()

    answer = runner.run(CHANGES, BASE=before, APP=APP)

    assert answer.returncode == 0
    assert f"The commit before this push ({before}) is not in this repository" in answer.stdout


def test_the_first_deployment_has_nothing_to_be_compared_with(runner: Runner, push: Any) -> None:
    push()

    assert gate(runner).returncode == 0
    assert runner.outputs["steps.deployed.outputs.apps"] == f'["{APP}"]'


def test_an_app_that_is_deployed_as_it_is_here_is_not_deployed_again(runner: Runner, push: Any) -> None:
    deployed(runner, ("ACTIVE", push()))
    (runner.checkout / "README.md").write_text("More words.\n")
    push()

    assert gate(runner).returncode == 0
    assert runner.outputs["steps.deployed.outputs.apps"] == "[]"
    assert gate(runner, **{"github.event_name": "workflow_dispatch"}).returncode == 0
    assert runner.outputs["steps.deployed.outputs.apps"] == f'["{APP}"]', "whoever starts it by hand wants it deployed"


def test_what_was_refused_is_not_deployed_and_the_next_push_is_refused_too(runner: Runner, push: Any) -> None:
    first = push()
    refused = push(*BREAKING)
    deployed(runner, ("FAILURE", refused), ("ACTIVE", first), ("INACTIVE", "0" * 40))
    push()

    assert runner.run(CHANGES, BASE=refused, APP=APP).returncode == 0, "this push alone changes nothing"
    answer = gate(runner)
    assert answer.returncode != 0
    assert "needs a new version" in answer.stdout


def test_a_new_version_is_deployed(runner: Runner, push: Any) -> None:
    deployed(runner, ("ACTIVE", push()))
    push(*BREAKING)
    push(*ANOTHER_VERSION)

    assert gate(runner).returncode == 0


def test_a_rollback_is_a_change_like_any_other(runner: Runner, push: Any, run: Any) -> None:
    first = push()
    latest = push("    ticket_id: str\n", "    ticket_id: str\n    region: str = ''\n")
    deployed(runner, ("ACTIVE", latest))
    run("git", "checkout", "--quiet", first, cwd=runner.checkout)

    assert gate(runner).returncode != 0, "states that were saved with the field could not be read"
    assert gate(runner, **{"inputs.runs_may_park": "true"}).returncode == 0


def test_a_job_says_how_it_presents_itself_to_azure(runner: Runner) -> None:
    with token_server(SUBJECT) as token:
        answer = runner.run(PREFLIGHT, **VARIABLES, **token, ENVIRONMENT="production", APP=APP)

    assert answer.returncode == 0, answer.stderr
    assert f"This job presents itself to Azure as {SUBJECT}\n" in answer.stdout
    assert runner.outputs["steps.preflight.outputs.subject"] == SUBJECT


@pytest.mark.parametrize("missing", VARIABLES)
def test_a_variable_that_is_not_set_is_named_before_the_login(runner: Runner, missing: str) -> None:
    answer = runner.run(PREFLIGHT, **{**VARIABLES, missing: ""}, ENVIRONMENT="production", APP=APP)

    assert answer.returncode == 1
    assert f"::error::Set the variable {missing} for the environment production" in answer.stdout
    assert f"`azd env get-value {missing}`" in answer.stdout


def test_a_refused_login_ends_with_the_commands_that_help(runner: Runner) -> None:
    answer = runner.run(REFUSED, **VARIABLES, ENVIRONMENT="production", APP=APP, SUBJECT=SUBJECT)

    assert f"does not trust the subject {SUBJECT}" in answer.stdout
    assert answer.stdout.splitlines()[-3:] == [
        "azd env set GITHUB_SUBJECT_PREFIX 'repo:owner@24213737/orders@1323153730'",
        "azd env set GITHUB_ENVIRONMENT 'production'",
        "azd provision",
    ]
    assert REFUSED["if"] == "failure() && steps.login.outcome == 'failure'"


def test_the_address_of_the_app_comes_from_azure(runner: Runner) -> None:
    app = {
        "APP_ID": "/subscriptions/0/sites/func-orders",
        "APP_HOST": "func-orders-a1b2.westeurope-01.azurewebsites.net",
    }

    assert runner.run(WHERE, **VARIABLES, **app, ENVIRONMENT="production", APP=APP).returncode == 0
    assert runner.outputs["steps.app.outputs.id"] == app["APP_ID"]
    assert runner.outputs["steps.app.outputs.name"] == "func-orders"
    assert runner.outputs["steps.app.outputs.url"] == f"https://{app['APP_HOST']}"
    unseen = runner.run(WHERE, **VARIABLES, ENVIRONMENT="production", APP=APP)
    assert unseen.returncode == 1
    assert f"cannot see an app tagged azd-service-name={APP} in the resource group" in unseen.stdout


RUNNING: dict[str, Any] = {
    **VARIABLES,
    "ENVIRONMENT": "production",
    "APP": APP,
    "APP_ID": "/sites/func-orders",
    "APP_KEY": "k",
}


def staged(runner: Runner) -> None:
    """The package as the job before has uploaded it: of it, these steps read the lock."""
    (runner.checkout / "dist" / APP).mkdir(exist_ok=True, parents=True)
    shutil.copy(runner.checkout / "graphs.lock.json", runner.checkout / "dist" / APP)


def start_a_run_that_waits(url: str) -> None:
    body = {"input": {"ticket_id": "T-1", "customer": "Mr. Ono", "message": "It broke", "refund": "80"}}
    request = urllib.request.Request(
        f"{url}/api/graphs/support_agent/runs", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 202


def test_a_version_that_a_live_run_needs_stays_deployed(runner: Runner, push: Any) -> None:
    push()
    with served(runner.checkout) as url:
        start_a_run_that_waits(url)
        staged(runner)
        kept = runner.run(LIVE, **RUNNING, APP_URL=url)
        push(*ANOTHER_VERSION)
        staged(runner)
        dropped = runner.run(LIVE, **RUNNING, APP_URL=url)

    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert dropped.returncode == 1
    assert "Version 1 of support_agent, which this revision lacks, still has live runs: 1." in dropped.stdout
    assert LIVE["if"] == "${{ !inputs.runs_may_park }}"


def test_an_app_that_does_not_answer_can_be_replaced(runner: Runner, push: Any) -> None:
    push()
    staged(runner)

    answer = runner.run(LIVE, **RUNNING, APP_URL="http://127.0.0.1:9")

    assert answer.returncode == 0
    assert "::warning::The app does not answer" in answer.stdout


def test_the_deployment_ends_when_the_app_serves_this_revision_and_not_before(runner: Runner, push: Any) -> None:
    once = {"ATTEMPTS": "1", "PAUSE": "0"}
    push()
    staged(runner)
    with served(runner.checkout) as url:
        right = runner.run(SMOKE, **RUNNING, **once, APP_URL=url)
        push(*ANOTHER_VERSION)
        staged(runner)
        outdated = runner.run(SMOKE, **RUNNING, **once, APP_URL=url)
    silent = runner.run(SMOKE, **RUNNING, **once, APP_URL="http://127.0.0.1:9")

    assert right.returncode == 0, right.stdout + right.stderr
    assert outdated.returncode == silent.returncode == 1
    assert "does not serve the graphs of this revision" in outdated.stdout


def test_what_is_deployed_of_an_app_is_recorded_at_the_end(runner: Runner, push: Any) -> None:
    answer = runner.run(
        RECORD, **{**RUNNING, "ENVIRONMENT": "staging"}, APP_URL="https://a", GH_TOKEN="token", GITHUB_SHA=push()
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    created, succeeded = (runner.temporary / "gh.txt").read_text().splitlines()
    assert f"environment=staging/{APP}" in created
    assert "repos/owner/orders/deployments/4711/statuses --raw-field state=success" in succeeded
