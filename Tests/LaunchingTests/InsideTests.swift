import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("The environment of PID 1")
struct InsideTests {
  @Test("the payload has PID 1, and its output arrives at the console's master")
  func first() throws {
    #expect(try TestGuest().output(of: "echo I am $$") == "I am 1\n")
  }

  @Test("PID 1 finds the mounts of the Container Interface, read-only where that demands it")
  func mounts() throws {
    let text = try TestGuest().output(of: "cat /proc/self/mountinfo")
    let found = MountInfo.parse(text).map { mount in
      let flags = ["ro", "nosuid", "nodev", "noexec"].filter(mount.options.contains)
      return ([mount.target, mount.type] + flags).joined(separator: " ")
    }
    let expected = [
      "/ tmpfs nodev", "/proc proc nosuid nodev noexec", "/proc/sys proc ro nosuid nodev noexec",
      "/proc/kallsyms tmpfs ro nosuid nodev noexec", "/sys tmpfs ro nosuid nodev noexec",
      "/sys/devices sysfs ro nosuid nodev noexec", "/sys/kernel sysfs ro nosuid nodev noexec",
      "/sys/fs/cgroup cgroup2 nosuid nodev noexec", "/dev tmpfs nosuid", "/dev/pts devpts nosuid noexec",
      "/dev/shm tmpfs nosuid nodev", "/run tmpfs nosuid nodev", "/run/host tmpfs ro nosuid nodev noexec",
    ]
    for mount in expected { #expect(found.contains(mount), "\(mount) in \(found)") }
    let usr = found.first { $0.hasPrefix("/usr ") }
    #expect(usr?.contains(" ro") == true && usr?.contains(" nodev") == true)
  }

  @Test("every mount of a guest is shared")
  func shared() throws {
    let mounts = MountInfo.parse(try TestGuest().output(of: "cat /proc/self/mountinfo"))
    #expect(!mounts.isEmpty)
    for mount in mounts {
      #expect(mount.propagation.contains { $0.hasPrefix("shared:") }, "\(mount.target)")
    }
  }

  @Test("the environment of PID 1 is the plan's, with nothing of the daemon's")
  func environment() throws {
    let guest = try TestGuest()
    let spec = guest.shell("tr '\\0' '\\n' </proc/1/environ")
    let plan = try plan(spec, guest.facts(for: spec))
    let expected = plan.environment.map { "\($0.name)=\($0.value)\n" }.joined()
    #expect(try guest.output(of: plan) == expected)
  }

  @Test("PID 1 has the umask, the session, the host name and the limits of a machine's PID 1")
  func process() throws {
    let guest = try TestGuest()
    let text = try guest.output(of: "umask; uname -n; grep ^NSsid /proc/1/status; ulimit -n; ulimit -Sc")
    #expect(text == "0022\n\(guest.name)\nNSsid:\t1\n1024\n0\n")
  }

  @Test(
    "PID 1 starts with no signal blocked or ignored, and with the capabilities that the Container Interface demands")
  func status() throws {
    // Not by a shell, which changes its own signal mask.
    let text = try TestGuest().output(of: "") { $0.exec.parameters = ["/bin/cat", "/proc/self/status"] }
    var fields: [Substring: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":\t")
      if parts.count == 2 { fields[parts[0]] = UInt64(parts[1], radix: 16) }
    }
    for field in ["SigBlk", "SigIgn", "CapInh", "CapAmb", "NoNewPrivs"] { #expect(fields[field[...]] == 0, "\(field)") }
    for field in ["CapBnd", "CapEff", "CapPrm"] {
      let value = fields[field[...]] ?? 0
      // SYS_ADMIN and MKNOD stay; the AUDIT_ ones, NET_ADMIN, SYS_MODULE, SYS_RAWIO, SYS_TIME and SYSLOG do not.
      for kept in [21, 27] { #expect(value >> kept & 1 == 1, "\(field) \(kept)") }
      for dropped in [12, 16, 17, 25, 29, 30, 34, 37] { #expect(value >> dropped & 1 == 0, "\(field) \(dropped)") }
    }
  }

  @Test("a guest cannot write to /proc/sys, /sys and /run/host")
  func readOnly() throws {
    let text = try TestGuest().output(
      of:
        "for f in /proc/sys/vm/overcommit_memory /sys/x /run/host/x /proc/sys/net/ipv4/ip_forward; do echo 0 >$f; done")
    #expect(text.matches(of: /Read-only file system/).count == 4, "\(text)")
  }

  @Test("a guest's /sys shows only the directories of sysfs that are of use to a guest")
  func shownOfSys() throws {
    let text = try TestGuest().output(of: "cd /sys && echo * && echo fs/* && echo class/net/lo/m*")
    #expect(text == "block bus class dev devices fs kernel\nfs/cgroup\nclass/net/lo/mtu\n")
  }

  @Test("the files of /proc that show the host's kernel are empty in a guest")
  func masked() throws {
    let text = try TestGuest().output(
      of: "for f in kallsyms kcore keys sysrq-trigger timer_list; do test -e /proc/$f && wc -c </proc/$f; done")
    #expect(!text.isEmpty)
    #expect(text.split(separator: "\n").allSatisfy { $0 == "0" }, "\(text)")
  }

  @Test("a guest's /dev has the nodes of the Container Interface and no other")
  func devices() throws {
    let text = try TestGuest().output(
      of: "cd /dev; stat -c '%n %F %t:%T %a' null zero full random urandom tty; ls -1; readlink console ptmx fd; tty")
    #expect(
      text == """
        null character special file 1:3 666
        zero character special file 1:5 666
        full character special file 1:7 666
        random character special file 1:8 666
        urandom character special file 1:9 666
        tty character special file 5:0 666
        console
        core
        fd
        full
        mqueue
        null
        ptmx
        pts
        random
        shm
        stderr
        stdin
        stdout
        tty
        urandom
        zero
        pts/0
        pts/ptmx
        /proc/self/fd
        /dev/pts/0

        """)
  }

  @Test(
    "a guest can neither make nor open a device of the host, unless the device is bound",
    .enabled(if: Cgroup2.canRestrictDevices))
  func foreignDevices() throws {
    let text = try TestGuest().output(
      of: "mknod /b b 8 0; mknod /k c 1 11; mknod /dev/n c 1 3 && echo x >/dev/n && echo null; "
        + "head -c 0 /fuse && echo fuse"
    ) {
      $0.files.mounts = [
        .bind(source: "/dev/fuse", destination: "/fuse", readOnly: false, recursive: true, optional: false)
      ]
    }
    #expect(text == "mknod: /b: Operation not permitted\nmknod: /k: Operation not permitted\nnull\nfuse\n")
  }

  @Test("a guest's /run/host names the container manager, and has an inaccessible file of every kind")
  func runHost() throws {
    let guest = try TestGuest()
    let text = try guest.output(
      of: "cd /run/host; cat container-manager container-uuid /etc/machine-id; "
        + "stat -c '%n %F %a %t:%T' inaccessible/*; cmp os-release /usr/lib/os-release && echo same")
    #expect(
      text == """
        dormouse
        01234567-89ab-cdef-0123-456789abcdef
        0123456789abcdef0123456789abcdef
        inaccessible/blk block special file 0 0:0
        inaccessible/chr character special file 0 0:0
        inaccessible/dir directory 0 0:0
        inaccessible/fifo fifo 0 0:0
        inaccessible/reg regular empty file 0 0:0
        inaccessible/sock socket 0 0:0
        same

        """)
  }

  @Test("a guest sees its cgroup as the root of the tree, and can make cgroups in it")
  func cgroup() throws {
    let guest = try TestGuest()
    let text = try guest.output(of: "grep ^0: /proc/1/cgroup; mkdir /sys/fs/cgroup/inner && ls -d /sys/fs/cgroup/inner")
    #expect(text == "0::/\n/sys/fs/cgroup/inner\n")
    #expect(access(guest.cgroup.path + "/payload/inner", F_OK) == 0)
  }

  @Test("a guest with Private=yes has a network of its own with loopback up, and can write to its sysctls")
  func privateNetwork() throws {
    let text = try TestGuest().output(
      of:
        "cat /proc/net/dev | grep -c :; cat /sys/class/net/lo/flags; echo 1 >/proc/sys/net/ipv4/ip_forward && echo set; "
        + "grep -q 0100007F:0 /proc/net/fib_trie; ls /sys/class/net"
    ) { $0.network.isPrivate = true }
    let lines = text.split(separator: "\n")
    #expect(lines.contains("set"), "\(text)")
    // IFF_UP, IFF_LOOPBACK
    #expect(lines.contains("0x9"), "\(text)")
    #expect(lines.last == "lo" || lines.contains("lo"), "\(text)")
  }

  @Test("a guest without Private= is in the host's network namespace")
  func sharedNetwork() throws {
    var own = [CChar](repeating: 0, count: 64)
    readlink("/proc/self/ns/net", &own, 63)
    let text = try TestGuest().output(of: "readlink /proc/self/ns/net")
    #expect(text == String(decoding: own.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + "\n")
  }
}
