import GuestSpec
import Planning
import Testing

@Suite("The plan of a launch")
struct GoldenTests {
  @Test("a guest that boots a directory is launched by exactly these steps, in this order")
  func directory() throws {
    #expect(lines(try planned()).joined(separator: "\n") == Self.directory)
  }

  @Test("with Volatile=yes the root is a tmpfs with a read-only /usr, the root's links to /usr, and a machine ID")
  func volatile() throws {
    let changed = try planned { guest, _ in guest.files.volatile = .yes }
    let expected = """
      - open (slot: 1, source: "/guests/web", attributes: [nodev], recursive: true, optional: false)
      - attach (slot: 1, source: "/guests/web", target: "/run/staging")
      + mount (type: "tmpfs", target: "/run/staging", flags: [nodev,strictatime], data: \
      "mode=0755,size=25%,nr_inodes=1m", optional: false)
      + openOwn (slot: 1, source: "/guests/web/usr", attributes: [ro,nodev])
      + makeDirectory (path: "/etc", mode: 0755)
      + makeDirectory (path: "/usr", mode: 0755)
      + makeDirectory (path: "/var", mode: 0755)
      + makeDirectory (path: "/root", mode: 0700)
      + makeDirectory (path: "/home", mode: 0755)
      + makeLink (path: "/bin", target: "usr/bin")
      + makeLink (path: "/lib64", target: "usr/lib64")
      + attach (slot: 1, source: "/guests/web/usr", target: "/usr")
      + writeFile (path: "/etc/machine-id", mode: 0444, contents: "00112233445566778899aabbccddeeff\\n")
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  @Test("with Volatile=state the root is read-only, and /var is a tmpfs")
  func state() throws {
    let changed = try planned { guest, _ in guest.files.volatile = .state }
    let expected = """
      + change (path: "/", set: [ro], recursive: true)
      + mount (type: "tmpfs", target: "/var", flags: [nosuid,nodev], data: "mode=0755,size=25%,nr_inodes=1m", \
      optional: false)
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  @Test("with Volatile=overlay changes go to a tmpfs above the root")
  func overlay() throws {
    let changed = try planned { guest, _ in guest.files.volatile = .overlay }
    let expected = """
      - open (slot: 1, source: "/guests/web", attributes: [nodev], recursive: true, optional: false)
      - attach (slot: 1, source: "/guests/web", target: "/run/staging")
      - open (slot: 2, source: "/etc/os-release", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
      optional: false)
      - open (slot: 3, source: "/run/dormouse/web.notify", attributes: [], recursive: false, optional: false)
      - attach (slot: 2, source: "/etc/os-release", target: "/run/host/os-release")
      - attach (slot: 3, source: "/run/dormouse/web.notify", target: "/run/host/notify")
      + mount (type: "tmpfs", target: "/run/staging", flags: [nodev,strictatime], data: \
      "mode=0755,size=25%,nr_inodes=1m", optional: false)
      + makeDirectory (path: "/run/staging/upper", mode: 0755)
      + makeDirectory (path: "/run/staging/work", mode: 0755)
      + mount (type: "overlay", target: "/run/staging", flags: [nodev], data: \
      "lowerdir=/guests/web,upperdir=/run/staging/upper,workdir=/run/staging/work", optional: false)
      + open (slot: 1, source: "/etc/os-release", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
      optional: false)
      + open (slot: 2, source: "/run/dormouse/web.notify", attributes: [], recursive: false, optional: false)
      + writeFile (path: "/etc/machine-id", mode: 0444, contents: "00112233445566778899aabbccddeeff\\n")
      + attach (slot: 1, source: "/etc/os-release", target: "/run/host/os-release")
      + attach (slot: 2, source: "/run/dormouse/web.notify", target: "/run/host/notify")
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  @Test("with ReadOnly=yes the root becomes read-only before anything is mounted in it")
  func readOnly() throws {
    let changed = try planned { guest, _ in guest.files.readOnly = true }
    let expected = """
      + change (path: "/", set: [ro], recursive: true)
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  @Test("with Private=yes a guest gets loopback, writable network sysctls, and CAP_NET_ADMIN")
  func privateNetwork() throws {
    let changed = try planned { guest, _ in guest.network.isPrivate = true }
    let expected = """
      - keepCapabilities (0x9decafff, untilExecuted: 0x0)
      + enter (Namespace.network, slot: network)
      + rebind (path: "/proc/sys/net", set: [nosuid,nodev,noexec], clear: [ro], optional: false)
      + bringing up the loopback interface
      + keepCapabilities (0x9decbfff, untilExecuted: 0x0)
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  @Test("where mknod(2) fails the plan binds the host's device nodes")
  func nodes() throws {
    let changed = try planned { _, facts in facts.host.mayMakeNodes = false }
    let expected = """
      - makeNode (Node.character(major: 0, minor: 0), path: "/run/host/inaccessible/chr", mode: 00)
      - makeNode (Node.block(major: 0, minor: 0), path: "/run/host/inaccessible/blk", mode: 00)
      - makeNode (Node.character(major: 1, minor: 3), path: "/dev/null", mode: 0666)
      - makeNode (Node.character(major: 1, minor: 5), path: "/dev/zero", mode: 0666)
      - makeNode (Node.character(major: 1, minor: 7), path: "/dev/full", mode: 0666)
      - makeNode (Node.character(major: 1, minor: 8), path: "/dev/random", mode: 0666)
      - makeNode (Node.character(major: 1, minor: 9), path: "/dev/urandom", mode: 0666)
      - makeNode (Node.character(major: 5, minor: 0), path: "/dev/tty", mode: 0666)
      + open (slot: 4, source: "/dev/null", attributes: [nosuid,noexec], recursive: false, optional: false)
      + open (slot: 5, source: "/dev/zero", attributes: [nosuid,noexec], recursive: false, optional: false)
      + open (slot: 6, source: "/dev/full", attributes: [nosuid,noexec], recursive: false, optional: false)
      + open (slot: 7, source: "/dev/random", attributes: [nosuid,noexec], recursive: false, optional: false)
      + open (slot: 8, source: "/dev/urandom", attributes: [nosuid,noexec], recursive: false, optional: false)
      + open (slot: 9, source: "/dev/tty", attributes: [nosuid,noexec], recursive: false, optional: false)
      + attach (slot: 4, source: "/dev/null", target: "/dev/null")
      + attach (slot: 5, source: "/dev/zero", target: "/dev/zero")
      + attach (slot: 6, source: "/dev/full", target: "/dev/full")
      + attach (slot: 7, source: "/dev/random", target: "/dev/random")
      + attach (slot: 8, source: "/dev/urandom", target: "/dev/urandom")
      + attach (slot: 9, source: "/dev/tty", target: "/dev/tty")
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  @Test("with Boot=no the command is searched in PATH, and no signal is blocked")
  func command() throws {
    let changed = try planned { guest, _ in
      guest.exec.boot = false
      guest.exec.parameters = ["serve", "--fast"]
    }
    let expected = """
      - mount (type: "tmpfs", target: "/tmp", flags: [nosuid,nodev,strictatime], data: \
      "mode=01777,size=10%,nr_inodes=1m", optional: false)
      - blockSignals [SIGRTMIN+3, SIGRTMIN+4, SIGRTMIN+5, SIGRTMIN+6, \
      SIGRTMIN+13, SIGRTMIN+14, SIGRTMIN+15, SIGRTMIN+16]
      - execute (candidates: ["/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init"], namesItself: true)
      + blockSignals []
      + execute (candidates: ["/usr/local/sbin/serve", "/usr/local/bin/serve", "/usr/sbin/serve", \
      "/usr/bin/serve", "/sbin/serve", "/bin/serve"], namesItself: false)
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  @Test("bind mounts are opened on the host and attached in the guest, shorter paths first")
  func mounts() throws {
    let changed = try planned { guest, facts in
      facts.hostSide.scratch = "/var/tmp/web"
      guest.files.mounts = [
        .bind(source: "/srv/a", destination: "/deep/er/a", readOnly: true, recursive: true, optional: false),
        .bind(source: "/srv/b", destination: "/b", readOnly: false, recursive: false, optional: true),
        .bind(source: "", destination: "/fresh", readOnly: false, recursive: true, optional: false),
        .temporaryFileSystem(path: "/cache", options: "size=1m,ro"),
        .inaccessible(path: "/secret"),
      ]
    }
    let expected = """
      + open (slot: 4, source: "/srv/b", attributes: [], recursive: false, optional: true)
      + makeDirectory (path: "/var/tmp/web/0", mode: 0755)
      + open (slot: 5, source: "/var/tmp/web/0", attributes: [], recursive: true, optional: false)
      + open (slot: 6, source: "/srv/a", attributes: [ro], recursive: true, optional: false)
      + attach (slot: 4, source: "/srv/b", target: "/b")
      + attach (slot: 5, source: "/var/tmp/web/0", target: "/fresh")
      + makeDirectory (path: "/cache", mode: 0755)
      + mount (type: "tmpfs", target: "/cache", flags: [ro,nodev,strictatime], data: "mode=0755,size=1m", \
      optional: false)
      + mask (path: "/secret", optional: false)
      + attach (slot: 6, source: "/srv/a", target: "/deep/er/a")
      """
    #expect(changes(from: try planned(), to: changed).joined(separator: "\n") == expected)
  }

  static let directory = """
    setUmask 0
    starting a session
    making a session keyring
    propagate (Propagation.slave, path: "/")
    open (slot: 1, source: "/guests/web", attributes: [nodev], recursive: true, optional: false)
    attach (slot: 1, source: "/guests/web", target: "/run/staging")
    propagate (Propagation.private, path: "/run/staging")
    open (slot: 2, source: "/etc/os-release", attributes: [ro,nosuid,nodev,noexec], recursive: false, optional: \
    false)
    open (slot: 3, source: "/run/dormouse/web.notify", attributes: [], recursive: false, optional: false)
    switchRoot (staging: "/run/staging")
    makeDirectory (path: "/dev", mode: 0755)
    makeDirectory (path: "/proc", mode: 0555)
    makeDirectory (path: "/run", mode: 0755)
    makeDirectory (path: "/sys", mode: 0555)
    makeDirectory (path: "/tmp", mode: 01777)
    mount (type: "tmpfs", target: "/run", flags: [nosuid,nodev], data: "mode=0755,size=20%,nr_inodes=800k", \
    optional: false)
    mount (type: "tmpfs", target: "/tmp", flags: [nosuid,nodev,strictatime], data: \
    "mode=01777,size=10%,nr_inodes=1m", optional: false)
    makeDirectory (path: "/run/host", mode: 0755)
    mount (type: "tmpfs", target: "/run/host", flags: [nosuid,nodev,noexec], data: \
    "mode=0755,size=4m,nr_inodes=1k", optional: false)
    writeFile (path: "/run/host/container-manager", mode: 0444, contents: "dormouse\\n")
    writeFile (path: "/run/host/container-uuid", mode: 0444, contents: "00112233-4455-6677-8899-aabbccddeeff\\n")
    attach (slot: 2, source: "/etc/os-release", target: "/run/host/os-release")
    attach (slot: 3, source: "/run/dormouse/web.notify", target: "/run/host/notify")
    writeFile (path: "/run/host/proc-sys-kernel-random-boot-id", mode: 0444, contents: \
    "01234567-89ab-cdef-0123-456789abcdef\\n")
    makeDirectory (path: "/run/host/inaccessible", mode: 0755)
    makeDirectory (path: "/run/host/inaccessible/dir", mode: 00)
    makeNode (Node.file, path: "/run/host/inaccessible/reg", mode: 00)
    makeNode (Node.fifo, path: "/run/host/inaccessible/fifo", mode: 00)
    makeNode (Node.socket, path: "/run/host/inaccessible/sock", mode: 00)
    makeNode (Node.character(major: 0, minor: 0), path: "/run/host/inaccessible/chr", mode: 00)
    makeNode (Node.block(major: 0, minor: 0), path: "/run/host/inaccessible/blk", mode: 00)
    mount (type: "tmpfs", target: "/sys", flags: [nosuid,nodev,noexec], data: "mode=0755,size=4m,nr_inodes=1k", \
    optional: false)
    makeDirectory (path: "/sys/.whole", mode: 00)
    mount (type: "sysfs", target: "/sys/.whole", flags: [nosuid,nodev,noexec], data: "", optional: false)
    bindOwn (source: "/sys/.whole/block", target: "/sys/block", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
    optional: true)
    bindOwn (source: "/sys/.whole/bus", target: "/sys/bus", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
    optional: true)
    bindOwn (source: "/sys/.whole/class", target: "/sys/class", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
    optional: true)
    bindOwn (source: "/sys/.whole/dev", target: "/sys/dev", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
    optional: true)
    bindOwn (source: "/sys/.whole/devices", target: "/sys/devices", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
    optional: true)
    bindOwn (source: "/sys/.whole/kernel", target: "/sys/kernel", attributes: [ro,nosuid,nodev,noexec], recursive: false, \
    optional: true)
    detach (path: "/sys/.whole")
    makeDirectory (path: "/sys/fs", mode: 0755)
    makeDirectory (path: "/sys/fs/cgroup", mode: 0755)
    mount (type: "tmpfs", target: "/dev", flags: [nosuid,strictatime], data: "mode=0755,size=4m,nr_inodes=64k", \
    optional: false)
    makeNode (Node.character(major: 1, minor: 3), path: "/dev/null", mode: 0666)
    makeNode (Node.character(major: 1, minor: 5), path: "/dev/zero", mode: 0666)
    makeNode (Node.character(major: 1, minor: 7), path: "/dev/full", mode: 0666)
    makeNode (Node.character(major: 1, minor: 8), path: "/dev/random", mode: 0666)
    makeNode (Node.character(major: 1, minor: 9), path: "/dev/urandom", mode: 0666)
    makeNode (Node.character(major: 5, minor: 0), path: "/dev/tty", mode: 0666)
    makeLink (path: "/dev/fd", target: "/proc/self/fd")
    makeLink (path: "/dev/stdin", target: "/proc/self/fd/0")
    makeLink (path: "/dev/stdout", target: "/proc/self/fd/1")
    makeLink (path: "/dev/stderr", target: "/proc/self/fd/2")
    makeLink (path: "/dev/core", target: "/proc/kcore")
    makeLink (path: "/dev/ptmx", target: "pts/ptmx")
    makeLink (path: "/dev/console", target: "pts/0")
    makeDirectory (path: "/dev/pts", mode: 0755)
    attachTerminals (target: "/dev/pts")
    makeDirectory (path: "/dev/shm", mode: 01777)
    mount (type: "tmpfs", target: "/dev/shm", flags: [nosuid,nodev], data: \
    "mode=01777,size=10%,nr_inodes=400k", optional: false)
    makeDirectory (path: "/dev/mqueue", mode: 0755)
    change (path: "/sys", set: [ro], recursive: false)
    change (path: "/run/host", set: [ro], recursive: false)
    limit (Resource.cpu, soft: 18446744073709551615, hard: 18446744073709551615)
    limit (Resource.fileSize, soft: 18446744073709551615, hard: 18446744073709551615)
    limit (Resource.data, soft: 18446744073709551615, hard: 18446744073709551615)
    limit (Resource.stack, soft: 8388608, hard: 18446744073709551615)
    limit (Resource.core, soft: 0, hard: 18446744073709551615)
    limit (Resource.residentSet, soft: 18446744073709551615, hard: 18446744073709551615)
    limit (Resource.processes, soft: 4096, hard: 4096)
    limit (Resource.descriptors, soft: 524288, hard: 524288)
    limit (Resource.lockedMemory, soft: 8388608, hard: 8388608)
    limit (Resource.addressSpace, soft: 18446744073709551615, hard: 18446744073709551615)
    limit (Resource.locks, soft: 18446744073709551615, hard: 18446744073709551615)
    limit (Resource.pendingSignals, soft: 4096, hard: 4096)
    limit (Resource.messageQueues, soft: 819200, hard: 819200)
    limit (Resource.nice, soft: 0, hard: 0)
    limit (Resource.realtimePriority, soft: 0, hard: 0)
    limit (Resource.realtimeTime, soft: 18446744073709551615, hard: 18446744073709551615)
    mount (type: "proc", target: "/proc", flags: [nosuid,nodev,noexec], data: "", optional: false)
    rebind (path: "/proc/sys", set: [ro,nosuid,nodev,noexec], clear: [], optional: false)
    rebind (path: "/proc/acpi", set: [ro,nosuid,nodev,noexec], clear: [], optional: true)
    rebind (path: "/proc/apm", set: [ro,nosuid,nodev,noexec], clear: [], optional: true)
    rebind (path: "/proc/asound", set: [ro,nosuid,nodev,noexec], clear: [], optional: true)
    rebind (path: "/proc/bus", set: [ro,nosuid,nodev,noexec], clear: [], optional: true)
    rebind (path: "/proc/fs", set: [ro,nosuid,nodev,noexec], clear: [], optional: true)
    rebind (path: "/proc/irq", set: [ro,nosuid,nodev,noexec], clear: [], optional: true)
    rebind (path: "/proc/scsi", set: [ro,nosuid,nodev,noexec], clear: [], optional: true)
    mask (path: "/proc/kallsyms", optional: true)
    mask (path: "/proc/kcore", optional: true)
    mask (path: "/proc/keys", optional: true)
    mask (path: "/proc/sysrq-trigger", optional: true)
    mask (path: "/proc/timer_list", optional: true)
    bindOwn (source: "/run/host/proc-sys-kernel-random-boot-id", target: "/proc/sys/kernel/random/boot_id", \
    attributes: [ro,nosuid,nodev,noexec], recursive: false, optional: false)
    waiting for the guest's cgroup
    making a cgroup namespace
    mount (type: "cgroup2", target: "/sys/fs/cgroup", flags: [nosuid,nodev,noexec], data: "", optional: false)
    mount (type: "mqueue", target: "/dev/mqueue", flags: [nosuid,nodev,noexec], data: "", optional: true)
    propagate (Propagation.shared, path: "/")
    setHostname "web"
    setUmask 18
    openConsole (path: "/dev/console")
    limit (Resource.fileSize, soft: 18446744073709551615, hard: 18446744073709551615)
    limit (Resource.descriptors, soft: 1024, hard: 524288)
    keepCapabilities (0x9decafff, untilExecuted: 0x0)
    blockSignals [SIGRTMIN+3, SIGRTMIN+4, SIGRTMIN+5, SIGRTMIN+6, \
    SIGRTMIN+13, SIGRTMIN+14, SIGRTMIN+15, SIGRTMIN+16]
    filterSystemCalls 2 rules, otherwise deny
    filterSystemCalls 3 rules, otherwise allow
    execute (candidates: ["/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init"], namesItself: true)
    """
}
