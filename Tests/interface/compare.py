"""Starts the guest of each .nspawn file under systemd-nspawn and under Dormouse, and compares the environment of process 1."""

import glob
import os
import re
import shutil
import socket
import subprocess

import world

# The intended differences: a pattern for the line that describes a difference, and the reason.
RULES = [
    (r"environment container: ", "each manager has its own name"),
    (r"environment (LISTEN_FDNAMES|LISTEN_FDS|LISTEN_PID): ", "Dormouse names the descriptors that it passes"),
    (r"environment container_uuid: ", "systemd-nspawn makes a new ID for a root without one, Dormouse the same ID at each start"),
    (r"environment TERM: ", "systemd-nspawn 252 passes the name of its own terminal; later versions and Dormouse set dumb"),
    (r"environment LANG: nspawn C.UTF-8, dormouse -", "systemd-nspawn sets it for a guest without Boot=yes"),
    (r"environment NOTIFY_SOCKET: ", "Dormouse receives the notifications of every process 1"),
    (r"argument systemd.firstboot=(off|headless)", "nobody is at the console to answer systemd-firstboot"),
    (r"inherited capabilities: ", "only programs with set-user-ID need them, and in a container they were CVE-2022-24769"),
    (r"capability audit_(control|write): nspawn Bnd Eff Prm, dormouse -", "the Container Interface asks managers to drop them (DN-8)"),
    (r"capability net_bind_service: nspawn -,", "systemd-nspawn drops it with private users in the host's network;"
     " in a user namespace it has no effect there"),
    (r"mount /proc/(kallsyms|kcore|keys|sysrq-trigger|timer_list): ", "systemd-nspawn before 260 tries to mask it and fails"),
    (r"mount /proc/(acpi|apm|asound|bus|fs|irq|scsi): ", "both bind those that exist read-only"),
    (r"mount /run/host(/[\w/-]+)?: ", "Dormouse has more of the Container Interface's directories, each as a mount of its own"),
    (r"mount /dev/(null|zero|full|random|urandom|tty|net/tun|fuse|console|ptmx): ", "nodes that cannot be created are bound"),
    (r"mount /dev/net/tun: ", "Dormouse creates only the devices that the Container Interface names"),
    (r"mount /sys(/\w+)?: nspawn (sysfs|-)", "systemd-nspawn shows all of /sys where the guest uses the host's network"),
    (r"mount /tmp: nspawn tmpfs nodev nosuid, dormouse -", "Dormouse keeps the /tmp of the root for a program that is not an init"),
    (r"mount /proc/sys/kernel/random/boot_id: ", "both mask it, from different sources"),
    (r"mount /proc/kmsg: ", "both mask it, from different sources"),
    (r"mount /etc/resolv.conf: |mount /etc/localtime: ", "systemd-nspawn binds the file of the host"),
    (r"limit .*dormouse (unlimited|\d+)", "the kernel's default for process 1; systemd-nspawn copies more from its own process 1"),
    (r"seccomp: ", "the managers use different numbers of filters"),
    (r"users: ", "each manager picks its own range"),
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
            # It becomes /var/lib/machines, which is closed to others on a host with systemd-container.
            os.mkdir(self.path(manager), 0o700)
            for name in names:
                root = self.path(f"{manager}/{name}")
                for place in ("etc", "usr/bin", "usr/lib/systemd", "proc", "sys", "dev", "run", "tmp", "var", "srv", "root"):
                    os.makedirs(os.path.join(root, place))
                os.symlink("usr/bin", root + "/bin")
                os.symlink("usr/bin", root + "/sbin")
                # A program without requirements, at the paths from which guests with Boot=yes and Boot=no start it.
                shutil.copy(init, root + "/usr/lib/systemd/systemd")
                shutil.copy(init, root + "/usr/bin/application")
                with open(root + "/etc/os-release", "w") as release:
                    release.write("ID=tiny\nVERSION_ID=1\n")
                open(root + "/etc/machine-id", "w").close()

    def under_nspawn(self, name):
        """The facts about process 1 of the guest, or about its payload."""
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
    """The process ID of the guest's payload: process 1, or the child of a small init. None before it has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        for process in (pid, *map(int, children.read().split())):
            if os.path.basename(os.readlink(f"/proc/{process}/exe")) in ("systemd", "application"):
                # During execve(2), /proc shows the new program before its environment.
                with open(f"/proc/{process}/environ") as environment:
                    return process if environment.read(1) else None
    return None


def facts(pid, manager):
    """Facts about process `pid`, by name. `manager` is a process in the namespaces of the manager."""
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
    """Lines that describe the differences between two guests."""
    for name in sorted(peer.keys() | ours.keys()):
        left, right = peer.get(name, "-"), ours.get(name, "-")
        if left != right:
            yield f"{name}: nspawn {left}, dormouse {right}"


def is_stricter(line):
    """Whether a line is about a mount of the same type under both managers, with at least the same flags under Dormouse."""
    kinds = re.fullmatch(r"mount \S+: nspawn (\w+)(.*), dormouse (\w+)(.*)", line)
    return kinds and kinds[1] == kinds[3] and set(kinds[2].split()) <= set(kinds[4].split())


def explain(line):
    if is_stricter(line):
        return "the same file system, with more restrictive flags"
    return next((reason for pattern, reason in RULES if re.search(pattern, line)), None)


def compare(programs):
    """Compares all files. Returns, by file, the explained differences and the others."""
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
                except Exception as trouble:  # continue with the other files
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
