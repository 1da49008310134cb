"""What every test may use."""

import os

os.environ.setdefault("SANDBOX_ENGINE", "off")  # a second each, not ten; tests/e2e has the engine

pytest_plugins = ("tests.sandbox_fixture",)
