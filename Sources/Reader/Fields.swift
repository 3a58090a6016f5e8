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

  init(_ pair: YAML.Pair) {
    name = Text(text: pair.key, at: SourcePlace(pair.place))
    value = pair.value
  }
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
  func fields(_ problems: Problems) -> [Field] { pairs(problems).map(Field.init) }

  private func pairs(_ problems: Problems) -> [YAML.Pair] {
    guard case .mapping(let pairs) = content else {
      problems.add(at, "a mapping (key: value) belongs here")
      return []
    }
    return pairs
  }

  /// The fields of a mapping whose keys are fixed; reports every other key.
  func record(_ keys: [String], _ problems: Problems) -> Record {
    let pairs = pairs(problems)
    for pair in pairs where !keys.contains(pair.key) {
      problems.add(SourcePlace(pair.place), "there is no key '\(pair.key)' here", pair.key, notIn: keys)
    }
    return Record(at: at, pairs: pairs, problems: problems)
  }
}

/// A mapping whose keys are fixed, and so few that each is looked for.
struct Record {
  let at: SourcePlace
  fileprivate let pairs: [YAML.Pair]
  let problems: Problems

  var keys: [String] { pairs.map(\.key) }

  subscript(key: String) -> YAML.Node? { pairs.first { $0.key == key }?.value }

  /// Nil without such a key.
  func field(_ key: String) -> Field? { pairs.first { $0.key == key }.map(Field.init) }

  func text(_ key: String) -> Text? { self[key]?.text(problems) }

  func texts(_ key: String) -> [Text] { self[key]?.texts(problems) ?? [] }

  /// The value of a key that must be there.
  func required(_ key: String) -> YAML.Node? {
    let value = self[key]
    if value == nil { problems.add(at, "'\(key)' is missing") }
    return value
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
