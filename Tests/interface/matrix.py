"""Runs `dormouse interface` for each Debian guest, without and with private users, in the host's network and in its own."""

import concurrent.futures
import json
import os
import subprocess

import world

# A user of this host, which exists while the guests run.
USER = f"dmi-{os.getpid()}"
IMAGES = ["bookworm", "trixie", "sid", "host-/usr"]
WAYS = [(users, network) for users in ("no", "pick") for network in ("shared", "private")]

GUEST = """[Exec]
Boot=yes
PrivateUsers={users}
[Network]
{network}
[Files]
Volatile={volatile}
BindUser={user}
BindReadOnly={units}:/etc/systemd/system
BindReadOnly={payload}:/opt/payload
[Socket]
ListenStream=127.0.0.1:{port}
[Guest]
Directory={root}
IdleStopSec=infinity
SetCredential=secret:of the host
Terminals=2
"""

# Rows that only a unit of the guest's systemd can show: the sandbox settings of the unit, and a command that must succeed.
PROBES = {
    "EE-3f": ("PrivateDevices=yes", "test -c /dev/null"),
    "DN-2": ("PrivateTmp=yes\nProtectSystem=strict\nReadWritePaths=/run/interface", "touch /tmp/x && ! touch /usr/x"),
    "RH-2": ("InaccessiblePaths=/etc/passwd", "test ! -s /etc/passwd"),
    "EV-1a": ("", "test $(systemd-detect-virt -c) = container-other"),
    "EV-5a": ("LoadCredential=secret", 'test "$(cat $CREDENTIALS_DIRECTORY/secret)" = "of the host"'),
    "EE-3c": ("", "echo probe >/dev/console"),
    "EV-3a": ("", "test -e /run/systemd/generator/getty.target.wants/container-getty@2.service && echo probe >/dev/pts/2"),
    "EE-6b": ("", "mkdir /sys/fs/cgroup/probe && rmdir /sys/fs/cgroup/probe"),
    "EE-2b": ("", "! touch /sys/probe"),
    "EE-2g": ("", "! test -e /sys/firmware"),
    "EE-2d": ("", "! sh -c 'echo 1 >/proc/sys/kernel/sysrq'"),
    # With private users the guest has the capability, but the kernel creates no devices in a user namespace.
    "DN-1": ("", "! grep -q 4294967295 /proc/self/uid_map || mknod /run/interface/null c 1 3"),
    "RH-0": ("", "! touch /run/host/probe"),
    "AI-6a": ("", "test -S /run/host/notify && test -z \"$LISTEN_FDS$LISTEN_PID\""),
    "EE-4a": ("", 'test -z "$(systemctl --failed --plain --no-legend)"'),
}


def write_units(directory, port):
    """Writes the guest's units: a socket for its listener, a unit for each probe, and one that runs after all probes."""
    wants = os.path.join(directory, "multi-user.target.wants")
    sockets = os.path.join(directory, "sockets.target.wants")
    for path in (wants, sockets):
        os.makedirs(path)
    units = {
        "probe.socket": f"[Socket]\nListenStream=127.0.0.1:{port}\n",
        "probe.service": "[Service]\nExecStart=/opt/payload/tiny-init\n",
        "through.service": "[Unit]\nAfter=" + " ".join(f"probe-{row}.service" for row in PROBES)
        + "\n[Service]\nType=oneshot\nExecStart=/bin/touch /run/interface/through\n",
        "results.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/mkdir /run/interface\n",
    }
    for row, (sandbox, command) in PROBES.items():
        # systemd unescapes backslashes and quotes, and `$$` stands for a dollar sign.
        script = command.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
        last = " ".join(f"probe-{other}.service" for other in PROBES if other != row) if row == "EE-4a" else ""
        units[f"probe-{row}.service"] = (
            f"[Unit]\nRequires=results.service\nAfter=results.service {last}\n[Service]\nType=oneshot\n{sandbox}\n"
            f'ExecStart=/bin/sh -c "if {script}; then echo ok; else echo failed; fi >/run/interface/{row} 2>/dev/null"\n')
        os.symlink(f"../probe-{row}.service", os.path.join(wants, f"probe-{row}.service"))
    os.symlink("../through.service", os.path.join(wants, "through.service"))
    os.symlink("../probe.socket", os.path.join(sockets, "probe.socket"))
    for name, text in units.items():
        with open(os.path.join(directory, name), "w") as unit:
            unit.write(text)
    return directory


def names():
    return [f"{image.replace('/', '')}-{users}-{network}" for image in IMAGES for users, network in WAYS]


def add_guests(space):
    world.compile_guest(os.path.join(space.path("payload"), "tiny-init"), "tiny-init.c")
    for index, name in enumerate(names()):
        image, (users, network) = IMAGES[index // len(WAYS)], WAYS[index % len(WAYS)]
        port = 24200 + index
        space.add(name, GUEST.format(
            users=users, network="VirtualEthernet=yes" if network == "private" else "",
            volatile="yes" if image == "host-/usr" else "overlay", units=write_units(space.path(f"units-{name}"), port),
            payload=space.path("payload"), user=USER, port=port, root="/" if image == "host-/usr" else f"{world.IMAGES}/{image}"))


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return None


def look(space, name):
    """Starts a guest, judges it, and stops it. Returns its rows by ID: level, requirement, verdict, reason."""
    woken = space.dormouse("wake", name)
    if woken.returncode:
        return {"start": {"level": "M", "requirement": "it starts", "verdict": "missed", "reason": woken.stderr.strip()}}
    pid = space.status(name)["pid"]
    results = f"/proc/{pid}/root/run/interface"
    world.wait_for(lambda: os.path.exists(results + "/through") or not os.path.exists(f"/proc/{pid}"))
    rows = {row["id"]: row for row in json.loads(space.dormouse("interface", name, "--json").stdout)}
    for row in PROBES:
        result = read(f"{results}/{row}")
        if result != "ok":
            rows[row].update(verdict="missed", reason=f"a unit in the guest that probed it: {result or 'did not run'}")
    space.dormouse("sleep", name, "--now")
    stop = space.status(name)["lastStop"] or {"killed": True}
    rows["AI-3a"].update(
        verdict="missed" if stop["killed"] or stop.get("signal") != "SIGINT" else "holds",
        reason=f"the guest needed SIGKILL or did not stop: {stop}" if stop["killed"] else None)
    return rows


def observe(programs):
    """Returns the rows of each guest by its name."""
    with world.World(programs) as space:
        os.mkdir(space.path("payload"))
        subprocess.run(["useradd", "--create-home", "--home-dir", space.path("home"), USER], check=True)
        try:
            add_guests(space)
            space.start_daemon()
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                return dict(zip(names(), pool.map(lambda name: look(space, name), names())))
        finally:
            subprocess.run(["userdel", USER], check=False)
