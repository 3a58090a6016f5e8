import Model

/// The placeholders of a shell script where a value that is one shell word would be read otherwise, in order: inside of
/// quotes or backquotes, and behind a backslash.
///
/// Follows quotes, backslashes, comments and `$( )` within double quotes. What stands in a here-document is taken for
/// quoted to the script's end.
func placeholdersInQuotes(of script: String) -> [String] {
  enum Context { case plain, single, double, back, document }
  var found: [String] = []
  var contexts: [Context] = [.plain]
  var last: Unicode.Scalar = "\n"
  var isEscaped = false
  var isComment = false
  for part in Template(script).parts {
    guard case .text(let text) = part else {
      if case .fact(let name) = part, isEscaped || contexts.last != .plain, !isComment { found.append(name.text) }
      isEscaped = false
      last = "}"
      continue
    }
    for scalar in text.unicodeScalars {
      defer { last = scalar }
      if isEscaped {
        isEscaped = false
        continue
      }
      if isComment {
        isComment = scalar != "\n"
        continue
      }
      switch (scalar, contexts.last) {
      case ("\\", .plain), ("\\", .double), ("\\", .back): isEscaped = true
      case ("'", .plain): contexts.append(.single)
      case ("'", .single): contexts.removeLast()
      case ("\"", .plain): contexts.append(.double)
      case ("\"", .double): contexts.removeLast()
      case ("`", .plain), ("`", .double): contexts.append(.back)
      case ("`", .back): contexts.removeLast()
      case ("<", .plain) where last == "<": contexts.append(.document)
      case ("(", .plain): contexts.append(.plain)
      case ("(", .double) where last == "$": contexts.append(.plain)
      case (")", .plain) where contexts.count > 1: contexts.removeLast()
      case ("#", .plain): isComment = last.properties.isWhitespace
      default: break
      }
    }
  }
  return found
}
