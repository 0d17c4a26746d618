"""Runs the attempts of Tests/hostile/guest, without and with private users."""

import glob
import os
import subprocess

import world

GUEST = """[Exec]
Boot=no
NotifyReady=yes
PrivateUsers={users}
Parameters=/sbin/init --victim={victim}
[Files]
BindReadOnly={readonly}:/ro
[Guest]
Directory={root}
IdleStopSec=infinity
"""
EXPLAINED = {
    ("no", "HG-19"): "without private users, root in the guest may mount, and this host still has cgroup 1, where any such root"
                     " may set a release agent",
}


def attempts(programs):
    """Returns, by row, the attempt and its result by PrivateUsers=: (what, {users: (verdict, why)})."""
    rows = {}
    with world.World(programs) as space:
        program, readonly = space.path("hostile"), space.path("readonly")
        sources = glob.glob("Tests/hostile/guest/*.c", root_dir=world.SOURCE)
        world.compile_c(program, *sources)
        subprocess.run([program, "--plant"], check=True)
        os.mkdir(readonly)
        with open(readonly + "/file", "w") as file:
            file.write("x")
        for users in ("no", "pick"):
            root = world.tiny_root(space.path("root-" + users), program)
            space.add("bad-" + users, GUEST.format(users=users, victim=os.getpid(), readonly=readonly, root=root))
        space.start_daemon()
        before = os.uname().nodename
        for users in ("no", "pick"):
            woken = space.dormouse("wake", "bad-" + users)
            lines = (space.status("bad-" + users, "--console")["console"] or "").splitlines()
            tried = [line.split(" ", 2) for line in lines if line.startswith("HG-")]
            if not tried:
                rows.setdefault("HG-01", ("start", {}))[1][users] = ("BROKEN", woken.stderr.strip())
            for row, verdict, words in tried:
                what, _, why = words.partition(": ")
                rows.setdefault(row, (what, {}))[1][users] = (verdict, why)
            if "dormouse-hostile" in open("/proc/self/mountinfo").read():
                rows["HG-13"][1][users] = ("BROKEN", "the host sees the mount")
            if os.uname().nodename != before:
                rows["HG-37"][1][users] = ("BROKEN", "the host has another name")
        for (users, row), reason in EXPLAINED.items():
            if rows.get(row, ("", {}))[1].get(users, ("held",))[0] == "BROKEN":
                rows[row][1][users] = ("explained", reason)
    return rows
