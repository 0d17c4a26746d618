import GuestSpec
import Testing

@Suite("How much space stays free")
struct SpaceFloorTests {
  private static let giga: UInt64 = 1 << 30

  @Test("the default floor is 5 % of the file system, and at most 1G")
  func defaults() {
    #expect(SpaceFloor().bytes(ofTotal: 10 * Self.giga) == 10 * Self.giga / 10_000 * 500)
    #expect(SpaceFloor().bytes(ofTotal: 1000 * Self.giga) == Self.giga)
  }

  @Test("a guest is refused below the floor only, which is an amount or a share")
  func floors() {
    #expect(SpaceFloor(.count(100)).shortage(at: "/x", free: 100, total: 1000) == nil)
    #expect(SpaceFloor(.count(100)).shortage(at: "/x", free: 99, total: 1000)?.floor == 100)
    #expect(SpaceFloor(.share(10_000)).shortage(at: "/x", free: 19_999, total: 20_000)?.floor == 20_000)
    #expect(SpaceFloor(.count(0)).shortage(at: "/x", free: 0, total: 1000) == nil)
  }

  @Test("the refusal names the directory, both amounts and the setting")
  func words() {
    let shortage = SpaceFloor(.count(Self.giga * 3 / 2)).shortage(at: "/var/tmp", free: 12 << 20, total: 2 * Self.giga)
    #expect(
      shortage?.description
        == "/var/tmp has 12.0M free, and KeepFree= of dormoused.conf keeps 1.5G, so no guest starts that "
        + "would write there; make room, or lower KeepFree=")
  }
}
