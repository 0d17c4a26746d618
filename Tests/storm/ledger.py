"""What the daemon's counters say of an edge, against what the clients counted at it."""

import time

import board as boards

SUMS = ["handedOver", "parked", "unparked", "undrained", "accepted", "unanswered", "connectionsRefused", "freezes", "stops", "crashes"]
# At the moment of a look each client may be in one connection, and a datagram may be under way.
UNDER_WAY = 16
PATIENCE = 2


class Ledger:
    def __init__(self, subject, board):
        self.subject, self.board, self.entries = subject, board, {}
        # When this daemon began: it hears of the end of a connection when it can, so its sum is held against all that there were in its time.
        self.tried_at_first = 0

    def tried(self):
        return sum(counts[outcome] for edge in range(boards.EDGES) for counts in self.board.counts(edge).values()
                   for outcome in boards.ENDS)

    def cut_off(self, edge):
        """Connections of TCP that ended before their clients had a byte."""
        counts = self.board.counts(edge)
        return sum(counts[family][outcome] for family in ("IPv4", "IPv6") for outcome in ("reset", "empty"))

    def read(self):
        counters = self.subject.status().get("counters", {})
        sums = {name: counters.get(name, 0) for name in SUMS}
        return sums | {"lost": sum(lost["count"] for lost in counters.get("lost", []))}

    def found(self):
        """What has come to the sums since the edge was opened."""
        return {name: now - self.before[name] for name, now in self.read().items()}

    def missing(self, edge, found):
        """Connections that were cut off and that the daemon does not know of."""
        cut_off = self.cut_off(edge) - self.cut_off_before
        # One may have had its first byte under way when the service ended.
        return cut_off - (found["unanswered"] + found["undrained"] + 1)

    def open(self, edge):
        self.before, self.tried_before, self.cut_off_before = self.read(), self.tried(), self.cut_off(edge)

    def close(self, edge, rule, ends_daemon):
        """Notes what came of the edge, and what of it cannot be true."""
        # A daemon begins at nothing.
        if ends_daemon:
            self.before, self.tried_at_first = {name: 0 for name in self.before}, self.tried_before
        # One that ended only now has its next.
        self.subject.settle()
        found = self.found()
        # The kernel tells of an end a moment after it.
        end = time.monotonic() + PATIENCE
        while rule == "counted" and self.missing(edge, found) > 0 and time.monotonic() < end:
            time.sleep(0.02)
            found = self.found()
        entry = self.entries.setdefault(edge, {name: 0 for name in found} | {"doubts": []})
        for name, count in found.items():
            entry[name] += count
        entry["doubts"] += self.doubts(edge, rule, found)

    def doubts(self, edge, rule, found):
        most = self.tried() - self.tried_before + UNDER_WAY
        for name in ("handedOver", "parked", "unparked", "undrained", "lost"):
            if not 0 <= found[name] <= most:
                yield f"the daemon counts {found[name]} as {name}, of {most} that there were"
        ever = self.tried() - self.tried_at_first + UNDER_WAY
        accepted = self.before["accepted"] + found["accepted"]
        if accepted > ever:
            yield f"the daemon counts {accepted} as accepted, of {ever} that there were in its time"
        if found["parked"] > found["handedOver"] + UNDER_WAY:
            yield f"{found['parked']} waited apart, {found['handedOver']} were handed over"
        if found["stops"] and not found["handedOver"]:
            yield f"a guest was woken by nobody: {found}"
        if rule == "none" and found["lost"] + found["undrained"]:
            yield f"the daemon counts {found['lost']} as lost and {found['undrained']} as left behind"
        if rule == "counted" and self.missing(edge, found) > 0:
            yield f"the daemon does not know of {self.missing(edge, found)} that were cut off"


class NoLedger:
    """Of what counts nothing."""

    entries = {}

    def open(self, *_):
        pass

    def close(self, *_):
        pass
