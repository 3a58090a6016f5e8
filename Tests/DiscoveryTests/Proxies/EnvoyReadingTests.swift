import Discovery
import Fixture
import Model
import Routes
import Testing
import World

private let place = Place.process(7)

/// Envoy in a container, process 7, its folder `/etc/envoy` from the host's `/srv/envoy`.
private func world(_ file: String, args: String = #""-c", "/etc/envoy/envoy.yaml""#) -> Sandbox {
  Sandbox()
    .container(
      "edge1",
      #""Name": "/edge", "Path": "/docker-entrypoint.sh", "Args": ["envoy", "# + args
        + #"], "Mounts": [{"Source": "/srv/envoy", "Destination": "/etc/envoy"}]"#
    )
    .file("/etc/envoy/envoy.yaml", file, in: place, modified: 5)
}

private func read(_ url: String, port: UInt16 = 10000, _ world: Sandbox) async throws
  -> (outcome: Reading.Outcome, facts: Facts)
{
  let reading = try await RouteReading.read(
    .init(site: try #require(Site(url)), port: port), kind: "envoy",
    at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
  return (reading.outcome, reading.facts)
}

/// A file with one listener, these virtual hosts and these clusters.
private func file(_ hosts: String, _ clusters: String, admin: Bool = false, manager: String = "") -> String {
  (admin ? "admin: { address: { socket_address: { address: 0.0.0.0, port_value: 9901 } } }\n" : "") + """
    static_resources:
      listeners:
      - address: { socket_address: { address: 0.0.0.0, port_value: 10000 } }
        filter_chains:
        - filters:
          - name: envoy.filters.network.http_connection_manager
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
    \(manager)          route_config:
                virtual_hosts:
    \(hosts)
      clusters:
    \(clusters)
    """
}

private func cluster(_ name: String, _ address: String = "shop", _ port: Int = 3000, _ more: String = "") -> String {
  """
    - name: \(name)
      type: STRICT_DNS
  \(more)    load_assignment:
        endpoints:
        - lb_endpoints:
          - endpoint: { address: { socket_address: { address: \(address), port_value: \(port) } } }

  """
}

@Suite struct EnvoyReadingTests {
  private let shop = """
                - domains: ["shop.example.org", "shop.example.org:*"]
                  routes:
                  - match: { prefix: "/api/" }
                    route: { cluster: api, prefix_rewrite: "/v2/", timeout: 0.5s }
                  - match: { prefix: "/", headers: [{ name: x-beta, present_match: true }] }
                    route: { cluster: api }
                  - match: { safe_regex: { regex: "/old/.*" } }
                    redirect: { path_redirect: "/" }
                  - match: { prefix: "/" }
                    route:
                      cluster: app
                - domains: ["*.example.org"]
                  routes:
                  - match: { path: "/" }
                    route: { weighted_clusters: { clusters: [{ name: app, weight: 1 }, { name: api, weight: 9 }] } }
    """

  private var site: Sandbox { world(file(shop, cluster("app") + cluster("api", "api", 80))) }

  /// Host and port, each with its place in the file as the host sees it; the time-out gets a line of its own
  @Test func hostAndPortEachWithItsPlaceInTheFileAsTheHostSeesIt() async throws {
    let (outcome, facts) = try await read("http://shop.example.org:10000/", site)
    #expect(outcome == .found)
    #expect(facts[.routeUpstream] == "http://shop:3000")
    #expect(facts[.routeReadTimeout] == "15")
    #expect(facts[.routeConnectTimeout] == "5")
    #expect(facts[.routeAddressFamily] == "ipv6-first")
    #expect(facts["port-line.file"] == "/srv/envoy/envoy.yaml")
    #expect(facts["port-line.head"]?.hasSuffix("address: shop, port_value: ") == true)
    #expect(facts["port-line.tail"] == " } } }")
    #expect(facts["host-line.tail"] == ", port_value: 3000 } } }")
    #expect(facts["timeout-line.text"]?.hasSuffix("cluster: app") == true)
    #expect(facts["timeout-line.head"]?.hasSuffix("cluster: app\n                  timeout: ") == true)
    #expect(facts["pass-line.indent"] == "    ")
  }

  @Test func routesAreTriedInOrderOneThatAsksForAHeaderIsPassedOver() async throws {
    let api = try await read("http://shop.example.org:10000/api/items", site).facts
    #expect(api[.routeUpstream] == "http://api:80")
    #expect(api[.upstreamPath] == "/v2/items")
    #expect(api[.routeReadTimeout] == "0.5")
    #expect(api["timeout-line.tail"] == " }")
    #expect(try await read("http://shop.example.org/old/page", site).outcome == .static)
    #expect(try await read("http://other.example.org/", site).facts[.routeUpstream] == "http://api:80")
  }

  /// What every request has is compared: its host, its method, its scheme
  @Test(arguments: [
    (#"{ name: ":authority", string_match: { exact: "shop.example.org:10000" } }"#, true),
    (#"{ name: ":authority", string_match: { prefix: "SHOP.", ignore_case: true } }"#, true),
    (#"{ name: ":authority", string_match: { suffix: ".test" } }"#, false),
    (#"{ name: host, string_match: { contains: "example" } }"#, true),
    (#"{ name: ":authority", string_match: { safe_regex: { regex: "shop[.].*" } } }"#, true),
    (#"{ name: ":authority", string_match: { safe_regex: { regex: "shop" } } }"#, false),
    (#"{ name: ":authority", exact_match: "other.test", invert_match: true }"#, true),
    (#"{ name: ":method", string_match: { exact: POST } }"#, false),
    (#"{ name: ":scheme", string_match: { exact: http } }"#, true),
    (
      #"{ name: ":authority", string_match: { exact: "shop.example.org:10000" } }, { name: x-beta, present_match: true }"#,
      false
    ),
  ])
  func routesByHeadersThatEveryRequestHas(headers: String, isTaken: Bool) async throws {
    let hosts = """
                  - domains: ["*"]
                    routes:
                    - match: { prefix: "/", headers: [\(headers)] }
                      route: { cluster: first }
                    - match: { prefix: "/", grpc: {} }
                      route: { cluster: first }
                    - match: { prefix: "/" }
                      route: { cluster: last }
      """
    let clusters = cluster("first", "first", 1) + cluster("last", "last", 2)
    let facts = try await read("http://shop.example.org:10000/", world(file(hosts, clusters))).facts
    #expect(facts[.routeUpstream] == (isTaken ? "http://first:1" : "http://last:2"))
  }

  @Test func aNameThatNobodyHasWithTheOneThatIsNearAPathThatNobodyHas() async throws {
    let (outcome, facts) = try await read("http://shop.exmaple.org/", site)
    #expect(outcome == .missing)
    #expect(facts[.routeNear] == "shop.example.org")
    #expect(facts["name-line.tail"] == #":*"]"#)
    #expect(try await read("http://other.example.org/deep", site).outcome == .missing)
  }

  @Test func theHostHeadersPortCountsUnlessEnvoyIsToldToLeaveItOut() async throws {
    let hosts = """
                  - domains: ["shop.example.org"]
                    routes:
                    - match: { prefix: "/" }
                      route: { cluster: app }
      """
    let (outcome, facts) = try await read("http://shop.example.org:8080/", world(file(hosts, cluster("app"))))
    #expect(outcome == .missing)
    #expect(facts[.routeProblem]?.contains("shop.example.org:8080") == true)
    #expect(facts["problem-line.fixed"]?.hasSuffix(#"["shop.example.org", "shop.example.org:*"]"#) == true)
    let stripping = file(hosts, cluster("app"), manager: "          strip_any_host_port: true\n")
    #expect(try await read("http://shop.example.org:8080/", world(stripping)).outcome == .found)
  }

  @Test func aClusterThatIsNotThereWithTheOneThatIsNear() async throws {
    let hosts = "            - { domains: [\"*\"], routes: [{ match: { prefix: / }, route: { cluster: shpo-app } }] }"
    let (outcome, facts) = try await read("http://a.example.org/", world(file(hosts, cluster("shop-app"))))
    #expect(outcome == .misconfigured)
    #expect(facts["problem-line.fixed"]?.contains("cluster: shop-app }") == true)
  }

  /// TLS to the app: verified only with authorities, whatever the name unless it is asked for
  @Test func tlsToTheAppVerifiedOnlyWithAuthorities() async throws {
    let hosts = "            - { domains: [\"*\"], routes: [{ match: { prefix: / }, route: { cluster: app } }] }"
    func socket(_ validation: String) -> String {
      """
          transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext

              common_tls_context: { validation_context: \(validation) }

      """
    }
    let open = try await read("http://a/", world(file(hosts, cluster("app", "shop", 8443, socket("{}"))))).facts
    #expect(open[.routeUpstream] == "https://shop:8443")
    #expect(open[.routeVerifies] == "off")
    #expect(open[.routeSendsTLSName] == "off")
    #expect(open["tls-line.text"]?.split(separator: "\n").count == 5)
    let trusted = socket("{ trusted_ca: { filename: /etc/envoy/ca.pem } }")
    let verified = try await read("http://a/", world(file(hosts, cluster("app", "shop", 8443, trusted)))).facts
    #expect(verified[.routeVerifies] == "on")
    #expect(verified[.routeVerifiesParts] == "issuer, expiry")
    #expect(verified[.routeAuthoritiesFile] == "/srv/envoy/ca.pem")
    // Authorities that stand in the configuration itself cannot be compared from outside.
    let inline = socket("{ trusted_ca: { inline_string: PEM } }")
    let unseen = try await read("http://a/", world(file(hosts, cluster("app", "shop", 8443, inline)))).facts
    #expect(unseen[.routeVerifies] == nil)
  }

  /// What the admin interface of Envoy 1.40 says of a cluster: dialled addresses, health, version
  @Test func whatTheAdminInterfaceOfEnvoy140SaysOfACluster() async throws {
    let hosts = "            - { domains: [\"*\"], routes: [{ match: { prefix: / }, route: { cluster: app } }] }"
    let check = "    health_checks: [{ http_health_check: { path: /health } }]\n"
    // Recorded with envoy 1.40.0, GET /clusters?format=json and /server_info, on 25 November 2026; shortened.
    let clusters = """
      {"cluster_statuses": [{"name": "app", "host_statuses": [{"address": {"socket_address": {"address": "::1",
       "port_value": 3000}}, "health_status": {"failed_active_health_check": true, "eds_health_status": "HEALTHY"},
       "weight": 1, "hostname": "localhost", "locality": {}}]}]}
      """
    let recorded = world(file(hosts, cluster("app", "localhost", 3000, check), admin: true))
    for (path, body) in [
      ("/clusters?format=json", clusters),
      ("/server_info", #"{"version": "9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL"}"#),
    ] {
      recorded.with(
        HTTPRequest(
          url: "http://admin\(path)", address: "127.0.0.1", port: 9901, place: place, limit: 2, bodyLimit: 8_388_608),
        HTTPRequest.Sight(status: 200, body: Array(body.utf8)))
    }
    let facts = try await read("http://a/", recorded).facts
    #expect(facts[.routeDials] == "::1")
    #expect(facts[.routeHealthPath] == "/health")
    #expect(facts[.routeHealthState] == "down")
    #expect(facts[.proxyVersion] == "1.40.0")
  }

  @Test func clustersOfAFileThatEnvoyWatchesOfAControlPlaneNothingIsGuessed() async throws {
    let hosts = "            - { domains: [\"*\"], routes: [{ match: { prefix: / }, route: { cluster: far } }] }"
    let bootstrap =
      file(hosts, cluster("app"))
      + "\ndynamic_resources: { cds_config: { path_config_source: { path: /etc/envoy/cds.yaml } } }\n"
    let recorded = world(bootstrap).file(
      "/etc/envoy/cds.yaml", "resources:\n" + cluster("far", "far", 81), in: place)
    let facts = try await read("http://a/", recorded).facts
    #expect(facts[.routeUpstream] == "http://far:81")
    #expect(facts["port-line.file"] == "/srv/envoy/cds.yaml")
  }

  /// A cluster of addresses with a name in it keeps Envoy from starting.
  @Test(arguments: [("STATIC", "shop", true), ("STATIC", "10.0.0.2", false), ("STRICT_DNS", "shop", false)])
  func aNameAmongAddresses(type: String, host: String, isRefused: Bool) async throws {
    let clusters = cluster("app", host).replacing("STRICT_DNS", with: type)
    let (_, facts) = try await read("http://shop.example.org/", world(file(shop, clusters)))
    #expect((facts[.configProblem]?.hasPrefix("malformed IP address: shop") == true) == isRefused)
    #expect(facts["problem-line.fixed"]?.hasSuffix("type: STRICT_DNS") == (isRefused ? true : nil))
  }

  @Test func aFileThatIsNoYAMLToItsEndIsBrokenWithTheLine() async throws {
    let (outcome, facts) = try await read("http://a/", world("static_resources:\n  listeners: [\n  clusters:\n"))
    #expect(outcome == .broken)
    #expect(facts[.configProblem]?.contains("/etc/envoy/envoy.yaml:") == true)
  }
}
