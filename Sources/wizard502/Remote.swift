import Discovery
import Flow
import Glibc
import Machine
import Model
import Pasted
import Synchronization
import World

/// A machine that `--on` names.
struct Remote: Sendable {
  /// As it was named.
  let name: String
  /// The same for a sentence.
  var shown: String { name.machineInWords }
  /// The same where it does not matter who logs in.
  var machine: String { shown.firstRange(of: " as ").map { String(shown[..<$0.lowerBound]) } ?? shown }
  private let way: Way

  private enum Way {
    case shell(SecureShell)
    /// The engine of a Docker context, wherever it is; all else is looked at here.
    case engine
  }

  // MARK: Names

  /// `ssh://…`, or a Docker context; nil for what is neither.
  private init?(_ name: String) throws(Evidence.Failure) {
    self.name = name
    if let shell = SecureShell(name) {
      way = .shell(shell)
      return
    }
    guard !name.hasPrefix("-"), name.unicodeScalars.allSatisfy({ Self.contextSigns.contains($0) }) else { return nil }
    let address: String
    do throws(Unseen) { address = try Machine.engineAddress(ofContext: name) } catch {
      guard case .missing = error else {
        throw Evidence.Failure(sentence: "the Docker context \(name) cannot be read")
      }
      return nil
    }
    way = SecureShell(address).map { .shell($0) } ?? .engine
  }

  /// Source: docker/cli, `cli/context/store`, `restrictedNamePattern`.
  private static let contextSigns = Set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-".unicodeScalars)

  /// Those of a list with commas: each a name, or a file with one a line. Empty lines, and those that begin with `#`, are none.
  static func all(_ words: String) throws(Evidence.Failure) -> [Remote] {
    var remotes: [Remote] = []
    for word in words.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
      if let remote = try Remote(word) {
        remotes.append(remote)
      } else if !word.contains("://"), !word.hasPrefix("-"), access(word, F_OK) == 0 {
        remotes += try listed(in: word)
      } else {
        throw Evidence.Failure(
          sentence: "--on \(word.excerpt(of: 200)) is no ssh://user@host, no Docker context and no file", exit: .misuse)
      }
    }
    guard !remotes.isEmpty else {
      throw Evidence.Failure(sentence: "\(words.excerpt(of: 200)) names no machine", exit: .misuse)
    }
    guard remotes.count <= Limits.hosts else {
      throw Evidence.Failure(sentence: "--on names more than \(Limits.hosts) machines", exit: .misuse)
    }
    var seen: Set<String> = []
    return remotes.filter { seen.insert($0.name).inserted }
  }

  private static func listed(in path: String) throws(Evidence.Failure) -> [Remote] {
    let bytes = try Evidence.bytes(of: path, most: Limits.answers)
    guard bytes.count <= Limits.answers else {
      throw Evidence.Failure(sentence: "\(path.printable) has more than \(Limits.answers >> 10) KB")
    }
    var remotes: [Remote] = []
    for (number, line) in zip(1..., String(decoding: bytes, as: UTF8.self).lines) {
      let word = String(line).trimmed
      if word.isEmpty || word.hasPrefix("#") { continue }
      guard let remote = try Remote(word) else {
        throw Evidence.Failure(
          sentence:
            "\(path.printable), line \(number): \(word.excerpt(of: 200)) is no ssh://user@host and no Docker context",
          exit: .misuse)
      }
      remotes.append(remote)
    }
    return remotes
  }

  // MARK: What is seen there

  /// What is seen there of a site.
  func evidence(
    of site: Site, _ arguments: Arguments, _ signs: Signs, until limit: RunLimit
  ) async throws(Unseen) -> Subject {
    guard case .shell(let shell) = way else { return .machine(Wizard502.world(engine: name)) }
    switch try await answer(of: shell, about: site, arguments, limit) {
    case .recordings(let recordings):
      do throws(Evidence.Failure) { return .recording(recordings[0], try recordings[0].site(site.url)) } catch {
        throw .unreadable(what: name, why: .said(error.sentence))
      }
    case .text(let text): return .paste(PastedWorld(text, before: Wizard502.world(), signs: signs))
    }
  }

  /// Every site of every proxy there, each with what is seen of it; and the proxies of which sites are missing.
  func everything(
    _ arguments: Arguments, _ signs: Signs, until limit: RunLimit
  ) async throws(Unseen) -> (sites: [(site: Site, subject: Result<Subject, Unseen>)], unseen: [Unseen]) {
    let world: any World
    switch way {
    case .engine: world = Wizard502.world(engine: name)
    case .shell(let shell):
      switch try await answer(of: shell, about: nil, arguments, limit) {
      case .recordings(let recordings):
        var sites: [(site: Site, subject: Result<Subject, Unseen>)] = []
        for recording in recordings {
          // What the machine lists besides its sites has none.
          do throws(Evidence.Failure) {
            let site = try recording.site(nil)
            sites.append((site, .success(.recording(recording, site))))
          } catch { throw .unreadable(what: name, why: .said(error.sentence)) }
        }
        return (sites, [])
      case .text(let text): world = PastedWorld(text, before: Wizard502.world(), signs: signs)
      }
    }
    let listed = try await RouteReading.sites(in: Once(world), signs)
    let found = Mutex<[Int: Result<Subject, Unseen>]>([:])
    await sideBySide(listed.sites.count) { index in
      let subject: Result<Subject, Unseen>
      do throws(Unseen) {
        let seen = try await evidence(of: listed.sites[index].site, arguments, signs, until: limit)
        subject = .success(seen)
      } catch { subject = .failure(error) }
      found.withLock { $0[index] = subject }
    }
    let subjects = found.withLock { $0 }
    return (
      listed.sites.indices.map { (listed.sites[$0].site, subjects[$0] ?? .failure(.noAnswer(seconds: limit.seconds))) },
      listed.unseen
    )
  }

  /// What is seen there of a port, for a machine that dials it at one of that one's addresses.
  ///
  /// - Parameters:
  ///   - dialled: Address and port: `10.0.0.3:8080`, `[fd00::3]:8080`.
  ///   - site: The one for which it is dialled.
  func world(
    dialled: String, for site: Site, _ arguments: Arguments, _ signs: Signs, until limit: RunLimit
  ) async throws(Unseen) -> any World {
    guard case .shell(let shell) = way else { return Wizard502.world(engine: name) }
    switch try await answer(of: shell, about: site, dialled: dialled, arguments, limit) {
    case .recordings(let recordings): return recordings[0]
    case .text(let text): return PastedWorld(text, before: Wizard502.world(), signs: signs)
    }
  }

  private enum Told {
    case recordings([Recording])
    /// What commands have printed.
    case text(String)
  }

  /// Asks the program of that machine, if it has one that writes what this one reads, and else has the collecting script
  /// run.
  ///
  /// - Parameters:
  ///   - site: Nil: every one.
  ///   - dialled: Set if no site is looked at, but this port there.
  private func answer(
    of shell: SecureShell, about site: Site?, dialled: String? = nil, _ arguments: Arguments, _ limit: RunLimit
  ) async throws(Unseen) -> Told {
    let left = limit.left() - Self.rest
    guard left > 0 else { throw .noAnswer(seconds: limit.seconds) }
    let seconds = Int(left - min(Self.onTheWay, left / 4))  // fits: an hour at most
    var words = [Self.asking, dialled == nil ? site?.url ?? "sites" : "port", site?.url ?? "--all"]
    words += ["--recorded", String(Recording.version), "--timeout", String(max(1, seconds))]
    if let dialled { words += ["--dialled", dialled] }
    if let series = arguments.series { words += ["--repeat", String(series)] }
    var command = "exec sh -c"
    for word in words {
      guard let quoted = word.isEmpty ? "''" : Self.quoted(word) else {
        throw .unreadable(what: name, why: .init(.longWord, word.excerpt(of: 40)))
      }
      command += " " + quoted
    }
    let told = try await shell.answer(
      to: command, input: Array(Wizard502.collectingScript.utf8), limit: left, most: Limits.sentByHost,
      sharingIn: StateFolder.path)
    guard Recording.begins(told.output) else { return .text(String(decoding: told.output, as: UTF8.self)) }
    for line in told.errors.lines.filter({ !$0.isEmpty }).prefix(Self.complaints) {
      Wizard502.complain("wizard502: \(shown): \(String(line).excerpt(of: 200))")
    }
    do throws(Recording.Mistake) { return .recordings(try Recording.all(reading: told.output)) } catch {
      throw .unreadable(what: name, why: .said(error.description))
    }
  }

  /// As a word of any shell: options are words here, too.
  private static func quoted(_ word: String) -> String? { word.hasPrefix("-") ? word : word.shellWord }

  /// Run there with what the script is about as its name, a site's address, `sites` or `port`, and the words of `diagnose`:
  /// a program that does not know them says so by 64 (`Exit.misuse`), and the script on standard input is run, whole, since
  /// what it runs may read that as well.
  private static let asking =
    #"PATH=$PATH:/usr/local/bin; if command -v wizard502 >/dev/null 2>&1; then wizard502 diagnose "$@" </dev/null; "#
    + #"code=$?; [ "$code" -eq 64 ] || exit "$code"; fi; "#
    + #"case $0 in *://*) set -- "$0" ;; *) set -- '' "$0" ;; esac; exec sh -c "$(cat)" collect "$@""#

  /// Seconds of the limit that are kept for what is done here with what came, and those for what comes and goes.
  private static let rest = 1.0
  private static let onTheWay = 5.0
  /// Lines of what a program there complains of.
  private static let complaints = 5
}

extension [Remote] {
  /// These machines, for a site of one of them that may lead to another one.
  ///
  /// - Parameter asked: What they have told so far; nil: they are asked each time.
  func others(
    than remote: Remote, for site: Site, _ arguments: Arguments, _ signs: Signs, asked: Asked? = nil,
    until limit: @escaping @Sendable () -> RunLimit
  ) -> [OtherMachine] {
    filter { $0.name != remote.name }.map { other in
      OtherMachine(name: other.machine) { address, port throws(Unseen) in
        let dialled = "\(address.inURL):\(port)"
        let ask: Asked.Ask = { () async throws(Unseen) in
          try await other.world(dialled: dialled, for: site, arguments, signs, until: limit())
        }
        guard let asked else { return try await ask() }
        return try await asked.world(of: other.name, at: dialled, ask)
      }
    }
  }
}

/// What machines have shown of ports that others dial: each is asked about a port once, and one that could not be reached
/// no more.
final class Asked: Sendable {
  typealias Ask = @Sendable () async throws(Unseen) -> any World
  private struct Told {
    var tasks: [String: Task<Result<any World, Unseen>, Never>] = [:]
    var unreached: [String: Unseen] = [:]
  }
  private let told = Mutex(Told())

  func world(of machine: String, at dialled: String, _ ask: @escaping Ask) async throws(Unseen) -> any World {
    if let unseen = told.withLock({ $0.unreached[machine] }) { throw unseen }
    let task = told.withLock { told in
      let key = "\(machine) \(dialled)"
      if let task = told.tasks[key] { return task }
      let task = Task<Result<any World, Unseen>, Never> {
        do throws(Unseen) {
          let world = try await ask()
          return .success(world)
        } catch { return .failure(error) }
      }
      told.tasks[key] = task
      return task
    }
    let result = await task.value
    if case .failure(let unseen) = result { told.withLock { $0.unreached[machine] = unseen } }
    return try result.get()
  }
}

/// What is looked at: a site, or every one there is, on this machine or on others.
struct Target: Sendable {
  /// Nil: every one.
  var site: Site?
  /// Empty: this machine.
  var remotes: [Remote] = []

  /// As it is told of where nothing was seen of it.
  var name: String { site?.url ?? remotes.first?.name ?? "" }

  /// Those of a run: each machine for itself, but for one site, which may be served by several together. None: the sites of
  /// this machine, which are to be found.
  static func all(_ site: Site?, on remotes: [Remote]) -> [Target] {
    if let site { return [Target(site: site, remotes: remotes)] }
    return remotes.map { Target(remotes: [$0]) }
  }
}

extension Arguments {
  /// The machines that `--on` names; none: this one is looked at.
  func remotes() throws(Evidence.Failure) -> [Remote] { if let on { try Remote.all(on) } else { [] } }
}

/// A machine that is looked at elsewhere, as often as somebody wants it seen anew: looks wait for what is collected there.
final class Elsewhere: World {
  typealias Collect = @Sendable () async throws(Unseen) -> Subject
  private struct Seen: Sendable {
    var task: Task<Result<Subject, Unseen>, Never>
    /// Its time of day when it was last seen, and when that was here.
    var clock: (now: Double, at: ContinuousClock.Instant)?
  }

  private let collect: Collect
  private let here = Wizard502.world()
  private let seen: Mutex<Seen>

  init(_ collect: @escaping Collect) {
    self.collect = collect
    seen = Mutex(Seen(task: Self.task(collect)))
  }

  private static func task(_ collect: @escaping Collect) -> Task<Result<Subject, Unseen>, Never> {
    Task {
      do throws(Unseen) {
        let subject = try await collect()
        return .success(subject)
      } catch { return .failure(error) }
    }
  }

  /// What was collected first.
  func first() async throws(Unseen) -> Subject { try await subject() }

  func renew() { seen.withLock { $0.task = Self.task(collect) } }

  private func subject() async throws(Unseen) -> Subject {
    let result = await seen.withLock { $0.task }.value
    let subject = try result.get()
    let now = subject.world.now
    seen.withLock { $0.clock = (now, here.instant) }
    return subject
  }

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight { try await answer(to: look).result.get() }

  func answer<L: Look>(to look: L) async -> Answer<L.Sight> {
    do throws(Unseen) { return try await subject().world.answer(to: look) } catch {
      return Answer(.failure(error), seconds: 0)
    }
  }

  var now: Double {
    guard let clock = seen.withLock({ $0.clock }) else { return here.now }
    return clock.now + clock.at.duration(to: here.instant) / .seconds(1)
  }
  var instant: ContinuousClock.Instant { here.instant }
  func pause(_ seconds: Double) async {}
  /// Nobody has waited for a look while what it is answered from was still on its way.
  func deadline(in seconds: Double) async {
    do throws(Unseen) { try await subject().world.deadline(in: seconds) } catch { await here.deadline(in: seconds) }
  }
}
