"""What a real Cortex cannot be made to do in a test: others who write at the very moment, answers that are lost."""

from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import rules
from components.live.cluster import tenant_text
from components.live.cluster.tenant_text import MINIMAL
from components.live.text import rule_groups
from components.live.text.edit_errors import EditRefused
from components.live.text.marked_lists import LastEdit
from ops.clients.tenant import TenantAlertmanager, TenantConfig
from ops.errors import Unreachable

THEIRS = TenantConfig("route: {receiver: x}\n", {"a.tmpl": "{{ 1 }}"})


class Store(TenantAlertmanager):
    """What is stored, and what happens before a call of a kind: `read`, `write`, `delete`."""

    def __init__(self, config: TenantConfig | None) -> None:
        self.config, self.before, self.calls = config, dict[str, Callable[[], None]](), list[str]()

    def __str__(self) -> str:
        return "the store"

    def _begin(self, kind: str) -> None:
        self.calls.append(kind)
        self.before.get(f"{kind} {self.calls.count(kind)}", lambda: None)()

    def read(self) -> TenantConfig | None:
        self._begin("read")
        return self.config

    def write(self, config: TenantConfig) -> None:
        self._begin("write")
        self.config = config

    def delete(self) -> None:
        self._begin("delete")
        self.config = None


def append(found: tenant_text.StoredConfig) -> str:
    return found.text if "ours" in found.text else f"{found.text}# ours\n"


def test_what_somebody_writes_before_the_second_reading_is_kept() -> None:
    store = Store(THEIRS)

    def other() -> None:
        store.config = TenantConfig(f"# theirs\n{THEIRS.text}", {"b.tmpl": ""})

    store.before["read 2"] = other
    tenant_text.swap(store, "routing", append, pause=0)
    assert store.config == TenantConfig(f"# theirs\n{THEIRS.text}# ours\n", {"b.tmpl": ""})
    assert store.calls.count("write") == 1


def test_what_somebody_writes_over_ours_at_once_gets_ours_again() -> None:
    store = Store(THEIRS)

    def other() -> None:
        store.config = TenantConfig("# all new\n", {})

    store.before["read 3"] = other
    found, new = tenant_text.swap(store, "routing", append, pause=0)
    assert store.config == TenantConfig("# all new\n# ours\n", {})
    assert (found.text, new) == ("# all new\n", "# all new\n# ours\n")


def test_somebody_who_never_stops_is_one_sentence() -> None:
    store = Store(THEIRS)
    numbers = iter(range(100))

    def other() -> None:
        store.config = TenantConfig(f"# {next(numbers)}\n", {})

    store.before = {f"read {number}": other for number in range(100)}
    with pytest.raises(
        EditRefused, match=r"^somebody else keeps changing the configuration at the store \(8 attempts\)"
    ):
        tenant_text.swap(store, "routing", append, pause=0)
    assert "write" not in store.calls


@pytest.mark.parametrize("arrived", [True, False])
def test_a_write_whose_answer_is_lost_is_looked_for(arrived: bool) -> None:
    store = Store(THEIRS)

    def lost() -> None:
        if arrived:
            store.config = TenantConfig(f"{THEIRS.text}# ours\n", THEIRS.templates)
        raise Unreachable("no answer")

    store.before["write 1"] = lost
    if arrived:
        tenant_text.swap(store, "routing", append, pause=0)
    else:
        with pytest.raises(Unreachable):
            tenant_text.swap(store, "routing", append, pause=0)


@given(
    before=st.text(st.characters(codec="utf-8"), max_size=60), ours=st.text(st.characters(codec="utf-8"), max_size=60)
)
def test_a_whole_text_of_ours_remembers_the_one_before(before: str, ours: str) -> None:
    store = Store(TenantConfig(before, {}))
    tenant_text.swap(store, "replace", lambda _: ours, pause=0)
    found = tenant_text.read(store, "replace")
    assert (found.text, found.replaced) == (ours, LastEdit(before, ours))
    tenant_text.swap(store, "replace", lambda found: found.replaced.before if found.replaced else "", gone=True)
    assert store.config == (TenantConfig(before, {}) if before not in ("", MINIMAL) else None)


def test_templates_that_others_have_added_to_ours_are_not_deleted_with_it() -> None:
    store = Store(TenantConfig(f"{MINIMAL}# ours\n", {"late.tmpl": ""}))
    with pytest.raises(EditRefused, match=r"now has template files of somebody else's: late\.tmpl; delete them"):
        tenant_text.swap(store, "routing", lambda _: MINIMAL, gone=True)
    assert store.config is not None


def test_every_group_of_ours_is_one_text_and_knows_itself_in_another_spelling() -> None:
    for file in rules.load():
        for name, text in rule_groups.split(file.text).items():
            stored = yaml.safe_load(text)
            assert stored["name"] == name
            assert rule_groups.same(text, stored)
            for rule in stored["rules"]:
                rule["expr"] = rule["expr"].strip()
                rule |= {"keep_firing_for": rule.get("keep_firing_for", "0s")}
            stored |= {"limit": 0, "interval": f"{stored.get('interval', '0s')}".replace("30s", "30000ms")}
            assert rule_groups.same(text, stored)
            assert rule_groups.differences({name: text}, {}) == [f"group {name} is gone"]
            stored["rules"][0]["expr"] += " > 1"
            assert rule_groups.differences({name: text}, {name: stored}) == [
                f"group {name} was changed by somebody else"
            ]
