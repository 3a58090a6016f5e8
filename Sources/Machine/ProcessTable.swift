internal import Glibc
internal import Model
internal import World

/// A file of /proc or /sys, whole, up to 64 MB.
func contents(of path: String) throws(Unseen) -> [UInt8] {
  try Descriptor(open(path, O_RDONLY | O_CLOEXEC), path).read(at: 0, count: 1 << 26, path)
}

/// Where a link of /proc leads: `net:[4026531840]`, `socket:[1234]`; nil if that may not be seen.
func linkTarget(_ path: String) -> String? {
  var text = [CChar](repeating: 0, count: 256)
  let count = readlink(path, &text, text.count)
  return count > 0 ? String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
}

/// All processes, lowest id first.
func processIDs() throws(Unseen) -> [Int32] {
  let directory = try Descriptor(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/proc")
  return try directory.names("/proc").compactMap { Int32($0) }.sorted()
}

extension Processes: MachineLook {
  /// Sorted by id. A process that ends while it is looked at is left out.
  func taken(on machine: Machine) async throws(Unseen) -> [ProcessSeen] {
    // The kernel keeps 15 bytes of a name.
    let wanted = Set(names.map { String(decoding: $0.utf8.prefix(15), as: UTF8.self) })
    return try await onOwnThread(limit: fileLimit) { () throws(Unseen) -> [ProcessSeen] in
      let start = try bootTime()
      let network = linkTarget("/proc/self/ns/net")
      return try processIDs().compactMap { id -> ProcessSeen? in
        guard let name = try? firstLine("/proc/\(id)/comm"), wanted.contains(name) else { return nil }
        return try? ProcessSeen(id, name, bootTime: start, ownNetwork: network)
      }
    }
  }
}

extension ProcessSeen {
  fileprivate init(_ id: Int32, _ name: String, bootTime: Double, ownNetwork: String?) throws(Unseen) {
    // The name in parentheses may itself have spaces and parentheses: the fields begin after the last one.
    let status = String(decoding: try contents(of: "/proc/\(id)/stat"), as: UTF8.self)
    let fields = status[(status.lastIndex(of: ")") ?? status.startIndex)...].split(separator: " ")
    // `) state ppid …`: field 4 of proc(5) is the parent, field 22 the start in ticks since boot.
    guard fields.count > 20, let parent = Int32(fields[2]), let ticks = Double(fields[20]) else {
      throw .unreadable(what: "/proc/\(id)/stat", why: "it has another form")
    }
    let words = try contents(of: "/proc/\(id)/cmdline").split(separator: 0)
    let cgroup = String(decoding: try contents(of: "/proc/\(id)/cgroup"), as: UTF8.self)
    let network = linkTarget("/proc/\(id)/ns/net")
    self.init(
      id: id, parent: parent, name: name, command: words.map { String(decoding: $0, as: UTF8.self) },
      started: bootTime + ticks / Double(sysconf(Int32(_SC_CLK_TCK))),
      sharesNetwork: network == nil || ownNetwork == nil ? nil : network == ownNetwork,
      container: containerID(cgroup: cgroup))
  }
}

/// The container's id in `/proc/PID/cgroup`: a directory `ID`, `docker-ID.scope`, `libpod-ID.scope`, `cri-…-ID.scope`.
///
/// `libpod-conmon-ID.scope` is Podman's own watcher, outside the container.
func containerID(cgroup: String) -> String? {
  for component in cgroup.split(whereSeparator: { "/:\n".contains($0) }) where !component.hasPrefix("libpod-conmon-") {
    let word = component.split(separator: ".").first?.split(separator: "-").last ?? ""
    if word.utf8.count == 64, word.allSatisfy({ $0.isHexDigit }) { return String(word) }
  }
  return nil
}

private func firstLine(_ path: String) throws(Unseen) -> String {
  String(decoding: try contents(of: path).prefix { $0 != 0x0A }, as: UTF8.self)
}

/// Seconds since 1970 at which the machine started.
private func bootTime() throws(Unseen) -> Double {
  let text = String(decoding: try contents(of: "/proc/stat"), as: UTF8.self)
  guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
    let seconds = Double(line.dropFirst(6))
  else { throw .unreadable(what: "/proc/stat", why: "it has no btime") }
  return seconds
}
