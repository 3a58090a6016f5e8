import LogLines
import Model
import Pattern
import World

extension Account {
  static let logReaders = [
    OutputReader(
      claims: { $0.isOfEngine("logs") && !$0.words.contains("compose") && $0.program != "docker-compose" },
      read: { passage, account in
        guard let name = passage.subject else { return }
        account.logs[name, default: ""] += passage.lines.map { $0 + "\n" }.joined()
      }),
    // `docker compose logs`: each line behind its container's name.
    OutputReader(
      claims: { passage in
        passage.isOfEngine("logs") || passage.command == nil && passage.lines.count { ofCompose($0) != nil } > 1
      },
      read: { passage, account in
        for (index, line) in passage.lines.enumerated() {
          guard let (name, text) = ofCompose(line) else {
            if !line.hasPrefix("Attaching to ") { account.addUnread(index, of: passage) }
            continue
          }
          account.logs[account.containerName(ofCompose: name), default: ""] += text + "\n"
        }
      }),
    // `journalctl -u UNIT`, and syslog's files.
    OutputReader(
      claims: { passage in
        passage.isOf("journalctl") || passage.command == nil && passage.lines.count { JournalLine($0) != nil } > 1
      },
      read: { passage, account in
        for (index, line) in passage.lines.enumerated() {
          if let line = JournalLine(line) {
            account.keep(line)
          } else if !line.hasPrefix("-- ") {
            account.addUnread(index, of: passage)
          }
        }
      }),
  ]

  /// `shop-1  | 2026-11-30 …`, with colours taken off.
  private static func ofCompose(_ line: String) -> (name: String, text: String)? {
    guard let (name, text) = line.components(around: " | ") else { return nil }
    let trimmed = name.trimmed
    guard !trimmed.isEmpty, trimmed.allSatisfy({ $0.isLetter || $0.isNumber || "._-".contains($0) }),
      trimmed.contains(where: \.isLetter)
    else { return nil }
    return (trimmed, text)
  }

  /// Compose's own word for a container (`shop-1`), as the engine calls it (`project-shop-1`).
  private func containerName(ofCompose name: String) -> String {
    let names = listed.compactMap(\.name) + containers.compactMap(\.containerName)
    return names.first { $0 == name } ?? names.first { $0.hasSuffix("-" + name) || $0.hasSuffix("_" + name) } ?? name
  }

  /// Keeps a line of the journal with those of its writer.
  mutating func keep(_ line: JournalLine) {
    guard let kind = signs.proxy(running: line.program)?.kind else {
      bareLines[Self.app, default: []].append(line.text)
      return
    }
    bareLines[signs.logs(of: kind), default: []].append(line.text)
  }

  /// Who is no proxy.
  static let app = "app"
}

/// A line of the journal or of syslog: `Nov 30 09:00:01 nas nginx[812]: text`, and with a time in ISO 8601.
struct JournalLine {
  let program: String
  let text: String

  private static let form = try? Pattern(
    #"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) [\w.-]+ (?<program>[^\s\[:]+)(?:\[\d+\])?: (?<text>.*)$"#
  )

  init?(_ line: String) {
    guard let match = Self.form?.firstMatch(in: line), let program = match.text(of: "program") else { return nil }
    (self.program, text) = (program, match.text(of: "text") ?? "")
  }
}

extension Signs {
  /// The proxy that a process of this name is.
  func proxy(running name: String) -> Proxy? { proxies.first { $0.processes.contains(name) } }
}

/// Lines of logs without anything around them, told apart by who writes such lines.
struct BareLines {
  private let formats: [(kind: String, pattern: Pattern)]
  private let quiet: [Pattern]
  private let reader: LogReader
  private let proxies: Set<String>

  init(_ signs: Signs) {
    formats = signs.formats.compactMap { format in
      (try? Pattern(format.pattern)).map { (format.proxy, $0) }
    }
    quiet = signs.quiet.compactMap { try? Pattern($0) }
    reader = LogReader(signs)
    proxies = Set(signs.proxies.map { signs.logs(of: $0.kind) })
  }

  /// The kind of proxy that writes such a line, `app` for others; nil for what is no known line of a log.
  func writer(of line: String) -> String? {
    let kind = formats.first { $0.pattern.matches(line) }?.kind ?? reader.reading(of: line, by: nil)?.sign.proxy
    if let kind { return proxies.contains(kind) ? kind : Account.app }
    return quiet.contains { $0.matches(line) } ? Account.app : nil
  }
}

extension Account {
  /// Keeps the lines of logs that stand in a paste by themselves; what is none is unread.
  ///
  /// - Parameter first: The first line that is tried; what stands before it is unread.
  mutating func readBare(_ passage: Passage, _ bare: BareLines?, from first: Int) {
    if passage.command.map({ Self.silent.contains($0.words[0]) }) == true { return }
    for (index, line) in passage.lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      if index >= first, let kind = bare?.writer(of: line) {
        bareLines[kind, default: []].append(line)
      } else {
        addUnread(index, of: passage)
      }
    }
  }

  /// Commands of which nothing is known by what they print.
  private static let silent: Set = ["cd", "clear", "echo", "end", "exit", "nano", "sudo", "vi", "vim"]
}

// MARK: Where they are looked for

extension Account {
  /// The lines of the container's own kind.
  func bareLog(of container: JSON) -> DockerGet.Sight? {
    let kind = proxy(in: container).map { signs.logs(of: $0.kind) } ?? Self.app
    guard let lines = bareLines[kind] else { return nil }
    let isPlain = container["Config"]?["Tty"]?.bool == true
    let written = lines.map { Array(($0 + "\n").utf8) }
    return DockerGet.Sight(
      status: 200, body: written.flatMap { isPlain ? $0 : Bytes.framed($0) }, version: "", engine: engine)
  }

  /// The lines of a proxy whose log it is: the only one of which there are any, or the one that its path names.
  func bareLog(in file: FileRead) -> FileRead.Sight? {
    let kinds = bareLines.keys.filter { $0 != Self.app }
    guard file.path.contains("log") else { return nil }
    guard let kind = kinds.count == 1 ? kinds.first : kinds.first(where: file.path.contains) else { return nil }
    let bytes = Array((bareLines[kind] ?? []).joined(separator: "\n").utf8)
    return file.part(of: .init(bytes: bytes, size: bytes.count, modified: now))
  }
}
