"""A network namespace, a cgroup and a directory in which a daemon runs."""

import json
import os
import signal
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common import SOURCE, cgroup_root, compile_c, start_until_ready  # noqa: E402

IMAGES = os.environ.get("DORMOUSE_GUESTS", "/var/cache/dormouse/guests")
PATIENCE = 90  # seconds; only a failure takes as long


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)


def compile_guest(target, *sources):
    compile_c(target, *(f"Tests/guests/{source}" for source in sources))


def tiny_root(directory, program):
    """Makes the root of a guest with one static program: the mount points that a guest needs, and /sbin/init."""
    for place in ("sbin", "proc", "sys", "dev", "run", "tmp", "etc", "var"):
        os.makedirs(os.path.join(directory, place), exist_ok=True)
    shutil.copy(program, os.path.join(directory, "sbin/init"))
    return directory


def wait_for(condition):
    """Polls a condition that no event announces. Returns None when it does not become true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.05)
    return None


class World:
    def __init__(self, programs):
        self.programs = programs
        # Closed to others: root of a guest with users of the host could leave them programs in its root.
        self.directory = tempfile.mkdtemp(prefix="dormouse-interface-")
        self.name = f"dmi-{os.getpid()}-{os.path.basename(self.directory)[-4:]}"
        self.config = os.path.join(self.directory, "config")
        self.runtime = os.path.join(self.directory, "runtime")
        self.cgroup = os.path.join(cgroup_root(), self.name)
        self.daemon = None
        for path in (self.config, self.runtime, self.cgroup):
            os.mkdir(path)
        # Shared, as /run is under systemd, so that later mounts there propagate to guests.
        subprocess.run(["mount", "--bind", self.runtime, self.runtime], check=True)
        subprocess.run(["mount", "--make-shared", self.runtime], check=True)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # cgroup.kill reaches frozen processes too, so they need not be thawed first.
        for directory, _, files in os.walk(self.cgroup, topdown=False):
            if "cgroup.kill" in files and directory == self.cgroup:
                with open(os.path.join(directory, "cgroup.kill"), "w") as kill:
                    kill.write("1")
        wait_for(lambda: "populated 0" in open(os.path.join(self.cgroup, "cgroup.events")).read())
        if self.daemon:
            self.daemon.wait()
        for directory, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(directory)
        subprocess.run(["umount", "--recursive", self.runtime], check=False)
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", self.directory], check=False)

    def path(self, name):
        return os.path.join(self.directory, name)

    def inside(self, command, cgroup=""):
        """The command line that runs `command` in this network namespace and a cgroup below this one."""
        place = os.path.join(self.cgroup, cgroup)
        os.makedirs(place, exist_ok=True)
        enter = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
        return ["nsenter", f"--net=/run/netns/{self.name}", "sh", "-c", enter, place, *command]

    def add(self, name, text):
        with open(os.path.join(self.config, f"{name}.guest"), "w") as guest:
            guest.write(text)

    def start_daemon(self):
        """Starts the daemon and waits for its READY=1."""
        command = [os.path.join(self.programs, "dormoused"), "--config", self.config, "--runtime", self.runtime]
        with open(self.path("log"), "a") as log:
            self.daemon = start_until_ready(self.inside(command), self.path("notify"), PATIENCE, stdout=log, stderr=log)

    def dormouse(self, *arguments):
        return run(os.path.join(self.programs, "dormouse"), *arguments, "--runtime", self.runtime)

    def status(self, name, *arguments):
        return json.loads(self.dormouse("status", name, "--json", *arguments).stdout)

    def log(self):
        with open(self.path("log")) as log:
            return log.read()

    def kill_daemon(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()
