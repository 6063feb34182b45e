"""Names that mean something else in the tables of costs are no tenant's."""

import pytest

from escriba.recordings import NameRefusedError, from_inbox_key
from escriba.settings import SettingsError
from intake.tenants import read_tenants

MEANING = {"all": "all tenants together", "unallocated": "costs that belong to no job"}


@pytest.mark.parametrize("name", MEANING)
def test_a_file_of_such_a_tenant_is_refused_with_what_the_name_means(name):
    with pytest.raises(NameRefusedError, match=MEANING[name]) as refused:
        from_inbox_key(f"inbox/{name}/lecture.mp3")

    assert refused.value.code == "tenant_reserved"
    assert refused.value.advice == "Choose another name."


@pytest.mark.parametrize("name", MEANING)
def test_tenants_yaml_names_the_line(name, tmp_path):
    path = tmp_path / "tenants.yaml"
    path.write_text(f"tenants:\n  {name}: {{budget: {{month_usd: 1}}}}\n", encoding="utf-8")

    with pytest.raises(SettingsError, match=f"tenants.yaml: '{name}' cannot be a tenant name"):
        read_tenants(path)


@pytest.mark.parametrize("name", ["allan", "all-hands", "unallocated-2", "small.all"])
def test_names_that_only_begin_so_are_tenants(name):
    assert from_inbox_key(f"inbox/{name}/a.mp3").tenant == name
