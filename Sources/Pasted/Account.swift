import Model
import World

/// What the output of commands tells of a machine: only what was printed, and where that is all there is.
struct Account: Sendable {
  /// Seconds since 1970.
  var now: Double?
  var isRoot: Bool?
  var ownAddresses: [String]?
  /// `Docker` or `Podman`.
  var engine = "Docker"
  /// Why the engine told nothing.
  var engineProblem: Unseen?
  /// In full, as `inspect` prints them.
  var containers: [JSON] = []
  /// As the list of containers prints them.
  var listed: [JSON] = []
  /// True if a list of all of them was printed.
  var isListed = false
  var networks: [JSON]?
  /// By the name or the id that the command names.
  var logs: [String: String] = [:]
  var files: [Place: [String: File]] = [:]
  /// Folders of which every file that sets up a proxy was printed.
  var folders: [Place: Set<String>] = [:]
  var listeners: [Place: [Listener]] = [:]
  /// Unix sockets at which somebody listens, as the machine names them; nil: they were not printed.
  var unixListeners: Set<String>?
  var answers: [Question: HTTPRequest.Sight] = [:]
  /// Names as the place's own system sees them; none: it has no address.
  var names: [Place: [String: [String]]] = [:]
  var packetFilters: [CommandRun.Command: String] = [:]
  var processes: [Int32: Process] = [:]
  /// What says nothing that is known: the number of a line in the paste, and the line.
  var unread: [(number: Int, line: String)] = []
  /// What was read of outputs of which a part is missing, each by itself.
  private(set) var cut: [Account] = []

  /// A file's text, when it was changed, or where a link leads.
  struct File: Sendable {
    var text: String?
    var modified: Double = 0
    var link: String?
    /// Why it was not printed.
    var problem: Unseen?
  }

  /// Who was asked, from where.
  struct Question: Hashable, Sendable {
    var place: Place
    /// As it was typed: `http://172.18.0.2:8080/path`.
    var url: String
    /// Besides `Host`.
    var headers: [String] = []
  }

  struct Process: Sendable {
    var parent: Int32 = 0
    var name = ""
    var command: [String] = []
    var program: String?
    var owner: String?
    /// In ticks after the machine's start.
    var started: Double?
    var container: String?
    var network: String?
  }

  /// True if it tells of a machine's own state: what this machine has is then not that one's.
  var isOfMachine: Bool {
    !containers.isEmpty || !listed.isEmpty || !listeners.isEmpty || !processes.isEmpty || !files.isEmpty
      || networks != nil || isListed
  }

  init(_ text: String) {
    for passage in Transcript(text).passages { read(passage) }
  }

  private init() {}

  private mutating func read(_ passage: Passage) {
    guard let reader = Account.readers.first(where: { $0.claims(passage) }) else { return }
    let known = unread.count
    reader.read(passage, &self)
    if unread.count > known || passage.isCut {
      var part = Account()
      reader.read(passage, &part)
      cut.append(part)
    }
  }
}

/// How one kind of output is known, and what it tells.
struct OutputReader: Sendable {
  let claims: @Sendable (Passage) -> Bool
  let read: @Sendable (Passage, inout Account) -> Void
}

extension Account {
  static let readers: [OutputReader] =
    engineReaders + fileReaders + socketReaders + requestReaders + systemReaders
}

// MARK: What belongs together

extension Account {
  /// True if those in full are all that there are.
  var hasEveryContainer: Bool { isListed && onlyListed.isEmpty }

  /// Those of which nothing but their line in the list is known.
  var onlyListed: [JSON] { listed.filter { row in row["Id"]?.text.map { container($0) == nil } == true } }

  /// A container in full by its id, the start of it, or its name.
  func container(_ name: String) -> JSON? {
    containers.first { container in
      container["Id"]?.text?.hasPrefix(name) == true && name.count >= 12 || container.containerName == name
    }
  }

  /// The running container whose first process this is, or, for the host, none.
  func container(at place: Place) -> JSON? {
    guard case .process(let id) = place else { return nil }
    return containers.first { $0.pid == id } ?? processes[id]?.container.flatMap { container($0) }
  }

  /// The machine itself, for a process that is in no container.
  func home(_ place: Place) -> Place {
    guard case .process(let id) = place, let process = processes[id], process.container == nil else { return place }
    return container(at: place) == nil ? .host : place
  }

  /// The place in which a container's processes are.
  func place(of container: String) -> Place? { self.container(container)?.pid.map { .process($0) } }
}

extension JSON {
  /// Of a container in full: its first process; nil while it does not run.
  var pid: Int32? { self["State"]?["Pid"]?.number.flatMap { $0 > 0 ? Int32(exactly: $0) : nil } }
  /// Of a container in full: its name, which the engine writes behind a slash.
  var containerName: String? { self["Name"]?.text.map { String($0.drop { $0 == "/" }) } }
  var networkMode: String { self["HostConfig"]?["NetworkMode"]?.text ?? "" }
  var endpoints: [String: JSON] { self["NetworkSettings"]?["Networks"]?.members ?? [:] }
  var addresses: [String] { endpoints.values.flatMap(\.endpointAddresses) }
  /// Of a container's end at one network.
  var endpointAddresses: [String] {
    [self["IPAddress"]?.text, self["GlobalIPv6Address"]?.text].compactMap { $0 }.filter { !$0.isEmpty }
  }
}
