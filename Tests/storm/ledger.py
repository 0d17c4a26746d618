"""What the daemon's counters say of an edge, against what the clients counted at it."""

import board as boards

SUMS = ["handedOver", "parked", "givenBack", "leftBehind", "accepted", "unanswered", "connectionsRefused", "freezes", "stops", "crashes"]
# At the moment of a look each client may be in one connection, and a datagram may be under way.
UNDER_WAY = 16


class Ledger:
    def __init__(self, subject, board):
        self.subject, self.board, self.entries = subject, board, {}

    def tried(self):
        return sum(counts[outcome] for edge in range(boards.EDGES) for counts in self.board.counts(edge).values()
                   for outcome in boards.ENDS)

    def read(self):
        counters = self.subject.status().get("counters", {})
        sums = {name: counters.get(name, 0) for name in SUMS}
        return sums | {"lost": sum(lost["count"] for lost in counters.get("lost", []))}

    def open(self):
        self.before, self.tried_before = self.read(), self.tried()

    def close(self, edge, rule, ends_daemon):
        """Notes what came of the edge, and what of it cannot be true."""
        # A daemon begins at nothing.
        before = {name: 0 for name in self.before} if ends_daemon else self.before
        found = {name: now - before[name] for name, now in self.read().items()}
        entry = self.entries.setdefault(edge, {name: 0 for name in found} | {"doubts": []})
        for name, count in found.items():
            entry[name] += count
        most = self.tried() - self.tried_before + UNDER_WAY
        for name in ("handedOver", "parked", "givenBack", "leftBehind", "accepted", "lost"):
            if not 0 <= found[name] <= most:
                entry["doubts"].append(f"the daemon counts {found[name]} as {name}, of {most} that there were")
        if found["parked"] > found["handedOver"] + UNDER_WAY:
            entry["doubts"].append(f"{found['parked']} waited apart, {found['handedOver']} were handed over")
        if found["stops"] and not found["handedOver"]:
            entry["doubts"].append("a guest was woken by nobody")
        if rule == "none" and found["lost"] + found["leftBehind"]:
            entry["doubts"].append(f"the daemon counts {found['lost']} as lost and {found['leftBehind']} as left behind")


class NoLedger:
    """Of what counts nothing."""

    entries = {}

    def open(self):
        pass

    def close(self, *_):
        pass
