import Testing

@testable import ControlProtocol

@Suite("Requests become calls, or the errors that org.varlink.service has for them")
struct DispatcherTests {
  private let dispatcher = Dispatcher(info: ServiceInfo(version: "1"))

  private func outcome(_ text: String) -> Dispatcher.Outcome { dispatcher.dispatch(Array(text.utf8)) }

  private func reply(_ text: String) -> String? {
    guard case .reply(let bytes) = outcome(text), bytes.last == 0 else { return nil }
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }

  @Test("A call that a client encodes is the call that the server reads", arguments: Samples.calls)
  func roundTrip(call: Call) throws {
    let bytes = try call.encoded()
    #expect(bytes.firstIndex(of: 0) == bytes.count - 1)
    let mode: CallMode = if case .subscribeGuests = call { .more } else { .single }
    #expect(dispatcher.dispatch(Array(bytes.dropLast())) == .call(call, mode))
  }

  @Test(
    "Optional parameters may be missing or null; oneway means no reply, and more one reply where there cannot be several",
    arguments: [
      (#"{"method":"io.dormouse.Manager.List"}"#, .call(.list, .single)),
      (#"{"method":"io.dormouse.Manager.List","parameters":null,"more":true}"#, .call(.list, .single)),
      (#"{"method":"io.dormouse.Manager.List","parameters":{},"oneway":true}"#, .call(.list, .oneway)),
      (
        #"{"method":"io.dormouse.Manager.Status","parameters":{"name":"w","console":null}}"#,
        .call(.status(name: "w", console: false), .single)
      ),
      (
        #"{"method":"io.dormouse.Manager.Sleep","parameters":{"name":"w"}}"#,
        .call(.sleep(name: "w", now: false), .single)
      ),
      (
        #"{"method":"io.dormouse.Manager.SubscribeGuests","more":true}"#,
        .call(.subscribeGuests(name: nil), .more)
      ),
      (
        #"{"method":"io.dormouse.Manager.SubscribeGuests","more":true,"parameters":{"name":null}}"#,
        .call(.subscribeGuests(name: nil), .more)
      ),
    ] as [(String, Dispatcher.Outcome)])
  func defaults(request: String, expected: Dispatcher.Outcome) {
    #expect(outcome(request) == expected)
  }

  @Test(
    "A wrong request is answered by the error that names what is wrong",
    arguments: [
      (#"{"method":"io.dormouse.Manager.Nap"}"#, "MethodNotFound", #""method":"io.dormouse.Manager.Nap""#),
      (#"{"method":"org.varlink.service.Nap"}"#, "MethodNotFound", #""method":"org.varlink.service.Nap""#),
      (#"{"method":"io.other.List"}"#, "InterfaceNotFound", #""interface":"io.other""#),
      (#"{"method":"List"}"#, "InvalidParameter", #""parameter":"method""#),
      (#"{"method":"io.dormouse.Manager.Wake"}"#, "InvalidParameter", #""parameter":"name""#),
      (#"{"method":"io.dormouse.Manager.Wake","parameters":{"name":1}}"#, "InvalidParameter", #""parameter":"name""#),
      (#"{"method":"io.dormouse.Manager.Wake","parameters":{"name":null}}"#, "InvalidParameter", #""name""#),
      (#"{"method":"io.dormouse.Manager.Wake","parameters":{"name":"a","x":1}}"#, "InvalidParameter", #""x""#),
      (#"{"method":"io.dormouse.Manager.List","parameters":{"name":"a"}}"#, "InvalidParameter", #""name""#),
      (#"{"method":"io.dormouse.Manager.Sleep","parameters":{"name":"a","now":1}}"#, "InvalidParameter", #""now""#),
      (#"{"method":"io.dormouse.Manager.List","upgrade":true}"#, "MethodNotImplemented", #"Manager.List""#),
      (#"{"method":"io.dormouse.Manager.Attach","parameters":{"name":"a"}}"#, "InvalidParameter", #""upgrade""#),
      (
        #"{"method":"io.dormouse.Manager.Attach","parameters":{"name":"a","terminal":"x"},"upgrade":true}"#,
        "InvalidParameter", #""terminal""#
      ),
      (
        #"{"method":"io.dormouse.Manager.Resize","parameters":{"name":"a","rows":1}}"#, "InvalidParameter",
        #""columns""#
      ),
      (
        #"{"method":"io.dormouse.Manager.Resize","parameters":{"name":"a","rows":70000,"columns":1}}"#,
        "InvalidParameter", #""rows""#
      ),
      (#"{"method":"io.dormouse.Manager.Nap","upgrade":true}"#, "MethodNotFound", #"Manager.Nap""#),
      (#"{"method":"io.dormouse.Manager."}"#, "MethodNotFound", #""method":"io.dormouse.Manager.""#),
      (#"{"method":"."}"#, "InterfaceNotFound", #""interface":"""#),
      (#"{"method":"io.dormouse.Manager.Wake","parameters":{"name":["a"]}}"#, "InvalidParameter", #""name""#),
      (#"{"method":"io.dormouse.Manager.SubscribeGuests"}"#, "ExpectedMore", #""parameters":{}"#),
      (#"{"method":"io.dormouse.Manager.SubscribeGuests","more":false}"#, "ExpectedMore", #""parameters":{}"#),
      (
        #"{"method":"io.dormouse.Manager.SubscribeGuests","more":true,"parameters":{"name":1}}"#, "InvalidParameter",
        #""name""#
      ),
      (#"{"method":"org.varlink.service.GetInfo","parameters":{"a":1}}"#, "InvalidParameter", #""a""#),
      (#"{"method":"org.varlink.service.GetInterfaceDescription"}"#, "InvalidParameter", #""interface""#),
      (
        #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"a.b"}}"#,
        "InterfaceNotFound", #""interface":"a.b""#
      ),
    ])
  func errors(request: String, error: String, detail: String) throws {
    let reply = try #require(self.reply(request))
    #expect(reply.contains(#""error":"org.varlink.service.\#(error)""#))
    #expect(reply.contains(detail))
  }

  @Test(
    "A number that is no terminal's is an invalid parameter",
    arguments: ["1e999", "9223372036854775808", "1.5", "-1e40", "1E400000000000000000000", "[]", "{}", "true", "\"1\""])
  func numbers(number: String) throws {
    let request =
      #"{"method":"io.dormouse.Manager.Attach","parameters":{"name":"a","terminal":\#(number)},"upgrade":true}"#
    #expect(try #require(reply(request)).contains(#""parameters":{"parameter":"terminal"}"#))
  }

  @Test("GetInfo names both interfaces, and each can be described")
  func introspection() throws {
    let info = try #require(reply(#"{"method":"org.varlink.service.GetInfo"}"#))
    for name in ["io.dormouse.Manager", "org.varlink.service"] {
      #expect(info.contains(#""\#(name)""#))
      let request = #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"\#(name)"}}"#
      #expect(try #require(reply(request)).contains("interface \(name)"))
    }
  }

  @Test("A oneway request gets no reply, whether it is right or wrong")
  func oneway() {
    #expect(outcome(#"{"method":"org.varlink.service.GetInfo","oneway":true}"#) == .reply([]))
    #expect(outcome(#"{"method":"a.B","oneway":true}"#) == .reply([]))
    #expect(outcome(#"{"method":"io.dormouse.Manager.SubscribeGuests","oneway":true}"#) == .reply([]))
  }

  @Test(
    "What is no request at all ends the connection",
    arguments: [
      "", " ", "[]", "null", "1", "\"x\"", "{}", "{", #"{"method":1}"#, #"{"method":"a.B"}x"#,
      #"{"method":"a.B","more":1}"#,
      #"{"method":"a.B","parameters":[]}"#, #"{"method":"a.B","parameters":7}"#,
      #"{"method":"a.B","more":true,"oneway":true}"#,
      #"{"method":"\ud800"}"#, String(repeating: "[", count: 65_536),
      String(repeating: #"{"parameters":"#, count: 4_000),
      #"{"method":"a.B","x":\#(String(repeating: "[", count: 60_000))"#,
    ])
  func violations(text: String) {
    #expect(outcome(text) == .violation)
  }

  @Test("Bytes that are not UTF-8 end the connection")
  func invalidUTF8() {
    #expect(dispatcher.dispatch(Array(#"{"method":""#.utf8) + [0xFF, 0xC0] + Array("\"}".utf8)) == .violation)
  }

  @Test("No change to a request makes the dispatcher trap or answer with anything but one message")
  func mutations() throws {
    var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
    let seeds = try Samples.calls.map { Array(try $0.encoded().dropLast()) }
    let bits = Array(#"{}[]",:\u0nul1e9-.tr"#.utf8) + [0x80, 0xC3, 0xED, 0xF4, 0xFF, 0x1F]
    for round in 0..<20_000 {
      var bytes = seeds[round % seeds.count]
      for _ in 0...Int(random.next() % 4) where !bytes.isEmpty {
        let place = Int(random.next() % UInt64(bytes.count))
        let bit = bits[Int(random.next() % UInt64(bits.count))]
        switch random.next() % 3 {
        case 0: bytes[place] = bit
        case 1: bytes.insert(bit, at: place)
        default: bytes.remove(at: place)
        }
      }
      if case .reply(let reply) = dispatcher.dispatch(bytes), !reply.isEmpty {
        #expect(reply.firstIndex(of: 0) == reply.count - 1)
      }
    }
  }
}

/// The same numbers on each run.
struct Xorshift: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
