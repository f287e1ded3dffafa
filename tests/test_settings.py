"""Are settings read right, and is every fault said at once and in words?"""

import re
from pathlib import Path

import pytest

from engine.errors import Misconfigured
from engine.settings import Settings, load, reference

pytestmark = pytest.mark.fast
HOME = {"HOME": "/home/ada"}


def _faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as caught:
        load(HOME | {f"AIOPS_{name.upper()}": value for name, value in variables.items()}, root=False)
    return caught.value.faults


def test_without_any_variable_it_is_a_laptop() -> None:
    found = load(HOME, root=False)
    assert (found.profile, found.host, found.port, found.public_url) == ("development", "127.0.0.1", 3000, "http://localhost:3000")
    assert found.embedded and not found.tls
    assert found.origins == ("http://localhost:3000", "http://127.0.0.1:3000")


# environment, root, the folder, why
DATA_DIRS = [
    ({}, True, "/var/lib/aiops", "root has a place for what programs keep"),
    ({"HOME": "/home/ada"}, False, "/home/ada/.local/share/aiops", "others have a home"),
    ({"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}, False, "/data/aiops", "which may say where data goes"),
    ({"HOME": "/home/ada", "AIOPS_DATA_DIR": "/srv/aiops"}, True, "/srv/aiops", "what is set wins"),
]


@pytest.mark.parametrize(("environment", "root", "folder", "why"), DATA_DIRS)
def test_data_has_a_place_for_root_and_for_others(environment: dict[str, str], root: bool, folder: str, why: str) -> None:
    assert load(environment, root).data_dir == Path(folder), why


def test_every_fault_is_named_at_once_with_its_variable() -> None:
    faults = _faults(
        profile="prod",
        port="0",
        trusted_proxies="10.0.0.0/8, everywhere",
        session_dyas="3",
        public_url="ops.example.com",
        warn_email="a@b.c",
    )
    named = sorted(fault.partition(":")[0] for fault in faults)
    assert named == [f"AIOPS_{n}" for n in ("PORT", "PROFILE", "PUBLIC_URL", "SESSION_DYAS", "TRUSTED_PROXIES", "WARN_EMAIL")]


# the variables, what the one fault says, why it is one
FAULTS = [
    ({"prot": "80"}, "AIOPS_PROT: there is no such setting; did you mean AIOPS_PORT?", "a slip of the finger"),
    ({"database_ur": "x"}, "did you mean AIOPS_DATABASE_URL?", "a letter is missing"),
    ({"zzzzzz": "1"}, "remove it (docs/settings.md lists all)", "like nothing we know"),
    ({"prot_file": "/x"}, "AIOPS_PROT_FILE: there is no such setting", "a file of nothing we know"),
    ({"port": "eighty"}, "AIOPS_PORT: ", "no number"),
    ({"port": "65536"}, "less than or equal to 65535", "above the most"),
    ({"log_level": "loud"}, "'debug', 'info', 'warning' or 'error'", "a word that is none"),
    ({"profile": "production"}, "production needs https", "cookies would travel in the open"),
    ({"public_url": "ops.example.com"}, "is not an address such as https://ops.example.com", "no scheme"),
    ({"public_url": "https://ops.example.com/aiops"}, "is not an address", "we do not live under a path"),
    ({"public_url": "http://["}, "is not an address", "nothing that parses"),
    ({"allowed_origins": "https://chat.example.com/"}, "is not an origin", "origins have no slash at the end"),
    ({"allowed_origins": "*"}, "is not an origin", "everybody is not an origin"),
    ({"database_owner_url": "postgresql://o:p@h/d"}, "set AIOPS_DATABASE_URL too", "the owner alone serves nothing"),
    ({"database_url": "mysql://u:p@h/d"}, "must begin with postgresql://", "another database"),
    ({"postgres_bin": "/nonexistent"}, "no file `postgres` in /nonexistent", "no binaries there"),
    ({"warn_email": "ops@example.com"}, "set AIOPS_SMTP_URL too", "no way to send it"),
    ({"smtp_url": "mail.example.com"}, "must begin with smtp:// or smtps://", "no scheme"),
    ({"warn_webhook": "ftp://x"}, "must begin with http:// or https://", "nothing we can call"),
    ({"dead_man_url": "example.com"}, "must begin with http:// or https://", "no scheme"),
    ({"trusted_proxies": "10.0.0.1/8"}, "has host bits set", "an address in place of its network"),
]


@pytest.mark.parametrize(("variables", "said", "why"), FAULTS)
def test_a_fault_says_what_to_do(variables: dict[str, str], said: str, why: str) -> None:
    faults = _faults(**variables)
    assert len(faults) == 1 and said in faults[0], why
    assert faults[0].startswith("AIOPS_")


def test_production_with_https_is_fine() -> None:
    found = load(HOME | {"AIOPS_PROFILE": "production", "AIOPS_PUBLIC_URL": "https://ops.example.com"}, root=False)
    assert found.tls and found.origins == ("https://ops.example.com",), "the loopback twins are for laptops"


# the public address, its origin, why
ORIGINS = [
    ("https://ops.example.com", "https://ops.example.com", "as it is"),
    ("https://ops.example.com/", "https://ops.example.com", "an origin has no path"),
    ("https://Ops.Example.COM:443", "https://ops.example.com", "browsers write it small and leave the usual port out"),
    ("http://ops.example.com:80", "http://ops.example.com", "the same without TLS"),
    ("https://ops.example.com:8443", "https://ops.example.com:8443", "another port stays"),
    ("HTTPS://ops.example.com", "https://ops.example.com", "the scheme is small too"),
]


@pytest.mark.parametrize(("address", "origin", "why"), ORIGINS)
def test_an_origin_is_what_browsers_say(address: str, origin: str, why: str) -> None:
    found = load(HOME | {"AIOPS_PUBLIC_URL": address}, root=False)
    assert found.origin == origin, why
    assert found.tls is origin.startswith("https")


def test_lists_are_separated_by_commas() -> None:
    given = {"AIOPS_ALLOWED_ORIGINS": " https://a.example , https://b.example,", "AIOPS_TRUSTED_PROXIES": "10.0.0.0/8,2001:db8::/32"}
    found = load(HOME | given, root=False)
    assert found.origins[2:] == ("https://a.example", "https://b.example")
    assert [str(network) for network in found.trusted_proxies] == ["10.0.0.0/8", "2001:db8::/32"]


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert load(HOME | {"AIOPS_PORT": "", "AIOPS_DATABASE_URL": ""}, root=False) == load(HOME, root=False)


def test_variables_of_others_are_none_of_ours() -> None:
    assert load(HOME | {"PORT": "80", "AIOPSX": "1", "aiops_port": "9"}, root=False).port == 3000


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "db"
    file.write_text("postgresql://app:secret@db/aiops\n")
    found = load(HOME | {"AIOPS_DATABASE_URL_FILE": str(file)}, root=False)
    assert found.database_url is not None
    assert found.database_url.get_secret_value() == "postgresql://app:secret@db/aiops"


def test_a_variable_and_its_file_are_not_both_set(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    (fault,) = _faults(metrics_token="y", metrics_token_file=str(tmp_path / "token"))
    assert fault == "AIOPS_METRICS_TOKEN_FILE: AIOPS_METRICS_TOKEN is set too; keep one of the two"


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "binary"):
        (fault,) = _faults(metrics_token_file=str(path))
        assert fault.startswith("AIOPS_METRICS_TOKEN_FILE: cannot read") and "check the path" in fault


def test_who_puts_the_secret_in_place_of_its_file_does_not_read_it_in_the_log() -> None:
    (fault,) = _faults(database_url_file="postgresql://app:hunter2@db/aiops")
    assert "hunter2" not in fault


SECRETS = {
    "AIOPS_DATABASE_URL": "postgresql://app:hunter2@db/aiops",
    "AIOPS_DATABASE_OWNER_URL": "postgresql://owner:hunter2@db/aiops",
    "AIOPS_METRICS_TOKEN": "hunter2",
    "AIOPS_WARN_WEBHOOK": "https://chat.example.com/hunter2",
    "AIOPS_SMTP_URL": "smtp://me:hunter2@mail",
    "AIOPS_DEAD_MAN_URL": "https://ping.example.com/hunter2",
}


def test_secrets_show_nowhere_but_where_they_are_asked_for() -> None:
    found = load(HOME | SECRETS, root=False)
    for shown in (str(found), repr(found), found.model_dump_json(), str(found.model_dump())):
        assert "hunter2" not in shown
    assert found.metrics_token is not None and found.metrics_token.get_secret_value() == "hunter2"


def test_secrets_do_not_show_in_faults() -> None:
    wrong = {name: f"gopher://{value}" for name, value in SECRETS.items() if name != "AIOPS_METRICS_TOKEN"}
    with pytest.raises(Misconfigured) as caught:
        load(HOME | wrong, root=False)
    assert len(caught.value.faults) == 5
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_every_secret_is_kept_as_one() -> None:
    named = [n for n in Settings.model_fields if re.search(r"token$|webhook|_url$|password|secret", n) and n != "public_url"]
    assert [n for n in named if "SecretStr" not in str(Settings.model_fields[n].annotation)] == []


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(HOME, root=False).port = 80  # type: ignore[misc]


def test_the_reference_lists_every_setting_and_what_it_is_for() -> None:
    lines = {line.split("`")[1]: line for line in reference().splitlines()[2:]}
    assert set(lines) == {f"AIOPS_{name.upper()}" for name in Settings.model_fields}
    assert all(len(line.split("|")[3].strip()) > 10 for line in lines.values())
    assert "also `_FILE`" in lines["AIOPS_DATABASE_URL"] and "also `_FILE`" not in lines["AIOPS_PORT"]
    assert "`3000`" in lines["AIOPS_PORT"] and "None" not in reference()


def test_an_address_for_others_wants_to_be_named(tmp_path: Path) -> None:
    """Pages of another origin than the named one are refused, so that without it nobody could sign in."""
    with pytest.raises(Misconfigured, match="AIOPS_PUBLIC_URL: set the address people type"):
        load({"AIOPS_HOST": "0.0.0.0", "AIOPS_DATA_DIR": str(tmp_path)})
    assert load({"AIOPS_HOST": "0.0.0.0", "AIOPS_PUBLIC_URL": "http://ops.internal:3000"}).host == "0.0.0.0"
