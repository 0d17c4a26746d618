import Testing

@testable import GuestSpec

@Suite("Limits as systemd.resource-control(5) writes them")
struct ResourceValueTests {
  private func parse<T>(_ value: Value<T>, _ text: String) -> T? {
    var context = ValueContext(specifiers: nil, guestName: "web")
    return try? value.parse(text, &context)
  }

  @Test(
    "an amount of memory is a number of bytes, a share of the machine's memory, or infinity",
    arguments: [
      ("infinity", .infinity), ("0", .count(0)), ("4096", .count(4096)), ("64K", .count(65536)),
      ("1.5G", .count(3 << 29)),
      ("1G 512M", .count(3 << 29)), ("2T", .count(2 << 40)), ("25%", .share(2500)), ("0.25%", .share(25)),
      ("100%", .share(10_000)),
      ("5\u{2030}", .share(50)), ("2.5\u{2030}", .share(25)), ("7\u{2031}", .share(7)), ("0%", .share(0)),
      ("18446744073709551615", nil), ("101%", nil), ("25.%", nil), ("2.555%", nil), ("1.5\u{2031}", nil), ("%", nil),
      ("-1", nil), ("1Q", nil), ("512M 1G", nil), ("Infinity", nil), ("1e3", nil),
    ] as [(String, Resources.Amount?)])
  func memory(text: String, amount: Resources.Amount?) {
    #expect(parse(Value<Resources.Amount>.memory, text) == amount)
  }

  @Test("a limit of memory must not be zero", arguments: ["0", "0%", "0.00%"])
  func memoryLimit(text: String) {
    #expect(parse(Value<Resources.Amount>.memoryLimit, text) == nil)
    #expect(parse(Value<Resources.Amount>.memoryLimit, "infinity") == .infinity)
  }

  @Test(
    "a limit of tasks is a number, or a share of the machine's limit",
    arguments: [("4915", .count(4915)), ("15%", .share(1500)), ("infinity", .infinity), ("0", nil), ("1K", nil)]
      as [(String, Resources.Amount?)])
  func tasks(text: String, amount: Resources.Amount?) {
    #expect(parse(Value<Resources.Amount>.tasks, text) == amount)
  }

  @Test(
    "a processor quota is a percentage of one processor and may exceed 100%",
    arguments: [("20%", 2000), ("250%", 25_000), ("0.01%", 1), ("0%", nil), ("20", nil), ("300000000%", nil)]
      as [(String, UInt32?)])
  func quota(text: String, share: UInt32?) { #expect(parse(Value<UInt32>.processorShare, text) == share) }

  @Test(
    "a weight is a number from 1 to 10000, and a processor weight may be idle",
    arguments: [
      ("1", .number(1)), ("10000", .number(10_000)), ("idle", .idle), ("0", nil), ("10001", nil), ("Idle", nil),
    ] as [(String, Resources.Weight?)])
  func weight(text: String, weight: Resources.Weight?) {
    #expect(parse(Value<Resources.Weight>.processorWeight, text) == weight)
  }
}
