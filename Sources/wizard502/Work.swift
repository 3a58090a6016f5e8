import Checks
import Flow
import FoundationEssentials
import Model
import Report

/// What a run does at each of its sites, and what becomes of the results.
enum Work {
  case diagnosis(Arguments.Form)
  case checkup(isJSON: Bool, onlyNew: Bool)

  /// What came of a site: its report, or what the report of all is made of, and its exit code.
  struct Result {
    let exit: Wizard502.Exit
    let text: String
    /// Another machine, of which it tells what was seen there.
    var other: String?
    /// Whether the machine that was looked at has a route for the site.
    var hasRoute = true
  }

  /// For how long sites share what was seen of the machine; nil: to the end.
  var lifetime: Duration? {
    switch self {
    case .diagnosis: .seconds(2)
    case .checkup: nil
    }
  }

  /// Whether what was seen is all that is wanted.
  var isRecording: Bool { if case .diagnosis(.recording) = self { true } else { false } }

  /// Looks at one site, without asking anybody.
  ///
  /// - Parameters:
  ///   - facts: What the case starts with.
  ///   - host: The machine at which is looked; nil: this one.
  ///   - earlier: How the diagnosis went that is to come out again.
  ///   - keeper: Writes down what a diagnosis sees.
  func result(
    at facts: Facts, on host: String? = nil, _ catalog: Catalog, _ rounds: Rounds, as earlier: Course?,
    _ keeper: Keeper?
  ) async -> Result {
    switch self {
    case .diagnosis(let form):
      let (seen, course) = await diagnose(facts, catalog, rounds, as: earlier, looksOn: keeper != nil)
      if form == .recording, let keeper { return Result(exit: .init(seen.verdict), text: keeper.written(course)) }
      var diagnosis = await keeper?.keep(seen, course, catalog) ?? seen
      diagnosis.host = host
      return Result(
        exit: .init(diagnosis.verdict), text: form.text(of: diagnosis, catalog), other: diagnosis.other,
        hasRoute: diagnosis.route != nil)
    case .checkup(let isJSON, _):
      var run = Run(Session(checkupWith: catalog, shapes: Check.all.map(\.shape), given: facts))
      await run.runAllChecks { await rounds.finding(of: $0, facts: $1, round: $2) }
      return Result(run.session.checkedSite().withoutSecrets(catalog, showsCut: !isJSON))
    }
  }

  /// The result for a site at which nothing was looked, with the reason.
  func result(notLookedAt target: Target, because reason: String, exit: Wizard502.Exit, _ catalog: Catalog) -> Result {
    switch self {
    case .diagnosis(let form):
      return Result(exit: exit, text: form.text(of: Diagnosis(notLookedAt: target, because: reason), catalog))
    case .checkup:
      return Result(CheckedSite(url: target.name, unseen: [reason]).withoutSecrets(catalog, showsCut: true))
    }
  }

  /// The results of several sites of one machine, or of one site on several, as one.
  func joined(_ results: [Result]) -> Result {
    guard case .diagnosis(let form) = self, results.count > 1 else { return results[0] }
    return Result(exit: .worst(results.map(\.exit)), text: form.strung(results.map(\.text)))
  }

  /// The results of all sites as one text, and how the program ends.
  ///
  /// - Parameter unlisted: Why there may be more sites, in sentences.
  func whole(
    _ results: [Result], isSingle: Bool, unlisted: [String], _ arguments: Arguments
  ) -> (text: String, exit: Wizard502.Exit) {
    switch self {
    case .diagnosis(let form):
      for sentence in unlisted { Wizard502.complain("wizard502: \(sentence)") }
      let exit: Wizard502.Exit = results.isEmpty ? .inconclusive : .worst(results.map(\.exit))
      let texts = results.map(\.text)
      guard form == .prometheus else { return (form.joined(texts, isSingle: isSingle), exit) }
      guard let catalog = Wizard502.catalog(arguments) else { return ("", .unreadable) }
      return (metricReport(texts, catalog: catalog), exit)
    case .checkup(let isJSON, let onlyNew):
      var sites = results.compactMap { try? JSONDecoder().decode(CheckedSite.self, from: Data($0.text.utf8)) }
      // What a worker could not tell was not seen.
      guard sites.count == results.count else { return ("", .fault) }
      if !unlisted.isEmpty { sites.append(CheckedSite(url: nil, unseen: unlisted.map(\.redacted))) }
      let isAllSeen = sites.allSatisfy(\.unseen.isEmpty)
      if onlyNew {
        do throws(CheckupState.Failure) { sites = try CheckupState.news(of: sites) } catch {
          Wizard502.complain("wizard502: \(error.sentence)")
          return ("", .unwritable)
        }
      }
      let exit: Wizard502.Exit =
        if sites.contains(where: { !$0.weaknesses.isEmpty }) { .diagnosed } else {
          isAllSeen ? .working : .inconclusive
        }
      if isJSON { return (checkupJSON(sites), exit) }
      guard let catalog = Wizard502.catalog(arguments) else { return ("", .unreadable) }
      return (sites.isEmpty ? "" : checkupText(sites, catalog: catalog), exit)
    }
  }
}

extension Work.Result {
  fileprivate init(_ site: CheckedSite) {
    let text = (try? JSONEncoder().encode(site)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    self.init(exit: .working, text: text)
  }
}

extension Arguments.Form {
  fileprivate func text(of diagnosis: Diagnosis, _ catalog: Catalog) -> String {
    switch self {
    case .json: jsonReport(diagnosis, catalog: catalog)
    case .text: textReport(diagnosis, catalog: catalog)
    case .markdown: markdownReport(diagnosis, catalog: catalog)
    case .prometheus: metricReport(diagnosis, catalog: catalog)
    case .recording: ""
    }
  }

  /// Reports one behind the other.
  fileprivate func strung(_ texts: [String]) -> String {
    switch self {
    case .json: texts.map { String($0.dropLast()) }.joined(separator: ",\n") + "\n"
    case .text, .markdown: texts.joined(separator: "\n")
    case .prometheus, .recording: texts.joined()
    }
  }

  fileprivate func joined(_ texts: [String], isSingle: Bool) -> String {
    if isSingle { return texts.joined() }
    guard self == .json else { return strung(texts) }
    return "[" + (texts.isEmpty ? "" : "\n" + strung(texts)) + "]\n"
  }
}

extension Diagnosis {
  fileprivate init(notLookedAt target: Target, because reason: String) {
    self.init(
      url: target.name, verdict: .inconclusive,
      observed: Observed(status: nil, seconds: nil, error: reason, emittedBy: nil), proxy: nil, route: nil, causes: [],
      ruledOut: [], checks: [], questions: [], host: target.remotes.first?.name)
  }
}
