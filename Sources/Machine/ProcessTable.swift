internal import CLinux
internal import Glibc
internal import Model
internal import World

/// A file of /proc or /sys, whole, up to 64 MB.
func contents(of path: String) throws(Unseen) -> [UInt8] {
  try Descriptor(open(path, O_RDONLY | O_CLOEXEC), path).read(at: 0, count: 1 << 26, path)
}

/// Where a link of /proc leads: `net:[4026531840]`, `socket:[1234]`; nil if that may not be seen, or is longer than that
/// many bytes.
func linkTarget(_ path: String, most: Int = 256) -> String? {
  var text = [CChar](repeating: 0, count: most)
  let count = readlink(path, &text, text.count)
  return 1..<most ~= count ? String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
}

/// All processes, lowest id first.
func processIDs() throws(Unseen) -> [Int32] {
  let directory = try Descriptor(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/proc")
  return try directory.names("/proc").compactMap { Int32($0) }.sorted()
}

extension Processes: MachineLook {
  /// Sorted by id. A process that ends while it is looked at is left out.
  func taken(on machine: Machine) async throws(Unseen) -> [ProcessSeen] {
    let wanted = Set(names)
    // The kernel keeps 15 bytes of the name that a process gives itself.
    let short = Set(names.map { String(decoding: $0.utf8.prefix(15), as: UTF8.self) })
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> [ProcessSeen] in
      let table = try ProcessTable()
      return try processIDs().compactMap { id -> ProcessSeen? in
        let program = table.program(of: id)
        if let program { guard wanted.contains(program.name) else { return nil } }
        guard let name = try? program?.name ?? firstLine("/proc/\(id)/comm"), program != nil || short.contains(name)
        else { return nil }
        return try? table.process(id, name, program)
      }
    }
  }
}

/// What is the same for all processes of one look.
private struct ProcessTable {
  /// Seconds since 1970 at which the machine started. The kernel's own `btime` is cut to whole seconds.
  private let started = timespec.now(on: CLOCK_REALTIME) - timespec.now(on: CLOCK_BOOTTIME)
  private let network = linkTarget("/proc/self/ns/net")
  private let root: stat

  init() throws(Unseen) {
    root = try status(of: "/")
  }

  /// The file that a process runs; nil if that may not be seen.
  func program(of id: Int32) -> (path: String, name: String)? {
    // Of a program that was replaced, as an update does it, the kernel says so.
    guard let target = linkTarget("/proc/\(id)/exe")?.without(suffix: " (deleted)"), target.hasPrefix("/"),
      let name = target.split(separator: "/").last
    else { return nil }
    return (target, String(name))
  }

  func process(_ id: Int32, _ name: String, _ program: (path: String, name: String)?) throws(Unseen) -> ProcessSeen {
    guard let status = ProcessStatus(String(decoding: try contents(of: "/proc/\(id)/stat"), as: UTF8.self)) else {
      throw .unreadable(what: "/proc/\(id)/stat", why: .init(.otherForm))
    }
    let command = try contents(of: "/proc/\(id)/cmdline").split(separator: 0).map {
      String(decoding: $0, as: UTF8.self)
    }
    let cgroup = String(decoding: try contents(of: "/proc/\(id)/cgroup"), as: UTF8.self)
    let network = linkTarget("/proc/\(id)/ns/net")
    return ProcessSeen(
      id: id, parent: status.parent, name: name, command: command, program: program?.path,
      started: started + status.ticks / Double(sysconf(Int32(_SC_CLK_TCK))),
      sharesNetwork: network == nil || self.network == nil ? nil : network == self.network,
      container: containerID(cgroup: cgroup), standing: try standing(of: id, program?.path, command))
  }

  private func standing(of id: Int32, _ program: String?, _ command: [String]) throws(Unseen) -> Standing {
    do throws(Unseen) {
      guard try status(of: "/proc/\(id)/root").isSameFile(as: root) else {
        return hasLockedItselfIn(id, program, command) ? .own : .apart
      }
    } catch .notPermitted {
      // Without root's rights nothing is read that its user could not show anyway.
    }
    let user = try Credentials(of: id).user
    if user == 0 || user == geteuid() { return .own }
    let name = userName(user) ?? String(user)
    guard let program, onlyRootChanges(program), command.namesOnlyRootsFiles else { return .user(name) }
    return .service(user: name)
  }

  /// True for a service of this machine that went into another root by itself, after it had read its files among
  /// everybody's, as HAProxy does by `chroot`. Its program is not in there, and it takes root's rights to go.
  private func hasLockedItselfIn(_ id: Int32, _ program: String?, _ command: [String]) -> Bool {
    let isHere = ["mnt", "user"].allSatisfy { kind in
      let own = linkTarget("/proc/self/ns/\(kind)")
      return own != nil && own == linkTarget("/proc/\(id)/ns/\(kind)")
    }
    guard isHere, let program, let root = linkTarget("/proc/\(id)/root"), !program.hasPrefix(root + "/") else {
      return false
    }
    return onlyRootChanges(program) && command.namesOnlyRootsFiles
  }
}

private func status(of path: String) throws(Unseen) -> stat {
  var status = stat()
  guard stat(path, &status) == 0 else { throw .system(errno, path) }
  return status
}

/// As this machine's own file of users has it.
private func userName(_ id: UInt32) -> String? {
  guard let users = try? contents(of: "/etc/passwd") else { return nil }
  return users.split(separator: UInt8(ascii: "\n")).lazy.map { $0.split(separator: UInt8(ascii: ":")) }
    .first { $0.count > 2 && UInt32(String(decoding: $0[2], as: UTF8.self)) == id }
    .map { String(decoding: $0[0], as: UTF8.self) }
}

extension [String] {
  /// True if every word of a command line that can be a file's path is the absolute path of one that only root changes.
  fileprivate var namesOnlyRootsFiles: Bool {
    // nginx makes one word of all its words.
    let words = flatMap { $0.split(separator: " ") }.dropFirst()
    return words.allSatisfy { word in
      // `--config=PATH`, `-fPATH`
      let value = word.hasPrefix("-") ? word.drop { $0 != "=" && $0 != "/" }.drop { $0 == "=" } : word
      if value.contains("://") { return true }
      if value.hasPrefix("/") { return onlyRootChanges(String(value)) }
      // A relative path begins in a folder that its user has chosen. A subcommand or a number is none.
      return !value.contains("/")
        && (value.utf8.allSatisfy { $0.isLetter || $0 == UInt8(ascii: "-") } || Double(value) != nil)
    }
  }
}

extension UInt8 {
  fileprivate var isLetter: Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 }
}

extension String {
  fileprivate func without(suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}

private func firstLine(_ path: String) throws(Unseen) -> String {
  String(decoding: try contents(of: path).prefix { $0 != 0x0A }, as: UTF8.self)
}
