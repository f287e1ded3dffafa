"""What is a heartbeat?"""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from engine.integrations.sources.heartbeat import Settings
from tests.integrations.posting import heard

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("body", [b"", b"{}", b"done\0\xff", b'{"status":"failed"}'])
def test_any_post_is_a_sign_of_life(body: bytes) -> None:
    found = heard("heartbeat", body)
    assert (found.beat, found.firing, found.title) == (True, True, "Heartbeat")


def test_it_is_missed_after_its_interval_and_the_grace() -> None:
    assert Settings().beat_wait() == timedelta(minutes=6)
    assert Settings(every_minutes=1440, grace_minutes=60).beat_wait() == timedelta(hours=25)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(every_minutes=0)
