"""Can what an operator pastes be used as it is: with the address, with the secret, and in the sender's own syntax?"""

import json
import re
import shlex
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from engine.integrations.sources import KINDS
from state.pasting import SECRET, Paste, lines

pytestmark = pytest.mark.fast

IDS = [kind.id for kind in KINDS]
FRESH = "aio_abc123_Zx-9_yQ"
# What such a sender has no place for the source's own address: PagerDuty's events name their source by the routing key.
BY_KEY = {"pagerduty"}


def address(kind: str, base: str = "https://aiops.example.com:8443") -> str:
    """Where a source of a kind is posted to."""
    return f"{base}/webhook/{kind}/src-1234"


def pasted(kind: str, secret: str = FRESH) -> list[Paste]:
    """What to paste for a source of a kind."""
    return lines(kind, address(kind), secret)


def documents() -> list[tuple[str, str, str]]:
    """Each kind that is set up by a file of YAML: the kind, the secret, the text."""
    return [
        (kind, secret, each.text)
        for kind in IDS
        for secret in (FRESH, "")
        for each in pasted(kind, secret)
        if "yml" in each.where or "yaml" in each.where
    ]


def commands(secret: str = FRESH) -> list[tuple[str, str]]:
    """Each kind that can be tried from a shell, and the command."""
    return [(kind, each.text) for kind in IDS for each in pasted(kind, secret) if each.text.startswith("curl")]


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("secret", [FRESH, SECRET])
def test_every_kind_has_something_to_paste_with_the_secret_in_it(kind: str, secret: str) -> None:
    found = pasted(kind, secret)
    assert found and all(each.where and each.text == each.text.strip("\n") != "" for each in found)
    assert all(secret in each.text for each in found)


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("secret", [FRESH, ""])
def test_everything_to_paste_says_where_to_post(kind: str, secret: str) -> None:
    parts = urlsplit(address(kind))
    for each in pasted(kind, secret):
        assert parts.netloc in each.text and parts.scheme in each.text
        assert kind in BY_KEY or parts.path in each.text


@pytest.mark.parametrize("kind", IDS)
def test_a_source_that_is_known_by_its_address_has_no_secret_and_no_word_of_one(kind: str) -> None:
    for each in pasted(kind, ""):
        assert FRESH not in each.text and SECRET not in each.text
        assert not re.search(r"authorization|bearer|credentials", each.text, re.IGNORECASE)
        assert each.text.count("{") == each.text.count("}") and "None" not in each.text


@pytest.mark.parametrize(("kind", "secret", "text"), documents(), ids=[f"{kind}{' by address' * (not s)}" for kind, s, _ in documents()])
def test_yaml_is_yaml(kind: str, secret: str, text: str) -> None:
    said = yaml.safe_load(text)
    assert isinstance(said, dict) and said
    assert (secret in str(said)) is True


def yaml_of(kind: str, secret: str = FRESH) -> Any:
    """The file of a kind, read."""
    (text,) = [text for known, with_secret, text in documents() if (known, with_secret) == (kind, secret)]
    return yaml.safe_load(text)


def test_alertmanager_is_told_its_receiver_and_to_send_what_is_over() -> None:
    said = yaml_of("alertmanager")
    (receiver,) = said["receivers"]
    (hook,) = receiver["webhook_configs"]
    assert (receiver["name"], said["route"]["receiver"]) == ("aiops", "aiops")
    assert (hook["url"], hook["send_resolved"]) == (address("alertmanager"), True)
    assert hook["http_config"]["authorization"] == {"type": "Bearer", "credentials": FRESH}
    assert "http_config" not in yaml_of("alertmanager", "")["receivers"][0]["webhook_configs"][0]


def test_prometheus_is_told_host_path_and_scheme_apart() -> None:
    (manager,) = yaml_of("prometheus")["alerting"]["alertmanagers"]
    assert (manager["scheme"], manager["path_prefix"]) == ("https", "/webhook/prometheus/src-1234")
    assert manager["static_configs"] == [{"targets": ["aiops.example.com:8443"]}]
    assert manager["authorization"]["credentials"] == FRESH
    assert "authorization" not in yaml_of("prometheus", "")["alerting"]["alertmanagers"][0]


def test_grafana_is_told_a_contact_point() -> None:
    (point,) = yaml_of("grafana")["contactPoints"]
    (receiver,) = point["receivers"]
    assert (receiver["type"], receiver["settings"]["url"]) == ("webhook", address("grafana"))
    assert receiver["settings"]["authorization_credentials"] == FRESH
    assert set(yaml_of("grafana", "")["contactPoints"][0]["receivers"][0]["settings"]) == {"url"}


@pytest.mark.parametrize(("kind", "text"), commands() + commands(""))
def test_a_command_is_one_that_a_shell_and_the_kind_understand(kind: str, text: str) -> None:
    words = shlex.split(text.replace("\\\n", " "))
    body = words[words.index("-d") + 1]
    assert words[0] == "curl" and isinstance(json.loads(body), dict)
    url = next(word for word in words if word.startswith("https://"))
    assert urlsplit(url).netloc == urlsplit(address(kind)).netloc
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    accepted = KINDS[kind].accept(body.encode(), {name.lower(): value for name, value in headers.items()})
    assert accepted.alerts == 1


def test_a_secret_is_in_the_header_of_a_command() -> None:
    with_secret = dict(commands())
    assert {kind for kind, text in with_secret.items() if f"-H 'Authorization: Bearer {FRESH}'" in text} == set(with_secret) - BY_KEY


def test_a_heartbeat_posts_after_what_it_watches() -> None:
    (each,) = pasted("heartbeat")
    assert each.text.endswith(f"-X POST {address('heartbeat')}") and " && curl " in each.text


def test_an_unknown_kind_is_told_how_any_sender_posts() -> None:
    (each,) = lines("telegraph", address("telegraph"), FRESH)
    assert address("telegraph") in each.text and FRESH in each.text


def test_a_host_without_a_port_and_without_tls_is_kept_as_it_is() -> None:
    for kind in IDS:
        assert any(
            "http://aiops" in each.text or "scheme: http\n" in each.text for each in lines(kind, address(kind, "http://aiops"), FRESH)
        )
