"""What the benchmarks have in common: a daemon, a root for the tiny guest, the client that measures."""

import json
import os
import shutil
import socket
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


class Daemon:
    def __init__(self, programs, directory, config):
        self.runtime = os.path.join(directory, "runtime")
        self.cli = [os.path.join(programs, "dormouse"), "--runtime", self.runtime]
        notify = os.path.join(directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(notify)
            ready.settimeout(60)
            self.process = subprocess.Popen(
                [os.path.join(programs, "dormoused"), "--config", config, "--runtime", self.runtime],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, NOTIFY_SOCKET=notify))
            while b"READY=1" not in ready.recv(4096):
                pass
        os.unlink(notify)

    def ask(self, *arguments):
        command = self.cli[:1] + list(arguments) + self.cli[1:]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def end(self):
        self.process.terminate()
        self.process.wait()


class Manager:
    """Calls of the daemon's own interface, without a process for each."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(os.path.join(daemon.runtime, "io.dormouse"))

    def call(self, method, **parameters):
        self.socket.sendall(json.dumps({"method": f"io.dormouse.Manager.{method}", "parameters": parameters}).encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            answer += self.socket.recv(65536)
        reply = json.loads(answer[:-1])
        if "error" in reply:
            raise SystemExit(f"{method}: {reply}")
        return reply["parameters"]


class Client:
    """Measures in microseconds, from connect(2) to the first byte."""

    def __init__(self, directory, port):
        program = os.path.join(directory, "first-byte")
        if not os.path.exists(program):
            compile_c("Benchmarks/first-byte.c", program)
        self.process = subprocess.Popen(
            [program, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def measure(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / 1000

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def compile_c(source, program, *flags):
    subprocess.run(["cc", "-O2", *flags, "-o", program, os.path.join(SOURCE, source)], check=True)


def tiny(directory):
    root = os.path.join(directory, "root")
    for place in ("sbin", "proc", "sys", "dev", "run", "tmp", "etc"):
        os.makedirs(os.path.join(root, place))
    compile_c("Tests/guests/tiny-init.c", os.path.join(root, "sbin/init"), "-static")
    return root


def debian(directory, port):
    """Units for a systemd guest, whose one service answers at `port`, with its program among them."""
    units = os.path.join(directory, f"units-{port}")
    os.makedirs(f"{units}/sockets.target.wants")
    compile_c("Tests/guests/tiny-init.c", f"{units}/tiny-init", "-static")
    with open(f"{units}/hello.socket", "w") as file:
        file.write(f"[Socket]\nListenStream=127.0.0.1:{port}\n")
    with open(f"{units}/hello.service", "w") as file:
        file.write("[Service]\nExecStart=/etc/systemd/system/tiny-init\n")
    os.symlink("../hello.socket", f"{units}/sockets.target.wants/hello.socket")
    return units


def keep(name, lines):
    """Prints what was measured and keeps it under Benchmarks/results, with what it was measured on."""
    about = f"{os.uname().release}, {os.cpu_count()} processors"
    for line in lines:
        print(line, flush=True)
    directory = os.path.join(SOURCE, "Benchmarks/results")
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "w") as file:
        file.write("\n".join([f"Linux {about}", *lines, ""]))
    if owner := os.stat(SOURCE):
        shutil.chown(directory, owner.st_uid, owner.st_gid)
