import Model
import YAML

/// What several patterns of a file of signs have in common: `{NAME}` in one of them stands for the part of that name, and
/// in a part for one before it.
final class SharedParts {
  private var names: [Text] = []
  private var patterns: [String: String] = [:]
  private var used: Set<String> = []

  init(_ node: YAML.Node?, _ problems: Problems) {
    for field in node?.fields(problems) ?? [] {
      guard let pattern = field.value.text(problems) else { continue }
      names.append(field.name)
      patterns[field.name.text] = "(?:\(filledIn(pattern).text))"
    }
  }

  func filledIn(_ pattern: Text) -> Text {
    var filled = ""
    var rest = pattern.text.utf8[...]
    while let open = rest.firstIndex(of: UInt8(ascii: "{")) {
      let name = Substring(rest[open...].dropFirst().prefix { $0 != UInt8(ascii: "}") })
      filled += Substring(rest[..<open])
      if let part = patterns[String(name)], name.endIndex < rest.endIndex {
        filled += part
        used.insert(String(name))
        rest = rest[name.endIndex...].dropFirst()
      } else {
        filled += "{"
        rest = rest[open...].dropFirst()
      }
    }
    return Text(text: filled + Substring(rest), at: pattern.at)
  }

  func complainOfUnused(_ problems: Problems) {
    for name in names where !used.contains(name.text) {
      problems.add(name.at, "no pattern of this file uses the part '\(name.text)'")
    }
  }
}
