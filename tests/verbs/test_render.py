"""`render`: what the program declares, as files; and what it refuses to write over."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import dashboards
import routing
import rules
from ops import cli, targets
from ops.errors import Misconfigured
from ops.stack import manifests
from ops.stack.declared import SECRET, Declared, collect
from tests.support.checkout import ROOT


def config_map(name: str, data: dict[str, str], *, patch: bool = False) -> Declared:
    inputs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data}
    return Declared(f"kubernetes:core/v1:ConfigMap{'Patch' if patch else ''}", name, inputs, custom=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the real program declares for production."""
    out = tmp_path_factory.mktemp("rendered")
    assert cli.run(["render", "--target", "prod", "--out", str(out)]) == 0
    return out


def test_the_rules_are_the_files_of_the_repository_byte_for_byte(written: Path) -> None:
    manifest = yaml.safe_load((written / "manifests" / "configmap-api-performance-alerts.yaml").read_text("utf-8"))
    assert manifest["apiVersion"] == "v1"
    assert manifest["metadata"]["namespace"] == "monitoring"
    assert manifest["data"] == {file.name: file.text for file in rules.load()}


def test_the_mount_is_a_patch_that_adds_and_nothing_else(written: Path) -> None:
    text = (written / "manifests" / "deployment-prometheus-api-performance-alerts.yaml").read_text("utf-8")
    assert text.startswith("# Adds these fields to an existing object:\n# kubectl apply --server-side ")
    pod = yaml.safe_load(text)["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["api-performance-alerts"]


def test_the_dashboard_is_the_drawn_one(written: Path) -> None:
    model = json.loads((written / "dashboards" / f"{dashboards.UID}.json").read_text("utf-8"))
    assert model == dashboards.draw_limits(dashboards.load().model, rules.alerts())


def test_what_goes_into_texts_of_others_is_a_snippet(written: Path) -> None:
    snippet = (written / "snippets" / "alertmanager-config-alertmanager.yml").read_text("utf-8")
    for receiver in routing.load().parts().receivers:
        assert str(receiver["name"]) in snippet
    assert "api-performance-alerts" in (written / "snippets" / "prometheus-config-prometheus.yml").read_text("utf-8")


def test_every_way_of_bringing_the_rules_can_be_rendered() -> None:
    prod = targets.stack_values("prod")
    shared = manifests.rendered(collect({**prod, "rulesMode": "shared"}))
    assert yaml.safe_load(shared["manifests/configmap-prometheus-rules.yaml"])["kind"] == "ConfigMap"
    mode = {"rulesMode": "operator", "alertmanagerMode": "operator", "smtpPassword": "hunter2"}
    operator = manifests.rendered(collect({**prod, **mode}))
    kinds = {yaml.safe_load(text)["kind"] for name, text in operator.items() if name.startswith("manifests/")}
    assert {"PrometheusRule", "AlertmanagerConfig"} <= kinds


def test_a_secret_is_never_written() -> None:
    values = {**targets.stack_values("prod"), "grafanaAuth": "glsa_do_not_show", "smtpPassword": "hunter2-do-not-show"}
    for text in manifests.rendered(collect(values)).values():
        assert "do_not_show" not in text
        assert "do-not-show" not in text


def test_what_the_program_refuses_is_one_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"there is no setting namspace; did you mean namespace\?$"):
        collect({"namspace": "x"})


def test_texts_of_several_lines_are_blocks_and_odd_ones_survive() -> None:
    odd = {
        "a.yml": "groups:\n  - name: x\n",
        "b": "trailing \n\n",
        "c": "tab\there\n",
        "d": "no end",
        "e": "⚠️ ä\n",
        "f": "",
    }
    ((name, text),) = manifests.rendered([config_map("c", odd)]).items()
    assert name == "manifests/configmap-c.yaml"
    assert yaml.safe_load(text)["data"] == odd
    assert "  a.yml: |\n    groups:\n" in text


def test_components_and_providers_are_no_objects() -> None:
    none = [
        Declared("monitoring:index:AlertRules", "rules", {}, custom=False),
        Declared("pulumi:providers:kubernetes", "cluster", {"kubeconfig": SECRET}, custom=True),
    ]
    assert manifests.rendered(none) == {}


def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("x")
    with pytest.raises(Misconfigured, match=r"holds theirs.txt, which render did not write; name an empty folder$"):
        manifests.write(tmp_path, {"a.yaml": "1\n"})
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.txt"]
    with pytest.raises(Misconfigured, match="is not a folder"):
        manifests.write(tmp_path / "theirs.txt", {})


def test_a_second_render_takes_away_what_is_no_longer_declared(tmp_path: Path) -> None:
    out = tmp_path / "new" / "rendered"
    manifests.write(out, {"manifests/a.yaml": "1\n", "dashboards/b.json": "2\n"})
    manifests.write(out, {"manifests/c.yaml": "3\n"})
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
        ".rendered",
        "manifests",
        "manifests/c.yaml",
    ]
    (out / "mine").write_text("x")
    with pytest.raises(Misconfigured, match="holds mine"):
        manifests.write(out, {})


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rendered"
    assert cli.run(["render", "--out", str(out), "--dry-run"]) == 0
    assert not out.exists()
    assert "would write" in capsys.readouterr().out


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


def full_disk() -> None:
    """In a process of its own: no file may have more than 20 kB, as the dashboard has; smaller files are written."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def rendered_to_a_full_disk(out: Path) -> str:
    """What it says there; it fails."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "ops", "render", "--out", str(out)],
        cwd=ROOT,
        preexec_fn=full_disk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    return done.stderr


def test_a_full_disk_leaves_no_half_a_folder(tmp_path: Path) -> None:
    says = "cannot be written (File too large); nothing was changed: make room for it or permit it, or name another "
    assert says in rendered_to_a_full_disk(tmp_path / "new" / "rendered")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    assert says in rendered_to_a_full_disk(tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []
    manifests.write(tmp_path / "empty", {"a.yaml": "1\n"})


def test_a_full_disk_leaves_an_earlier_render_as_it_is(tmp_path: Path) -> None:
    manifests.write(tmp_path, {"manifests/a.yaml": "1\n", "old/b.json": "2\n"})
    before = files(tmp_path)
    rendered_to_a_full_disk(tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("texts", [{}, {"manifests/a.yaml": "1\n", "old/b.json": "2\n"}])
@pytest.mark.parametrize("last", range(8))
def test_whichever_step_fails_all_is_as_before(
    texts: dict[str, str], last: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that refuses to rename after so many renames."""
    out = tmp_path / "out"
    if texts:
        manifests.write(out, texts)
    before = files(tmp_path)
    left = [last]

    def counted(rename: str) -> None:
        real = getattr(Path, rename)

        def renamed(self: Path, to: Path) -> Path:
            left[0] -= 1
            if left[0] == -1:
                raise PermissionError(13, "Permission denied", str(to))
            moved: Path = real(self, to)
            return moved

        monkeypatch.setattr(Path, rename, renamed)

    counted("rename")
    counted("replace")
    new = {"manifests/c.yaml": "3\n", "new/d.json": "4\n"}
    try:
        manifests.write(out, new)
    except Misconfigured as refusal:
        assert "cannot be written (Permission denied); nothing was changed" in str(refusal)
        assert files(tmp_path) == before
        assert out.exists() == bool(texts)
    else:
        assert left[0] >= 0, "a step failed, and nobody was told"
        assert {name for name in files(out) if name != manifests.MARK} == {*new}


def test_a_render_that_was_killed_is_repeated(tmp_path: Path) -> None:
    """Killed before anything was exchanged, and in the middle of it."""
    out = tmp_path / "out"
    manifests.write(out, {"manifests/a.yaml": "1\n"})
    (out / manifests.FRESH / "new" / "manifests").mkdir(parents=True)
    (out / manifests.FRESH / "new" / "manifests" / "b.yaml").write_text("half")
    manifests.write(out, {"manifests/b.yaml": "2\n"})
    assert {*files(out)} == {manifests.MARK, "manifests/b.yaml"}
    (out / manifests.MARK).write_text("manifests/b.yaml\nother/c.json\n")
    (out / manifests.FRESH / "old").mkdir(parents=True)
    (out / "manifests").rename(out / manifests.FRESH / "old" / "manifests")
    (out / "other").mkdir()
    (out / "other" / "c.json").write_text("3\n")
    manifests.write(out, {"manifests/d.yaml": "4\n"})
    assert {*files(out)} == {manifests.MARK, "manifests/d.yaml"}


def test_the_folder_itself_stays_which_may_be_a_mount_or_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    number = real.stat().st_ino
    for text in "1\n", "2\n":
        manifests.write(link, {"a.yaml": text})
        assert files(real)["a.yaml"] == text
    assert link.is_symlink() and real.stat().st_ino == number
