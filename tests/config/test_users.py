"""Users from the configuration, from the two legacy files, and what single sign-on asks of them."""

from pathlib import Path

import pytest
from config_samples import GOOD, LEADS, SCIENTISTS

from mlops_foundation.config import Config, input_files, load
from mlops_foundation.core.errors import ConfigError, Problem

FROM_FILES = """\
studio:
  users_from:
    data_scientists: users/data_scientists.yml
    lead_data_scientists: users/lead_data_scientists.yml
"""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A configuration that takes its users from the sample's two files, as they are."""
    (tmp_path / "users").mkdir()
    (tmp_path / "users/data_scientists.yml").write_text(SCIENTISTS)
    (tmp_path / "users/lead_data_scientists.yml").write_text(LEADS)
    studio = GOOD[GOOD.index("studio:") : GOOD.index("tags:")]
    (tmp_path / "mlops.yaml").write_text(GOOD.replace(studio, FROM_FILES))
    return tmp_path / "mlops.yaml"


def problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as raised:
        load(path)
    for each in raised.value.problems:
        assert each.fix
    return raised.value.problems


def names(config: Config) -> list[str]:
    return [user.name for user in config.studio.users]


def test_the_samples_files_are_read_as_they_are(config_file: Path) -> None:
    assert names(load(config_file)) == ["ds-data-scientist", "lead-ds-lead-data-scientist"]


def test_an_entry_is_a_user(config_file: Path) -> None:
    file = config_file.parent / "users/data_scientists.yml"
    file.write_text(SCIENTISTS + '  - user_profile_name: "bob"\n')
    assert names(load(config_file)) == ["ds-data-scientist", "ds-bob", "lead-ds-lead-data-scientist"]


def test_the_files_are_inputs_of_the_assembly(config_file: Path) -> None:
    folder = config_file.parent / "users"
    expected = [config_file, folder / "data_scientists.yml", folder / "lead_data_scientists.yml"]
    assert input_files(config_file, load(config_file)) == expected


def test_users_of_the_configuration_stand_beside_those_of_the_files(config_file: Path) -> None:
    config_file.write_text(config_file.read_text().replace("studio:\n", "studio:\n  data_scientists: [alice]\n"))
    assert names(load(config_file)) == ["alice", "ds-data-scientist", "lead-ds-lead-data-scientist"]


def test_a_user_in_two_role_files_is_one_error_that_names_both(config_file: Path) -> None:
    folder = config_file.parent / "users"
    (folder / "lead_data_scientists.yml").write_text(LEADS + "  - user_profile_name: data-scientist\n")
    (found,) = problems(config_file)
    assert found.where == f"{folder / 'lead_data_scientists.yml'}:4"
    assert f"{folder / 'data_scientists.yml'}:3" in found.got
    assert "data-scientist" in found.what


def test_a_user_in_a_file_and_in_the_configuration_is_one_error_that_names_both(config_file: Path) -> None:
    text = config_file.read_text().replace("studio:\n", "studio:\n  lead_data_scientists: [data-scientist]\n")
    config_file.write_text(text)
    (found,) = problems(config_file)
    assert found.where == f"{config_file.parent / 'users/data_scientists.yml'}:3"
    assert f"{config_file}:{text[: text.index('[data-scientist]')].count(chr(10)) + 1}" in found.got


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("users:\n  - user_profle_name: x\n", 2, "did you mean user_profile_name?"),
        ("users:\n  - user_profile_name: 'a b'\n", 2, "not a usable Studio user name"),
        ("prefix: '-'\nusers: []\n", 1, "prefix"),
        ("users: [\n", 2, "not YAML"),
        ("users:\n\t- user_profile_name: x\n", 2, "indent with spaces"),
        ("- alice\n", 1, "the file is not a mapping"),
        ("", 1, "the file is not a mapping"),
        (f"prefix: ds\nusers:\n  - user_profile_name: {'a' * 61}\n", 3, "too long together"),
    ],
)
def test_a_broken_file_is_an_error_with_its_line(config_file: Path, text: str, line: int, words: str) -> None:
    file = config_file.parent / "users/data_scientists.yml"
    file.write_text(text)
    found = problems(config_file)
    assert any(each.where == f"{file}:{line}" and words in " ".join(each.as_dict().values()) for each in found)


def test_a_file_that_is_not_there_is_an_error(config_file: Path) -> None:
    (config_file.parent / "users/data_scientists.yml").unlink()
    (found,) = problems(config_file)
    assert "data scientists is not there" in found.what
    assert "users_from.data_scientists" in found.fix


SSO = """\
studio:
  auth_mode: sso
  admin_sso_user: root@example.com
  data_scientists: [{name: alice, sso_user: alice@example.com}]
  lead_data_scientists: [{name: lea, sso_user: lea@example.com}]
"""


def with_studio(tmp_path: Path, studio: str) -> Path:
    old = GOOD[GOOD.index("studio:") : GOOD.index("tags:")]
    (tmp_path / "mlops.yaml").write_text(GOOD.replace(old, studio))
    return tmp_path / "mlops.yaml"


def test_single_sign_on_with_everybodys_user_is_right(tmp_path: Path) -> None:
    config = load(with_studio(tmp_path, SSO))
    assert [user.sso_user for user in config.studio.users] == ["alice@example.com", "lea@example.com"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{name: alice, sso_user: alice@example.com}", "alice", "alice"),
        ("  admin_sso_user: root@example.com\n", "", "ds-admin"),
        ("auth_mode: sso", "auth_mode: iam", "alice, lea"),
        ("sso_user: lea@example.com", "sso_user: alice@example.com", "alice and lea"),
    ],
)
def test_single_sign_on_that_lacks_something_is_one_error(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert SSO.count(old) == 1
    (found,) = problems(with_studio(tmp_path, SSO.replace(old, new)))
    assert found.got == words
    assert ("add sso_user: to each" in found.fix) == (words == "alice")
    assert ("set studio.admin_sso_user" in found.fix) == (words == "ds-admin")


@pytest.mark.parametrize(("minutes", "right"), [(0, True), (60, True), (525600, True), (1, False), (59, False)])
def test_idle_shutdown_is_never_or_what_sagemaker_takes(tmp_path: Path, minutes: int, right: bool) -> None:
    path = with_studio(tmp_path, f"studio:\n  idle_shutdown_minutes: {minutes}\n")
    if right:
        assert load(path).studio.idle_shutdown_minutes == minutes
    else:
        (found,) = problems(path)
        assert "60 to 525600" in found.expected
