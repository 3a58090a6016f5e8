/// Text from outside (logs, labels, servers) made safe for a screen or a shell.
extension String {
  /// Control, bidirectional and other invisible characters as visible ones: `^[`, `<U+202E>`.
  public var printable: String { printable(keepingTabs: false) }

  public func printable(keepingTabs: Bool) -> String {
    if unicodeScalars.allSatisfy({ !$0.isUnsafe || (keepingTabs && $0 == "\t") }) { return self }
    var result = ""
    for scalar in unicodeScalars {
      switch scalar.value {
      case 0x09 where keepingTabs: result.unicodeScalars.append(scalar)
      case 0..<0x20: result += "^" + String(UnicodeScalar(UInt8(scalar.value) + 0x40))
      case 0x7F: result += "^?"
      case _ where scalar.isUnsafe: result += "<U+" + String(scalar.value, radix: 16, uppercase: true) + ">"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// This text as one word of a POSIX shell, in quotes only where they are needed.
  ///
  /// Nil where no quoting makes it show what it runs: invisible characters, or a leading `-`, which a command
  /// would take as an option.
  public var shellWord: String? {
    guard !isEmpty, first != "-", unicodeScalars.allSatisfy({ !$0.isUnsafe }) else { return nil }
    let plain = unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
          || "_./:@%+=,-".unicodeScalars.contains(scalar))
    }
    return plain ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// Without blanks and line ends around it.
  public var trimmed: String {
    let isBlank = { (character: Character) in character.isWhitespace }
    return String(String(drop(while: isBlank)).reversed().drop(while: isBlank).reversed())
  }

  /// At most `limit` characters, the middle left out.
  public func shortened(to limit: Int) -> String {
    guard count > limit, limit > 1 else { return self }
    let head = (limit - 1) / 2
    return prefix(head) + "…" + suffix(limit - 1 - head)
  }
}

extension Unicode.Scalar {
  /// True for what a terminal would obey, hide or reorder instead of showing.
  public var isUnsafe: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
