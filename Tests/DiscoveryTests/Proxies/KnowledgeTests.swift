import Foundation
import Model
import Routes
import Testing
import World

@testable import Discovery

/// What each reader can know of a route, over all its whole configurations and the small systems that patches are tried
/// on. A proxy of which less is known than before is seen here, and so is a field that nobody fills.
@Suite struct KnowledgeTests {
  /// From little to much; `place` has a value that a person can change where it stands.
  private enum State: Int, Comparable {
    case notApplicable, notRead, value, place

    var sign: String {
      switch self {
      case .notApplicable: "-"
      case .notRead: "?"
      case .value: "value"
      case .place: "place"
      }
    }

    static func < (left: State, right: State) -> Bool { left.rawValue < right.rawValue }
  }

  private static let tests = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  /// Every `Known` in the value, by its path: `patience.connect`.
  private func states(_ value: Any, _ path: String = "") -> [(String, State)] {
    let mirror = Mirror(reflecting: value)
    if String(describing: type(of: value)).hasPrefix("Known<") {
      guard let child = mirror.children.first else {
        return [(path, "\(value)" == "notRead" ? .notRead : .notApplicable)]
      }
      let state = String(describing: child.value).contains("Span(") ? State.place : .value
      return [(path, state)] + states(child.value, path)
    }
    return mirror.children.flatMap { child in
      let name = child.label.map { path.isEmpty ? $0 : "\(path).\($0)" } ?? path
      return states(child.value, mirror.displayStyle == .optional ? path : name)
    }
  }

  private func systems(_ kind: String) -> [(text: String, url: String)] {
    let folder = Self.tests.appending(path: "AdviceTests/Systems")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
    return files.sorted().filter { $0.hasPrefix("\(kind)-") && !$0.hasSuffix(".toml") }.compactMap { file in
      guard let text = try? String(contentsOf: folder.appending(path: file), encoding: .utf8) else { return nil }
      let url = text.prefix { !$0.isNewline }.split(separator: " ").dropFirst().first.map(String.init) ?? ""
      return (
        text.replacing("@DIR@", with: "/etc/shop").replacing("@PORT@", with: "80"), url.replacing("@PORT@", with: "80")
      )
    }
  }

  @Test func readersKnowAsMuchAsTheTableSays() async throws {
    var table: [String: [String: State]] = [:]
    for kind in Set(wholes.map(\.kind)) {
      for whole in wholes where whole.kind == kind {
        let texts = [(whole.text, "http://shop.example.org/orders")] + systems(kind)
        for (text, url) in texts {
          guard let route = try await whole.read(text, url)?.route else { continue }
          for (field, state) in states(route) {
            table[field, default: [:]][kind] = max(table[field]?[kind] ?? .notApplicable, state)
          }
        }
      }
    }
    let kinds = Set(wholes.map(\.kind)).sorted()
    #expect(Set(kinds) == Set(RouteReading.readers.keys))
    let rows = table.keys.sorted().map { field in
      ([field] + kinds.map { (table[field]?[$0] ?? .notApplicable).sign }).joined(separator: "\t")
    }
    let text = ([(["field"] + kinds).joined(separator: "\t")] + rows).joined(separator: "\n") + "\n"
    let file = Self.tests.appending(path: "DiscoveryTests/Proxies/knowledge.tsv")
    if ProcessInfo.processInfo.environment["TABLES"] != nil {
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text, "if that is meant: make tables")
  }
}
