"""What tests of the pages' memory share."""

import pytest

from tests.state.loops import Page


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page of a viewer of the organization, with no database behind it."""
    return Page(monkeypatch)
