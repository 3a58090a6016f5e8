@testable import Flow
import Foundation
import Model

/// Values that a fact may have: `samples.tsv`.
struct Samples {
  private var values: [String: String] = [:]

  init() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "samples.tsv")
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
      let cells = line.split(separator: "\t").map(String.init)
      values[cells[0]] = cells[1]
    }
  }

  /// The fact's own value, or that of every fact whose name ends so.
  subscript(_ fact: FactName) -> String? {
    values[fact.text] ?? values["*." + (fact.text.split(separator: ".").last ?? "")]
  }
}

extension Page.Step {
  /// Facts with which the step is shown: those that are `known`, and samples for the others.
  ///
  /// - Parameters:
  ///   - isFixed: Facts that only `known` can bring; no sample is made up for them.
  ///   - sample: A value for a fact; nil makes the step one that cannot be filled in.
  /// - Returns: A way to fill the step in for each value that its conditions allow; none if they contradict each other
  ///   or what is known.
  func samples(
    _ known: Facts, _ catalog: Catalog, isFixed: (FactName) -> Bool = { _ in false },
    _ sample: (FactName) -> String?
  ) -> [Facts] {
    var ways = [known]
    for fact in when.map(\.fact) + placeholders where known[fact] == nil && !isFixed(fact) {
      let tests = when.filter { $0.fact == fact }.map(\.test)
      if tests.contains(.unknown) { continue }
      let named = tests.lazy.compactMap { if case .oneOf(let values) = $0 { values } else { nil } }.first
      let isNeeded = placeholders.contains(fact) || tests.contains(.known)
      let allowed = named ?? [sample(fact)].compactMap { $0 }
      let fitting = allowed.filter { value in
        !tests.contains { if case .noneOf(let values) = $0 { values.contains(value) } else { false } }
      }
      // A condition that only excludes values is met by nothing known, too.
      if fitting.isEmpty, !isNeeded, named == nil { continue }
      ways = ways.flatMap { way in
        fitting.map { value in
          var way = way
          way[fact] = value
          return way
        }
      }
    }
    return ways.filter { filled($0, catalog) != nil }
  }
}

extension Catalog {
  /// The pages of the causes and of the weaknesses, and the guides.
  var allPages: [Page] { pages.values + guides.values + weaknesses.values }
}
