import Model
import World

/// What the output of commands tells of a machine: only what was printed, and where that is all there is.
struct Account: Sendable {
  /// Seconds since 1970.
  var now: Double
  /// By what log lines are known.
  let signs: Signs
  var isRoot: Bool?
  var ownAddresses: [String]?
  /// `Docker` or `Podman`.
  var engine = "Docker"
  /// Why the engine told nothing.
  var engineProblem: Unseen?
  /// In full, as `inspect` prints them.
  var containers: [JSON] = []
  /// Of which not the paste tells, but the machine itself, so that it is known what the paste names.
  private let neighbours: [JSON]
  /// As the engine's own list has them. Of one whose id was not printed its name stands for it.
  var listed: [[String: JSON]] = []
  /// True if a list of all of them was printed.
  var isListed = false
  var networks: [JSON]?
  var images: [JSON] = []
  /// Of Docker's Swarm, as its API has them; nil: they were not printed.
  var swarm: DockerGet.Sight?
  /// Lines of `docker events`, by what was asked for.
  var events: [Events: [String]] = [:]
  /// What Compose's files say of their services, the newest last.
  var compose: [ComposeFile] = []
  /// By the name or the id that the command names.
  var logs: [String: String] = [:]
  /// Lines of logs of which nobody says where they stand, by the kind that writes such lines.
  var bareLines: [String: [String]] = [:]
  var files: [Place: [String: File]] = [:]
  /// Folders of which every file that sets up a proxy was printed.
  var folders: [Place: Set<String>] = [:]
  /// Owner and permissions, as `ls -ld` prints them.
  var owners: [String: Owner] = [:]
  /// Whether `namei -l` shows that only root can change what a path leads to.
  var isOnlyRoots: [String: Bool] = [:]
  /// What a pattern was seen to match.
  var matches: [Place: [String: [String]]] = [:]
  /// Folders out of containers.
  var copies: [FolderCopy] = []
  /// Rows of databases by the query that brought them.
  var rows: [Place: [Rows: [[String: String]]]] = [:]
  /// By where they are mounted, and by the path that was asked for.
  var fileSystems: [Place: [String: FileSystem.Sight]] = [:]
  var listeners: [Place: [Listener]] = [:]
  /// Unix sockets at which somebody listens, as the machine names them; nil: they were not printed.
  var unixListeners: Set<String>?
  /// What came of a connection to a Unix socket.
  var sockets: [Place: [Socket: UnixConnect.Sight.Outcome]] = [:]
  var answers: [Question: HTTPRequest.Sight] = [:]
  /// What a proxy tells of itself, by the path at which it was asked: `/api/rawdata`.
  var told: [String: [UInt8]] = [:]
  /// What HAProxy tells of itself.
  var statistics: [StatsSocket.Question: String] = [:]
  var connections: [Connection: TCPConnect.Sight.Outcome] = [:]
  /// What came back for bytes that were sent.
  var exchanges: [Connection: [[UInt8]: [UInt8]]] = [:]
  /// What servers show in the handshake.
  var certificates: [Connection: Handshake] = [:]
  /// Names as the place's own system sees them; none: it has no address.
  var names: [Place: [String: [String]]] = [:]
  /// Names without an address, by what was said instead of one.
  var unanswered: [Place: [String: DNSQuery.Sight.Answer]] = [:]
  var packetFilters: [Place: [CommandRun.Command: String]] = [:]
  var processes: [Int32: Process] = [:]
  /// Names of which every process was printed.
  var processesOf: Set<String>?
  /// Services of the machine, true for those that run.
  var services: [String: Bool] = [:]
  /// What says nothing that is known: the number of a line in the paste, and the line.
  var unread: [(number: Int, line: String)] = []
  /// What was read of outputs of which a part is missing, each by itself.
  private(set) var cut: [Account] = []

  /// A file's text, when it was changed, or where a link leads.
  struct File: Sendable {
    var text: String?
    /// Nil: it was not printed.
    var modified: Double?
    var link: String?
    /// Why it was not printed.
    var problem: Unseen?
  }

  /// Who was asked, from where.
  struct Question: Hashable, Sendable {
    var place: Place
    /// As it was typed: `http://172.18.0.2:8080/path`. Of whom curl was told to ask in the name's place, with `host`: the same
    /// as if it had been typed so.
    var url: String
    /// Besides `Host`.
    var headers: [String] = []
    /// Whom curl was told to ask in the name's place; nil: whoever has the name.
    var address: String?
    /// The only name for which it counts.
    var host: String?
    /// The Unix socket that was asked in the address's place.
    var socket: String?
    /// HTTP/2, and nothing else, or 1.0.
    var version = HTTPRequest.Version.one

    /// The same for what was typed and for how it was understood.
    var asked: String { "\(place) \(url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }) \(headers) \(version)" }
  }

  struct Socket: Hashable, Sendable {
    var path: String
    /// The process with whose rights it was tried.
    var user: Int32?
  }

  struct Events: Hashable, Sendable {
    var kinds: Set<String>
    /// As the command names it; nil: of all.
    var container: String?
  }

  struct Connection: Hashable, Sendable {
    var place: Place
    var address: String
    var port: UInt16
  }

  struct Rows: Hashable, Sendable {
    var path: String
    /// In lower case, without a semicolon.
    var sql: String
  }

  struct Owner: Sendable {
    var isRoot: Bool
    /// Nobody but its owner may write to it.
    var isClosed: Bool
    var isLink: Bool
  }

  struct Process: Sendable {
    var parent: Int32 = 0
    var name = ""
    var command: [String] = []
    var program: String?
    var owner: String?
    /// In ticks after the machine's start.
    var started: Double?
    /// Its id, or what the paste calls it by.
    var container: String?
    var network: String?
  }

  /// True if it tells of a machine's own state: what this machine has is then not that one's.
  var isOfMachine: Bool {
    !containers.isEmpty || !listed.isEmpty || !listeners.isEmpty || !processes.isEmpty || !files.isEmpty
      || networks != nil || isListed
  }

  /// - Parameter neighbours: Containers in full of which the machine itself has told.
  init(_ text: String, now: Double, _ signs: Signs, beside neighbours: [JSON] = []) {
    (self.now, self.signs, self.neighbours) = (now, signs, neighbours)
    var rest: [Passage] = []
    for whole in Transcript(text).passages {
      let passage = whole.command == nil ? whole.newest(Limits.pastedLines) : whole
      for index in whole.lines.indices.prefix(whole.lines.count - passage.lines.count) { addUnread(index, of: whole) }
      let file = passage.lines.contains { $0.trimmed == "services:" } ? ComposeFile(passage.text) : nil
      if let file { compose.append(file) }
      // One that is a file of its own is that as well.
      if file != nil, !passage.isOf("cat") { continue }
      if read(passage, by: Account.engineReaders) == false { rest.append(passage) }
    }
    settle()
    // What was looked at in a container is read when it is known which one that is.
    var unclaimed: [Passage] = []
    for passage in rest where read(passage, by: Account.readers) == false { unclaimed.append(passage) }
    let bare = unclaimed.isEmpty ? nil : BareLines(signs)
    var over = unclaimed.reduce(-Limits.bareLines) { $0 + $1.lines.count }
    for passage in unclaimed {
      readBare(passage, bare, from: min(max(over, 0), passage.lines.count))
      over -= passage.lines.count
    }
    completeConfigurations()
    unread.sort { $0.number < $1.number }
  }

  private init(now: Double, _ signs: Signs, beside neighbours: [JSON]) {
    (self.now, self.signs, self.neighbours) = (now, signs, neighbours)
  }

  /// The containers in which commands of a paste were run.
  static func containers(in text: String) -> Set<String> {
    Set(Transcript(text).passages.compactMap { $0.command?.container })
  }

  /// False if it is nothing that one of the readers knows.
  private mutating func read(_ passage: Passage, by readers: [OutputReader]) -> Bool {
    // A terminal may have cut its lines: then more is read of it if they are joined.
    let ways = [passage, passage.rejoined].compactMap(\.self).compactMap { way in
      readers.first { $0.claims(way) }.map { (passage: way, reader: $0) }
    }
    guard var (taken, reader) = ways.first else { return false }
    let known = unread.count
    if ways.count > 1 {
      let readings = ways.map { way in
        var account = self
        way.reader.read(way.passage, &account)
        return account
      }
      let isJoined = readings[1].unread.count < readings[0].unread.count
      self = readings[isJoined ? 1 : 0]
      (taken, reader) = ways[isJoined ? 1 : 0]
    } else {
      reader.read(taken, &self)
    }
    if unread.count > known || taken.isCut {
      var part = Account(now: now, signs, beside: neighbours)
      reader.read(taken, &part)
      cut.append(part)
    }
    return true
  }

  mutating func addUnread(_ index: Int, of passage: Passage) {
    guard passage.lines.indices.contains(index), !passage.lines[index].allSatisfy(\.isWhitespace) else { return }
    unread.append((passage.numbers[index], passage.lines[index]))
  }
}

/// How one kind of output is known, and what it tells.
struct OutputReader: Sendable {
  let claims: @Sendable (Passage) -> Bool
  let read: @Sendable (Passage, inout Account) -> Void
}

extension Account {
  static let readers: [OutputReader] =
    copyReaders + fileReaders + databaseReaders + socketReaders + requestReaders + handshakeReaders + systemReaders
    + logReaders
    + firewallReaders + configurationReaders
}

// MARK: What belongs together

extension Account {
  /// True if those in full are all that there are.
  var hasEveryContainer: Bool { isListed && onlyListed.isEmpty }

  /// Those of which nothing but their line in the list is known.
  var onlyListed: [[String: JSON]] { listed.filter { row in row["Id"]?.text.map { container($0) == nil } == true } }

  /// A container in full by its id, the start of it, or its name.
  func container(_ name: String) -> JSON? {
    (containers + neighbours).first { container in
      container["Id"]?.text?.hasPrefix(name) == true && name.count >= 12 || container.containerName == name
        || container["Id"]?.text == name
    }
  }

  /// The running container whose first process this is, or, for the host, none.
  func container(at place: Place) -> JSON? {
    guard case .process(let id) = place else { return nil }
    return (containers + neighbours).first { $0.pid == id } ?? processes[id]?.container.flatMap { container($0) }
  }

  /// The machine itself, for a process that is in no container; for one that is, the place of that one's first process.
  func home(_ place: Place) -> Place {
    guard case .process(let id) = place, let process = processes[id], !hasShown(place) else { return place }
    guard let container = container(at: place) else { return process.container == nil ? .host : place }
    return container.pid.map { .process($0) } ?? place
  }

  /// Whether commands were run in that very place.
  private func hasShown(_ place: Place) -> Bool {
    let shown: [Bool] = [
      listeners[place] != nil, files[place] != nil, matches[place] != nil, rows[place] != nil,
      fileSystems[place] != nil, packetFilters[place] != nil, names[place] != nil, unanswered[place] != nil,
    ]
    return shown.contains(true)
  }

  /// The place in which a container's processes are; of a service of Compose's the first of its containers.
  func place(of container: String) -> Place? {
    let known =
      self.container(container)
      ?? (containers + neighbours).first { $0.label("com.docker.compose.service") == container }
    return known?.pid.map { .process($0) }
  }

  /// Where a command was run; nil if that is a container of which nothing more is known.
  func place(of passage: Passage) -> Place? {
    if let process = passage.command?.process { return process == 1 ? .host : .process(process) }
    guard let container = passage.command?.container else { return .host }
    return place(of: container)
  }
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
  func label(_ name: String) -> String? { (self["Config"]?["Labels"] ?? self["Labels"])?[name]?.text }
}
