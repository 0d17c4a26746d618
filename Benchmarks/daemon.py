"""Functions that the benchmarks share: a daemon, a root for the tiny guest, and the client that measures."""

import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Tests"))

import common  # noqa: E402
from common import call, compile_c, start_until_ready  # noqa: E402


class Daemon:
    def __init__(self, programs, directory, config):
        self.runtime = os.path.join(directory, "runtime")
        self.cli = [os.path.join(programs, "dormouse"), "--runtime", self.runtime]
        command = [os.path.join(programs, "dormoused"), "--config", config, "--runtime", self.runtime]
        self.process = start_until_ready(command, os.path.join(directory, "notify"), 60, stderr=subprocess.DEVNULL)

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
    """Calls the daemon over Varlink, without a process for each call."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(os.path.join(daemon.runtime, "io.dormouse"))

    def call(self, method, **parameters):
        reply = call(self.socket, method, parameters)
        if reply is None or "error" in reply:
            raise SystemExit(f"{method}: {reply}")
        return reply["parameters"]


class Client:
    """Measures the time from connect(2) to the first byte in microseconds."""

    def __init__(self, directory, port):
        program = os.path.join(directory, "first-byte")
        if not os.path.exists(program):
            compile_c(program, "Benchmarks/first-byte.c", flags=["-O2"])
        self.process = subprocess.Popen(
            [program, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def measure(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / 1000

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def tiny(directory):
    root = os.path.join(directory, "root")
    for place in ("sbin", "proc", "sys", "dev", "run", "tmp", "etc"):
        os.makedirs(os.path.join(root, place))
    compile_c(os.path.join(root, "sbin/init"), "Tests/guests/tiny-init.c", flags=["-O2", "-static"])
    return root


def debian(directory, port):
    """Writes the units of a systemd guest with a service that answers at `port`, and the program of the service."""
    units = os.path.join(directory, f"units-{port}")
    os.makedirs(f"{units}/sockets.target.wants")
    compile_c(f"{units}/tiny-init", "Tests/guests/tiny-init.c", flags=["-O2", "-static"])
    with open(f"{units}/hello.socket", "w") as file:
        file.write(f"[Socket]\nListenStream=127.0.0.1:{port}\n")
    with open(f"{units}/hello.service", "w") as file:
        file.write("[Service]\nExecStart=/etc/systemd/system/tiny-init\n")
    os.symlink("../hello.socket", f"{units}/sockets.target.wants/hello.socket")
    return units


def keep(name, header, lines):
    """Prints and stores results with a line about the machine."""
    common.keep(name, header, [f"Linux {os.uname().release}, {os.cpu_count()} processors", *lines])
