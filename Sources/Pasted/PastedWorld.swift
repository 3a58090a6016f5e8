public import Model
public import World

/// A machine of which somebody has pasted what commands print there.
///
/// What it tells of itself is taken from the paste alone: where the paste tells of no machine, and for the site's own
/// answer, the world behind it is asked.
public final class PastedWorld: World {
  private let account: Account
  private let behind: any World
  /// The paste.
  let text: String

  /// - Parameters:
  ///   - text: A paste, or what `collect` has written.
  ///   - behind: What can be seen from here.
  ///   - signs: By what the lines of logs are known.
  public convenience init(_ text: String, before behind: any World, signs: Signs = Signs()) {
    self.init(text, before: behind, signs: signs, beside: [])
  }

  /// - Parameter neighbours: Containers in full of which the machine itself has told.
  init(_ text: String, before behind: any World, signs: Signs, beside neighbours: [JSON]) {
    account = Account(text, now: behind.now, signs, beside: neighbours)
    self.text = text
    self.behind = behind
  }

  /// Lines of the paste that say nothing that is known: number and text.
  public var unread: [(number: Int, line: String)] { account.unread }

  public var now: Double { account.now }
  public var instant: ContinuousClock.Instant { behind.instant }
  public func pause(_ seconds: Double) async {}
  public func deadline(in seconds: Double) async { await behind.deadline(in: seconds) }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    if let pasted = pasted(look) { return pasted }
    let seen: Answer<L.Sight> =
      if account.isOfMachine, !account.canBeAskedFromHere(look) {
        Answer(.failure(.notRecorded(what: look.inShort)), seconds: 0)
      } else {
        await behind.answer(to: look)
      }
    if case .failure = seen.result, let lines = await bareLog(for: look) { return lines }
    return seen
  }

  /// What lines of logs in the paste answer to a look at a log that nothing else has: those of the proxy's kind, or of the
  /// apps'.
  func bareLog<L: Look>(for look: L) async -> Answer<L.Sight>? {
    guard let lines = await bareLines(for: look) as? L.Sight else { return nil }
    return Answer(.success(lines), seconds: 0, hearsay: .whole)
  }

  private func bareLines(for look: some Look) async -> (any Sendable)? {
    guard !account.bareLines.isEmpty else { return nil }
    switch look {
    case let look as FileRead: return account.bareLog(in: look)
    case let look as DockerGet:
      let parts = look.path.split(separator: "/")
      guard parts.count == 3, parts[0] == "containers", parts[2].hasPrefix("logs?"),
        let sight = try? await see(DockerGet(path: "/containers/\(parts[1])/json")), let container = JSON(sight.body)
      else { return nil }
      return account.bareLog(of: container)
    default: return nil
    }
  }

  /// What the paste itself says of a look; nil where that is nothing.
  func pasted<L: Look>(_ look: L) -> Answer<L.Sight>? {
    guard let look = look as? any PastedLook else { return nil }
    return account.answer(to: look)
  }
}

extension Account {
  /// - Returns: Nil where the paste says nothing of it.
  fileprivate func answer<L: PastedLook, Sight>(to look: L) -> Answer<Sight>? {
    do throws(Unseen) {
      guard let sight = try look.pasted(in: self) as? Sight else { return nil }
      return Answer(.success(sight), seconds: 0, hearsay: hearsay(of: look))
    } catch { return Answer(.failure(error), seconds: 0, hearsay: hearsay(of: look)) }
  }

  /// What is answered by an output of which a part is missing is less than what was printed.
  private func hearsay<L: PastedLook>(of look: L) -> Hearsay {
    cut.contains { part in
      do throws(Unseen) { return try look.pasted(in: part) != nil } catch { return true }
    } ? .cut : .whole
  }
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
