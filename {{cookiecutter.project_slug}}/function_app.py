"""The function app. Azure Functions loads this file; so does the local host."""

import azure.functions as func

import graphs
from azure_functions_durable_graph import DurableGraphApp

runtime = DurableGraphApp(auth_level=func.AuthLevel.{{ cookiecutter.auth_level | upper }})
runtime.register_package(graphs)

app = runtime.function_app
