import GuestSpec
import Lifecycle
import Linux
import Listeners
import Testing

@testable import Supervision

@Suite("The supervisor of a guest that an earlier daemon left running")
struct SupervisorOrphanTests {
  private let world: World
  private let orphan = FakeInstance(InstanceName("web", 70))

  init() throws { world = try World() }

  @Test("It is told to halt, and its listeners are bound when it is gone")
  func adopted() throws {
    world.begin(orphan: orphan)
    #expect(world.captured.count(\.isFoundOrphan) == 1 && world.state.haltCause == .daemon)
    // It may have been frozen when its daemon died.
    #expect(orphan.fakeFreezing?.calls.first == .thaw(staged: true))
    #expect(orphan.signals == [.realtime(3)])
    #expect(world.supervisor.status(console: false).pid == 4070)
    orphan.end()
    #expect(world.state.isAsleep && world.supervisor.listeners.all.count == 1)
    let client = try world.connect()
    #expect(world.backend.starts.count == 1)
    withExtendedLifetime(client.raw) {}
  }

  @Test("Its sockets are taken over, with the client who waits there, whom the next instance serves")
  func sockets() throws {
    let earlier = try World()
    try earlier.serve()
    let left = try earlier.instance
    let inode = earlier.supervisor.listeners.all[0].inode
    let next = Supervisor(earlier.supervisor.loaded, context: earlier.context)
    next.begin(orphan: left)
    #expect(next.listeners.all.map(\.inode) == [inode])
    let client = try earlier.connectQuietly()
    left.end()
    earlier.loop.turn()
    #expect(earlier.backend.starts.count == 2)
    // Without eBPF the client cannot be moved, and the instance is handed the socket at which he waits.
    #expect(try earlier.instance.inodes == next.listeners.all.map(\.inode) && earlier.instance.serves())
    withExtendedLifetime(client.raw) {}
  }

  @Test("Woken meanwhile, it is started anew when the orphan is gone")
  func woken() throws {
    world.begin(orphan: orphan)
    world.wake()
    #expect(world.backend.starts.isEmpty)
    orphan.end()
    #expect(world.backend.starts.count == 1)
  }

  @Test("An orphan that cannot be watched is killed, and the guest is bound")
  func unwatchable() {
    orphan.watchFailure = SystemError("epoll_ctl", errno: 12)
    world.begin(orphan: orphan)
    #expect(orphan.kills == 1 && world.captured.count(\.isCannotEnd) == 1)
    #expect(world.state.isAsleep && world.supervisor.live == nil)
  }

  @Test("Nothing is done with a guest before it is known whether something of it runs")
  func pending() {
    world.wake()
    world.sleep()
    world.freeze()
    #expect(world.state.isPending && world.backend.starts.isEmpty && world.replies.count == 3)
    for reply in world.replies { #expect(reply != .done) }
  }
}
