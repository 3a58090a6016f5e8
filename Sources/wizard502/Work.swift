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
  }

  /// For how long sites share what was seen of the machine; nil: to the end.
  var lifetime: Duration? {
    switch self {
    case .diagnosis: .seconds(2)
    case .checkup: nil
    }
  }

  /// Looks at one site, without asking anybody.
  ///
  /// - Parameters:
  ///   - facts: What the case starts with.
  ///   - earlier: How the diagnosis went that is to come out again.
  ///   - keeper: Writes down what a diagnosis sees.
  func result(
    at facts: Facts, _ catalog: Catalog, _ rounds: Rounds, as earlier: Course?, _ keeper: Keeper?
  ) async -> Result {
    switch self {
    case .diagnosis(let form):
      let (seen, course) = await diagnose(facts, catalog, rounds, as: earlier, looksOn: keeper != nil)
      let diagnosis = await keeper?.keep(seen, course, catalog) ?? seen
      return Result(exit: .init(diagnosis.verdict), text: form.text(of: diagnosis, catalog))
    case .checkup(let isJSON, _):
      var run = Run(Session(checkupWith: catalog, shapes: Check.all.map(\.shape), given: facts))
      await run.runAllChecks { await rounds.finding(of: $0, facts: $1, round: $2) }
      return Result(run.session.checkedSite().withoutSecrets(catalog, showsCut: !isJSON))
    }
  }

  /// The result for a site at which nothing was looked, with the reason.
  func result(notLookedAt site: Site, because reason: String, exit: Wizard502.Exit, _ catalog: Catalog) -> Result {
    switch self {
    case .diagnosis(let form):
      return Result(exit: exit, text: form.text(of: Diagnosis(notLookedAt: site, because: reason), catalog))
    case .checkup:
      return Result(CheckedSite(url: site.url, unseen: [reason]).withoutSecrets(catalog, showsCut: true))
    }
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
      let exits = Set(results.map(\.exit))
      let worst = [Wizard502.Exit.diagnosed, .inconclusive].first { exits.contains($0) } ?? .working
      return (form.joined(results.map(\.text), isSingle: isSingle), results.isEmpty ? .inconclusive : worst)
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
    }
  }

  fileprivate func joined(_ texts: [String], isSingle: Bool) -> String {
    if isSingle { return texts.joined() }
    guard self == .json else { return texts.joined(separator: "\n") }
    let list = texts.map { String($0.dropLast()) }.joined(separator: ",\n")
    return "[" + (texts.isEmpty ? "" : "\n" + list + "\n") + "]\n"
  }
}

extension Diagnosis {
  fileprivate init(notLookedAt site: Site, because reason: String) {
    self.init(
      url: site.url, verdict: .inconclusive,
      observed: Observed(status: nil, seconds: nil, error: reason, emittedBy: nil), proxy: nil, route: nil, causes: [],
      ruledOut: [], checks: [], questions: [])
  }
}
