import Glibc
import Model
import World

/// A machine that is texts: one proxy's process on the host, its files, and what the engine and others answer.
struct MemoryWorld: World {
  static let pid: Int32 = 7

  var command: [String] = []
  var files: [String: String] = [:]
  /// Paths and patterns that cannot be seen, and why.
  var unseen: [String: Unseen] = [:]
  /// Answers of the engine by path.
  var engine: [String: String] = [:]
  /// Answers to HTTP by path.
  var answers: [String: String] = [:]
  /// Rows of every SQLite file.
  var rows: [[String: String]] = []
  var statistics: [StatsSocket.Question: String] = [:]

  var now: Double { 1_700_000_000 }

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    let path = (look as? FileRead)?.path ?? (look as? FileGlob)?.pattern
    if let path, let unseen = unseen[path] { throw unseen }
    if let sight = sight(look) as? L.Sight { return sight }
    throw .missing(what: path ?? "\(look)")
  }

  private func sight(_ look: any Look) -> (any Sendable)? {
    switch look {
    case let look as FileRead:
      return files[look.path].map { FileRead.Sight(bytes: Array($0.utf8), size: $0.utf8.count, modified: 1) }
    case let look as FileGlob:
      return files.keys.filter { fnmatch(look.pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
    case is Processes:
      let name = command.first?.split(separator: "/").last.map(String.init) ?? ""
      return [
        ProcessSeen(
          id: Self.pid, parent: 1, name: name, command: command, started: 1, sharesNetwork: true, container: nil)
      ]
    case let look as DockerGet:
      return engine[look.path].map {
        DockerGet.Sight(status: 200, body: Array($0.utf8), version: "1.41", engine: "Docker")
      }
    case let look as HTTPRequest:
      return answers.first { look.url.hasSuffix($0.key) }.map {
        HTTPRequest.Sight(status: 200, body: Array($0.value.utf8))
      }
    case is SQLiteQuery: return rows
    case let look as StatsSocket: return statistics[look.question]
    default: return nil
    }
  }
}
