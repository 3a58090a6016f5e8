import Discovery
import Model
import Routes
import World

private enum MemoryOutcome: String, CheckOutcome {
  /// The container hit its limit, and a process in it was killed.
  case hit
  case never
  /// It may take what the machine has.
  case unlimited
  case unknown
}

extension Check {
  /// Whether the app's container has hit its memory limit since that was last changed: by the kernel's counter of its
  /// group, and by what the engine remembers.
  ///
  /// Source: Linux, Documentation/admin-guide/cgroup-v2.rst, memory.events; cgroup-v1/memory.rst, memory.oom_control.
  static let memoryPast = Check(
    "memory.past", needs: [.upstreamID], learns: [.memoryKills], outcome: MemoryOutcome.self
  ) { world, given, _ throws(Unseen) in
    let container = try await world.container(try given.upstreamID)
    guard container.HostConfig?.Memory ?? 0 > 0 else { return (.unlimited, [:]) }
    let deaths = try await world.deaths(of: container.Id, since: world.now - 7 * 86400)
    if deaths.outOfMemory { return (.hit, [:]) }
    guard let pid = container.pid else { throw .missing(what: "a process of \(container.name)") }
    var counters: [String] = []
    for path in ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"] {
      if let text = try? await world.see(FileRead(path: path, place: .process(pid))).text { counters.append(text) }
    }
    guard !counters.isEmpty else { throw .missing(what: "/sys/fs/cgroup/memory.events in \(container.name)") }
    let kills =
      counters.flatMap(\.lines).lazy.compactMap { line -> Int? in
        let words = line.split(separator: " ")
        return words.count == 2 && words[0] == "oom_kill" ? Int(words[1]) : nil
      }.max() ?? 0
    return kills > 0 ? (.hit, [.memoryKills: String(kills)]) : (.never, [:])
  }
}

extension FactName {
  static let memoryKills: FactName = "memory.kills"
}
