/// Decides when an unused guest is frozen or stopped. Instants are time since boot (CLOCK_MONOTONIC).
public struct IdlePolicy: Equatable, Sendable {
  /// `IdleStopSec=`; nil: the guest is never stopped for idleness.
  public let idleStop: Duration?
  /// `IdleFreezeSec=`; nil: the guest is never frozen for idleness.
  public let idleFreeze: Duration?
  /// `IdleFreeze=with-connections`: the guest is frozen although clients are connected, once they are silent.
  public let freezesConnections: Bool
  /// The last moment at which somebody is known to have used the guest.
  public private(set) var lastUse: Duration
  private var judgedStamp: Duration?
  /// The last scan found a use whose end no event reports: that end came at some time after the scan.
  private var endGoesUnseen = false
  /// When it was thawed last: before that its connections were silent because it was frozen.
  private var thawedAt = Duration.zero
  /// How many attempts to freeze the guest failed in a row, and until when there is no further attempt.
  private var freezeFailures = 0
  private var freezePauseEnds = Duration.zero
  /// Since when clients have been waiting whom only the next instance can serve.
  private var parkedSince: Duration?

  /// The longest time between two scans while connections are open: no event reports a peer that hung up while the guest keeps its end
  /// open, nor a queue that the guest no longer accepts from.
  public static let seldom = Duration.seconds(30)
  /// The shortest time between two scans, however short `IdleStopSec=` is; and how long clients may wait for the next instance.
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

  /// What one scan of the guest's sockets found.
  public struct Usage: Equatable, Sendable {
    /// Connections are open or queued, or datagrams wait to be read.
    public var inUse: Bool
    /// The kernel reports when the last of them ends (TCP). Otherwise only a scan can find out (AF_UNIX, datagrams).
    public var endIsAnnounced: Bool
    /// The last datagram that the guest read, if one ever came.
    public var lastDatagram: Datagram?
    /// For how long nothing has passed on any connection; nil unless what comes next can be seen on all of them.
    public var silence: Duration?
    /// After this long the same connections would be judged differently.
    public var rescanAfter: Duration?
    /// Clients wait whom only the next instance can serve.
    public var isSomebodyParked: Bool

    public init(
      inUse: Bool, endIsAnnounced: Bool, lastDatagram: Datagram? = nil, silence: Duration? = nil,
      rescanAfter: Duration? = nil, isSomebodyParked: Bool = false
    ) {
      self.inUse = inUse
      self.endIsAnnounced = endIsAnnounced
      self.lastDatagram = lastDatagram
      self.silence = silence
      self.rescanAfter = rescanAfter
      self.isSomebodyParked = isSomebodyParked
    }
  }

  /// A datagram by the kernel's time stamp.
  public struct Datagram: Equatable, Sendable {
    /// The stamp by the wall clock: it distinguishes one datagram from the next, and nothing else.
    public var stamp: Duration
    /// How long ago that is; negative after the wall clock was set back.
    public var age: Duration

    public init(stamp: Duration, age: Duration) {
      self.stamp = stamp
      self.age = age
    }
  }

  /// What to do after a scan of the guest's connections.
  public enum Decision: Equatable, Sendable {
    /// Nobody has used the guest for `IdleStopSec=`: stop it.
    case stop
    /// Nobody has used it for `IdleFreezeSec=`: freeze it.
    case freeze
    /// Clients have waited for the next instance for too long: stop this one.
    case makeWay
    /// Nothing is due. The next scan is due after this long at the latest.
    case rescan(after: Duration)
  }

  /// A connection ended just now.
  public mutating func connectionEnded(at now: Duration) { lastUse = max(lastUse, now) }

  /// The guest was frozen and is thawed now, for a client or on request.
  public mutating func thawed(at now: Duration) {
    lastUse = max(lastUse, now)
    thawedAt = max(thawedAt, now)
    freezeFailures = 0
  }

  /// Records that the guest could not be frozen. The attempt does not count as use of the guest. The next one follows after a growing
  /// pause, because a guest that is being frozen answers its clients more slowly.
  public mutating func freezeFailed(at now: Duration) {
    freezeFailures += 1
    freezePauseEnds = now + Backoff.pause(afterFailures: freezeFailures)
  }

  /// Decides from what a scan found, for a guest that keeps running unless something is due.
  public mutating func judge(_ usage: Usage, at now: Duration) -> Decision {
    parkedSince = usage.isSomebodyParked ? parkedSince ?? now : nil
    guard let parkedSince else { return judgeUse(usage, at: now) }
    // At once when no connection is open: datagrams that come without pause would keep this instance running for ever.
    if !usage.inUse || now - parkedSince >= Self.often { return .makeWay }
    var usage = usage
    usage.rescanAfter = min(usage.rescanAfter ?? Self.often, Self.often)
    return judgeUse(usage, at: now)
  }

  /// Decides only by whether somebody used the guest, for one that is about to be stopped or frozen.
  public mutating func judgeUse(_ usage: Usage, at now: Duration) -> Decision {
    if usage.inUse || endGoesUnseen { lastUse = max(lastUse, now) }
    endGoesUnseen = usage.inUse && !usage.endIsAnnounced
    // Only a datagram that is new since the last scan counts: a stamp in the future would otherwise count for ever.
    if let datagram = usage.lastDatagram, datagram.stamp != judgedStamp {
      judgedStamp = datagram.stamp
      lastUse = max(lastUse, now - max(datagram.age, .zero))
    }
    return usage.inUse ? judgeConnections(usage, at: now) : judgeUnused(usage, at: now)
  }

  /// How long after the last use the first decision is due; nil: never.
  public var soonest: Duration? { [idleStop, idleFreeze].compactMap(\.self).min() }

  /// How long until the guest is to be frozen, if it is used no more than `usage` says. Nil: it is not to be frozen.
  public func freezeDue(_ usage: Usage, at now: Duration) -> Duration? {
    guard let idleFreeze else { return nil }
    if !usage.inUse { return max(idleFreeze - (now - lastUse), .zero) }
    guard freezesConnections, let silence = usage.silence else { return nil }
    return max(idleFreeze - min(silence, now - thawedAt), .zero)
  }

  private func judgeConnections(_ usage: Usage, at now: Duration) -> Decision {
    var next = Self.seldom
    if !usage.endIsAnnounced, let soonest {
      next = min(max(soonest, Self.often), next)
    } else if let idleStop {
      next = max(idleStop, next)
    }
    if let again = usage.rescanAfter { next = min(next, again) }
    guard freezesConnections, let idleFreeze, let silence = usage.silence else { return .rescan(after: next) }
    let due = max(idleFreeze - min(silence, now - thawedAt), freezePauseEnds - now)
    return due <= .zero ? .freeze : .rescan(after: min(next, due))
  }

  private func judgeUnused(_ usage: Usage, at now: Duration) -> Decision {
    let unused = now - lastUse
    if let idleStop, unused >= idleStop { return .stop }
    let freezeDue = idleFreeze.map { max($0 - unused, freezePauseEnds - now) }
    if let freezeDue, freezeDue <= .zero { return .freeze }
    let atMost = idleStop.map { $0 - unused } ?? min(Self.seldom, usage.rescanAfter ?? Self.seldom)
    return .rescan(after: min(atMost, freezeDue ?? atMost))
  }
}

extension IdlePolicy {
  /// When a frozen guest is thawed or stopped.
  public enum FrozenEnd: Equatable, Sendable {
    /// It has connections: it is thawed for a moment after this long, before the peers give up on them.
    case thaw(after: Duration)
    /// It has none: it is stopped after this long.
    case stop(after: Duration)
    /// It has none and is never stopped for idleness.
    case never
  }

  /// The longest time for which a guest with connections is frozen when `IdleStopSec=` sets none.
  public static let longestWithConnections = Duration.seconds(600)

  /// How long a guest that is frozen now may stay so.
  public func frozenEnd(hasConnections: Bool, at now: Duration) -> FrozenEnd {
    if hasConnections { return .thaw(after: idleStop ?? Self.longestWithConnections) }
    guard let idleStop else { return .never }
    return .stop(after: max(idleStop - (now - lastUse), .zero))
  }
}
