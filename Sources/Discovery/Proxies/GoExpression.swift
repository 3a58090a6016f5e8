import Pattern

extension String {
  /// True for a regular expression that Go compiles, and RE2. They have nothing that looks around or back.
  ///
  /// Source: Go's `regexp/syntax`.
  var isGoExpression: Bool {
    var rest = self[...]
    var isInClass = false
    /// What was read last is a repetition: another one may not follow.
    var isRepeated = false
    while let character = rest.popFirst() {
      let wasRepeated = isRepeated
      isRepeated = false
      switch character {
      case "\\":
        guard let next = rest.popFirst(), next.isGoEscape(before: rest.first, isInClass: isInClass) else {
          return false
        }
        if next == "Q", !isInClass {
          guard let end = rest.firstRange(of: "\\E") else { return false }
          rest = rest[end.upperBound...]
        }
      case "[" where !isInClass:
        isInClass = true
        if rest.first == "^" { rest.removeFirst() }
        if rest.first == "]" { rest.removeFirst() }
      case "[" where rest.first == ":":
        if let end = rest.firstRange(of: ":]") { rest = rest[end.upperBound...] }
      case "]": isInClass = false
      case "(" where !isInClass && rest.first == "*": return false
      case "(" where !isInClass && rest.first == "?":
        rest.removeFirst()
        if rest.hasPrefix("P<") { rest.removeFirst() }
        if rest.hasPrefix("<") {
          guard let name = rest.dropFirst().first, name != "=", name != "!" else { return false }
        } else {
          let flags = rest.prefix { "imsU-".contains($0) }
          rest = rest.dropFirst(flags.count)
          guard rest.hasPrefix(":") || rest.hasPrefix(")") && !flags.isEmpty else { return false }
          rest.removeFirst()
        }
      case "*", "+", "?":
        guard !isInClass else { continue }
        if wasRepeated { return false }
        isRepeated = true
        if rest.first == "?" { rest.removeFirst() }
      case "{":
        let count = rest.prefix { $0.isNumber || $0 == "," }
        guard !isInClass, count.first?.isNumber == true, rest.dropFirst(count.count).first == "}" else { continue }
        if wasRepeated || count.split(separator: ",").contains(where: { Int($0) ?? .max > 1000 }) { return false }
        rest = rest.dropFirst(count.count + 1)
        isRepeated = true
        if rest.first == "?" { rest.removeFirst() }
      default: break
      }
    }
    return (try? Pattern(self)) != nil
  }
}

extension Character {
  /// True for what may stand behind a backslash.
  fileprivate func isGoEscape(before next: Character?, isInClass: Bool) -> Bool {
    guard isASCII else { return false }
    if "1234567".contains(self) { return next.map { "01234567".contains($0) } ?? false }
    guard isLetter || isNumber else { return true }
    return "dDsSwWpPxaftnrv0".contains(self) || !isInClass && "bBAzQEC".contains(self)
  }
}
