public import Model
public import World

/// A machine of which somebody has pasted what commands print there.
///
/// What it tells of itself is taken from the paste alone: where the paste tells of no machine, and for the site's own
/// answer, the world behind it is asked.
public final class PastedWorld: World {
  private let account: Account
  private let behind: any World

  /// - Parameters:
  ///   - text: A paste, or what `collect` has written.
  ///   - behind: What can be seen from here.
  public init(_ text: String, before behind: any World) {
    account = Account(text)
    self.behind = behind
  }

  /// Lines of the paste that say nothing that is known: number and text.
  public var unread: [(number: Int, line: String)] { account.unread }

  public var now: Double { account.now ?? behind.now }
  public var instant: ContinuousClock.Instant { behind.instant }
  public func pause(_ seconds: Double) async {}
  public func deadline(in seconds: Double) async { await behind.deadline(in: seconds) }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    if let look = look as? any PastedLook, let sight = try seen(by: look) as? L.Sight { return sight }
    guard !account.isOfMachine || account.canBeAskedFromHere(look) else {
      throw .notRecorded(what: look.inShort)
    }
    return try await behind.see(look)
  }

  private func seen<L: PastedLook>(by look: L) throws(Unseen) -> (any Sendable)? { try look.pasted(in: account) }
}

/// A look as a paste answers it.
protocol PastedLook: Look {
  /// Nil where the paste says nothing of it.
  func pasted(in account: Account) throws(Unseen) -> Sight?
}

extension Account {
  /// The site itself may be asked from anywhere, unless that leads back to the machine that was pasted.
  fileprivate func canBeAskedFromHere(_ look: some Look) -> Bool {
    switch look {
    case is SystemLookup: true
    case let look as HTTPRequest:
      look.place == .host && look.unixSocket == nil
        && look.address.map { !$0.isLoopback && !$0.isPrivateAddress } != false
    default: false
    }
  }
}
