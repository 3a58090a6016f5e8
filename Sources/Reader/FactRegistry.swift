public import Flow
public import Model
import YAML

/// `Flows/facts.yaml`: every fact that tree and pages may name.
///
/// It is only read where data is linted; a session takes facts as they come.
public struct FactRegistry: Sendable {
  public struct Entry: Sendable {
    /// The form of a fact's text.
    public enum Kind: String, CaseIterable, Sendable {
      case text, number, port, address
      /// Several texts with `, ` between.
      case list
      /// `yes` if it is known.
      case flag
    }

    public let kind: Kind
    /// Of a number: `s`, `bytes`.
    public let unit: String?
    /// The only values that it has; empty: any.
    public let values: [String]
    public let meaning: String
  }

  static let file = "Flows/facts.yaml"
  /// The facts of a line of a file, of which a page may show a patch.
  private static let line: KeyValuePairs<String, Entry> = [
    "file": .init(kind: .text, unit: nil, values: [], meaning: "The file"),
    "number": .init(kind: .number, unit: nil, values: [], meaning: "The line's number, from 1"),
    "text": .init(kind: .text, unit: nil, values: [], meaning: "The whole line"),
    "head": .init(kind: .text, unit: nil, values: [], meaning: "What stands in it before the value"),
    "tail": .init(kind: .text, unit: nil, values: [], meaning: "What stands in it after the value"),
  ]

  public private(set) var entries: [FactName: Entry] = [:]
  private(set) var places: [FactName: SourcePlace] = [:]

  /// That of this build's own files.
  public static var builtIn: FactRegistry {
    let text = Reader.builtIn.first { $0.path == file }?.text ?? ""
    return YAML.read(text, file: file).root.map { FactRegistry($0, Problems()) } ?? FactRegistry()
  }

  private init() {}

  init(_ root: YAML.Node, _ problems: Problems) {
    for field in root.fields(problems) {
      let record = field.value.record(["type", "unit", "one-of", "means"], problems)
      guard let type = record.requiredText("type"), let meaning = record.requiredText("means") else { continue }
      if type.text == "line" {
        for (part, entry) in Self.line {
          add(
            "\(field.name.text).\(part)", at: field.name.at,
            Entry(kind: entry.kind, unit: nil, values: [], meaning: "\(meaning.text). \(entry.meaning)"))
        }
      } else if let kind = type.choice(of: Entry.Kind.allCases, what: "type", problems) {
        if let unit = record.field("unit"), kind != .number {
          problems.add(unit.name.at, "only a number has a unit")
        }
        add(
          field.name.text, at: field.name.at,
          Entry(
            kind: kind, unit: record.text("unit")?.text, values: record.texts("one-of").map(\.text),
            meaning: meaning.text))
      }
    }
  }

  /// Who brings each fact: `start`, a check, the `question` of a node, or a way on that gives it.
  public static func bringers(
    _ tree: Tree, _ shapes: some Sequence<CheckShape>
  ) -> [FactName: [String]] {
    var bringers: [FactName: [String]] = [:]
    func add(_ names: some Sequence<FactName>, _ bringer: String) {
      for name in Set(names) { bringers[name, default: []].append(bringer) }
    }
    add(FactName.start, "start")
    for shape in shapes { add(shape.learns, shape.id) }
    for node in tree.nodes.values {
      if case .fact(let name, _?) = node.looks { add(node.given.union([name]), "question \(node.id)") }
    }
    for (name, follow) in tree.follows { add(follow.gives.keys, "follow \(name)") }
    return bringers.mapValues { $0.sorted() }
  }

  private mutating func add(_ name: String, at place: SourcePlace, _ entry: Entry) {
    entries[FactName(name)] = entry
    places[FactName(name)] = place
  }

  /// What keeps that text from being the fact's; nil: nothing.
  public func mistake(in value: String, of name: FactName) -> String? {
    guard let entry = entries[name] else { return "there is no such fact" }
    if !entry.values.isEmpty, !entry.values.contains(value) {
      return "'\(name.text)' is one of \(entry.values.map { "'\($0)'" }.joined(separator: ", "))"
    }
    switch entry.kind {
    case .text, .list: return nil
    case .number: return Double(value) == nil ? "'\(name.text)' is a number" : nil
    case .port: return UInt16(value) == nil ? "'\(name.text)' is a port" : nil
    case .address: return !value.isAddress ? "'\(name.text)' is an IP address" : nil
    case .flag: return value == "yes" ? nil : "'\(name.text)' is known or not, and has no values"
    }
  }
}
