import Fixture
import LogLines
import Model
import Testing
import World

@testable import Checks

@Suite struct ProxyLogTests {
  private let facts: Facts = [
    "site.asked": "1000.5", "site.host": "shop.example.org", "route.defined-in": "/etc/nginx/a.conf:3",
    "proxy.place": "container", "proxy.id": "edge1", "proxy.pid": "7", "proxy.kind": "nginx",
    "name.address": "10.0.0.2", "name.addresses": "10.0.0.2, 10.0.0.3", "upstream.port": "8080",
    "route.log-keys": "host: \"shop.example.org",
  ]

  private func line(_ text: String, upstream: String = "10.0.0.2:8080", host: String = "shop.example.org") -> String {
    "2026/11/21 14:00:00 [error] 29#29: *1 \(text), client: 10.0.0.1, server: \(host), "
      + "request: \"GET / HTTP/1.1\", upstream: \"http://\(upstream)/\", host: \"\(host)\"\n"
  }

  private func finding(_ lines: String...) async throws -> Finding {
    let world = Sandbox().container("edge1", #""Name": "/edge""#)
      .log(of: "edge1", lines.flatMap { frame($0) })
    return try await look("proxy.log", world, facts, signs: realSigns())
  }

  /// Lines that name a cause by themselves, where the app does well whatever it is asked
  @Test(arguments: [
    (
      "SSL_do_handshake() failed (SSL: error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70) while SSL handshaking to upstream",
      "handshake"
    ),
    ("upstream timed out (110: Connection timed out) while reading upstream", "stalled"),
    ("upstream sent too big header while reading response header from upstream", "too-large"),
    ("bind(192.168.9.9) failed (99: Cannot assign requested address) while connecting to upstream", "own-address"),
    ("auth request unexpected status: 404 while sending to client", "auth"),
    (
      "FastCGI sent in stderr: \"Access to the script '/srv/a.html' has been denied (see security.limit_extensions)\" while reading response header from upstream",
      "denied-script"
    ),
  ])
  func aLineThatNamesTheCause(text: String, outcome: String) async throws {
    let limits: Facts = ["route.read-timeout": "3", "route.header-limit": "4096"]
    let world = Sandbox().container("edge1", #""Name": "/edge""#).log(of: "edge1", frame(line(text)))
    let found = try await look("proxy.log", world, facts.merging(limits), signs: realSigns())
    #expect(found.outcome == outcome)
    #expect(found.facts["timeout.needed"] == (outcome == "stalled" ? "60" : nil))
    // How large the header is the log does not say.
    #expect(found.facts["header.room"] == nil)
    #expect(found.facts["header.guess"] == (outcome == "too-large" ? "16384" : nil))
  }

  /// Its own error page is about this very request, also where it logs nothing, or where nobody may read that.
  @Test(arguments: [Sandbox().container("edge1", #""Name": "/edge""#).log(of: "edge1", []), Sandbox()])
  func theProxysOwnPage(world: Sandbox) async throws {
    let page: Facts = [
      "proxy.kind": "envoy",
      "site.page": "upstream connect error or disconnect/reset before headers. reset reason: overflow",
    ]
    let found = try await look("proxy.log", world, facts.merging(page), signs: realSigns())
    #expect(found.outcome == "queue")
    #expect(found.facts["log.line"]?.hasSuffix("overflow") == true)
    let without = try await look("proxy.log", world, facts.merging(["proxy.kind": "envoy"]), signs: realSigns())
    #expect(without.outcome != "queue")
  }

  @Test(arguments: [
    ("connect() failed (111: Connection refused) while connecting to upstream", "refused"),
    ("connect() failed (113: No route to host) while connecting to upstream", "unreachable"),
    ("connect() failed (113: Host is unreachable) while connecting to upstream", "unreachable"),
    ("upstream timed out (110: Operation timed out) while connecting to upstream", "connect-timeout"),
    ("upstream timed out (110: Connection timed out) while reading response header from upstream", "answer-timeout"),
    ("upstream prematurely closed connection while reading response header from upstream", "closed"),
    (
      "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream",
      "not-tls"
    ),
    (
      "upstream SSL certificate verify error: (18:self-signed certificate) while SSL handshaking to upstream",
      "untrusted"
    ),
  ])
  func everyLineThatNginxWritesAboutAnUpstreamShowsOneThing(text: String, expected: String) async throws {
    let found = try await finding(line(text))
    let told = ["closed": "dropped", "untrusted": "untrusted"]
    #expect(found.outcome == told[expected] ?? "same-address")
    #expect(try realSigns().writer("nginx").reading(of: line(text))?.sign.shows == expected)
    #expect(found.facts["log.address"] == "10.0.0.2:8080")
  }

  private let refused = "connect() failed (111: Connection refused) while connecting to upstream"

  @Test func theAddressAndPortThatWereDialledAreComparedWithTheAppsOwn() async throws {
    #expect(try await finding(line(refused, upstream: "10.0.0.3:8080")).outcome == "same-address")
    #expect(try await finding(line(refused, upstream: "10.0.0.9:8080")).outcome == "other-address")
    #expect(try await finding(line(refused, upstream: "10.0.0.2:3000")).outcome == "other-port")
  }

  /// They name no address, or one of this machine's own words for a group of servers.
  @Test(arguments: [
    ("haproxy", "shop~ web/app1 0/5001/-1/-1/5001 503 217 - - sQ-- 3/3/2/2/0 0/1 \"GET / HTTP/1.1\"", "queue"),
    ("nginx", "no live upstreams while connecting to upstream", "no-server"),
    (
      "envoy",
      "[2026-11-21T14:00:00.000Z] \"GET / HTTP/1.1\" 502 UPE 0 87 1 - \"-\" \"curl\" \"1\" \"shop.example.org\" \"-\"",
      "not-http"
    ),
    (
      "envoy",
      "[2026-11-21T14:00:00.000Z] \"GET / HTTP/1.1\" 503 UH 0 19 0 - \"-\" \"curl\" \"1\" \"shop.example.org\" \"-\"",
      "no-server"
    ),
  ])
  func aLineWithoutAnAddressTellsWhatItShows(kind: String, text: String, outcome: String) async throws {
    let written =
      kind == "nginx"
      ? line(text, upstream: "app")
      : kind == "haproxy" ? "10.0.0.1:5000 [21/Nov/2026:14:00:00.000] \(text)\n" : text + "\n"
    let world = Sandbox().container("edge1", #""Name": "/edge""#).log(of: "edge1", frame(written))
    let given = facts.merging([
      "proxy.kind": kind, "route.log-keys": "shop.example.org, web/app1", "route.server-limit": "7",
    ])
    let found = try await look("proxy.log", world, given, signs: realSigns())
    #expect(found.outcome == outcome)
    #expect(found.facts["route.request-limit"] == (outcome == "not-http" ? nil : "7"))
    #expect(found.facts["log.line"]?.contains("2026") == true)
  }

  @Test func theNewestLineCounts() async throws {
    let found = try await finding(line(refused, upstream: "10.0.0.9:8080"), line(refused))
    #expect(found.outcome == "same-address")
  }

  @Test func linesOfOtherSitesAndNoneAtAllAreSilence() async throws {
    #expect(try await finding().outcome == "silent")
    #expect(try await finding(line(refused, host: "wiki.example.org")).outcome == "silent")
    #expect(try await finding("10.0.0.1 - - GET / shop.example.org 502\n").outcome == "silent")
  }

  @Test func aRefusedConfigurationIsToldWithNginxsReasonMadeHarmless() async throws {
    let found = try await finding(
      "2026/11/21 14:00:00 [emerg] 1#1: unknown directive \"pro\u{1B}[2Jxy\" in /etc/nginx/a.conf:3\n")
    #expect(found.outcome == "config-error")
    #expect(found.facts["log.reason"] == "unknown directive \"pro^[[2Jxy\" in /etc/nginx/a.conf:3")
  }

  @Test func aLogFileComesBeforeWhatTheContainerWrites() async throws {
    let world = Sandbox().container("edge1", #""Name": "/edge""#)
      .file("/var/log/e.log", line(refused), in: .process(7), modified: 5000)
    let found = try await look("proxy.log", world, facts.merging(["route.log": "/var/log/e.log"]), signs: realSigns())
    #expect(found.outcome == "same-address")
  }

  @Test func aProxyOfTheHostWithoutALogFileUnknown() async throws {
    var onHost = facts.merging(["proxy.place": "host"])
    onHost["proxy.id"] = nil
    #expect(try await look("proxy.log", Sandbox(), onHost).unseen == .missing(what: "log file of the proxy"))
  }

  @Test func theLastWordsOfAProxyThatStopped() async throws {
    let given: Facts = ["proxy.stopped": "yes", "proxy.id": "edge1", "proxy.kind": "nginx"]
    let words = { (text: String) in
      Sandbox().container("edge1", #""Name": "/edge""#).log(of: "edge1", frame(text))
    }
    let refused = try await look(
      "proxy.last-words", words("nginx: [emerg] 1#1: host not found in upstream \"shop\"\nbye\n"), given,
      signs: realSigns())
    #expect(refused.outcome == "config-error")
    #expect(refused.facts["log.reason"] == "host not found in upstream \"shop\"")
    #expect(refused.facts["config.nameless"] == "shop")
    let withPort = try await look(
      "proxy.last-words", words("nginx: [emerg] 1#1: host not found in upstream \"php:9000\" in /a.conf:2\n"), given,
      signs: realSigns())
    #expect(withPort.facts["config.nameless"] == "php")
    let unpaired = try await look(
      "proxy.last-words",
      words(
        "nginx: [emerg] 1#1: SSL_CTX_use_PrivateKey(\"/certs/a.key\") failed (SSL: x509 certificate routines::key values mismatch)\n"
      ), given, signs: realSigns())
    #expect(unpaired.facts["config.unpaired"] == "/certs/a.key")
    // The last line of HAProxy's only says that there were mistakes.
    var haproxy = given
    haproxy["proxy.kind"] = "haproxy"
    let several = try await look(
      "proxy.last-words",
      words(
        "[ALERT]    (1) : config : parsing [/etc/haproxy.cfg:17]: Missing LF on last line\n"
          + "[ALERT]    (1) : config : Fatal errors found in configuration.\n"), haproxy, signs: realSigns())
    #expect(several.facts["log.reason"]?.contains("haproxy.cfg:17") == true)
    let other = try await look("proxy.last-words", words("one\nkilled\u{7}\n"), given, signs: realSigns())
    #expect(other.outcome == "other")
    #expect(other.facts["log.reason"] == "killed^G")
  }
}
