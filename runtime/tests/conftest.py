"""Settings of all tests of the runtime."""

from hypothesis import settings

settings.register_profile("default", deadline=None)  # speed is measured in benchmarks/, never in a test
settings.load_profile("default")
