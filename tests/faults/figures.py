"""From the raw log of a run to what its line in the table says."""

import dataclasses


HEADINGS = (
    "queries", "right", "wrong", "SERVFAIL", "other", "lost", "p50", "p99", "max", "told", "outage", "back", "asked",
)
SERVFAIL = 2


@dataclasses.dataclass
class Figures:
    queries: int
    right: int
    wrong: int  # NOERROR with other data than the name's
    servfail: int
    other: int  # other rcodes
    lost: int
    p50: float  # of right answers, like p99 and max; seconds
    p99: float
    max: float
    told: float  # median wait for an answer that says that there is none: SERVFAIL or another rcode
    outage: float  # the longest time without a right answer
    back: float  # from the end of the fault to the next right answer; None: there was none, or no such fault
    asked: float  # queries that upstreams saw, for each of the client's
    heal: bool = False

    def cells(self):
        back = "-" if not self.heal else "never" if self.back is None else seconds(self.back)
        return [
            str(self.queries), str(self.right), str(self.wrong), str(self.servfail), str(self.other), str(self.lost),
            *(seconds(value) for value in (self.p50, self.p99, self.max, self.told, self.outage)), back, f"{self.asked:.2f}",
        ]


def seconds(value):
    """As a reader takes it in: 23 ms, 1.24 s."""
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:.2f} s"


def quantile(values, share):
    """The value that so large a share of the sorted values does not exceed."""
    return values[max(0, -int(-share * len(values) // 1) - 1)] if values else None


def longest_gap(moments, begin, end):
    points = [begin, *sorted(moment for moment in moments if begin <= moment <= end), end]
    return max(late - early for early, late in zip(points, points[1:]))


def figures(asked, seen_upstream, seconds_of_row, heal=None):
    """Of a run: its queries in order, how many queries for its names upstreams saw, how long it was asked."""
    right = [one for one in asked if one.right]
    waits = sorted(one.answered - one.sent for one in right)
    told = sorted(one.answered - one.sent for one in asked if one.rcode)
    came = [one.answered for one in right]
    others = [one for one in asked if one.answered is not None and not one.right]
    after = [moment - heal for moment in came if heal is not None and moment >= heal]
    return Figures(
        queries=len(asked), right=len(right),
        wrong=sum(one.rcode == 0 for one in others), servfail=sum(one.rcode == SERVFAIL for one in others),
        other=sum(one.rcode not in (0, SERVFAIL) for one in others),
        lost=sum(one.answered is None for one in asked),
        p50=quantile(waits, 0.5), p99=quantile(waits, 0.99), max=waits[-1] if waits else None,
        told=quantile(told, 0.5), outage=longest_gap(came, 0.0, seconds_of_row), back=min(after, default=None),
        asked=seen_upstream / len(asked), heal=heal is not None,
    )
