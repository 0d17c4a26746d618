/// The rows of the section "The /run/host/ Hierarchy".
let runHostRows = [
  Row("RH-0", .should, "/run/host is read-only") { seen in
    guard let directory = seen.file("/run/host") else { return .missed("it does not exist") }
    return .holds(if: directory.isReadOnly, else: "it is writable")
  },
  Row("RH-1", .may, "incoming/ receives mounts from the host") { seen in
    guard let incoming = seen.mount("/run/host/incoming") else { return .missed("it does not exist") }
    let isSlave = incoming.propagation.contains { $0.hasPrefix("master:") }
    return .holds(if: isSlave, else: "no mount propagates into it")
  },
  Row("RH-2", .may, "inaccessible/ has a node of each kind with mode 0000") { seen in
    let wrong = Observation.inaccessible.filter { name in
      guard let file = seen.file("/run/host/inaccessible/" + name) else { return true }
      return file.mode & 0o777 != 0 || file.kind == .character && (file.major, file.minor) != (0, 0)
    }
    return .holds(if: wrong.isEmpty, else: "wrong or missing: " + wrong.joined(separator: " "))
  },
  Row("RH-3", .should, "notify is the socket of $NOTIFY_SOCKET") { seen in
    guard seen.file("/run/host/notify")?.kind == .socket else { return .missed("it is not a socket") }
    let reported = seen.process.environment["NOTIFY_SOCKET"]
    return .holds(if: reported == "/run/host/notify", else: "NOTIFY_SOCKET is \(reported ?? "not set")")
  },
  Row("RH-4", .should, "os-release is that of the host") { seen in
    guard let text = seen.file("/run/host/os-release")?.text else { return .missed("it does not exist") }
    return .holds(if: text == seen.host.osRelease, else: "its contents differ")
  },
  Row("RH-5", .should, "container-manager contains the value of $container") { seen in
    guard let text = seen.file("/run/host/container-manager")?.text else { return .missed("it does not exist") }
    return .holds(if: text == "\(seen.process.environment["container"] ?? "")\n", else: "its contents differ")
  },
  Row("RH-6", .should, "container-uuid contains the value of $container_uuid") { seen in
    guard let text = seen.file("/run/host/container-uuid")?.text else { return .missed("it does not exist") }
    return .holds(if: text == "\(seen.process.environment["container_uuid"] ?? "")\n", else: "its contents differ")
  },
  Row("RH-7", .should, "credentials/ contains the credentials") { seen in
    guard let directory = seen.process.environment["CREDENTIALS_DIRECTORY"] else {
      return .notApplicable("the guest has no credentials")
    }
    return .holds(if: directory == "/run/host/credentials", else: "they are in \(directory)")
  },
  Row("RH-8", .may, "unix-export/ shows sockets of the guest to the host") { seen in
    guard let export = seen.file("/run/host/unix-export") else { return .missed("it does not exist") }
    if export.isReadOnly { return .missed("the guest cannot write to it") }
    let root = seen.guestRoot ?? 0
    if UInt64(export.owner) != root { return .missed("it belongs to user \(export.owner)") }
    return .holds(if: seen.host.exportsSockets, else: "the host does not see it")
  },
  Row("RH-9", .may, "the guest binds unix-export/ssh itself") { seen in
    seen.file("/run/host/unix-export/ssh") != nil
      ? .holds : .notApplicable("no systemd of 256 or later with sshd runs in the guest")
  },
  Row("RH-10", .may, "userdb/ contains records of users of the host") { seen in
    guard let directory = seen.file("/run/host/userdb"), !directory.names.isEmpty else {
      return .notApplicable("the guest has no BindUser=")
    }
    return .holds(if: directory.isReadOnly, else: "it is writable")
  },
  Row("RH-11", .may, "home/ contains the home directories of these users") { seen in
    guard let directory = seen.file("/run/host/userdb"), !directory.names.isEmpty else {
      return .notApplicable("the guest has no BindUser=")
    }
    return .holds(if: seen.file("/run/host/home")?.names.isEmpty == false, else: "it is empty")
  },
  Row("RH-12", .mustNot, "root/, the root of the host, does not exist") {
    .holds(if: $0.file("/run/host/root") == nil, else: "it exists")
  },
]
