"""A stand-in host: a Debian release with systemd as PID 1, in a network namespace and a cgroup of its own, with the installed units."""

import os
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common import SOURCE, cgroup_root, compile_c, start_until_ready  # noqa: E402

IMAGES = os.environ.get("DORMOUSE_GUESTS", "/var/cache/dormouse/guests")
PATIENCE = 60  # seconds; only a failure takes as long

# newer versions of systemd know cgroup 2 only, wherever this machine mounts it
CGROUP2_ALONE = """
umount --lazy "$0" && mkdir "$1/cgroup2" && mount -t cgroup2 none "$1/cgroup2" &&
  mount --move "$1/cgroup2" /sys/fs/cgroup && shift && exec "$@"
"""


def wait_for(condition, seconds=PATIENCE):
    """Polls a condition that no event announces. Returns its last value."""
    end = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return result


def swift_runtime(program):
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for line in libraries.splitlines():
        if "libswiftCore.so" in line:
            return os.path.dirname(line.split()[2])
    return None


class Host:
    """Boots `image`, whose guests are trixie with a service at each port of `guests`, by name."""

    def __init__(self, image, programs, guests, settings="IdleStopSec=infinity\n"):
        self.image, self.guests = image, guests
        self.directory = tempfile.mkdtemp(prefix="dmh-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        # A machine's name has no underscore, and no hyphen at its end.
        self.name = os.path.basename(self.directory).replace("_", "0")
        self.cgroup = os.path.join(cgroup_root(), self.name)
        self.config, self.units = (os.path.join(self.directory, name) for name in ("config", "units"))
        for path in (self.cgroup, self.config, self.units):
            os.mkdir(path)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        self.process = None
        binds = self.write_guests(settings)
        try:
            self.boot(programs, binds)
        except BaseException:
            with open(self.log.name) as log:
                print(log.read(), file=sys.stderr)
            self.close()
            raise

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def configure(self, guest, settings):
        """Writes a guest file; the daemon reads it at its next start or reload."""
        self.write(f"{self.config}/{guest}.guest", (
            f"[Exec]\nBoot=yes\n[Files]\nVolatile=overlay\nBindReadOnly={self.directory}/units-{guest}:/etc/systemd/system\n"
            f"BindReadOnly={self.directory}/bin:/usr/local/bin\n[Socket]\nListenStream=127.0.0.1:{self.guests[guest]}\n"
            f"[Guest]\nDirectory={IMAGES}/trixie\n{settings}"))

    def write_guests(self, settings):
        os.mkdir(f"{self.directory}/bin")
        compile_c(f"{self.directory}/bin/tiny-init", "Tests/guests/tiny-init.c")
        self.write_units()
        for guest, port in self.guests.items():
            units = f"{self.directory}/units-{guest}"
            self.write(f"{units}/hello.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\n")
            self.write(f"{units}/hello.service", "[Service]\nExecStart=/usr/local/bin/tiny-init\n")
            os.mkdir(f"{units}/sockets.target.wants")
            os.symlink("../hello.socket", f"{units}/sockets.target.wants/hello.socket")
            self.configure(guest, settings)
        return [f"{self.directory}:{self.directory}", f"{IMAGES}/trixie:{IMAGES}/trixie"]

    def write_units(self):
        # A container must not load modules. An empty unit file masks the unit.
        self.write(f"{self.units}/systemd-modules-load.service", "")
        for guest, port in self.guests.items():
            self.write(f"{self.units}/dormouse@{guest}.socket", (
                f"[Socket]\nListenStream=127.0.0.1:{port}\nTriggerLimitIntervalSec=0\n"))

    def boot(self, programs, binds):
        dormoused = os.path.join(programs, "dormoused")
        runtime = swift_runtime(dormoused)
        own = [f"{dormoused}:/usr/local/sbin/dormoused", f"{programs}/dormouse:/usr/local/bin/dormouse",
               f"{programs}/dormouse-ask:/usr/local/sbin/dormouse-ask",
               f"{self.config}:/etc/dormouse", f"{self.units}:/etc/systemd/system"]
        own += [f"{SOURCE}/units/{unit}:/usr/local/lib/systemd/system/{unit}"
                for unit in ("dormouse.service", "dormouse@.service")]
        own += [f"{runtime}:{runtime}"] if runtime else []
        command = ["nsenter", f"--net=/run/netns/{self.name}",
                   "unshare", "--mount", "--propagation=private", "sh", "-c", CGROUP2_ALONE, cgroup_root(), self.directory,
                   "systemd-nspawn", "--quiet", "--boot", "--notify-ready=yes", "--register=no", "--keep-unit",
                   "--link-journal=no", "--console=read-only", "--volatile=overlay", f"--machine={self.name}",
                   f"--directory={IMAGES}/{self.image}", "--capability=all", "--private-users=no",
                   "--system-call-filter=bpf @mount @keyring @privileged @module @raw-io @debug perf_event_open"]
        command += [f"--bind-ro={bind}" for bind in own + binds]
        environment = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_USE_CGNS": "1", "PATH": os.environ["PATH"]}
        place = os.path.join(self.cgroup, "host")
        os.mkdir(place)
        self.log = open(os.path.join(self.directory, "host.log"), "w+")

        def enter():
            with open(os.path.join(place, "cgroup.procs"), "w") as procs:
                procs.write("0")

        notify = os.path.join(self.directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(notify)
            ready.settimeout(PATIENCE)
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=enter,
                env=dict(environment, NOTIFY_SOCKET=notify))
            said = b""
            while b"READY=1" not in said.splitlines():
                said = ready.recv(4096)
                for line in said.splitlines():
                    if line.startswith(b"X_NSPAWN_LEADER_PID="):
                        self.leader = int(line.split(b"=")[1])

    def run(self, *command, seconds=PATIENCE):
        """Runs a command on the host."""
        return subprocess.run(["nsenter", "--target", str(self.leader), "--all", *command], capture_output=True,
                              text=True, timeout=seconds, stdin=subprocess.DEVNULL)

    def output(self, *command):
        return self.run(*command).stdout.strip()

    def show(self, unit, *properties):
        return self.output("systemctl", "show", "--value", *(f"--property={name}" for name in properties), unit)

    def journal(self, *arguments):
        return self.output("journalctl", "--output=cat", *arguments)

    def ask(self, guest):
        """Connects to a guest and returns its answer, or the error."""
        return self.exchange(self.guests[guest], "hello")

    def exchange(self, port, text, kind="STREAM"):
        """Sends a text to a port, on a connection or as a datagram. Returns the answer, or the error."""
        script = ("import socket,sys; s=socket.socket(socket.AF_INET, getattr(socket, 'SOCK_' + sys.argv[3])); "
                  "s.settimeout(5); s.connect(('127.0.0.1', int(sys.argv[1]))); "
                  f"s.settimeout({PATIENCE}); s.sendall(sys.argv[2].encode() + b'\\n'); print(s.recv(100).decode().strip())")
        command = ["nsenter", f"--net=/run/netns/{self.name}", sys.executable, "-c", script, str(port), text, kind]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.strip() or (done.stderr.strip().splitlines() or ["no answer"])[-1]

    def machines(self):
        return {line.split()[0] for line in self.output("machinectl", "list", "--no-legend").splitlines() if line} - {".host"}

    def machine(self, guest, name):
        return self.output("machinectl", "show", guest, "--value", f"--property={name}")

    def scopes(self):
        """The names of the scopes that exist, and processes in them."""
        path = f"/proc/{self.leader}/root/sys/fs/cgroup/machine.slice"
        return sorted(name for name in os.listdir(path) if name.endswith(".scope")) if os.path.isdir(path) else []

    def close(self):
        if self.process:
            with open(os.path.join(self.cgroup, "cgroup.kill"), "w") as kill:
                kill.write("1")
            self.process.wait()
        wait_for(lambda: "populated 0" in open(os.path.join(self.cgroup, "cgroup.events")).read())
        for directory, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(directory)
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", self.directory], check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
