/// An app that many people run behind a proxy, and what is known of it: data from `Flows/apps/`.
public struct App: Sendable, Equatable {
  /// What people call it.
  public let name: String
  /// Names of its images, without registry and tag.
  public let images: [String]
  /// Names of its processes, as `ProcessSeen.name` has them.
  public let processes: [String]
  /// The names of its systemd units, without `.service`; `syncthing@` for one of each user.
  public let units: [String]
  /// The port in its container on which it speaks plain HTTP, unless somebody has changed it.
  public let port: UInt16?
  /// The port on which it speaks TLS.
  public let tlsPort: UInt16?
  public let settings: [Purpose: Setting]
  /// Seconds that a start may take where it takes long.
  public let startSeconds: Int?
  /// What its log says when it is ready.
  public let readySign: String?
  /// The path at which it says that it is well.
  public let healthPath: String?
  /// True if its pages need WebSockets.
  public let needsWebSockets: Bool

  public init(
    name: String, images: [String] = [], processes: [String] = [], units: [String] = [], port: UInt16? = nil,
    tlsPort: UInt16? = nil, settings: [Purpose: Setting] = [:], startSeconds: Int? = nil, readySign: String? = nil,
    healthPath: String? = nil, needsWebSockets: Bool = false
  ) {
    self.name = name
    self.images = images
    self.processes = processes
    self.units = units
    self.port = port
    self.tlsPort = tlsPort
    self.settings = settings
    self.startSeconds = startSeconds
    self.readySign = readySign
    self.healthPath = healthPath
    self.needsWebSockets = needsWebSockets
  }

  /// What a setting is for; the raw value is its key in the app's file.
  public enum Purpose: String, CaseIterable, Sendable {
    /// The address on which it listens.
    case listen
    /// The port on which it listens.
    case port = "port-setting"
    /// The path below which it lives.
    case basePath = "base-path"
    /// The proxies whose word it takes for who the visitor is.
    case trustedProxies = "trusted-proxies"
    /// How much it takes in one request.
    case upload
  }

  /// A setting of an app by its own name.
  public struct Setting: Sendable, Equatable {
    /// How it is given.
    public enum Way: String, CaseIterable, Sendable {
      /// An environment variable.
      case variable
      /// A word of its command line.
      case option
      /// A key of a file.
      case key
      /// A place in its web pages.
      case page
    }

    public let way: Way
    public let name: String
    /// What it has to be: of `listen` what lets everybody in, else a typical value.
    public let value: String?
    /// Of a key: its file, as the app sees it.
    public let file: String?
    public init(way: Way, name: String, value: String? = nil, file: String? = nil) {
      self.way = way
      self.name = name
      self.value = value
      self.file = file
    }
  }
}

/// The apps that are known, read when somebody first asks for one.
public struct Apps: Sendable {
  private let read: @Sendable () -> [App]

  public init(_ read: @escaping @Sendable () -> [App] = { [] }) { self.read = read }

  public var all: [App] { read() }

  /// The app of an image, given without registry and tag.
  public func app(ofImage image: String) -> App? { all.first { $0.images.contains(image) } }

  public func app(ofProcess name: String) -> App? { all.first { $0.processes.contains(name) } }

  /// Those that listen on that port unless somebody has changed it.
  public func usual(at port: UInt16) -> [App] { all.filter { $0.port == port || $0.tlsPort == port } }
}

extension Apps: Equatable {
  public static func == (one: Apps, other: Apps) -> Bool { one.all == other.all }
}
