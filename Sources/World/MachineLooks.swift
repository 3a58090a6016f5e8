/// One GET to the Docker engine's API, at the version it speaks.
public struct DockerGet: Look {
  public static let kind = "docker"
  /// Logs and events tell what comes of asking.
  public var isOfMachine: Bool { !path.contains("/logs?") && !path.hasPrefix("/events?") }
  /// Path and query without the version prefix, and without times: `/containers/json?all=1`.
  public var path: String
  /// Of logs and events: seconds since 1970 from which on they are told. Events end in the moment in which they are asked
  /// for.
  @Beside public var since: Double?
  /// Bytes of the answer that are kept; a longer one is `unreadable`.
  @Beside public var bodyLimit: Int
  @Beside public var limit: Double
  public var bounds: Bounds { Bounds(seconds: limit, bytes: bodyLimit, since: since) }

  public init(path: String, since: Double? = nil, bodyLimit: Int = 16_777_216, limit: Double = 5) {
    self.path = path
    self.since = since
    self.bodyLimit = bodyLimit
    self.limit = limit
  }

  public struct Sight: Sendable, Codable, Equatable {
    public let status: Int
    @Bytes public private(set) var body: [UInt8]
    /// The API version that was spoken: `1.41`; empty if the engine does not tell its own.
    public let version: String
    /// `Docker` or `Podman`.
    public let engine: String
    /// The engine belongs to an ordinary user, and this program is root: what it says of files and processes of this
    /// machine is that user's word.
    public let isUsers: Bool
    public init(status: Int, body: [UInt8], version: String, engine: String, isUsers: Bool = false) {
      self.status = status
      self.body = body
      self.version = version
      self.engine = engine
      self.isUsers = isUsers
    }
  }
}

/// A file's bytes: all of them, or so many from its start or its end. Links are followed inside the place's own root
/// only.
public struct FileRead: Look {
  public static let kind = "file"
  /// The end of a file is that of a log; what /proc and /sys count goes on.
  public var isOfMachine: Bool { !fromEnd && !path.hasPrefix("/proc/") && !path.hasPrefix("/sys/") }
  public var path: String
  public var place: Place
  /// Bytes of the part that is read. Nil: the whole file, which beyond `Limits.file` is `unreadable`, never cut.
  @Beside public var limit: Int?
  /// The last `limit` bytes instead of the first.
  public var fromEnd: Bool
  public var bounds: Bounds { Bounds(bytes: limit) }

  public init(path: String, place: Place = .host, limit: Int? = nil, fromEnd: Bool = false) {
    self.path = path
    self.place = place
    self.limit = limit
    self.fromEnd = fromEnd
  }

  public struct Sight: Sendable, Codable, Equatable {
    @Bytes public private(set) var bytes: [UInt8]
    /// The whole file's size in bytes.
    public let size: Int
    /// Seconds since 1970 of the last change.
    public let modified: Double
    /// Of a link: the file to which it leads, inside the place's root. A recording of before has none.
    public let target: String?
    public init(bytes: [UInt8], size: Int, modified: Double, target: String? = nil) {
      self.bytes = bytes
      self.size = size
      self.modified = modified
      self.target = target
    }
    public var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  public func part(of sight: Sight) -> Sight? {
    // What was kept of a file that is larger than that serves only whoever wants no more.
    guard min(limit ?? .max, sight.size) <= sight.bytes.count else { return nil }
    guard let limit, limit < sight.bytes.count else { return sight }
    return Sight(
      bytes: Array(fromEnd ? sight.bytes.suffix(limit) : sight.bytes.prefix(limit)), size: sight.size,
      modified: sight.modified, target: sight.target)
  }
}

/// Paths that match a shell pattern (`*`, `?`, `[…]`), sorted; a pattern that matches nothing gives none.
public struct FileGlob: Look {
  public static let kind = "glob"
  public var isOfMachine: Bool { true }
  public var pattern: String
  public var place: Place
  public init(pattern: String, place: Place = .host) {
    self.pattern = pattern
    self.place = place
  }

  public typealias Sight = [String]
}

/// How full the file system is on which a path lies. Source: statvfs(3).
public struct FileSystem: Look {
  public static let kind = "file-system"
  public var path: String
  public var place: Place
  public init(path: String, place: Place = .host) {
    self.path = path
    self.place = place
  }

  public struct Sight: Sendable, Codable, Equatable {
    /// Bytes in all, and those that a program without privileges may still write.
    public let size: Int
    public let free: Int
    /// Files that it can hold, and how many more; both 0 where it does not count them.
    public let files: Int
    public let freeFiles: Int
    public init(size: Int, free: Int, files: Int, freeFiles: Int) {
      (self.size, self.free, self.files, self.freeFiles) = (size, free, files, freeFiles)
    }
  }
}

/// Rows of one SELECT over a SQLite file, opened read-only. Each row: column name to text; NULL is absent.
public struct SQLiteQuery: Look {
  public static let kind = "sqlite"
  public var isOfMachine: Bool { true }
  public var path: String
  public var place: Place
  public var sql: String
  public init(path: String, place: Place, sql: String) {
    self.path = path
    self.place = place
    self.sql = sql
  }

  public typealias Sight = [[String: String]]
}

/// The processes of this machine that have one of these names.
public struct Processes: Look {
  public static let kind = "processes"
  public var isOfMachine: Bool { true }
  public var names: [String]
  public init(names: [String]) { self.names = names.sorted() }

  public typealias Sight = [ProcessSeen]
}

public struct ProcessSeen: Sendable, Codable, Equatable {
  public let id: Int32
  public let parent: Int32
  /// The file name of its program (`/proc/PID/exe`), which the kernel tells; the name that it gives itself
  /// (`/proc/PID/comm`) where its program may not be seen.
  public let name: String
  /// The command line; nginx rewrites its own: `nginx: master process nginx -c /etc/nginx/nginx.conf`.
  public let command: [String]
  /// The file that it runs, by the kernel's word; nil if that may not be seen.
  public let program: String?
  /// Seconds since 1970.
  public let started: Double
  /// True if it shares this program's own network namespace; nil if that could not be seen.
  public let sharesNetwork: Bool?
  /// The 64 hexadecimal digits of the container's id in its cgroup; nil if it is in none.
  public let container: String?
  public let standing: Standing
  public init(
    id: Int32, parent: Int32, name: String, command: [String], program: String? = nil, started: Double,
    sharesNetwork: Bool?, container: String?, standing: Standing = .own
  ) {
    self.id = id
    self.parent = parent
    self.name = name
    self.command = command
    self.program = program
    self.started = started
    self.sharesNetwork = sharesNetwork
    self.container = container
    self.standing = standing
  }
}

/// Whose a process is, and so how far what it says of itself may be followed.
///
/// What it names is read with its own rights unless it is `own`; a command for a person to run as root is made of its
/// words only if it is `own` or a `service`.
public enum Standing: Sendable, Codable, Hashable {
  /// Root's, or of the user who runs this program, among this machine's own files.
  case own
  /// It has given up root's rights, or never had them, but only root can change its program and what its command line
  /// names: a service such as Debian's Caddy.
  case service(user: String)
  /// Of another user, who decides what it runs.
  case user(String)
  /// Its root directory is another one than this machine's.
  case apart
}

/// Whether nobody but root can change what a path leads to: it and every folder and link on the way is root's, and
/// neither its group nor others may write to it.
public struct OnlyRootChanges: Look {
  public static let kind = "only-root-changes"
  public var path: String
  public init(path: String) { self.path = path }

  public typealias Sight = Bool
}

/// One of the few commands of the system that only look, run without a shell.
public struct CommandRun: Look {
  public static let kind = "command"
  public var isOfMachine: Bool { true }
  public enum Command: String, Hashable, Sendable, Codable {
    /// `iptables-save -c` in the place's network.
    case packetFilter = "iptables-save"
    /// `ip6tables-save -c` there.
    case packetFilter6 = "ip6tables-save"
    /// `nft -j list ruleset` there.
    case nftables = "nft"
  }
  public var command: Command
  public var place: Place
  @Beside public var limit: Double
  public var bounds: Bounds { Bounds(seconds: limit) }
  public init(_ command: Command, place: Place = .host, limit: Double = 3) {
    self.command = command
    self.place = place
    self.limit = limit
  }

  public struct Sight: Sendable, Codable, Equatable {
    public let exitCode: Int32
    /// Standard output, then standard error, at most 1 MB.
    public let output: String
    public init(exitCode: Int32, output: String) {
      self.exitCode = exitCode
      self.output = output
    }
  }
}

/// Whether this program runs with root's rights.
public struct IsRoot: Look {
  public static let kind = "root"
  public init() {}
  public typealias Sight = Bool
}
