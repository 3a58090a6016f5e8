import Checks
import Discovery
import Flow
import Foundation
import Model
import Reader
import Testing

/// What is listed once in the data, and named elsewhere.
@Suite struct RegistryTests {
  private let catalog: Catalog

  init() throws {
    catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
  }

  // MARK: Kinds of proxies

  private var kinds: Set<String> { Set(catalog.signs.proxies.map(\.kind)) }

  /// Signs know it, a reader reads it, recipes say how it is changed, and the contract has a word for it.
  @Test func signsReadersRecipesAndContractKnowTheSameKinds() throws {
    #expect(kinds.count > 5)
    #expect(kinds == RouteReading.kinds)
    let recipes = Reader.builtIn.map(\.path).filter { $0.hasPrefix("Screens/proxies/") }.map {
      String($0.dropFirst("Screens/proxies/".count).dropLast(".md".count))
    }
    #expect(kinds == Set(recipes))
    let schema = URL(filePath: #filePath).appending(path: "../../../../shared/contract/diagnosis.schema.json")
      .standardizedFileURL
    guard let data = try? Data(contentsOf: schema) else { return }
    let root = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    func child(_ value: Any?, _ key: String) -> Any? { (value as? [String: Any])?[key] }
    let proxy = child(child(child(root, "properties"), "proxy"), "properties")
    let listed = try #require(child(child(proxy, "kind"), "enum") as? [String])
    #expect(kinds.union(["unknown"]) == Set(listed))
  }

  /// Answers to the question, values in the tree, and conditions of pages.
  @Test func everyKindThatTheDataNamesIsOneOfTheSigns() {
    var named: Set<String> = []
    for node in catalog.tree.nodes.values {
      guard case .fact(.proxyKind, _) = node.looks else { continue }
      named.formUnion(node.branches.flatMap(\.keys))
    }
    for page in catalog.pages.values + catalog.guides.values + catalog.weaknesses.values {
      let conditions = page.explanation.flatMap(\.when) + page.sections.flatMap(\.steps).flatMap(\.when)
      for condition in conditions where condition.fact == .proxyKind {
        if case .oneOf(let values) = condition.test { named.formUnion(values) }
        if case .noneOf(let values) = condition.test { named.formUnion(values) }
      }
    }
    #expect(named.contains("caddy"))
    #expect(named.subtracting(kinds) == [Node.other, Node.unsure, Node.absent])
  }

  // MARK: Words

  @Test func everyHopAndMarkAndConfidenceHasItsWord() {
    let names =
      catalog.hops.flatMap { ["hop.\($0)", "hop.short.\($0)"] }
      + Diagnosis.Evidence.Mark.allCases.map { "mark.\($0.rawValue)" }
      + Confidence.allCases.flatMap { ["confidence.\($0.rawValue)", "confidence.sentence.\($0.rawValue)"] }
      + Diagnosis.Place.allCases.map { "place.\($0.rawValue)" }
      + [Diagnosis.Verdict.working, .diagnosed, .inconclusive].map { "closing.\($0.rawValue)" }
    for name in names { #expect(catalog.words[name] != nil, "\(name)") }
  }

  /// On the screen the hops stand in the order of the way, each with its checks as a person would make them.
  @Test func everyHopIsThatOfACheckAndTheOtherWayRound() {
    let looked = Set(Check.all.compactMap { catalog.checks[$0.shape.id]?.hop })
    #expect(looked == Set(catalog.hops))
    #expect(catalog.hops.count == looked.count)
  }

  // MARK: Outcomes

  @Test func noOutcomeIsAWordOfTheTree() {
    for shape in Check.all.map(\.shape) {
      #expect(!shape.outcomes.contains("otherwise"), "\(shape.id)")
      #expect(!shape.outcomes.contains { $0.contains(",") || $0.first == "$" }, "\(shape.id)")
    }
  }
}
