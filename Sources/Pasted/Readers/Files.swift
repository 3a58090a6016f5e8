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
      claims: { $0.isOf("cat") && !$0.paths.isEmpty && !$0.isSocketTable },
      read: { passage, account in
        guard passage.paths.count == 1 else { return }
        let (place, path) = insidePath(passage.paths[0])
        if passage.lines.count == 1, passage.text.hasPrefix("cat: "),
          let reason = passage.text.split(separator: ":").last
        {
          account.files[place, default: [:]][path, default: File()].problem = problem(String(reason).trimmed, path)
          return
        }
        // `collect` tells of times and sizes before the texts.
        account.files[place, default: [:]][path, default: File()].text = passage.text + "\n"
      }),
    OutputReader(
      claims: { $0.isOf("stat") },
      read: { passage, account in
        for line in passage.lines {
          let words = line.split(separator: " ", maxSplits: 2)
          guard words.count == 3, let modified = Double(words[0]) else { continue }
          let (place, path) = insidePath(String(words[2]))
          account.files[place, default: [:]][path, default: File()].modified = modified
        }
      }),
    // Links, in the long form of `ls`.
    OutputReader(
      claims: { $0.isOf("ls") || $0.isOf("find") },
      read: { passage, account in
        for path in passage.isOf("find") ? passage.paths : [] {
          let (place, folder) = insidePath(path)
          account.folders[place, default: []].insert(folder)
        }
        for path in passage.isOf("ls") && passage.text.hasPrefix("ls: ") ? passage.paths : [] {
          guard passage.text.contains("No such file") else { continue }
          let (place, inside) = insidePath(path)
          account.files[place, default: [:]][inside] = File(problem: .missing(what: inside))
        }
        for line in passage.lines {
          guard line.hasPrefix("l"), let arrow = line.firstRange(of: " -> "), let slash = line.firstIndex(of: "/")
          else {
            continue
          }
          let (from, to) = (String(line[slash..<arrow.lowerBound]), String(line[arrow.upperBound...]))
          if let (id, file) = processFile(from) {
            if file == "exe" {
              account.processes[id, default: Process()].program = to
              account.processes[id]?.owner = line.split(separator: " ").dropFirst(2).first.map(String.init)
            }
            if file == "ns/net" { account.processes[id, default: Process()].network = to }
            continue
          }
          let (place, path) = insidePath(from)
          account.files[place, default: [:]][path] = File(link: to)
        }
      }),
    // `nginx -T` prints each file behind its name.
    OutputReader(
      claims: { $0.lines.contains { $0.hasPrefix(nginxFile) } },
      read: { passage, account in
        let place = passage.placeOfContainer(account) ?? .host
        var path: String?
        for line in passage.lines {
          if line.hasPrefix(nginxFile) {
            path = String(line.dropFirst(nginxFile.count).prefix { $0 != ":" })
          } else if let path {
            account.files[place, default: [:]][path, default: File(text: "")].text? += line + "\n"
          }
        }
      }),
  ]

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
  fileprivate var paths: [String] { command.filter { $0.hasPrefix("/") } }

  fileprivate var isSocketTable: Bool { lines.first?.contains("local_address") == true }

  /// The container in which `docker exec` has run the command.
  func placeOfContainer(_ account: Account) -> Place? {
    guard command.count > 2, command[1] == "exec" else { return nil }
    return command.dropFirst(2).first { !$0.hasPrefix("-") }.flatMap { account.place(of: $0) }
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
