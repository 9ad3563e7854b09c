"""Tests run as the app does: with the SDK's strict typing, which local.settings.json sets for the app."""

import os

os.environ.setdefault("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")
