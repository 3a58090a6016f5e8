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

  /// The same with its last lines alone.
  func newest(_ count: Int) -> Passage {
    Passage(command: command, lines: Array(lines.suffix(count)), numbers: Array(numbers.suffix(count)))
  }

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
  /// Those of the program that does it, without what leads to it: `sudo`, `docker exec NAME`, `nsenter -t PID -n`. What is
  /// copied out of a container is what was done with it: `docker cp web:/etc/hosts - | tar -xO` is `cat /etc/hosts` there.
  var words: [String]
  /// The container in which it was run.
  var container: String?
  /// The process in whose network it was run.
  var process: Int32?
  /// The process with whose rights it was run.
  var user: Int32?
  /// What it was given to read: `printf 'PING' |`.
  var input: [UInt8]?
  /// Other programs have changed what it printed: `| grep shop`.
  var isFiltered = false

  static let engines: Set = ["docker", "podman", "docker-compose", "podman-compose", "nerdctl"]
  /// What shows all that it gets.
  private static let showers: Set = ["tee", "cat", "less", "more", "od"]

  /// Nil where nothing is left of it.
  init?(_ text: String, isPlain: Bool = false) {
    let plain = ShellStage(words: text.split(separator: " ").map { String($0.drop { "'\"".contains($0) }) })
    // What was copied, and what was done with another's rights, `collect` writes as a line of a shell.
    let isCopied = plain.words.first.map(Self.engines.contains) == true && plain.words.dropFirst().first == "cp"
    let isLine = isCopied || plain.words.first == "setpriv"
    var stages = isPlain && !isLine ? [plain] : ShellStage.all(in: text)
    // `f=$(mktemp) &&` only makes ready for what follows.
    while stages.count > 1, stages[0].words.allSatisfy(\.isAssignment) { stages.removeFirst() }
    if stages.count > 1, stages[0].isPiped, let printed = stages[0].printed {
      input = printed
      stages.removeFirst()
    }
    guard let first = stages.first else { return nil }
    words = first.words
    while enter() {}
    stages.removeFirst()
    let isPiped = copied(&stages) ?? first.isPiped
    isFiltered = isPiped && stages.first?.words.first.map(Self.showers.contains) == false
    guard !words.isEmpty else { return nil }
  }

  /// Takes `docker cp NAME:PATH - | tar …` for what is then done with that file, in the container; and what is done with a
  /// copy, `cat PATH > "$f" && sqlite3 "$f"`, for what is done with the file itself.
  ///
  /// - Returns: Whether that goes on to another program; nil if it is something else.
  private mutating func copied(_ rest: inout [ShellStage]) -> Bool? {
    var path = words.count == 2 && words[0] == "cat" ? words[1] : ""
    var isPiped = false
    if let verb = words.first, Self.engines.contains(verb), words.count > 3, words[1] == "cp", words.last == "-",
      let (name, inside) = words[words.count - 2].components(around: ":"), inside.hasPrefix("/"),
      let tar = rest.first, tar.words.prefix(2).contains("tar")
    {
      (container, path, isPiped) = (name, inside, tar.isPiped)
      rest.removeFirst()
      guard tar.words.contains(where: { $0.hasPrefix("-") && $0.contains("O") }) else {
        words = ["tar", path]
        rest = []
        return false
      }
      words = ["cat", path]
    }
    guard !path.isEmpty, let next = rest.first, isPiped || next.words.contains(where: \.isVariable) else {
      return container == nil || path.isEmpty ? nil : false
    }
    rest.removeFirst()
    words = next.words.map { $0.isVariable ? path : $0 } + (isPiped ? [path] : [])
    while enter() {}
    return next.isPiped
  }

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
      words = ShellStage.all(in: words[option + 1]).first?.words ?? []
      return true
    case "setpriv":
      let alone: Set = ["--clear-groups", "--keep-groups", "--init-groups", "--no-new-privs", "--reset-env"]
      var index = 1
      while index < words.count, words[index].hasPrefix("-") {
        // `--reuid $(ps -o euid= -p 7)`
        let isWhole = words[index].contains("=") || alone.contains(words[index])
        let value = isWhole ? words[index] : words.indices.contains(index + 1) ? words[index + 1] : ""
        user = value.components(around: " -p ").flatMap { Int32($0.1.prefix { $0.isNumber }) } ?? user
        index += isWhole ? 1 : 2
      }
      guard index < words.count else { return false }
      words = Array(words[index...])
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
    case _ where first.isAssignment:
      words = Array(rest)
      return true
    default:
      words[0] = program
      return false
    }
  }
}

/// What stands between two operators of a shell's line.
private struct ShellStage {
  var words: [String] = []
  /// The next one reads what it prints.
  var isPiped = false

  /// A line without its redirections and its remark. Source: POSIX, Shell Command Language, 2.2 and 2.3.
  static func all(in text: String) -> [ShellStage] {
    var stages = [ShellStage()]
    var word: String?
    var isTarget = false
    func end() {
      if let word, !isTarget { stages[stages.count - 1].words.append(word) }
      if word != nil { isTarget = false }
      word = nil
    }
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "\\": word = (word ?? "") + (rest.popFirst().map { String($0) } ?? "")
      case "'":
        word = (word ?? "") + rest.prefix { $0 != "'" }
        rest = rest.drop { $0 != "'" }.dropFirst()
      case "\"": word = (word ?? "") + rest.takeQuoted()
      case "$" where rest.first == "(": word = (word ?? "") + "$" + rest.takeBracket()
      case " ", "\t": end()
      case "#" where word == nil: rest = ""
      case ">", "<":
        // `2>` has its number before it, `>&2` another one behind it.
        if word?.allSatisfy(\.isNumber) == true { word = nil } else { end() }
        rest = rest.drop { "<>&".contains($0) }
        isTarget = true
      case "|", ";", "&":
        end()
        if character == "&", rest.first == ">" { continue }
        let isPiped = character == "|" && rest.first != "|"
        rest = rest.drop { $0 == character || character == "|" && $0 == "&" }
        stages[stages.count - 1].isPiped = isPiped
        stages.append(ShellStage())
      default: word = (word ?? "") + String(character)
      }
    }
    end()
    return stages.filter { !$0.words.isEmpty }
  }

  /// What `printf` or `echo` gives to the next program; nil for another one.
  var printed: [UInt8]? {
    guard words.count > 1, ["printf", "echo"].contains(words[0]) else { return nil }
    return words[0] == "echo" ? Array((words.dropFirst().joined(separator: " ") + "\n").utf8) : words[1].withoutEscapes
  }
}

extension Substring {
  /// What stands before the next `"`, and takes both away.
  fileprivate mutating func takeQuoted() -> String {
    var text = ""
    while let character = popFirst(), character != "\"" {
      guard character == "\\", let next = first, "\"\\$`".contains(next) else {
        text.append(character)
        continue
      }
      text.append(next)
      removeFirst()
    }
    return text
  }

  /// `(…)`, with those in it, and takes it away.
  fileprivate mutating func takeBracket() -> String {
    var (text, depth) = ("", 0)
    while let character = popFirst() {
      text.append(character)
      depth += character == "(" ? 1 : character == ")" ? -1 : 0
      if depth == 0 { break }
    }
    return text
  }
}

extension String {
  fileprivate var isVariable: Bool { hasPrefix("$") && !hasPrefix("$(") }

  /// `LC_ALL=C`, and no option.
  fileprivate var isAssignment: Bool {
    components(around: "=").map { !$0.0.isEmpty && $0.0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } } == true
  }

  /// The bytes that `printf` makes of it: `\000`, `\x0d`, `\r`. Source: printf(1).
  fileprivate var withoutEscapes: [UInt8] {
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let next = rest.first else {
        bytes.append(byte)
        continue
      }
      let octal = rest.prefix(3).prefix { byte in (0x30...0x37).contains(byte) }
      let hexadecimal = next == UInt8(ascii: "x") ? rest.dropFirst().prefix(2) : rest.prefix(0)
      if let value = UInt8(String(decoding: octal, as: UTF8.self), radix: 8) {
        bytes.append(value)
        rest = rest.dropFirst(octal.count)
      } else if let value = UInt8(String(decoding: hexadecimal, as: UTF8.self), radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(["n": 10, "r": 13, "t": 9][Character(UnicodeScalar(next))] ?? next)
        rest = rest.dropFirst()
      }
    }
    return bytes
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
    "ls": ["/"], "lsof": ["/"], "namei": ["/"], "nc": [], "ncat": [], "netcat": [], "netstat": ["/"], "nft": ["list"],
    "nginx": ["/"],
    "nslookup": [], "openssl": ["s_client", "x509"], "ping": [], "ping6": [], "podman": verbs, "podman-compose": verbs,
    "ps": ["/"], "socat": [], "sqlite3": ["/"], "ss": ["/"], "stat": ["/"],
    "systemctl": ["status", "is-active", "list-units"], "tail": ["/"], "tar": ["/"], "wget": [],
  ]
  private static let verbs: Set = [
    "compose", "config", "container", "cp", "events", "exec", "image", "inspect", "logs", "network", "port", "ps",
    "service", "stack", "top",
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
