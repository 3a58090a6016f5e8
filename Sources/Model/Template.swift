/// Text with placeholders: `{upstream.port}` is filled in, `{{json .State}}` and `${HOME}` stay.
///
/// A placeholder is a dotted lower-case fact name in single braces.
public struct Template: Sendable, Equatable {
  public enum Part: Sendable, Equatable {
    case text(String)
    case fact(FactName)
  }

  public let parts: [Part]

  public init(_ source: String) {
    var parts: [Part] = []
    var text = ""
    var rest = Substring(source)
    while let brace = rest.firstIndex(of: "{") {
      text += rest[..<brace]
      let before = text.last
      let inside = rest[rest.index(after: brace)...]
      if before != "$", before != "{", let end = inside.firstIndex(of: "}"), Self.isName(inside[..<end]) {
        if !text.isEmpty { parts.append(.text(text)) }
        text = ""
        parts.append(.fact(FactName(String(inside[..<end]))))
        rest = inside[inside.index(after: end)...]
      } else {
        text += "{"
        rest = inside
      }
    }
    text += rest
    if !text.isEmpty { parts.append(.text(text)) }
    self.parts = parts
  }

  /// The text as it was written.
  public var source: String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .fact(let name): "{\(name.text)}"
      }
    }.joined()
  }

  public var placeholders: [FactName] {
    parts.compactMap { if case .fact(let name) = $0 { name } else { nil } }
  }

  /// The text as a person reads it; nil if a placeholder is not known. Hostile characters are shown, not sent.
  public func prose(_ facts: Facts) -> String? { fill(facts) { $0.printable } }

  /// A file's text: every value as it is; nil if one is not known or has characters a file line cannot show.
  public func literal(_ facts: Facts) -> String? {
    fill(facts) { $0.printable(keepingTabs: true) == $0 ? $0 : nil }
  }

  /// A command for a POSIX shell, each value one word; nil if one is not known or cannot be shown as it is.
  public func shell(_ facts: Facts) -> String? { fill(facts) { $0.shellWord } }

  private func fill(_ facts: Facts, _ form: (String) -> String?) -> String? {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .fact(let name):
        guard let value = facts[name], let shown = form(value) else { return nil }
        result += shown
      }
    }
    return result
  }

  /// `a.b`, `a.b-c`, `a2.b`: lower case, at least one dot.
  private static func isName(_ text: Substring) -> Bool {
    let words = text.split(separator: ".", omittingEmptySubsequences: false)
    return words.count > 1
      && words.allSatisfy { word in
        word.first.map { $0.isASCII && $0.isLowercase } == true
          && word.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-" || $0 == "_") }
      }
  }
}
