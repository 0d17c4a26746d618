"""Functions that the programs of Tests and Benchmarks share."""

import json
import os
import shutil
import socket
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def expect_options(usage, *names):
    """Ends the program with a usage message if the command line has an option other than these."""
    wrong = [word for word in sys.argv[1:] if word.startswith("-") and word not in names]
    if wrong:
        sys.exit(f"there is no option {wrong[0]}\n{usage}")


def report_header():
    """Returns the first line of a report, with the commit and the date. It must be called before the measurement."""
    command = [os.path.join(SOURCE, ".ci/report-header")]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.rstrip("\n")


def write_report(path, lines):
    """Writes a report with the owner of the source tree; `path` is relative to the top of the tree."""
    path, owner = os.path.join(SOURCE, path), os.stat(SOURCE)
    with open(path, "w") as file:
        print(*lines, sep="\n", file=file)
    shutil.chown(path, owner.st_uid, owner.st_gid)


def keep(name, header, lines):
    """Prints results, and writes them below a header to Benchmarks/results/NAME."""
    print(*lines, sep="\n", flush=True)
    write_report(f"Benchmarks/results/{name}", [header, *lines])


def cgroup_root():
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            fields, _, rest = line.partition(" - ")
            if rest.startswith("cgroup2 "):
                return fields.split()[4]
    raise SystemExit("no cgroup 2 is mounted on this machine")


def compile_c(program, *sources, flags=("-static", "-Os")):
    """Compiles a C program; the paths of its sources are relative to the top of the source tree."""
    subprocess.run(["cc", *flags, "-o", program, *(os.path.join(SOURCE, source) for source in sources)], check=True)


def start_until_ready(command, notify, patience, **options):
    """Starts a daemon, and returns its process when it has sent READY=1 to the socket `notify`, which is created for it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(notify)
        ready.settimeout(patience)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env=dict(os.environ, NOTIFY_SOCKET=notify), **options)
        while b"READY=1" not in ready.recv(4096):
            pass
    os.unlink(notify)
    return process


def call(connection, method, parameters):
    """Calls a Varlink method of the daemon. Returns the reply, or None when the daemon ends before it replies."""
    connection.sendall(json.dumps({"method": f"io.dormouse.Manager.{method}", "parameters": parameters}).encode() + b"\0")
    answer = b""
    while not answer.endswith(b"\0"):
        got = connection.recv(65536)
        if not got:
            return None
        answer += got
    return json.loads(answer[:-1])
