"""What the real host makes of schedules: Microsoft.Azure.WebJobs.Extensions 3.0.6, when asked for
the next time on Sunday 2026-11-29 at 04:00 UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ASKED = datetime(2026, 11, 29, 4, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIVE_PAST = ASKED + 5 * MINUTE

KEPT = {
    "0 */5 * * * *": FIVE_PAST,
    "*/5 * * * *": FIVE_PAST,
    "0  */5 * * *   *": FIVE_PAST,
    "00:05:00": FIVE_PAST,
    "0:5:0": FIVE_PAST,
    "00:05": FIVE_PAST,
    "1.00:00:00": ASKED + DAY,
    "25:00:00:00": ASKED + 25 * DAY,
    "0 0 3 1 * 1": datetime(2027, 2, 1, 3, tzinfo=UTC),
    "0 0 3 * * sunday": datetime(2026, 12, 6, 3, tzinfo=UTC),
    "0 0 3 * * MON-FRI": datetime(2026, 11, 30, 3, tzinfo=UTC),
    "0 0 3 1 JAN,jun *": datetime(2027, 1, 1, 3, tzinfo=UTC),
    "0 0/15 * * * *": ASKED + 15 * MINUTE,
    "0 5/15 * * * *": FIVE_PAST,
    "0 */60 * * * *": ASKED + 60 * MINUTE,
    "0 0 */24 * * *": ASKED + 20 * 60 * MINUTE,
    "0 0 3 29 2 *": datetime(2028, 2, 29, 3, tzinfo=UTC),
    "0 0 3 31 2,12 *": datetime(2026, 12, 31, 3, tzinfo=UTC),
}
# Read by the host as nobody can mean it.
UNMEANT: dict[str, datetime | None] = {
    "24:00:00": ASKED + 24 * DAY,
    "25:00:00": ASKED + 25 * DAY,
    "5": ASKED + 5 * DAY,
    "00:00:00": ASKED,
    "-00:05:00": ASKED - 5 * MINUTE,
    "0 0 22-2 * * *": ASKED + 60 * MINUTE,
    "0 0 3 * * 5-1": datetime(2026, 11, 30, 3, tzinfo=UTC),
    "0 */90 * * * *": ASKED + 60 * MINUTE,
    "0 0 3 31 2 *": None,
    "0 0 3 30-31 feb *": None,
}
REFUSED = (
    *("0 0 3 * * 7", "0 0 3 ? * *", "0 0 3 L * *", "0 0 3 * * 5#2", "0 R * * * *", "@hourly"),
    *("0 60 * * * *", "0 0 24 * * *", "60 * * * * *", "0 0 3 0 * *", "0 0 3 32 * *"),
    *("0 0 3 * 13 *", "0 0 3 * 0 *", "* * * *", "0 0 * * * * *", "every hour", "hourly", "0 0"),
    *("0 5- * * * *", "0 5,, * * * *", "0 ,5 * * * *", "0 */ * * * *", "0 /5 * * * *", "00:60"),
    *("0 *-5 * * * *", "0 1-2-3 * * * *", "0 1/2/3 * * * *", "0 mon * * * *", "0 5x * * * *"),
    *("0 0 3 * * sundays", "0\t*\t*\t*\t*\t*", "1:2:3:4:5", "5m", "PT5M", "0 0 3 * * -1"),
)
