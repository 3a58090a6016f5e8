import LogLines
public import Model
import Pattern
import Synchronization
public import World

/// A machine, and beside it what a person pastes while a session goes on.
///
/// What is pasted of the same machine fills in what the program may not see there itself, and says what its logs say; what
/// is pasted of another one takes the machine's place, as `PastedWorld` does.
public final class Pasteboard: World {
  private struct Content {
    var text = ""
    /// The machine's name for itself, as prompts have it.
    var name: String?
    var isElsewhere = false
    var pasted: PastedWorld?
  }

  private let machine: any World
  private let signs: @Sendable () -> Signs
  private let content: Mutex<Content>

  /// - Parameters:
  ///   - signs: Not wanted before something is pasted.
  ///   - pasted: What was pasted before the session began.
  public init(
    _ machine: any World, _ signs: @autoclosure @escaping @Sendable () -> Signs, after pasted: PastedWorld? = nil
  ) {
    (self.machine, self.signs) = (machine, signs)
    var content = Content()
    if let pasted {
      content = Content(
        text: pasted.text, name: Self.machines(in: pasted.text).first, isElsewhere: true, pasted: pasted)
    }
    self.content = Mutex(content)
  }

  private var current: (pasted: PastedWorld?, isElsewhere: Bool) {
    content.withLock { ($0.pasted, $0.isElsewhere) }
  }

  public var now: Double {
    let (pasted, isElsewhere) = current
    return isElsewhere ? pasted?.now ?? machine.now : machine.now
  }
  public var instant: ContinuousClock.Instant { machine.instant }
  public func pause(_ seconds: Double) async { if !current.isElsewhere { await machine.pause(seconds) } }
  public func deadline(in seconds: Double) async { await machine.deadline(in: seconds) }
  public var others: [OtherMachine] { machine.others }

  public func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  public func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    let (pasted, isElsewhere) = current
    guard let pasted else { return await machine.answer(to: look) }
    if isElsewhere { return await pasted.answer(to: look) }
    let said = pasted.pasted(look)
    if look.isOfLog, let said { return said }
    let seen = await machine.answer(to: look)
    guard case .failure = seen.result else { return seen }
    if let said { return said }
    return await pasted.bareLog(for: look) ?? seen
  }

  // MARK: Taking a paste

  /// Takes in what was pasted; what was pasted before holds on, also if nothing of this can be used.
  ///
  /// - Parameter servesHere: The site was seen to be served by the machine itself.
  public func take(_ text: String, servesHere: Bool) async -> Understanding {
    let before = content.withLock { $0 }
    guard text.unicodeScalars.count + before.text.unicodeScalars.count <= Limits.pastedAtOnce else {
      return .refused(.long)
    }
    if let refusal = Self.refusal(of: text, after: before.name) { return .refused(refusal) }
    let name = before.name ?? Self.machines(in: text).first
    var account = Account(text, now: machine.now, signs())
    let isElsewhere: Bool =
      if before.isElsewhere || !account.isOfMachine { before.isElsewhere } else {
        await !isHere(account, named: name, servesHere: servesHere)
      }
    let all = before.text.isEmpty ? text : before.text + "\n" + text
    let neighbours = isElsewhere ? [] : await inspected(Account.containers(in: all))
    if !neighbours.isEmpty { account = Account(text, now: machine.now, signs(), beside: neighbours) }
    var understanding = account.understanding
    guard !understanding.counts.isEmpty else { return .refused(.nothing) }
    understanding.isElsewhere = isElsewhere
    let pasted = PastedWorld(all, before: machine, signs: signs(), beside: neighbours)
    content.withLock { $0 = Content(text: all, name: name, isElsewhere: isElsewhere, pasted: pasted) }
    return understanding
  }

  /// Why nothing of a text can be used; nil where it may tell something.
  ///
  /// - Parameter name: The machine of which was pasted before.
  public static func refusal(of text: String, after name: String? = nil) -> Understanding.Refusal? {
    if isBinary(text) { return .binary }
    let machines = Set((name.map { [$0] } ?? []) + machines(in: text))
    return machines.count > 1 ? .machines(machines.sorted()) : nil
  }

  /// What the machine tells of containers that a paste names: which process `docker exec web` was about.
  private func inspected(_ names: Set<String>) async -> [JSON] {
    var found: [JSON] = []
    for name in names.sorted().prefix(Limits.includes) where name.shellWord == name {
      guard let sight = try? await machine.see(DockerGet(path: "/containers/\(name)/json")), sight.status == 200,
        let container = JSON(sight.body)
      else { continue }
      found.append(container)
    }
    return found
  }

  /// Whether the paste tells of the machine itself: by the name in its prompts, or by a container that is there, too.
  private func isHere(_ account: Account, named name: String?, servesHere: Bool) async -> Bool {
    if let name, let own = try? await machine.see(FileRead(path: "/proc/sys/kernel/hostname")) {
      return own.text.trimmed.prefix { $0 != "." } == name
    }
    let list = try? await machine.see(DockerGet(path: "/containers/json?all=1"))
    let known = (list.flatMap { JSON($0.body) }?.elements ?? []).compactMap { $0["Id"]?.text }
    let told = account.ids
    if known.isEmpty || told.isEmpty { return servesHere }
    return told.contains { id in known.contains { $0.hasPrefix(id) } }
  }

  /// Text has no NUL, and hardly anything else that is not to be read.
  private static func isBinary(_ text: String) -> Bool {
    var (all, odd) = (0, 0)
    for scalar in text.unicodeScalars {
      if scalar == "\0" { return true }
      all += 1
      if scalar == "\u{FFFD}" || scalar.value < 0x20 && !"\t\n\r\u{1B}".unicodeScalars.contains(scalar) { odd += 1 }
    }
    return odd * 10 > all
  }

  /// Names of machines in the prompts of shells; a container's shell names itself by its id. What `collect` has copied may
  /// quote a prompt, and is of one machine.
  private static func machines(in text: String) -> [String] {
    var names: [String] = []
    for line in text.lines.prefix(while: { !$0.hasPrefix("##502## ") }) {
      guard let name = prompt?.firstMatch(in: writtenLine(line.utf8))?.text(of: "machine"), !names.contains(name),
        !(name.count == 12 && name.allSatisfy(\.isHexDigit))
      else { continue }
      names.append(name)
    }
    return names
  }

  /// `root@web1:~# docker ps`, `[me@web1 ~]$ ss -ltn`. Source: the usual values of PS1 in Debian, Fedora and zsh.
  private static let prompt = try? Pattern(
    #"^\[?[\w.-]{1,32}@(?<machine>[\w-]{1,63})(?:\.[\w.-]*)?[: ][^#$%>]{0,200}[#$%>] \S"#)
}

extension Look {
  /// Whether it shows what a program has written down.
  fileprivate var isOfLog: Bool {
    switch self {
    case let look as DockerGet: look.path.contains("/logs?")
    case let look as FileRead: look.fromEnd
    default: false
    }
  }
}

extension Account {
  /// Of containers; of some only the start.
  fileprivate var ids: [String] {
    containers.compactMap { $0["Id"]?.text } + listed.compactMap { $0["Id"]?.text }
  }

  /// The state of the app, where the list of all containers has but one that is no proxy. Nil for one that a list does not
  /// tell in full: whether memory ran out, or whether it starts again and again.
  private var appStatus: String? {
    let apps = listed.filter { proxy(in: .object($0)) == nil }
    guard isListed, listed.count > apps.count, apps.count == 1, let state = apps[0]["State"]?.text,
      let status = apps[0]["Status"]?.text
    else { return nil }
    switch state {
    case "running" where status.contains("(unhealthy)"): return "unhealthy"
    case "running" where status.contains("starting)"): return "starting"
    case "running": return status.contains("second") ? nil : state
    case "exited": return status.contains("(137)") ? nil : state
    case "created": return "exited"
    default: return state
    }
  }

  /// How many of those things it tells that have no kind of their own.
  private var others: Int {
    let known = [isRoot != nil, ownAddresses != nil, swarm != nil, engineProblem != nil, unixListeners != nil]
    let counts: [Int] = [
      known.count { $0 }, owners.count, isOnlyRoots.count, matches.values.flatMap(\.keys).count, copies.count,
      events.count, images.count, told.count, statistics.count, processesOf?.count ?? 0,
      files.values.flatMap(\.values).count { $0.problem != nil },
    ]
    return counts.reduce(0, +)
  }

  /// What of a paste was read, by kinds.
  fileprivate var understanding: Understanding {
    var understanding = Understanding()
    let lines = bareLines.sorted { $0.key < $1.key }.flatMap(\.value)
    let written = lines + logs.sorted { $0.key < $1.key }.flatMap { $0.value.lines.map(String.init) }
    if !written.isEmpty {
      let reader = LogReader(signs)
      understanding.shows = written.compactMap { reader.reading(of: $0, by: nil)?.sign.shows }
    }
    let containers = Set(ids.map { $0.prefix(12) })
    let texts = files.values.flatMap(\.values).count { $0.text != nil }
    let found = names.values.flatMap(\.keys) + unanswered.values.flatMap(\.keys)
    let tried: Int = connections.count + exchanges.count + sockets.values.flatMap(\.keys).count + certificates.count
    let ports = Set(listeners.values.joined().map(\.port))
    let counts: [(kind: String, count: Int)] = [
      ("containers", containers.count), ("networks", networks?.count ?? 0), ("logs", logs.count),
      ("lines", lines.count), ("files", texts), ("ports", ports.count),
      ("answers", Set(answers.keys.map(\.asked)).count),
      ("connections", tried), ("names", found.count), ("processes", processes.count), ("services", services.count),
      ("rules", packetFilters.values.flatMap(\.keys).count), ("disks", fileSystems.values.flatMap(\.keys).count),
      ("tables", rows.values.flatMap(\.keys).count), ("others", others),
    ]
    understanding.counts = counts.filter { $0.count > 0 }
    understanding.unread = unread.count
    let status = appStatus ?? ""
    // What does not run listens nowhere, so that is known as well.
    let isDown = ["exited", "restarting"].contains(status)
    understanding.tells = ["container.status": status, "app.listens": isDown ? status : ""]
    return understanding
  }
}
