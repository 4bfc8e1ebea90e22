"""How notices ended, by channel, over all that are kept."""

from collections import Counter

from sqlalchemy import Connection, func, select

from perilune.store.alert_tables import deliveries

_ENDED = ("sent", "failed")


def delivery_totals(connection: Connection) -> Counter[tuple[str, str]]:
    """Counts by channel and outcome; what is still on its way is not counted."""
    asked = (
        select(deliveries.c.channel, deliveries.c.state, func.count())
        .where(deliveries.c.state.in_(_ENDED))
        .group_by(deliveries.c.channel, deliveries.c.state)
    )
    return Counter({(channel, state): count for channel, state, count in connection.execute(asked)})
