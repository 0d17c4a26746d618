"""Dormouse under the storm while the kernel refuses its daemon things: each third call of one kind fails, as strace(1) lets it.

The guest is frozen, stopped and woken meanwhile. Afterwards the same daemon has to serve, by itself, and nobody may have lost a
connection: a listener that was given up would refuse, a state without a way out would be stuck.
"""

import signal
import subprocess
import time

from subjects import Dormouse, Stuck

# What the daemon calls on the way of a wake, a freeze and a stop, and what each may say when there is no more room for something. Not
# epoll_ctl(2): the kernel never refuses to forget a descriptor, sd-event has no answer to it, and strace cannot spare those calls
# (InjectionFaultTests tells them from the others).
FAULTS = [
    ("openat", "EMFILE"), ("openat", "ENOMEM"), ("socket", "ENFILE"), ("socket", "ENOBUFS"), ("fcntl", "EMFILE"), ("clone3", "EAGAIN"),
    ("clone3", "ENOMEM"), ("mkdir", "ENOSPC"), ("mkdir", "EAGAIN"), ("rename", "ENOSPC"), ("renameat2", "ENOSPC"), ("write", "ENOSPC"),
    ("pread64", "ENOMEM"), ("read", "ENOMEM"), ("timerfd_settime", "ENOMEM"), ("bpf", "ENOMEM"), ("bpf", "EPERM"),
    ("setsockopt", "ENOMEM"), ("getsockopt", "ENOBUFS"), ("getsockname", "ENOBUFS"), ("bind", "ENOMEM"), ("listen", "ENOBUFS"),
    ("sendto", "ENOBUFS"), ("sendmsg", "ENOBUFS"), ("recvfrom", "ENOMEM"), ("recvmsg", "ENOMEM"), ("poll", "ENOMEM"),
    ("readlink", "ENOMEM"), ("getdents64", "ENOMEM"), ("fstat", "ENOMEM"), ("newfstatat", "ENOMEM"), ("unlink", "EBUSY"),
    ("rmdir", "EBUSY"), ("pidfd_send_signal", "ENOMEM"), ("shutdown", "ENOBUFS"), ("chmod", "ENOSPC"), ("flock", "ENOLCK"),
]


class Faulty(Dormouse):
    # A daemon that is refused something may end, and count anew.
    is_counted = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.title = self.title.replace("Dormouse", "with faults")

    def edges(self):
        return [(f"{call}: {error}", lambda call=call, error=error: self.force(call, error), "late", 1) for call, error in FAULTS]

    def settle(self):
        """What failed at an edge is forgotten once the guest went to sleep for want of clients: the pauses begin anew."""
        super().settle()
        self.board.set("lull", 1000)
        self.until("the guest sleeps", lambda: self.status().get("state") in (None, "inactive"))
        self.board.set("lull", 0)
        super().settle()

    def force(self, call, error):
        process = self.daemon.process
        injected = f"inject={call}:error={error}:when=2+3"
        strace = subprocess.Popen(
            ["strace", "-o", f"{self.directory}/strace", "-e", f"trace={call}", "-e", injected, "-p", str(process.pid)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        strace.stderr.readline()
        for act in (("freeze", "--now"), ("sleep", "--now"), ("freeze",), ("sleep",), ("sleep", "--now")):
            try:
                subprocess.run([*self.cli, act[0], "storm", *act[1:], "--runtime", f"{self.directory}/runtime"],
                               capture_output=True, timeout=3)
            except subprocess.TimeoutExpired:
                pass
            time.sleep(0.1)
        strace.send_signal(signal.SIGINT)
        strace.communicate()
        if not self.passed and process.poll() is not None:
            raise Stuck(f"{self.title}: {call}: {error} ended the daemon\n{self.account()}")
