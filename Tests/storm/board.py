"""The counters of the clients, as the driver sees them: struct board of storm-client.c."""

import mmap
import struct

EDGES, FAMILIES = 128, ["IPv4", "IPv6", "AF_UNIX", "UDP"]
# In the order of enum outcome; "slow" ones are counted as good too.
OUTCOMES = ["good", "refused", "reset", "empty", "short", "wrong", "hung", "failed", "slow"]
ENDS = OUTCOMES[:-1]
HEADER = struct.Struct("4I")
COUNT = struct.Struct("Q")


class Board:
    def __init__(self, path):
        self.path = path
        size = HEADER.size + EDGES * len(FAMILIES) * len(OUTCOMES) * COUNT.size
        with open(path, "w+b") as file:
            file.truncate(size)
            self.memory = mmap.mmap(file.fileno(), size)

    def set(self, word, value):
        struct.pack_into("I", self.memory, {"edge": 0, "lull": 4, "over": 8}[word], value)

    def count(self, edge, family, outcome):
        index = (edge * len(FAMILIES) + family) * len(OUTCOMES) + OUTCOMES.index(outcome)
        return COUNT.unpack_from(self.memory, HEADER.size + index * COUNT.size)[0]

    def counts(self, edge):
        """The counts of an edge: {family: {outcome: count}}."""
        return {
            name: {outcome: self.count(edge, family, outcome) for outcome in OUTCOMES}
            for family, name in enumerate(FAMILIES)
        }

    def good(self, edge):
        """The number of good connections of each family."""
        return [self.count(edge, family, "good") for family in range(len(FAMILIES))]
