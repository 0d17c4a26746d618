"""Dormouse with one guest as a subject of the storm: how it is set up, and how each edge is forced."""

import fcntl
import json
import os
import random
import select
import signal
import socket
import subprocess
import threading
import time

import control
import world
from store import Store

GUESTS = os.environ.get("DORMOUSE_GUESTS", "/var/cache/dormouse/guests")
IDLE_STOP = 0.1


class Stuck(Exception):
    pass


def find_process(cgroup, name, place=""):
    """Finds the process `name` in a cgroup below `cgroup` whose path contains `place`; None when there is none."""
    for directory, _, files in os.walk(cgroup):
        if place not in directory or "cgroup.procs" not in files:
            continue
        try:
            with open(f"{directory}/cgroup.procs") as processes:
                for pid in processes.read().split():
                    with open(f"/proc/{pid}/comm") as comm:
                        if comm.read() == name + "\n":
                            return int(pid)
        except OSError:
            # The cgroup or the process ended meanwhile.
            pass
    return None


def end_process(pid, number, subject):
    """Sends a signal and waits for the end of the process, so that its effects count for this edge and not for the next."""
    process = os.pidfd_open(pid)
    signal.pidfd_send_signal(process, number)
    subject.until(f"process {pid} ends", lambda: select.select([process], [], [], 0)[0])
    os.close(process)


class Daemon:
    """dormoused, which is restarted whenever it ends, as by a service manager: with passed sockets if `passed`, and with the
    descriptors that it has stored if `stored`."""

    def __init__(self, programs, directory, config, passed, stored):
        self.program, self.directory, self.config = f"{programs}/dormoused", directory, config
        self.cgroup = world.Cgroup(f"dmt-{os.getpid()}-storm")
        self.log = open(f"{directory}/log", "ab")
        self.process, self.over, self.at_once = None, False, True
        self.sockets = self.open_sockets() if passed else []
        self.store = Store(f"{directory}/notify") if stored else None
        self.keeper = threading.Thread(target=self.keep, daemon=True)

    @staticmethod
    def open_sockets():
        sockets = []
        for family, address in [(socket.AF_INET, ("127.0.0.1", world.PORT4)), (socket.AF_INET6, ("::1", world.PORT6)),
                                (socket.AF_UNIX, world.PATH)]:
            sockets.append(socket.socket(family, socket.SOCK_STREAM))
            if family != socket.AF_UNIX:
                sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sockets[-1].bind(address)
            sockets[-1].listen(4096)
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind(("127.0.0.1", world.PORT_DATAGRAM))
        # The numbers must not collide with those that the descriptors get in the daemon.
        moved = [socket.socket(fileno=fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 20)) for one in sockets]
        for one in sockets:
            one.close()
        return moved

    def start(self):
        command = [self.program, "--config", self.config, "--runtime", f"{self.directory}/runtime"]
        environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
        passed = [("storm.socket", one.fileno()) for one in self.sockets]
        if self.sockets:
            command.append("storm")
        if self.store:
            environment["NOTIFY_SOCKET"] = self.store.path
            passed += self.store.passed()
        numbers = [number for _, number in passed]
        if numbers:
            environment.update(LISTEN_FDS=str(len(numbers)), LISTEN_FDNAMES=":".join(name for name, _ in passed))
            moves = " ".join(f"{3 + index}<&{number} {number}<&-" for index, number in enumerate(numbers))
            command = ["bash", "-c", f'exec {moves}; LISTEN_PID=$$ exec "$@"', "bash", *command]
        self.process = self.cgroup.start(command, stderr=self.log, env=environment, pass_fds=numbers)

    def keep(self):
        waiting = select.poll()
        for one in self.sockets:
            waiting.register(one, select.POLLIN)
        while not self.over:
            if self.process and self.process.poll() is None:
                try:
                    self.process.wait(0.05)
                except subprocess.TimeoutExpired:
                    pass
            elif self.at_once or not self.sockets or waiting.poll(50):
                self.at_once = False
                self.start()

    def end_process(self, number):
        self.log.write(f"storm: signal {number}\n".encode())
        self.log.flush()
        process, self.at_once = self.process, True
        process.send_signal(number)
        process.wait(60)

    def end(self):
        self.over = True
        self.keeper.join()
        self.process.terminate()
        self.process.wait(60)
        self.cgroup.remove()
        for one in self.sockets:
            one.close()
        if self.store:
            self.store.close()


class Dormouse:
    """Dormouse with one guest: `tiny` (a static process 1), `host` (systemd on this machine's /usr), or the name of a Debian image."""

    is_counted = True
    # Repeated failures of these kinds make the daemon pause before it starts the guest again.
    failures = ("kill -9, process 1", "power-off by itself")

    def __init__(self, guest, kind, programs, board, most_seconds):
        self.passed, self.stored = "passed" in kind, "store" in kind
        sockets = f"{'passed' if self.passed else 'own'} sockets{', store' if self.stored else ''}"
        self.title = f"Dormouse, {guest}, {sockets}"
        self.guest, self.programs, self.board = guest, programs, board
        self.directory = f"{world.PLACE}/{'-'.join([guest, *kind])}"
        self.cli = [f"{programs['bin']}/dormouse"]
        self.most_seconds = most_seconds
        self.addresses, self.silent, self.is_ours = world.ADDRESSES, (), True

    def __enter__(self):
        config = f"{self.directory}/config"
        os.makedirs(config)
        os.mkdir(f"{self.directory}/runtime")
        with open(f"{config}/storm.guest", "w") as file:
            file.write(self.guest_file())
        self.daemon = Daemon(self.programs["bin"], self.directory, config, self.passed, self.stored)
        self.daemon.keeper.start()
        # With passed sockets, clients can connect before the daemon runs, and it ends by itself without clients.
        if not self.passed:
            self.until("the daemon is up", lambda: self.ask("List") is not None)
        return self

    def __exit__(self, *_):
        self.daemon.end()
        if "STORM_LOGS" in os.environ:
            world.run("cp", f"{self.directory}/log", f"{os.environ['STORM_LOGS']}/{os.path.basename(self.directory)}")
        if os.path.exists(world.PATH):
            os.unlink(world.PATH)

    def guest_file(self):
        sockets = "[Socket]\n" + "\n".join(world.LISTEN)
        policy = f"[Guest]\nIdleStopSec={int(IDLE_STOP * 1000)}ms\n"
        if self.guest == "tiny":
            root = f"{self.directory}/root"
            for place in ("sbin", "proc", "sys", "dev", "run", "tmp", "etc"):
                os.makedirs(f"{root}/{place}")
            world.run("cp", f"{self.programs['storm']}/storm-guest", f"{root}/sbin/init")
            return f"[Exec]\nBoot=no\nNotifyReady=yes\nNonBlocking=yes\nParameters=/sbin/init\n{sockets}\n{policy}Directory={root}\n"
        units = world.write_units(f"{self.directory}/units", self.programs["storm"])
        files = f"BindReadOnly={units}:/etc/systemd/system"
        if self.guest == "host":
            return (f"[Exec]\nBoot=yes\n[Files]\nVolatile=yes\n{files}\n{sockets}\n"
                    f"{policy}Directory=/\n")
        return f"[Exec]\nBoot=yes\n[Files]\nVolatile=overlay\n{files}\n{sockets}\n{policy}Directory={GUESTS}/{self.guest}\n"

    # Queries

    def ask(self, method, **parameters):
        try:
            return control.call(f"{self.directory}/runtime/io.dormouse", method, self.most_seconds, **parameters)
        except TimeoutError as silence:
            raise Stuck(f"{self.log_end()}\n{self.title}: the daemon does not answer {method}") from silence

    def status(self):
        return (self.ask("Status", name="storm") or {}).get("guest", {})

    def until(self, what, condition):
        end = time.monotonic() + self.most_seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise Stuck(f"{self.account()}\n{self.title}: did not happen: {what}")
            time.sleep(0.02)
        return value

    def account(self):
        return json.dumps(self.status()) + "\n" + self.log_end()

    def log_end(self):
        with open(f"{self.directory}/log", errors="replace") as log:
            return "".join(log.readlines()[-20:])

    def settle(self):
        self.running()

    def running(self):
        """Waits until the guest serves, and returns the process ID of its process 1."""
        def active():
            status = self.status()
            return status.get("pid") if status.get("state") in ("active", "frozen") else None
        return self.until("the guest runs", active)

    def service(self):
        """Waits for the process that accepts connections, and returns its process ID."""
        if self.guest == "tiny":
            return self.running()

        return self.until("the service runs", lambda: find_process(self.daemon.cgroup.path, "storm-guest"))

    # Edges

    def freeze(self):
        self.ask("Freeze", name="storm", now=True)

    def stop(self):
        self.ask("Sleep", name="storm", now=True)

    def cancel(self):
        self.ask("Sleep", name="storm")

    def idle(self):
        """Pauses the clients for about IdleStopSec=, so that the next one arrives at the moment of the stop or after it."""
        self.board.set("lull", 1000)
        time.sleep(IDLE_STOP + random.uniform(-0.02, 0.06))
        self.board.set("lull", 0)

    def kill_guest(self):
        end_process(self.running(), signal.SIGKILL, self)

    def kill_service(self):
        end_process(self.service(), signal.SIGKILL, self)

    def power_off(self):
        end_process(self.running(), signal.SIGRTMIN + (3 if self.guest == "tiny" else 4), self)

    def kill_daemon(self):
        self.end_daemon(signal.SIGKILL)

    def restart_daemon(self):
        self.end_daemon(signal.SIGTERM)

    def end_daemon(self, number):
        # The daemon answers only after it has ended the orphans of a killed one.
        self.daemon.end_process(number)
        self.until("the next daemon is up", lambda: self.ask("List") is not None)

    def edges(self):
        """The edges: [(name, function that forces it, rule, weight)]."""
        edges = [
            ("freeze", self.freeze, "none", 2), ("stop", self.stop, "none", 3), ("stop when idle", self.idle, "none", 3),
            ("cancelled stop", self.cancel, "none", 2), ("kill -9, process 1", self.kill_guest, "accepted", 2),
            ("power-off by itself", self.power_off, "counted", 1),
            ("kill -9, daemon", self.kill_daemon, "accepted" if self.passed or self.stored else "any", 1),
            ("restart of the daemon", self.restart_daemon, "none" if self.stored else "any", 1),
        ]
        if self.guest != "tiny":
            edges.append(("kill -9, service", self.kill_service, "accepted", 1))
        return edges
