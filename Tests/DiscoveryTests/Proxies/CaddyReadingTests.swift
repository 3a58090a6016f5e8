import Discovery
import Fixture
import Model
import Routes
import Testing
import World

@Suite struct CaddyReadingTests {
  private let shop = """
    http://shop.example.org, www.shop.example.org {
    \treverse_proxy shop:3000 {
    \t\thealth_uri /up
    \t\ttransport http {
    \t\t\tresponse_header_timeout 5s
    \t\t}
    \t}
    }
    http://files.example.org {
    \treverse_proxy https://files:8443
    }
    http://php.example.org {
    \tphp_fastcgi php:9000
    }
    http://auth.example.org {
    \tforward_auth authelia:9091 {
    \t\turi /api/verify
    \t}
    \treverse_proxy {$APP:shop}:3000
    }
    http://pong.example.org {
    \trespond "pong"
    }
    """

  /// As `caddy adapt` writes it, for the first site with another port.
  private func running(port: Int = 3000, timeout: Int = 5_000_000_000) -> String {
    """
    {"apps":{"http":{"servers":{"srv0":{"listen":[":80"],"routes":[{"match":[{"host":["shop.example.org"]}],"handle":[\
    {"handler":"subroute","routes":[{"handle":[{"handler":"reverse_proxy","health_checks":{"active":{"uri":"/up"}},\
    "transport":{"protocol":"http","response_header_timeout":\(timeout)},"upstreams":[{"dial":"shop:\(port)"}]}]}]}],\
    "terminal":true}]}}}}}
    """
  }

  private func world(_ file: String?, running: String? = nil, status: Int = 200) -> Sandbox {
    let place = Place.process(7)
    let world = Sandbox().container(
      "edge1",
      #""Name": "/caddy", "Path": "caddy", "Args": ["run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"], "Config": {"Env": ["PATH=/bin"]}, "Mounts": [{"Source": "/srv/caddy", "Destination": "/etc/caddy"}]"#
    )
    if let file { world.file("/etc/caddy/Caddyfile", file, in: place, modified: 9) }
    let request = HTTPRequest(
      url: "http://localhost:2019/config/", address: "127.0.0.1", port: 2019, place: place)
    if let running {
      return world.with(request, HTTPRequest.Sight(status: status, body: Array(running.utf8)))
    }
    return world.with(request, unseen: .notPermitted(what: "the namespace"))
  }

  private func read(_ url: String, _ world: Sandbox) async throws -> (Reading.Outcome, Facts) {
    let reading = try await RouteReading.read(
      .init(site: try #require(Site(url)), port: 80), kind: "caddy",
      at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
    return (reading.outcome, reading.facts)
  }

  /// A file of JSON has places as well: the only server's, and the line of what passes requests on
  @Test func aFileOfJSON() async throws {
    let text = """
      {"apps": {"http": {"servers": {"srv0": {"listen": [":80"], "routes": [
      \t{"match": [{"host": ["shop.example.org"]}], "handle": [
      \t\t{"handler": "reverse_proxy", "upstreams": [{"dial": "shop:3000"}]}]}
      ]}}}}}
      """
    let world = Sandbox().container(
      "edge1",
      #""Name": "/caddy", "Path": "caddy", "Args": ["run", "--config", "/etc/caddy/caddy.json"], "Config": {"Env": []}, "Mounts": [{"Source": "/srv/caddy", "Destination": "/etc/caddy"}]"#
    ).file("/etc/caddy/caddy.json", text, in: .process(7))
    let (outcome, facts) = try await read("http://shop.example.org/", world)
    #expect(outcome == .found)
    #expect(facts[.routeDefinedIn] == "/etc/caddy/caddy.json:3")
    #expect(facts[.configInside] == nil)
    #expect(facts[.line(.port, "file")] == "/srv/caddy/caddy.json")
    #expect(facts[.line(.port, "head")] == "\t\t{\"handler\": \"reverse_proxy\", \"upstreams\": [{\"dial\": \"shop:")
    #expect(facts[.line(.port, "tail")] == "\"}]}]}")
    #expect(facts[.line(.host, "tail")] == ":3000\"}]}]}")
    #expect(facts[.proxyAdapter] == nil)
  }

  /// An argument of an import is changed where it is written
  @Test func anArgumentOfAnImport() async throws {
    let text = """
      (proxied) {
      \treverse_proxy {args[0]}
      }
      http://shop.example.org {
      \timport proxied shop:3000
      }
      """
    let (_, facts) = try await read("http://shop.example.org/", world(text))
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.routeDefinedIn] == "/etc/caddy/Caddyfile:2")
    #expect(facts[.line(.port, "number")] == "5")
    #expect(facts[.line(.port, "head")] == "\timport proxied shop:")
  }

  /// Put together of arguments and what stands around them, each part is changed where it is written
  @Test func argumentsWithinAWord() async throws {
    let text = """
      (proxied) {
      \treverse_proxy http://{args[0]}:{args[1]}
      }
      http://shop.example.org {
      \timport proxied shop 3000
      }
      """
    let (_, facts) = try await read("http://shop.example.org/", world(text))
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.line(.port, "number")] == "5")
    #expect(facts[.line(.port, "head")] == "\timport proxied shop ")
    #expect(facts[.line(.host, "head")] == "\timport proxied ")
  }

  /// With --resume it goes on with what it was told last: the file is what somebody wants, and what runs is something else
  @Test func aFileThatIsNotResumed() async throws {
    func world(_ running: String?) -> Sandbox {
      let request = HTTPRequest(
        url: "http://localhost:2019/config/", address: "127.0.0.1", port: 2019, place: .process(7))
      let world = Sandbox().container(
        "edge1",
        #""Name": "/caddy", "Path": "caddy", "Args": ["run", "--resume", "--config", "/etc/caddy/Caddyfile"], "Config": {"Env": []}, "Mounts": []"#
      ).file("/etc/caddy/Caddyfile", shop, in: .process(7))
      return running.map { world.with(request, HTTPRequest.Sight(status: 200, body: Array($0.utf8))) } ?? world
    }
    let (_, facts) = try await read("http://shop.example.org/", world(running(port: 3009)))
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.configRuns] == "other")
    #expect(facts[.routeRunning] == "http://shop:3009")
    await #expect(throws: Unseen.self) { try await read("http://shop.example.org/", world(nil)) }
  }

  /// Host, port, scheme and time-out, each with its place in the line as the host sees the file
  @Test func hostPortSchemeAndTimeOut() async throws {
    let (outcome, facts) = try await read("http://shop.example.org/", world(shop, running: running()))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.routeDefinedIn] == "/etc/caddy/Caddyfile:2")
    #expect(facts[.routeReadTimeout] == "5")
    #expect(facts[.routeHealthPath] == "/up")
    #expect(facts[.routeHealthExpects] == "200-299")
    #expect(facts[.routeResolves] == "each-time")
    #expect(facts[.configInside] == nil)
    #expect(facts[.configRuns] == "same")
    #expect(facts[.routeRunning] == nil)
    for (name, value, number) in [
      ("host", "shop", "2"), ("port", "3000", "2"), ("timeout", "5s", "5"), ("name", "shop.example.org", "1"),
    ] {
      let part = { (part: String) in facts[FactName("\(name)-line.\(part)")] ?? "" }
      #expect(part("file") == "/srv/caddy/Caddyfile")
      #expect(part("number") == number)
      #expect(part("head") + value + part("tail") == part("text"), "\(name)")
    }
    let head = facts["transport-line.head"] ?? ""
    #expect(head == "\t\ttransport http {\n\t\t\t")
  }

  @Test func aSchemeThatIsNotWrittenCanBeWrittenAndABlockWhereThereIsNone() async throws {
    let bare = "http://shop.example.org {\n    reverse_proxy shop:3000\n}"
    let facts = try await read("http://shop.example.org/", world(bare)).1
    #expect(facts["scheme-line.head"] == "    reverse_proxy ")
    #expect(facts["scheme-line.tail"] == "://shop:3000")
    let (head, tail) = (facts["transport-line.head"] ?? "", facts["transport-line.tail"] ?? "")
    #expect(
      head + "tls" + tail
        == "    reverse_proxy shop:3000 {\n        transport http {\n            tls\n        }\n    }")
  }

  @Test func whatRunsIsToldToBeAnotherWhateverPartOfTheRouteDiffers() async throws {
    let port = try await read("http://shop.example.org/", world(shop, running: running(port: 3001))).1
    #expect(port[.configRuns] == "other")
    #expect(port[.routeRunning] == "http://shop:3001")
    #expect(port[.upstreamPort] == "3000", "the files tell where it should go")
    let timeout = try await read("http://shop.example.org/", world(shop, running: running(timeout: 1))).1
    #expect(timeout[.configRuns] == "other")
    let (outcome, new) = try await read("http://files.example.org/", world(shop, running: running()))
    #expect(outcome == .found)
    #expect(new[.routeRunning] == "nowhere")
    let unseen = try await read("http://shop.example.org/", world(shop)).1
    #expect(unseen[.configRuns] == nil)
  }

  /// Without a file the admin interface alone tells the route; what it does not tell is no route
  @Test func withoutAFileTheAdminInterfaceAloneTellsTheRoute() async throws {
    let (outcome, facts) = try await read("http://shop.example.org/", world(nil, running: running()))
    #expect(outcome == .found)
    #expect(facts[.routeDefinedIn] == "apps/http/servers/srv0/routes/0/handle/0/routes/0/handle/0")
    #expect(facts["port-line.text"] == nil)
    #expect(try await read("http://none.example.org/", world(nil, running: running())).0 == .missing)
    await #expect(throws: Unseen.missing(what: "/etc/caddy/Caddyfile")) {
      try await read("http://shop.example.org/", world(nil, running: "host not allowed", status: 403))
    }
  }

  @Test func otherKindsOfRoutes() async throws {
    let world = world(shop)
    let tls = try await read("http://files.example.org/", world).1
    #expect(tls[.upstreamScheme] == "https")
    #expect(tls[.routeVerifies] == "on")
    #expect(tls[.routeTLSName] == "files")
    #expect(tls[.routeSendsHost] == "files:8443")
    let (php, facts) = try await read("http://php.example.org/", world)
    #expect(php == .found)
    #expect(facts[.routeProtocol] == "fastcgi")
    #expect(facts[.upstreamPath] == "/index.php")
    let auth = try await read("http://auth.example.org/", world).1
    #expect(auth[.routeAuth] == "http://authelia:9091")
    #expect(auth[.routeUpstream] == "http://shop:3000")
    #expect(auth["host-line.tail"] == "}:3000", "the name is the default of a variable")
    #expect(try await read("http://pong.example.org/", world).0 == .static)
    let (missing, near) = try await read("http://shpo.example.org/", world)
    #expect(missing == .missing)
    #expect(near[.routeNear] == "shop.example.org")
    #expect(near["name-line.number"] == "1")
  }

  @Test func aFileWithAMistakeWhatWasMeantAndWhereTheMistakeIs() async throws {
    let typed = shop.replacing("reverse_proxy shop", with: "reverse_prox shop")
    let (outcome, facts) = try await read("http://shop.example.org/", world(typed, running: running(port: 1)))
    #expect(outcome == .found)
    #expect(facts[.configProblem] == "unrecognized directive: reverse_prox in /etc/caddy/Caddyfile:2")
    #expect(facts["problem-line.fixed"] == "\treverse_proxy shop:3000 {")
    let cut = "http://other.example.org {\n\treverse_proxy other:1 {\n"
    #expect(try await read("http://shop.example.org/", world(cut, running: running())).0 == .broken)
  }

  @Test func aDirectiveOfAPluginIsNoMistakeWhileWhatRunsIsTheSame() async throws {
    let plugin = shop.replacing("\treverse_proxy shop", with: "\twaf_of_mine on\n\treverse_proxy shop")
    #expect(try await read("http://shop.example.org/", world(plugin, running: running())).1[.configProblem] == nil)
    let older = try await read("http://shop.example.org/", world(plugin, running: running(port: 1))).1
    #expect(older[.configProblem] != nil)
  }

  /// A range of the LAN keeps others out; those who are let in are passed on, and who is meant to go elsewhere is not known
  @Test func whoAsksIsNotKnown() async throws {
    let closed = "http://a.test {\n\t@out not remote_ip 192.168.0.0/16\n\trespond @out 403\n\treverse_proxy app:1\n}"
    let (outcome, facts) = try await read("http://a.test/", world(closed))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://app:1")
    let split = "http://a.test {\n\t@in remote_ip 192.168.0.0/16\n\treverse_proxy @in inner:1\n\treverse_proxy app:1\n}"
    #expect(try await read("http://a.test/", world(split)).0 == .unknown)
    let open = "http://a.test {\n\t@in remote_ip private_ranges\n\treverse_proxy @in inner:1\n\treverse_proxy app:1\n}"
    #expect(try await read("http://a.test/", world(open)).1[.routeUpstream] == "http://inner:1")
  }

  @Test func anExpressionOrAVariableLeavesTheRouteUnknownWhereItDecides() async throws {
    let site = "http://a.test {\n\t@x expression `path('/api/*')`\n\tDIRECTIVE\n\treverse_proxy app:1\n}"
    for (directive, outcome) in [
      ("reverse_proxy @x api:1", Reading.Outcome.unknown), ("respond @x 403", .unknown), ("header @x X y", .found),
      ("rewrite @x /other", .found),
    ] {
      let text = site.replacing("DIRECTIVE", with: directive)
      #expect(try await read("http://a.test/api/a", world(text)).0 == outcome, "\(directive)")
    }
    let query = site.replacing("expression `path('/api/*')`", with: "query v=2").replacing(
      "DIRECTIVE", with: "reverse_proxy @x two:2")
    #expect(try await read("http://a.test/?v=1", world(query)).0 == .unknown)
    #expect(try await read("http://a.test/", world(query)).1[.routeUpstream] == "http://app:1")
  }

  @Test func anUpstreamFromTheContainersEnvironment() async throws {
    let text = "http://a.test {\n\treverse_proxy {env.BACKEND}:3000\n}"
    let filled = world(text).container(
      "edge1",
      #""Name": "/caddy", "Path": "caddy", "Args": ["run", "--config", "/etc/caddy/Caddyfile"], "Config": {"Env": ["BACKEND=shop"]}"#
    )
    let (outcome, facts) = try await read("http://a.test/", filled)
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts["host-line.text"] == nil, "the name comes from a variable")
  }

  /// A request for a path with two slashes, and one that Caddy itself turns into the front controller
  @Test func slashesAndFilesInPaths() async throws {
    let text = "http://a.test {\n\treverse_proxy /a/b* two:2\n\treverse_proxy app:1\n}"
    #expect(try await read("http://a.test/a//b", world(text)).1[.routeUpstream] == "http://two:2")
    let php =
      "http://a.test {\n\tphp_fastcgi php:9000 {\n\t\ttry_files {path} {path}/index.php =404\n\t\tread_timeout 60s\n\t}\n}"
    let facts = try await read("http://a.test/", world(php)).1
    #expect(facts[.routeUpstream] == "fastcgi://php:9000")
    #expect(facts[.upstreamPath] == "/index.php")
    #expect(facts[.routeReadTimeout] == "60")
    #expect(try await read("http://a.test/index.php", world(php)).1[.routeUpstream] == "fastcgi://php:9000")
    #expect(try await read("http://a.test/a/b", world(php)).0 == .static, "Caddy answers 404 itself")
  }

  /// Without an admin interface the start of the process is its last load, and it is said
  @Test func withoutAnAdminInterfaceTheStartOfTheProcessIsItsLastLoad() async throws {
    let facts = try await read("http://shop.example.org/", world("{\n\tadmin off\n}\n" + shop)).1
    #expect(facts[.proxyAdmin] == "off")
  }
}
