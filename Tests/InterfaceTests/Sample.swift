@testable import Interface

extension Observation {
  /// A guest for which every row holds that an observation can show.
  static var good: Observation {
    var seen = Observation(name: "web")
    seen.mounts = goodMounts
    seen.hostMounts = [mount("/", "ext4", shared: 1), mount("/run", "tmpfs", shared: 2)]
    seen.files = goodFiles
    seen.process.environment = [
      "container": "dormouse", "container_uuid": "01234567-89ab-cdef-0123-456789abcdef",
      "container_ttys": "pts/1 pts/2",
      "container_host_id": "debian", "container_host_version_id": "12", "NOTIFY_SOCKET": "/run/host/notify",
      "LISTEN_FDS": "1", "LISTEN_PID": "1", "CREDENTIALS_DIRECTORY": "/run/host/credentials",
    ]
    seen.process.arguments = ["systemd.firstboot=headless"]
    seen.systemd = 262
    seen.process.status = ["Pid": "4711", "CapBnd": "000000000f200000", "SigBlk": "0000001000000000", "SigCgt": "0"]
    seen.process.ownNamespaces = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
    seen.process.userMap = [UserRange(inside: 0, outside: 524_288, count: 65536)]
    seen.process.hostname = "box"
    seen.cgroups.guest = "/machine.slice/dormouse-web.3.scope/web.3.guest/payload/init.scope"
    seen.cgroups.below = ["console-getty.service", "init.scope"]
    seen.cgroups.unit = "/machine.slice/dormouse-web.3.scope"
    seen.cgroups.isDelegated = true
    seen.cgroups.devicePrograms = 1
    seen.consoleIsHeld = true
    seen.heldTerminals = ["pts/1", "pts/2"]
    seen.interfaces = ["lo", "host0"]
    seen.host.osRelease = "ID=debian\nVERSION_ID=\"12\"\n"
    seen.host.timezone = "Europe/Berlin"
    seen.host.journals = ["0123456789abcdef0123456789abcdef"]
    seen.host.hasSELinux = true
    seen.host.machines = ["web": ["CLASS": "container", "LEADER": "4711", "SCOPE": "dormouse.service"]]
    seen.host.interfaces = ["lo", "ve-web"]
    seen.host.exportsSockets = true
    (seen.daemon.sockets, seen.daemon.adopted) = (1, 1)
    (seen.daemon.werePassed, seen.daemon.isReady, seen.daemon.lastStopWasKill) = (true, true, false)
    return seen
  }

  private static var goodMounts: [Mount] {
    [
      mount("/", "ext4"), mount("/proc", "proc"), mount("/proc/sys", "proc", "ro"), mount("/proc/sys/net", "proc"),
      mount("/sys", "tmpfs", "ro"), mount("/sys/fs/selinux", "selinuxfs", "ro"), mount("/sys/fs/cgroup", "cgroup2"),
      mount("/dev", "tmpfs"), mount("/run/host/credentials", "ramfs", "ro"),
      Mount(
        root: "/", target: "/run/host/incoming", type: "tmpfs", options: ["ro"], propagation: ["shared:10", "master:9"]),
    ]
  }

  private static func mount(_ target: String, _ type: String, _ option: String = "rw", shared: Int = 10) -> Mount {
    Mount(root: "/", target: target, type: type, options: [option, "nosuid"], propagation: ["shared:\(shared)"])
  }

  private static var goodFiles: [String: File] {
    var files: [String: File] = [:]
    for device in devices { files["/dev/" + device.name] = node(device.major, device.minor) }
    files["/dev/console"] = node(136, 0)
    files["/dev/fd"] = linked("/proc/self/fd")
    files["/dev"] = directory("null", "pts")
    files["/dev/pts"] = directory("0", "1", "2", "ptmx")
    files["/etc/hostname"] = text("box\n")
    files["/etc/localtime"] = linked("../usr/share/zoneinfo/Europe/Berlin")
    files["/etc/machine-id"] = text("0123456789abcdef0123456789abcdef\n")
    files["/proc/sys"] = directory()
    files["/run/host"] = directory(isReadOnly: true)
    files["/run/host/container-manager"] = text("dormouse\n")
    files["/run/host/container-uuid"] = text("01234567-89ab-cdef-0123-456789abcdef\n")
    files["/run/host/os-release"] = text("ID=debian\nVERSION_ID=\"12\"\n")
    files["/run/host/notify"] = File(.socket, mode: 0o200, owner: 524_288, isReadOnly: false)
    files["/run/host/unix-export"] = directory()
    files["/run/host/unix-export/ssh"] = File(.socket, mode: 0o666, owner: 524_288, isReadOnly: false)
    files["/run/host/userdb"] = directory("root.user", isReadOnly: true)
    files["/run/host/home"] = directory("root")
    files["/run/systemd/container"] = text("dormouse\n")
    files["/sys"] = directory(isReadOnly: true)
    files["/sys/class/net/host0"] = directory()
    files["/sys/class/net/host0/address"] = text("02:11:22:33:44:55\n")
    files["/sys/fs/cgroup/cgroup.procs"] = text("")
    files["/usr/share/zoneinfo"] = directory()
    for name in inaccessible {
      files["/run/host/inaccessible/" + name] = File(.regular, mode: 0, owner: 0, isReadOnly: false)
    }
    return files
  }

  static func directory(_ names: String..., isReadOnly: Bool = false) -> File {
    var file = File(.directory, mode: 0o755, owner: 524_288, isReadOnly: isReadOnly)
    file.names = Set(names)
    return file
  }

  static func text(_ text: String) -> File {
    var file = File(.regular, mode: 0o644, owner: 524_288, isReadOnly: false)
    file.text = text
    return file
  }

  static func linked(_ target: String) -> File {
    var file = File(.directory, mode: 0o755, owner: 0, isReadOnly: false)
    file.link = target
    return file
  }

  static func node(_ major: UInt32, _ minor: UInt32) -> File {
    var file = File(.character, mode: 0o666, owner: 0, isReadOnly: false)
    (file.major, file.minor) = (major, minor)
    return file
  }
}
