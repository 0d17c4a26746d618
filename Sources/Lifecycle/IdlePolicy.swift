/// When an unused guest is to be stopped; instants are time since boot.
public struct IdlePolicy: Equatable, Sendable {
  /// `IdleStopSec=`; nil: the guest is never stopped, and only looked at.
  public let idleStop: Duration?
  /// The last moment at which somebody is known to have used the guest.
  public private(set) var lastUse: Duration
  private var judgedStamp: Duration?
  /// The last look found use whose end no event tells: when it ended is not known, only that it was after that look.
  private var endGoesUnseen = false

  /// While connections are open an event says when one goes. What no event says (a peer that hung up on a guest which holds on
  /// to its end, a queue that the guest ceased to serve) is looked for this seldom.
  public static let seldom = Duration.seconds(30)
  /// Use whose end no event tells is looked at more often, but never more often than this, however short `IdleStopSec=` is.
  public static let often = Duration.seconds(1)

  public init(idleStop: Duration?, readyAt now: Duration) {
    self.idleStop = idleStop
    self.lastUse = now
  }

  /// What one look at the guest's sockets found.
  public struct Usage: Equatable, Sendable {
    /// Open or queued connections, and datagrams that wait to be read.
    public var inUse: Bool
    /// Whether the kernel tells when the last of them ends (TCP), or it has to be looked for (AF_UNIX, datagrams).
    public var endIsAnnounced: Bool
    /// The last datagram that the guest read, if one ever came.
    public var lastDatagram: Datagram?
    /// After this long the same connections would be judged otherwise.
    public var lookAgainAfter: Duration?

    public init(
      inUse: Bool, endIsAnnounced: Bool, lastDatagram: Datagram? = nil, lookAgainAfter: Duration? = nil
    ) {
      self.inUse = inUse
      self.endIsAnnounced = endIsAnnounced
      self.lastDatagram = lastDatagram
      self.lookAgainAfter = lookAgainAfter
    }
  }

  /// A datagram by the kernel's stamp on it.
  public struct Datagram: Equatable, Sendable {
    /// The stamp as the kernel's wall clock gave it: it tells one datagram from the next, and nothing else.
    public var stamp: Duration
    /// How long ago that is; negative after the wall clock was set back.
    public var age: Duration

    public init(stamp: Duration, age: Duration) {
      self.stamp = stamp
      self.age = age
    }
  }

  public enum Decision: Equatable, Sendable {
    case stop
    case lookAgain(after: Duration)
  }

  /// A connection ended just now.
  public mutating func connectionEnded(at now: Duration) { lastUse = max(lastUse, now) }

  /// Judges what a look found.
  public mutating func judge(_ usage: Usage, at now: Duration) -> Decision {
    if usage.inUse || endGoesUnseen { lastUse = max(lastUse, now) }
    endGoesUnseen = usage.inUse && !usage.endIsAnnounced
    // Only a datagram that is new since the last look counts: a stamp in the future would otherwise count for ever.
    if let datagram = usage.lastDatagram, datagram.stamp != judgedStamp {
      judgedStamp = datagram.stamp
      lastUse = max(lastUse, now - max(datagram.age, .zero))
    }
    guard let idleStop else { return .lookAgain(after: min(Self.seldom, usage.lookAgainAfter ?? Self.seldom)) }
    if usage.inUse {
      let next = usage.endIsAnnounced ? max(idleStop, Self.seldom) : min(max(idleStop, Self.often), Self.seldom)
      return .lookAgain(after: min(next, usage.lookAgainAfter ?? next))
    }
    let unused = now - lastUse
    return unused >= idleStop ? .stop : .lookAgain(after: idleStop - unused)
  }
}
