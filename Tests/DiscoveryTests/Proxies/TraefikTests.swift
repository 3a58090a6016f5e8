import Discovery
import Fixture
import Model
import Routes
import Testing
import World

@testable import class Discovery.DocumentFile
@testable import enum Discovery.Traefik

/// Traefik in a container at process 7, started with these flags; its dynamic files are in a folder of the host.
private func traefik(
  _ flags: [String], tag: String = "v3.7", files: [String: String] = [:], compose: [String: String] = [:],
  _ containers: [String] = []
) -> Sandbox {
  let own =
    #"{"Id": "edge1", "Names": ["/traefik"], "State": "running", "NetworkSettings": {"Networks": {"web": {"NetworkID": "n1", "IPAddress": "172.20.0.2"}}}}"#
  let arguments = (["--entryPoints.web.address=:80"] + flags).map { "\"\($0)\"" }.joined(separator: ", ")
  let world = Sandbox(files: compose.merging(["/usr/bin/docker-compose": ""]) { own, _ in own })
    .container(
      "edge1",
      #""Name": "/traefik", "Path": "traefik", "Args": [\#(arguments)], "Config": {"Image": "traefik:\#(tag)"}, "Mounts": [{"Source": "/srv/dynamic", "Destination": "/dynamic"}]"#
    ).containers([own] + containers)
  for (path, text) in files { world.file(path, text, in: .process(7)) }
  return world
}

/// A container as the engine lists it.
private func app(
  _ name: String, _ labels: [String: String], state: String = "running", status: String = "Up 2 hours",
  networks: [String: String] = ["web": "172.20.0.9"], ports: String = ""
) -> String {
  let labels = labels.map { "\"\($0.key)\": \"\($0.value.replacing("\"", with: "\\\""))\"" }.joined(separator: ", ")
  let networks = networks.map { name, address in
    "\"\(name)\": {\"NetworkID\": \"\(name == "web" ? "n1" : name)\", \"IPAddress\": \"\(address)\"}"
  }.joined(separator: ", ")
  return
    "{\"Id\": \"\(name)1\", \"Names\": [\"/\(name)\"], \"State\": \"\(state)\", \"Status\": \"\(status)\", \"Labels\": {\(labels)}, \"Ports\": [\(ports)], \"NetworkSettings\": {\"Networks\": {\(networks)}}}"
}

private func read(_ url: String, port: UInt16 = 80, _ world: Sandbox) async throws
  -> (outcome: Reading.Outcome, facts: Facts)
{
  let reading = try await RouteReading.read(
    .init(site: try #require(Site(url)), port: port), kind: "traefik",
    at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
  return (reading.outcome, reading.facts)
}

private let shopLabels = [
  "traefik.http.routers.shop.rule": "Host(`shop.example.org`)",
  "traefik.http.services.shop.loadbalancer.server.port": "3000",
]

@Suite struct TraefikRuleTests {
  @Test(arguments: [
    ("Host(`shop.example.org`)", Traefik.Syntax.v3, Traefik.Verdict.yes), ("Host(`SHOP.example.org`)", .v3, .yes),
    ("Host(\"other.example.org\")", .v3, .no), ("Host(`a.test`) || Host(`shop.example.org`)", .v3, .yes),
    ("Host(`shop.example.org`) && PathPrefix(`/a`)", .v3, .yes),
    ("Host(`shop.example.org`) && !PathPrefix(`/a`)", .v3, .no), ("Path(`/a`)", .v3, .no),
    ("PathRegexp(`^/[a-z]/b$`)", .v3, .yes), ("HostRegexp(`^.+\\.example\\.org$`)", .v3, .yes),
    ("(Host(`a.test`) || PathPrefix(`/a`)) && Method(`GET`)", .v3, .yes),
    ("Host(`shop.example.org`) && Header(`X-Beta`, `1`)", .v3, .maybe), ("!ClientIP(`10.0.0.0/8`)", .v3, .maybe),
    ("Host(`a.test`, `shop.example.org`)", .v2, .yes), ("HostRegexp(`{sub:[a-z]+}.example.org`)", .v2, .yes),
    ("HostRegexp(`{sub:[a-z]{2}}.example.org`)", .v2, .no), ("Path(`/a/{id}`)", .v2, .yes),
    ("Host(`*.example.org`)", .v3, .yes), ("Host(`*`)", .v3, .yes), ("Host(`*.org`)", .v3, .no),
    ("Host(`*.example.org`)", .v2, .no), ("HOST(`shop.example.org`,)", .v3, .yes),
    ("Host(`a.test`) ||\n  Host(`shop.example.org`)\n", .v3, .yes),
    (#"Host("shop.e\u0078ample.org") && Method("\"") || Method("GET")"#, .v3, .yes),
    ("Query(`c`, `d`)", .v3, .yes), ("Query(`c`, `e`)", .v3, .no), ("Query(`c`)", .v3, .no), ("Query(`x`)", .v3, .no),
    ("QueryRegexp(`c`, `^[de]$`)", .v3, .yes), ("QueryRegexp(`x`, `.*`)", .v3, .no), ("Query(`c=d`)", .v2, .yes),
    ("Query(`c=d`, `x=y`)", .v2, .no), ("Query(`c={v:[a-d]}`)", .v2, .yes), ("Query(`c={v:[a-c]}`)", .v2, .no),
  ])
  func whatARuleSaysOfARequestForABAtShopExampleOrg(text: String, syntax: Traefik.Syntax, expected: Traefik.Verdict)
    throws
  {
    let rule = try Traefik.Rule(text, syntax)
    #expect(rule.matches(host: "shop.example.org", path: "/a/b?c=d", syntax) == expected)
  }

  @Test(arguments: [
    ("Host(`a.test`, `b.test`)", "Host has 2 values and takes 1", "(Host(`a.test`) || Host(`b.test`))"),
    ("Host(`a.test`) && Headers(`X`, `1`)", "there is no matcher Headers", "Host(`a.test`) && Header(`X`, `1`)"),
    ("Host('a.test')", "the value of Host is not in backticks", nil),
    ("Host(`a.test`", "Host has no closing parenthesis", nil),
    ("Host(`a.test`) &&", "something is missing at its end", nil),
    ("PathPrefix(`a`)", "the path 'a' does not begin with /", nil),
    ("Host(``)", "Host has an empty value", nil), ("Host()", "Host has 0 values and takes 1", nil),
    ("hostRegexp(`a`)", "there is no matcher hostRegexp", nil),
    ("Host(`bücher.test`)", "Host takes ASCII only, and 'bücher.test' has other letters", nil),
    ("ClientIP(`10.0.0.0/8,10.1.0.0/16`)", "'10.0.0.0/8,10.1.0.0/16' is neither an address nor a range of them", nil),
    ("PathRegexp(`^/(?!a)`)", "the expression of PathRegexp does not compile", nil),
    ("PathRegexp(`^/(a)\\1`)", "the expression of PathRegexp does not compile", nil),
    (#"HostRegexp("a\.test")"#, "the value of HostRegexp has an escape that is none: backticks need none", nil),
    ("Host(`a.test`)\n|| Host(`b.test`)", "'|| Host(`b.test`)' is left over", nil),
    ("(Host(`a.test`)\n)", "a closing parenthesis is missing", nil),
  ])
  func rulesThatVersion3RefusesAndWhatTheyHaveToBe(text: String, reason: String, new: String?) {
    #expect(throws: Traefik.Refusal(reason: reason)) { try Traefik.Rule(text, .v3) }
    #expect((try? Traefik.Rule(text, .v2))?.forVersion3 == new)
  }

  @Test func anAddressInBracketsAndEncodedLetters() throws {
    #expect(try Traefik.Rule("Host(`::1`)", .v3).matches(host: "[::1]", path: "/", .v3) == .yes)
    let path = try Traefik.Rule("PathPrefix(`/a b`)", .v3)
    #expect(path.matches(host: "a.test", path: "/a%20b/c", .v3) == .yes)
    #expect(try Traefik.Rule("Path(`/a/b`)", .v3).matches(host: "a.test", path: "/a%2Fb", .v3) == .no)
  }

  @Test(arguments: [
    ("/?mobile", "Query(`mobile`)", Traefik.Syntax.v3, true), ("/?mobile=1", "Query(`mobile`)", .v3, false),
    ("/?q=a&q=b%2Bc+d", "Query(`q`, `b+c d`)", .v3, true), ("/?q=b=c", "Query(`q=b=c`)", .v2, true),
  ])
  func aQueryWithSeveralValuesOrNone(path: String, rule: String, syntax: Traefik.Syntax, holds: Bool) throws {
    #expect((try Traefik.Rule(rule, syntax).matches(host: "a.test", path: path, syntax) == .yes) == holds)
  }

  @Test(arguments: ["Query(`titi`)", "Query(`titi={test`)"])
  func queriesThatVersion2Refuses(rule: String) {
    #expect(throws: Traefik.Refusal.self) { try Traefik.Rule(rule, .v2) }
  }

  @Test func aStarInAHostIsAStarBeforeVersion37() throws {
    let rule = try Traefik.Rule("Host(`*.example.org`)", .v3)
    #expect(rule.matches(host: "shop.example.org", path: "/", .v3, hasWildcards: false) == .no)
  }

  @Test func nestingHasAnEnd() {
    #expect(throws: Traefik.Refusal.self) { try Traefik.Rule(String(repeating: "(", count: 100_000), .v3) }
    #expect(throws: Traefik.Refusal.self) { try Traefik.Rule(String(repeating: "!", count: 100_000), .v3) }
  }
}

@Suite struct TraefikLabelTests {
  private let docker = "--providers.docker=true"

  @Test func addressPortAndRouterOfAContainer() async throws {
    let (outcome, facts) = try await read("http://shop.example.org/", traefik([docker], [app("shop", shopLabels)]))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://172.20.0.9:3000")
    #expect(facts[.routeContainer] == "shop1")
    #expect(facts[.routeDefinedIn] == "label traefik.http.routers.shop.rule of container shop")
    #expect(facts[.routeReadTimeout] == nil, "Traefik waits for ever")
    #expect(facts[.routeConnectTimeout] == "30")
    #expect(facts[.routeDropped] == nil)
  }

  /// Without a label the lowest port counts; without any port the container is dropped
  /// Only what lies below the path has no route, and only where nobody else takes it.
  @Test(
    arguments: [
      ("Path(`/a`)", "/a", true), ("Path(`/a`)", "/a/b", false), ("Path(`/a`)", "/ab", nil),
      ("PathPrefix(`/a`)", "/a/b", true),
    ] as [(String, String, Bool?)])
  func aPathIsForItselfAlone(matcher: String, path: String, isFound: Bool?) async throws {
    let labels = [
      "traefik.http.routers.shop.rule": "Host(`shop.example.org`) && \(matcher)",
      "traefik.http.services.shop.loadbalancer.server.port": "3000",
    ]
    let (outcome, facts) = try await read(
      "http://shop.example.org\(path)", traefik([docker], [app("shop", labels)]))
    #expect(outcome == (isFound == nil ? .missing : isFound == true ? .found : .misconfigured))
    #expect(
      facts[.routeLabel]
        == (isFound == false ? "traefik.http.routers.shop.rule=Host(`shop.example.org`) && PathPrefix(`/a`)" : nil))
  }

  @Test func withoutALabelTheLowestPortCounts() async throws {
    let labels = ["traefik.http.routers.shop.rule": "Host(`shop.example.org`)"]
    let ports = #"{"PrivatePort": 9000, "Type": "tcp"}, {"PrivatePort": 3000, "Type": "tcp"}"#
    let lowest = try await read("http://shop.example.org/", traefik([docker], [app("shop", labels, ports: ports)]))
    #expect(lowest.facts[.upstreamPort] == "3000")
    let none = try await read("http://shop.example.org/", traefik([docker], [app("shop", labels)]))
    #expect(none.outcome == .misconfigured)
    #expect(none.facts[.routeProblem]?.contains("has no port") == true)
  }

  @Test(arguments: [
    ("exited", "Exited (0) 5 minutes ago", "stopped"), ("running", "Up 1 minute (unhealthy)", "unhealthy"),
    ("running", "Up 2 seconds (health: starting)", "starting"),
    ("restarting", "Restarting (1) 2 seconds ago", "restarting"),
  ])
  func aContainerThatTraefikLeavesOutIsStillTheSites(state: String, status: String, why: String) async throws {
    let (outcome, facts) = try await read(
      "http://shop.example.org/", traefik([docker], [app("shop", shopLabels, state: state, status: status)]))
    #expect(outcome == .found)
    #expect(facts[.routeDropped] == why)
    #expect(facts[.routeContainer] == "shop1")
  }

  @Test func ofTwoCopiesTheOneThatRunsCountsAlsoWhereTheOtherHasTheLongerRule() async throws {
    let old = app("old", shopLabels, state: "exited", status: "Exited (0) 1 day ago", networks: [:])
    #expect(
      try await read("http://shop.example.org/", traefik([docker], [old, app("shop", shopLabels)])).facts[
        .routeContainer]
        == "shop1")
    let longer = app(
      "old", ["traefik.http.routers.old.rule": "Host(`shop.example.org`) && PathPrefix(`/`)"], state: "exited",
      status: "Exited (0) 1 day ago")
    #expect(
      try await read("http://shop.example.org/", traefik([docker], [longer, app("shop", shopLabels)])).facts[
        .routeContainer]
        == "shop1")
  }

  @Test func aCatchAllDoesNotHideThatTheSitesOwnContainerIsStopped() async throws {
    let errors = app(
      "errors",
      [
        "traefik.http.routers.all.rule": "HostRegexp(`.+`)", "traefik.http.routers.all.priority": "1",
        "traefik.http.services.all.loadbalancer.server.port": "80",
      ])
    let stopped = app("shop", shopLabels, state: "exited", status: "Exited (1) 1 minute ago")
    let (_, facts) = try await read("http://shop.example.org/", traefik([docker], [errors, stopped]))
    #expect(facts[.routeDropped] == "stopped")
    #expect(
      try await read("http://any.example.org/", traefik([docker], [errors, stopped])).facts[.routeContainer]
        == "errors1")
  }

  @Test func whichOfSeveralNetworksByLabelByTheProviderElseAny() async throws {
    let both = ["web": "172.20.0.9", "database": "172.21.0.9"]
    let any = try await read("http://shop.example.org/", traefik([docker], [app("shop", shopLabels, networks: both)]))
    #expect(any.facts[.routeNetworks] == "database, web")
    let labelled = shopLabels.merging(["traefik.docker.network": "web"]) { $1 }
    let one = try await read("http://shop.example.org/", traefik([docker], [app("shop", labelled, networks: both)]))
    #expect(one.facts[.upstreamHost] == "172.20.0.9")
    #expect(one.facts[.routeNetworks] == nil)
    let provider = try await read(
      "http://shop.example.org/",
      traefik([docker, "--providers.docker.network=database"], [app("shop", shopLabels, networks: both)]))
    #expect(provider.facts[.upstreamHost] == "172.21.0.9")
  }

  @Test func exposedByDefaultTraefikEnableConstraintsAndTheDefaultRule() async throws {
    let hidden = try await read(
      "http://shop.example.org/",
      traefik([docker, "--providers.docker.exposedByDefault=false"], [app("shop", shopLabels)]))
    #expect(hidden.outcome == .missing)
    let constraint = "--providers.docker.constraints=Label(`tier`,`front`) && !LabelRegex(`stage`,`^dev`)"
    let front = shopLabels.merging(["tier": "front", "stage": "prod"]) { $1 }
    #expect(
      try await read("http://shop.example.org/", traefik([docker, constraint], [app("shop", front)])).outcome == .found)
    #expect(
      try await read("http://shop.example.org/", traefik([docker, constraint], [app("shop", shopLabels)])).outcome
        == .missing)
    let composed = app(
      "x_shop_1", ["com.docker.compose.service": "shop", "com.docker.compose.project": "my_x"],
      ports: #"{"PrivatePort": 80}"#)
    let rule = "--providers.docker.defaultRule=Host(`{{ normalize .Name }}.example.org`)"
    #expect(try await read("http://shop-my-x.example.org/", traefik([docker, rule], [composed])).outcome == .found)
  }

  @Test(arguments: [
    (["rule": "Host(`shop.example.org`,`www.shop.example.org`)"], "Host has 2 values and takes 1"),
    (["rule": "Host(`shop.example.org`)", "entrypoints": "websecure"], "there is no entry point websecure"),
    (["rule": "Host(`shop.example.org`)", "middlewares": "gone"], "there is no middleware gone@docker"),
    (["rule": "Host(`shop.example.org`)", "service": "shpo"], "there is no service shpo@docker"),
    (["rule": "Host(`shop.example.org`)", "tls": "true"], "has tls"),
    (["rule": "Host(`shop.example.org`) && Path(`/a`)"], "Path in the rule of the router shop"),
  ])
  func routersThatTraefikDoesNotUse(settings: [String: String], reason: String) async throws {
    var labels = ["traefik.http.services.shop.loadbalancer.server.port": "3000"]
    for (name, value) in settings { labels["traefik.http.routers.shop.\(name)"] = value }
    let (outcome, facts) = try await read("http://shop.example.org/a/b", traefik([docker], [app("shop", labels)]))
    #expect(outcome == .misconfigured)
    #expect(facts[.routeProblem]?.contains(reason) == true, "\(facts[.routeProblem] ?? "")")
  }

  @Test(arguments: [("BASIC_AUTH_PW", true), ("ann:$apr1$x$y", false), ("ann:$apr1$x$y,bob", true)])
  func aUserWithoutAPassword(users: String, isFault: Bool) async throws {
    let labels = [
      "traefik.http.services.shop.loadbalancer.server.port": "3000",
      "traefik.http.routers.shop.rule": "Host(`shop.example.org`)", "traefik.http.routers.shop.middlewares": "login",
      "traefik.http.middlewares.login.basicauth.users": users,
    ]
    let (outcome, facts) = try await read("http://shop.example.org/", traefik([docker], [app("shop", labels)]))
    #expect(outcome == (isFault ? .misconfigured : .found))
    #expect((facts[.routeProblem]?.contains("login@docker") == true) == isFault)
    // What stands there may be a password.
    #expect(facts[.routeProblem]?.contains("BASIC_AUTH_PW") != true)
  }

  /// One label that Traefik does not know keeps the whole container out
  @Test(arguments: [
    ("traefik.http.routers.shop.entrypoint", "web", "field not found, node: entrypoint"),
    ("traefik.http.services.shop.loadbalancer.port", "3000", "field not found, node: port"),
    ("traefik.http.middlewares.x.stripprefix.prefix", "/a", "field not found, node: prefix"),
    ("traefik.htp", "x", nil), ("traefik.http.routers.shop.priority", "high", "priority has the value high"),
    ("traefik.http.routers.shop.tls.certresolver.", "x", "empty"),
    ("traefik.http.middlewares.x.headers", "a", "standalone"),
    ("traefik.http.middlewares.x.retry.attempts", "", "attempts has the value nothing"),
    ("traefik.http.middlewares.x.compress", "true", nil), ("traefik.http.middlewares.x.plugin.any.thing", "1", nil),
    ("traefik.http.middlewares.x.ratelimit.period", "1 minute", "period has the value 1 minute"),
    ("traefik.tls.stores.default.nonsense", "x", "field not found, node: nonsense"),
    ("traefik.tls.options.x.minversion", "x", nil), ("traefik.docker.net", "x", "field not found, node: net"),
    ("Traefik.http.middlewares.x.compress", "true", "does not begin with traefik"),
    ("traefik.http.services.shop.loadbalancer.servers[0].url", "http://x:1", "field not found, node: servers"),
    ("traefik.http.middlewares.x.compress", "maybe", nil),
    ("traefik.enabled", "true", "field not found, node: enabled"),
    ("traefik.enable", "yes", "enable has the value yes"),
    ("traefik.http.services.shop.loadbalancer.server.url", "http://x:1", "takes neither scheme nor port"),
    ("traefik.http.services.other.weighted.services[0].name", "shop", "no load balancer"),
    ("traefik.http.routers.shop.rule.more", "x", "invalid node rule"),
    ("traefik.http.services.other", "", "other cannot be a standalone element"),
  ])
  func aLabelThatTraefikCannotTake(name: String, value: String, reason: String?) async throws {
    let labels = shopLabels.merging([name: value]) { $1 }
    let (outcome, facts) = try await read("http://shop.example.org/", traefik([docker], [app("shop", labels)]))
    #expect(outcome == (reason == nil ? .found : .misconfigured))
    if let reason { #expect(facts[.routeProblem]?.contains(reason) == true, "\(facts[.routeProblem] ?? "")") }
  }

  @Test func theServiceOfALabelHasAPortThatIsNone() async throws {
    for port in ["http", "99999"] {
      let labels = shopLabels.merging(["traefik.http.services.shop.loadbalancer.server.port": port]) { $1 }
      let world = traefik([docker], [app("shop", labels, ports: #"{"PrivatePort": 3000, "Type": "tcp"}"#)])
      let (outcome, facts) = try await read("http://shop.example.org/", world)
      #expect(outcome == .misconfigured)
      #expect(facts[.routeProblem]?.contains("has the port \(port), which is none") == true)
    }
  }

  /// What came or went with a version is judged where the version is known, and left open where not
  @Test(arguments: [
    ("v3.7", "traefik.http.middlewares.x.retry.timeout", "1s", Reading.Outcome.found),
    ("v3.6.1", "traefik.http.middlewares.x.retry.timeout", "1s", .misconfigured),
    ("v2.4", "traefik.http.middlewares.x.headers.accesscontrolalloworigin", "*", .found),
    ("v2.11.2", "traefik.http.middlewares.x.headers.accesscontrolalloworigin", "*", .misconfigured),
    ("v3", "traefik.http.middlewares.x.retry.timeout", "1s", .found),
    ("v3", "traefik.http.routers.shop.entrypoint", "web", .unknown),
    ("latest", "traefik.http.routers.shop.entrypoint", "web", .unknown),
    ("v3.99", "traefik.http.routers.shop.entrypoint", "web", .unknown),
  ])
  func fieldsOfVersions(tag: String, name: String, value: String, outcome: Reading.Outcome) async throws {
    let world = traefik([docker], tag: tag, [app("shop", shopLabels.merging([name: value]) { $1 })])
    if outcome == .unknown {
      await #expect(throws: Unseen.self) { try await read("http://shop.example.org/", world) }
    } else {
      #expect(try await read("http://shop.example.org/", world).outcome == outcome)
    }
  }

  @Test func theImageTellsItsVersionWhereTheTagDoesNot() async throws {
    let labels = shopLabels.merging(["traefik.http.routers.shop.entrypoint": "web"]) { $1 }
    let world = traefik([docker], [app("shop", labels)]).container(
      "edge1",
      #""Name": "/traefik", "Path": "traefik", "Args": ["--entryPoints.web.address=:80", "--providers.docker=true"], "Config": {"Image": "traefik:latest", "Labels": {"org.opencontainers.image.title": "Traefik", "org.opencontainers.image.version": "v3.7.1"}}"#
    )
    let (outcome, facts) = try await read("http://shop.example.org/", world)
    #expect(outcome == .misconfigured)
    #expect(facts[.routeLabel] == "traefik.http.routers.shop.entrypoints=web")
  }

  /// Only `true` turns TLS on, as a label of its own
  @Test func tlsThatIsNotTrueIsNone() async throws {
    for (value, outcome) in [
      ("yes", Reading.Outcome.found), ("false", .found), ("TRUE", .misconfigured), ("", .misconfigured),
    ] {
      let labels = shopLabels.merging(["traefik.http.routers.shop.tls": value]) { $1 }
      #expect(
        try await read("http://shop.example.org/", traefik([docker], [app("shop", labels)])).outcome == outcome,
        "\(value)")
    }
  }

  @Test func severalValuesInOneHostAreRightInVersion2() async throws {
    let labels = shopLabels.merging(["traefik.http.routers.shop.rule": "Host(`shop.example.org`,`x.test`)"]) { $1 }
    #expect(
      try await read("http://shop.example.org/", traefik([docker], tag: "v2.11.2", [app("shop", labels)])).outcome
        == .found)
  }

  @Test func twoServicesAndNoChoiceOneRouterInTwoWays() async throws {
    let two = shopLabels.merging(["traefik.http.services.admin.loadbalancer.server.port": "9000"]) { $1 }
    let (_, facts) = try await read("http://shop.example.org/", traefik([docker], [app("shop", two)]))
    #expect(facts[.routeProblem]?.contains("several services (admin, shop)") == true)
    let other = shopLabels.merging(["traefik.http.routers.shop.rule": "Host(`shop.example.org`) && Path(`/`)"]) { $1 }
    let clash = try await read(
      "http://shop.example.org/", traefik([docker], [app("shop", shopLabels), app("copy", other)]))
    #expect(clash.facts[.routeProblem]?.contains("both define the router shop") == true)
    let setting = "traefik.http.services.shop.loadbalancer.passhostheader"
    let services = ["true", "false"].map { value in
      app("shop\(value)", shopLabels.merging([setting: value]) { $1 })
    }
    let twice = try await read("http://shop.example.org/", traefik([docker], services))
    #expect(twice.facts[.routeProblem]?.contains("both define the service shop") == true)
  }

  @Test func whatTheAPISaysStandsAboveWhatWasRead() async throws {
    let both = ["web": "172.20.0.9", "database": "172.21.0.9"]
    let world = traefik([docker, "--api.insecure=true"], [app("shop", shopLabels, networks: both)])
    let body =
      #"{"routers": {"shop@docker": {"rule": "Host(`shop.example.org`)", "service": "shop", "status": "enabled"}}, "services": {"shop@docker": {"loadBalancer": {"servers": [{"url": "http://172.21.0.9:3000"}]}, "serverStatus": {"http://172.21.0.9:3000": "UP"}}}}"#
    let request = HTTPRequest(
      url: "http://127.0.0.1:8080/api/rawdata", place: .process(7), limit: 2, bodyLimit: 16_777_216)
    world.with(request, .init(status: 200, body: Array(body.utf8)))
    let (outcome, facts) = try await read("http://shop.example.org/", world)
    #expect(outcome == .found)
    #expect(facts[.upstreamHost] == "172.21.0.9")
    #expect(facts[.routeNetworks] == nil)
    #expect(facts[.routeHealthState] == nil, "UP is no evidence")
    world.with(request, .init(status: 200, body: Array(#"{"routers": {}, "services": {}}"#.utf8)))
    #expect(try await read("http://shop.example.org/", world).outcome == .misconfigured)
  }

  @Test func dockerThatCannotBeAskedUnknownNotMissing() async throws {
    let world = traefik([docker], []).with(
      DockerGet(path: "/containers/json?all=1"), unseen: .notPermitted(what: "Docker"))
    await #expect(throws: Unseen.notPermitted(what: "Docker")) { try await read("http://shop.example.org/", world) }
    await #expect(throws: Unseen.self) {
      try await read("http://shop.example.org/", traefik(["--providers.swarm=true"], []))
    }
  }
}

@Suite struct TraefikFileTests {
  private let flag = "--providers.file.directory=/dynamic"
  private let routes = """
    http:
      routers:
        shop: {rule: "Host(`shop.example.org`)", service: shop, middlewares: [cut, login]}
      middlewares:
        cut: {stripPrefix: {prefixes: ["/app"]}}
        login: {forwardAuth: {address: "http://auth:9091/verify"}}
      services:
        shop:
          loadBalancer:
            serversTransport: own
            healthCheck: {path: /ready}
            servers:
              - url: "https://shop:3000/"
              - url: "https://shop2:3000/"
      serversTransports:
        own:
          serverName: inner.lan
          insecureSkipVerify: false
          forwardingTimeouts: {responseHeaderTimeout: 1m30s, dialTimeout: 5}
    """
  private let tables = """
    [http.routers."shop"]
      rule = "Host(`shop.example.org`)" # the site
      service = "shop"
      middlewares = ["cut", "login"]
    [http.middlewares]
      cut.stripPrefix.prefixes = ["/app"]
      login = {forwardAuth = {address = "http://auth:9091/verify"}}
    [http.services.shop.loadBalancer]
      serversTransport = "own"
      healthCheck.path = '/ready'
      [[http.services.shop.loadBalancer.servers]]
        url = "https://shop:3000/"
      [[http.services.shop.loadBalancer.servers]]
        url = "https://shop2:3000/"
    [http.serversTransports.own]
      serverName = "inner.lan"
      insecureSkipVerify = false
    [http.serversTransports.own.forwardingTimeouts]
      responseHeaderTimeout = "1m30s"
      dialTimeout = 5
    """

  @Test(arguments: [false, true])
  func everyFactWithItsPlaceInTheLineAsTheHostSeesTheFile(isTOML: Bool) async throws {
    let (file, text) = isTOML ? ("routes.toml", tables) : ("routes.yml", routes)
    let (outcome, facts) = try await read(
      "http://shop.example.org/app/x?y=z", traefik([flag], files: ["/dynamic/\(file)": text], []))
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "https://shop:3000")
    #expect(facts[.routeServers] == "shop:3000, shop2:3000")
    #expect(facts[.routeDefinedIn] == "/dynamic/\(file):\(isTOML ? 2 : 3)")
    #expect(facts[.upstreamPath] == "/x?y=z")
    #expect(facts[.routeAuth] == "http://auth:9091")
    #expect(facts[.routeReadTimeout] == "90")
    #expect(facts[.routeConnectTimeout] == "5")
    #expect(facts[.routeVerifies] == "on")
    #expect(facts[.routeTLSName] == "inner.lan")
    #expect(facts[.routeHealthPath] == "/ready")
    // What pages insert is YAML.
    #expect((facts["pass-line.text"] == nil) == isTOML)
    for (name, value, yaml, toml) in [
      ("host", "shop", "13", "12"), ("port", "3000", "13", "12"), ("scheme", "https", "13", "12"),
      ("timeout", "1m30s", "19", "19"), ("verify", "false", "18", "17"), ("ssl-name", "inner.lan", "17", "16"),
    ] {
      let number = isTOML ? toml : yaml
      let part = { (part: String) in facts[FactName("\(name)-line.\(part)")] ?? "" }
      #expect(part("file") == "/srv/dynamic/\(file)")
      #expect(part("number") == number, "\(name)")
      #expect(part("head") + value + part("tail") == part("text"), "\(name)")
    }
  }

  /// For one unknown name Traefik drops every file; the line tells it, and what was probably meant
  @Test func aFileWithANameThatTraefikDoesNotKnow() async throws {
    let odd = routes.replacing("service: shop, middlewares", with: "service: shop, entryPoint: [web], middlewares")
    let alone = try await read("http://shop.example.org/", traefik([flag], files: ["/dynamic/a.yml": odd], []))
    #expect(alone.outcome == .broken)
    #expect(
      alone.facts[.configProblem]
        == "/dynamic/a.yml, line 3: field not found, node: entryPoint (http.routers.shop.entryPoint)")
    #expect(alone.facts["problem-line.fixed"]?.contains("entryPoints: [web]") == true)
    let other = routes.replacing("shop.example.org", with: "other.example.org").replacing("shop:", with: "other:")
    let beside = try await read(
      "http://other.example.org/", traefik([flag], files: ["/dynamic/a.yml": odd, "/dynamic/b.yml": other], []))
    #expect(beside.facts[.configProblem]?.hasPrefix("/dynamic/a.yml, line 3") == true)
    let tables = tables.replacing("dialTimeout = 5", with: "dialTimout = 5")
    let toml = try await read("http://shop.example.org/", traefik([flag], files: ["/dynamic/a.toml": tables], []))
    #expect(toml.outcome == .broken)
    await #expect(throws: Unseen.self) {
      try await read("http://shop.example.org/", traefik([flag], tag: "v3", files: ["/dynamic/a.yml": odd], []))
    }
  }

  @Test(arguments: [
    ("service: shop", "service: shop, priority: high", true),
    ("insecureSkipVerify: false", "insecureSkipVerify: yes", true),
    ("dialTimeout: 5", "dialTimeout: 5 s", true), ("dialTimeout: 5", "dialTimeout: ~", false),
    ("dialTimeout: 5", "dialTimeout: 1_0", false), ("service: shop", "service: shop, tls: {}", false),
    ("healthCheck: {path: /ready}", "healthCheck: {}", true), ("healthCheck: {path: /ready}", "healthCheck:", false),
    ("services:", "models: {}\n  services:", true), ("http:", "unheard: {of: it}\nhttp:", false),
    ("rule: \"Host(`shop.example.org`)\"", "rule: {a: b}", true),
  ])
  func whatAFileMayHave(text: String, new: String, isRefused: Bool) async throws {
    let file = routes.replacing(text, with: new, maxReplacements: 1)
    #expect(file != routes)
    let (outcome, _) = try await read(
      "https://shop.example.org/", traefik([flag, "--entryPoints.web.http.tls"], files: ["/dynamic/a.yml": file], []))
    #expect((outcome == .broken) == isRefused, "\(outcome)")
  }

  @Test func aFileThatSaysNothingBreaksNothing() async throws {
    let files = ["/dynamic/a.yml": "# nothing yet\n", "/dynamic/b.yml": routes]
    let (outcome, facts) = try await read("http://shop.example.org/app/", traefik([flag], files: files, []))
    #expect(outcome == .found)
    #expect(facts[.configProblem] == nil)
  }

  @Test func aServiceWithoutWeightIsNotDialled() async throws {
    let text = """
      http:
        routers: {a: {rule: "Host(`a.test`)", service: both}}
        services:
          both: {weighted: {services: [{name: old, weight: 0}, {name: new, weight: 1}]}}
          old: {loadBalancer: {servers: [{url: "http://old:1"}]}}
          new: {loadBalancer: {servers: [{url: "http://zero:2", weight: 0}, {url: "http://new:2"}]}}
      """
    let (_, facts) = try await read("http://a.test/", traefik([flag], files: ["/dynamic/a.yml": text], []))
    #expect(facts[.routeUpstream] == "http://new:2")
    #expect(facts[.routeServers] == nil, "the other ones have no weight")
  }

  /// Aliases of YAML that multiply themselves take no time
  @Test func aliasesThatGrow() async throws {
    var text = "http:\n  a: &a [x, x, x, x, x, x, x, x, x]\n"
    for (name, last) in zip("bcdefgh", "abcdefg") {
      text += "  \(name): &\(name) [\((0..<9).map { _ in "*\(last)" }.joined(separator: ", "))]\n"
    }
    let start = ContinuousClock.now
    _ = try? await read("http://a.test/", traefik([flag], files: ["/dynamic/a.yml": text], []))
    let wide = (0..<3000).map { _ in "*d" }.joined(separator: ", ")
    let many = """
      d: &d {main: a.test}
      t: &t {domains: [\(wide)]}
      http: {routers: {\((0..<3000).map { "r\($0): {rule: \"Host(`a.test`)\", service: s, tls: *t}" }.joined(separator: ", "))}}
      """
    _ = try? await read("http://a.test/", traefik([flag], files: ["/dynamic/a.yml": many], []))
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  /// A value that is written with an escape has no place, though the same letters stand in a comment
  @Test func aValueThatIsWrittenWithAnEscapeHasNoPlace() async throws {
    let text = tables.replacing(
      #"url = "https://shop:3000/""#, with: #"url = "https\u003a//shop:3000/" # https://shop:3000/"#)
    let (outcome, facts) = try await read(
      "http://shop.example.org/app/", traefik([flag], files: ["/dynamic/routes.toml": text], []))
    #expect(outcome == .found)
    #expect(facts[.upstreamPort] == "3000")
    #expect(facts["port-line.text"] == nil)
  }

  @Test func theStaticConfigurationMayBeTOMLToo() async throws {
    let text = "[entryPoints.web]\naddress = \":80\"\n[providers.file]\ndirectory = \"/dynamic\"\n"
    let world = traefik([], files: ["/dynamic/routes.toml": tables], [])
      .file("/etc/traefik/traefik.toml", text, in: .process(7))
    #expect(try await read("http://shop.example.org/app/", world).outcome == .found)
    world.file("/etc/traefik/traefik.toml", "[entryPoints", in: .process(7))
    await #expect(throws: Unseen.unreadable(what: "/etc/traefik/traefik.toml", why: .init(.notFormat, "TOML"))) {
      try await read("http://shop.example.org/app/", world)
    }
  }

  /// What stands in the file is not what Traefik reads, so no line of it is patched.
  @Test func aTemplateHasTheValuesOfVariables() async throws {
    let text = """
      http:
        routers:
          shop: {rule: "Host(`shop.example.org`)", service: shop}
        services:
          shop:
            loadBalancer:
              servers:
                - url: "http://shop:{{ env "SHOP_PORT" }}3000"
      """
    let found = try await read("http://shop.example.org/", traefik([flag], files: ["/dynamic/a.yml": text], []))
    #expect(found.facts[.routeUpstream] == "http://shop:3000")
    #expect(found.facts[.line(.port, "text")] == nil)
  }

  @Test func aFileThatTraefikDropsAndOneThatIsATemplate() async throws {
    for (path, broken) in [
      ("/dynamic/a.yml", "http:\n  routers: {}\n  routers: {}\n"),
      ("/dynamic/a.toml", "[http]\n[http.routers]\n[http]\n"),
    ] {
      let found = try await read("http://shop.example.org/", traefik([flag], files: [path: broken], []))
      #expect(found.outcome == .broken)
      #expect(found.facts[.configProblem]?.contains("\(path), line 3") == true)
    }
    let template = ("/dynamic/a.yml", "http: {{ include \"X\" }}")
    await #expect(throws: Unseen.unreadable(what: template.0, why: .init(.template))) {
      try await read("http://shop.example.org/", traefik([flag], files: [template.0: template.1], []))
    }
    #expect(
      try await read("http://shpo.example.org/", traefik([flag], files: ["/dynamic/a.yml": routes], [])).facts[
        .routeNear] == "shop.example.org")
  }
}

@Suite struct TraefikComposeTests {
  private let labels = shopLabels.merging([
    "com.docker.compose.project": "site", "com.docker.compose.service": "shop",
    "com.docker.compose.project.config_files": "compose.yml", "com.docker.compose.project.working_dir": "/srv/site",
  ]) { $1 }

  private func facts(_ service: String) async throws -> Facts {
    let world = traefik(
      ["--providers.docker=true"], compose: ["/srv/site/compose.yml": service], [app("shop", labels)])
    return try await read("http://shop.example.org/", world).facts
  }

  @Test(arguments: [
    (
      "services:\n  shop:\n    labels:\n      - \"traefik.http.services.shop.loadbalancer.server.port=3000\"\n      - 'traefik.http.routers.shop.rule=Host(`shop.example.org`)'\n      - a=b\n",
      "4", "5", "- \"", "="
    ),
    (
      "x-labels: &shop\n  traefik.http.routers.shop.rule: Host(`shop.example.org`)\n  traefik.http.services.shop.loadbalancer.server.port: 3000\n  a: b\nservices:\n  shop:\n    labels:\n      <<: *shop\n",
      "3", "2", "\"", "\": \""
    ),
  ])
  func asAListAsAMapAndByAnAnchor(file: String, port: String, pass: String, open: String, between: String) async throws
  {
    let facts = try await facts(file)
    #expect(facts["port-line.file"] == "/srv/site/compose.yml")
    #expect(facts["port-line.number"] == port)
    #expect((facts["port-line.head"] ?? "") + "3000" + (facts["port-line.tail"] ?? "") == facts["port-line.text"])
    #expect(facts["pass-line.number"] == pass)
    #expect(facts["label.open"] == open)
    #expect(facts["label.between"] == between)
    #expect(facts[.composeProgram] == "docker-compose")
    #expect(facts[.composeProject] == "site")
    #expect(facts[.routeDefinedIn] == "/srv/site/compose.yml:\(pass)")
  }

  @Test func aValueFromAVariableHasNoPlaceAFileThatCannotBeReadGivesNone() async throws {
    let facts = try await facts(
      "services:\n  shop:\n    labels:\n      - traefik.http.services.shop.loadbalancer.server.port=${PORT}\n")
    #expect(facts["port-line.text"] == nil)
    #expect(try await self.facts("a: [").values[.composeFile] == "/srv/site/compose.yml")
  }
}

/// When Traefik took in what its files say.
@Suite struct TraefikLoadTests {
  private func loaded(_ flags: [String]) async throws -> Double {
    let process = ProcessSeen(
      id: 7, parent: 1, name: "traefik", command: ["traefik"], started: 500, sharesNetwork: nil, container: "edge1")
    let world = traefik(["--providers.file.directory=/dynamic"] + flags).with(
      Processes(names: Signs().proxyProcesses), [process])
    return try await RouteReading.loaded(
      kind: "traefik", at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
  }

  @Test func whatItDoesNotWatchItHasAsItWasAtItsStart() async throws {
    #expect(try await loaded(["--providers.file.watch=false"]) == 500)
  }

  @Test(arguments: [[], ["--providers.file.watch=true"]])
  func whatItWatchesItLoadsByItself(flags: [String]) async throws {
    await #expect(throws: Unseen.missing(what: "the time of Traefik's last load")) { try await loaded(flags) }
  }

  @Test func theFileOfTheRouteIsTheOneThatMayBeNewer() async throws {
    let text = """
      http:
        routers: {shop: {rule: "Host(`shop.example.org`)", service: shop}}
        services: {shop: {loadBalancer: {servers: [{url: "http://app:3000"}]}}}
      """
    let world = traefik(["--providers.file.directory=/dynamic"]).file(
      "/dynamic/shop.yml", text, in: .process(7), modified: 700)
    let facts = try await read("http://shop.example.org/", world).facts
    #expect(facts[.configNewest] == "/dynamic/shop.yml")
    #expect(facts[.configNewestTime] == "700.0")
  }

  /// A port that the visitor names is in the `Host` that the app gets.
  @Test func theHostIsSentOnWithItsPort() async throws {
    let world = traefik(["--providers.docker=true"], [app("shop", shopLabels)])
    let url = "http://shop.example.org"
    #expect(try await read("\(url):8080/", world).facts[.routeSendsHost] == "shop.example.org:8080")
    #expect(try await read("\(url)/", world).facts[.routeSendsHost] == "shop.example.org")
  }

  /// Only a manager tells the services; what it does not tell is not missing.
  @Test func aRouteOfSwarmIsNotCalledMissing() async throws {
    let flags = ["--providers.docker=true", "--providers.docker.swarmMode=true"]
    await #expect(throws: Unseen.self) { try await read("http://shop.example.org/", traefik(flags, tag: "v2.11")) }
    #expect(try await read("http://shop.example.org/", traefik([flags[0]], tag: "v2.11")).outcome == .missing)
  }

  private func services(_ replicas: Int) -> String {
    let labels = shopLabels.map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ")
    return #"""
      [{"ID": "s1", "Spec": {"Name": "team_shop", "Mode": {"Replicated": {"Replicas": \#(replicas)}}, "Labels": {\#(labels)}}}]
      """#
  }

  @Test(arguments: [
    (["--providers.swarm=true"], "v3.4"), (["--providers.docker=true", "--providers.docker.swarmMode=true"], "v2.11"),
  ]) func theLabelsOfASwarmAreThoseOfItsServices(flags: [String], tag: String) async throws {
    let own = ["com.docker.swarm.service.id": "s1", "traefik.http.routers.other.rule": "Host(`x`)"]
    let world = traefik(flags, tag: tag, [app("team_shop.1.x", own)]).docker("/services", services(1))
    let found = try await read("http://shop.example.org/", world)
    #expect(found.outcome == .found)
    #expect(found.facts[.upstreamHost] == "172.20.0.9")
    #expect(found.facts["route.swarm-service"] == "team_shop")
    #expect(try await read("http://x/", world).outcome == .missing)
  }

  @Test func aServiceWithoutATaskHereIsReachedByItsName() async throws {
    for replicas in [0, 1] {
      let world = traefik(["--providers.swarm=true"], []).docker("/services", services(replicas))
      let found = try await read("http://shop.example.org/", world)
      #expect(found.outcome == .found)
      #expect(found.facts[.upstreamHost] == "team_shop")
      #expect(found.facts[.routeContainer] == nil)
    }
  }
}

@Suite struct TraefikMendingTests {
  @Test func theRouteOfALabelWithASlipIsKnown() async throws {
    let labels = [
      "traefik.http.router.shop.rule": "Host(`shop.example.org`)",
      "traefik.http.services.shop.loadbalancer.server.port": "3000",
    ]
    let read = try await read("http://shop.example.org", traefik(["--providers.docker"], [app("shop", labels)]))
    #expect(read.outcome == .misconfigured)
    #expect(read.facts["route.label"] == "traefik.http.routers.shop.rule=Host(`shop.example.org`)")
  }

  @Test func aRouterMeansTheServiceThatNoOtherOneIsCalledLike() async throws {
    let labels = [
      "traefik.http.routers.site.rule": "Host(`shop.example.org`)", "traefik.http.routers.admin.rule": "Host(`a.test`)",
      "traefik.http.services.web.loadbalancer.server.port": "3000",
      "traefik.http.services.admin.loadbalancer.server.port": "3001",
    ]
    let read = try await read("http://shop.example.org", traefik(["--providers.docker"], [app("shop", labels)]))
    #expect(read.facts["route.label"] == "traefik.http.routers.site.service=web")
  }
}

@Suite struct TraefikServiceTests {
  private func read(_ text: String, server: String? = nil) async throws -> Reading {
    try await RouteReading.read(
      .init(site: try #require(Site("http://a.test/")), port: 80, server: server), kind: "traefik",
      at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false),
      in: traefik(["--providers.file.directory=/dynamic"], files: ["/dynamic/a.yml": text]), Signs())
  }

  /// All of them get requests, and each can be looked at with its own line
  @Test func theServersOfAWeightedService() async throws {
    let text = """
      http:
        routers: {a: {rule: "Host(`a.test`)", service: both}}
        services:
          both: {weighted: {services: [{name: blue, weight: 3}, {name: green, weight: 1}, {name: blue}]}}
          blue: {loadBalancer: {servers: [{url: "http://blue:1"}]}}
          green:
            loadBalancer:
              servers:
                - url: http://green:2
                - url: http://green:3
      """
    let first = try await read(text)
    #expect(first.facts[.routeServers] == "blue:1, green:2, green:3")
    #expect(first.entry?.service == "blue")
    let last = try await read(text, server: "green:3")
    #expect(last.entry?.service == "green")
    #expect(last.facts[.line(.port, "number")] == "10")
  }

  @Test func aServiceThatFailsOverHasABackup() async throws {
    let text = """
      http:
        routers: {a: {rule: "Host(`a.test`)", service: both}}
        services:
          both: {failover: {service: main, fallback: spare}}
          main: {loadBalancer: {servers: [{url: "http://main:1"}]}}
          spare: {loadBalancer: {servers: [{url: "http://spare:1"}]}}
      """
    #expect(try await read(text).route?.servers.map(\.duty) == [.used, .backup])
  }

  @Test func servicesInACircleEnd() async throws {
    let text = """
      http:
        routers: {a: {rule: "Host(`a.test`)", service: x}}
        services: {x: {mirroring: {service: y}}, y: {weighted: {services: [{name: x}, {name: y}]}}}
      """
    #expect(try await read(text).outcome == .unknown)
  }

  @Test(arguments: [("lax", nil), ("default@internal", nil), ("laxx", "there is no serversTransport laxx@file")])
  func aTransportThatNobodyDefines(name: String, problem: String?) async throws {
    let reading = try await read(
      """
      http:
        routers: {a: {rule: "Host(`a.test`)", service: s}}
        serversTransports: {lax: {insecureSkipVerify: true}}
        services:
          s:
            loadBalancer:
              serversTransport: \(name)
              servers: [{url: "https://s:1"}]
      """)
    #expect(reading.problem?.reason == problem)
    if problem != nil {
      #expect(reading.facts[.line(.problem, "fixed")] == "        serversTransport: lax@file")
    }
  }

  /// It can be left out, if its line is its own.
  @Test(arguments: ["servers: [{url: 'https://s:1'}]\n        serversTransport: gone", "{serversTransport: gone}"])
  func aTransportThatIsLikeNoneIsNeedless(balancer: String) async throws {
    let reading = try await read(
      """
      http:
        routers: {a: {rule: "Host(`a.test`)", service: s}}
        services:
          s:
            loadBalancer:
              \(balancer)
      """)
    #expect(reading.problem?.reason == "there is no serversTransport gone@file")
    let isAlone = reading.facts[.line(.problem, "needless")] != nil
    #expect(isAlone == balancer.hasSuffix("gone"))
    #expect(reading.facts[.line(.problem, "fixed")] == nil)
  }

  /// The higher priority counts, whatever the rules say
  @Test(arguments: [("1000", true), ("2", false)])
  func aRouterForEveryNameMayComeFirst(priority: String, isFirst: Bool) async throws {
    let reading = try await read(
      """
      http:
        routers:
          a: {rule: "Host(`a.test`)", service: s}
          all:
            rule: PathPrefix(`/`)
            priority: \(priority)
            service: parking
        services:
          s: {loadBalancer: {servers: [{url: "http://s:1"}]}}
          parking: {loadBalancer: {servers: [{url: "http://parking:1"}]}}
      """)
    #expect(reading.outcome == (isFirst ? .misconfigured : .found))
    #expect(reading.facts[.line(.problem, "fixed")] == (isFirst ? "      priority: 1" : nil))
  }
}
