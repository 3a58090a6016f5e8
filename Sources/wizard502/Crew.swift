import CProcess
import Checks
import Discovery
import Flow
import Glibc
import Model
import Pasted
import Synchronization
import World

/// A run at one site or all, done by processes of their own.
///
/// One worker does all sites, side by side, and tells of each when it begins and what came of it. When it dies, those
/// that it had begun are tried again, each in a worker of its own, and one more worker goes on with the rest: so a site
/// on which the program fails costs no other one its result. This process only waits; it has one thread.
struct Crew {
  /// What a worker is to do.
  private enum Task {
    /// To find the sites of all proxies here, then to look at them.
    case everything
    /// Places in the list of what is looked at.
    case targets([Int])
  }

  private struct Member {
    let child: Child
    let reader: Int32
    let task: Task
    var received: [UInt8] = []
    var begun: Set<Int> = []
  }

  private let arguments: Arguments
  private let work: Work
  private let limit: RunLimit
  private let isSingle: Bool
  private var targets: [Target]
  private var results: [Int: Work.Result] = [:]
  /// Why sites may be missing in that list, in sentences.
  private var unlisted: [String] = []
  private var members: [Member] = []
  /// Beyond the workers that there may be at the same time.
  private var waiting: [Task] = []
  private var hasFailed = false

  /// - Parameter targets: None: every site of every proxy here.
  init(_ targets: [Target], _ work: Work, _ arguments: Arguments) {
    self.work = work
    self.arguments = arguments
    limit = RunLimit(seconds: arguments.limit)
    isSingle = arguments.from != nil || targets.contains { $0.site != nil && $0.remotes.count <= 1 }
    self.targets = targets
  }

  /// Runs to the end of all workers, prints the results in the order of the sites, and ends the program.
  mutating func run() -> Never {
    start(targets.isEmpty ? .everything : .targets(Array(targets.indices)))
    while !members.isEmpty {
      let left = limit.left(after: Self.grace)
      var waits = members.map { pollfd(fd: $0.reader, events: Int16(POLLIN), revents: 0) }
      guard left > 0 else {
        giveUp()
        break
      }
      guard poll(&waits, nfds_t(waits.count), Int32(left * 1000) + 1) > 0 else { continue }  // fits: an hour at most
      // From the last one on, because one that has ended is taken out, and others are put behind.
      for index in waits.indices.reversed() where waits[index].revents != 0 { receive(index) }
    }
    end()
  }

  /// Seconds after the limit in which a worker has to have written its reports. One that has not hangs in a system call.
  private static let grace = 10.0

  private mutating func start(_ task: Task) {
    guard members.count < Limits.sitesAtOnce else {
      waiting.append(task)
      return
    }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { Wizard502.refuse(Conditions.noFile) }
    let (reader, writer) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (targets, work, arguments, limit) = (targets, work, arguments, limit)
    let readers = members.map(\.reader) + [reader]
    let child = Child.start {
      for reader in readers { close(reader) }
      let report = Reporter(descriptor: writer)
      Wizard502.concurrently {
        let places: [Int]? = if case .targets(let places) = task { places } else { nil }
        return await Worker(work: work, arguments: arguments, limit: limit, report: report).run(places, of: targets)
      }
    }
    close(writer)
    guard let child else { Wizard502.refuse(Conditions.noThread) }
    members.append(Member(child: child, reader: reader, task: task))
  }

  private mutating func receive(_ index: Int) {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(members[index].reader, &bytes, bytes.count)
    if count < 0, errno == EINTR { return }
    guard count > 0 else {
      let member = members.remove(at: index)
      close(member.reader)
      ended(member, member.child.end())
      if !waiting.isEmpty, members.count < Limits.sitesAtOnce { start(waiting.removeFirst()) }
      return
    }
    members[index].received += bytes.prefix(count)
    while let message = Message(&members[index].received) {
      switch message {
      case .listed(let urls): targets = urls.compactMap { Site($0) }.map { Target(site: $0) }
      case .unlisted(let sentence): unlisted.append(sentence)
      case .begun(let site): members[index].begun.insert(site)
      case .done(let site, let exit, let text):
        members[index].begun.remove(site)
        results[site] = Work.Result(exit: Wizard502.Exit(rawValue: exit) ?? .fault, text: text)
      }
    }
  }

  private mutating func ended(_ member: Member, _ end: Child.End) {
    let all: [Int] = if case .targets(let places) = member.task { places } else { Array(targets.indices) }
    let rest = all.filter { results[$0] == nil }
    guard let fault = end.fault else {
      // It could not begin, and has said why; or it was told to end.
      if case .code(0) = end, rest.isEmpty { return }
      if results.isEmpty { stop(as: end) }
      fail(rest)
      return
    }
    if isSingle || all.isEmpty { Wizard502.refuse(fault) }
    if all.count == 1 { return fail(all) }
    Wizard502.complain("wizard502: \(fault) What it had begun is tried again.")
    let alone = rest.filter { member.begun.contains($0) }
    let others = rest.filter { !member.begun.contains($0) }
    for target in alone { start(.targets([target])) }
    if alone.isEmpty, others.count > 1, others.count == all.count {
      // Nobody knows which one it was.
      start(.targets(Array(others.prefix(others.count / 2))))
      start(.targets(Array(others.dropFirst(others.count / 2))))
    } else if !others.isEmpty {
      start(.targets(others))
    }
  }

  /// Ends the program as a worker has ended.
  private func stop(as end: Child.End) -> Never {
    for member in members { kill(member.child.id, SIGKILL) }
    Wizard502.end(as: end)
  }

  /// No worker hangs in a look for ever, but one may in a system call that the kernel does not end.
  private mutating func giveUp() {
    for member in members { kill(member.child.id, SIGKILL) }
    let unreached = targets.indices.filter { results[$0] == nil }
    if isSingle || targets.isEmpty {
      Wizard502.refuse("it did not end within --timeout, and was stopped. A file or a device may hang here.")
    }
    fail(unreached)
  }

  private mutating func fail(_ places: [Int]) {
    hasFailed = true
    guard !places.isEmpty, let catalog = Wizard502.catalog(arguments) else { return }
    for place in places {
      results[place] = work.result(
        notLookedAt: targets[place], because: catalog.word("unseen.failed"), exit: .fault, catalog)
    }
  }

  private func end() -> Never {
    let results = targets.indices.compactMap { self.results[$0] }
    let (text, exit) = work.whole(results, isSingle: isSingle, unlisted: unlisted, arguments)
    Output.put(text)
    Wizard502.end((hasFailed ? .fault : exit).rawValue)
  }
}

/// What a worker tells, as bytes: a letter, two numbers, the length of what follows, that.
private enum Message {
  /// The addresses of all sites.
  case listed([String])
  /// Why some may be missing in them.
  case unlisted(String)
  /// The place of a site in that list.
  case begun(Int)
  case done(Int, exit: Int32, text: String)

  private static let head = 13

  /// Takes the first message off what was received; nil if it has not come as a whole.
  init?(_ received: inout [UInt8]) {
    guard received.count >= Self.head else { return nil }
    func number(_ place: Int) -> Int {
      received[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) }  // fits: a byte
    }
    let (first, second, length) = (number(1), number(5), number(9))
    guard received.count >= Self.head + length else { return nil }
    let text = String(decoding: received[Self.head..<Self.head + length], as: UTF8.self)
    switch received[0] {
    case UInt8(ascii: "L"): self = .listed(text.split(separator: "\n").map(String.init))
    case UInt8(ascii: "U"): self = .unlisted(text)
    case UInt8(ascii: "B"): self = .begun(first)
    default: self = .done(first, exit: Int32(truncatingIfNeeded: second), text: text)
    }
    received.removeFirst(Self.head + length)
  }

  var bytes: [UInt8] {
    let (letter, first, second, text): (Unicode.Scalar, Int, Int, String) =
      switch self {
      case .listed(let urls): ("L", 0, 0, urls.joined(separator: "\n"))
      case .unlisted(let sentence): ("U", 0, 0, sentence)
      case .begun(let site): ("B", site, 0, "")
      case .done(let site, let exit, let text): ("D", site, Int(exit), text)  // fits: an exit code
      }
    let numbers = [first, second, text.utf8.count].flatMap { number in (0..<4).map { UInt8(number >> (8 * $0) & 0xFF) }
    }
    return [UInt8(ascii: letter)] + numbers + Array(text.utf8)
  }
}

/// The way of a worker's messages.
private final class Reporter: Sendable {
  private let descriptor: Mutex<Int32>

  init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

  func tell(_ message: Message) {
    // Where nobody reads any more, nobody is told.
    descriptor.withLock { descriptor in _ = Output.write(message.bytes, to: descriptor) }
  }
}

/// The process that looks.
private struct Worker {
  let work: Work
  let arguments: Arguments
  let limit: RunLimit
  let report: Reporter

  /// - Parameter places: Those of `targets` that are to be looked at; nil: all sites of this machine, which are to be found
  ///   first.
  func run(_ places: [Int]?, of targets: [Target]) async -> Int32 {
    guard let catalog = Wizard502.catalog(arguments) else { return Wizard502.Exit.unreadable.rawValue }
    if let places, arguments.on != nil {
      let abroad = Abroad(
        targets.flatMap(\.remotes), work: work, arguments: arguments, limit: limit, catalog: catalog)
      await sideBySide(places.count, atOnce: Limits.hostsAtOnce) { index in
        report.tell(.begun(places[index]))
        let result = await abroad.result(at: targets[places[index]])
        report.tell(.done(places[index], exit: result.exit.rawValue, text: result.text))
        abroad.progress.tell(targets[places[index]], result, of: targets.count, catalog)
      }
      return 0
    }
    return await run(places, of: targets.compactMap(\.site), catalog)
  }

  /// The same for sites that are looked at here, or in a file.
  private func run(_ places: [Int]?, of sites: [Site], _ catalog: Catalog) async -> Int32 {
    let subject: Subject
    let keeper: Keeper?
    do throws(Evidence.Failure) {
      subject = try arguments.subject(sites.first?.url, catalog.signs)
      keeper = try Keeper(of: subject, arguments)
    } catch {
      Wizard502.complain("wizard502: \(error.sentence)")
      return error.exit.rawValue
    }
    var sites = sites
    switch subject {
    case .machine: break
    case .recording(let recording, let site):
      sites = [site]
      Wizard502.complain("wizard502: from what was seen on \(recording.date)")
    case .paste(let pasted):
      for sentence in pasted.unread(in: catalog, showing: !arguments.anonymizes) {
        Wizard502.complain("wizard502: \(sentence)")
      }
    }
    let machine = keeper?.world ?? subject.world
    let shared = Once(machine, lifetime: work.lifetime)
    if sites.isEmpty {
      let listed = await shared.result(within: limit.left()) { () async throws(Unseen) in
        try await RouteReading.sites(in: shared, catalog.signs)
      }
      switch listed {
      case .success((let listed, let unseen)):
        sites = listed.map(\.site)
        for unseen in unseen {
          report.tell(.unlisted("sites of one proxy are missing: \(catalog.reason(unseen))"))
        }
        if sites.isEmpty, unseen.isEmpty {
          report.tell(.unlisted("no proxy was found here whose routes can be read"))
        }
      case .failure(let unseen):
        report.tell(.unlisted("could not see the proxies: \(catalog.reason(unseen))"))
      }
    }
    if places == nil { report.tell(.listed(sites.map(\.url))) }
    let (places, all) = (places ?? Array(sites.indices), sites)
    await sideBySide(places.count) { index in
      let place = places[index]
      let result: Work.Result
      if limit.left() > 0 {
        report.tell(.begun(place))
        let recorder = work.isRecording ? Keeper(recording: subject.world) : nil
        let rounds = Rounds(
          recorder?.world ?? machine, sharing: all.count > 1 && recorder == nil ? shared : nil, catalog.signs,
          until: limit.end)
        let given = subject.course?.givenAgain ?? arguments.facts(of: all[place])
        result = await work.result(at: given, catalog, rounds, as: subject.course, recorder ?? keeper)
      } else {
        let reason = catalog.word("unseen.no-time", ["unseen.seconds": limit.seconds.inWords])
        result = work.result(notLookedAt: Target(site: all[place]), because: reason, exit: .inconclusive, catalog)
      }
      report.tell(.done(place, exit: result.exit.rawValue, text: result.text))
    }
    return 0
  }
}
