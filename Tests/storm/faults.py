"""Dormouse under the storm while system calls of its daemon fail: strace(1) makes every third call of one kind return an error.

Meanwhile the guest is frozen, stopped and woken. Afterwards the same daemon must serve again by itself, and no client may have lost a
connection: a listener that was closed would refuse it, and a state without a way out would be stuck. In other edges the guest or the
daemon also ends meanwhile, by itself or killed: then the storm may lose what it may lose without the fault, and no more.
"""

import contextlib
import random
import signal
import subprocess
import time

from subjects import Dormouse, Stuck

# The system calls of the daemon during a wake, a freeze and a stop, with errors that they can return when a resource is exhausted.
# epoll_ctl(2) is not among them: the kernel never fails to remove a descriptor, sd-event cannot handle that, and strace cannot exempt
# these calls (InjectionFaultTests can).
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
    # A daemon may end at an error; the next one starts its counters at zero.
    is_counted = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.title = self.title.replace("Dormouse", "with faults")

    def edges(self):
        """Each fault twice: while the daemon freezes and stops its guest, and at one of four ends, chosen at random."""
        # As without faults, except that connections which the guest had accepted may be lost.
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
        """Lets the guest fall asleep without clients, which resets the pauses that failed starts have caused."""
        super().settle()
        self.board.set("lull", 1000)
        self.until("the guest sleeps", lambda: self.status().get("state") in (None, "inactive"))
        self.board.set("lull", 0)
        super().settle()

    @contextlib.contextmanager
    def fault(self, call, error):
        """Makes every third call of a kind fail in the current daemon."""
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
        """The guest ends by itself. The fault lasts until the next instance was started, or its start failed."""
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
        """The daemon is killed, and calls of the next one fail while it looks for orphans."""
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
