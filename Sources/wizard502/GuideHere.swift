import Checks
import Discovery
import Flow
import Glibc
import Model
import Pasted
import Report
import Screen
import Terminal
import World

extension Wizard502 {
  /// The guided session on this machine, or on what was seen of another.
  static func guide(_ url: String?, _ catalog: Catalog, _ arguments: Arguments) async -> Int32 {
    let scenario: Scenario
    do throws(Evidence.Failure) {
      let remotes = try arguments.remotes()
      if !remotes.isEmpty {
        return await session(try await elsewhere(remotes, url, catalog, arguments), catalog, arguments)
      }
      switch try arguments.subject(url, catalog.signs) {
      case .machine(let world):
        // Where lines come from no terminal, nobody is asked whether to go on, nor where answers are given ahead.
        let sessions = isatty(STDIN_FILENO) == 1 ? LeftSessions(of: arguments.restriction(at: url)) : nil
        let left = arguments.answers == nil ? sessions?.newest(url.map { Site($0)?.url ?? $0 }) : nil
        let lacks = await lacks(world)
        scenario = Scenario(
          url: url, world: Pasteboard(world, catalog.signs), notices: lacks.notices.map { catalog.word($0) },
          lacksRights: lacks.rights,
          left: left,
          keep: { sessions?.keep($0) })
      case .recording(let recording, let site):
        scenario = Scenario(
          url: site.url, world: Pasteboard(recording, catalog.signs),
          notices: [catalog.word("notice.recorded", ["recording.date": recording.date])],
          origin: catalog.word("title.recorded", ["recording.day": recording.day]),
          given: recording.course?.givenAgain)
      case .paste(let pasted):
        scenario = Scenario(
          url: url, world: Pasteboard(Self.world(), catalog.signs, after: pasted),
          notices: [catalog.word("notice.pasted")] + pasted.unread(in: catalog), origin: catalog.word("title.pasted"))
      }
    } catch {
      complain("wizard502: \(error.sentence)")
      return error.exit.rawValue
    }
    return await session(scenario, catalog, arguments)
  }

  /// A session about a site that is looked at on another machine, the first of these.
  private static func elsewhere(
    _ remotes: [Remote], _ url: String?, _ catalog: Catalog, _ arguments: Arguments
  ) async throws(Evidence.Failure) -> Scenario {
    guard let site = url.flatMap({ Site($0) }) else {
      throw Evidence.Failure(
        sentence: "\((url ?? "").excerpt(of: 200)) is no address of a site, such as https://shop.example.org",
        exit: .misuse)
    }
    let remote = remotes[0]
    let others = remotes.others(than: remote, for: site, arguments, catalog.signs) {
      RunLimit(seconds: arguments.limit)
    }
    let place: Facts = ["on.host": remote.shown]
    complain("wizard502: \(catalog.word("on.looking", place))")
    let world = Elsewhere { () async throws(Unseen) in
      try await remote.evidence(of: site, arguments, catalog.signs, until: RunLimit(seconds: arguments.limit))
    }
    let first: Subject
    do throws(Unseen) { first = try await world.first() } catch {
      throw Evidence.Failure(sentence: catalog.reason(error), exit: .inconclusive)
    }
    return Scenario(
      url: site.url, world: Pasteboard(AmongOthers(world, others), catalog.signs),
      notices: [catalog.word("notice.elsewhere", place)],
      origin: catalog.word("title.elsewhere", place), given: first.course?.givenAgain, beside: others.given,
      seeAnew: { world.renew() })
  }

  /// What a guided session is about.
  struct Scenario {
    var url: String?
    let world: any World
    /// What cannot be seen there, in sentences.
    var notices: [String] = []
    /// True if somebody with more rights could see it.
    var lacksRights = false
    /// What stands in each title if this machine is not looked at, and what the case of a recording was given.
    var origin: String?
    var given: Facts?
    /// What each case is given.
    var beside = Facts()
    var exercises: [Exercise] = []
    var practise: @Sendable (Exercise) -> (given: Facts, date: String)? = { _ in nil }
    var mend: @Sendable () -> Void = {}
    var seeAnew: @Sendable () -> Void = {}
    /// A session that was left, and what writes this one down.
    var left: Left?
    var keep: @Sendable (Kept?) -> Void = { _ in }
  }

  /// A guided session on the screen or in lines.
  static func session(_ scenario: Scenario, _ catalog: Catalog, _ arguments: Arguments) async -> Int32 {
    var options = Terminal.Options(colours: arguments.colours, ascii: arguments.ascii)
    options.isRestricted = arguments.isRestricted
    let ahead: [String]
    let record: Record?
    do throws(Evidence.Failure) {
      ahead = if let path = arguments.answers { try Answers.read(path) } else { [] }
      record = if let path = arguments.record { try Record(creating: path) } else { nil }
    } catch {
      complain("wizard502: \(error.sentence)")
      return error.exit.rawValue
    }
    let (world, given, beside) = (scenario.world, scenario.given, scenario.beside)
    let reason = LineInput.reason(isAsked: arguments.isPlain)
    let state = State(
      catalog: catalog, shapes: Check.all.map(\.shape), notices: scenario.notices, lacksRights: scenario.lacksRights,
      origin: scenario.origin,
      exercises: scenario.exercises, left: scenario.left, isASCII: options.isASCII, readsLines: reason != nil,
      isRestricted: arguments.isRestricted, ahead: ahead,
      site: { typed in
        Site(typed).map { site in
          (given.flatMap { $0[.url] == site.url ? $0 : nil } ?? arguments.facts(of: site)).merging(beside)
        }
      })
    let rounds = Rounds(world, catalog.signs)
    var guide = Guide(
      look: { await rounds.finding(of: $0, facts: $1, round: $2) },
      routes: { routes(of: world, catalog, limit: arguments.limit) },
      report: { markdownReport($0, catalog: catalog) }, hidden: { hiddenInReport($0, catalog: catalog) },
      practise: scenario.practise, mend: scenario.mend, seeAnew: scenario.seeAnew,
      keep: scenario.keep)
    if let board = world as? Pasteboard { guide.paste = { await board.take($0, servesHere: $1) } }
    if arguments.isRestricted { guide.folders = { [StateFolder.path].compactMap { $0 } } }
    if let record { guide.record = { record.append($0) } }
    do {
      let end =
        if let reason {
          try await guidedInLines(
            state, url: scenario.url, guide: guide, because: catalog.words(for: reason),
            isRestricted: arguments.isRestricted)
        } else {
          try await guided(state, url: scenario.url, guide: guide, options: options)
        }
      if !end.line.isEmpty {
        Output.put(end.line + "\n")
        record?.append(end.line + "\n")
      }
      if record?.isWhole == false { complain("wizard502: the session could not be written down to its end") }
      return end.code
    } catch {
      let name = if case Terminal.Refusal.inBackground = error { "in-background" } else { "not-started" }
      complain("wizard502: \(catalog.word("refused.\(name)"))")
      return Exit.misuse.rawValue
    }
  }

  /// What cannot be looked into here, by the names of sentences, and whether that is for want of rights.
  private static func lacks(_ world: any World) async -> (notices: [String], rights: Bool) {
    var names: [String] = []
    var rights = false
    if case .success(false) = await world.result(of: IsRoot()) { (names, rights) = (["notice.not-root"], true) }
    let engine = await world.result(of: UnixConnect(path: "/var/run/docker.sock", place: .host))
    switch (try? engine.get())?.outcome {
    case .denied: (names, rights) = (names + ["notice.docker-denied"], true)
    case .missing: names.append("notice.docker-missing")
    default: break
    }
    return (names, rights)
  }

  /// Seconds that a site of the list has for its answer: the others wait for their turn.
  private static let patience = 10.0

  /// Every route of every proxy here; then again, each with its site's answer, in the order in which they are listed.
  private static func routes(of world: any World, _ catalog: Catalog, limit: Double) -> AsyncStream<RouteLine> {
    let (lines, sink) = AsyncStream.makeStream(of: RouteLine.self)
    let task = Task {
      let world = Once(world)
      let sites = await world.result(within: limit) { () async throws(Unseen) in
        try await RouteReading.sites(in: world, catalog.signs)
      }
      let listed = (try? sites.get())?.sites ?? []
      @Sendable func line(_ site: RouteReading.ListedSite, _ status: String?, _ mark: Diagnosis.Evidence.Mark?)
        -> RouteLine
      {
        let name = catalog.signs.proxies.first { $0.kind == site.kind }?.name ?? site.kind
        return RouteLine(
          url: site.site.url, proxy: "\(name), \(site.proxy)", upstream: site.upstream, status: status, mark: mark)
      }
      for site in listed { sink.yield(line(site, nil, nil)) }
      await sideBySide(listed.count) { index in
        let facts = listed[index].site.facts.merging([.limitSeconds: String(min(limit, patience))])
        guard let finding = await Check.named("site.answer")?.finding(in: world, facts: facts, signs: catalog.signs)
        else { return }
        let mark = catalog.evidence(finding, facts).mark
        sink.yield(line(listed[index], finding.facts[.siteStatus] ?? finding.outcome, mark))
      }
      sink.finish()
    }
    sink.onTermination = { _ in task.cancel() }
    return lines
  }
}

extension Catalog {
  /// Why a session is in lines.
  fileprivate func words(for reason: LineInput.Reason) -> String {
    switch reason {
    case .asked: word("lines.reason.asked")
    case .accessible: word("lines.reason.accessible")
    case .noTerminal: word("lines.reason.no-terminal")
    case .noKind: word("lines.reason.no-kind")
    case .kind(let kind): word("lines.reason.kind", ["terminal.kind": kind.excerpt(of: 40)])
    }
  }
}

/// Does `work` for each of a number of sites, the first ones first, and never for more than a few at the same time: they
/// may all be asked of one machine that is ill already.
func sideBySide(
  _ count: Int, atOnce most: Int = Limits.sitesAtOnce, _ work: @escaping @Sendable (Int) async -> Void
) async {
  await withTaskGroup(of: Void.self) { group in
    for index in 0..<count {
      if index >= most { await group.next() }
      if Task.isCancelled { return }
      group.addTask { await work(index) }
    }
  }
}
