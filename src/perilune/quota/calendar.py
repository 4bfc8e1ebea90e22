"""Calendar months: the window that renews on a day of the month instead of after a span."""

from calendar import monthrange
from datetime import datetime, timedelta

_LONGEST_MONTH = timedelta(days=31)


def month_before(reset: datetime) -> datetime:
    """One calendar month earlier, the same day where the month has it, else its last."""
    year, month = (reset.year, reset.month - 1) if reset.month > 1 else (reset.year - 1, 12)
    return reset.replace(year=year, month=month, day=min(reset.day, monthrange(year, month)[1]))


def month_span_s(reset: datetime | None, now: datetime) -> int | None:
    """Seconds of the calendar month that ends at `reset`; None where it is not known to be the running one."""
    if reset is None or reset - now > _LONGEST_MONTH:
        return None
    return int((reset - month_before(reset)).total_seconds())
