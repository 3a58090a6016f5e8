import Foundation
import Glibc
import Model
import World

/// A machine of its own: one proxy's process, its real files, and what an engine and HAProxy's socket answer.
struct SampleWorld: World {
  let command: [String]
  /// Answers of the engine by path.
  var engine: [String: String] = [:]
  /// Answers of HAProxy's stats socket.
  var statistics: [StatsSocket.Question: String] = [:]

  /// The proxy's process.
  static let pid: Int32 = 7

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    if let sight = sight(look) as? L.Sight { return sight }
    throw .missing(what: "\(look)")
  }

  private func sight(_ look: any Look) -> (any Sendable)? {
    switch look {
    case let look as FileRead:
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: look.path, isDirectory: &isFolder), !isFolder.boolValue,
        let data = FileManager.default.contents(atPath: look.path)
      else { return nil }
      return FileRead.Sight(bytes: Array(data.prefix(look.limit ?? Limits.file)), size: data.count, modified: 1)
    case let look as FileGlob:
      var found = glob_t()
      defer { globfree(&found) }
      guard glob(look.pattern, 0, nil, &found) == 0 else { return [String]() }
      return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    case is Processes:
      return [
        ProcessSeen(
          id: Self.pid, parent: 1, name: String(command.first?.split(separator: "/").last ?? ""), command: command,
          started: 1, sharesNetwork: true, container: nil)
      ]
    case let look as DockerGet:
      return engine[look.path].map {
        DockerGet.Sight(status: 200, body: Array($0.utf8), version: "1.41", engine: "Docker")
      }
    // The app, in whatever container it is.
    case is Listeners: return [Listener(address: "0.0.0.0", port: 3000, waiting: 0, processes: [42])]
    case let look as StatsSocket: return statistics[look.question]
    default: return nil
    }
  }
}
