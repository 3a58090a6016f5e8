import Model
import World

extension Account {
  static let fileReaders = [
    // A process as /proc tells of it.
    OutputReader(
      claims: { $0.isOf("cat") && $0.paths.first.map { processFile($0) != nil } == true },
      read: { passage, account in
        guard let (id, file) = passage.paths.first.flatMap({ processFile($0) }) else { return }
        if file == "cmdline" {
          account.processes[id, default: Process()].command = passage.text.split(separator: " ").map(String.init)
        } else {
          account.processes[id, default: Process()].read(status: passage.lines)
        }
      }),
    OutputReader(
      claims: { ["cat", "head", "tail"].contains($0.program) && !$0.paths.isEmpty && !$0.isSocketTable },
      read: { passage, account in
        guard passage.paths.count == 1, let (place, path) = passage.inside(passage.paths[0], account) else {
          return account.addUnread(0, of: passage)
        }
        // The engine's own words, and tar's, which then had nothing to read.
        if passage.lines.contains(where: { $0.hasPrefix("Error") && $0.contains("Could not find the file") }) {
          account.files[place, default: [:]][path, default: File()].problem = .missing(what: path)
          return
        }
        if passage.lines.count == 1, let (program, reason) = passage.text.components(around: ": "),
          program == passage.program, let reason = reason.split(separator: ":").last
        {
          account.files[place, default: [:]][path, default: File()].problem = problem(String(reason).trimmed, path)
          return
        }
        // `collect` tells of times and sizes before the texts.
        account.files[place, default: [:]][path, default: File()].text = passage.text + "\n"
        // The end of a log was written just now.
        let modified = account.files[place]?[path]?.modified ?? account.now
        if path.hasSuffix("log") { account.files[place]?[path]?.modified = modified }
      }),
    OutputReader(
      claims: { $0.isOf("stat") },
      read: { passage, account in
        for line in passage.lines {
          let words = line.split(separator: " ", maxSplits: 2)
          guard words.count == 3, let modified = Double(words[0]) else { continue }
          guard let (place, path) = passage.inside(String(words[2]), account) else { return }
          account.files[place, default: [:]][path, default: File()].modified = modified
        }
      }),
    // The long form of `ls`: links, and who may change what.
    OutputReader(
      claims: { $0.isOf("ls") || $0.isOf("find") },
      read: { passage, account in
        if passage.words.contains("-path") { return account.match(passage) }
        // As `collect` asks for the links beside the texts.
        for path in passage.words.contains("-exec") ? passage.paths : [] {
          guard let (place, folder) = passage.inside(path, account) else { return }
          account.folders[place, default: []].insert(folder)
        }
        for line in passage.lines {
          // Of several paths only that is missing which is named.
          if line.hasPrefix("ls: "), line.hasSuffix("No such file or directory"), let start = line.firstIndex(of: "/"),
            let end = line[start...].firstIndex(where: { $0 == "'" || $0 == ":" }),
            let (place, path) = passage.inside(String(line[start..<end]), account)
          {
            account.files[place, default: [:]][path] = File(problem: .missing(what: path))
          }
          guard let slash = line.firstIndex(of: "/"), "dl-s".contains(line.first ?? " ") else { continue }
          let ends = String(line[slash...]).components(around: " -> ")
          let (from, to) = (ends?.0 ?? String(line[slash...]), ends?.1)
          if passage.command?.container == nil { account.owners[from] = Owner(line) }
          guard let to, line.hasPrefix("l") else { continue }
          if let (id, file) = processFile(from) {
            if file == "exe" {
              account.processes[id, default: Process()].program = to
              account.processes[id]?.owner = line.split(separator: " ").dropFirst(2).first.map(String.init)
            }
            if file == "ns/net" { account.processes[id, default: Process()].network = to }
            continue
          }
          guard let (place, path) = passage.inside(from, account) else { return }
          account.files[place, default: [:]][path] = File(link: to)
        }
      }),
    // `namei -l`: what a path leads through, links and all. Source: namei(1).
    OutputReader(
      claims: { $0.isOf("namei") },
      read: { passage, account in
        guard let path = passage.paths.first, passage.command?.container == nil, passage.lines.first == "f: " + path,
          passage.lines.count > 1
        else { return account.addUnread(0, of: passage) }
        var isRoots = true
        for (index, line) in passage.lines.enumerated().dropFirst() {
          if line.contains(" - No such file or directory") { break }
          // Mode, owner, group and name, a link's with what it leads to.
          guard let owner = Owner(named: line) else { return account.addUnread(index, of: passage) }
          isRoots = isRoots && owner.isRoot && (owner.isClosed || owner.isLink)
        }
        account.isOnlyRoots[path] = isRoots
      }),
    // `nginx -T` prints each file behind its name.
    OutputReader(
      claims: { $0.lines.contains { $0.hasPrefix(nginxFile) } },
      read: { passage, account in
        guard let place = account.place(of: passage) else { return account.addUnread(0, of: passage) }
        let here = passage.command == nil ? account.place(ofKind: "nginx") : place
        var path: String?
        for line in passage.lines {
          if line.hasPrefix(nginxFile) {
            path = String(line.dropFirst(nginxFile.count).prefix { $0 != ":" })
          } else if let path {
            account.files[here, default: [:]][path, default: File(text: "")].text? += line + "\n"
          }
        }
      }),
    // `df`, `df -h`, `df -i`, with the columns of GNU's and busybox'.
    OutputReader(
      claims: { $0.lines.first?.hasPrefix("Filesystem ") == true },
      read: { passage, account in
        let place = passage.paths.first.flatMap { passage.inside($0, account)?.0 } ?? account.place(of: passage)
        guard let place else { return account.addUnread(0, of: passage) }
        // The path that was asked for, if it is one: its line is the only one.
        let asked = passage.paths.count == 1 ? passage.inside(passage.paths[0], account)?.1 : nil
        var head = ""
        for (index, line) in passage.lines.enumerated() {
          if line.hasPrefix("Filesystem ") {
            head = line
            continue
          }
          let words = line.split(separator: " ").map(String.init)
          let unit = head.contains("1K-blocks") || head.contains("1024-blocks") ? 1024.0 : 1
          guard words.count > 5, let path = words.last, path.hasPrefix("/"), let most = words[1].bytes,
            let free = words[3].bytes
          else {
            account.addUnread(index, of: passage)
            continue
          }
          for path in [asked, place == .host ? path : nil].compactMap(\.self) {
            let known = account.fileSystems[place]?[path]
            account.fileSystems[place, default: [:]][path] =
              head.contains("Inodes")
              ? .init(
                size: known?.size ?? 0, free: known?.free ?? 0, files: Int(clamping: most),
                freeFiles: Int(clamping: free))
              : .init(
                size: Int(clamping: most * unit), free: Int(clamping: free * unit), files: known?.files ?? 0,
                freeFiles: known?.freeFiles ?? 0)
          }
        }
      }),
  ]

  static let databaseReaders = [
    // `sqlite3 -json FILE 'SELECT …'`, and what its other forms print: columns behind their heads, parted by `|`, and
    // `-line`. Source: sqlite3(1).
    OutputReader(
      claims: { $0.program == "sqlite3" },
      read: { passage, account in
        guard let path = passage.paths.first, let (place, inside) = passage.inside(path, account),
          let start = passage.words.firstIndex(where: { $0.lowercased().contains("select") })
        else { return account.addUnread(0, of: passage) }
        let sql = passage.words[start...].joined(separator: " ").comparableSQL
        guard let rows = rows(passage.lines) else { return account.addUnread(0, of: passage) }
        account.rows[place, default: [:]][.init(path: inside, sql: sql)] = rows
      })
  ]

  private static func rows(_ lines: [String]) -> [[String: String]]? {
    if lines.isEmpty { return [] }
    if let json = JSON(lines.joined(separator: "\n").utf8) {
      return json.elements.map { $0.members.compactMapValues(\.asText) }
    }
    if let head = lines.first?.split(separator: "|", omittingEmptySubsequences: false), head.count > 1 {
      return lines.dropFirst().map { line in
        let cells = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        return Dictionary(zip(head.map(String.init), cells)) { first, _ in first }.filter { !$0.value.isEmpty }
      }
    }
    let named = lines.map { $0.components(around: " = ") }
    guard named.contains(where: { $0 != nil }) else { return nil }
    return lines.split { $0.allSatisfy(\.isWhitespace) }.map { row in
      let pairs = row.compactMap { $0.components(around: " = ") }.map { ($0.0.trimmed, $0.1) }
      return Dictionary(pairs) { first, _ in first }.filter { !$0.value.isEmpty }
    }
  }

  /// `find FOLDER -maxdepth 1 -path 'PATTERN'`: the paths that match.
  private mutating func match(_ passage: Passage) {
    guard let option = passage.words.firstIndex(of: "-path"), option + 1 < passage.words.count,
      passage.command?.isFiltered != true, let (place, pattern) = passage.inside(passage.words[option + 1], self)
    else { return addUnread(0, of: passage) }
    var found: [String] = []
    for (index, line) in passage.lines.enumerated() {
      if line.hasPrefix("find: "), line.hasSuffix("No such file or directory") { continue }
      guard line.hasPrefix("/"), let path = passage.inside(line, self)?.1 else { return addUnread(index, of: passage) }
      found.append(path)
    }
    matches[place, default: [:]][pattern] = found
  }

  /// In the words of the system. Source: strerror(3) in the C locale.
  private static func problem(_ reason: String, _ path: String) -> Unseen {
    switch reason {
    case "No such file or directory", "Not a directory": .missing(what: path)
    case "Permission denied", "Operation not permitted": .notPermitted(what: path)
    default: .unreadable(what: path, why: .said(reason))
    }
  }

  private static let nginxFile = "# configuration file "

  /// `/proc/812/stat`: the process and the file.
  private static func processFile(_ path: String) -> (id: Int32, file: String)? {
    let parts = path.split(separator: "/", maxSplits: 2).map(String.init)
    guard parts.count == 3, parts[0] == "proc", let id = Int32(parts[1]),
      ["stat", "cgroup", "cmdline", "exe", "ns/net"].contains(parts[2])
    else { return nil }
    return (id, parts[2])
  }

  /// A path below a process's root directory, as that process names it.
  static func insidePath(_ path: String) -> (Place, String) {
    let parts = path.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: true).map(String.init)
    guard parts.count >= 3, parts[0] == "proc", parts[2] == "root", let id = Int32(parts[1]) else {
      return (.host, path)
    }
    return (id == 1 ? .host : .process(id), "/" + (parts.count > 3 ? parts[3] : ""))
  }
}

extension Passage {
  /// The paths that a command names.
  var paths: [String] { words.filter { $0.hasPrefix("/") } }

  fileprivate var isSocketTable: Bool { lines.first?.contains("local_address") == true }

  /// A path that its command names, and where it is; nil in a container of which nothing more is known.
  func inside(_ path: String, _ account: Account) -> (Place, String)? {
    guard command?.container == nil else { return account.place(of: self).map { ($0, path) } }
    return Account.insidePath(path)
  }
}

extension String {
  /// An SQL text as others may have written it.
  var comparableSQL: String {
    lowercased().filter { !"'\"\\;".contains($0) }.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// `20G`, `512M`, `1024`; nil for what is no size.
  fileprivate var bytes: Double? {
    let units: [Character: Double] = ["K": 1024, "M": 1_048_576, "G": 1_073_741_824, "T": 1_099_511_627_776]
    guard let last, let unit = units[last] else { return Double(self) }
    return Double(dropLast()).map { $0 * unit }
  }
}

extension JSON {
  /// A value of a database as text; nil for NULL.
  fileprivate var asText: String? {
    switch self {
    case .string(let text): text
    case .whole(let number): String(number)
    case .number(let number): String(number)
    case .bool(let bool): bool ? "1" : "0"
    default: nil
    }
  }
}

extension Account.Owner {
  /// A line of `namei -l`: `drwxr-xr-x root root usr`.
  fileprivate init?(named line: String) {
    let words = line.split(separator: " ")
    guard words.count > 3, words[0].count == 10 else { return nil }
    self.init("\(words[0]) 1 \(words[1]) \(words[2])")
  }

  /// `-rwxr-xr-x 1 root root 1234 Nov 30 09:00 /usr/sbin/nginx`
  fileprivate init(_ line: String) {
    let words = line.split(separator: " ").map(String.init)
    let mode = Array(words.first ?? "")
    isRoot = words.count > 2 && (words[2] == "root" || words[2] == "0")
    isClosed = mode.count > 8 && mode[5] != "w" && mode[8] != "w"
    isLink = mode.first == "l"
  }
}

extension Account.Process {
  /// `/proc/PID/stat` and then `/proc/PID/cgroup`. Source: proc(5).
  fileprivate mutating func read(status lines: [String]) {
    guard let status = lines.first.flatMap({ ProcessStatus($0) }) else { return }
    (name, parent, started) = (status.name, status.parent, status.ticks)
    container = containerID(cgroup: lines.dropFirst().joined(separator: "\n")) ?? container
  }
}
