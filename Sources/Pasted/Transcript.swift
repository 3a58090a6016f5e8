import LogLines
import Model
import Pattern

/// What one command printed, as far as a paste has it.
struct Passage: Sendable {
  /// The command; nil where the paste does not show it.
  var command: CommandLine?
  var lines: [String] = []
  /// The number of each line in the paste.
  var numbers: [Int] = []

  /// The words of the program that did it: `["docker", "ps", "-a"]`.
  var words: [String] { command?.words ?? [] }
  var program: String { words.first ?? "" }

  /// True for a command that begins with these words, options aside.
  func isOf(_ wanted: String...) -> Bool { words.filter { !$0.hasPrefix("-") }.starts(with: wanted) }

  /// True for the engine's command with one of these words: `docker logs`, `podman container logs`, `docker compose logs`.
  func isOfEngine(_ wanted: String...) -> Bool {
    guard CommandLine.engines.contains(program) else { return false }
    let rest = words.dropFirst().filter { !$0.hasPrefix("-") && !["container", "compose"].contains($0) }
    return rest.first.map(wanted.contains) == true
  }

  var text: String { lines.joined(separator: "\n") }

  /// True if its end says that there is more.
  var isCut: Bool {
    let last = lines.last?.trimmed ?? ""
    return last.hasPrefix("--More--") || ["...", "…", "[...]", "[…]", "(truncated)"].contains(last)
  }

  /// With the lines joined that a terminal as wide as the longest of them may have cut; nil where it has cut none.
  var rejoined: Passage? {
    guard let width = lines.lazy.map(\.count).max(), width >= 40, width <= 400,
      lines.count(where: { $0.count == width }) > 1
    else { return nil }
    var joined = Passage(command: command)
    var isOpen = false
    for (line, number) in zip(lines, numbers) {
      if isOpen {
        joined.lines[joined.lines.count - 1] += line
      } else {
        joined.lines.append(line)
        joined.numbers.append(number)
      }
      isOpen = line.count == width
    }
    return joined.lines.count < lines.count ? joined : nil
  }
}

/// A command as somebody has typed it, taken apart.
struct CommandLine: Sendable, Equatable {
  /// Those of the program that does it, without what leads to it: `sudo`, `docker exec NAME`, `nsenter -t PID -n`.
  var words: [String]
  /// The container in which it was run.
  var container: String?
  /// The process in whose network it was run.
  var process: Int32?
  /// Other programs have changed what it printed: `| grep shop`.
  var isFiltered = false

  static let engines: Set = ["docker", "podman", "docker-compose", "podman-compose", "nerdctl"]

  /// Nil where nothing is left of it.
  init?(_ text: String, isPlain: Bool = false) {
    var text = text[...]
    if !isPlain, let end = Self.operators?.firstMatch(in: String(text)) {
      let next = end.text(of: "rest")?.split(separator: " ").first.map(String.init) ?? ""
      isFiltered = end.text(of: "mark") == "|" && !["tee", "cat", "less", "more"].contains(next)
      text = text.prefix(end.whole.count)
    }
    words = isPlain ? text.split(separator: " ").map { String($0.drop { "'\"".contains($0) }) } : text.shellWords
    while enter() {}
    guard !words.isEmpty else { return nil }
  }

  /// What stands before the first operator, the operator, and what follows it; quoted ones are none.
  private static let operators = try? Pattern(
    #"^(?:[^'"|;&<>]|'[^']*'|"[^"]*"|\d?>>? ?[^\s|;&]+|\d?>&\d)*?(?=(?<mark>\|\|?|;|&&?|<<?)(?<rest>.*)$)"#)

  /// Takes away one thing that leads to the program; false if there is none.
  private mutating func enter() -> Bool {
    guard let first = words.first else { return false }
    let rest = words.dropFirst()
    let program = first.split(separator: "/").last.map(String.init) ?? first
    switch program {
    case "sudo", "doas", "time", "env", "busybox", "nohup", "command":
      let user = ["-u", "-g"].contains(rest.first) ? rest.dropFirst(2) : rest
      words = Array(user.drop { $0.hasPrefix("-") })
      return true
    case "timeout":
      // Its options, and the seconds.
      words = Array(rest.drop { $0.hasPrefix("-") }.dropFirst())
      return true
    case "sh", "bash", "ash":
      guard let option = rest.firstIndex(of: "-c"), option + 1 < words.count else { return false }
      let script = words[option + 1]
      words = script[...].shellWords
      return true
    case "nsenter":
      let target = words.firstIndex { $0 == "-t" || $0 == "--target" }.map { $0 + 1 }
      process = target.flatMap { words.indices.contains($0) ? Int32(words[$0]) : nil }  // fits: it is a text
      guard let start = words.indices.dropFirst().first(where: { !words[$0].hasPrefix("-") && $0 != target }) else {
        return false
      }
      words = Array(words[start...])
      return true
    case _ where Self.engines.contains(program):
      words[0] = program
      guard let verb = words.firstIndex(of: "exec"), verb < 6 else { return false }
      var index = verb + 1
      while index < words.count, words[index].hasPrefix("-") {
        let takesValue = ["-u", "--user", "-w", "--workdir", "-e", "--env", "--index"].contains(words[index])
        index += takesValue ? 2 : 1
      }
      guard index + 1 < words.count else { return false }
      container = words[index]
      words = Array(words[(index + 1)...])
      return true
    case _ where first.contains("=") && !first.hasPrefix("-"):
      words = Array(rest)
      return true
    default:
      words[0] = program
      return false
    }
  }
}

extension Substring {
  /// Words of a command as a shell takes them apart, without its redirections.
  fileprivate var shellWords: [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in self {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if character == quote {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if quote == nil, character == " " || character == "\t" {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    return words.filter { !["2>&1", "2>/dev/null", ">/dev/null", "</dev/null"].contains($0) }
  }
}

/// A paste taken apart at the commands that it shows: prompts of a shell, the headings of `collect`, and Markdown's
/// fences.
struct Transcript: Sendable {
  private(set) var passages: [Passage] = []

  init(_ text: String) {
    var current = Passage()
    var isInFence = false
    for line in PastedLine.unwrapped(text) {
      if line.isFence {
        isInFence.toggle()
        // `docker ps -a:` above its output.
        let named = isInFence ? current.lines.last { !$0.allSatisfy(\.isWhitespace) }.flatMap(Self.named) : nil
        add(current)
        current = Passage(command: named)
      } else if let command = Self.command(in: line.text) {
        add(current)
        current = Passage(command: command)
      } else {
        current.lines.append(line.text)
        current.numbers.append(line.number)
      }
    }
    add(current)
  }

  private mutating func add(_ passage: Passage) {
    var passage = passage
    while passage.lines.last?.allSatisfy(\.isWhitespace) == true {
      passage.lines.removeLast()
      passage.numbers.removeLast()
    }
    if passage.command == nil {
      let start = passage.lines.prefix { $0.allSatisfy(\.isWhitespace) }.count
      (passage.lines, passage.numbers) = (Array(passage.lines[start...]), Array(passage.numbers[start...]))
    }
    if passage.command != nil || !passage.lines.isEmpty { passages.append(passage) }
  }

  /// Programs whose output is known, and the words with which a call of them goes on; none: any, or an option or a path.
  /// Only a line that calls one of them is a prompt's where the prompt is but a sign: `# nginx for the shop` is a remark.
  private static let programs: [String: Set<String>] = [
    "cat": ["/"], "curl": [], "date": ["/"], "df": ["/"], "dig": [], "docker": verbs, "docker-compose": verbs,
    "echo": [], "find": ["/"], "getent": [], "head": ["/"], "id": ["/"], "ifconfig": ["/", "lo"],
    "ip": ["a", "addr", "address", "r", "route"],
    "ip6tables": ["/"], "ip6tables-save": ["/"], "iptables": ["/"], "iptables-save": ["/"], "journalctl": ["/"],
    "ls": ["/"], "lsof": ["/"], "nc": [], "ncat": [], "netcat": [], "netstat": ["/"], "nft": ["list"], "nginx": ["/"],
    "nslookup": [], "openssl": ["s_client", "x509"], "ping": [], "ping6": [], "podman": verbs, "podman-compose": verbs,
    "sqlite3": ["/"], "ss": ["/"], "stat": ["/"], "systemctl": ["status", "is-active", "list-units"], "tail": ["/"],
    "wget": [],
  ]
  private static let verbs: Set = [
    "compose", "config", "container", "exec", "inspect", "logs", "network", "port", "ps", "stack", "top",
  ]

  private static func isKnown(_ command: CommandLine) -> Bool {
    guard let next = programs[command.words[0]] else { return false }
    let word = command.words.dropFirst().first { !["compose", "container"].contains($0) }
    guard let word else { return next.contains("/") || command.words.count > 1 }
    return word.contains { "-/+.".contains($0) } || next.contains(word) || next.isEmpty && command.words.count < 4
  }

  /// A prompt, or what `collect` prints before a command, and what stands behind it. Source: the usual values of PS1 in
  /// Debian, Alpine, Fedora and Synology, of zsh with and without oh-my-zsh, of fish and of starship.
  private static let prompt = try? Pattern(
    #"^(?<own>##502## )?(?<strong>(?:\([\w.-]+\) )?(?:[\w.-]+@[\w.-]+(?:[: ][^#$%>]{0,200})?[#$%>] |\[[\w.-]+@[\w.-]+ [^\]]{1,200}\][#$%] ))?"#
      + #"(?<weak>(?:[\w.()~-]+@[\w.-]+[^#$%>]{0,200}|\[[^\]]{1,200}\]|[\w/:~.-]{0,100} ?)[#$%>❯] |➜ +\S+ (?:git:\(\S+\) )?(?:✗ )?)?(?<command>\S.*)$"#
  )

  /// Nil for a line that is none.
  private static func command(in line: String) -> CommandLine? {
    guard let match = prompt?.firstMatch(in: line), let text = match.text(of: "command") else { return nil }
    if match.text(of: "own") != nil { return CommandLine(String(line.dropFirst(8)), isPlain: true) }
    let isStrong = match.text(of: "strong") != nil
    guard isStrong || match.text(of: "weak") != nil else { return nil }
    guard let command = CommandLine(text), isStrong || Self.isKnown(command) else { return nil }
    return command
  }

  private static let marks = Set("*#:`$_ \t")

  /// The command that a line above a fence names: "**docker ps -a:**", "the output of `docker ps -a`".
  private static func named(in line: String) -> CommandLine? {
    let parts = line.split(separator: "`", omittingEmptySubsequences: false)
    let quoted = parts.count > 2 ? parts[1] : line[...]
    let start = quoted.drop(while: marks.contains)
    let text = String(start.prefix(start.count - start.reversed().prefix(while: marks.contains).count))
    guard let command = CommandLine(text), isKnown(command) else { return nil }
    return command
  }
}
