"""Tools that keep objects as Git or a chart has them: whether one would undo what we write, and what to add there.

Pure. Argo CD, Flux and Helm leave fields alone that their own source does not have: a volume, a mount or a key that we
add. A text that we edit is one field, and stands in their source (docs/stacks/gitops.md has the reasons).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from formats.json_types import JsonValue

PAGE = "docs/stacks/gitops.md"

_ARGO_MANAGERS = ("argocd-controller", "argocd-application-controller")
_FLUX = "kustomize.toolkit.fluxcd.io"
_FLUX_HELM = "helm.toolkit.fluxcd.io"


@dataclass(frozen=True)
class Marks:
    """What the metadata of an object say of tools: its labels, annotations, and who has written it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    managers: frozenset[str]
    owner: str = (
        ""  # KIND NAME of the object whose controller makes this one, as an ExternalSecret or a SealedSecret does
    )

    @classmethod
    def of(cls, metadata: Mapping[str, JsonValue]) -> "Marks":
        """From an object's metadata as the API gives them."""
        entries = metadata.get("managedFields") or ()
        owners = [one for one in metadata.get("ownerReferences") or () if one.get("controller")]
        return cls(
            metadata.get("labels") or {},
            metadata.get("annotations") or {},
            frozenset(str(entry.get("manager")) for entry in entries),
            next((f"{one.get('kind')} {one.get('name')}" for one in owners), ""),
        )

    @property
    def argo(self) -> str | None:
        """The Argo CD Application that the object belongs to; "" where it has no name; None for no Argo CD."""
        tracked = self.annotations.get("argocd.argoproj.io/tracking-id", "").partition(":")[0]
        name = tracked or self.labels.get("argocd.argoproj.io/instance", "")
        return name if name or self.managers.intersection(_ARGO_MANAGERS) else None

    @property
    def flux(self) -> str | None:
        """The Flux Kustomization, as `argo` has the Application."""
        name = self.labels.get(f"{_FLUX}/name", "")
        return name if name or "kustomize-controller" in self.managers else None

    @property
    def flux_helm(self) -> str | None:
        """The Flux HelmRelease, as `argo` has the Application."""
        name = self.labels.get(f"{_FLUX_HELM}/name", "")
        return name if name or "helm-controller" in self.managers else None

    @property
    def helm(self) -> str | None:
        """The Helm release, as `argo` has the Application."""
        name = self.annotations.get("meta.helm.sh/release-name", "")
        labelled = self.labels.get("app.kubernetes.io/managed-by") == "Helm"
        return name if name or labelled or "helm" in self.managers else None


def warning_of_edit(
    metadata: Mapping[str, JsonValue], namespace: str, holder: str, key: str, *, kind: str = "ConfigMap"
) -> str:
    """What a tool does to our part of a text in an object, and the lines to add there; "" where none does anything."""
    marks, title = Marks.of(metadata), f"{kind} {namespace}/{holder}"
    if marks.owner:
        return (
            f"{title} is made by {marks.owner}, which writes it anew from its source: our part of {key} is gone then, "
            f"until the next `pulumi up`, so let another {kind} have the text, or put our part there ({PAGE})"
        )
    if (name := marks.argo) is not None:
        lines = [
            "spec:",
            "  ignoreDifferences:",
            f"    - {{kind: {kind}, namespace: {namespace}, name: {holder}, jsonPointers: [/data/{key}]}}",
            "  syncPolicy:",
            "    syncOptions: [RespectIgnoreDifferences=true]",
        ]
        who = f"Argo CD{_called(' (Application ', name, ')')}"
        return _undone(who, title, key, "when it next syncs", "that Application", lines)
    if (name := marks.flux) is not None:
        if _left_alone_by_flux(marks):
            return ""
        target = f"{{kind: {kind}, namespace: {namespace}, name: {holder}}}"
        lines = ["spec:", "  ignore:", f"    - {{paths: [/data/{key}], target: {target}}}"]
        lines += [f"# before Flux 2.9, in the {kind} itself, in Git:"]
        lines += ["metadata:", "  annotations:", f"    {_FLUX}/ssa: IfNotPresent"]
        who = f"Flux{_called(' (Kustomization ', name, ')')}"
        return _undone(who, title, key, "when it next reconciles", "that Kustomization", lines)
    if (name := marks.flux_helm) is not None:
        target = f"{{kind: {kind}, name: {holder}}}"
        lines = ["spec:", "  driftDetection:", f"    ignore: [{{paths: [/data/{key}], target: {target}}}]"]
        who = f"Flux{_called(' (HelmRelease ', name, ')')}"
        when = "at each upgrade, and where driftDetection is enabled when it next reconciles"
        return _undone(who, title, key, when, "that HelmRelease, and run `pulumi up` after an upgrade", lines)
    if (name := marks.helm) is not None:
        return (
            f"Helm{_called(' (release ', name, ')')} wrote {title}: each `helm upgrade` writes {key} as the chart has "
            "it, and our part is gone until the next `pulumi up`, so run that after each; with server-side apply "
            f"(Helm 4) an upgrade stops at our change unless it has --force-conflicts ({PAGE})"
        )
    return ""


def warning_of_addition(metadata: Mapping[str, JsonValue], title: str, what: str) -> str:
    """What a tool does to something that we add to an object (`what`: `our mount`); "" where it leaves it alone."""
    marks = Marks.of(metadata)
    options = [word.strip() for word in marks.annotations.get("argocd.argoproj.io/sync-options", "").split(",")]
    if marks.argo is None or "Replace=true" not in options:
        return ""
    return (
        f"Argo CD{_called(' (Application ', marks.argo, ')')} replaces {title} as a whole when it next syncs, and "
        f"{what} is gone: leave Replace=true out of that object's annotation argocd.argoproj.io/sync-options, or put "
        f"ServerSideApply=true in its place ({PAGE})"
    )


def _left_alone_by_flux(marks: Marks) -> bool:
    said = {**marks.labels, **marks.annotations}
    return said.get(f"{_FLUX}/reconcile", "").lower() == "disabled" or said.get(f"{_FLUX}/ssa", "").lower() in (
        "ifnotpresent",
        "ignore",
    )


def _undone(who: str, title: str, key: str, when: str, where: str, lines: list[str]) -> str:
    """A sentence, and the lines below it."""
    head = f"{who} keeps {title} as its source has it, and takes our part out of {key} {when}; add to {where} ({PAGE}):"
    return "\n".join([head, *(f"    {line}" for line in lines)])


def _called(before: str, name: str, after: str) -> str:
    return f"{before}{name}{after}" if name else ""
