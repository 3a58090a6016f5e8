import Model
import Routes

/// Caddyfiles: what people write, for Caddy to make its JSON of.
///
/// Sources: caddyserver.com/docs/caddyfile, and Caddy's `caddyconfig/caddyfile` (lexer, parser),
/// `caddyconfig/httpcaddyfile` (addresses, order of directives) and `modules/caddyhttp` (directives).
enum Caddyfile {
  /// A mistake that keeps Caddy from taking the file.
  struct Problem: Error, Sendable, Equatable {
    let message: String
    let file: String
    /// From 1.
    let line: Int
    /// The word that is not known, and the one that was probably meant.
    var word: Span?
    var near: String?
    /// A word that Caddy itself does not know; a plugin might.
    var mayBePlugin = false
    /// A block has no end; all that is in it was read.
    var isUnclosed = false
    /// It is none: there is more of the file than is taken in.
    var unseen: Unseen?

    var description: String { "\(message) in \(file):\(line)" }
  }

  /// One word of a file.
  struct Token: Sendable {
    var text: String
    let file: String
    /// From 1.
    let line: Int
    /// The same, with lines that a backslash joins counted as one.
    let row: Int
    let isQuoted: Bool
    /// Line breaks within it.
    let breaks: Int
    /// The UTF-8 columns (from 0) of its line where the text stands as it is; nil if it was put together.
    var columns: Range<Int>?
    /// Of a word that was put together of variables' defaults and what stands around them: each byte's column.
    var scattered: [Int?] = []
    /// Where the word stands that was filled in for it, as an argument of an import, and to which the columns belong.
    var filledBy: Line?
    /// The imports that brought it here.
    var imports: [Int] = []

    var opens: Bool { text == "{" && !isQuoted }
    var closes: Bool { text == "}" && !isQuoted }

    /// True if this word begins another line than `before` ends on.
    func isOnNewLine(after before: Token) -> Bool {
      before.file != file || before.imports != imports || before.row + before.breaks < row
    }
  }

  /// A line of a file. Few words have one of another place than their own, so the many pay for no more than its address.
  final class Line: Sendable {
    let file: String
    let number: Int

    init(_ file: String, _ number: Int) { (self.file, self.number) = (file, number) }
  }

  /// A byte of a file, after environment variables were put in.
  private struct Byte {
    // As small as it can be: a file may have `Limits.file` of them.
    private let bits: UInt32

    init(value: UInt8, column: Int?) {
      bits = (column.flatMap { UInt32(exactly: $0) } ?? .max) << 8 | UInt32(value)
    }

    var value: UInt8 { UInt8(truncatingIfNeeded: bits) }
    /// From 0, in the file's own line; nil for one that stands in no file.
    var column: Int? { bits >> 8 == .max >> 8 ? nil : Int(bits >> 8) }  // fits: 24 bits
  }

  /// The values of Caddy's environment variables; nil if they cannot be seen.
  typealias Environment = @Sendable (String) -> String?

  /// The words of a file. Without an environment a variable is taken as its default, or stays as it is.
  static func tokens(
    _ text: String, of file: String, environment: Environment?, _ allowance: inout Allowance
  ) throws(Problem) -> [Token] {
    let bytes = try replaced(Array(text.utf8), environment, file)
    var (tokens, index, row, skipped): ([Token], Int, Int, Int) = ([], 0, 1, 0)
    var line: Int { row + skipped }
    func byte(_ at: Int) -> UInt8? { bytes.indices.contains(at) ? bytes[at].value : nil }
    while let first = byte(index) {
      if first == .newline { (row, skipped) = (line + 1, 0) }
      if first.isBlank || first == .newline {
        index += 1
        continue
      }
      if first == .backslash, byte(index + 1) == .newline {
        skipped += 1
        index += 2
        continue
      }
      if first == .hash {
        while let next = byte(index), next != .newline { index += 1 }
        continue
      }
      do throws(Unseen) { try allowance.take(of: file) } catch {
        throw Problem(message: "it is too long", file: file, line: line, unseen: error)
      }
      let start = index
      var (value, isPlain, breaks): ([Byte], Bool, Int) = ([], true, 0)
      let quote = first == .quote || first == .backtick ? first : nil
      if let quote {
        index += 1
        while let next = byte(index), next != quote {
          if next == .backslash, quote == .quote, byte(index + 1) == .quote {
            isPlain = false
            index += 1
          }
          if next == .newline { breaks += 1 }
          value.append(bytes[index])
          index += 1
        }
        guard byte(index) != nil else {
          throw Problem(message: "a quoted text has no end", file: file, line: line)
        }
        index += 1
      } else {
        while let next = byte(index), !next.isBlank, next != .newline {
          if next == .backslash, byte(index + 1) == .newline { break }
          value.append(bytes[index])
          index += 1
        }
      }
      let word = String(decoding: value.map(\.value), as: UTF8.self)
      if quote == nil, word.hasPrefix("<<"), word.count > 2, byte(index) == .newline {
        let heredoc = try Caddyfile.heredoc(bytes[(index + 1)...], String(word.dropFirst(2)), file, line)
        index += 1 + heredoc.length
        tokens.append(
          Token(
            text: heredoc.text, file: file, line: line, row: row, isQuoted: true, breaks: heredoc.breaks, columns: nil))
        row += heredoc.breaks
        continue
      }
      let columns = value.first?.column.flatMap { first in
        value.indices.allSatisfy { value[$0].column == first + $0 } ? first..<first + value.count : nil
      }
      let isInPlace = isPlain && breaks == 0 && index > start
      tokens.append(
        Token(
          text: word, file: file, line: line, row: row, isQuoted: quote != nil, breaks: breaks,
          columns: isInPlace ? columns : nil,
          scattered: isInPlace && columns == nil && value.contains { $0.column != nil } ? value.map(\.column) : []))
      row += breaks
    }
    return tokens
  }

  /// The text up to its end marker, the marker's indentation taken from each line.
  private static func heredoc(
    _ bytes: ArraySlice<Byte>, _ marker: String, _ file: String, _ line: Int
  ) throws(Problem) -> (text: String, length: Int, breaks: Int) {
    guard !marker.hasPrefix("<"), marker.utf8.allSatisfy({ $0.isMarker }) else {
      throw Problem(
        message: "a heredoc's marker has only letters, digits, dashes and underscores; got \(marker)", file: file,
        line: line)
    }
    var lines: [String] = []
    var rest = bytes
    var length = 0
    while !rest.isEmpty {
      let bytes = rest.prefix { $0.value != .newline }
      rest = rest[bytes.endIndex...].dropFirst()
      let text = String(decoding: bytes.map(\.value), as: UTF8.self)
      let padding = text.prefix { $0 == " " || $0 == "\t" }
      if text.dropFirst(padding.count).hasPrefix(marker) {
        if let odd = lines.firstIndex(where: { !$0.isEmpty && !$0.hasPrefix(padding) }) {
          throw Problem(
            message: "this line of the text <<\(marker) is indented less than its end", file: file, line: line + odd + 1
          )
        }
        let body = lines.map { String($0.dropFirst(padding.count)) }
        return (body.joined(separator: "\n"), length + padding.utf8.count + marker.utf8.count, lines.count + 1)
      }
      lines.append(text)
      length += bytes.count + 1
    }
    throw Problem(message: "the text <<\(marker) has no end", file: file, line: line)
  }

  /// `{$NAME}` and `{$NAME:default}` replaced.
  private static func replaced(
    _ bytes: [UInt8], _ environment: Environment?, _ file: String
  ) throws(Problem) -> [Byte] {
    var (result, index, column): ([Byte], Int, Int) = ([], 0, 0)
    result.reserveCapacity(bytes.count)
    // The next closing brace, so that none is looked for twice.
    var brace = -1
    // The closing brace of a variable that stays as it is.
    var kept = -1
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    while index < bytes.count {
      let isVariable = bytes[index] == UInt8(ascii: "{") && index + 1 < bytes.count && bytes[index + 1] == .dollar
      if isVariable, brace < index { brace = bytes[index...].firstIndex(of: UInt8(ascii: "}")) ?? bytes.count }
      if isVariable, index > kept, brace < bytes.count, brace > index + 2 {
        let end = brace
        let inner = String(decoding: bytes[(index + 2)..<end], as: UTF8.self)
        let colon = inner.firstIndex(of: ":")
        let fallback = colon.map { String(inner[inner.index(after: $0)...]) }
        let known = environment?(String(inner[..<(colon ?? inner.endIndex)]))
        if let value = known ?? fallback ?? (environment == nil ? nil : "") {
          guard result.count + value.utf8.count <= Limits.file else {
            let unseen = Unseen.unreadable(what: file, why: .init(.longText, "\(Limits.file)"))
            throw Problem(message: "it is too long", file: file, line: 1, unseen: unseen)
          }
          // A default stands in the file.
          let first = known == nil && environment != nil && !value.contains("\n") ? column + inner.utf8.count + 2 : nil
          result += value.utf8.enumerated().map { offset, byte in
            Byte(value: byte, column: first.map { $0 - value.utf8.count + offset })
          }
          column += end + 1 - index
          index = end + 1
          continue
        }
        kept = end
      }
      let byte = bytes[index]
      if byte != .carriageReturn { result.append(Byte(value: byte, column: column)) }
      column = byte == .newline ? 0 : column + 1
      index += 1
    }
    return result
  }
}

extension UInt8 {
  fileprivate static let newline = UInt8(ascii: "\n")
  fileprivate static let carriageReturn = UInt8(ascii: "\r")
  fileprivate static let backslash = UInt8(ascii: "\\")
  fileprivate static let quote = UInt8(ascii: "\"")
  fileprivate static let backtick = UInt8(ascii: "`")
  fileprivate static let hash = UInt8(ascii: "#")
  /// True for what a heredoc's marker is made of.
  fileprivate var isMarker: Bool {
    self == UInt8(ascii: "-") || self == UInt8(ascii: "_") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= self
      || UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20
  }
  fileprivate static let dollar = UInt8(ascii: "$")
  fileprivate var isBlank: Bool {
    self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") || self == 0x0B || self == 0x0C
  }
}
