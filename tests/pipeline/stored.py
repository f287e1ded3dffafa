"""What tests of the pipeline look at: the rows that came of deliveries, whoever may see them."""

from datetime import datetime
from typing import Any

from tests.testkit.clock import moment
from tests.testkit.deliveries import Deliveries


class Line(Deliveries):
    """The way of deliveries in one organization, from a moment on, down to the rows."""

    begins: datetime

    def __init__(self, database: Any, company: Any) -> None:
        super().__init__(database, company, moment())

    def alert_rows(self) -> list[Any]:
        """Live alerts by title."""
        return self.rows("SELECT * FROM alert ORDER BY title, first_seen_at")

    def incident_rows(self) -> list[Any]:
        """Incidents by number."""
        return self.rows("SELECT * FROM incident ORDER BY number")

    def alert_row(self) -> Any:
        """The one alert."""
        (found,) = self.alert_rows()
        return found

    def incident_row(self) -> Any:
        """The one incident."""
        (found,) = self.incident_rows()
        return found

    def told(self, table: str = "incident_entry") -> list[str]:
        """The kinds of lines of a history, in their order."""
        return [row.kind for row in self.rows(f"SELECT kind FROM {table} ORDER BY id")]
