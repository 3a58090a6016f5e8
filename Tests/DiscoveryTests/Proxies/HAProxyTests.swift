import Fixture
import Foundation
import Glibc
import Model
import Testing
import World

@testable import Discovery
import Routes

private func configuration(_ text: String, lists: [String: [String]] = [:]) -> HAProxy.Configuration {
  var configuration = HAProxy.Configuration()
  do { try configuration.add(text, of: "/etc/haproxy/haproxy.cfg") } catch { Issue.record(error) }
  for (path, lines) in lists { configuration.lists[path] = HAProxy.List(lines.joined(separator: "\n"), of: path) }
  return configuration
}

/// Where a request ends: `backend/server`, `answered:LINE`, `missing` or `unknown:LINE`.
private func end(_ url: String, in configuration: HAProxy.Configuration, port: UInt16 = 80) throws -> String {
  let site = try #require(Site(url))
  guard let route = configuration.route(.init(site: site, port: port)) else { return "nobody" }
  switch route.kind {
  case .passed:
    return "\(route.backend?.name ?? "")/\(route.servers.chosen(nil, by: { $0.asServer(port: port) })?.name ?? "")"
  case .answered(let rule): return "answered:\(rule.line)"
  case .missing: return "missing"
  case .disabled: return "disabled"
  case .unknown(let rule): return "unknown:\(rule.line)"
  }
}

@Suite struct HAProxyGrammarTests {
  @Test(arguments: [
    (#"server app 10.0.0.1:80 check # the app"#, ["server", "app", "10.0.0.1:80", "check"]),
    (#"log-format "%ci \"%r\" # no comment""#, ["log-format", #"%ci "%r" # no comment"#]),
    (#"errorfile 503 /etc/a\ b.http"#, ["errorfile", "503", "/etc/a b.http"]),
    (#"acl x path 'a "b" \c'"#, ["acl", "x", "path", #"a "b" \c"#]),
    (##"acl y path /a\#b"##, ["acl", "y", "path", "/a#b"]),
    (#"acl v path_reg ^/v\d+/\.x\\y \$"#, ["acl", "v", "path_reg", #"^/v\d+/\.x\y"#, "$"]),
    (#"server s a"b"c:80#x"#, ["server", "s", "abc:80"]), ("   ", []), ("\tmode\thttp\r", ["mode", "http"]),
  ])
  func wordsQuotesEscapesAndComments(line: String, expected: [String]) throws {
    #expect(try HAProxy.words(of: line).get().map(\.text) == expected)
  }

  @Test func aQuoteThatDoesNotEndIsAMistakeWithItsLine() {
    let found = configuration("global\n  log-tag \"haproxy\n").mistakes
    #expect(found.map(\.line) == [2])
  }

  @Test func aVariableStaysByItsName() throws {
    let words = try HAProxy.words(of: #"server app "${APP_HOST}:3000""#).get()
    #expect(words[2].hasVariable)
    #expect(words[2].text == "${APP_HOST}:3000")
  }

  @Test(arguments: [("5s", 5.0), ("5000", 5), ("250ms", 0.25), ("2m", 120), ("1d", 86_400)])
  func times2(text: String, seconds: Double) { #expect(HAProxy.seconds(text) == seconds) }

  /// Sections inherit from the last defaults before them, or from the one that they name
  @Test func sectionsInheritFromTheLastDefaultsBeforeThem() throws {
    let text = """
      defaults slow
        mode http
        timeout server 5m
      defaults
        mode http
        timeout server 30s
      backend a
      backend b from slow
      backend c
        timeout server 2s
      """
    let configuration = configuration(text)
    for (name, value) in [("a", "30s"), ("b", "5m"), ("c", "2s")] {
      let backend = try #require(configuration.backend(name))
      #expect(configuration.setting("timeout", "server", of: backend)?.arguments.last == value)
    }
  }

  @Test(
    arguments: [
      ("app:3000", "app", "3000"), ("10.0.0.1:80", "10.0.0.1", "80"), ("[::1]:80", "::1", "80"),
      ("ipv4@app:8080", "app", "8080"), ("app", "app", nil), ("app:+100", "app", nil),
    ] as [(String, String, String?)])
  func addressesOfServersWithThePlacesOfHostAndPort(address: String, host: String, port: String?) throws {
    let line = "  server s1 \(address) check ssl verify none"
    let words = try HAProxy.words(of: line).get()
    let directive = HAProxy.Directive(words: words, file: "f", line: 1, text: line, mayHold: false)
    let server = try #require(HAProxy.Server(directive, defaults: [], port: 8000))
    guard case .network(let found, let number) = server.address else {
      Issue.record("\(server.address)")
      return
    }
    #expect(found == host)
    #expect(number == (port.flatMap { UInt16($0) } ?? (address.hasSuffix("+100") ? 8100 : nil)))
    #expect(server.portSpan.map { String(line.dropFirst($0.head.count).dropLast($0.tail.count)) } == port)
    #expect(server.plainLine == "  server s1 \(address) check")
  }

  @Test func wordsThatDefaultServerGivesAndThatAServerTakesBack() throws {
    let text = """
      defaults
        default-server check inter 2s
      backend app
        default-server ssl verify required ca-file /etc/ca.pem
        server one app1:443
        server two app2:80 no-ssl no-check verify none
      """
    let configuration = configuration(text)
    let servers = configuration.servers(of: try #require(configuration.backend("app")), port: 80)
    #expect(servers.map(\.isTLS) == [true, false])
    #expect(servers.map { $0.has("check") } == [true, false])
    #expect(servers.map { $0.value("verify") } == ["required", "none"])
    #expect(servers[0].plainLine == nil, "the words stand in another line")
  }

  @Test(
    arguments: [
      ("backend a\n  sever s 10.0.0.1:80", 2), ("frontend f\n  bind :80\n  use_backend nobody if TRUE\nbackend a", 3),
      ("backend a\n  server s 10.0.0.1:443 ssl", 2), ("backend a\n  server s 10.0.0.1:443 ssl verify none", nil),
      ("global\n  node one\n  stats socket /run/s\ndefaults d\n  tcp-request content accept", nil),
      ("frontend f/a\n  bind :80", 1), ("backend a\nfrontend a\n  bind :80\nlisten a\n  bind :81", 4),
      ("backend a\n  server s 10.0.0.1:80\n  server s 10.0.0.2:80", 3), ("frontend f\n  server s 10.0.0.1:80", 2),
      ("defaults\n  option http-use-htx", 2), ("defaults\n  no option htplog", 2), ("backend a from b", 1),
      ("frontend f\n  bind :80\n  http-request deny if later\n  acl later path /x", 3),
      ("frontend f\n  bind 10.0.0.1", 2), ("frontend f\n  acl in src 10.0.0.0/8 10.0.0.1,10.0.0.2", 2),
      ("frontend f\n  acl in src 10.0.0.0/33", 2), ("frontend f\n  acl in src 10.0.0.0/8 ::1 fd00::/64 localhost", nil),
      ("frontend f\n  acl a (x) -m found", 2), ("frontend f\n  http-request set-header a %[(x)]", 2),
      ("frontend f\n  http-request set-header a %[hdr(x))]", 2),
      ("frontend f\n  http-request set-header a %[hdr(x),lower]:%ci", nil),
      ("frontend f\n  redirect prefix / if { path_bg /x }", 2),
      ("frontend f\n  redirect prefix / if { shdr_beg(x) /x } METH_GET !{ ssl_bc }", nil),
      ("frontend f\n  redirect prefix / if { path /x", 2), ("backend a\n  server s 10.0.0.1:80 chek", 2),
      ("defaults\n  mode http\nfrontend f\n  use_backend a if TRUE\nbackend a\n  mode tcp", 4),
      ("backend\n  mode http", 1), ("frontend \"${NAME}\"\n  use_backend \"${NAME}\" if \"${ACL}\"", nil),
      ("server x 1.1.1.1:80", 1), (".if defined(X)\nbackend a\n  sever s 10.0.0.1:80\n.endif", nil),
    ] as [(String, Int?)])
  func whatHAProxyWouldNotLoadAndNothingThatItWould(text: String, line: Int?) {
    #expect(configuration(text).mistakes.first?.line == line)
  }
}

/// Lines as HAProxy 2.6 itself takes them, or does not: a line in its section, and whether it is a mistake.
@Suite struct HAProxyLineTests {
  static let heads = [
    "frontend": "frontend f\n bind :80\n", "backend": "backend b\n", "defaults": "defaults\n", "global": "global\n",
  ]

  @Test(arguments: [
    ("frontend", "maxconn 10 20", true), ("frontend", "timeout client 5x", true),
    ("frontend", "timeout client 5s", false),
    ("frontend", "timeout client 5s 6s", true), ("frontend", "timeout foo 5s", true),
    ("frontend", "acl a path_reg (abc", true), ("frontend", "acl a path -m reg -i ^/x", false),
    ("frontend", "acl a hdr(host) -m foo x", true), ("frontend", "acl a hdrr(host) x", true),
    ("frontend", "acl a hdr(host),lowr x", true), ("frontend", "acl a hdr(host),lower -i x", false),
    ("frontend", "use_backend", true), ("frontend", "http-request foo", true),
    ("frontend", "http-request set-header X", true),
    ("frontend", "http-request set-header X y z", true), ("frontend", "http-request set-header X y if TRUE", false),
    ("frontend", "http-request set-header X %[srcc]", true),
    ("frontend", "http-request set-header X %[src,lowerr]", true),
    ("frontend", "http-request set-var(txn.x) pathh", true), ("frontend", "http-request replace-path (x y", true),
    ("frontend", "http-request deny deny_status 429", false), ("frontend", "http-request deny iff TRUE", true),
    ("frontend", "http-request return status 200 content-type text/plain string ok", false),
    ("frontend", "http-request redirect scheme https code 300", true), ("frontend", "http-request track-sc0 src", true),
    ("frontend", "http-request lua.x", true), ("frontend", "http-request auth unless { http_auth(users) }", true),
    ("frontend", "redirect scheme https code 301 if !{ ssl_fc }", false), ("frontend", "redirect /x", true),
    ("frontend", "tcp-request content accept", false), ("frontend", "tcp-request foo", true),
    ("frontend", "tcp-response content reject", true), ("frontend", "no option httplog", true),
    ("frontend", "no option http-server-close", false), ("frontend", "stats foo", true),
    ("frontend", "stats enable", false),
    ("frontend", "bind :81 ssl", true), ("frontend", "bind :99999", true), ("frontend", "bind :81 foo", true),
    ("frontend", "bind :81-84 name x", false), ("frontend", "foo bar", true), ("frontend", "disabled", false),
    ("backend", "server s 1.1.1.1:http", true), ("backend", "server s 1.1.1.1:+80", false),
    ("backend", "server s 1.1.1.1:80 inter 5q", true),
    ("backend", "server s 1.1.1.1:80 check inter 5s rise 2 fall 3", false),
    ("backend", "server s 1.1.1.1:80 weight 300", true), ("backend", "server s 1.1.1.1:80 foo", true),
    ("backend", "server s 1.1.1.1:80 ssl verify foo", true), ("backend", "server s 1.1.1.1:80 resolvers r", true),
    ("backend", "server s 1.1.1.1:80 source 0.0.0.0 interface lo", false),
    ("backend", "server-template s x 1.1.1.1:80", true),
    ("backend", "balance", false), ("backend", "balance url_param", true),
    ("backend", "cookie X insert indirect", false),
    ("backend", "cookie X foo", true), ("backend", "option forwardfor foo", true), ("backend", "stick on src", true),
    ("backend", "http-check expect status 200", false), ("backend", "http-check foo", true),
    ("backend", "retry-on foo", true),
    ("backend", "use-server nobody if TRUE", true), ("defaults", "server s 1.1.1.1:80", true),
    ("defaults", "http-request deny", true), ("defaults", "balance roundrobin", false), ("global", "foo", true),
    ("global", "timeout client 5s", true), ("global", "nbthread 1", false),
    ("global", "tune.ssl.default-dh-param 2048", false),
  ])
  func whatALineHasToBeLike(section: String, line: String, isMistake: Bool) throws {
    let head = try #require(Self.heads[section])
    let mistakes = configuration("\(head) \(line)\n").mistakes
    #expect(mistakes.isEmpty != isMistake, "\(mistakes)")
    #expect(mistakes.first.map { $0.line == head.lines.count } != false)
  }

  /// What does not load is told, also where the files do not tell the way of a request
  @Test func aMistakeIsToldWhereTheRouteIsUnknown() async throws {
    let text = "frontend f\n mode http\n bind :80\n option foo\n use_backend %[req.hdr(user-agent)]\n"
    let world = Sandbox().container(
      "edge1", #""Name": "/edge1", "Path": "haproxy", "Args": ["-f", "/etc/haproxy/haproxy.cfg"]"#)
    world.file("/etc/haproxy/haproxy.cfg", text, in: .process(7))
    let reading = try await RouteReading.read(
      .init(site: try #require(Site("http://a.test/")), port: 80), kind: "haproxy",
      at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
    #expect(reading.outcome == .broken)
    #expect(reading.facts["config.problem"]?.contains("unknown option 'foo'") == true)
  }

  /// A signal that loads the configuration would end it
  @Test(arguments: [
    (["-D", "-p", "/run/haproxy.pid"], "", "/run/haproxy.pid"), (["-Ws"], "", nil), (["-W", "-db"], "", nil),
    (["-D"], "global\n master-worker\n", nil),
  ])
  func oneThatHasNoMaster(options: [String], global: String, file: String?) async throws {
    let path = "/etc/haproxy/haproxy.cfg"
    let world = MemoryWorld(
      command: ["/usr/sbin/haproxy", "-f", path] + options,
      files: [
        path: global + "frontend f\n mode http\n bind :80\n default_backend b\nbackend b\n mode http\n server s a:1\n"
      ])
    let reading = try await RouteReading.read(
      .init(site: try #require(Site("http://a.test/")), port: 80), kind: "haproxy",
      at: ProxyPlace(id: nil, pid: MemoryWorld.pid, usesHostNetwork: true), in: world, Signs())
    #expect(reading.facts["haproxy.pid-file"] == file)
    #expect((reading.facts["haproxy.alone"] == "yes") == (file != nil))
  }
}

@Suite struct HAProxyRuleTests {
  static let text = """
    defaults
      mode http
      timeout connect 1s
      timeout client 5s
      timeout server 5s
    frontend web
      bind :80
      bind :443-445 ssl crt /certs
      acl is_api path_beg /api /v2
      acl is_shop hdr(host) -i shop.example.org www.shop.example.org
      acl is_wiki hdr_dom(host) -i wiki.example.org
      http-request deny if { path -i /forbidden }
      http-request redirect scheme https if { hdr(host) -i secure.example.org } !{ ssl_fc }
      use_backend api if is_shop is_api
      use_backend shop if is_shop
      use_backend wiki if is_wiki or { hdr_beg(host) -i docs. }
      use_backend files if { req.hdr(host),field(1,:),lower -m end .files.example.org }
      use_backend old unless { hdr_sub(host) example }
      use_backend %[req.hdr(host),lower,map(/etc/haproxy/hosts.map)]
      use_backend regex if { hdr_reg(host) -i ^app[0-9]+\\.example\\.org }
      use_backend f1 if { req.ssl_sni -i handshake.example }
      default_backend rest
    backend f1
      server s 10.0.0.12:80
    backend api
      http-request set-path /v1%[path]
      server api1 10.0.0.1:80
    backend shop
      server down1 10.0.0.2:80 disabled
      server shop1 10.0.0.3:80
    backend wiki
      server spare 10.0.0.4:80 backup
      server wiki1 10.0.0.5:80
    backend files
      server f1 10.0.0.6:80
    backend old
      server o1 10.0.0.7:80
    backend mapped
      server m1 10.0.0.8:80
    backend regex
      http-request replace-path /old/(.*) /new/\\1
      server r1 10.0.0.9:80
    backend rest
      server d1 10.0.0.11:80
    """

  static let ends: [(String, String)] = [
    ("https://handshake.example/", "rest/d1"),
    ("http://shop.example.org/", "shop/shop1"), ("http://WWW.shop.example.org/x", "shop/shop1"),
    ("http://shop.example.org/api/1", "api/api1"), ("http://shop.example.org/v2", "api/api1"),
    ("http://shop.example.org:8080/", "rest/d1"), ("http://wiki.example.org:8080/", "wiki/wiki1"),
    ("http://en.wiki.example.org/", "wiki/wiki1"), ("http://docs.example.org/", "wiki/wiki1"),
    ("http://a.files.example.org:81/", "files/f1"), ("http://other.test/", "old/o1"),
    ("http://mapped.example.org/", "mapped/m1"), ("http://nobody.example.org/", "rest/d1"),
    ("http://any.example.org/forbidden", "answered:12"), ("http://secure.example.org/", "answered:13"),
  ]

  @Test(arguments: ends)
  func theFirstRuleThatHoldsDecidesWhatTheFilesDoNotTellIsUnknown(url: String, expected: String) throws {
    // A name that is in the map and has no backend goes to the default one, which the map rule ends with.
    let lists = ["/etc/haproxy/hosts.map": ["mapped.example.org mapped", "gone.example.org nowhere"]]
    #expect(try end(url, in: configuration(Self.text, lists: lists)) == expected)
  }

  /// A map without the name leads to the default backend, and so does one that names none
  @Test func aMapWithoutTheNameLeadsToTheDefaultBackend() throws {
    let withMap = configuration(Self.text, lists: ["/etc/haproxy/hosts.map": ["gone.example.org nowhere"]])
    #expect(try end("http://gone.example.org/", in: withMap) == "rest/d1")
    #expect(try end("http://gone.example.org/", in: configuration(Self.text)) == "unknown:19")
  }

  @Test func whatDependsOnTheClientIsUnknownUnlessItMakesNoDifference() throws {
    let text = { (other: String) in
      """
      listen l
        mode http
        bind :80
        use_backend \(other) if { src 10.0.0.0/8 } or { nbsrv(a) lt 1 }
        default_backend a
      backend a
        server s 10.0.0.1:80
      backend b
        server s 10.0.0.2:80
      """
    }
    #expect(try end("http://x.example.org/", in: configuration(text("b"))) == "unknown:4")
    #expect(try end("http://x.example.org/", in: configuration(text("a"))) == "a/s")
  }

  @Test func rulesChangeThePathThatTheAppGets() throws {
    let site = try #require(Site("http://shop.example.org/api/items?x=1"))
    let route = try #require(configuration(Self.text).route(.init(site: site, port: 80)))
    #expect(route.passage.path == "/v1/api/items")
    #expect(route.passage.query == "?x=1")
    #expect(HAProxy.replace("/old/a", "/old/(.*)", "/new/\\1") == "/new/a")
    #expect(HAProxy.replace("/other", "/old/(.*)", "/new/\\1") == "/other")
  }

  /// Rules for a path, what is asked for, and the path and query that HAProxy 2.6 passes on; nil: that cannot be told.
  static let targets: [(rule: String, asked: String, sent: String?)] = [
    (#"replace-path /api/(.*) /\1"#, "/api/x", "/x"), (#"replace-path /api/(.*) /\1"#, "/v2/api/x", "/x"),
    (#"replace-path ^/v\d+/(.*) /\1"#, "/v12/x?y=1", "/x?y=1"), (#"replace-path ^/v\d+/(.*) /\1"#, "/va/x", "/va/x"),
    ("set-path %[path,regsub(^/api/,/)]", "/api/x", "/x"),
    ("set-path %[path,regsub(/[rs]+2,/z)]", "/s/rs2/r2", "/s/z/r2"),
    (##"set-path '%[path,regsub("/(d|e)/","/-\1-/",g)]'"##, "/d/x/e/", "/-d-/x/-e-/"),
    ("set-path /new?x=1", "/a?q=1", "/new?x=1?q=1"), ("set-uri /new?x=1", "/a?q=1", "/new?x=1"),
    ("set-pathq /new?x=1", "/a?q=1", "/new?x=1"), ("set-query v=1&w=2", "/a?q=1", "/a?v=1&w=2"),
    ("set-query v=1", "/a", "/a?v=1"), ("replace-value X a b", "/a", "/a"),
    (#"replace-uri (.*)q=1 \1q=2"#, "/a?q=1", "/a?q=2"),
    (#"replace-pathq (.*)q=1 \1q=3"#, "/a?q=1", "/a?q=3"), ("set-path %[path,digest(md5)]", "/a", nil),
    ("set-path /b if { src 10.0.0.1 }", "/a", nil), ("set-path %[src]%[path]", "/a", nil),
  ]

  @Test(arguments: targets)
  func theTargetThatTheAppGetsOrThatItCannotBeTold(rule: String, asked: String, sent: String?) throws {
    let text = "listen l\n mode http\n bind :80\n http-request \(rule)\n server s 10.0.0.1:80\n"
    let site = try #require(Site("http://shop.example.org\(asked)"))
    let passage = try #require(configuration(text).route(.init(site: site, port: 80))).passage
    #expect(passage.path.map { $0 + passage.query } == sent)
  }

  @Test(arguments: [
    ("hdr(Upgrade) -i websocket", "b/s"), ("hdr(connection) -m sub -i upgrade", "b/s"),
    ("hdr(connection) -i keep-alive", "unknown:5"), ("hdr(x-tenant) -i one", "b/s"),
    ("hdr(x-forwarded-proto) https", "unknown:5"), ("cook(beta) -m found", "b/s"), ("url_param(v) 2", "b/s"),
    ("var(txn.never) -m found", "b/s"), ("dst_port gt 79", "w/s"), ("dst_port lt 80", "b/s"),
    ("req.payload(0,4) -m bin 30313233", "b/s"), ("req.payload(0,4) -m bin 474554", "unknown:5"),
    ("req_ssl_ver gt 3", "b/s"), ("req_proto_http", "w/s"),
    ("req.hdr(sec-websocket-key) -m found", "b/s"), ("hdr(host),lower -i nobody.example.org", "b/s"),
    (#"hdr(host) -m reg ^sh.p\.example\.org$"#, "w/s"),
  ])
  func aVisitorAsksForNoWebSocket(condition: String, expected: String) throws {
    let text = """
      frontend f
        mode http
        bind :80
        acl is_it \(condition)
        use_backend w if is_it
        default_backend b
      backend w
        server s 10.0.0.1:80
      backend b
        server s 10.0.0.2:80
      """
    #expect(try end("http://shop.example.org/", in: configuration(text)) == expected)
  }

  /// A rule that lets the request through ends those of the section, too; one that may hold leaves the end open
  @Test(arguments: [
    ("http-request allow if { path /a }", "http-request deny", "/a", "l/s"),
    ("http-request allow if { path /a }", "http-request deny", "/b", "answered:6"),
    ("tcp-request content accept if { src 10.0.0.1 }", "tcp-request content reject", "/", "unknown:6"),
    ("mode tcp", "tcp-request content reject if { src 10.0.0.1 }", "/", "l/s"),
    ("mode tcp", "tcp-request content reject unless { req.payload(0,0),fix_is_valid }", "/", "answered:6"),
    ("mode tcp", "tcp-request content reject if { req.len 14 }", "/", "unknown:6"),
    (
      "mode tcp\n tcp-request content set-var(req.a) str(b)", "tcp-request content reject if { var(req.a) b }", "/",
      "answered:7"
    ),
    ("http-request set-var(txn.a) path if { path /x }", "http-request deny if { var(txn.a) -m found }", "/", "l/s"),
    ("mode tcp\n tcp-request content switch-mode http if HTTP", "http-request deny", "/", "answered:7"),
    ("mode tcp", "http-request deny", "/", "l/s"),
    (
      "http-request replace-value Host (.*)\\.example\\.org \\1.test", "http-request deny if { hdr(host) a.test }", "/",
      "answered:6"
    ),
  ])
  func whatEndsTheRules(first: String, second: String, path: String, expected: String) throws {
    let text = "defaults d\n mode http\n \(first)\nlisten l from d\n bind :80\n \(second)\n server s 10.0.0.1:80\n"
    #expect(try end("http://a.example.org\(path)", in: configuration(text)) == expected)
  }

  @Test func rulesOfNamedDefaultsComeBeforeThoseOfTheSection() throws {
    let text = """
      defaults base
        mode http
      defaults closed from base
        http-request return status 200 if { path /closed }
      frontend f from closed
        bind :80
        http-request deny if { path_beg /c }
        default_backend b
      backend b from base
        server s 10.0.0.1:80
      """
    #expect(try end("http://a.example.org/closed", in: configuration(text)) == "answered:4")
    #expect(try end("http://a.example.org/c", in: configuration(text)) == "answered:7")
    #expect(try end("http://a.example.org/", in: configuration(text)) == "b/s")
  }

  /// Another server that is switched on is used; a condition that cannot be told may hold
  @Test func aBackendWhoseServersAreAllSwitchedOff() throws {
    let text = { (other: String) in
      "listen l\n mode http\n bind :80\n server one 10.0.0.1:80 disabled\n server two 10.0.0.2:80 check \(other)\n"
    }
    #expect(try end("http://a.example.org/", in: configuration(text("disabled"))) == "disabled")
    #expect(try end("http://a.example.org/", in: configuration(text("backup"))) == "l/two")
    let site = try #require(Site("http://a.example.org/"))
    let route = try #require(configuration(text("disabled weight 2")).route(.init(site: site, port: 80)))
    let server = route.servers[1]
    #expect(server.line(without: "disabled") == " server two 10.0.0.2:80 check weight 2")
  }

  /// Rules are sorted by the names that they ask for: the first that holds still decides
  @Test func theOrderOfRulesStaysWhereTheyAreSortedByNames() throws {
    let text = """
      frontend f
        mode http
        bind :80
        acl is_one hdr(host) -i one.example.org
        acl is_one hdr(host) -i first.example.org
        acl is_late path_beg /late
        use_backend late if is_late { hdr(host) -i two.example.org } or is_late is_one
        use_backend one if is_one
        use_backend two unless { hdr(host) -i three.example.org } !{ hdr(host) -i two.example.org:80 }
        use_backend one if { hdr(host),field(1,:) -i three.example.org }
      backend late
        server s 10.0.0.1:80
      backend one
        server s 10.0.0.2:80
      backend two
        server s 10.0.0.3:80
      """
    for (url, expected) in [
      ("http://one.example.org/", "one/s"), ("http://FIRST.example.org/late", "late/s"),
      ("http://two.example.org/late", "late/s"), ("http://two.example.org/", "two/s"),
      ("http://three.example.org:81/", "two/s"), ("http://three.example.org/", "one/s"),
    ] {
      #expect(try end(url, in: configuration(text)) == expected, "\(url)")
    }
  }

  /// Lines, what is asked for, and whether HAProxy itself answers
  static let own: [(lines: String, asked: String, isOwn: Bool)] = [
    ("stats enable", "/haproxy?stats", true), ("stats enable", "/haproxy", false),
    ("stats uri /stats", "/stats;csv", true), ("stats uri /stats", "/haproxy?stats", false),
    ("stats auth a:b", "/haproxy?stats", true), ("stats uri /\n http-request allow", "/x", true),
    ("monitor-uri /health", "/health", true), ("monitor-uri /health", "/health/x", false),
    ("monitor-uri /health", "/health?x", false),
    ("tcp-request content reject if { path_beg /no }", "/no", true),
    ("tcp-request content reject if { path_beg /no }", "/x", false),
    ("tcp-request content accept if { path_beg /no }\n tcp-request content reject", "/no", false),
    ("tcp-request content accept if { path_beg /no }\n tcp-request content reject", "/x", true),
    ("tcp-request content reject if REQ_CONTENT", "/x", true),
    ("tcp-request content reject if { src 10.0.0.1 }", "/x", false), ("http-request auth if { path /x }", "/x", true),
    ("http-request allow\n http-request deny", "/x", false),
  ]

  @Test(arguments: own, ["listen l\n mode http\n LINES", "defaults d\n mode http\n LINES\nlisten l from d"])
  func pagesAndRefusalsOfHAProxyItself(own: (lines: String, asked: String, isOwn: Bool), head: String) throws {
    let first = head.replacing("LINES", with: own.lines)
    let found = try end(
      "http://shop.example.org\(own.asked)", in: configuration("\(first)\n bind :80\n server s 10.0.0.1:80\n"))
    #expect(found.hasPrefix("answered") == own.isOwn, "\(found)")
  }

  @Test func portsOfARangeTLSAndAPortWhereNobodyListens() throws {
    let configuration = configuration(Self.text)
    #expect(try end("https://shop.example.org/", in: configuration, port: 443) == "shop/shop1")
    #expect(try end("https://secure.example.org/", in: configuration, port: 443) == "unknown:19", "no map to read")
    #expect(try end("http://shop.example.org/", in: configuration, port: 8081) == "nobody")
    let bind = HAProxy.Bind.all(
      HAProxy.Directive(
        words: try HAProxy.words(of: "bind 10.0.0.1:80,[::]:81,unix@/run/x,*:90-92 ssl crt /c").get(), file: "f",
        line: 1, text: "", mayHold: false))
    #expect(bind.map(\.address) == ["10.0.0.1", "::", ""])
    #expect(bind.map(\.ports.upperBound) == [80, 81, 92])
  }

  @Test func aFrontendWithoutABackendForTheName() throws {
    let text = """
      frontend f
        mode http
        bind :80
        use_backend a if { hdr(host) -i a.example.org }
      backend a
        server s 10.0.0.1:80
      """
    #expect(try end("http://b.example.org/", in: configuration(text)) == "missing")
    #expect(configuration(text).hosts(of: configuration(text).frontends[0]).map(\.name) == ["a.example.org"])
  }
}

/// Debian's HAProxy on the same configurations.
@Suite(.enabled(if: access("/usr/sbin/haproxy", X_OK) == 0))
struct AgainstHAProxy {
  private func run(_ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/haproxy")
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test(arguments: [
    "backend a\n  mode http\n  server s 10.0.0.1:80 check inter 2s",
    "backend a\n  mode http\n  sever s 10.0.0.1:80", "backend a\n  server s 10.0.0.1:80 ssl",
    "backend a\n  server s 10.0.0.1:80 ssl verify none sni str(x.example) alpn h2",
    "frontend f\n  bind :28123\n  default_backend nobody",
    "frontend f\n  bind :28123\n  default_backend a\nbackend a\n  balance roundrobin",
    "defaults one\n  mode http\n  timeout conect 5s", "listen l\n  bind :28124\n  modde http",
    "global\n  node one\n  log-tag \"a b\"\nbackend a", "global\n  log-tag \"a b\nbackend a",
    "backend a\n  acl x path 'a b' \"c\\\"d\"\n  mode http", "backend a/b", "backend a\nbackend a",
    "backend a\nfrontend a",
    "backend a\n  server s 10.0.0.1:80\n  server s 10.0.0.2:80", "defaults\n  option http-use-htx",
    "backend a\n  mode http\n  http-request deny if later\n  acl later path /x",
    "backend a\n  mode http\n  acl in src 10.0.0.0/8 ::1 fd00::/64 localhost",
    "backend a\n  mode http\n  acl in src 10.0.0.1,10.0.0.2", "backend a\n  mode http\n  acl in src 10.0.0.0/33",
    "backend a\n  mode http\n  acl a (x) -m found", "backend a\n  mode http\n  http-request deny if { path_bg /x }",
    "backend a\n  mode http\n  http-request deny if METH_GET { shdr_beg(x) /x } || !TRUE",
    "backend a\n  mode http\n  http-request deny if { path /x", "frontend f\n  bind 127.0.0.1",
    "backend a\n  balance leastcon\n  server s 10.0.0.1:80", "backend a\n  balance hdr(Host)\n  server s 10.0.0.1:80",
    "backend a\n  balance random(2)\n  server s 10.0.0.1:80", "backend a\n  balance rdp-cookie\n  server s 10.0.0.1:80",
  ])
  func whatReadsAsAMistakeDoesNotLoadAndWhatDoesNotDoes(text: String) throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "haproxy-\(UUID().uuidString).cfg")
    try Data((text + "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    // 2: nothing is wrong, and nothing listens.
    let loads = [0, 2].contains(try run(["-c", "-f", file.path()]))
    #expect(configuration(text).mistakes.isEmpty == loads, "\(text)")
  }

  @Test func aRequestEndsWhereTheRealOneAnswersFrom() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "haproxy-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let map = folder.appending(path: "hosts.map")
    try Data("mapped.example.org mapped\ngone.example.org nowhere\n".utf8).write(to: map)
    let port = UInt16.random(in: 30_000..<32_000)
    // Each backend answers with its own name in the place of a server.
    var real = HAProxyRuleTests.text.replacing("/etc/haproxy/hosts.map", with: map.path())
      .replacing("  bind :443-445 ssl crt /certs\n", with: "").replacing(
        "  bind :80\n", with: "  bind 127.0.0.1:\(port)\n")
    for name in ["api", "shop", "wiki", "files", "old", "mapped", "regex", "rest"] {
      real = real.replacing(
        "\nbackend \(name)\n",
        with: "\nbackend \(name)\n  http-request return status 200 content-type text/plain string \(name)\n")
    }
    let file = folder.appending(path: "haproxy.cfg")
    try Data((real + "\n").utf8).write(to: file)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/haproxy")
    process.arguments = ["-db", "-f", file.path()]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      process.terminate()
      process.waitUntilExit()
    }
    let ours = configuration(
      HAProxyRuleTests.text,
      lists: ["/etc/haproxy/hosts.map": ["mapped.example.org mapped", "gone.example.org nowhere"]])
    for url in HAProxyRuleTests.ends.map(\.0) + ["http://gone.example.org/", "http://app12.example.org/"] {
      let site = try #require(Site(url))
      let host = site.port == 80 ? site.host : "\(site.host):\(site.port)"
      let answer = try curl("http://127.0.0.1:\(port)\(site.path)", host: host)
      let expected = try end(url, in: ours)
      if expected.hasPrefix("answered") {
        #expect(["403", "302"].contains(answer.status), "\(url): \(answer)")
      } else {
        #expect(answer.body == String(expected.prefix { $0 != "/" }), "\(url): \(answer)")
      }
    }
  }

  private func curl(_ url: String, host: String) throws -> (status: String, body: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/curl")
    process.arguments = [
      "-s", "--retry", "5", "--retry-connrefused", "--retry-delay", "1", "-H", "Host: \(host)", "-w", "\n%{http_code}",
      url,
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
  }
}

@Suite struct HAProxyMapTests {
  private let text = """
    defaults
      mode http
    frontend web
      bind :80
      use_backend %[req.hdr(host),field(1,:),lower,map(/etc/haproxy/hosts.map,none)]
    backend none
      http-request deny deny_status 503
    backend shop
      server one shop:3000
    """

  /// What a map does not know goes to the backend for those, and names in the map are those of sites
  @Test func aMapTellsNamesApart() throws {
    let own = configuration(
      text, lists: ["/etc/haproxy/hosts.map": ["# sites", "  shop.example.org\tshop", "/path x", "10 y"]])
    #expect(try end("http://shop.example.org/", in: own) == "shop/one")
    #expect(try end("http://shopp.example.org/", in: own) == "answered:7")
    let frontend = try #require(own.frontends.first)
    let names = own.names(of: frontend)
    #expect(names.map(\.name) == ["shop.example.org"])
    #expect(names.first?.place?.line == 2)
    #expect(names.first?.place?.head == "  ")
    #expect(names.first?.place?.tail == "\tshop")
    let none = try #require(own.backend("none"))
    let shop = try #require(own.backend("shop"))
    let request = RouteReading.Request(site: try #require(Site("http://shopp.example.org/")), port: 80)
    #expect(own.isForAnyName(none, request))
    #expect(!own.isForAnyName(shop, request))
  }

  /// HAProxy itself proposes these words, and takes a line with them
  @Test func tlsWithoutAWordAboutVerifying() {
    let found = configuration("backend b\n  server one shop:443 ssl # old\n").mistakes
    #expect(found.map(\.fixed) == ["  server one shop:443 ssl verify none # old"])
    let inherited = configuration("backend b\n  default-server ssl\n  server one shop:443\n").mistakes
    #expect(inherited.map(\.fixed) == [nil])
  }
}
