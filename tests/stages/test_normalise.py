"""What does an alert say in our words, and which alert is it?"""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from engine.model.heard import Heard, Link
from engine.model.vocabulary import IdentityBy, Severity
from engine.stages.normalise import label_token, normalise, searchable, severity_of, tokens_of
from engine.storage.database import Database
from tests.stages.hearing import NOON, known, policy

LABELS = {"alertname": "DiskFull", "instance": "db-1", "namespace": "shop", "pod": "db-0", "job": "node", "cluster": "eu"}


def heard(**more: Any) -> Heard:
    """A hearing without a key of the sender's."""
    return Heard(**({"title": "Disk full", "firing": True} | more))


def identity(settings: dict[str, Any] | None = None, **more: Any) -> bytes:
    """Which alert it is."""
    return normalise(heard(**more), policy(**settings or {})).identity


# Severity


@pytest.mark.fast
@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("critical", Severity.CRITICAL),
        ("CRIT", Severity.CRITICAL),
        ("Page", Severity.CRITICAL),
        ("p1", Severity.CRITICAL),
        ("disaster", Severity.CRITICAL),
        ("Error", Severity.ERROR),
        ("high", Severity.ERROR),
        ("average", Severity.ERROR),
        ("P2", Severity.ERROR),
        ("warn", Severity.WARNING),
        ("minor", Severity.WARNING),
        ("p3", Severity.WARNING),
        ("info", Severity.INFO),
        ("notice", Severity.INFO),
        ("none", Severity.INFO),
        ("ok", Severity.INFO),
        ("P4", Severity.INFO),
        ("purple", None),
        ("", None),
        (None, None),
    ],
)
def test_a_sender_s_word_has_its_usual_meaning_whatever_its_case(word: str | None, meant: Severity | None) -> None:
    assert severity_of(word, policy()) is meant


@pytest.mark.fast
def test_the_source_s_own_table_comes_before_the_usual_one() -> None:
    settings = policy(severities={"page": Severity.WARNING, "purple": Severity.ERROR})
    assert severity_of("PAGE", settings) is Severity.WARNING
    assert severity_of("Purple", settings) is Severity.ERROR
    assert severity_of("critical", settings) is Severity.CRITICAL


@pytest.mark.fast
@pytest.mark.parametrize(
    ("default", "said", "read_as"),
    [(Severity.ERROR, "purple", "error"), (None, "purple", "not stated")],
)
def test_an_unknown_word_is_the_source_s_default_and_is_kept_and_noted(default: Severity | None, said: str, read_as: str) -> None:
    found = normalise(heard(severity=said), policy(default_severity=default))
    assert (found.severity, found.severity_word) == (default, said)
    assert found.heard.notes == (f"The severity “{said}” is not one we know; read as {read_as}.",)


@pytest.mark.fast
def test_a_word_that_is_known_is_not_noted_even_if_it_means_the_default() -> None:
    assert normalise(heard(severity="high"), policy(default_severity=Severity.ERROR)).heard.notes == ()
    own = policy(default_severity=Severity.ERROR, severities={"purple": Severity.ERROR})
    assert normalise(heard(severity="Purple"), own).heard.notes == ()


@pytest.mark.fast
def test_no_word_is_no_severity_and_not_the_default() -> None:
    found = normalise(heard(), policy(default_severity=Severity.ERROR))
    assert (found.severity, found.severity_word, found.heard.notes) == (None, None, ())


# Identity


@pytest.mark.fast
@pytest.mark.parametrize(
    ("fields", "more", "by", "why"),
    [
        ((), {"key": "k"}, IdentityBy.SENDER, "the sender knows best"),
        (("pod",), {"key": "k"}, IdentityBy.FIELDS, "unless somebody chose fields for the source"),
        (("rack",), {"key": "k"}, IdentityBy.SENDER, "and fields that this alert lacks choose nothing"),
        (("rack",), {}, IdentityBy.LABELS, "then the usual ones decide"),
        ((), {}, IdentityBy.LABELS, "as they do without a key"),
    ],
)
def test_who_decides_which_alert_it_is(fields: tuple[str, ...], more: dict[str, Any], by: IdentityBy, why: str) -> None:
    assert normalise(heard(labels=LABELS, **more), policy(fingerprint_fields=fields)).identity_by is by, why


@pytest.mark.fast
def test_the_sender_s_key_is_shown_as_it_is_and_a_very_long_one_as_its_hash() -> None:
    assert known(heard(key="00aa11")).fingerprint == "00aa11"
    assert known(heard(key="x" * 200)).fingerprint == "x" * 200
    long = known(heard(key="x" * 201))
    assert len(long.fingerprint) == 32
    assert long.fingerprint != known(heard(key="x" * 202)).fingerprint


@pytest.mark.fast
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("alertname", {"labels": LABELS | {"alertname": "Other"}}),
        ("service", {"labels": LABELS, "service": "orders"}),
        ("environment", {"labels": LABELS, "environment": "prod"}),
        ("resource", {"labels": LABELS, "resource": "disk-1"}),
        *((name, {"labels": LABELS | {name: "other"}}) for name in ("instance", "namespace", "pod", "job", "cluster")),
    ],
)
def test_without_a_key_the_usual_fields_tell_alerts_apart(name: str, more: dict[str, Any]) -> None:
    assert identity(**more) != identity(labels=LABELS), name


@pytest.mark.fast
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"title": "Disk of db-1 is 93 % full"}, "the name of the rule counts, not its words of today"),
        ({"description": "another"}, "words change while it goes on"),
        ({"severity": "info"}, "and so does how bad it is"),
        ({"annotations": {"value": "93"}}, "and the value"),
        ({"labels": LABELS | {"shard": "7"}}, "a label that is not one of the usual is no identity"),
    ],
)
def test_what_may_change_while_it_goes_on_is_no_part_of_it(more: dict[str, Any], why: str) -> None:
    assert identity(**({"labels": LABELS} | more)) == identity(labels=LABELS), why


@pytest.mark.fast
def test_without_a_name_of_the_rule_the_title_is_it() -> None:
    assert identity(title="a") != identity(title="b")


@pytest.mark.fast
def test_the_usual_identity_never_changes_between_versions() -> None:
    found = known(heard(labels=LABELS, service="orders", environment="prod", resource="db-1:9100"))
    parts = ["DiskFull", "service=orders", "environment=prod", "resource=db-1:9100", "instance=db-1", "namespace=shop", "pod=db-0"]
    parts += ["job=node", "cluster=eu"]
    assert found.fingerprint == sha256("\0".join(parts).encode()).hexdigest()[:32]


@pytest.mark.fast
def test_chosen_fields_may_be_ours_or_labels_and_the_rest_does_not_count() -> None:
    chosen = {"fingerprint_fields": ("service", "pod")}
    assert identity(chosen, labels=LABELS, service="a", key="1") == identity(chosen, labels={"pod": "db-0"}, service="a", key="2")
    assert identity(chosen, labels=LABELS, service="a") != identity(chosen, labels=LABELS, service="b")


@pytest.mark.fast
def test_two_sources_never_share_an_alert_and_an_identity_group_does() -> None:
    one, two, pair = {"scope": b"one"}, {"scope": b"two"}, {"scope": b"pair"}
    assert identity(one, key="k") != identity(two, key="k")
    assert identity(pair, key="k") == identity(pair, key="k")


@pytest.mark.fast
def test_a_key_and_the_labels_that_hash_to_it_are_not_the_same_alert() -> None:
    by_labels = known(heard(labels=LABELS))
    assert known(heard(key=by_labels.fingerprint)).identity != by_labels.identity


# What is too long


@pytest.mark.fast
@pytest.mark.parametrize(
    ("more", "field", "length"),
    [
        ({"title": "x" * 501}, "title", 500),
        ({"description": "x" * 16_001}, "description", 16_000),
        ({"service": "x" * 301}, "service", 300),
        ({"environment": "x" * 301}, "environment", 300),
        ({"resource": "x" * 301}, "resource", 300),
        ({"team": "x" * 301}, "team", 300),
        ({"severity": "x" * 301}, "severity", 300),
        ({"acknowledged_by": "x" * 301}, "acknowledged_by", 300),
    ],
)
def test_text_that_nobody_would_read_is_cut_and_that_is_noted(more: dict[str, Any], field: str, length: int) -> None:
    found = known(heard(**more)).heard
    cut = getattr(found, field)
    assert (len(cut), cut[-1]) == (length, "…")
    assert f"Too long, and cut: {field}." in found.notes


@pytest.mark.fast
def test_labels_are_cut_in_number_name_and_value() -> None:
    found = known(heard(labels={f"l{n}": "v" for n in range(300)}, annotations={"a" * 300: "v" * 20_000})).heard
    assert len(found.labels) == 200
    assert {len(name): len(value) for name, value in found.annotations.items()} == {200: 16_000}
    assert found.notes == ("Too long, and cut: labels, annotations.",)
    assert len(known(heard(labels={"long": "v" * 5000})).heard.labels["long"]) == 4000


@pytest.mark.fast
def test_what_is_just_short_enough_stays_whole() -> None:
    said = heard(title="x" * 500, description="x" * 16_000, service="x" * 300, labels={"n" * 200: "v" * 4000})
    assert known(said).heard.notes == ()


@pytest.mark.fast
def test_content_is_what_is_told_and_nothing_else() -> None:
    plain = known(heard()).content
    assert plain == known(heard(key="other", starts_at=NOON, group="g")).content
    told: list[dict[str, Any]] = [
        {"title": "x"},
        {"description": "x"},
        {"annotations": {"a": "b"}},
        {"links": (Link("a", "https://b.test"),)},
    ]
    assert len({known(heard(**more)).content for more in told} | {plain}) == 5


# Words by which it is found


@pytest.mark.fast
def test_the_words_of_an_alert_are_lower_case_and_its_labels_are_pairs() -> None:
    found = searchable(known(heard(title="Disk FULL", labels={"host": "db-1"}, service="Orders"))).split()
    assert set(found) == {"'disk'", "'full'", "'db'", "'1'", "'orders'", "'host=db-1'", "'service=Orders'"}


@pytest.mark.fast
def test_searching_cuts_words_as_finding_does() -> None:
    assert tokens_of("Ärger mit db_1, 100 % voll") == ["ärger", "mit", "db_1", "100", "voll"]


@pytest.mark.fast
def test_the_pair_of_a_very_long_label_is_a_hash_that_tells_values_apart() -> None:
    assert label_token("host", "db-1") == "host=db-1"
    assert len(label_token("n" * 80, "v" * 80)) <= 100
    assert label_token("n", "v" * 200) != label_token("n", "v" * 201)


@pytest.mark.fast
@given(st.text(max_size=300), st.dictionaries(st.text(max_size=250), st.text(max_size=300), max_size=5))
def test_any_text_becomes_words_without_a_failure(title: str, labels: dict[str, str]) -> None:
    assert isinstance(searchable(known(heard(title=title or "x", labels=labels))), str)


@pytest.mark.parametrize(
    "said",
    [
        "it's",
        "back\\slash",
        "both '\\' of them",
        "ends with \\",
        "'",
        "''",
        "name:1A",
        "日本語 тест Ärger",
        "emoji 🔥",
        "tab\tand\nline",
        "%s %(org)s {}",
        "a" * 3000,
        "ﬀ ① İ",
    ],
)
def test_postgresql_reads_the_words_and_finds_the_label_by_its_pair(database: Database, said: str) -> None:
    words = searchable(known(heard(title=said, labels={"name": said, said[:100]: "value"})))
    with database.engine.connect() as db:
        found = db.execute(text("SELECT CAST(:words AS tsvector)"), {"words": words}).scalar_one()
        lexemes = db.execute(text("SELECT tsvector_to_array(CAST(:words AS tsvector))"), {"words": words}).scalar_one()
    assert found
    assert {label_token("name", said), label_token(said[:100], "value")} <= set(lexemes)
    assert {token[:100] for token in tokens_of(said)} <= set(lexemes)
