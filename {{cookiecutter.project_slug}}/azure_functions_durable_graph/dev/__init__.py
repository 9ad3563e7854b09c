"""The local host: runs an unchanged `function_app.py` through the real azure-functions-durable SDK.

    history   actions  instance     what the Durable extension says and stores, as values
    engine                          the state machine: apply(now, message) -> effects
    routing   settings  loader      what the Functions host reads: route templates, host.json, function_app.py
    worker                          calls functions as the Python worker does
    host                            clock, queue, timers: performs the engine's effects
    management  server              the Durable management API, and HTTP

Protocol facts in these modules come from the Durable extension, the Functions host and the Python worker (4.x) as
they behave with azure-functions-durable 1.7; where the host chooses to differ, docs/local_host.md says so.
"""
