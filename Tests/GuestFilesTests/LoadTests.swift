import Glibc
import GuestSpec
import Linux
import Testing
import UnitSyntax

@testable import GuestFiles

@Suite("Guest files on disk")
struct LoadTests {
  private let tree: FilesTree
  private let files: GuestFiles

  init() throws {
    tree = try FilesTree()
    for name in ["etc", "run", "lib"] { try tree.makeDirectory(name) }
    files = GuestFiles(searchPath: ["etc", "run", "lib"].map(tree.path))
  }

  private func load(_ name: String = "web") -> LoadedGuest? { files.loadAll()[name] }

  private func hostname(_ name: String = "web") -> String? { load(name)?.guest.exec.hostname }

  @Test("Of two guest files with one name, the one in the earlier directory counts")
  func precedence() throws {
    try tree.add("lib/web.guest", "[Exec]\nHostname=lib\n")
    #expect(hostname() == "lib")
    try tree.add("run/web.guest", "[Exec]\nHostname=run\n")
    #expect(hostname() == "run")
    try tree.add("etc/web.guest", "[Exec]\nHostname=etc\n")
    #expect(hostname() == "etc")
    #expect(load()?.files == [tree.path("etc/web.guest")])
  }

  @Test("An empty file, or a link to /dev/null, masks the guest of its name", arguments: [true, false])
  func masks(byLink: Bool) throws {
    try tree.add("lib/web.guest", "[Exec]\nHostname=lib\n")
    try tree.add("lib/other.guest", "[Exec]\nHostname=lib\n")
    if byLink { try tree.link("etc/web.guest", to: "/dev/null") } else { try tree.add("etc/web.guest", "") }
    #expect(load() == nil)
    let all = files.loadAll()
    #expect(all.guests.map(\.name) == ["other"])
    #expect(all.diagnostics.isEmpty)
  }

  @Test(
    "Drop-ins of all directories are read in the order of their names, and one in an earlier directory hides others of its name"
  )
  func dropIns() throws {
    try tree.add("lib/web.guest", "[Exec]\nParameters=base\n")
    try tree.add("lib/web.guest.d/20.conf", "[Exec]\nParameters=lib20\n")
    try tree.add("lib/web.guest.d/30.conf", "[Exec]\nParameters=lib30\n")
    try tree.add("lib/web.guest.d/40.conf", "[Exec]\nParameters=lib40\n")
    try tree.add("run/web.guest.d/30.conf", "[Exec]\nParameters=run30\n")
    try tree.add("etc/web.guest.d/10.conf", "[Exec]\nParameters=etc10\n")
    try tree.add("etc/web.guest.d/.hidden.conf", "[Exec]\nParameters=no\n")
    try tree.add("etc/web.guest.d/README", "[Exec]\nParameters=no\n")
    try tree.link("etc/web.guest.d/40.conf", to: "/dev/null")
    #expect(load()?.guest.exec.parameters == ["base", "etc10", "lib20", "run30"])
  }

  @Test("A NAME.nspawn beside the guest files is read once, and the guest file overrides it")
  func nspawn() throws {
    try tree.add("run/web.guest", "[Exec]\nHostname=guest\n")
    try tree.add("run/web.nspawn", "[Exec]\nParameters=run\n")
    try tree.add("etc/web.nspawn", "[Exec]\nHostname=nspawn\nParameters=etc\n")
    #expect(load()?.guest.exec.parameters == ["etc"])
    #expect(hostname() == "guest")
    try tree.add("etc/only.nspawn", "[Exec]\nBoot=yes\n")
    #expect(files.loadAll().guests.map(\.name) == ["web"])
  }

  @Test("The specifier %Y is the directory of the guest file, also in drop-ins that lie elsewhere")
  func fragmentDirectory() throws {
    try tree.add("lib/web.guest", "[Files]\nBindReadOnly=%Y/units:/a\n")
    try tree.add("etc/web.guest.d/1.conf", "[Files]\nBindReadOnly=%Y/more:/b\n")
    let sources = load()?.guest.files.mounts.map {
      if case .bind(let source, _, _, _, _, _) = $0 { source } else { "" }
    }
    #expect(sources == [tree.path("lib/units"), tree.path("lib/more")])
  }

  @Test("A guest file with an error does not hide other guests")
  func wrongFile() throws {
    try tree.add("etc/a.guest", "[Exec\nBoot=yes\n")
    try tree.add("etc/b.guest", "[Exec]\nBoot=yes\n")
    try tree.link("etc/c.guest", to: "nowhere")
    try tree.makeDirectory("etc/d.guest")
    try retrying("mkfifo") { mkfifo(tree.path("etc/e.guest"), 0o600) }
    let all = files.loadAll()
    #expect(all.guests.map(\.name) == ["a", "b", "c", "d", "e"])
    #expect(all.guests.map(\.hasErrors) == [true, false, true, true, true])
    let missing = all["c"]?.diagnostics.map(\.description) ?? []
    let path = tree.path("etc/c.guest")
    #expect(
      missing == [
        "\(path): cannot be read (stat \(path): No such file or directory); make it a readable file, or take it away"
      ])
  }

  @Test("A guest file that cannot be read is an error, and no file of lower precedence takes its place")
  func noFallback() throws {
    try tree.add("lib/web.guest", "[Exec]\nHostname=lib\n")
    try tree.link("etc/web.guest", to: "nowhere")
    #expect(load()?.hasErrors == true)
    #expect(hostname() == nil)
  }

  @Test("Of two guests that ask for one address, the later one has an error")
  func addresses() throws {
    try tree.add("etc/a.guest", "[Socket]\nListenStream=127.0.0.1:80\n")
    try tree.add("lib/b.guest", "[Socket]\nListenStream=0.0.0.0:80\n")
    let all = files.loadAll()
    #expect(all["a"]?.diagnostics == [])
    #expect(all["b"]?.hasErrors == true)
    #expect(all["b"]?.diagnostics.first?.message.contains("the guest a") == true)
  }

  @Test("A directory of --config that does not exist is a problem")
  func missingDirectory() throws {
    let all = GuestFiles(searchPath: [tree.path("none")]).loadAll()
    #expect(all.diagnostics.map(\.file) == [tree.path("none")])
    #expect(GuestFiles().searchPath.first == "/etc/dormouse")
  }
}
