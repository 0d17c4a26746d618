/// When an unused guest is to be frozen or stopped; instants are time since boot.
public struct IdlePolicy: Equatable, Sendable {
  /// `IdleStopSec=`; nil: the guest is never stopped, and only looked at.
  public let idleStop: Duration?
  /// `IdleFreezeSec=`; nil: the guest is never frozen.
  public let idleFreeze: Duration?
  /// `IdleFreeze=with-connections`: silent connections are no reason not to freeze it.
  public let freezesConnections: Bool
  /// The last moment at which somebody is known to have used the guest.
  public private(set) var lastUse: Duration
  private var judgedStamp: Duration?
  /// The last look found use whose end no event tells: when it ended is not known, only that it was after that look.
  private var endGoesUnseen = false
  /// When it was frozen last: its connections were silent before that for no fault of theirs.
  private var thawedAt = Duration.zero

  /// While connections are open an event says when one goes. What no event says (a peer that hung up on a guest which holds on
  /// to its end, a queue that the guest ceased to serve) is looked for this seldom.
  public static let seldom = Duration.seconds(30)
  /// Use whose end no event tells is looked at more often, but never more often than this, however short `IdleStopSec=` is.
  public static let often = Duration.seconds(1)

  /// However short `IdleFreezeSec=` is, a guest that was thawed has this long to serve whoever came.
  public static let shortestFreeze = Duration.milliseconds(50)

  public init(
    idleStop: Duration?, idleFreeze: Duration? = nil, freezesConnections: Bool = false, readyAt now: Duration
  ) {
    self.idleStop = idleStop
    self.idleFreeze = idleFreeze.map { max($0, Self.shortestFreeze) }
    self.freezesConnections = freezesConnections
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
    /// For how long nothing has passed on any connection; nil unless all of them are such that what comes next on them can be seen.
    public var silence: Duration?
    /// After this long the same connections would be judged otherwise.
    public var rescanAfter: Duration?

    public init(
      inUse: Bool, endIsAnnounced: Bool, lastDatagram: Datagram? = nil, silence: Duration? = nil,
      rescanAfter: Duration? = nil
    ) {
      self.inUse = inUse
      self.endIsAnnounced = endIsAnnounced
      self.lastDatagram = lastDatagram
      self.silence = silence
      self.rescanAfter = rescanAfter
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

  /// What is to be done about what a look found.
  public enum Decision: Equatable, Sendable {
    /// Nobody has used the guest for `IdleStopSec=`: stop it.
    case stop
    /// Nobody has used it for `IdleFreezeSec=`: freeze it.
    case freeze
    /// Nothing is due; the next look is to be no later than this from now.
    case rescan(after: Duration)
  }

  /// A connection ended just now.
  public mutating func connectionEnded(at now: Duration) { lastUse = max(lastUse, now) }

  /// It was frozen, and runs again because somebody wants it to.
  public mutating func thawed(at now: Duration) {
    lastUse = max(lastUse, now)
    thawedAt = max(thawedAt, now)
  }

  /// Judges what a look found.
  public mutating func judge(_ usage: Usage, at now: Duration) -> Decision {
    if usage.inUse || endGoesUnseen { lastUse = max(lastUse, now) }
    endGoesUnseen = usage.inUse && !usage.endIsAnnounced
    // Only a datagram that is new since the last look counts: a stamp in the future would otherwise count for ever.
    if let datagram = usage.lastDatagram, datagram.stamp != judgedStamp {
      judgedStamp = datagram.stamp
      lastUse = max(lastUse, now - max(datagram.age, .zero))
    }
    return usage.inUse ? judgeConnections(usage, at: now) : judgeUnused(usage, at: now)
  }

  /// After the last use nothing is due for this long; nil: for ever.
  public var soonest: Duration? { [idleStop, idleFreeze].compactMap(\.self).min() }

  private func judgeConnections(_ usage: Usage, at now: Duration) -> Decision {
    var next = Self.seldom
    if !usage.endIsAnnounced, let soonest {
      next = min(max(soonest, Self.often), next)
    } else if let idleStop {
      next = max(idleStop, next)
    }
    if let again = usage.rescanAfter { next = min(next, again) }
    guard freezesConnections, let idleFreeze, let silence = usage.silence else { return .rescan(after: next) }
    let silent = min(silence, now - thawedAt)
    return silent >= idleFreeze ? .freeze : .rescan(after: min(next, idleFreeze - silent))
  }

  private func judgeUnused(_ usage: Usage, at now: Duration) -> Decision {
    let unused = now - lastUse
    if let idleStop, unused >= idleStop { return .stop }
    if let idleFreeze, unused >= idleFreeze { return .freeze }
    let atMost = idleStop.map { $0 - unused } ?? min(Self.seldom, usage.rescanAfter ?? Self.seldom)
    return .rescan(after: min(atMost, idleFreeze.map { $0 - unused } ?? atMost))
  }
}
