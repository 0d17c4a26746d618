"""Compares the counters of the daemon at an edge with those of the clients."""

import time

import board as boards

SUMS = ["handedOver", "parked", "unparked", "undrained", "accepted", "unanswered", "connectionsRefused", "freezes", "stops", "crashes"]
# When the counters are read, each client may have one connection in progress, and a datagram may be in flight.
UNDER_WAY = 16
PATIENCE = 2


class Ledger:
    def __init__(self, subject, board):
        self.subject, self.board, self.entries = subject, board, {}
        # At the start of this daemon. It learns of the end of a connection with a delay, so its total is compared with all connections
        # during its lifetime.
        self.tried_at_first = 0

    def tried(self):
        return sum(counts[outcome] for edge in range(boards.EDGES) for counts in self.board.counts(edge).values()
                   for outcome in boards.ENDS)

    def cut_off(self, edge):
        """The number of TCP connections that ended before their clients received a byte."""
        counts = self.board.counts(edge)
        return sum(counts[family][outcome] for family in ("IPv4", "IPv6") for outcome in ("reset", "empty"))

    def read(self):
        counters = self.subject.status().get("counters", {})
        sums = {name: counters.get(name, 0) for name in SUMS}
        return sums | {"lost": sum(lost["count"] for lost in counters.get("lost", []))}

    def found(self):
        """The increase of the counters since the edge was opened."""
        return {name: now - self.before[name] for name, now in self.read().items()}

    def missing(self, edge, found):
        """The number of cut off connections of which the daemon does not know."""
        cut_off = self.cut_off(edge) - self.cut_off_before
        # The first byte of one connection may have been in flight when the service ended.
        return cut_off - (found["unanswered"] + found["undrained"] + 1)

    def open(self, edge):
        self.before, self.tried_before, self.cut_off_before = self.read(), self.tried(), self.cut_off(edge)

    def close(self, edge, rule, ends_daemon):
        """Records the counters of the edge, and contradictions in them."""
        # A new daemon starts at zero.
        if ends_daemon:
            self.before, self.tried_at_first = {name: 0 for name in self.before}, self.tried_before
        # A guest or daemon that has just ended is replaced first.
        self.subject.settle()
        found = self.found()
        # The kernel reports the end of a connection with a short delay.
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
                yield f"the daemon counts {found[name]} connections as {name}, but there were only {most}"
        ever = self.tried() - self.tried_at_first + UNDER_WAY
        accepted = self.before["accepted"] + found["accepted"]
        if accepted > ever:
            yield f"the daemon counts {accepted} accepted connections, but there were only {ever} during its lifetime"
        if found["parked"] > found["handedOver"] + UNDER_WAY:
            yield f"{found['parked']} connections were parked, but only {found['handedOver']} were handed over"
        if found["stops"] and not found["handedOver"]:
            yield f"a guest was woken without a connection: {found}"
        if rule == "none" and found["lost"] + found["undrained"]:
            yield f"the daemon counts {found['lost']} connections as lost and {found['undrained']} as undrained"
        if rule == "counted" and self.missing(edge, found) > 0:
            yield f"the daemon does not know of {self.missing(edge, found)} connections that were cut off"


class NoLedger:
    """The ledger of a subject without counters."""

    entries = {}

    def open(self, *_):
        pass

    def close(self, *_):
        pass
