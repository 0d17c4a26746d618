/// The rows of "Writing VM and Container Managers".
let managerRows = [
  Row("WM-1", .must, "the guest is registered with machined") { seen in
    seen.registered { machine in
      .holds(if: machine["CLASS"] == "container", else: "its class is \(machine["CLASS"] ?? "none")")
    }
  },
  Row("WM-2", .must, "the guest's processes are in a scope or service that machined knows") { seen in
    seen.registered {
      .holds(if: ($0["UNIT"] ?? $0["SCOPE"])?.isEmpty == false, else: "machined knows no unit of the guest")
    }
  },
  Row("WM-3", .must, "systemctl -M and similar commands find the guest") { seen in
    seen.registered { machine in
      .holds(
        if: machine["LEADER"] == seen.process.status["Pid"],
        else: "machined has the leader \(machine["LEADER"] ?? "none")"
      )
    }
  },
  Row("WM-4", .must, "the guest has a valid name") { seen in
    let allowed = seen.name.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }
    let starts = seen.name.first.map { $0 != "." && $0 != "-" } ?? false
    return .holds(if: allowed && starts && seen.name.utf8.count <= 64, else: "\(seen.name) is not a valid name")
  },
  Row("WM-5", .must, "the registration ends with the guest, whatever ended it") { seen in
    seen.registered { _ in .unknown("make interface-report kills a daemon") }
  },
  Row("WM-6", .informative, "the Container Interface describes the inside of a guest") { _ in .holds },
]
