"""The pack: its policies by Pulumi's library, and what the engine shows to them as data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Secret,
    proxy,
)

from refusals import one_namespace, others_work, our_kinds, our_names, plain_secrets
from refusals.seen import HIDDEN, STACK, UNKNOWN, Schema, Seen, settings, unknown_settings

Refuse = Callable[[Seen, Mapping[str, Any]], Iterator[str]]

_UNKNOWN_VALUES: Final = {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")}
_LOST: Final = (
    "Pulumi shows only at the enforcement level remediate which inputs are secrets: leave the policy no-plain-secrets "
    "at that level, at which it changes nothing and refuses as the others do"
)


def serve() -> None:
    """Serve the policies to the engine that started this process; returns when it ends."""
    PolicyPack(name="api-monitoring", policies=_policies(), enforcement_level=EnforcementLevel.MANDATORY)


def _policies() -> list[ResourceValidationPolicy]:
    """Every policy; `no-plain-secrets` is of another make, as Pulumi's library shows secrets to remediations only."""
    return [
        _policy("only-our-kinds", "Only the kinds that this program makes.", our_kinds.refuse, our_kinds.SCHEMA),
        _policy("one-namespace", "One namespace only.", one_namespace.refuse, one_namespace.SCHEMA),
        _policy("our-names", "Names that are ours, and few of others.", our_names.refuse, our_names.SCHEMA),
        _policy("others-work-stays", "Nothing of others is overwritten.", others_work.refuse, others_work.SCHEMA),
        _PlainSecrets().policy(),
    ]


def _policy(name: str, description: str, refuse: Refuse, schema: Schema) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for sentence in _sentences(name, refuse, schema, args):
            report(sentence, None)

    return ResourceValidationPolicy(name, description, validate, config_schema=_config(schema))


class _PlainSecrets:
    """Looks in the remediation, which changes nothing, and refuses in the validation, which follows it."""

    name = "no-plain-secrets"

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}  # URN → sentences

    def policy(self) -> ResourceValidationPolicy:
        return ResourceValidationPolicy(
            self.name,
            "No secrets in plain text.",
            self._refuse,
            enforcement_level=EnforcementLevel.REMEDIATE,
            config_schema=_config(plain_secrets.SCHEMA),
            remediate=self._look,
        )

    def _look(self, args: ResourceValidationArgs) -> None:
        self._found[args.urn] = _sentences(self.name, plain_secrets.refuse, plain_secrets.SCHEMA, args)

    def _refuse(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        lost = [_LOST] if args.resource_type == STACK else []  # every program has a stack: once is enough
        for sentence in self._found.pop(args.urn, lost):
            report(sentence, None)


def _config(schema: Schema) -> PolicyConfigSchema:
    return PolicyConfigSchema(properties={name: dict(about) for name, about in schema.items()})


def _sentences(name: str, refuse: Refuse, schema: Schema, args: ResourceValidationArgs) -> list[str]:
    """What a policy refuses of a resource, and once, at the stack, what is wrong with the policy's settings."""
    given = args.get_config()
    wrong = unknown_settings(name, schema, given) if args.resource_type == STACK else []
    provider = _as_data(args.provider.props) if args.provider else {}
    seen = Seen(args.resource_type, args.name, _as_data(args.props), provider)
    return [*wrong, *refuse(seen, settings(schema, given))]


def _as_data(value: Any) -> Any:
    """What the library's proxies stand for: they raise for a value that is not known yet, and show secrets."""
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWN_VALUES else value
    if isinstance(value, Mapping):
        target = value if isinstance(value, dict) else value["__target"]
        return {key: _as_data(inner) for key, inner in target.items()}
    if isinstance(value, Sequence):
        target = value if isinstance(value, list) else value["__target"]  # type: ignore[call-overload]
        return [_as_data(inner) for inner in target]
    return value
