"""Alternatives to Dormouse as subjects of the storm: a trixie guest under systemd-nspawn, on a host that runs in a container.

- `nspawn`: a .socket unit of the host passes its sockets to the guest.
- `proxyd`: systemd-socket-proxyd accepts the connections and forwards them. It ends after a second without any, and so does the guest
  (StopWhenUnneeded=).
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import world
from subjects import GUESTS, Stuck, end_process, find_process

GUEST_PORT = 7101
# From systemd-nspawn@.service, without its rate limit of starts, which would end the storm.
GUEST_SERVICE = """[Unit]
StartLimitIntervalSec=0
{unit}
[Service]
Type=notify
NotifyAccess=all
KillMode=mixed
SuccessExitStatus=133
RestartForceExitStatus=133
Slice=machine.slice
Delegate=yes
ExecStart=/usr/bin/systemd-nspawn --quiet --boot --keep-unit --notify-ready=yes --link-journal=no --machine=inner \\
  --register=no --volatile=overlay --directory=/var/lib/machines/inner --private-users=no \\
  --bind-ro=/etc/storm-guest:/etc/systemd/system
"""
SOCKET = "[Socket]\n{listen}\nBacklog=4096\nTriggerLimitIntervalSec=0\n"
PROXY = f"""[Unit]
StartLimitIntervalSec=0
BindsTo=guest.service
After=guest.service
[Service]
ExecStart=/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=1s 127.0.0.1:{GUEST_PORT}
"""


class Peer:
    """A host with a unit `storm.socket` and the service that it activates."""

    title, addresses, silent, is_ours, is_counted, failures = "", world.ADDRESSES, (), False, False, ()

    def __init__(self, programs, board, most_seconds):
        self.programs, self.board, self.most_seconds = programs["storm"], board, most_seconds
        self.directory = f"{world.PLACE}/{type(self).__name__.lower()}"

    def __enter__(self):
        os.mkdir(self.directory)
        units = f"{self.directory}/units"
        os.makedirs(f"{units}/sockets.target.wants")
        for name, text in self.units().items():
            with open(f"{units}/{name}", "w") as file:
                file.write(text)
            if name.endswith(".socket"):
                os.symlink(f"../{name}", f"{units}/sockets.target.wants/{name}")
        guest = world.write_units(f"{self.directory}/guest", self.programs, self.guest_listen())
        self.cgroup = world.Cgroup(f"dmt-{os.getpid()}-storm")
        self.boot([f"{units}:/etc/systemd/system", f"{guest}:/etc/storm-guest", f"{GUESTS}/trixie:/var/lib/machines/inner",
                   *self.binds()])
        return self

    def __exit__(self, *_):
        if "STORM_LOGS" in os.environ:
            log = self.on_host("journalctl", "--no-pager", "--lines=400")
            with open(f"{os.environ['STORM_LOGS']}/{type(self).__name__.lower()}", "w") as file:
                file.write(log.stdout)
        self.cgroup.remove()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def boot(self, binds):
        """Boots the host as Tests/GuestTests/Harness/Host.swift does, which explains the options."""
        notify = f"{self.directory}/notify"
        alone = ['umount --lazy "$0" && mkdir "$1/cgroup2" && mount -t cgroup2 none "$1/cgroup2" &&'
                 ' mount --move "$1/cgroup2" /sys/fs/cgroup && shift && exec "$@"', world.cgroup_root(), self.directory]
        command = ["unshare", "--mount", "--propagation=private", "sh", "-c", *alone,
                   "systemd-nspawn", "--quiet", "--boot", "--notify-ready=yes", "--register=no", "--keep-unit", "--link-journal=no",
                   "--console=read-only", "--volatile=overlay", "--machine=storm", f"--directory={GUESTS}/host", "--capability=all",
                   "--private-users=no",
                   "--system-call-filter=bpf @mount @keyring @privileged @module @raw-io @debug perf_event_open",
                   f"--bind={os.path.dirname(world.PATH)}", *(f"--bind-ro={bind}" for bind in binds)]
        environment = dict(os.environ, NOTIFY_SOCKET=notify, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1", SYSTEMD_NSPAWN_USE_CGNS="1")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(notify)
            ready.settimeout(60)
            with open(f"{self.directory}/console", "wb") as console:
                self.process = self.cgroup.start(command, env=environment, stdout=console, stderr=console)
            said = b""
            while b"READY=1" not in said or b"X_NSPAWN_LEADER_PID" not in said:
                said += ready.recv(4096) + b"\n"
        self.leader = re.search(rb"X_NSPAWN_LEADER_PID=(\d+)", said)[1].decode()

    def on_host(self, *arguments):
        return subprocess.run(["nsenter", "--target", self.leader, "--all", *arguments], capture_output=True, text=True)

    def until(self, what, condition):
        end = time.monotonic() + self.most_seconds
        while not (value := condition()):
            if time.monotonic() > end:
                state = self.on_host("systemctl", "status", "storm.socket", "storm.service", "guest.service").stdout
                raise Stuck(f"{self.title}: did not happen: {what}\n{state}")
            time.sleep(0.02)
        return value

    def units(self):
        raise NotImplementedError

    def guest_listen(self):
        raise NotImplementedError

    def binds(self):
        """Further read-only bind mounts of the host, as SOURCE:DESTINATION."""
        return []

    # Edges

    def stop(self):
        self.on_host("systemctl", "stop", "storm.service")

    def kill_guest(self):
        self.kill("systemd", "payload/init.scope")

    def kill_service(self):
        self.kill("storm-guest", "payload")

    def kill(self, name, place):
        # The host's own processes are above this cgroup.
        below = f"{self.cgroup.path}/payload/machine.slice"
        end_process(self.until(f"{name} runs", lambda: find_process(below, name, place)), signal.SIGKILL, self)

    def settle(self):
        self.until("storm.service is active", lambda: self.on_host(
            "systemctl", "show", "--value", "--property=ActiveState", "storm.service").stdout == "active\n")


class Nspawn(Peer):
    title = "systemd .socket + nspawn"

    def units(self):
        return {"storm.socket": SOCKET.format(listen="\n".join(world.LISTEN)), "storm.service": GUEST_SERVICE.format(unit=""),
                "systemd-modules-load.service": ""}

    def guest_listen(self):
        return world.LISTEN

    def edges(self):
        return [("stop", self.stop, "any", 3), ("kill -9, process 1", self.kill_guest, "any", 1),
                ("kill -9, service", self.kill_service, "any", 1)]


class Proxyd(Peer):
    title = "socket-proxyd + StopWhenUnneeded"
    # systemd-socket-proxyd does not support datagrams.
    addresses, silent = world.ADDRESSES[:3], (3,)

    def units(self):
        return {"storm.socket": SOCKET.format(listen="\n".join(world.LISTEN[:3])), "storm.service": PROXY,
                "guest.service": GUEST_SERVICE.format(unit="StopWhenUnneeded=yes"), "systemd-modules-load.service": ""}

    def guest_listen(self):
        return [f"ListenStream=127.0.0.1:{GUEST_PORT}"]

    def idle(self):
        self.board.set("lull", 1000)
        time.sleep(1 + random.uniform(-0.05, 0.35))
        self.board.set("lull", 0)

    def edges(self):
        return [("stop", self.stop, "any", 2), ("stop when idle", self.idle, "any", 2),
                ("kill -9, process 1", self.kill_guest, "any", 1), ("kill -9, service", self.kill_service, "any", 1)]


PEERS = {"nspawn": Nspawn, "proxyd": Proxyd}
