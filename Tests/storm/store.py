"""A service manager's store of descriptors, as sd_notify(3) describes it: what a process of the service puts there is passed to the next."""

import array
import fcntl
import os
import socket
import threading


class Store:
    def __init__(self, path):
        self.path, self.kept = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.changing = threading.Lock()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        # Until it is shut down.
        while True:
            bytes, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(256 * 4))
            if not bytes:
                return
            descriptors = array.array("i")
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(data)
            with self.changing:
                self.take(dict(line.split("=", 1) for line in bytes.decode().splitlines()), descriptors)

    def take(self, said, descriptors):
        name = said.get("FDNAME", "stored")
        if "FDSTOREREMOVE" in said:
            for kept in [kept for kept in self.kept if kept[0] == name]:
                self.kept.remove(kept)
                os.close(kept[1])
        for descriptor in descriptors:
            there = [os.fstat(kept) for _, kept in self.kept]
            if "FDSTORE" in said and not any(os.path.samestat(os.fstat(descriptor), other) for other in there):
                # Out of the way of the numbers that they have in the daemon.
                self.kept.append((name, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 200)))
            os.close(descriptor)

    def passed(self):
        """[(name, descriptor)] for the next process."""
        with self.changing:
            return list(self.kept)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        for _, kept in self.passed():
            os.close(kept)
