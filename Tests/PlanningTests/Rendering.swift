import GuestSpec
import Planning

/// A plan's steps as readable lines. Preloaded slots have names and the others count from 1, so that one more preloaded slot changes no
/// other line.
func lines(_ plan: LaunchPlan) -> [String] {
  plan.steps.map { step in
    guard let payload = Mirror(reflecting: step).children.first, let name = payload.label else {
      return String(reflecting: step)
    }
    return (name + " " + String(reflecting: payload.value))
      .replacing("Planning.Step.", with: "").replacing("Planning.", with: "").replacing("GuestSpec.", with: "")
      .replacing(/mode: (\d+)/) { "mode: 0" + String(UInt16($0.1) ?? 0, radix: 8) }
      .replacing(/slot: (\d+)/) { "slot: " + slot(Int($0.1) ?? 0, plan.preloaded) }
  }
}

private func slot(_ number: Int, _ preloaded: [Preloaded]) -> String {
  preloaded.indices.contains(number) ? "\(preloaded[number])" : String(number - preloaded.count + 1)
}

/// The difference between two plans: removed lines with `-`, added lines with `+`.
func changes(from old: LaunchPlan, to new: LaunchPlan) -> [String] {
  let difference = lines(new).difference(from: lines(old))
  return difference.removals.map { "- " + text($0) } + difference.insertions.map { "+ " + text($0) }
}

private func text(_ change: CollectionDifference<String>.Change) -> String {
  switch change {
  case .insert(_, let element, _), .remove(_, let element, _): element
  }
}

extension MountFlags: CustomDebugStringConvertible {
  public var debugDescription: String {
    let names: [(MountFlags, String)] = [
      (.readOnly, "ro"), (.noSetUID, "nosuid"), (.noDevices, "nodev"), (.noExecute, "noexec"),
      (.noAccessTime, "noatime"), (.strictAccessTime, "strictatime"), (.noSymlinkFollow, "nosymfollow"),
    ]
    return "[" + names.filter { contains($0.0) }.map(\.1).joined(separator: ",") + "]"
  }
}

extension SystemCallFilter: CustomDebugStringConvertible {
  public var debugDescription: String { "\(rules.count) rules, otherwise \(otherwise)" }
}

extension Capabilities: CustomDebugStringConvertible {
  public var debugDescription: String { "0x" + String(rawValue, radix: 16) }
}

/// A guest that boots /guests/web, and the facts of its start, with defaults only.
func example() -> (guest: Guest, facts: StartFacts) {
  var guest = Guest(name: "web")
  guest.policy.directory = "/guests/web"
  var facts = StartFacts(root: "/guests/web", staging: "/run/staging", machineID: "00112233445566778899aabbccddeeff")
  facts.hostSide.notifySocket = "/run/dormouse/web.notify"
  facts.host.osReleaseFile = "/etc/os-release"
  facts.rootFiles.topLevelLinks = [TopLevelLink("bin", to: "usr/bin"), TopLevelLink("lib64", to: "usr/lib64")]
  facts.identity.bootID = "01234567-89ab-cdef-0123-456789abcdef"
  return (guest, facts)
}

/// The plan of `example()` after `change`.
func planned(_ change: (inout Guest, inout StartFacts) -> Void = { _, _ in }) throws(PlanError) -> LaunchPlan {
  var (guest, facts) = example()
  change(&guest, &facts)
  return try plan(guest, facts)
}
