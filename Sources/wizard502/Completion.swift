/// What shells complete: a file for each.
enum Completion {
  private typealias Verb = Arguments.Verb
  private typealias Option = Arguments.Option

  private static let verbs = Verb.allCases.filter { $0 != .guided && !$0.uses.isEmpty }
  private static let options = Arguments.options.filter(\.isTold)
  private static func options(of verb: Verb) -> [Option] {
    options.filter { $0.verbs.isEmpty || $0.verbs.contains(verb) }
  }

  /// What a value or a word is, told by how the table writes it.
  private enum Kind { case file, folder, choice([String]), name, other }

  private static func kind(of words: String, _ choices: [String] = []) -> Kind {
    if !choices.isEmpty { return .choice(choices) }
    if words.contains("FILE") { return .file }
    if words.contains("DIR") { return .folder }
    return words.contains("NAME") ? .name : .other
  }

  // MARK: bash

  static var bash: String {
    func action(_ kind: Kind) -> String {
      switch kind {
      case .file: "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
      case .folder: "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$current\")"
      case .choice(let words): "_wizard502_offer \(words.joined(separator: " "))"
      // The list has "NAME: TITLE".
      case .name: "_wizard502_offer $(wizard502 \"$verb\" 2>/dev/null | sed 's/:.*//')"
      case .other: ":"
      }
    }
    let values = options.compactMap { option in
      option.value.map { "    \(option.name)) \(action(kind(of: $0, option.choices))); return ;;" }
    }
    let words = verbs.map { "    \($0.rawValue)) \(action(kind(of: $0.uses[0].words))) ;;" }
    let names = (verbs + [.guided]).map { verb in
      let names = options(of: verb).map(\.name).joined(separator: " ")
      return "    \(verb == .guided ? "*" : verb.rawValue)) _wizard502_offer \(names) ;;"
    }
    let all = verbs.map(\.rawValue)
    return """
      # bash completion for wizard502
      _wizard502_offer() { mapfile -t COMPREPLY < <(compgen -W "$*" -- "${COMP_WORDS[COMP_CWORD]}"); }
      _wizard502() {
        local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb="" word
        COMPREPLY=()
        case $before in
      \(values.joined(separator: "\n"))
        esac
        for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
          case $word in \(all.joined(separator: " | "))) verb=$word; break ;; esac
        done
        if [[ $current == -* ]]; then
          case $verb in
      \(names.joined(separator: "\n"))
          esac
        else
          case $verb in
      \(words.joined(separator: "\n"))
          *) _wizard502_offer \(all.joined(separator: " ")) ;;
          esac
        fi
      }
      complete -F _wizard502 wizard502
      """
  }

  // MARK: zsh

  static var zsh: String {
    func action(_ kind: Kind, _ verb: Verb = .guided) -> String {
      switch kind {
      case .file: "_files"
      case .folder: "_files -/"
      case .choice(let words): "(\(words.joined(separator: " ")))"
      // With a space before it no other words come between.
      case .name: " _wizard502_names \(verb.rawValue)"
      case .other: " "
      }
    }
    func specifications(_ verb: Verb) -> String {
      options(of: verb).map { option in
        let says = option.says.replacing(":", with: "\\:").replacing("[", with: "(").replacing("]", with: ")")
        guard let value = option.value else { return quoted("\(option.name)[\(says)]") }
        return quoted("\(option.name)=[\(says)]:\(value):\(action(kind(of: value, option.choices)))")
      }.joined(separator: " ")
    }
    let cases = verbs.map { verb in
      let kind = kind(of: verb.uses[0].words)
      var word = ""
      // A word of which nothing is known is not described: options would be listed then and not completed.
      if case .other = kind {} else { word = quoted("\(verb.most > 1 ? "*" : "2"):word:\(action(kind, verb))") }
      return "    \(verb.rawValue)) _arguments \(specifications(verb)) '1: : ' \(word) ;;"
    }
    return """
      #compdef wizard502
      _wizard502_names() { compadd -- ${${(f)"$(wizard502 $1 2>/dev/null)"}%%:*} }
      _wizard502_commands() {
        local -a commands=(
      \(verbs.map { "    " + quoted("\($0.rawValue):\($0.uses[0].help)") }.joined(separator: "\n"))
        )
        _describe command commands
      }
      _wizard502() {
        local context state state_descr line
        typeset -A opt_args
        case ${words[(r)(\(verbs.map(\.rawValue).joined(separator: "|")))]} in
      \(cases.joined(separator: "\n"))
          *) _arguments \(specifications(.guided)) '1:command or URL:_wizard502_commands' ;;
        esac
      }
      _wizard502 "$@"
      """
  }

  // MARK: fish

  static var fish: String {
    func action(_ kind: Kind, _ verb: Verb = .guided) -> String {
      switch kind {
      case .file: " -F"
      case .folder: " -a '(__fish_complete_directories)'"
      case .choice(let words): " -a '\(words.joined(separator: " "))'"
      case .name: " -a '(wizard502 \(verb.rawValue) 2>/dev/null | string replace -r \": \" \\t)'"
      case .other: ""
      }
    }
    func condition(_ verbs: [Verb]) -> String {
      let others = Self.verbs.filter { !verbs.contains($0) }
      let (word, names) =
        verbs.contains(.guided) ? ("not __fish_seen_subcommand_from", others) : ("__fish_seen_subcommand_from", verbs)
      return verbs.isEmpty ? "" : " -n '\(word) \(names.map(\.rawValue).joined(separator: " "))'"
    }
    let commands = verbs.map {
      "complete -c wizard502 -n __fish_use_subcommand -a \($0.rawValue) -d \(quoted($0.uses[0].help))"
    }
    let words = verbs.compactMap { verb in
      let action = action(kind(of: verb.uses[0].words), verb)
      return action.isEmpty ? nil : "complete -c wizard502\(condition([verb]))\(action)"
    }
    let flags = options.map { option in
      let value = option.value.map { " -r" + action(kind(of: $0, option.choices)) } ?? ""
      return
        "complete -c wizard502\(condition(option.verbs)) -l \(option.name.dropFirst(2)) -d \(quoted(option.says))\(value)"
    }
    return (["# fish completion for wizard502", "complete -c wizard502 -f"] + commands + words + flags).joined(
      separator: "\n")
  }

  private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
