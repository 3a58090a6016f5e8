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
    // Thousands of them are made: bytes are read, and a text without a placeholder is kept as it is.
    var text = source
    let parts = text.withUTF8(Self.parts)
    self.parts = parts.isEmpty && !source.isEmpty ? [.text(source)] : parts
  }

  /// Empty without a placeholder.
  private static func parts(of bytes: UnsafeBufferPointer<UInt8>) -> [Part] {
    func text(_ range: Range<Int>) -> String {
      String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }
    var parts: [Part] = []
    var (textStart, position) = (0, 0)
    while let brace = bytes[position...].firstIndex(of: UInt8(ascii: "{")) {
      let before = brace > 0 ? bytes[brace - 1] : nil
      position = brace + 1
      guard before != UInt8(ascii: "$"), before != UInt8(ascii: "{"), let end = nameEnd(bytes, from: position)
      else { continue }
      if textStart < brace { parts.append(.text(text(textStart..<brace))) }
      parts.append(.fact(FactName(text(position..<end))))
      position = end + 1
      textStart = position
    }
    if textStart > 0, textStart < bytes.count { parts.append(.text(text(textStart..<bytes.count))) }
    return parts
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

  /// As a command for the shell of whoever started this program: root needs no `sudo`.
  public func command(_ facts: Facts) throws(Unfilled) -> String {
    let template = facts[.userRoot] == nil ? self : Template(source.replacing("sudo ", with: ""))
    return try template.shell(facts)
  }

  /// The text as a person reads it; nil if a placeholder is not known. Hostile characters are shown, not sent, and
  /// secrets left out.
  public func prose(_ facts: Facts) -> String? { fill(facts) { $1.redacted.printable } }

  /// Why a template that is to be run or applied was not filled in.
  public enum Unfilled: Error, Equatable {
    /// A fact is not known.
    case unknown(FactName)
    /// The value cannot be shown so that what is pasted is what it is.
    case withheld(value: String)
  }

  /// A file's text: every value as it is.
  public func literal(_ facts: Facts) throws(Unfilled) -> String { try exact(facts) { $1.isShownInFile ? $1 : nil } }

  /// Lines of a file under one sign of a diff: a value of several lines brings the sign to each of them. What stands
  /// before or after a value on a known line (`port-line.tail`) may be nothing.
  public func lines(_ facts: Facts) throws(Unfilled) -> [String] {
    let ends = placeholders.filter { $0.isEndOfLine && facts[$0] == nil && facts[$0.wholeLine] != nil }
    let filled = try exact(facts, empty: Set(ends)) { _, value in
      value.fileLines.allSatisfy(\.isShownInFile) ? value : nil
    }
    guard let sign = filled.unicodeScalars.first else { return [] }
    return String(filled.unicodeScalars.dropFirst()).fileLines.map { String(sign) + $0 }
  }

  /// A command for a POSIX shell, each value one word; those of a fact called `…-words` are as many as it has.
  public func shell(_ facts: Facts) throws(Unfilled) -> String {
    try exact(facts) { name, value in
      guard name.text.hasSuffix("-words") else { return value.shellWord }
      let words = value[...].words.map(\.shellOption)
      return words.contains(nil) ? nil : words.compactMap(\.self).joined(separator: " ")
    }
  }

  private func exact(
    _ facts: Facts, empty: Set<FactName> = [], _ form: (FactName, String) -> String?
  ) throws(Unfilled) -> String {
    for name in placeholders where facts[name] == nil && !empty.contains(name) { throw .unknown(name) }
    for name in placeholders where !empty.contains(name) {
      if let value = facts[name], form(name, value) == nil { throw .withheld(value: value) }
    }
    return fill(facts, empty: empty, form) ?? ""
  }

  private func fill(_ facts: Facts, empty: Set<FactName> = [], _ form: (FactName, String) -> String?) -> String? {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .fact(let name) where empty.contains(name): break
      case .fact(let name):
        guard let value = facts[name], let shown = form(name, value) else { return nil }
        result += shown
      }
    }
    return result
  }

  /// Where the closing brace stands if a name and one start there: `a.b}`, `a2.b-c_d}`.
  private static func nameEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    var isWordStart = true
    var dots = 0
    for index in start..<bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): isWordStart = false
      case _ where isWordStart: return nil
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): break
      case UInt8(ascii: "."):
        isWordStart = true
        dots += 1
      case UInt8(ascii: "}"): return dots > 0 ? index : nil
      default: return nil
      }
    }
    return nil
  }
}

extension FactName {
  /// True for what stands before or after a value on its line: `port-line.head`, `port-line.tail`.
  fileprivate var isEndOfLine: Bool { text.hasSuffix("-line.head") || text.hasSuffix("-line.tail") }

  /// The whole line: `port-line.text`.
  fileprivate var wholeLine: FactName { FactName(String(text.dropLast(4)) + "text") }
}

extension String {
  /// Split at line feeds alone, which is what ends a line for `patch`; a carriage return stays where it is.
  fileprivate var fileLines: [String] {
    unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
  }

  /// True for a line of a file that a page can show as it is.
  fileprivate var isShownInFile: Bool {
    printable(keepingTabs: true).utf8.elementsEqual(utf8) && !unicodeScalars.contains("\u{FFFD}")
  }
}
