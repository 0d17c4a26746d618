"""The network namespace, the cgroup and the directory in which a storm runs."""

import atexit
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from common import SOURCE, cgroup_root, option  # noqa: E402

# The path is the same in a guest, because an AF_UNIX socket is matched by its path. Each storm has its own directory, because removing
# a directory detaches what is mounted there in any namespace.
PLACE = f"/run/dormouse-storm-{os.getpid()}"
PORT4, PORT6, PORT_DATAGRAM = 7001, 7002, 7004
PATH = f"{PLACE}/sockets/storm.sock"
LISTEN = [f"ListenStream=127.0.0.1:{PORT4}", f"ListenStream=[::1]:{PORT6}", f"ListenStream={PATH}",
          f"ListenDatagram=127.0.0.1:{PORT_DATAGRAM}"]
ADDRESSES = [str(PORT4), f"6:{PORT6}", PATH, f"u:{PORT_DATAGRAM}"]


def enter():
    """Executes this program again, in the same process, with a new network and mount namespace that end with it."""
    if "--inside" not in sys.argv:
        os.mkdir(PLACE)
        command = ["unshare", "--net", "--mount", "--propagation=private", sys.executable]
        os.execvp("unshare", command + [os.path.abspath(sys.argv[0]), "--inside"] + sys.argv[1:])
    # The first handler is called last, whatever failed.
    atexit.register(os.rmdir, PLACE)
    run("ip", "link", "set", "lo", "up")
    # The kernel keeps closed connections for a minute and walks through all of them at each dump of connections. A hundred thousand would
    # dominate what the storm measures.
    with open("/proc/sys/net/ipv4/tcp_max_tw_buckets", "w") as most:
        most.write("4096")
    disk = option("--disk")
    run("mount", *(["-o", "loop", disk] if disk else ["-t", "tmpfs", "storm"]), PLACE)
    atexit.register(run, "umount", "--lazy", PLACE)
    # Open to nobody else: the guests have their roots there.
    os.chmod(PLACE, 0o700)
    os.mkdir(os.path.dirname(PATH))


def run(*arguments, **options):
    return subprocess.run(arguments, check=True, capture_output=True, text=True, **options).stdout


def compile_programs():
    here, programs = os.path.join(SOURCE, "Tests/storm"), os.path.join(PLACE, "programs")
    if "--compiled" in sys.argv:
        return here
    os.mkdir(programs)
    strict = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]
    run(*strict, f"{programs}/storm-client", f"{here}/storm-client.c", "-pthread")
    run(*strict, f"{programs}/storm-guest", f"{here}/storm-guest.c", "-static")
    return programs


class Cgroup:
    """A cgroup that is killed when it is removed. The tests recognize one that a killed storm left by its name."""

    def __init__(self, name):
        self.path = os.path.join(cgroup_root(), name)
        os.mkdir(self.path)

    def start(self, arguments, **options):
        """Starts a program in the cgroup; the process ID stays the same because each program executes the next."""
        script = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
        return subprocess.Popen(["sh", "-c", script, self.path, *arguments], stdin=subprocess.DEVNULL, **options)

    def kill(self):
        with open(self.path + "/cgroup.kill", "w") as kill:
            kill.write("1")

    def remove(self):
        self.kill()
        while "populated 1" in open(self.path + "/cgroup.events").read():
            time.sleep(0.02)
        for directory, _, _ in os.walk(self.path, topdown=False):
            os.rmdir(directory)


class Clients:
    """The clients of one subject, which run while the context is entered."""

    def __init__(self, programs, board, count, addresses):
        self.board = board
        self.command = [f"{programs}/storm-client", board.path, str(count), "1", *addresses]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.board.set("lull", 0)
        self.board.set("over", 1)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()


def write_units(directory, programs, listen=tuple(LISTEN), unit=""):
    """Writes the units and the program of the service to a directory for /etc/systemd/system of a systemd guest."""
    wants = os.path.join(directory, "sockets.target.wants")
    os.makedirs(wants)
    shutil.copy(f"{programs}/storm-guest", directory)
    lines = "\n".join(listen)
    with open(f"{directory}/storm.socket", "w") as file:
        file.write(f"[Socket]\n{lines}\nBacklog=4096\nTriggerLimitIntervalSec=0\n")
    with open(f"{directory}/storm.service", "w") as file:
        file.write(f"[Unit]\nStartLimitIntervalSec=0\n{unit}\n[Service]\nExecStart=/etc/systemd/system/storm-guest\n")
    os.symlink("../storm.socket", f"{wants}/storm.socket")
    return directory
