/// Text from outside (logs, labels, servers) made safe for a screen or a shell.
///
/// All of it looks at scalars: a shell and a terminal know nothing of Swift's Characters, in which a quote and a
/// combining mark behind it are something else than a quote.
extension String {
  /// What would not be seen as itself, shown: control characters as `^[`, bidirectional, blank and joining ones as
  /// `<U+202E>`.
  public var printable: String { printable(keepingTabs: false) }

  public func printable(keepingTabs: Bool) -> String {
    replacingHidden { scalar in
      switch scalar.value {
      case 0x09 where keepingTabs: "\t"
      case 0..<0x20: "^" + String(UnicodeScalar(UInt8(truncatingIfNeeded: scalar.value) + 0x40))
      case 0x7F: "^?"
      default: "<U+" + String(scalar.value, radix: 16, uppercase: true) + ">"
      }
    }
  }

  /// This text with `form` in the place of each scalar that nobody would see as itself.
  ///
  /// A combining mark is seen on a letter or a number, and of several in a row the first four: that is how many a
  /// terminal's cell holds. Anywhere else it would change the look of a sign that is not a part of the name, such as
  /// a quote.
  public func replacingHidden(with form: (Unicode.Scalar) -> String) -> String {
    if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return self }
    var result = String.UnicodeScalarView()
    var room = 0
    for scalar in unicodeScalars {
      let isMark = scalar.isMark
      if scalar.isUnsafe || (isMark && room == 0) {
        result.append(contentsOf: form(scalar).unicodeScalars)
        room = 0
        continue
      }
      result.append(scalar)
      room = isMark ? room - 1 : scalar.takesMarks ? 4 : 0
    }
    return String(result)
  }

  /// This text as one word of a POSIX shell, in quotes only where they are needed.
  ///
  /// Nil where no quoting makes it show what it runs: what is not `printable`, the sign for bytes that are no text
  /// (the real name is another one), a leading `-`, which a command would take as an option, and what is longer than
  /// a terminal takes.
  public var shellWord: String? {
    guard let first = unicodeScalars.first, first != "-", utf8.count <= Limits.word, printable.utf8.elementsEqual(utf8),
      !unicodeScalars.contains("\u{FFFD}")
    else { return nil }
    if unicodeScalars.allSatisfy(\.isPlainInShell) { return self }
    var word = "'".unicodeScalars
    for scalar in unicodeScalars {
      if scalar == "'" { word.append(contentsOf: "'\\'".unicodeScalars) }
      word.append(scalar)
    }
    return String(word) + "'"
  }

  /// The same of a word that may be an option: `-p`.
  var shellOption: String? {
    let dashes = prefix { $0 == "-" }
    let rest = String(dropFirst(dashes.count))
    return rest.isEmpty && !dashes.isEmpty ? String(dashes) : rest.shellWord.map { dashes + $0 }
  }

  /// The lines of a file or of an output, each without its end: `\n` or `\r\n`, which is one Character and not the first.
  ///
  /// What follows the last line end is a line, too, even where it is empty.
  public var lines: [Substring] { self[...].lines }

  /// Without blanks and line ends around it.
  public var trimmed: String {
    let isBlank = { (character: Character) in character.isWhitespace }
    return String(String(drop(while: isBlank)).reversed().drop(while: isBlank).reversed())
  }

  /// At most `limit` scalars, the middle left out.
  public func shortened(to limit: Int) -> String {
    guard unicodeScalars.count > limit, limit > 1 else { return self }
    let head = (limit - 1) / 2
    let tail = unicodeScalars.suffix(limit - 1 - head).drop(while: \.isMark)
    return String(unicodeScalars.prefix(head)) + "…" + String(tail)
  }
}

extension Unicode.Scalar {
  /// True for what a terminal would obey, hide, reorder or leave blank instead of showing; of blanks only the ordinary
  /// one is shown.
  public var isUnsafe: Bool {
    if isASCII { return !(0x20..<0x7F).contains(value) }
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
      return true
    default: return properties.isDefaultIgnorableCodePoint || Self.blankSigns.contains(self)
    }
  }

  /// Letters and symbols without ink: Braille's empty cell, an empty note, fillers of Egyptian and Khitan script.
  private static let blankSigns: Set<Unicode.Scalar> = [
    "\u{2800}", "\u{1D159}", "\u{13441}", "\u{13442}", "\u{16FE4}",
  ]

  /// True for what is drawn onto the sign before it.
  fileprivate var isMark: Bool {
    if value < 0x300 { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .spacingMark: return true
    default: return false
    }
  }

  /// True for letters and numbers.
  fileprivate var takesMarks: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
    default: false
    }
  }

  /// True for what means itself in every shell, also at the start of a word: no `~`, no `=`, no braces.
  fileprivate var isPlainInShell: Bool {
    switch self {
    case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "/", ":", "@", "%", "+", ",", "-": true
    default: false
    }
  }
}

extension Substring {
  /// As `String.lines`.
  public var lines: [Substring] {
    utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
  }
}

extension Substring {
  /// Words separated by blanks, as `iptables-save` writes them: double quotes keep blanks, and `\` the next character.
  public var words: [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    var isEscaped = false
    for character in self {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        isQuoted.toggle()
        word = word ?? ""
      } else if character == " ", !isQuoted {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }
}

extension String {
  /// Another machine's address as a person says it: `web1:2222 as root` of `ssh://root@web1:2222`. What stands before a host in
  /// an address is taken for a secret, and a user's name is none.
  public var machineInWords: String {
    guard let scheme = firstRange(of: "://") else { return self }
    let rest = self[scheme.upperBound...]
    guard let at = rest.lastIndex(of: "@") else { return String(rest) }
    return "\(rest[rest.index(after: at)...]) as \(rest[..<at])"
  }
}
