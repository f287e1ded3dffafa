"""Is our hash of labels the one of Alertmanager?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.integrations.sources.fingerprint import fingerprint

pytestmark = pytest.mark.fast
words = st.text().map(lambda said: said.replace("\0", ""))


def test_it_is_what_a_real_alertmanager_sent_for_these_labels() -> None:
    labels = {"alertname": "NodeExporterDown", "cluster": "loopback", "instance": "127.0.0.1:19100", "job": "node", "severity": "warning"}
    assert fingerprint(labels) == "5e74b215401374e3"


@given(st.dictionaries(words.filter(bool), words))
def test_the_order_of_labels_and_empty_ones_change_nothing(labels: dict[str, str]) -> None:
    assert fingerprint(dict(reversed(labels.items()))) == fingerprint(labels)
    assert fingerprint({name: value for name, value in labels.items() if value}) == fingerprint(labels)


def test_a_name_and_its_value_are_kept_apart() -> None:
    assert len({fingerprint(labels) for labels in ({"a": "bc"}, {"ab": "c"}, {"a": "b", "c": "d"}, {"a": "bcd"})}) == 4


def test_a_very_long_label_is_hashed_too() -> None:
    assert fingerprint({"a": "x" * 100_000}) != fingerprint({"a": "x" * 100_001})
