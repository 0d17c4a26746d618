"""A guest with a network of its own that tries to reach the host's through its sockets. Its PID 1 is Tests/hostile/attacks/wayout.c."""

import os
import sys

from host import wait_for
from common import compile_c

GUEST, PORT = "bad", 8003
# The connection and the listener are turned in two ways each; three datagrams are sent elsewhere.
WAYS = 7


def add(host):
    """Writes the guest, its root and its .socket unit; the daemon reads them when it starts."""
    root = f"{host.directory}/root-{GUEST}"
    for place in ("sbin", "proc", "sys", "dev", "run", "tmp", "etc", "var"):
        os.makedirs(f"{root}/{place}")
    compile_c(f"{root}/sbin/init", "Tests/hostile/attacks/wayout.c")
    sockets = f"[Socket]\nListenStream=[::]:{PORT}\nListenDatagram=[::]:{PORT}\n"
    host.write(f"{host.config}/{GUEST}.guest", (
        "[Exec]\nBoot=no\nNotifyReady=yes\nPrivateUsers=no\nParameters=/sbin/init\n[Files]\nVolatile=overlay\n"
        f"[Network]\nPrivate=yes\n{sockets}[Guest]\nDirectory={root}\nIdleStopSec=infinity\nTimeoutStopSec=1s\n"))
    host.write(f"{host.units}/dormouse@{GUEST}.socket", f"{sockets}TriggerLimitIntervalSec=0\n")


def check_private(unit):
    """a guest with Private=yes is woken, and answers by TCP and by UDP"""
    unit.begin(GUEST)
    answers = [unit.host.exchange(PORT, "hello", kind) for kind in ("STREAM", "DGRAM")]
    if answers != ["hello", "hello"]:
        print(*answers, console(unit), unit.log(GUEST), sep="\n", file=sys.stderr)
    return answers == ["hello", "hello"]


def check_way_out(unit):
    """a guest with Private=yes can turn neither a connection, nor its listener, nor its UDP socket to the host's 127.0.0.1"""
    host = unit.host
    unit.begin(GUEST)
    host.exchange(PORT, "out 9999")
    answers = [host.exchange(PORT, "out 9999", "DGRAM"), host.exchange(PORT, "listener 9999")]
    wait_for(lambda: "open the listener fast" in console(unit))
    tried = [line for line in console(unit).splitlines() if line.startswith(("connect ", "open ", "send "))]
    refused = [line for line in tried if line.endswith(": Operation not permitted")]
    host.run("dormouse", "sleep", GUEST, "--now", "--runtime", unit.runtime(GUEST))
    holds = answers == ["out 9999", "listener 9999"] and len(refused) == len(tried) == WAYS and (
        "are a way" not in unit.log(GUEST))
    if not holds:
        print(*answers, *tried, unit.log(GUEST), sep="\n", file=sys.stderr)
    return holds


def console(unit):
    return unit.host.output("dormouse", "status", GUEST, "--console", "--runtime", unit.runtime(GUEST))
