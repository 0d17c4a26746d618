extension Row {
  /// "Environment Variables".
  static let environmentVariables = [
    Row("EV-1a", .must, "$container says what the manager is") { seen in
      guard let manager = seen.environment["container"], !manager.isEmpty else { return .missed("it is not set") }
      guard seen.isSystemd else { return .holds }
      let told = seen.line("/run/systemd/container")
      return .holds(if: told == manager, else: "systemd in the guest says \(told ?? "nothing")")
    },
    Row("EV-2a", .may, "$container_uuid is the machine's ID, the same at each start") { seen in
      guard let uuid = seen.environment["container_uuid"] else { return .missed("it is not set") }
      guard let id = seen.line("/etc/machine-id") else { return .holds }
      return .holds(if: id == uuid.withoutDashes, else: "it is \(uuid), and /etc/machine-id says \(id)")
    },
    Row("EV-2b", .must, "no two guests that run have the same $container_uuid") { seen in
      let uuid = seen.environment["container_uuid"]
      return .holds(if: uuid.map(seen.daemon.otherUUIDs.contains) != true, else: "another guest has it too")
    },
    Row("EV-3a", .may, "$container_ttys names terminals of the guest's own, whose masters are held") { seen in
      if seen.terminals.isEmpty { return .notApplicable("no terminals were asked for") }
      let there = seen.file("/dev/pts")?.names ?? []
      let missing = seen.terminals.filter { !$0.hasPrefix("pts/") || !there.contains(String($0.dropFirst(4))) }
      if !missing.isEmpty { return .missed(missing.joined(separator: " ") + " is not there") }
      let lost = seen.terminals.filter { !seen.heldTerminals.contains($0) }
      return .holds(if: lost.isEmpty, else: "nobody is behind " + lost.joined(separator: " "))
    },
    Row("EV-4a", .may, "$container_host_id and its like are the host's os-release") { seen in
      let wrong = ["ID", "BUILD_ID", "VARIANT_ID", "VERSION_ID"].filter { field in
        seen.environment["container_host_" + field.lowercased()] != seen.hostField(field)
      }
      return .holds(if: wrong.isEmpty, else: wrong.joined(separator: " ") + " differ")
    },
    Row("EV-5a", .may, "$CREDENTIALS_DIRECTORY is a ramfs, read-only") { seen in
      guard let directory = seen.environment["CREDENTIALS_DIRECTORY"] else {
        return .notApplicable("no credentials were given")
      }
      return seen.mounted(directory, ["ramfs"], readOnly: true)
    },
    Row("EV-6", .must, "$NOTIFY_SOCKET, and $LISTEN_FDS with $LISTEN_PID where there are sockets") { seen in
      guard seen.environment["NOTIFY_SOCKET"] != nil else { return .missed("NOTIFY_SOCKET is not set") }
      let told = seen.environment["LISTEN_FDS"] != nil && seen.environment["LISTEN_PID"] != nil
      return .holds(if: told == (seen.daemon.sockets > 0), else: "LISTEN_FDS and LISTEN_PID disagree with the sockets")
    },
  ]
}
