@testable import Discovery
import Fixture
import Model
import Routes
import Testing
import World

/// A container with files at process 7, of which only `/etc/nginx/conf.d` and `/data` come from the host.
private func world(_ files: [String: String]) -> Sandbox {
  let mounts =
    #""Mounts": [{"Source": "/srv/conf", "Destination": "/etc/nginx/conf.d"}, {"Source": "/srv/data", "Destination": "/data"}]"#
  let world = Sandbox().container("edge1", #""Name": "/edge", "# + mounts)
  for (path, text) in files { world.file(path, text, in: .process(7), modified: Double(path.count)) }
  return world
}

private func read(_ url: String, kind: String = "nginx", port: UInt16 = 80, _ world: Sandbox) async throws
  -> (outcome: Reading.Outcome, facts: Facts)
{
  let reading = try await RouteReading.read(
    .init(site: try #require(Site(url)), port: port), kind: kind,
    at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
  return (reading.outcome, reading.facts)
}

@Suite struct NginxReadingTests {
  private let main = "events {}\nhttp {\n  include /etc/nginx/conf.d/*.conf;\n}\n"

  private func site(_ server: String, main: String? = nil) -> Sandbox {
    world(["/etc/nginx/nginx.conf": main ?? self.main, "/etc/nginx/conf.d/shop.conf": server])
  }

  private let shop = """
    server {
      listen 80;
      server_name shop.example.org;
      location / {
        proxy_pass http://shop:3000; # the app
        proxy_read_timeout 5s;
        proxy_set_header Host inner.lan;
      }
    }
    """

  /// What an editor puts in the place of a file that is mounted by itself is not seen inside.
  @Test func aFileThatIsMountedByItself() async throws {
    #expect(try await read("http://shop.example.org/", site(shop)).facts[.configMountedAlone] == nil)
    let alone = site(shop).file("/srv/shop.conf", shop).container(
      "edge1",
      #""Name": "/edge", "Mounts": [{"Source": "/srv/shop.conf", "Destination": "/etc/nginx/conf.d/shop.conf"}]"#)
    #expect(try await read("http://shop.example.org/", alone).facts[.configMountedAlone] == "yes")
    // Another file that is mounted so changes nothing.
    let other = site(shop).container(
      "edge1",
      #""Name": "/edge", "Mounts": [{"Source": "/srv/nginx.conf", "Destination": "/etc/nginx/nginx.conf"}]"#)
    #expect(try await read("http://shop.example.org/", other).facts[.configMountedAlone] == nil)
  }

  /// nginx says "no live upstreams" then, and never asks one of them again.
  @Test func aGroupWhoseServersAreAllMarkedDownPassesNothingOn() async throws {
    let group = { (second: String) in
      "upstream group {\n  server shop:3000  down;\n  server other:3000 weight=2\(second);\n}\n"
        + self.shop.replacing("http://shop:3000", with: "http://group")
    }
    let (outcome, facts) = try await read("http://shop.example.org/", site(group(" down")))
    #expect(outcome == .misconfigured)
    #expect(facts["problem-line.text"] == "  server shop:3000  down;")
    #expect(facts["problem-line.fixed"] == "  server shop:3000;")
    let half = try await read("http://shop.example.org/", site(group(" backup")))
    #expect(half.outcome == .found)
    #expect(half.facts[.upstreamHost] == "other")
  }

  /// Host, port, scheme and time-out, each with its place in the line as the host sees the file
  @Test func hostPortSchemeAndTimeOut() async throws {
    let (outcome, facts) = try await read("http://shop.example.org/", site(shop))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.routeDefinedIn] == "/etc/nginx/conf.d/shop.conf:5")
    #expect(facts[.routeReadTimeout] == "5")
    #expect(facts[.routeSendsHost] == "inner.lan")
    #expect(facts[.routeResolves] == "start")
    #expect(facts[.routeVerifies] == "off")
    #expect(facts[.configInside] == nil)
    #expect(facts[.configDirectory] == "/srv/conf")
    for (name, value, number) in [
      ("host", "shop", "5"), ("port", "3000", "5"), ("scheme", "http", "5"), ("timeout", "5s", "6"),
    ] {
      let part = { (part: String) in facts[FactName("\(name)-line.\(part)")] ?? "" }
      #expect(part("file") == "/srv/conf/shop.conf")
      #expect(part("number") == number)
      #expect(part("head") + value + part("tail") == part("text"), "\(name)")
    }
    #expect(facts["port-line.text"] == "    proxy_pass http://shop:3000; # the app")
  }

  @Test func aFileThatIsOnlyInsideTheContainerIsSaidToBeThere() async throws {
    let (outcome, facts) = try await read(
      "http://shop.example.org/", world(["/etc/nginx/nginx.conf": "events {}\nhttp {\n\(shop)\n}"]))
    #expect(outcome == .found)
    #expect(facts[.configInside] == "edge")
    #expect(facts["port-line.file"] == nil, "a patch of it would be lost with the container")
  }

  /// A name in a variable is looked up at each request, by the route's own resolver or by none
  @Test func aNameInAVariableIsLookedUpAtEachRequest() async throws {
    let text = { (line: String) in
      "server { listen 80; server_name shop.example.org; \(line) set $app shop; location / { proxy_pass http://$app:3000; } }"
    }
    let with = try await read("http://shop.example.org/", site(text("resolver 127.0.0.11 10.0.0.53:5353;"))).facts
    #expect(with[.routeResolves] == "each-request")
    #expect(with[.routeResolver] == "127.0.0.11, 10.0.0.53:5353")
    #expect(with[.upstreamHost] == "shop")
    let without = try await read("http://shop.example.org/", site(text(""))).facts
    #expect(without[.routeResolves] == "each-request")
    #expect(without[.routeResolver] == nil)
  }

  @Test func tlsToTheUpstreamWhetherByWhomAndForWhichNameItIsVerified() async throws {
    let text =
      "server { listen 80; server_name shop.example.org; location / { proxy_pass https://shop; proxy_ssl_verify on; proxy_ssl_trusted_certificate /data/ca.pem; proxy_ssl_name inner.lan; } }"
    let facts = try await read("http://shop.example.org/", site(text)).facts
    #expect(facts[.upstreamPort] == "443")
    #expect(facts[.routeVerifies] == "on")
    #expect(facts[.routeAuthorities] == "/data/ca.pem")
    #expect(facts[.routeAuthoritiesFile] == "/srv/data/ca.pem")
    #expect(facts[.routeTLSName] == "inner.lan")
  }

  @Test(arguments: [
    ("return 200 'hi';", Reading.Outcome.static), ("root /srv;", .static),
    ("location / { fastcgi_pass 10.0.0.2:9000; }", .found),
    ("location / { proxy_pass http://unix:/run/app.sock; }", .found),
  ])
  func whatElseASiteMayBe(body: String, expected: Reading.Outcome) async throws {
    let server = "server { listen 80; server_name shop.example.org; \(body) }"
    #expect(try await read("http://shop.example.org/", site(server)).outcome == expected)
  }

  @Test(arguments: [
    ("proxy_pass http://unix:/run/app.sock:/;", "http", "/run/app.sock", "http://unix:/run/app.sock"),
    ("fastcgi_pass unix:/run/php.sock;", "fastcgi", "/run/php.sock", "fastcgi://unix:/run/php.sock"),
    ("uwsgi_pass 10.0.0.2:3031;", "uwsgi", nil, "uwsgi://10.0.0.2:3031"),
    ("grpc_pass grpcs://10.0.0.2:443;", "grpc", nil, "grpcs://10.0.0.2:443"),
  ])
  func whatIsNoPlainHTTPOverTCPProtocolSocketAndWhoseDirectivesCount(
    pass: String, name: String, socket: String?, upstream: String
  ) async throws {
    let body = "server { listen 80; server_name shop.example.org; location / { \(pass) } }"
    let (outcome, facts) = try await read("http://shop.example.org/", site(body))
    #expect(outcome == .found)
    #expect(facts[.routeProtocol] == name)
    #expect(facts[.upstreamSocket] == socket)
    #expect(facts[.routeUpstream] == upstream)
    #expect((facts[.upstreamHost] == nil) == (socket != nil))
  }

  @Test func aFoldersIndexThatIsAScriptIsWhereTheRequestGoes() async throws {
    let body = """
      server { listen 80; server_name shop.example.org; index index.html index.php;
        location / { try_files $uri $uri/ =404; } location ~ \\.php$ { fastcgi_pass 10.0.0.2:9000; } }
      """
    #expect(try await read("http://shop.example.org/", site(body)).facts[.routeProtocol] == "fastcgi")
  }

  @Test func theSizeOfAHeaderThatIsTakenWhereItIsSetAndWhatAPageMayDoAboutIt() async throws {
    func facts(_ lines: String) async throws -> Facts {
      let body =
        "server {\nlisten 80;\nserver_name shop.example.org;\nlocation / {\n  proxy_pass http://shop:80;\n\(lines)\n}\n}"
      return try await read("http://shop.example.org/", site(body)).facts
    }
    let plain = try await facts("")
    #expect(["4096", "16384", "65536"].contains(plain[.routeHeaderLimit]))
    #expect(plain["pass-line.buffers"] == "none")
    #expect(plain["pass-line.target"] == "shop:80")
    let own = try await facts("  proxy_buffer_size 16k;")
    #expect(own[.routeHeaderLimit] == "16384")
    #expect(own["header-limit-line.head"] == "  proxy_buffer_size ")
    #expect(own["pass-line.buffers"] == nil)
    let both = try await facts("  proxy_buffer_size 16k;\n  proxy_buffers 8 16k;")
    #expect(both["header-limit-line.head"] == nil)
    #expect(both["pass-line.buffers"] == nil)
  }

  @Test func aSiteWithoutARouteASimilarNameIsToldWithItsLine() async throws {
    let (outcome, facts) = try await read("http://shpo.example.org/", site(shop))
    #expect(outcome == .default)
    #expect(facts[.routeNear] == "shop.example.org")
    #expect(facts["name-line.number"] == "3")
    #expect(try await read("http://shop.example.org/", port: 8080, site(shop)).outcome == .missing)
  }

  @Test func aDefaultServerWithoutANameOfItsOwnServesEveryHost() async throws {
    let (outcome, facts) = try await read(
      "http://any.example.org/",
      site("server { listen 80; server_name _; location / { proxy_pass http://shop:3000; } }"))
    #expect(outcome == .found)
    #expect(facts[.routeHost] == "any.example.org")
  }

  @Test func aMissingSemicolonTheLineAndTheLinePutRight() async throws {
    let (outcome, facts) = try await read(
      "http://shop.example.org/", site(shop.replacing("http://shop:3000; # the app", with: "http://shop:3000")))
    #expect(outcome == .broken || outcome == .found)
    #expect(facts[.configProblem] != nil)
    #expect(facts["problem-line.file"] == "/srv/conf/shop.conf")
    #expect(facts["problem-line.number"] == "5")
    #expect(facts["problem-line.fixed"] == "    proxy_pass http://shop:3000;")
  }

  @Test func withoutTheMainFileItIsMissingAnotherKindCannotBeRead() async throws {
    let empty = world([:])
    await #expect(throws: Unseen.missing(what: "/etc/nginx/nginx.conf")) {
      try await read("http://shop.example.org/", empty)
    }
    #expect(!RouteReading.kinds.contains("unknown"))
  }
}

@Suite struct NginxProxyManagerReadingTests {
  private let main = "events {}\nhttp {\n  include /data/nginx/proxy_host/*.conf;\n}\n"
  private let server = """
    server {
      listen 80;
      server_name shop.example.org;
      location /api { proxy_pass http://api:4000; }
      location / { proxy_pass http://shop:3000; }
    }
    """

  private func npm(_ changes: [String: String] = [:], isThere: Bool = true, isRefused: Bool = false) -> Sandbox {
    let row = [
      "id": "4", "domain_names": #"["shop.example.org"]"#, "forward_scheme": "http", "forward_host": "shop",
      "forward_port": "3000", "enabled": "1", "is_deleted": "0", "meta": #"{"nginx_online": true, "nginx_err": null}"#,
      "locations": #"[{"path": "/api", "forward_scheme": "http", "forward_host": "api", "forward_port": 4000}]"#,
      "advanced_config": "",
    ].merging(changes) { $1 }
    let file = "/data/nginx/proxy_host/4.conf"
    var files = ["/etc/nginx/nginx.conf": main]
    files[file] = isThere ? server : nil
    files[file + ".err"] = isRefused ? server : nil
    return world(files).with(
      SQLiteQuery(path: "/data/database.sqlite", place: .process(7), sql: "SELECT * FROM proxy_host"), [row])
  }

  private func route(_ world: Sandbox, _ url: String = "http://shop.example.org/") async throws
    -> (outcome: Reading.Outcome, facts: Facts)
  {
    try await read(url, kind: "nginx-proxy-manager", world)
  }

  @Test func inUseWithItsDomainAndItsOwnLog() async throws {
    let (outcome, facts) = try await route(npm())
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.npmDomain] == "shop.example.org")
    #expect(facts[.npmLocation] == nil)
    #expect(facts[.npmAdvanced] == nil)
    #expect(facts[.routeLog] == "/data/logs/proxy-host-4_error.log")
    #expect(facts[.configInside] == nil)
  }

  @Test func aCustomLocation() async throws {
    let (outcome, facts) = try await route(npm(["advanced_config": "# x"]), "http://shop.example.org/api/v1")
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://api:4000")
    #expect(facts[.npmLocation] == "/api")
    #expect(facts[.npmAdvanced] == "yes")
  }

  @Test(arguments: ["0", "false", "f"])
  func switchedOff(value: String) async throws {
    let (outcome, facts) = try await route(npm(["enabled": value], isThere: false))
    #expect(outcome == .disabled)
    #expect(facts[.npmDisabled] == "yes")
    #expect(facts[.routeDefinedIn] == "proxy_host row 4")
  }

  /// Offline, by the database or by the file that nginx refused; its reason is made harmless
  @Test func offlineByTheDatabaseOrByTheFileThatNginxRefused() async throws {
    let refused = npm(
      ["meta": #"{"nginx_online": false, "nginx_err": "unknown directive \u001b[31m"}"#], isThere: false,
      isRefused: true)
    let (outcome, facts) = try await route(refused)
    #expect(outcome == .offline)
    #expect(facts[.configProblem] == "unknown directive ^[[31m")
    let byFile = try await route(npm(["meta": "{}"], isThere: false, isRefused: true))
    #expect(byFile.outcome == .offline)
    #expect(byFile.facts[.configProblem] == "/data/nginx/proxy_host/4.conf.err is there")
  }

  @Test func aSiteOfNobodyAndARowThatWasDeleted() async throws {
    let (outcome, facts) = try await route(npm(), "http://shpo.example.org/")
    #expect(outcome == .missing)
    #expect(facts[.routeNear] == "shop.example.org")
    #expect(try await route(npm(["is_deleted": "1"], isThere: false)).outcome == .missing)
  }

  @Test func aDatabaseThatCannotBeSeenLeavesWhatTheFilesTell() async throws {
    let world = npm().with(
      SQLiteQuery(path: "/data/database.sqlite", place: .process(7), sql: "SELECT * FROM proxy_host"),
      unseen: .unreadable(what: "/data/database.sqlite", why: .init(.locked)))
    let (outcome, facts) = try await route(world)
    #expect(outcome == .found)
    #expect(facts[.npmDomain] == "shop.example.org")
  }
}
