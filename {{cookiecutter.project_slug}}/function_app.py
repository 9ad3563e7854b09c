"""The function app. Azure Functions loads this file; so does the local host."""

from pathlib import Path

import azure.functions as func

import graphs
from azure_functions_durable_graph import DurableGraphApp

runtime = DurableGraphApp(auth_level=func.AuthLevel.{{ cookiecutter.auth_level | upper }})
runtime.register_package(graphs)
runtime.register_lock(Path(__file__).with_name("graphs.lock.json"))

app = runtime.function_app
