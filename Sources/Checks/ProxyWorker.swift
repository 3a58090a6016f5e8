import Discovery
import Model
import World

extension World {
  /// The process of the proxy that opens connections: a child of its first process, if it has some.
  func worker(of proxy: ProxyPlace, _ signs: Signs) async throws(Unseen) -> Int32 {
    guard let first = proxy.pid else { throw .notEnoughKnown([.proxyPID]) }
    let processes = try await see(Processes(names: signs.proxyProcesses))
    return processes.last { $0.parent == first }?.id ?? first
  }

  /// User and group of a process; nil if its status has another form.
  func user(of process: Int32) async throws(Unseen) -> (UInt32, UInt32)? {
    let lines = try await see(FileRead(path: "/proc/\(process)/status")).text.lines
    func last(_ name: String) -> UInt32? {
      lines.first { $0.hasPrefix(name) }?.split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap { UInt32($0) }
    }
    guard let user = last("Uid:"), let group = last("Gid:") else { return nil }
    return (user, group)
  }
}

/// Names of users and groups, as a place's own files have them.
struct Users {
  private let users: [UInt32: String]
  private let groups: [UInt32: String]

  init(in place: Place, _ world: any World) async throws(Unseen) {
    func names(_ path: String) async throws(Unseen) -> [UInt32: String] {
      var names: [UInt32: String] = [:]
      for line in try await world.see(FileRead(path: path, place: place)).text.lines {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count > 2, let id = UInt32(fields[2]) else { continue }
        names[id] = String(fields[0]).printable
      }
      return names
    }
    users = try await names("/etc/passwd")
    groups = try await names("/etc/group")
  }

  func name(ofUser id: UInt32) -> String? { users[id] }
  func name(ofGroup id: UInt32) -> String? { groups[id] }
}
