import Foundation
import Glibc
import Model
import Routes
import Testing
import World

@testable import Discovery

private let main = "/etc/lighttpd/lighttpd.conf"

private func world(_ text: String, _ files: [String: String] = [:], command: [String] = ["-D", "-f", main])
  -> MemoryWorld
{
  MemoryWorld(
    command: ["/usr/sbin/lighttpd"] + command,
    files: files.merging([main: text, "/etc/passwd": ""]) { first, _ in first })
}

private func proxy(_ world: MemoryWorld) async throws -> RunningProxy {
  let place = ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true)
  return try await RunningProxy(kind: "lighttpd", place: place, in: world, Signs())
}

private func configuration(_ text: String, _ files: [String: String] = [:]) async throws -> Lighttpd.Configuration {
  try await Lighttpd.Configuration.load(main, proxy(world(text, files)))
}

private func read(_ url: String, _ world: MemoryWorld, port: UInt16 = 80) async throws -> (
  outcome: Reading.Outcome, facts: Facts
) {
  let place = ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true)
  let site = try #require(Site(url))
  let request = RouteReading.Request(site: site, port: port)
  let reading = try await RouteReading.read(request, kind: "lighttpd", at: place, in: world, Signs())
  return (reading.outcome, reading.facts)
}

/// Where a request ends: `PORT PATH HOST`, `answered`, `missing`, `undecided`, `lacks MODULE`.
private func end(_ url: String, in configuration: Lighttpd.Configuration, port: UInt16 = 80) throws -> String {
  let site = try #require(Site(url))
  switch configuration.answer(to: site, port: port) {
  case .passed(let route):
    let host = route.sentHost ?? (site.port == 80 ? site.host : "\(site.host):\(site.port)")
    switch route.servers.first?.address {
    case .network(_, let port)?: return "\(port) \(route.target) \(host)"
    case .socket(let path)?: return "\(path) \(route.target) \(host)"
    default: return "unknown"
    }
  case .answered: return "answered"
  case .missing: return "missing"
  case .undecided: return "undecided"
  case .lacksModule(let gateway, _): return "lacks \(gateway.module)"
  }
}

@Suite struct LighttpdGrammarTests {
  @Test(arguments: [
    (#"x = "a\"b\n" + 5"#, #"a"b\n5"#), ("x = 5 + 6", "11"), (#"x = 5 + "a""#, "5a"), ("x := 1\nx := 2", "2"),
    ("y = \"a\"\nx = y + var.y", "aa"), ("x = \"a\" # b\nx += \"c\"", "ac"), ("x = \"a#b\"", "a#b"),
    ("x\n=\n\"a\"", "a"), ("x = ,\"a\"", "a"),
  ])
  func valuesAreWhatTheyAreToLighttpd(text: String, value: String) async throws {
    let configuration = try await configuration(text)
    #expect(configuration.mistake == nil)
    #expect(configuration.global("var.x")?.text == value)
  }

  @Test func listsGrow() async throws {
    let configuration = try await configuration(
      "server.modules = ( \"a\", (1,2), \"k\" => \"v\", )\nserver.modules += ( \"b\" )")
    let elements = try #require(configuration.global("server.modules")).elements
    #expect(elements.map(\.name) == [nil, nil, "k", nil])
    #expect(elements.map(\.value.text) == ["a", nil, "v", "b"])
  }

  @Test(arguments: [
    ("x = \"a", 1, "missing closing quote"), ("x = (1,\n2", 1, "a closing parenthesis ) is missing"),
    ("\n$HTTP[\"host\"] == \"a\" {\nx = 1\n", 2, "a closing brace } is missing"),
    ("a = b", 1, "Undefined config variable: var.b"), ("a = 1\n\na = 2", 3, "Duplicate config variable: var.a"),
    ("include \"none.conf\"", 1, "include file not found: /etc/lighttpd/none.conf"),
    ("$HTTP[\"hots\"] == \"x\" { }", 1, "there is no condition $HTTP[\"hots\"]"),
    ("a = (\"x\" => 1,\n\"x\" => 2)", 2, "duplicate array-key: x"), ("a = )", 1, "close-parens seen open-parens"),
    ("a = (1) + 2", 1, "data type mismatch, cannot merge"),
    ("$HTTP[\"host\"] = \"x\" { }", 1, "only == =~ =^ =$ are allowed in the condition"),
  ])
  func aMistakeHasItsLine(text: String, line: Int, message: String) async throws {
    let mistake = try #require(try await configuration(text).mistake)
    #expect(mistake.message == message)
    #expect(mistake.line == line)
  }

  @Test func aFileInItselfIsTooMuch() async throws {
    await #expect(throws: Unseen.self) { _ = try await configuration("include \"lighttpd.conf\"") }
  }

  @Test func deepListsAndBlocksAreTooMuch() async throws {
    for text in [
      "x = " + String(repeating: "(", count: 100_000), String(repeating: "$HTTP[\"url\"] == \"a\" {\n", count: 10_000),
    ] {
      await #expect(throws: Unseen.self) { _ = try await configuration(text) }
    }
  }

  @Test func doublingAListIsTooMuch() async throws {
    let text = "x = (1)\n" + (0..<40).map { "v\($0) = (x, x)\nx := v\($0)\n" }.joined()
    await #expect(throws: Unseen.self) { _ = try await configuration(text) }
  }
}

@Suite struct LighttpdReadingTests {
  private let shop = """
    server.modules = ( "mod_proxy" )
    server.errorlog = "/var/log/lighttpd/error.log"
    $HTTP["host"] == "shop.example.org" {
        proxy.server = ( "" => (
            ( "host" => "127.0.0.1", "port" => 3000, "read-timeout" => 30 ),
            ( "host" => "127.0.0.1", "port" => 3001 ) ) )
        proxy.header = ( "map-urlpath" => ( "/app/" => "/" ) )
    }
    """

  @Test func aRouteWithItsPlaces() async throws {
    let (outcome, facts) = try await read("http://shop.example.org/app/x", world(shop))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://127.0.0.1:3000")
    #expect(facts[.routeServers] == "127.0.0.1:3000, 127.0.0.1:3001")
    #expect(facts[.routeDefinedIn] == "\(main):5")
    #expect(facts[.upstreamPath] == "/x")
    #expect(facts[.routeReadTimeout] == "30")
    #expect(facts[.routeConnectTimeout] == "8")
    #expect(facts[.routeLog] == "/var/log/lighttpd/error.log")
    for (name, value, number) in [("port", "3000", "5"), ("host", "127.0.0.1", "5")] {
      let part = { (part: String) in facts[FactName("\(name)-line.\(part)")] ?? "" }
      #expect(part("number") == number)
      #expect(part("head") + value + part("tail") == part("text"))
    }
  }

  @Test func theServerThatIsAskedForIsTheOneThatIsRead() async throws {
    let place = ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true)
    let request = RouteReading.Request(
      site: try #require(Site("http://shop.example.org/")), port: 80, server: "127.0.0.1:3001")
    let facts = try await RouteReading.read(request, kind: "lighttpd", at: place, in: world(shop), Signs()).facts
    #expect(facts[.upstreamPort] == "3001")
    #expect(facts["port-line.number"] == "6")
  }

  @Test(arguments: [("scgi.protocol = \"uwsgi\"", "uwsgi"), ("", "scgi")])
  func scgiSpeaksUwsgiWhereItIsTold(setting: String, speaks: String) async throws {
    let text = """
      server.modules = ( "mod_scgi" )
      \(setting)
      $HTTP["host"] == "shop.example.org" {
          scgi.server = ( "/" => ( ( "host" => "127.0.0.1", "port" => 4000, "check-local" => "disable" ) ) )
      }
      """
    let (outcome, facts) = try await read("http://shop.example.org/x", world(text))
    #expect(outcome == .found)
    #expect(facts[.routeProtocol] == speaks)
    #expect(facts[.routeUpstream] == "\(speaks)://127.0.0.1:4000")
  }

  @Test func aVariableIsPatchedWhereItStands() async throws {
    let text =
      "server.modules = ( \"mod_proxy\" )\nport = 3000\nproxy.server = ( \"\" => (( \"host\" => \"a\", \"port\" => port )))"
    let facts = try await read("http://shop.example.org/", world(text)).facts
    #expect(facts["port-line.number"] == "2")
    #expect(facts["port-line.head"] == "port = ")
  }

  @Test func aNearNameIsNamedAndOtherNamesAreMissing() async throws {
    let (outcome, facts) = try await read("http://shpo.example.org/", world(shop))
    #expect(outcome == .missing)
    #expect(facts[.routeNear] == "shop.example.org")
    #expect(facts["name-line.number"] == "3")
    // Visitors' names have small letters only.
    let capital = shop.replacing("shop.example", with: "Shop.example")
    #expect(try await read("http://shop.example.org/", world(capital)).facts[.routeNear] == "Shop.example.org")
  }

  @Test func aRouteWithoutItsModule() async throws {
    for (modules, fixed) in [
      ("( \"mod_access\" )", "( \"mod_access\" , \"mod_proxy\")"),
      ("( \"mod_access\", )", "( \"mod_access\", \"mod_proxy\")"),
      ("()", "(\"mod_proxy\")"),
    ] {
      let text = shop.replacing("( \"mod_proxy\" )", with: modules)
      let (outcome, facts) = try await read("http://shop.example.org/", world(text))
      #expect(outcome == .misconfigured)
      #expect(facts[.routeProblem] == "proxy.server is set, and mod_proxy is not among server.modules")
      #expect(facts["problem-line.fixed"] == "server.modules = \(fixed)")
    }
  }

  @Test func socketsOfAppsThatLighttpdStartsAreNumbered() async throws {
    for (more, socket) in [("", "/run/php.sock"), (", \"bin-path\" => \"/usr/bin/php-cgi\"", "/run/php.sock-0")] {
      let text =
        "server.modules = ( \"mod_fastcgi\" )\nfastcgi.server = ( \".php\" => (( \"socket\" => \"/run/php.sock\"\(more) )))"
      let (outcome, facts) = try await read("http://shop.example.org/a.php", world(text))
      #expect(outcome == .found)
      #expect(facts[.upstreamSocket] == socket)
      #expect(facts[.routeProtocol] == "fastcgi")
    }
  }

  @Test func whatACommandPrintsIsUnread() async throws {
    let text = "server.modules = ( \"mod_proxy\" )\ninclude_shell \"/usr/local/bin/routes\"\n"
    await #expect(throws: Unseen.self) { try await read("http://shop.example.org/", world(text)) }
    let (outcome, facts) = try await read(
      "http://shop.example.org/", world(text + shop.replacing("server.modules =", with: "server.modules +=")))
    #expect(outcome == .found)
    #expect(facts[.configUnread] == "\(main):2")
  }

  @Test func debiansOwnScriptsAreKnown() async throws {
    let text = """
      server.port = 80
      server.modules = ( "mod_access" )
      include_shell "/usr/share/lighttpd/use-ipv6.pl " + server.port
      include_shell "/usr/share/lighttpd/create-mime.conf.pl"
      include "/etc/lighttpd/conf-enabled/*.conf"
      """
    let enabled = [
      "/etc/lighttpd/conf-enabled/10-proxy.conf": "server.modules += ( \"mod_proxy\" )",
      "/etc/lighttpd/conf-enabled/20-shop.conf":
        "$HTTP[\"host\"] == \"shop.example.org\" { proxy.server = ( \"\" => (( \"host\" => \"10.0.0.5\", \"port\" => 3000 ))) }",
    ]
    let (outcome, facts) = try await read("http://shop.example.org/", world(text, enabled))
    #expect(outcome == .found)
    #expect(facts[.configUnread] == nil)
    #expect(facts[.configDirectory] == "/etc/lighttpd/conf-enabled")
    let listed = try await LighttpdReading.list(proxy(world(text, enabled)))
    #expect(
      listed == [.init(host: "shop.example.org", port: 80, isTLS: false, path: "/", upstream: "http://10.0.0.5:3000")])
  }

  @Test func whatOnlyAVisitorDecidesIsNotGuessed() async throws {
    let text = shop.replacing("$HTTP[\"host\"] == \"shop.example.org\"", with: "$HTTP[\"remoteip\"] == \"10.0.0.0/8\"")
    await #expect(throws: Unseen.self) { try await read("http://shop.example.org/", world(text)) }
  }

  @Test func aSlipInTheFilesIsBroken() async throws {
    let text = shop.replacing("30 )", with: "30")
    let (outcome, facts) = try await read("http://shop.example.org/", world(text))
    #expect(outcome == .broken)
    #expect(facts[.configProblem] == "\(main):7: use => for assignments in arrays")
    let flat = "server.modules = ( \"mod_proxy\" )\nproxy.server = ( \"\" =>\n( \"host\" => \"127.0.0.1\" ) )"
    let other = try await read("http://shop.example.org/", world(flat))
    #expect(other.outcome == .broken)
    #expect(other.facts["problem-line.number"] == "3")
  }
}

/// The reader says what the real lighttpd does.
@Suite struct AgainstLighttpd {
  private static let program = "/usr/sbin/lighttpd"

  static let files = [
    """
    $HTTP["host"] == "a.test" { proxy.server = ( "/api" => (( "host" => "127.0.0.1", "port" => @1@ )),
                                                 ".php" => (( "host" => "127.0.0.1", "port" => "@2@" )) ) }
    else $HTTP["host"] =~ "^(www\\.)?b\\.test" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => @2@ ))) }
    else $HTTP["host"] =$ ".test" { $HTTP["url"] =~ "^/api" { proxy.server = ( "" => (( "port" => @3@, "host" => "127.0.0.1" ))) }
      else { proxy.server = ( "" => (( "port" => @4@, "host" => "127.0.0.1" ))) } }
    else { proxy.server = ( "/old" => (( "host" => "127.0.0.1", "port" => @1@ ))) }
    """,
    """
    app = "127.0.0." + 1
    proxy.server = ( "" => (( "host" => app, "port" => @1@ )))
    $HTTP["url"] =^ "/api/" { proxy.server = ( "" => (( "host" => app, "port" => @2@ )))
      proxy.header = ( "map-urlpath" => ( "/api/v1" => "/two", "/api/" => "/" ), "map-host-request" => ( "-" => "inner" ) ) }
    $HTTP["host"] == "b.test" { url.rewrite-once = ( "^/old(.*)$" => "/new$1", "^/api/(\\w+)" => "/x.php?a=$1" ) }
    $HTTP["host"] != "b.test" { url.redirect = ( "^/admin" => "/elsewhere" ) }
    $HTTP["host"] =~ "^(\\w+)\\.b\\.test" { url.rewrite-repeat = ( "^/docs/(.*)" => "/%1/$1" ) }
    """,
    """
    $SERVER["socket"] == "127.0.0.1:@9@" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => @3@ ))) }
    $HTTP["querystring"] =~ "y=1" { proxy.server := ( "" => (( "host" => "127.0.0.1", "port" => @4@ ))) }
    $HTTP["scheme"] == "https" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => @1@ ))) }
    $HTTP["host"] == "A.test" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => @1@ ))) }
    $HTTP["host"] =~ "^b\\.test$" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => @1@ ))) }
    $HTTP["host"] =~ "^localhost$" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => @2@ )))
      proxy.replace-http-host = "enable" }
    $HTTP["host"] == "c.test" { proxy.server = ( "" => ( "label" => ( "host" => "127.0.0.1", "port" => @2@ )))
      proxy.replace-http-host = "enable" }
    """,
    """
    include "more.conf"
    include "none*.conf"
    global { proxy.server = ( "/a" => (( "host" => "127.0.0.1", "port" => port ))) }
    $HTTP["host"] == "a.test" { server.tag = "x"
    }
    $HTTP["host"] == "a.test" { proxy.server = ( "/" => (( "host" => "127.0.0.1", "port" => @2@ ))) }
    url.rewrite-if-not-file = ( "^/docs" => "/a/docs" )
    """,
  ]
  private static let hosts = ["a.test", "b.test", "www.b.test", "x.b.test", "none.test", "localhost", "c.test"]
  private static let paths = [
    "/", "/api", "/api/", "/api/v1/users", "/API/x", "/index.php", "/old/1", "/a/b.php", "/admin", "/docs/x?y=1",
    "/%61pi/x",
  ]

  @Test(arguments: files.indices)
  func requestsEndWhereTheReaderSays(_ index: Int) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wizard502-lighttpd-\(UUID().uuidString)")
      .path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let echo = try Echo(apps: 4)
    defer { echo.stop() }
    try #require(echo.ports.count == 5)
    let port = echo.ports[4]
    var body = Self.files[index]
    for number in 1...4 { body = body.replacing("@\(number)@", with: String(echo.ports[number - 1])) }
    body = body.replacing("@9@", with: String(port))
    let text = """
      server.modules = ( "mod_rewrite", "mod_redirect", "mod_proxy" )
      server.document-root = "\(folder)"
      server.bind = "127.0.0.1"
      server.port = \(port)
      server.errorlog = "\(folder)/error.log"
      \(body)
      """
    let more = "port = \(echo.ports[0])\n"
    try text.write(toFile: folder + "/lighttpd.conf", atomically: true, encoding: .utf8)
    try more.write(toFile: folder + "/more.conf", atomically: true, encoding: .utf8)
    let ours = try await configuration(text, ["/etc/lighttpd/more.conf": more])
    #expect(ours.mistake == nil)

    // What lighttpd prints of its files has no variables and no other files in it, and reads the same.
    let printed = try output(Self.program, ["-p", "-f", folder + "/lighttpd.conf"])
    let inside = printed.split(separator: "\n").dropFirst().dropLast().filter {
      !$0.contains("var.CWD") && !$0.contains("var.PID")
    }
    let theirs = try await configuration(inside.joined(separator: "\n").replacing("/more.conf", with: ""))
    #expect(theirs.mistake == nil)

    let server = Process()
    server.executableURL = URL(filePath: Self.program)
    server.arguments = ["-D", "-f", folder + "/lighttpd.conf"]
    server.standardError = FileHandle.nullDevice
    try server.run()
    defer { server.end() }
    _ = try output(
      "/usr/bin/curl",
      [
        "-s", "-o", "/dev/null", "--retry", "20", "--retry-connrefused", "--retry-delay", "1",
        "http://127.0.0.1:\(port)/none",
      ])
    for host in Self.hosts {
      for authority in [host, "\(host):\(port)"] {
        let answers = try output(
          "/usr/bin/curl",
          ["-s", "--path-as-is", "-H", "Host: \(authority)", "-w", "\n%{http_code}\u{1}"]
            + Self.paths.map { "http://127.0.0.1:\(port)\($0)" }
        ).split(separator: "\u{1}")
        try #require(answers.count == Self.paths.count)
        for (path, answer) in zip(Self.paths, answers) {
          let lines = answer.split(separator: "\n").map(String.init)
          let real = lines.last == "200" && lines.count == 2 ? lines[0] : "answered"
          for (name, read) in [("the file", ours), ("what lighttpd prints", theirs)] {
            let end = try end("http://\(authority)\(path)", in: read, port: port)
            #expect((end == "missing" ? "answered" : end) == real, "\(authority)\(path), read from \(name)")
          }
        }
      }
    }
  }

  private func output(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}

/// Apps that say at which port they were asked, and for what; and a port more that nobody uses.
private struct Echo {
  let ports: [UInt16]
  private let process = Process()

  init(apps: Int) throws {
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = [
      "-c",
      """
      import http.server, socket, sys, threading
      class App(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
              text = f"{self.server.server_port} {self.path} {self.headers['Host']}".encode()
              self.send_response(200)
              self.send_header("Content-Length", str(len(text)))
              self.end_headers()
              self.wfile.write(text)
          def log_message(self, *_): pass
      apps = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), App) for _ in range(\(apps))]
      free = socket.socket()
      free.bind(("127.0.0.1", 0))
      print(*[app.server_port for app in apps], free.getsockname()[1], flush=True)
      free.close()
      for app in apps: threading.Thread(target=app.serve_forever, daemon=True).start()
      sys.stdin.read()
      """,
    ]
    process.standardInput = Pipe()
    process.standardOutput = pipe
    try process.run()
    var said = Data()
    while !said.contains(0x0A) {
      let more = pipe.fileHandleForReading.availableData
      if more.isEmpty { break }
      said += more
    }
    let line = String(decoding: said, as: UTF8.self)
    ports = line.split { $0 == " " || $0 == "\n" }.compactMap { UInt16($0) }
  }

  func stop() { process.end() }
}

extension Process {
  /// Some programs keep the signal mask with which Foundation starts them, so that they never see a SIGTERM.
  fileprivate func end() {
    kill(processIdentifier, SIGKILL)
    waitUntilExit()
  }
}
