import FoundationEssentials
import Glibc
import Model
import SQLite
import World

/// A machine with one proxy and one app, on which every look is answered: out of the input's parts, else as on a machine
/// whose app does not answer.
///
/// Parts: a file's path; `url`; `command`; `containers`, `container`, `app`, `networks`, `events`, `labels`, `archive`;
/// `log`, `app-log`; `answer`, `upstream`, and the path of an admin API's answer; `rows`; `show info`, `show stat`;
/// `listeners`, `processes`, `dns`, `lookup`, `addresses`, `exchange`, `filter`, `nft`, `space`.
struct InventedMachine: World {
  /// Where the proxy runs.
  enum Kind: Sendable { case host, container, stopped }

  let proxy: InventedProxy
  let kind: Kind
  let parts: Parts

  static let now = 1_800_000_000.0
  var now: Double { Self.now }
  func pause(_ seconds: Double) async {}
  private static let proxyID = String(repeating: "a", count: 64)
  private static let appID = String(repeating: "b", count: 64)
  private static let (proxyPID, appPID): (Int32, Int32) = (7, 42)

  var site: String {
    parts.line("url") ?? (proxy.port == 443 ? "https://shop.example.org/" : "http://shop.example.org/")
  }

  private var command: [String] {
    parts.text("command").map { $0.split(whereSeparator: \.isWhitespace).map(String.init) } ?? proxy.command
  }

  func see<L: Look>(_ look: L) async throws(Unseen) -> L.Sight {
    if let unseen = parts.line("unseen " + L.kind) { throw Self.unseen(unseen) }
    if let sight = sight(look) as? L.Sight { return sight }
    throw .missing(what: "\(look)")
  }

  private static func unseen(_ word: String) -> Unseen {
    switch word {
    case "permission": .notPermitted(what: "/x")
    case "answer": .noAnswer(seconds: 3)
    default: .unreadable(what: word, why: .said(word))
    }
  }

  private func sight(_ look: any Look) -> (any Sendable)? {
    switch look {
    case let look as FileRead: file(look)
    case let look as FileGlob: glob(look.pattern)
    case let look as DockerGet: engine(look.path)
    case let look as HTTPRequest: answer(look)
    case let look as CommandRun: run(look.command)
    case let look as StatsSocket: parts.text(look.question.rawValue) ?? Self.statistics[look.question.rawValue]
    case let look as SQLiteQuery: rows(look.sql)
    case let look as Listeners: listeners(look.place)
    case is Processes: processes
    case let look as TCPConnect:
      TCPConnect.Sight(
        outcome: .init(rawValue: parts.line("tcp") ?? "") ?? (look.port == 3000 ? .refused : .accepted), errno: 111,
        seconds: parts.line("seconds").flatMap { Double($0) } ?? 0.001)
    case is UnixConnect:
      UnixConnect.Sight(outcome: .init(rawValue: parts.line("socket") ?? "") ?? .refused, errno: 111, isAsUser: true)
    case is Exchange:
      Exchange.Sight(received: parts["exchange"] ?? Array("HTTP/1.1 400 Bad\r\n\r\n".utf8), end: .closed)
    case is DNSQuery:
      DNSQuery.Sight(
        answer: parts.line("dns-answer").flatMap { .init(rawValue: $0) } ?? .addresses,
        addresses: lines("dns") ?? ["172.20.0.9"])
    case is SystemLookup: lines("lookup") ?? ["203.0.113.5", "2001:db8::5"]
    case is OwnAddresses: lines("addresses") ?? ["127.0.0.1", "203.0.113.5", "2001:db8::5", "172.20.0.1"]
    case is FileSystem: space
    default: nil
    }
  }

  private func lines(_ part: String) -> [String]? {
    parts.text(part).map { $0.split(whereSeparator: \.isNewline).map(String.init) }
  }

  // MARK: Files

  private var files: [String: [UInt8]] {
    var files = proxy.files.merging(Self.system) { own, _ in own }
    for name in parts.names where name.hasPrefix("/") { files[name] = parts[name] }
    return files
  }

  private static let system = [
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "/etc/hosts": "127.0.0.1 localhost\n172.20.0.9 shop\n",
    "/etc/resolv.conf": "nameserver 127.0.0.11\noptions ndots:0\n",
    "/proc/meminfo": "MemTotal:  2000000 kB\nMemFree: 10 kB\nMemAvailable:  1000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
    "/proc/sys/fs/file-nr": "1000\t0\t9223372036854775807\n", "/sys/fs/cgroup/pids.current": "99\n",
    "/sys/fs/cgroup/pids.max": "100\n",
    "/proc/7/limits":
      "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 4096                 files     \n",
    "/proc/7/status": "Name:\tnginx\nPid:\t7\nUid:\t33\t33\t33\t33\nGid:\t33\t33\t33\t33\n",
    "/proc/7/mounts": "overlay / overlay rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/vda1 /var/log ext4 rw 0 0\n",
    "/proc/42/mounts": "overlay / overlay rw 0 0\n/dev/vda1 /data ext4 rw 0 0\n",
    "/proc/7/environ": "PATH=/usr/bin\0APACHE_LOG_DIR=/var/log/apache2\0",
  ].mapValues { Array($0.utf8) }

  private func file(_ look: FileRead) -> FileRead.Sight? {
    guard let bytes = files[look.path] else { return nil }
    let limit: Int? = look.limit
    return FileRead.Sight(
      bytes: Array(look.fromEnd ? bytes.suffix(limit ?? .max) : bytes.prefix(limit ?? .max)), size: bytes.count,
      modified: Self.now - 60)
  }

  private func glob(_ pattern: String) -> [String] {
    files.keys.filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }.sorted()
  }

  private func rows(_ sql: String) -> [[String: String]]? {
    if let bytes = parts["database"] { return try? Database(file: bytes).rows(sql) }
    guard let bytes = parts["rows " + (sql.split(separator: " ").last ?? "")] ?? parts["rows"] else { return nil }
    return try? JSONDecoder().decode([[String: String]].self, from: Data(bytes))
  }

  private var space: FileSystem.Sight {
    let numbers = (parts.text("space") ?? "").split(whereSeparator: \.isWhitespace).map { Int($0) ?? 0 }
    func number(_ index: Int) -> Int { numbers.indices.contains(index) ? numbers[index] : 0 }
    return .init(size: number(0), free: number(1), files: number(2), freeFiles: number(3))
  }

  // MARK: Processes and sockets

  private var processes: [ProcessSeen] {
    func seen(_ id: Int32, parent: Int32, name: String, command: [String], container: String?) -> ProcessSeen {
      ProcessSeen(
        id: id, parent: parent, name: name, command: command,
        started: parts.line("started").flatMap { Double($0) } ?? Self.now - 3600, sharesNetwork: kind == .host,
        container: container)
    }
    guard kind != .stopped else { return [] }
    let container = kind == .container ? Self.proxyID : nil
    return [
      seen(Self.proxyPID, parent: 1, name: proxy.process, command: command, container: container),
      seen(Self.proxyPID + 1, parent: Self.proxyPID, name: proxy.process, command: command, container: container),
    ]
  }

  /// Lines `ADDRESS PORT WAITING MOST ACCEPTED PID`.
  private func listeners(_ place: Place) -> [Listener] {
    if let lines = lines("listeners") {
      return lines.compactMap { line in
        let words = line.split(separator: " ")
        guard words.count > 1, let port = UInt16(words[1]) else { return nil }
        func number(_ index: Int) -> Int? { words.indices.contains(index) ? Int(words[index]) : nil }
        return Listener(
          address: String(words[0]), port: port, waiting: number(2) ?? 0, most: number(3), accepted: number(4) ?? 0,
          processes: [number(5).flatMap { Int32(exactly: $0) } ?? Self.proxyPID])
      }
    }
    let own = Listener(address: "0.0.0.0", port: proxy.port, waiting: 0, processes: [Self.proxyPID])
    return switch place {
    case .host: [own, Listener(address: "127.0.0.1", port: 8080, waiting: 5, most: 5, processes: [Self.appPID])]
    case .process(Self.proxyPID): [own]
    case .process: [Listener(address: "127.0.0.1", port: 8080, waiting: 0, processes: [Self.appPID])]
    }
  }

  private func run(_ command: CommandRun.Command) -> CommandRun.Sight? {
    switch command {
    case .packetFilter, .packetFilter6: .init(exitCode: 0, output: parts.text("filter") ?? "*filter\nCOMMIT\n")
    case .nftables: parts.text("nft").map { .init(exitCode: 0, output: $0) }
    }
  }

  private static let statistics = [
    "show info": "Version: 2.8.1\nMaxconn: 100\nCurrConns: 100\nUlimit-n: 1024\n",
    "show stat":
      "# pxname,svname,qcur,qmax,scur,smax,slim,status,check_status,check_code,last_chk\nshop,one,10,10,3,3,3,DOWN,L7STS,404,Not Found\nshop,BACKEND,10,10,3,3,3,DOWN,,,\n",
  ]

  // MARK: Answers

  /// A part is written as HTTP/1 has it; `failure NAME` in the place of the status is none.
  private func answer(_ look: HTTPRequest) -> HTTPRequest.Sight {
    let path = "/" + look.url.split(separator: "/", maxSplits: 2).dropFirst(2).joined().prefix { $0 != "?" }
    let isAdmin = ["/config/", "/api/rawdata", "/config_dump", "/clusters", "/server_info"].contains(path)
    if isAdmin, let body = parts[path == "/config/" ? "admin" : path] {
      return .init(status: 200, body: body)
    }
    if isAdmin { return .init(failure: .refused) }
    let isUpstream = look.place != .host || look.address.map { $0.hasPrefix("172.") } ?? false
    guard let text = parts[isUpstream ? "upstream" : "answer"] ?? (isUpstream ? nil : parts["answer"]) else {
      return isUpstream ? .init(failure: .refused) : Self.badGateway
    }
    return Self.parsed(text, failure: parts.line("failure"))
  }

  private static let badGateway = HTTPRequest.Sight(
    status: 502, headers: [.init(name: "Server", value: "nginx")],
    body: Array("<center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>".utf8),
    times: .init(connect: 0.001, firstByte: 60, total: 60), address: "203.0.113.5")

  private static func parsed(_ bytes: [UInt8], failure: String?) -> HTTPRequest.Sight {
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let end = lines.firstIndex { $0.isEmpty || $0 == "\r" } ?? lines.endIndex
    let words = (lines.first ?? "").split(separator: " ")
    let headers = lines.prefix(end).dropFirst().compactMap { line -> HTTPRequest.Header? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return .init(name: String(line[..<colon]), value: String(line[line.index(after: colon)...].drop { $0 == " " }))
    }
    var sight = HTTPRequest.Sight(
      status: words.count > 1 ? Int(words[1]) : nil, headers: headers,
      body: Array(lines.dropFirst(end + 1).joined(separator: "\n").utf8), address: "203.0.113.5")
    let seconds = headers.first { $0.name == "X-Seconds" }.flatMap { Double($0.value) } ?? 0.01
    sight.times = .init(name: seconds, connect: seconds, tls: seconds, firstByte: seconds, total: seconds)
    let size = headers.first { $0.name == "X-Size" }.flatMap { Int($0.value) } ?? 500
    sight.headerSize = .init(bytes: size, longest: size, lines: headers.count)
    if let failure {
      (sight.status, sight.failure) = (nil, Self.failure(failure))
      sight.certificate = .init(
        subject: failure, issuer: failure, names: [failure, "*.example.org"], expires: failure, problem: failure)
    }
    return sight
  }

  private static func failure(_ text: String) -> HTTPRequest.Failure {
    let plain: [String: HTTPRequest.Failure] = [
      "name": .name, "refused": .refused, "unreachable": .unreachable, "connectTimeout": .connectTimeout,
      "tlsTimeout": .tlsTimeout, "answerTimeout": .answerTimeout, "bodyTimeout": .bodyTimeout, "closed": .closed,
      "reset": .reset, "notHTTP": .notHTTP, "headerTooLarge": .headerTooLarge,
    ]
    if let failure = plain[text] { return failure }
    return switch text.fingerprintOfText % 4 {
    case 0: .notTLS(text)
    case 1: .handshake(text)
    case 2: .untrusted(text)
    default: .other(text)
    }
  }

  // MARK: The engine

  private func engine(_ path: String) -> DockerGet.Sight? {
    func answer(_ body: [UInt8], status: Int = 200) -> DockerGet.Sight {
      .init(status: status, body: body, version: "1.41", engine: "Docker")
    }
    let log = { (part: String) in answer(parts[part].map(Self.framed) ?? []) }
    let base = path.prefix { $0 != "?" }
    return switch base {
    case "/containers/json": answer(parts["containers"] ?? Array(containers.utf8))
    case "/networks": answer(parts["networks"] ?? Array(Self.networks.utf8))
    case "/events": answer(parts["events"] ?? Array(events.utf8))
    case _ where base.hasSuffix("/archive"):
      answer(parts["archive"] ?? Array("{}".utf8), status: parts["archive"] == nil ? 404 : 200)
    case "/containers/\(Self.proxyID)/logs": log("log")
    case "/containers/\(Self.proxyID)/json": answer(parts["container"] ?? Array(container.utf8))
    case _ where base.hasSuffix("/logs"): log("app-log")
    case _ where base.hasPrefix("/containers/"): answer(parts["app"] ?? Array(Self.app.utf8))
    default: answer([], status: 404)
    }
  }

  /// A log as the engine frames it, a time before each line; what begins like a frame already stays.
  private static func framed(_ bytes: [UInt8]) -> [UInt8] {
    guard let first = bytes.first, first > 2 else { return bytes }
    return bytes.split(separator: 0x0A).flatMap { line in
      let line = Array("2027-01-15T08:00:00.734612287Z ".utf8) + line
      let count = UInt32(line.count + 1)
      return [2, 0, 0, 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + line + [0x0A]
    }
  }

  private var container: String {
    """
    {"Id": "\(Self.proxyID)", "Name": "/edge", "Path": \(command.first?.json ?? "\"\""),
     "Args": [\(command.dropFirst().map(\.json).joined(separator: ", "))], "RestartCount": 3,
     "State": {"Status": "\(kind == .stopped ? "exited" : "running")", "Pid": \(kind == .stopped ? 0 : Self.proxyPID),
       "ExitCode": 1, "StartedAt": "2027-01-15T07:21:37.734612287Z", "FinishedAt": "2027-01-15T07:20:37Z"},
     "HostConfig": {"NetworkMode": "web", "PortBindings": {"\(proxy.port)/tcp": [{"HostIp": "", "HostPort": "\(proxy.port)"}]}},
     "Config": {"Image": "\(proxy.image):latest", "Hostname": "edge", "Env": ["PATH=/usr/bin"],
       "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "edge",
         "com.docker.compose.project.config_files": "/srv/compose.yaml",
         "com.docker.compose.project.working_dir": "/srv"}},
     "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.2", "Gateway": "172.20.0.1"}}},
     "Mounts": [{"Source": "/srv/conf", "Destination": "\(proxy.main)", "RW": true}]}
    """
  }

  private static let app = """
    {"Id": "\(appID)", "Name": "/shop", "Path": "node", "Args": ["server.js"], "RestartCount": 3,
     "State": {"Status": "running", "Pid": \(appPID), "ExitCode": 137, "OOMKilled": true, "Error": "",
       "StartedAt": "2027-01-15T07:59:37.734612287Z", "FinishedAt": "2027-01-15T07:58:37Z",
       "Health": {"Status": "unhealthy", "Log": [{"ExitCode": 7, "Output": "curl: (7) Failed to connect"}]}},
     "HostConfig": {"NetworkMode": "web", "Memory": 268435456, "PortBindings": {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}]}},
     "Config": {"Image": "shop:1", "Hostname": "bbbbbbbbbbbb", "Env": ["PORT=8080"],
       "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "shop",
         "com.docker.compose.project.config_files": "/srv/compose.yaml", "com.docker.compose.project.working_dir": "/srv"}},
     "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.9", "Gateway": "172.20.0.1", "Aliases": ["shop"]}}}}
    """

  /// The engine's list; `labels` are the app's, a line `NAME=VALUE` or `NAME: VALUE` each.
  private var containers: String {
    let labels = (lines("labels") ?? []).compactMap { line -> String? in
      guard let sign = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return nil }
      return "\(line[..<sign].drop { $0 == " " }.json): \(line[line.index(after: sign)...].drop { $0 == " " }.json)"
    }
    let compose = #""com.docker.compose.project": "shop", "com.docker.compose.service""#
    let edge = """
      {"Id": "\(Self.proxyID)", "Names": ["/edge"], "Image": "\(proxy.image):latest",
       "State": "\(kind == .stopped ? "exited" : "running")", "Status": "Up 5 minutes", "Labels": {\(compose): "edge"},
       "Ports": [{"IP": "0.0.0.0", "PrivatePort": \(proxy.port), "PublicPort": \(proxy.port), "Type": "tcp"}],
       "HostConfig": {"NetworkMode": "web"},
       "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.2"}}}},
      """
    return "[" + (kind == .host ? "" : edge) + """
      {"Id": "\(Self.appID)", "Names": ["/shop"], "Image": "shop:1", "State": "running",
       "Status": "Up 5 minutes (unhealthy)", "Labels": {\((["\(compose): \"shop\""] + labels).joined(separator: ", "))},
       "Ports": [{"PrivatePort": 3000, "Type": "tcp"}], "HostConfig": {"NetworkMode": "web"},
       "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.9"}}}}]
      """
  }

  private static let networks = """
    [{"Id": "n1", "Name": "web", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16", "Gateway": "172.20.0.1"}]}},
     {"Id": "n2", "Name": "bridge", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]}}]
    """

  private var events: String {
    """
    {"Action": "oom", "Actor": {"Attributes": {"name": "shop"}}, "time": \(Int(Self.now) - 30)}
    {"Action": "die", "Actor": {"Attributes": {"name": "shop", "exitCode": "137"}}, "time": \(Int(Self.now) - 30)}
    {"Action": "start", "Actor": {"Attributes": {"name": "shop", "com.docker.compose.service": "shop"}}, "time": \(Int(Self.now) - 20)}
    """
  }

  /// What one that runs answers, to start from: parts for seeds.
  static let seeds: [(part: String, text: String)] = [
    ("app", app), ("networks", networks),
    ("containers", InventedMachine(proxy: .nginx, kind: .container, parts: Parts([], main: "")).containers),
    ("container", InventedMachine(proxy: .nginx, kind: .container, parts: Parts([], main: "")).container),
    ("events", InventedMachine(proxy: .nginx, kind: .container, parts: Parts([], main: "")).events),
  ]
}

extension StringProtocol {
  /// As JSON has it, quotes included.
  var json: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\" + String(scalar)
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  fileprivate var fingerprintOfText: UInt64 { utf8.fingerprint }
}
