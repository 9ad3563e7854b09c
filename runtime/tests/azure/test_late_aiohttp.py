"""An app is loaded without aiohttp; whoever asks for it, the SDK or anybody else, gets the real one."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

RUNTIME = Path(__file__).parents[2]

APP = """
    from pydantic import BaseModel
    from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

    class State(BaseModel):
        done: bool = False

    builder = ManifestBuilder("g", State).set_entrypoint("a").add_node("a", lambda state: {"done": True}, terminal=True)
    runtime = DurableGraphApp()
    runtime.register_registration(builder.build())
    app = runtime.function_app
    app.get_functions()
"""

FIRST_REQUEST = """
    import asyncio, http.server, threading
    from azure.durable_functions.models.utils.http_utils import get_async_request

    class Extension(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"runtimeStatus": "Running"}')
        def log_message(self, *args): pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Extension)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(asyncio.run(get_async_request(f"http://127.0.0.1:{server.server_port}/")))
    server.shutdown()
"""

SEEN = "\nimport sys; print('aiohttp' in sys.modules)\n"


def said(*parts: str) -> list[str]:
    """What a fresh process prints, line by line."""
    code = "".join(textwrap.dedent(part) for part in parts)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=RUNTIME, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_app_is_loaded_without_it_and_the_first_request_loads_it() -> None:
    assert said(APP, SEEN, FIRST_REQUEST, SEEN) == ["False", "[200, {'runtimeStatus': 'Running'}]", "True"]


def test_from_the_first_request_on_the_sdk_has_the_real_one() -> None:
    told = """
    import aiohttp
    from azure.durable_functions.models.utils import http_utils
    print(http_utils.aiohttp is aiohttp)
    """

    assert said(APP, FIRST_REQUEST, told)[-1] == "True"


def test_a_failed_request_is_told_as_the_sdk_tells_it() -> None:
    told = """
    import asyncio
    from azure.durable_functions.models.utils.http_utils import get_async_request
    try:
        print(asyncio.run(get_async_request("http://127.0.0.1:1/")))
    except Exception as error:
        print(type(error).__module__, type(error).__name__)
    """

    assert said(APP, told) == said("import azure.durable_functions", told)


def test_whoever_loaded_it_before_keeps_it() -> None:
    told = """
    from azure.durable_functions.models.utils import http_utils
    print(http_utils.aiohttp is aiohttp, http_utils._get_session.__annotations__["return"] is aiohttp.ClientSession)
    """

    assert said("import aiohttp\n", APP, told) == ["True True"]


def test_an_app_that_imports_the_sdk_first_is_as_without_us() -> None:
    assert said("import azure.durable_functions\n", APP, SEEN) == ["True"]


def test_another_thread_that_imports_it_meanwhile_gets_the_real_one() -> None:
    told = """
    import importlib, sys
    from azure_functions_durable_graph.azure import late_aiohttp
    stand_in = sys.modules["aiohttp"] = late_aiohttp._Later("aiohttp")
    import aiohttp
    from aiohttp import ClientSession, web
    import aiohttp.client_exceptions
    print(aiohttp.ClientSession.__module__, ClientSession is aiohttp.ClientSession, web.Application.__name__)
    print(sys.modules["aiohttp"] is not stand_in, issubclass(aiohttp.ClientError, Exception))
    """

    assert said(APP, told) == ["aiohttp.client True Application", "True True"]


def test_what_a_test_replaces_in_the_sdk_is_replaced_until_its_end() -> None:
    told = """
    from unittest import mock
    with mock.patch("azure.durable_functions.models.utils.http_utils.aiohttp.ClientSession") as session:
        from azure.durable_functions.models.utils import http_utils
        import aiohttp
        print(http_utils.aiohttp.ClientSession is session, aiohttp.ClientSession is session)
    print(http_utils.aiohttp.ClientSession.__module__, aiohttp.ClientSession.__module__)
    """

    assert said(APP, told) == ["True True", "aiohttp.client aiohttp.client"]


def test_where_it_is_missing_the_app_does_not_load_as_ever() -> None:
    """An error at the first request would be a deployment that looks fine."""
    missing = """
    import sys
    class Without:
        def find_spec(self, name, path=None, target=None):
            if name == "aiohttp":
                raise ModuleNotFoundError("No module named 'aiohttp'", name="aiohttp")
    sys.meta_path.insert(0, Without())
    try:
        from azure_functions_durable_graph import DurableGraphApp
    except ModuleNotFoundError as error:
        print(error.name)
    """

    assert said(missing) == ["aiohttp"]
