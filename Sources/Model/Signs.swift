/// By what software and its messages are known: data from `Flows/signs/`.
public struct Signs: Sendable, Equatable {
  /// How one kind of reverse proxy is recognised.
  public struct Proxy: Sendable, Equatable {
    /// The kind as `diagnosis.schema.json` names it.
    public let kind: String
    /// What people call it.
    public let name: String
    /// Regular expressions over an image's name without registry and tag.
    public let images: [String]
    /// Names of processes, as in `/proc/PID/comm`.
    public let processes: [String]
    /// The kind whose log lines it writes, if those are not its own.
    public let logsLike: String?
    /// What is special about how its files are laid out and changed, for pages; nil for the kind's own way.
    public let layout: String?
    /// The port of its own admin page, inside its container.
    public let adminPort: UInt16?
    /// How a distribution's package runs it on the machine itself; nil where none does.
    public let service: Service?
    public init(
      kind: String, name: String, images: [String], processes: [String], logsLike: String? = nil,
      layout: String? = nil, adminPort: UInt16? = nil, service: Service? = nil
    ) {
      self.kind = kind
      self.name = name
      self.images = images
      self.processes = processes
      self.logsLike = logsLike
      self.layout = layout
      self.adminPort = adminPort
      self.service = service
    }
  }

  /// A proxy as a service of the machine.
  public struct Service: Sendable, Equatable {
    /// The name of its systemd unit, and of its script in `/etc/init.d`.
    public let unit: String
    /// Its program's path, and the words after it.
    public let command: [String]
    /// The file with which its configuration begins.
    public let main: String
    public init(unit: String, command: [String], main: String) {
      (self.unit, self.command, self.main) = (unit, command, main)
    }
  }

  /// An answer whose author or meaning is known from its headers or its body.
  public struct Answer: Sendable, Equatable {
    /// Kind of the server that wrote it, if the sign tells.
    public let by: String?
    /// What it means: `error-page`, `default-site`, `tls-port`, `edge`; nil if only the author is known.
    public let means: String?
    /// Regular expression for the status.
    public let status: String?
    /// Header name in lower case to a regular expression for its value; `^$` for one that is not there.
    public let headers: [String: String]
    /// Regular expression over the first bytes of the body; its group `reason` is taken as a fact.
    public let body: String?
    public init(by: String?, means: String?, status: String? = nil, headers: [String: String], body: String?) {
      self.by = by
      self.means = means
      self.status = status
      self.headers = headers
      self.body = body
    }
  }

  /// One log line and what it proves.
  public struct Line: Sendable, Equatable {
    public let proxy: String
    /// A regular expression; the named groups `address`, `name` and `reason` are taken as facts.
    public let pattern: String
    /// The network fact: `refused`, `timeout`, `unreachable`, `closed`, `name`, …
    public let shows: String
    public let meaning: String
    /// Most likely first; empty for a failure whose reason is not in the line.
    public let causes: [String]
    public init(proxy: String, pattern: String, shows: String, meaning: String, causes: [String]) {
      self.proxy = proxy
      self.pattern = pattern
      self.shows = shows
      self.meaning = meaning
      self.causes = causes
    }
  }

  /// How the lines of one kind of program look, whatever stands before them.
  public struct Format: Sendable, Equatable {
    public let proxy: String
    /// A regular expression.
    public let pattern: String
    public init(proxy: String, pattern: String) {
      self.proxy = proxy
      self.pattern = pattern
    }
  }

  /// The kind whose log lines a proxy writes.
  public func logs(of kind: String) -> String {
    proxies.lazy.filter { $0.kind == kind }.compactMap(\.logsLike).first ?? kind
  }

  /// A time after which one kind of proxy gives up by itself, and the status that it then answers.
  public struct Timer: Sendable, Equatable {
    public let proxy: String
    public let status: Int
    /// Seconds.
    public let range: ClosedRange<Double>
    /// What it is called, with its setting.
    public let name: String
    public init(proxy: String, status: Int, range: ClosedRange<Double>, name: String) {
      self.proxy = proxy
      self.status = status
      self.range = range
      self.name = name
    }
  }

  /// A program with a web page that makes containers.
  public struct Manager: Sendable, Equatable {
    public let kind: String
    /// Names of labels to patterns of their values; all of them have to match.
    public let labels: [String: String]
    /// A pattern of the Compose file's path.
    public let path: String?
    public init(kind: String, labels: [String: String], path: String?) {
      (self.kind, self.labels, self.path) = (kind, labels, path)
    }
  }

  /// Why an app ends, where its last words tell it, by a word that pages know.
  public struct Ending: Sendable, Equatable {
    public let reason: String
    public let pattern: String
    public init(reason: String, pattern: String) { (self.reason, self.pattern) = (reason, pattern) }
  }

  public var endings: [Ending] = []
  public var managers: [Manager] = []
  public var proxies: [Proxy]
  public var answers: [Answer]
  public var formats: [Format]
  /// Regular expressions of lines that say nothing and are most of a log, such as those of requests that went well.
  public var quiet: [String]
  public var lines: [Line]
  /// Those whose lines are only looked for in what somebody pasted: no log of gigabytes is theirs.
  public var pasted: Set<String>
  /// Those whose signs are so general that two lines together might show what neither of them says.
  public var single: Set<String>
  /// Regular expressions of lines that nobody claims and that tell of something else: of a client, of a database.
  public var silent: [String]
  public var timers: [Timer]
  /// Patterns of lines by which an app says why it ends, those that tell most first.
  public var lastWords: [String]
  /// Patterns of those among them that say that the app may not use a file.
  public var denied: [String]
  /// Patterns of names of settings that say where an app listens.
  public var listenNames: [String]
  public var apps: Apps
  public init(
    proxies: [Proxy] = [], answers: [Answer] = [], formats: [Format] = [], quiet: [String] = [], lines: [Line] = [],
    pasted: Set<String> = [], single: Set<String> = [], silent: [String] = [], timers: [Timer] = [],
    lastWords: [String] = [], denied: [String] = [], listenNames: [String] = [], apps: Apps = Apps()
  ) {
    self.proxies = proxies
    self.answers = answers
    self.formats = formats
    self.quiet = quiet
    self.lines = lines
    self.pasted = pasted
    self.single = single
    self.silent = silent
    self.timers = timers
    self.lastWords = lastWords
    self.denied = denied
    self.listenNames = listenNames
    self.apps = apps
  }
}
