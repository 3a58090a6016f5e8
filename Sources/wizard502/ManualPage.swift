extension Arguments {
  /// `wizard502.1`, as man(7) has it.
  static var manualPage: String {
    let commands = Verb.allCases.flatMap { verb in verb.uses.map { (verb.written($0.words), $0.help) } }
    let options = options.filter(\.isTold).map { option in
      let verbs = option.verbs.isEmpty ? "" : "With \(option.verbs.map(\.inWords).joined(separator: " or ")): "
      return (option.name == "--help" ? "-h, --help" : option.written, verbs + option.says)
    }
    let exits = Wizard502.Exit.allCases.map { (String($0.rawValue), $0.says) }
    return """
      .TH WIZARD502 1 "\(revision?.date ?? "")" "wizard502 \(number)" "User Commands"
      .SH NAME
      wizard502 \\- \(purpose.roff)
      .SH SYNOPSIS
      .nf
      \(commands.map { ".B \($0.0.roff)" }.joined(separator: "\n"))
      .fi
      .SH DESCRIPTION
      It looks at the proxy, the route, the app and the connection between them,
      names the cause with what it saw, and shows the commands that put it right,
      with this machine\\(aqs own names filled in.
      \(promise.roff)
      .PP
      As root it sees the most. As a member of the group
      .B docker
      it still sees much, and says what it could not see.
      .SH COMMANDS
      \(entries(commands))
      .SH OPTIONS
      \(entries(options))
      .SH EXIT STATUS
      \(entries(exits))
      .SH ENVIRONMENT
      \(entries([("DOCKER_HOST", "where the engine listens"), ("NO_COLOR", "if it is set, no colours")]))
      """
  }

  private static func entries(_ entries: [(String, String)]) -> String {
    entries.map { ".TP\n.B \($0.0.roff)\n\($0.1.roff)" }.joined(separator: "\n")
  }
}

extension Arguments.Option {
  /// Whether manuals and shells tell of it.
  var isTold: Bool { if case .hidden = line { false } else { true } }
}

extension String {
  /// Text that roff takes as it stands.
  fileprivate var roff: String {
    let text = replacing("\\", with: "\\(rs").replacing("-", with: "\\-").replacing("'", with: "\\(aq")
    return text.hasPrefix(".") ? "\\&" + text : text
  }
}
