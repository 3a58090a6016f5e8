import Flow
import Model
import YAML

/// A text and where it stands.
struct Text {
  let text: String
  let at: SourcePlace
}

/// A field's name and its value.
struct Field {
  let name: Text
  let value: YAML.Node
}

extension SourcePlace {
  init(_ place: YAML.Place) { self.init(file: place.file, line: place.line, column: place.column) }
}

extension YAML.Node {
  var at: SourcePlace { SourcePlace(place) }

  /// Text that is not empty.
  func text(_ problems: Problems) -> Text? {
    guard case .scalar(let text) = content, !text.isEmpty else {
      problems.add(at, "a text belongs here")
      return nil
    }
    return Text(text: text, at: at)
  }

  func items(_ problems: Problems) -> [YAML.Node] {
    guard case .sequence(let items) = content else {
      problems.add(at, "a list belongs here")
      return []
    }
    return items
  }

  func texts(_ problems: Problems) -> [Text] { items(problems).compactMap { $0.text(problems) } }

  /// The fields of a mapping whose keys are names of the author's own.
  func fields(_ problems: Problems) -> [Field] {
    guard case .mapping(let pairs) = content else {
      problems.add(at, "a mapping (key: value) belongs here")
      return []
    }
    return pairs.map { Field(name: Text(text: $0.key, at: SourcePlace($0.place)), value: $0.value) }
  }

  /// The fields of a mapping whose keys are fixed; reports every other key.
  func record(_ keys: [String], _ problems: Problems) -> Record {
    let fields = fields(problems)
    for field in fields where !keys.contains(field.name.text) {
      problems.add(
        field.name.at, "there is no key '\(field.name.text)' here", field.name.text, notIn: keys)
    }
    return Record(
      at: at, values: Dictionary(fields.map { ($0.name.text, $0) }) { first, _ in first }, problems: problems)
  }
}

/// A mapping whose keys are fixed.
struct Record {
  let at: SourcePlace
  let values: [String: Field]
  let problems: Problems

  subscript(key: String) -> YAML.Node? { values[key]?.value }

  func text(_ key: String) -> Text? { self[key]?.text(problems) }

  func texts(_ key: String) -> [Text] { self[key]?.texts(problems) ?? [] }

  /// The value of a key that must be there.
  func required(_ key: String) -> YAML.Node? {
    if values[key] == nil { problems.add(at, "'\(key)' is missing") }
    return self[key]
  }

  func requiredText(_ key: String) -> Text? { required(key)?.text(problems) }

  /// One of an enumeration's values.
  func choice<Choice: RawRepresentable<String>>(
    _ key: String, of choices: [Choice]
  ) -> Choice? {
    text(key).flatMap { $0.choice(of: choices, what: key, problems) }
  }
}

extension Text {
  /// The case of that name; reports a name that is none.
  func choice<Choice: RawRepresentable<String>>(
    of choices: [Choice], what: String, _ problems: Problems
  ) -> Choice? {
    if let choice = choices.first(where: { $0.rawValue == text }) { return choice }
    let names = choices.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    problems.add(at, "there is no \(what) '\(text)'; there are \(names)")
    return nil
  }
}
