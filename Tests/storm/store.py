"""The descriptor store of a service manager, as in sd_notify(3): descriptors that a process stores are passed to the next one."""

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
        # recvmsg() returns nothing when the socket is shut down.
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
                # The number must not collide with the numbers that the descriptors get in the daemon.
                self.kept.append((name, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 200)))
            os.close(descriptor)

    def passed(self):
        """The descriptors for the next process: [(name, descriptor)]."""
        with self.changing:
            return list(self.kept)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        for _, kept in self.passed():
            os.close(kept)
