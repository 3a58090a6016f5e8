import Model
import World

extension FactName {
  static let listenerPID: FactName = "listener.pid"
  static let listenerName: FactName = "listener.name"
  static let listenerUnit: FactName = "listener.unit"
  static let listenerStopped: FactName = "listener.stopped"

  static let ofListener: [FactName] = [listenerPID, listenerName, listenerUnit, listenerStopped]
}

extension World {
  /// The program of this machine that holds a listening socket. Source: proc(5), `stat` and `cgroup`.
  ///
  /// Of several processes it is the one that a signal has stopped, else the first, which the others come from.
  func program(of listener: Listener) async -> Facts {
    var seen: [(id: Int32, status: ProcessStatus)] = []
    for id in listener.processes.sorted().prefix(16) {
      let text = try? await see(FileRead(path: "/proc/\(id)/stat")).text
      if let status = text.flatMap({ ProcessStatus($0) }) { seen.append((id, status)) }
    }
    let stopped = seen.first { $0.status.state == "T" }
    guard let (id, status) = stopped ?? seen.first else { return [:] }
    let cgroup = try? await see(FileRead(path: "/proc/\(id)/cgroup")).text
    return [
      .listenerPID: String(id), .listenerName: status.name.printable, .listenerStopped: stopped == nil ? "" : "yes",
      .listenerUnit: cgroup.flatMap { systemUnit(cgroup: $0) }?.printable ?? "",
    ]
  }
}
