import Discovery
import Model
import World

extension FactName {
  static let memoryKills: FactName = "memory.kills"
}

/// Whether a container has hit its memory limit.
enum MemoryOutcome: String, CheckOutcome {
  /// It hit its limit, and a process in it was killed.
  case hit
  case never
  /// It may take what the machine has.
  case unlimited
  case unknown
}

extension Check {
  /// Whether the app's container has hit its memory limit since that was last changed.
  static let memoryPast = Check(
    "memory.past", needs: [.upstreamID], learns: [.memoryKills], outcome: MemoryOutcome.self
  ) { world, given, _ throws(Unseen) in
    try await world.memory(of: try given.upstreamID, since: world.now - 7 * 86400)
  }
}

extension World {
  /// By what the engine remembers since then, and by the kernel's counter of the container's group since its start.
  ///
  /// Source: Linux, Documentation/admin-guide/cgroup-v2.rst, memory.events; cgroup-v1/memory.rst, memory.oom_control.
  func memory(of id: String, since start: Double) async throws(Unseen) -> (MemoryOutcome, Facts) {
    let container = try await container(id)
    guard container.HostConfig?.Memory ?? 0 > 0 else { return (.unlimited, [:]) }
    let deaths = try await deaths(of: container.Id, since: start)
    if deaths.outOfMemory { return (.hit, [:]) }
    guard let pid = container.pid else { throw .missing(what: "a process of \(container.name)") }
    var counters: [String] = []
    for path in ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"] {
      if let text = try? await see(FileRead(path: path, place: .process(pid))).text { counters.append(text) }
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
