import ControlProtocol
import Testing

@testable import dormouse

@Suite("Guests that sleep under systemd's sockets")
struct PairedGuestTests {
  @Test("what systemctl shows of socket units is read as guests, and of those that do not listen nothing")
  func listening() {
    let guests = PairedGuest.listening(
      """
      Listen=127.0.0.1:80 (Stream)
      Listen=/run/a b.sock (SequentialPacket)
      Id=dormouse@web.socket
      ActiveState=active
      StateChangeTimestamp=@1800000000

      Listen=[::]:53 (Datagram)
      Id=dormouse@dns.socket
      ActiveState=failed
      StateChangeTimestamp=@1800000000

      Id=other.socket
      ActiveState=active
      """)
    #expect(guests.keys.sorted() == ["web"])
    #expect(guests["web"]?.since == Timestamp(microseconds: 1_800_000_000_000_000))
    #expect(guests["web"]?.sockets.map(\.address) == ["127.0.0.1:80", "/run/a b.sock"])
    #expect(guests["web"]?.sockets.map(\.kind) == [.stream, .sequentialPacket])
    #expect(PairedGuest.listening("").isEmpty)
  }
}
