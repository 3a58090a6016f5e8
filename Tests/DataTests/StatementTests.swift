import Checks
import Flow
import Foundation
import Model
import Reader
import Testing

private let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

/// `statements.tsv`: what five published guides say of 502 is said by the program, as far as it is true, and what is
/// wrong in them is said nowhere.
@Suite struct StatementTests {
  @Test func everyStatementIsThereOnce() throws {
    let statements = try Statement.all()
    #expect(Set(statements.map(\.id)).count == statements.count)
    let bySource = Dictionary(grouping: statements) { $0.id.prefix { $0 != "-" } }.mapValues(\.count)
    #expect(bySource == ["S000": 28, "S001": 90, "S002": 19, "S003": 77, "S004": 16])
    #expect(statements.count == 230)
    guard let list = try Checklist.read() else { return }
    #expect(statements.map(\.id) == list.map(\.id))
    #expect(statements.map(\.status.rawValue) == list.map(\.status))
  }

  @Test func everyStatementIsSaidWhereItsPlaceIs() throws {
    let places = try Places()
    for statement in try Statement.all() {
      let problem = statement.problem(in: places)
      #expect(problem == nil, "\(statement.id): \(problem ?? "")")
    }
  }

  @Test func noWrongFormIsSaidAnywhere() throws {
    let texts = Reader.builtIn.map { (path: $0.path, text: $0.text.folded) }
    for statement in try Statement.all() {
      guard let never = try statement.pattern() else { continue }
      for (path, text) in texts {
        let match = text.first(never)
        #expect(match == nil, "\(statement.id): \(path) says: \(match ?? "")")
      }
    }
  }

  /// A pattern that does not know the wrong form would never find it.
  @Test func everyPatternFindsTheWrongFormInItsSource() throws {
    guard let list = try Checklist.read() else { return }
    let sources = Dictionary(list.map { ($0.id, $0.source) }) { first, _ in first }
    for statement in try Statement.all() {
      guard let never = try statement.pattern(), let source = sources[statement.id],
        let text = try? String(contentsOf: Checklist.folder.appending(path: "seeds/\(source)"), encoding: .utf8)
      else { continue }
      #expect(text.folded.first(never) != nil, "\(statement.id): \(never.pattern) is not in \(source)")
    }
  }

  /// What an entry of each kind says when it is broken.
  @Test(arguments: [
    ("page wrong-prot", "x", "there is no page 'wrong-prot'"),
    ("page wrong-port", "the port is right", "page wrong-port does not say: the port is right"),
    ("page wrong-port", "Write down beside each route", "page wrong-port does not say: Write down beside each route"),
    ("prevention wrong-port", "the port is right", "prevention wrong-port does not say: the port is right"),
    ("question speaks", "x", "there is no question 'speaks'"),
    ("question where", "no such words", "question where does not say: no such words"),
    ("check port.listens", "x", "there is no check 'port.listens'"),
    ("check port.listening", "no such words", "check port.listening does not say: no such words"),
    ("guide releases", "x", "there is no guide 'releases'"),
    ("guide release", "no such words", "guide release does not say: no such words"),
    ("word fix.lost", "x", "there is no word 'fix.lost'"),
    ("word fix.last", "no such words", "word fix.last does not say: no such words"),
    ("place nowhere", "x", "there is no kind of place 'place'"),
    ("page wrong-port", "", "its words are missing"),
    ("", "x", "its place is missing"),
  ])
  func aBrokenEntryIsNamed(place: String, says: String, problem: String) throws {
    let statement = Statement(id: "S000-X9", status: .right, place: place, says: says, never: "")
    #expect(statement.problem(in: try Places()) == problem)
  }

  @Test func aDroppedStatementHasNoPlace() throws {
    let places = try Places()
    let dropped = Statement(id: "S000-X9", status: .dropped, place: "page wrong-port", says: "", never: "x")
    #expect(dropped.problem(in: places) == "it is dropped, and has a place")
    let open = Statement(id: "S000-X9", status: .dropped, place: "", says: "", never: "")
    #expect(open.problem(in: places) == "it is dropped, and no pattern finds it if it comes back")
  }

  /// A page that no branch names and a question to which nothing leads are not reached by anybody.
  @Test func whatIsNotReachedIsNoPlace() throws {
    var catalog = try Places.catalog()
    let start = try #require(catalog.tree.nodes[catalog.tree.start])
    catalog.tree.nodes[start.id] = Node(
      id: start.id, looks: start.looks,
      branches: start.branches.map {
        Branch(keys: $0.keys, end: .inconclusive, at: $0.at)
      }, at: start.at)
    let places = Places(catalog, sources: "")
    for place in [
      "page wrong-port", "prevention wrong-port", "question where", "check port.listening", "word fix.last",
    ] {
      let statement = Statement(id: "S000-X9", status: .right, place: place, says: "e", never: "")
      #expect(statement.problem(in: places)?.hasPrefix("nobody gets to ") == true, "\(place)")
    }
  }
}

/// One line of `statements.tsv`.
private struct Statement {
  enum Status: String { case right, corrected, dropped }

  let id: String
  let status: Status
  /// A kind and a name: `page wrong-port`.
  let place: String
  let says: String
  /// A regular expression for its wrong form; empty where there is none.
  let never: String

  static func all() throws -> [Statement] {
    let file = package.appending(path: "Tests/DataTests/statements.tsv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
    return try lines.dropFirst().map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      try #require(fields.count == 5, "\(line)")
      return Statement(
        id: fields[0], status: try #require(Status(rawValue: fields[1]), "\(line)"), place: fields[2],
        says: fields[3], never: fields[4])
    }
  }

  func pattern() throws -> NSRegularExpression? {
    never.isEmpty ? nil : try NSRegularExpression(pattern: never, options: .caseInsensitive)
  }

  /// What is wrong with the entry; nil if the words stand where they should.
  func problem(in places: Places) -> String? {
    if status == .dropped {
      guard place.isEmpty, says.isEmpty else { return "it is dropped, and has a place" }
      return never.isEmpty ? "it is dropped, and no pattern finds it if it comes back" : nil
    }
    if place.isEmpty { return "its place is missing" }
    if says.isEmpty { return "its words are missing" }
    let words = place.split(separator: " ", maxSplits: 1).map(String.init)
    switch places.text(words[0], words.last ?? "") {
    case .success(let text): return text.folded.contains(says.folded) ? nil : "\(place) does not say: \(says)"
    case .failure(let problem): return problem.sentence
    }
  }
}

/// The texts of the program by the place at which a reader gets to see them.
private struct Places {
  struct Problem: Error { let sentence: String }

  private let catalog: Catalog
  /// The program's sources, which name the words that they use.
  private let sources: String
  private let reached: [Node]

  static func catalog() throws -> Catalog {
    try #require(Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
  }

  init() throws {
    let folder = package.appending(path: "Sources")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    let sources = try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
      .map { try String(contentsOf: $0, encoding: .utf8) }
    self.init(try Self.catalog(), sources: sources.joined(separator: "\n"))
  }

  init(_ catalog: Catalog, sources: String) {
    self.catalog = catalog
    self.sources = sources
    var reached: [String: Node] = [:]
    var open = [catalog.tree.start]
    while let id = open.popLast() {
      guard reached[id] == nil, let node = catalog.tree.nodes[id] else { continue }
      reached[id] = node
      open += node.branches.compactMap(\.go)
    }
    self.reached = Array(reached.values)
  }

  func text(_ kind: String, _ name: String) -> Result<String, Problem> {
    let texts: [String]?
    var isReached = true
    switch kind {
    case "page", "prevention":
      let page = catalog.pages[name]
      texts = kind == "page" ? page?.texts : page?.prevention.map(\.source)
      isReached = reached.contains { $0.branches.flatMap(\.names).contains { $0.cause == name } }
    case "guide":
      texts = catalog.guides[name]?.texts
      // A session's numbers end with 9.
      isReached = catalog.guides.keys.sorted().prefix(9).contains(name)
    case "question":
      let node = catalog.tree.nodes[name]
      if case .fact(_, let question?) = node?.looks {
        let answers = node?.branches.compactMap(\.text) ?? []
        texts =
          [question.text, question.why].map(\.source)
          + ([question.findOut, question.run].compactMap(\.self) + answers).flatMap(\.sources)
      } else {
        texts = nil
      }
      isReached = reached.contains { $0.id == name }
    case "check":
      texts = catalog.checks[name].map { check in
        [check.title, check.byHand?.source ?? ""] + check.outcomes.values.flatMap(\.sentences).map(\.source)
      }
      isReached = reached.contains { $0.looks == .check(name) }
    case "word":
      texts = catalog.words[name].map { [$0.source] }
      isReached = sources.contains("\"\(name)\"")
    default: return .failure(Problem(sentence: "there is no kind of place '\(kind)'"))
    }
    guard let texts else { return .failure(Problem(sentence: "there is no \(kind) '\(name)'")) }
    guard isReached else { return .failure(Problem(sentence: "nobody gets to \(kind) \(name)")) }
    return .success(texts.joined(separator: "\n"))
  }
}

extension Page {
  /// What stands on it, but for the prevention and the sources.
  fileprivate var texts: [String] {
    [title.source] + explanation.map(\.text.source)
      + sections.flatMap { section in [section.heading] + section.steps.flatMap(\.texts) }
  }
}

extension Page.Step {
  fileprivate var texts: [String] {
    switch body {
    case .none: [text.source]
    case .command(let body), .form(let body): [text.source, body.source]
    case .patch(_, _, let lines): [text.source] + lines.map(\.source)
    }
  }
}

/// The list from which the statements were taken, where it lies beside the checkout.
private enum Checklist {
  static let folder = package.appending(path: "../shared").standardizedFileURL

  static func read() throws -> [(id: String, source: String, status: String)]? {
    guard let text = try? String(contentsOf: folder.appending(path: "reference/seed-checklist.tsv"), encoding: .utf8)
    else { return nil }
    return try text.split(separator: "\n").dropFirst().map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      try #require(fields.count == 6, "\(line)")
      return (String(fields[0]), String(fields[1]), String(fields[5].prefix { $0 != ":" }))
    }
  }
}

extension String {
  /// With one blank for each run of white space.
  fileprivate var folded: String { split { $0.isWhitespace }.joined(separator: " ") }

  fileprivate func first(_ pattern: NSRegularExpression) -> String? {
    guard let match = pattern.firstMatch(in: self, range: NSRange(startIndex..., in: self)),
      let range = Range(match.range, in: self)
    else { return nil }
    return String(self[range])
  }
}
