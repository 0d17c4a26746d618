"""Dormouse under the storm while the kernel refuses its daemon things: each third call of one kind fails, as strace(1) lets it.

The guest is frozen, stopped and woken meanwhile. Afterwards the same daemon has to serve, by itself, and nobody may have lost a
connection: a listener that was given up would refuse, a state without a way out would be stuck. Or the guest or the daemon ends
meanwhile, by itself or killed: then what may be lost without a fault may be lost, and no more.
"""

import contextlib
import random
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
        """Each fault twice: while the daemon freezes and stops its guest, and at one of four ends, by chance."""
        # As without faults, but that one may be lost which the guest had accepted.
        restarted, killed = ("accepted" if kept else "any" for kept in (self.stored, self.passed or self.stored))
        ends = [
            ("power-off", self.end_guest(self.power_off), "any"), ("kill -9, process 1", self.end_guest(self.kill_guest), "accepted"),
            ("restart, daemon", self.end_under_fault(signal.SIGTERM), restarted),
            ("kill -9, daemon", self.begin_under_fault, killed),
        ]
        edges = []
        for call, error in FAULTS:
            end, force, rule = random.choice(ends)
            edges += [(f"{call}: {error}", lambda call=call, error=error: self.force(call, error), "late", 1),
                      (f"{call}: {error}; {end}", lambda call=call, error=error, force=force: force(call, error), rule, 1)]
        return edges

    def settle(self):
        """What failed at an edge is forgotten once the guest went to sleep for want of clients: the pauses begin anew."""
        super().settle()
        self.board.set("lull", 1000)
        self.until("the guest sleeps", lambda: self.status().get("state") in (None, "inactive"))
        self.board.set("lull", 0)
        super().settle()

    @contextlib.contextmanager
    def fault(self, call, error):
        """Each third call of the kind fails in the daemon that there is now."""
        injected = f"inject={call}:error={error}:when=2+3"
        strace = subprocess.Popen(
            ["strace", "-o", f"{self.directory}/strace", "-e", f"trace={call}", "-e", injected, "-p", str(self.daemon.process.pid)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        strace.stderr.readline()
        try:
            yield
        finally:
            strace.send_signal(signal.SIGINT)
            strace.communicate()

    def force(self, call, error):
        process = self.daemon.process
        with self.fault(call, error):
            for act in (("freeze", "--now"), ("sleep", "--now"), ("freeze",), ("sleep",), ("sleep", "--now")):
                try:
                    subprocess.run([*self.cli, act[0], "storm", *act[1:], "--runtime", f"{self.directory}/runtime"],
                                   capture_output=True, timeout=3)
                except subprocess.TimeoutExpired:
                    pass
                time.sleep(0.1)
        self.expect_alive(process, call, error)

    def end_guest(self, end):
        """The guest ends by itself, and the next one has begun or failed to when the fault is over."""
        def force(call, error):
            process, pid = self.daemon.process, self.running()
            with self.fault(call, error):
                end()
                self.until_or(2, lambda: self.status().get("pid") not in (None, pid))
            self.expect_alive(process, call, error)
        return force

    def end_under_fault(self, number):
        def force(call, error):
            with self.fault(call, error):
                self.daemon.end_process(number)
            self.until("the next daemon is up", lambda: self.ask("List") is not None)
        return force

    def begin_under_fault(self, call, error):
        """The daemon is killed, and the next one is refused things while it looks for what that one left."""
        killed = self.daemon.process
        self.daemon.end_process(signal.SIGKILL)
        self.until("there is another daemon", lambda: self.daemon.process is not killed)
        with self.fault(call, error):
            self.until_or(2, lambda: self.status().get("state") == "active")
        self.until("the next daemon is up", lambda: self.ask("List") is not None)

    def until_or(self, seconds, condition):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            time.sleep(0.02)

    def expect_alive(self, process, call, error):
        if not self.passed and process.poll() is not None:
            raise Stuck(f"{self.title}: {call}: {error} ended the daemon\n{self.account()}")
