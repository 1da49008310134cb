"""What every test may use."""

pytest_plugins = ("tests.sandbox_fixture",)
