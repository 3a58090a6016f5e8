import Discovery
import Fixture
import Model
import Testing
import World

/// What a restricted session may ask: this machine, its containers, one site.
@Suite struct ConfinedTests {
  private static let machine = Sandbox()
    .with(OwnAddresses(), ["127.0.0.1", "192.0.2.10"])
    .with(SystemLookup(name: "shop.example.org"), ["198.51.100.7"])
    .with(SystemLookup(name: "app.internal"), ["172.18.0.3"])
    .with(SystemLookup(name: "other.example.org"), ["203.0.113.9"])
    .with(SystemLookup(name: "half.example.org"), ["192.0.2.10", "203.0.113.9"])
    .containers(
      #"{"Id": "a1", "Names": ["/app"], "NetworkSettings": {"Networks": {"n": {"IPAddress": "172.18.0.3"}}}}"#)

  private func isAsked<L: Look>(_ look: L, to host: String? = "shop.example.org") async -> Bool {
    // What is asked is then answered by nobody.
    switch await Confined(Self.machine, to: host).result(of: look) {
    case .failure(.notPermitted(let what)) where what.hasSuffix("(--restricted)"): false
    default: true
    }
  }

  @Test(arguments: [
    "http://shop.example.org/", "https://shop.example.org:8443/login", "http://127.0.0.1:8080/", "http://[::1]/",
    "http://localhost/", "http://192.0.2.10/", "http://198.51.100.7/", "http://app.internal:3000/",
    "http://172.18.0.3/",
  ])
  func mayBeAsked(url: String) async { #expect(await isAsked(HTTPRequest(url: url))) }

  @Test(arguments: [
    "http://other.example.org/", "http://203.0.113.9/", "http://[2001:db8::1]/", "http://half.example.org/",
    "http://nobody.example.org/", "http://shop.example.org@203.0.113.9/", "no address", "http://shop.example.org.evil/",
  ])
  func mayNotBeAsked(url: String) async { #expect(await !isAsked(HTTPRequest(url: url))) }

  @Test func whereARequestReallyGoesCounts() async {
    let url = "http://shop.example.org/"
    #expect(await !isAsked(HTTPRequest(url: url, address: "203.0.113.9")))
    #expect(await isAsked(HTTPRequest(url: url, address: "172.18.0.3")))
    #expect(await isAsked(HTTPRequest(url: "http://other.example.org/", unixSocket: "/run/app.sock")))
    #expect(await !isAsked(HTTPRequest(url: url), to: nil))
  }

  @Test func connectionsAndServersOfNamesToo() async {
    #expect(await isAsked(TCPConnect(address: "172.18.0.3", port: 80, place: .host)))
    #expect(await !isAsked(TCPConnect(address: "203.0.113.9", port: 80, place: .host)))
    #expect(await !isAsked(Exchange(address: "203.0.113.9", port: 80, place: .host, limit: 1)))
    #expect(await isAsked(Exchange(unixSocket: "/run/app.sock", place: .host, limit: 1)))
    #expect(await isAsked(DNSQuery(name: "app", servers: ["127.0.0.11", "[::1]:5353"], place: .host)))
    #expect(await !isAsked(DNSQuery(name: "app", servers: ["127.0.0.11", "203.0.113.9:53"], place: .host)))
    #expect(await isAsked(FileRead(path: "/etc/hosts")))
  }
}
