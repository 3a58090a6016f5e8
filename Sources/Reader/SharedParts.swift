import Model
import YAML

/// What several patterns of a file of signs have in common: `{NAME}` in one of them stands for the part of that name, and
/// in a part for one before it.
final class SharedParts {
  private var parts: [(name: Text, pattern: String)] = []
  private var used: Set<String> = []

  init(_ node: YAML.Node?, _ problems: Problems) {
    for field in node?.fields(problems) ?? [] {
      guard let pattern = field.value.text(problems) else { continue }
      parts.append((field.name, "(?:\(filledIn(pattern).text))"))
    }
  }

  func filledIn(_ pattern: Text) -> Text {
    guard pattern.text.contains("{") else { return pattern }
    return Text(
      text: parts.reduce(pattern.text) { text, part in
        let filled = text.replacing("{\(part.name.text)}", with: part.pattern)
        if filled != text { used.insert(part.name.text) }
        return filled
      }, at: pattern.at)
  }

  func complainOfUnused(_ problems: Problems) {
    for part in parts where !used.contains(part.name.text) {
      problems.add(part.name.at, "no pattern of this file uses the part '\(part.name.text)'")
    }
  }
}
