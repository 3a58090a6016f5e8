import Model

/// The placeholders of a shell script that stand inside of quotes, in order.
///
/// Follows quotes, backslashes, comments and `$( )` within double quotes; here-documents are not known.
func placeholdersInQuotes(of script: String) -> [String] {
  enum Context { case plain, single, double }
  var found: [String] = []
  var contexts: [Context] = [.plain]
  var last: Character = "\n"
  var isEscaped = false
  var isComment = false
  for part in Template(script).parts {
    guard case .text(let text) = part else {
      if case .fact(let name) = part, contexts.last != .plain, !isComment { found.append(name.text) }
      last = "}"
      continue
    }
    for character in text {
      defer { last = character }
      if isEscaped {
        isEscaped = false
        continue
      }
      if isComment {
        isComment = character != "\n"
        continue
      }
      switch (character, contexts.last) {
      case ("\\", .plain), ("\\", .double): isEscaped = true
      case ("'", .plain): contexts.append(.single)
      case ("'", .single): contexts.removeLast()
      case ("\"", .plain): contexts.append(.double)
      case ("\"", .double): contexts.removeLast()
      case ("(", .plain): contexts.append(.plain)
      case ("(", .double) where last == "$": contexts.append(.plain)
      case (")", .plain) where contexts.count > 1: contexts.removeLast()
      case ("#", .plain): isComment = last.isWhitespace
      default: break
      }
    }
  }
  return found
}
