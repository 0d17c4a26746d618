/// The rows of the section "Advanced Integration".
let integrationRows = [
  Row("AI-1a", .should, "/etc/localtime is a relative link to the host's time zone") { seen in
    guard let zone = seen.host.timezone else { return .notApplicable("the host has no time zone") }
    if seen.file("/usr/share/zoneinfo") == nil { return .notApplicable("the guest has no zoneinfo") }
    let link = seen.file("/etc/localtime")?.link
    return .holds(
      if: link == "../usr/share/zoneinfo/" + zone, else: "it is \(link ?? "not a link"), but the host has \(zone)")
  },
  Row("AI-2a", .should, "the host's journal directory contains the guest's journal") { seen in
    guard let journals = seen.host.journals else { return .notApplicable("the host keeps no journal on disk") }
    let id = seen.process.environment["container_uuid"]?.withoutDashes ?? ""
    if journals.contains(id) { return .holds }
    return .notApplicable("the host has no entry for the guest (LinkJournal=)")
  },
  Row("AI-3a", .must, "SIGRTMIN+3 stops the guest cleanly") { seen in
    switch seen.daemon.lastStopWasKill {
    case false?: .holds
    case true?: .missed("the last stop needed SIGKILL")
    case nil: .unknown("the guest was not stopped yet; make interface-report stops it")
    }
  },
  Row("AI-3b", .must, "a stop signal is never lost, however early it comes") { seen in
    // Bit 0 of the mask is signal 1; SIGRTMIN is 34.
    let stop = UInt64(1) << (34 + 3 - 1)
    let kept = seen.mask("SigBlk") | seen.mask("SigCgt")
    return seen.ofSystemd(.holds(if: kept & stop != 0, else: "SIGRTMIN+3 is neither blocked nor caught"))
  },
  Row("AI-4a", .must, "the process $LISTEN_PID gets $LISTEN_FDS sockets from descriptor 3 on") { seen in
    if seen.daemon.sockets == 0 { return .notApplicable("the guest has no [Socket]") }
    let reported = (seen.process.environment["LISTEN_FDS"] ?? "none", seen.process.environment["LISTEN_PID"] ?? "none")
    guard reported.0 == "\(seen.daemon.sockets)" else { return .missed("LISTEN_FDS is \(reported.0)") }
    guard reported.1 == "1" || reported.1 == "2" && !seen.isSystemd else {
      return .missed("LISTEN_PID is \(reported.1)")
    }
    return .holds(
      if: seen.daemon.adopted == seen.daemon.sockets,
      else: "the guest has \(seen.daemon.adopted) of \(seen.daemon.sockets) open")
  },
  Row("AI-4b", .must, "the manager accepts sockets from a service manager") { seen in
    if seen.daemon.sockets == 0 { return .notApplicable("the guest has no [Socket]") }
    return seen.daemon.werePassed
      ? .holds : .unknown("the daemon created these sockets itself; make interface-report passes some to it")
  },
  Row("AI-4x", .must, "systemd 261 or later takes no listener for a stored descriptor") { seen in
    if seen.daemon.sockets == 0 { return .notApplicable("the guest has no [Socket]") }
    if seen.process.environment["LISTEN_PIDFDID"] != nil { return .missed("LISTEN_PIDFDID is set") }
    let names = (seen.process.environment["LISTEN_FDNAMES"] ?? "").split(separator: ":")
    let stored = names.filter { $0 == "systemd-fdstore-mapping" || $0.hasPrefix("sub-fdstore-") }
    return seen.ofSystemd(
      from: 261, .holds(if: stored.isEmpty, else: "a listener is called \(stored.joined(separator: " "))"))
  },
  Row("AI-5a", .mustNot, "no cgroup outside the manager's own unit is used") { $0.isInItsPlace },
  Row("AI-6a", .should, "the manager receives the guest's notifications") { seen in
    seen.ofSystemd(.holds(if: seen.daemon.isReady, else: "READY=1 was not received"))
  },
  Row("AI-6x", .should, "a manager that keeps no descriptors of the guest does not set $FDSTORE") { seen in
    .holds(if: seen.process.environment["FDSTORE"] == nil, else: "it is set, and the descriptors are lost")
  },
]
