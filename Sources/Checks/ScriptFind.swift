import Discovery
import Model
import Routes
import World

extension FactName {
  static let scriptsShared: FactName = "scripts.shared"
  static let scriptsRight: FactName = "scripts.right"
}

private enum ScriptOutcome: String, CheckOutcome {
  /// The app has the folder.
  case there
  /// It has it below another path.
  case elsewhere
  /// It has no such folder, and none of the proxy's either.
  case missing
  case unknown
}

extension Check {
  /// Compares the folder that the proxy names for the app's scripts with what the app's container has.
  static let scriptFind = Check(
    "script.find", needs: [.scriptsFolder, .upstreamID, .proxyPlace],
    learns: [.scriptsShared, .scriptsRight], outcome: ScriptOutcome.self
  ) { world, given, _ throws(Unseen) in
    let folder = try given.text(of: .scriptsFolder)
    let app = try await world.container(try given.upstreamID)
    // A container that mounts the proxy's folder has the same files, below a path of its own.
    let shared = if let id = given[.proxyID] { try await world.container(id).hostPath(of: folder) } else { folder }
    let inside = shared.flatMap { app.insidePath(of: $0) }
    let learned: Facts = [.scriptsShared: shared ?? "", .scriptsRight: inside ?? ""]
    if let inside { return (inside == folder ? .there : .elsewhere, learned) }
    guard let pid = app.pid else { return (.unknown, learned) }
    let found = try await world.see(FileGlob(pattern: folder, place: .process(pid)))
    return (found.isEmpty ? .missing : .there, learned)
  }
}
