"""docs/settings.md: every setting, as the schema in Pulumi.yaml has it."""

from components.settings import SECRETS, choices, schema
from ops.reference import DO_NOT_EDIT, code, table

_HEAD = f"""\
# Settings

{DO_NOT_EDIT} It comes from `Pulumi.yaml`, which is the schema that Pulumi and the verbs read.

A setting says where a thing is or how to reach it. It stands in the stack's file, `Pulumi.STACK.yaml`:

    pulumi config set KEY VALUE
    pulumi config set --secret KEY      # asks for the value, and keeps it encrypted: for {" and ".join(SECRETS)}

A description that begins with a mode, such as `dedicated:`, counts in that mode alone. A key that is not listed here
is refused. So is a value, where values are listed and it is none of them.

"""


def page() -> str:
    """The whole page."""
    return _HEAD + table(
        ("setting", "type", "default", "values", "what it is for"),
        [
            (code(key), _type(key, str(entry["type"])), _default(entry["default"]), _values(key), entry["description"])
            for key, entry in schema().items()
        ],
    )


def _type(key: str, name: str) -> str:
    return f"{name}, secret" if key in SECRETS else name


def _default(value: object) -> str:
    return "(empty)" if value == "" else code(str(value).lower() if isinstance(value, bool) else str(value))


def _values(key: str) -> str:
    """The values that the setting may have; nothing where any of its type will do."""
    words = ["true", "false"] if schema()[key]["type"] == "boolean" else choices(key)
    return ", ".join(map(code, words))
