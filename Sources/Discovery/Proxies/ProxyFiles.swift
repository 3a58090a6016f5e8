import Archive
import Glibc
public import Model
import Synchronization
public import World

/// The files as a proxy sees them, wherever it runs.
///
/// On the host: the host's, by way of its process, and so with that one's own rights, unless it is root's. In a
/// container: its own root, by way of a process in it or, where that is not permitted or nothing runs, by the engine's
/// archive of the folder.
public struct ProxyFiles: Sendable {
  private enum Way {
    case place(Place)
    case archive(container: String)
  }

  /// What reading has shown besides the texts.
  private final class Notes: Sendable {
    /// What was asked for and not seen, though it may be there.
    let unread: Mutex<[Unseen]> = Mutex([])
    /// Files whose lines end with `\r\n`.
    let withReturns: Mutex<Set<String>> = Mutex([])
    /// Templates: the proxy reads another text than theirs.
    let templates: Mutex<Set<String>> = Mutex([])
    /// Links of this machine, with the files to which they lead.
    let targets: Mutex<[String: String]> = Mutex([:])
  }

  private let world: any World
  private let way: Way
  private let notes = Notes()
  let container: Container?
  /// By an engine that is an ordinary user's, while this program is root.
  private let isTold: Bool
  /// In a container of which the engine does not know.
  private let hasOwnRoot: Bool
  /// True if another program writes them: what a person changes there is lost.
  var isGenerated = false

  /// Throws what keeps the files from being seen at all.
  public init(of proxy: ProxyPlace, in world: any World) async throws(Unseen) {
    self.world = world
    hasOwnRoot = proxy.standing == .apart
    guard let id = proxy.id else {
      way = .place(proxy.files ?? .host)
      (container, isTold) = (nil, false)
      return
    }
    container = try await world.container(id)
    // Such an engine could name any process and any file of this machine, so only it itself is asked.
    isTold = await world.isEngineUsers
    guard let pid = proxy.pid, !isTold else {
      way = .archive(container: id)
      return
    }
    do throws(Unseen) {
      _ = try await world.see(FileGlob(pattern: "/etc/*", place: .process(pid)))
      way = .place(.process(pid))
    } catch {
      way = .archive(container: id)
    }
  }

  /// What could not be read of the configuration so far: a reader may go on with what it has, and `RouteReading` sees to
  /// it that nothing is called absent by that.
  var unread: [Unseen] { notes.unread.withLock { $0 } }

  /// Notes a part of the configuration that was not read: beyond a limit, or in a form that this program does not read.
  func note(unread unseen: Unseen) {
    notes.unread.withLock { if !$0.contains(unseen) { $0.append(unseen) } }
  }

  /// A time limit has no name of its own: what did not answer is named.
  private func note(_ unseen: Unseen, of path: String) {
    guard case .noAnswer(let seconds) = unseen else { return note(unread: unseen) }
    note(unread: .unreadable(what: path, why: .init(.noAnswer, seconds.inWords)))
  }

  /// The proxy itself has told what it runs: what was not read of its files hides nothing.
  func forgetUnread() { notes.unread.withLock { $0 = [] } }

  /// At most `limit` of the paths; the rest is noted as unread.
  func bounded(_ paths: [String], to limit: Int = Limits.includes) -> ArraySlice<String> {
    if paths.count > limit { note(unread: .unreadable(what: paths[limit], why: .init(.tooManyFiles, "\(limit)"))) }
    return paths.prefix(limit)
  }

  /// Nil if there is no such file. What keeps it from being read is noted, too.
  public func read(_ path: String) async throws(Unseen) -> String? {
    do throws(Unseen) {
      let text = try await text(of: path)
      if text?.utf8.contains(UInt8(ascii: "\r")) == true { notes.withReturns.withLock { _ = $0.insert(path) } }
      return text
    } catch {
      note(error, of: path)
      throw error
    }
  }

  private func text(of path: String) async throws(Unseen) -> String? {
    if let edited = await edited(path) { return edited.text }
    switch way {
    case .place(let place):
      let sight: FileRead.Sight
      do throws(Unseen) { sight = try await world.see(FileRead(path: path, place: place)) } catch .missing {
        return nil
      }
      if container == nil, let target = sight.target { notes.targets.withLock { $0[path] = target } }
      return sight.text
    case .archive(let container):
      return try await entries(of: container, around: path)[path].map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// Sorted paths that match a shell pattern. What keeps them from being seen is noted, too.
  public func glob(_ pattern: String) async throws(Unseen) -> [String] {
    do throws(Unseen) { return try await paths(matching: pattern) } catch {
      note(error, of: pattern)
      throw error
    }
  }

  private func paths(matching pattern: String) async throws(Unseen) -> [String] {
    switch way {
    case .place(let place): return try await world.see(FileGlob(pattern: pattern, place: place))
    case .archive(let container):
      return try await entries(of: container, around: pattern).keys
        .filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
    }
  }

  /// Seconds since 1970 of a file's last change; nil where that cannot be seen.
  public func modified(_ path: String) async -> Double? {
    if let edited = await edited(path) { return edited.modified }
    guard case .place(let place) = way else { return nil }
    return try? await world.see(FileRead(path: path, place: place, limit: 1)).modified
  }

  /// True if a person has edited the file on this machine, and the container still has the one from before.
  ///
  /// A file that is mounted by itself is bound to its inode; most editors write a new file in its place.
  public func isReplaced(_ path: String) async -> Bool {
    guard case .place(let place) = way, let edited = await edited(path),
      let inside = try? await world.see(FileRead(path: path, place: place))
    else { return false }
    return inside.bytes != edited.bytes
  }

  /// True for a file, or a line of one, that is mounted by itself; named by either of its paths: `/etc/nginx.conf:7`.
  func isMountedAlone(_ place: String) -> Bool {
    container?.Mounts?.contains { mount in
      [mount.Source, mount.Destination].contains { $0.map { place == $0 || place.hasPrefix($0 + ":") } == true }
    } == true
  }

  /// The file on this machine that is mounted by itself at this path; nil if none is, or it cannot be read.
  private func edited(_ path: String) async -> FileRead.Sight? {
    guard !isTold, let source = container?.Mounts?.first(where: { $0.Destination == path })?.Source else { return nil }
    return try? await world.see(FileRead(path: source))
  }

  /// The last bytes of a file, as lines.
  public func lastLines(of path: String, bytes: Int = 65_536) async throws(Unseen) -> [Substring] {
    switch way {
    case .place(let place):
      return try await world.see(FileRead(path: path, place: place, limit: bytes, fromEnd: true)).text
        .lines.filter { !$0.isEmpty }
    case .archive: return (try await text(of: path) ?? "").lines.filter { !$0.isEmpty }
    }
  }

  /// Rows of a SELECT over a SQLite file.
  public func rows(of path: String, _ sql: String) async throws(Unseen) -> [[String: String]] {
    guard case .place(let place) = way else { throw .notPermitted(what: path) }
    return try await world.see(SQLiteQuery(path: path, place: place, sql: sql))
  }

  /// Where a person edits the file: on this machine, or nil if it is only inside the container.
  public func hostPath(of path: String) -> String? {
    hasOwnRoot ? nil : container.map { $0.hostPath(of: path) } ?? path
  }

  /// Notes a file in which the proxy fills something in before it reads it.
  func note(template path: String) { notes.templates.withLock { _ = $0.insert(path) } }

  var hasTemplates: Bool { notes.templates.withLock { !$0.isEmpty } }

  /// The same where a patch fits: `patch` finds no line of a file whose lines end with `\r\n`, and takes no link for a
  /// file; what is read of a template does not stand in it.
  func patchPath(of path: String) -> String? {
    if notes.withReturns.withLock({ $0.contains(path) }) || notes.templates.withLock({ $0.contains(path) }) {
      return nil
    }
    return hostPath(of: path).map { path in notes.targets.withLock { $0[path] } ?? path }
  }

  /// The files of the folder two levels below the root that holds `path`, by their paths, links followed.
  private func entries(of container: String, around path: String) async throws(Unseen) -> [String: [UInt8]] {
    let folder = "/" + path.split(separator: "/").prefix(2).joined(separator: "/")
    let answer = try await world.see(DockerGet(path: "/containers/\(container)/archive?path=\(folder)"))
    if answer.status == 404 { return [:] }
    guard answer.status == 200 else { throw .notPermitted(what: folder) }
    let parent = "/" + folder.split(separator: "/").dropLast().joined(separator: "/")
    let entries: [Archive.Entry]
    do { entries = try Archive.entries(tar: answer.body) } catch {
      throw .unreadable(what: folder, why: .said("\(error)"))
    }
    return Self.files(entries, below: parent)
  }

  private static func files(_ entries: [Archive.Entry], below parent: String) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    var links: [(from: String, to: String)] = []
    for entry in entries {
      let path = absolute(entry.path, in: parent)
      switch entry.kind {
      case .file: files[path] = entry.bytes
      case .link(let target):
        links.append((path, absolute(target, in: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))))
      case .directory, .other: break
      }
    }
    for link in links where files[link.from] == nil { files[link.from] = files[link.to] }
    return files
  }

  /// `path` as seen from `folder`, without `.` and `..`.
  static func absolute(_ path: String, in folder: String) -> String {
    var parts: [Substring] = path.hasPrefix("/") ? [] : folder.split(separator: "/")
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
