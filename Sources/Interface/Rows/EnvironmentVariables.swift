/// The rows of the section "Environment Variables".
let environmentVariableRows = [
  Row("EV-1a", .must, "$container names the manager") { seen in
    guard let manager = seen.process.environment["container"], !manager.isEmpty else { return .missed("it is not set") }
    guard seen.isSystemd else { return .holds }
    let reported = seen.line("/run/systemd/container")
    return .holds(if: reported == manager, else: "systemd in the guest reports \(reported ?? "nothing")")
  },
  Row("EV-2a", .may, "$container_uuid is the machine ID and the same at each start") { seen in
    guard let uuid = seen.process.environment["container_uuid"] else { return .missed("it is not set") }
    guard let id = seen.line("/etc/machine-id") else { return .holds }
    return .holds(if: id == uuid.withoutDashes, else: "it is \(uuid), but /etc/machine-id contains \(id)")
  },
  Row("EV-2b", .must, "no two running guests have the same $container_uuid") { seen in
    let uuid = seen.process.environment["container_uuid"]
    return .holds(if: uuid.map(seen.daemon.otherUUIDs.contains) != true, else: "another guest has it too")
  },
  Row("EV-3a", .may, "$container_ttys names terminals in the guest whose master side is open") { seen in
    if seen.terminals.isEmpty { return .notApplicable("the guest has no Terminals=") }
    let there = seen.file("/dev/pts")?.names ?? []
    let missing = seen.terminals.filter { !$0.hasPrefix("pts/") || !there.contains(String($0.dropFirst(4))) }
    if !missing.isEmpty { return .missed("missing: " + missing.joined(separator: " ")) }
    let lost = seen.terminals.filter { !seen.heldTerminals.contains($0) }
    return .holds(if: lost.isEmpty, else: "no process holds the master side of " + lost.joined(separator: " "))
  },
  Row("EV-4a", .may, "$container_host_id and similar variables match the host's os-release") { seen in
    let wrong = ["ID", "BUILD_ID", "VARIANT_ID", "VERSION_ID"].filter { field in
      seen.process.environment["container_host_" + field.lowercased()] != seen.hostField(field)
    }
    return .holds(if: wrong.isEmpty, else: wrong.joined(separator: " ") + " differ")
  },
  Row("EV-5a", .may, "$CREDENTIALS_DIRECTORY is a read-only ramfs") { seen in
    guard let directory = seen.process.environment["CREDENTIALS_DIRECTORY"] else {
      return .notApplicable("the guest has no credentials")
    }
    return seen.mounted(directory, ["ramfs"], readOnly: true)
  },
  Row("EV-6", .must, "$NOTIFY_SOCKET is set, and $LISTEN_FDS and $LISTEN_PID if there are sockets") { seen in
    guard seen.process.environment["NOTIFY_SOCKET"] != nil else { return .missed("NOTIFY_SOCKET is not set") }
    let reported = seen.process.environment["LISTEN_FDS"] != nil && seen.process.environment["LISTEN_PID"] != nil
    return .holds(
      if: reported == (seen.daemon.sockets > 0), else: "LISTEN_FDS and LISTEN_PID do not match the sockets")
  },
  Row("EV-7", .should, "systemd 262 or later is told systemd.firstboot=headless") { seen in
    let words = seen.process.arguments.filter { $0.hasPrefix("systemd.firstboot=") }
    return seen.ofSystemd(
      from: 262, .holds(if: words == ["systemd.firstboot=headless"], else: "it is told \(words.joined(separator: " "))")
    )
  },
]
