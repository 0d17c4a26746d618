extension Row {
  /// "Advanced Integration".
  static let integration = [
    Row("AI-1a", .should, "/etc/localtime is the host's, as a relative link") { seen in
      guard let zone = seen.host.timezone else { return .notApplicable("the host has no time zone") }
      if seen.file("/usr/share/zoneinfo") == nil { return .notApplicable("the guest has no zoneinfo") }
      let link = seen.file("/etc/localtime")?.link
      return .holds(
        if: link == "../usr/share/zoneinfo/" + zone, else: "it is \(link ?? "no link"), the host's is \(zone)")
    },
    Row("AI-2a", .should, "the guest's journal is found in the host's") { seen in
      guard let journals = seen.host.journals else { return .notApplicable("the host keeps no journal on disk") }
      let id = seen.environment["container_uuid"]?.withoutDashes ?? ""
      if journals.contains(id) { return .holds }
      return .notApplicable("LinkJournal=auto, and the host has no directory for the guest")
    },
    Row("AI-3a", .must, "a stop is SIGRTMIN+3, and clean") { seen in
      switch seen.daemon.lastStopWasKill {
      case false?: .holds
      case true?: .missed("the last stop took SIGKILL")
      case nil: .unknown("it has not been stopped yet; make interface-report does that")
      }
    },
    Row("AI-3b", .must, "a stop is never lost, however early") { seen in
      // Signals from 1 on, from bit 0 on; SIGRTMIN is 34.
      let stop = UInt64(1) << (34 + 3 - 1)
      let kept = seen.mask("SigBlk") | seen.mask("SigCgt")
      return seen.ofSystemd(.holds(if: kept & stop != 0, else: "SIGRTMIN+3 is neither blocked nor caught"))
    },
    Row("AI-4a", .must, "descriptors 3 and up are the sockets, $LISTEN_FDS many, for the process $LISTEN_PID") { seen in
      if seen.daemon.sockets == 0 { return .notApplicable("the guest has no [Socket]") }
      let told = (seen.environment["LISTEN_FDS"] ?? "none", seen.environment["LISTEN_PID"] ?? "none")
      guard told.0 == "\(seen.daemon.sockets)" else { return .missed("LISTEN_FDS is \(told.0)") }
      guard told.1 == "1" || told.1 == "2" && !seen.isSystemd else { return .missed("LISTEN_PID is \(told.1)") }
      return .holds(
        if: seen.daemon.adopted == seen.daemon.sockets,
        else: "the guest has \(seen.daemon.adopted) of \(seen.daemon.sockets) open")
    },
    Row("AI-4b", .must, "the manager takes sockets of a service manager itself") { seen in
      if seen.daemon.sockets == 0 { return .notApplicable("the guest has no [Socket]") }
      return seen.daemon.werePassed
        ? .holds : .unknown("the daemon made these sockets itself; make interface-report passes it some")
    },
    Row("AI-5a", .mustNot, "no cgroup outside its own unit is touched") { $0.isInItsPlace },
    Row("AI-6a", .should, "the guest's notifications are taken") { seen in
      seen.ofSystemd(.holds(if: seen.daemon.isReady, else: "it has not said READY=1"))
    },
  ]
}
