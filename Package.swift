// swift-tools-version: 6.3
import PackageDescription

/// The import table of ARCHITECTURE.md: a target's `dependencies` are the only arrows there are (`.ci/imports` compares).
let package = Package(
  name: "dormouse",
  products: [
    .executable(name: "dormoused", targets: ["dormoused"]),
    .executable(name: "dormouse", targets: ["dormouse"]),
    .executable(name: "dormouse-ask", targets: ["dormouse-ask"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C and system libraries.
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CMnl", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .target(name: "CLinux"),
    .target(name: "CLaunch", dependencies: ["CLinux"]),

    // Pure: values in, values out.
    .target(name: "UnitSyntax", swiftSettings: pure),
    .target(name: "GuestSpec", dependencies: ["UnitSyntax"], swiftSettings: pure),
    .target(name: "Planning", dependencies: ["GuestSpec"], swiftSettings: pure),
    .target(name: "Lifecycle", swiftSettings: pure),
    .target(name: "Interface", swiftSettings: pure),
    // Values in and out too, but their JSON is FoundationEssentials'.
    .target(name: "ControlProtocol", swiftSettings: strict),

    // Acting.
    .target(name: "Linux", dependencies: ["CLinux", "CMnl", "CSeccomp"], swiftSettings: strict),
    .target(name: "Systemd", dependencies: ["CSystemd", "Linux"], swiftSettings: strict),
    .target(name: "Launching", dependencies: ["CLaunch", "GuestSpec", "Linux", "Planning"], swiftSettings: strict),
    .target(name: "GuestFiles", dependencies: ["GuestSpec", "Linux", "UnitSyntax"], swiftSettings: strict),
    .target(
      name: "Listeners", dependencies: ["ControlProtocol", "GuestSpec", "Lifecycle", "Linux", "Systemd"],
      swiftSettings: strict),
    .target(
      name: "Supervision",
      dependencies: [
        "ControlProtocol", "GuestFiles", "GuestSpec", "Lifecycle", "Linux", "Listeners", "Systemd", "UnitSyntax",
      ],
      swiftSettings: strict),
    .target(
      name: "Container",
      dependencies: ["GuestSpec", "Launching", "Linux", "Planning", "Supervision", "Systemd"], swiftSettings: strict),
    .executableTarget(
      name: "dormoused", dependencies: ["Container", "Linux", "Supervision", "Systemd"], swiftSettings: strict),
    .executableTarget(
      name: "dormouse",
      dependencies: [
        "ControlProtocol", "GuestFiles", "Interface", "Linux",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Asks a guest's systemd; a process of its own in C, whose memory can be limited and which has nothing to lose.
    .executableTarget(name: "dormouse-ask", dependencies: ["CSystemd"]),

    // Tests mirror Sources; GuestTests runs whole guests. Spawning starts programs for some of them; Fakes has a clock, and
    // threads for loops.
    .target(name: "Fakes", dependencies: ["Linux", "Systemd"], path: "Tests/Fakes", swiftSettings: strict),
    .target(name: "Spawning", dependencies: ["Linux"], path: "Tests/Spawning", swiftSettings: strict),
    .testTarget(name: "UnitSyntaxTests", dependencies: ["UnitSyntax"]),
    .testTarget(name: "GuestSpecTests", dependencies: ["GuestSpec", "UnitSyntax"]),
    .testTarget(name: "PlanningTests", dependencies: ["Planning", "GuestSpec"]),
    .testTarget(name: "LifecycleTests", dependencies: ["Lifecycle"]),
    .testTarget(name: "InterfaceTests", dependencies: ["Interface"]),
    .testTarget(name: "ControlProtocolTests", dependencies: ["ControlProtocol"]),
    .testTarget(name: "LinuxTests", dependencies: ["Linux"]),
    .testTarget(name: "SystemdTests", dependencies: ["Fakes", "Systemd", "Linux"]),
    .testTarget(name: "LaunchingTests", dependencies: ["CLaunch", "Launching", "Linux", "Planning", "GuestSpec"]),
    .testTarget(name: "GuestFilesTests", dependencies: ["GuestFiles", "GuestSpec", "Linux", "UnitSyntax"]),
    .testTarget(
      name: "ListenersTests", dependencies: ["Fakes", "GuestSpec", "Lifecycle", "Linux", "Listeners", "Systemd"]),
    .testTarget(
      name: "SupervisionTests",
      dependencies: [
        "CSystemd", "ControlProtocol", "Fakes", "GuestFiles", "GuestSpec", "Lifecycle", "Linux", "Listeners",
        "Spawning", "Supervision", "Systemd", "UnitSyntax", "dormouse",
      ]),
    .testTarget(name: "dormouseTests", dependencies: ["ControlProtocol", "dormouse"]),
    .testTarget(
      name: "GuestTests", dependencies: ["CLinux", "ControlProtocol", "Linux", "Spawning"], path: "Tests",
      exclude: ["hostile/attacks", "hostile/guest", "hostile/hostile.py"], sources: ["GuestTests", "hostile"]),
  ]
)

/// Warnings are errors everywhere.
var strict: [SwiftSetting] { [.treatAllWarnings(as: .error)] }

/// The pure targets may not reach memory behind the compiler's back, nor import anything but each other (`.ci/imports`).
var pure: [SwiftSetting] { strict + [.strictMemorySafety()] }

// The targets of libFuzzer, for `make fuzz` only: they cannot be linked without its runtime.
if Context.environment["DORMOUSE_FUZZ"] != nil {
  func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
      name: name, dependencies: ["CFuzzer"] + dependencies, path: "Tests/Fuzz/\(name)", swiftSettings: strict)
  }
  package.targets += [
    .target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
    fuzz("FuzzNetlink", ["Linux"]),
    fuzz("FuzzNotify", ["Systemd"]),
    fuzz("FuzzUnitFile", ["UnitSyntax", "GuestSpec"]),
    fuzz("FuzzVarlink", ["ControlProtocol"]),
  ]
}
