import LogLines
import Model
import Pattern

/// What one command printed, as far as a paste has it.
struct Passage: Sendable {
  /// The command's words without `sudo` and without the folder of its program: `docker ps -a`. Empty where the paste
  /// does not show it.
  var command: [String] = []
  var lines: [String] = []
  /// Of its first line in the paste, from 1.
  var start: Int

  /// True for a command that begins with these words, options aside.
  func isOf(_ words: String...) -> Bool { command.filter { !$0.hasPrefix("-") }.starts(with: words) }

  var text: String { lines.joined(separator: "\n") }

  /// True if its end says that there is more.
  var isCut: Bool {
    let last = lines.last?.trimmed ?? ""
    return last.hasPrefix("--More--") || ["...", "…", "[...]", "[…]", "(truncated)"].contains(last)
  }
}

/// A paste taken apart at the commands that it shows: prompts of a shell, and the headings of `collect`.
struct Transcript: Sendable {
  private(set) var passages: [Passage] = []

  init(_ text: String) {
    var current = Passage(start: 1)
    for (index, raw) in text.lines.enumerated() {
      let line = writtenLine(raw.utf8)
      if let command = Self.command(in: line) {
        add(current)
        current = Passage(command: command, start: index + 2)
      } else {
        current.lines.append(line)
      }
    }
    add(current)
  }

  private mutating func add(_ passage: Passage) {
    var passage = passage
    while passage.lines.last?.allSatisfy(\.isWhitespace) == true { passage.lines.removeLast() }
    if !passage.command.isEmpty || !passage.lines.isEmpty { passages.append(passage) }
  }

  /// Programs whose output is known; only a line that calls one of them is a prompt's.
  private static let programs: Set = [
    "cat", "curl", "date", "dig", "docker", "end", "find", "getent", "id", "ifconfig", "ip", "ip6tables-save",
    "iptables-save",
    "journalctl", "ls", "netstat", "nft", "nginx", "nslookup", "nsenter", "podman", "ss", "stat", "tail", "wget",
  ]

  /// A prompt, or what `collect` prints before a command, and what stands behind it. Source: the usual values of PS1 in Debian, Alpine, Fedora, Synology and zsh.
  private static let prompt = try? Pattern(
    #"^(?:##502## |(?:[\w.()~-]+@[\w.-]+[^#$%>]{0,200}|\[[^\]]{1,200}\]|[\w/~.-]{0,100})[#$%>❯➜] )(?<command>\S.*)$"#)

  private static func command(in line: String) -> [String]? {
    guard let text = prompt?.firstMatch(in: line)?.text(of: "command") else { return nil }
    var words = text.split(separator: " ").map { String($0.drop { "'\"".contains($0) }) }
    while let first = words.first, first == "sudo" || first.contains("=") { words.removeFirst() }
    guard let program = words.first?.split(separator: "/").last.map(String.init), programs.contains(program) else {
      return nil
    }
    words[0] = program
    return words
  }
}
