"""A bucket that `intake.watch` looks at, and what it told a real server."""

from datetime import timedelta
from decimal import Decimal

from escriba.billing.attempt_times import AttemptTimes
from escriba.settings import load_settings
from intake.watch import Watch
from resources.spending.reservations import Reservation, Spending
from resources.storage import open_storage
from resources.storage.clock import utc_now


class House:
    """A bucket that somebody looks at, minute by minute."""

    def __init__(self, tmp_path, ear, **changes):
        usual = {
            "storage_url": (tmp_path / "bucket").as_uri(),
            "alert_channels": f"ops={ear.url}/ops",
        }
        self.settings = load_settings(**usual | changes)
        self.storage = open_storage(self.settings)
        self.start, self.watch = utc_now(), Watch()

    def look(self, minute, waiting=0):
        now = self.start + timedelta(minutes=minute)
        return self.watch.look(self.settings, self.storage, waiting, now)

    def over(self, minutes, **named):
        for minute in minutes:
            self.look(minute, **named)

    def opens(self, number, *, claimed=False):
        job = f"{number:064x}"
        one = Reservation("acme", job, 1, "00", Decimal("0.01"), "runpod")
        Spending(self.storage).reserve(one)
        if claimed:
            self.storage.write(f"work/acme/jobs/{job}/claim-1.json", b"{}")
        return one

    def spends(self, usd, number=1):
        now = utc_now()
        times = AttemptTimes(
            "acme", "runpod", "l4", "done", now, now, now, timedelta(0), Decimal(usd)
        )
        one = Reservation("acme", f"{number:064x}", 1, "00", Decimal(usd), "runpod")
        Spending(self.storage).settle(one, times, now)


def told(ear):
    """The titles, without the common word."""
    return [title.removeprefix("Escriba: ") for title, _ in ear.messages]
