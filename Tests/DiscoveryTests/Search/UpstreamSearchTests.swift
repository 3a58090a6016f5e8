import Discovery
import Fixture
import Model
import Testing
import World

@Suite struct UpstreamSearchTests {
  private let proxy = ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false)
  private let onHost = ProxyPlace(id: nil, pid: nil, usesHostNetwork: true)

  private func listed(
    _ id: String, _ name: String, network: String = "n1", address: String = "", state: String = "running",
    more: String = ""
  ) -> String {
    #"{"Id": "\#(id)", "Names": ["/\#(name)"], "State": "\#(state)", \#(more) "NetworkSettings": {"Networks": {"\#(network)": {"NetworkID": "\#(network)", "IPAddress": "\#(address)"}}}}"#
  }
  private func labels(_ service: String, _ project: String = "p") -> String {
    #""Labels": {"com.docker.compose.service": "\#(service)", "com.docker.compose.project": "\#(project)"},"#
  }

  /// A proxy, an app beside it, one of another network, and one that has stopped.
  private var world: Sandbox {
    let stopped =
      #""Name": "/old", "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8090"}]}}, "NetworkSettings": {"Networks": {"n1": {"Aliases": ["archive"]}}}"#
    return Sandbox().with(OwnAddresses(), ["192.0.2.1"]).containers(
      listed("edge1", "edge", address: "172.20.0.2"),
      listed(
        "0123456789abcdef", "p-shop-1", address: "172.20.0.3",
        more: #""Ports": [{"PrivatePort": 3000, "PublicPort": 8080}],"# + labels("shop")),
      listed("b2", "far", network: "n2", address: "172.21.0.2"),
      listed("c3", "old", state: "exited")
    ).container("edge1", #""Name": "/edge""#)
      .container(
        "0123456789abcdef", #""Name": "/p-shop-1", "NetworkSettings": {"Networks": {"n1": {"Aliases": ["Store"]}}}"#
      )
      .container("b2", #""Name": "/far""#).container("c3", stopped)
      .docker(
        "/networks",
        #"[{"Id": "n1", "Name": "web", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16"}]}}, {"Id": "h", "Name": "host", "IPAM": {"Config": null}}]"#
      )
  }

  private func found(_ host: String, _ port: UInt16 = 80, of place: ProxyPlace? = nil, in world: Sandbox? = nil)
    async throws -> String
  {
    switch try await (world ?? self.world).upstream(host: host, port: port, of: place ?? proxy) {
    case .container(let container, let port): "\(container.name):\(port)"
    case .host: "host"
    case .besideProxy: "beside"
    case .proxyItself: "itself"
    case .goneAddress: "gone"
    case .absent(let absence): absence.reason.map { "absent: \($0)" } ?? "scaled to zero"
    case .noSuchContainer(let near): "none, near \(near ?? "nothing")"
    case .elsewhere: "elsewhere"
    }
  }

  @Test(arguments: [
    ("p-shop-1", "p-shop-1:80"), ("shop", "p-shop-1:80"), ("SHOP", "p-shop-1:80"), ("0123456789ab", "p-shop-1:80"),
    ("store", "p-shop-1:80"), ("archive", "old:80"), ("172.20.0.3", "p-shop-1:80"), ("172.21.0.2", "far:80"),
    ("far", "far:80"),
  ])
  func byNameServiceIdAliasAddressInAnyCaseOfLetters(host: String, expected: String) async throws {
    #expect(try await found(host) == expected)
  }

  @Test(arguments: [
    ("shp", "none, near shop"), ("fra", "none, near nothing"), ("edge", "none, near nothing"),
    ("0123", "none, near nothing"),
  ])
  func aNameNobodyHasTheMostSimilarOneInReach(host: String, expected: String) async throws {
    #expect(try await found(host) == expected)
  }

  /// Compose was broken off while it made the shop anew, and beside it is a database with a name that differs in little.
  @Test(arguments: [
    ("p-web-1", 3000, "none, near web"), ("p_web_1", 3000, "none, near web"), ("p-web-1", 1, "none, near web"),
    ("wab", 3000, "none, near web"), ("p-dd-1", 5432, "none, near db"), ("p-bd-1", 3000, "none, near nothing"),
  ])
  func aSimilarNameIsNotEnough(host: String, port: UInt16, expected: String) async throws {
    let world = Sandbox().containers(
      listed("edge1", "p-edge-1", more: labels("edge")), listed("a1", "0f3ad1_p-web-1", more: labels("web")),
      listed("b1", "p-db-1", more: labels("db"))
    ).container("a1", #""Name": "/0f3ad1_p-web-1", "State": {"Pid": 20}"#)
      .container("b1", #""Name": "/p-db-1", "State": {"Pid": 21}"#)
      .listening(in: .process(20), ("0.0.0.0", 3000)).listening(in: .process(21), ("0.0.0.0", 5432))
    #expect(try await found(host, port, in: world) == expected)
  }

  /// An address of a network here that nobody has, one of elsewhere, one of this machine
  @Test func anAddressOfANetworkHereThatNobodyHasOneOfElsewhere() async throws {
    #expect(try await found("172.20.0.99") == "gone")
    #expect(try await found("203.0.113.5") == "elsewhere")
    #expect(try await found("192.0.2.1", 9999) == "host")
    #expect(try await found("192.0.2.1", 8080) == "p-shop-1:3000")
    #expect(try await found("host.docker.internal", 8080) == "p-shop-1:3000")
  }

  @Test func aPublishedPortLeadsToItsContainerAlsoWhileThatIsStopped() async throws {
    #expect(try await found("127.0.0.1", 8080, of: onHost) == "p-shop-1:3000")
    #expect(try await found("localhost", 8090, of: onHost) == "old:80")
    #expect(try await found("localhost", 8091, of: onHost) == "host")
  }

  @Test(arguments: ["localhost", "127.0.0.1", "::1"])
  func loopbackIsTheProxysOwnWhoeverListensThere(host: String) async throws {
    #expect(try await found(host, of: .init(id: "edge1", pid: nil, usesHostNetwork: false)) == "itself")
    let listening = world.listening(in: .process(7), ("127.0.0.1", 9000))
    #expect(try await found(host, 9000, in: listening) == "beside")
    #expect(try await found(host, 8080, in: listening) == "itself")
  }

  @Test func ofTwoWithOneServiceNameTheOneInReachCounts() async throws {
    let world = Sandbox().containers(
      listed("edge1", "edge"), listed("a1", "other-shop-1", network: "n2", more: labels("shop", "other")),
      listed("b1", "mine-shop-1", more: labels("shop", "mine")),
      listed("c1", "gone-shop-1", state: "exited", more: labels("shop", "gone"))
    ).container("a1", #""Name": "/other-shop-1""#).container("b1", #""Name": "/mine-shop-1""#)
      .container("c1", #""Name": "/gone-shop-1""#)
    #expect(try await found("shop", in: world) == "mine-shop-1:80")
  }

  /// Without an engine there is the host; an engine that refuses is not taken for none
  @Test func withoutAnEngineThereIsTheHost() async throws {
    let list = DockerGet(path: "/containers/json?all=1")
    let missing = Sandbox().with(list, unseen: .missing(what: "a socket")).with(OwnAddresses(), ["192.0.2.1"])
    #expect(try await found("127.0.0.1", of: onHost, in: missing) == "host")
    #expect(try await found("203.0.113.5", of: onHost, in: missing) == "elsewhere")
    let refused = Sandbox().with(list, unseen: .notPermitted(what: "a socket"))
    await #expect(throws: Unseen.notPermitted(what: "a socket")) {
      try await found("127.0.0.1", of: onHost, in: refused)
    }
  }
}
