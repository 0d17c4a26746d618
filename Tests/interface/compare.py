"""Starts the guest of each .nspawn file under systemd-nspawn and under Dormouse, and compares what process 1 is given."""

import glob
import os
import re
import shutil
import socket
import subprocess

import world

# What differs on purpose: a pattern of the difference as a whole line, and why it is so.
RULES = [
    (r"environment container: ", "each says its own name"),
    (r"environment (LISTEN_FDNAMES|LISTEN_FDS|LISTEN_PID): ", "Dormouse names the descriptors it passes"),
    (r"environment container_uuid: ", "systemd-nspawn makes a new id for a root without one, Dormouse the same at each start"),
    (r"environment TERM: ", "systemd-nspawn 252 hands on its own terminal's name; later ones, and Dormouse, say dumb"),
    (r"environment LANG: nspawn C.UTF-8, dormouse -", "systemd-nspawn sets it for a guest that is not booted"),
    (r"environment NOTIFY_SOCKET: ", "Dormouse takes messages of every process 1"),
    (r"argument systemd.firstboot=off", "nobody sits at the console to answer systemd-firstboot"),
    (r"inherited capabilities: ", "a program without set-user-ID has no use for them, and in a guest they were CVE-2022-24769"),
    (r"capability audit_(control|write): nspawn Bnd Eff Prm, dormouse -", "the Container Interface wants them dropped (DN-8)"),
    (r"capability net_bind_service: nspawn -,", "systemd-nspawn drops it with users of the guest's own in the host's network;"
     " in a user namespace it means nothing there"),
    (r"mount /proc/(kallsyms|kcore|keys|sysrq-trigger|timer_list): ", "systemd-nspawn before 260 means to cover it and fails"),
    (r"mount /proc/(acpi|apm|asound|bus|fs|irq|scsi): ", "both bind what there is of these read-only"),
    (r"mount /run/host(/[\w/-]+)?: ", "the places of the Container Interface: more of them, and each a mount that is its own"),
    (r"mount /dev/(null|zero|full|random|urandom|tty|net/tun|fuse|console|ptmx): ", "nodes that cannot be made are bound"),
    (r"mount /dev/net/tun: ", "no device besides those that the interface names"),
    (r"mount /sys(/\w+)?: nspawn (sysfs|-)", "systemd-nspawn shows the whole of /sys where the network is the host's"),
    (r"mount /tmp: nspawn tmpfs nodev nosuid, dormouse -", "Dormouse leaves a program that is no init the /tmp of its root"),
    (r"mount /proc/sys/kernel/random/boot_id: ", "both cover it; the source is another"),
    (r"mount /proc/kmsg: ", "both cover it; the source is another"),
    (r"mount /etc/resolv.conf: |mount /etc/localtime: ", "systemd-nspawn binds the host's"),
    (r"limit .*dormouse (unlimited|\d+)", "as the kernel gives process 1 of a machine; systemd-nspawn takes more from its own"),
    (r"seccomp: ", "the number of filters is each one's own affair"),
    (r"users: ", "each picks a range of its own"),
]
GUEST = """[Exec]
NotifyReady=no
[Guest]
Directory=/var/lib/machines/{name}
IdleStopSec=infinity
"""
ENTER = """
mount --bind "$1/$2" /var/lib/machines && mount --bind "$1/srv" /srv &&
mount -t tmpfs none /run/systemd && mkdir -m 0 /run/systemd/inaccessible /run/systemd/inaccessible/dir &&
mount -t tmpfs none /etc/systemd && mkdir /etc/systemd/nspawn && mount --bind "$1/config" /etc/systemd/nspawn &&
umount --lazy "$0" && mkdir -p "$1/$2-cgroup" && mount -t cgroup2 none "$1/$2-cgroup" &&
mount --move "$1/$2-cgroup" /sys/fs/cgroup && shift 2 && exec "$@"
"""
CAPABILITIES = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service"
    " net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin"
    " sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override"
    " mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore").split()


class Compared(world.World):
    def inside(self, command, cgroup=""):
        machines = "nspawn" if "systemd-nspawn" in command else "dormouse"
        enter = ["unshare", "--mount", "--propagation=private", "sh", "-c", ENTER, world.cgroup_root(), self.directory,
                 machines]
        return super().inside([*enter, *command], cgroup or machines)

    def prepare(self, names):
        init = self.path("tiny-init")
        world.compile_guest(init, "tiny-init.c")
        for place in ("site", "certificates", "uploads"):
            os.makedirs(self.path("srv/" + place))
        for manager in ("nspawn", "dormouse"):
            for name in names:
                root = self.path(f"{manager}/{name}")
                for place in ("etc", "usr/bin", "usr/lib/systemd", "proc", "sys", "dev", "run", "tmp", "var", "srv", "root"):
                    os.makedirs(os.path.join(root, place))
                os.symlink("usr/bin", root + "/bin")
                os.symlink("usr/bin", root + "/sbin")
                # Something that asks for nothing, in the places where a booted and an unbooted guest have their program.
                shutil.copy(init, root + "/usr/lib/systemd/systemd")
                shutil.copy(init, root + "/usr/bin/application")
                with open(root + "/etc/os-release", "w") as release:
                    release.write("ID=tiny\nVERSION_ID=1\n")
                open(root + "/etc/machine-id", "w").close()

    def under_nspawn(self, name):
        """Facts of the guest's process 1, or of its payload."""
        notify = self.path("nspawn-notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(notify)
            ready.settimeout(20)
            command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--settings=override",
                       "--link-journal=no", "--console=read-only", f"--machine={name}"]
            environment = dict(os.environ, NOTIFY_SOCKET=notify, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1",
                               SYSTEMD_NSPAWN_USE_CGNS="1")
            environment.pop("TERM", None)
            group = f"nspawn-{name}"
            with open(self.path(f"{name}.nspawn.log"), "w") as log:
                process = subprocess.Popen(self.inside(command, group), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=environment)
            try:
                leader = None
                while leader is None:
                    leader = re.search(rb"X_NSPAWN_LEADER_PID=(\d+)", ready.recv(4096))
                return facts(int(leader[1]), self.daemon.pid)
            except TimeoutError:
                raise RuntimeError(open(self.path(f"{name}.nspawn.log")).read().strip()[-300:])
            finally:
                os.unlink(notify)
                with open(os.path.join(self.cgroup, group, "cgroup.kill"), "w") as kill:
                    kill.write("1")
                process.wait()

    def under_dormouse(self, name):
        woken = self.dormouse("wake", name)
        if woken.returncode:
            raise RuntimeError(woken.stderr.strip())
        try:
            return facts(self.status(name)["pid"], self.daemon.pid)
        finally:
            self.dormouse("sleep", name, "--now")


def payload(pid):
    """The process of the guest's own program: process 1, or the child of a small init. None before it is there."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        for process in (pid, *map(int, children.read().split())):
            if os.path.basename(os.readlink(f"/proc/{process}/exe")) in ("systemd", "application"):
                # In the middle of execve(2) the program is there and its environment is not yet.
                with open(f"/proc/{process}/environ") as environment:
                    return process if environment.read(1) else None
    return None


def facts(pid, manager):
    """What process `pid` was given, by name; `manager` is a process with the namespaces of whoever started it."""
    pid = world.wait_for(lambda: payload(pid))
    def lines(name):
        with open(f"/proc/{pid}/{name}") as file:
            return file.read().splitlines()
    with open(f"/proc/{pid}/environ") as file:
        found = {f"environment {key}": value for key, _, value in
                 (entry.partition("=") for entry in file.read().split("\0") if entry)}
    with open(f"/proc/{pid}/cmdline") as file:
        for argument in file.read().split("\0")[1:-1]:
            found[f"argument {argument}"] = "given"
    for line in lines("mountinfo"):
        fields = line.split()
        kept = sorted(set(fields[5].split(",")) & {"ro", "nosuid", "nodev", "noexec"})
        found[f"mount {fields[4]}"] = " ".join([fields[fields.index("-") + 1], *kept])
    status = dict(line.split(":\t", 1) for line in lines("status") if ":\t" in line)
    inherited = {status["CapPrm"]: "as permitted", "0" * 16: "none"}
    found["inherited capabilities"] = inherited.get(status["CapInh"], status["CapInh"])
    for kind in ("Bnd", "Eff", "Prm", "Amb"):
        for number, name in enumerate(CAPABILITIES):
            if int(status["Cap" + kind], 16) >> number & 1:
                found[f"capability {name}"] = " ".join(filter(None, [found.get(f"capability {name}"), kind]))
    for line in lines("limits")[1:]:
        found[f"limit {line[:26].strip()}"] = " ".join(line[26:].split()[:2])
    for kind in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
        own = os.readlink(f"/proc/{pid}/ns/{kind}")
        found[f"namespace {kind}"] = "own" if own != os.readlink(f"/proc/{manager}/ns/{kind}") else "shared"
    found["privileges"] = "no new ones" if status["NoNewPrivs"] == "1" else "may grow"
    found["seccomp"] = status.get("Seccomp_filters", status["Seccomp"])
    found["processors"] = status["Cpus_allowed_list"]
    found["users"] = " ".join(" ".join(lines("uid_map")).split())
    found["badness"] = lines("oom_score_adj")[0]
    found["personality"] = lines("personality")[0]
    found["directory"] = os.readlink(f"/proc/{pid}/cwd")
    found["umask"] = status["Umask"]
    return found


def differences(peer, ours):
    """The lines in which two guests differ."""
    for name in sorted(peer.keys() | ours.keys()):
        left, right = peer.get(name, "-"), ours.get(name, "-")
        if left != right:
            yield f"{name}: nspawn {left}, dormouse {right}"


def is_stricter(line):
    """Whether it is the same kind of mount on both sides, and ours has the flags of the other and more."""
    kinds = re.fullmatch(r"mount \S+: nspawn (\w+)(.*), dormouse (\w+)(.*)", line)
    return kinds and kinds[1] == kinds[3] and set(kinds[2].split()) <= set(kinds[4].split())


def explain(line):
    if is_stricter(line):
        return "the same file system, with flags that take more away"
    return next((reason for pattern, reason in RULES if re.search(pattern, line)), None)


def compare(programs):
    """By file: the explained differences and the others."""
    files = sorted(glob.glob(os.path.join(os.path.dirname(__file__), "nspawn/*.nspawn")))
    names = [os.path.basename(path).removesuffix(".nspawn") for path in files]
    results = {}
    with Compared(programs) as space:
        space.prepare(names)
        for path, name in zip(files, names):
            shutil.copy(path, space.config)
            space.add(name, GUEST.format(name=name))
        space.start_daemon()
        for path, name in zip(files, names):
            found = {}
            for manager, start in (("nspawn", space.under_nspawn), ("dormouse", space.under_dormouse)):
                try:
                    found[manager] = start(name)
                except Exception as trouble:  # the other files are compared all the same
                    results[name + ".nspawn"] = ([], [f"it does not start under {manager}: {trouble}"])
            if len(found) == 2:
                lines = list(differences(found["nspawn"], found["dormouse"]))
                explained = [f"{line} ({explain(line)})" for line in lines if explain(line)]
                results[name + ".nspawn"] = (explained, [line for line in lines if not explain(line)])
    return results


if __name__ == "__main__":
    import sys
    for file, (known, unknown) in compare(os.path.abspath(sys.argv[1])).items():
        print(f"== {file}: {len(known)} explained")
        print("\n".join(f"   {line}" for line in (known if "-v" in sys.argv else [])))
        print("\n".join(f" ! {line}" for line in unknown))
