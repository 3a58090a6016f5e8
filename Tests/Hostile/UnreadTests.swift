import Foundation
import Testing

/// Rows 7 and 17: what could not be read, or is written in another way, never makes a certain or a false cause.
@Suite struct UnreadTests {
  /// A container's nginx with these files in front of an app that does not run.
  private static func diagnosis(
    _ sandbox: Sandbox, image: String = "nginx:1.27", _ files: (_ upstream: String) -> [String: String]
  ) throws -> Diagnosis {
    let port = try sandbox.failing()
    try sandbox.engine([StandIn(image: image, ports: [80: port], files: files("127.0.0.1:1"))])
    return try Diagnosis(
      try sandbox.wizard(
        "diagnose", "http://localhost:\(port)/", "--json", "--timeout", "\(Int(30 * Sandbox.slowness))",
        limit: 40 * Sandbox.slowness))
  }

  private static func expectNothingFalse(_ diagnosis: Diagnosis, at place: SourceLocation = #_sourceLocation) {
    let claimed: Set = ["route-missing", "proxy-config-invalid"]
    let found = diagnosis.causes.filter { claimed.contains($0.id) && $0.confidence != "possible" }
    #expect(
      found.isEmpty, "\(found.map { "\($0.id)/\($0.confidence)" }); \(diagnosis.outcome("route.read") ?? "-")",
      sourceLocation: place)
  }

  static let server = "server { listen 80; server_name localhost; location / { proxy_pass http://127.0.0.1:1; } }\n"
  static let other = "server { listen 80; server_name other.example; return 404; }\n"

  @Test(arguments: [1_100_000, 17_500_000])
  func row7AFileOfMoreThanTheOldLimitOf1MBIsReadOrSaidToBeUnread(_ size: Int) throws {
    let sandbox = try Sandbox("\(#function) \(size)")
    let diagnosis = try Self.diagnosis(sandbox) { _ in
      let filling = String(repeating: "# " + String(repeating: "x", count: 997) + "\n", count: size / 1000)
      return ["/etc/nginx/nginx.conf": "events {}\nhttp {\n" + filling + Self.server + "}\n"]
    }
    Self.expectNothingFalse(diagnosis)
  }

  @Test(arguments: ["traefik", "envoy"])
  func row7ALargeTraefikFileAndALargeFileOfEnvoy(_ kind: String) throws {
    let sandbox = try Sandbox("\(#function) \(kind)")
    let filling = String(repeating: "# " + String(repeating: "x", count: 997) + "\n", count: 1100)
    let diagnosis = try Self.diagnosis(sandbox, image: kind == "traefik" ? "traefik:v3" : "envoyproxy/envoy:v1.33") {
      _ in
      if kind == "envoy" {
        let text = ProxyForm.all.first { $0.process == kind }?.configuration(80) ?? ""
        return ["/etc/envoy/envoy.yaml": text + filling]
      }
      return [
        "/etc/traefik/traefik.yml":
          "entryPoints:\n  web:\n    address: ':80'\nproviders:\n  file:\n    filename: /etc/traefik/d.yml\n",
        "/etc/traefik/d.yml": "http:\n  routers:\n" + filling
          + "    r: {rule: 'Host(`localhost`)', service: s}\n  services:\n    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}\n",
      ]
    }
    Self.expectNothingFalse(diagnosis)
  }

  @Test func row7MoreFilesThanAreTakenIn() throws {
    let sandbox = try Sandbox()
    let diagnosis = try Self.diagnosis(sandbox) { _ in
      var files = ["/etc/nginx/nginx.conf": "events {}\nhttp {\ninclude /etc/nginx/sites/*.conf;\n}\n"]
      for number in 0..<10_500 { files["/etc/nginx/sites/a\(number).conf"] = "# \(number)\n" }
      files["/etc/nginx/sites/z.conf"] = Self.server
      files["/etc/nginx/sites/0.conf"] = Self.other
      return files
    }
    Self.expectNothingFalse(diagnosis)
  }

  /// What nobody but root may read is not there for another user: then another server would seem to serve the site.
  @Test(arguments: ["0600", "fifo", "folder"])
  func row7AnIncludeThatMayNotBeReadOrIsAFIFOOrAHangingFile(_ kind: String) throws {
    let sandbox = try Sandbox("\(#function) \(kind)")
    let port = sandbox.port()
    try sandbox.compile("impostor.c", to: "/opt/impostor", "-static")
    try sandbox.write(
      "events {}\nhttp {\nserver { listen \(port) default_server; server_name other.example; return 404; }\n"
        + "include /etc/nginx/z.conf;\n}\n", to: "/etc/nginx/main.conf")
    switch kind {
    case "0600":
      try sandbox.write(
        Self.server.replacingOccurrences(of: "80", with: "\(port)"), to: "/etc/nginx/z.conf", mode: 0o600)
    case "fifo": try sandbox.sh("mkfifo /etc/nginx/z.conf")
    default: try sandbox.sh("mkdir -p /etc/nginx/z.conf")
    }
    let form = try #require(ProxyForm.all.first { $0.process == "nginx" })
    // Its own user looks, whose process it is.
    try sandbox.pose(as: form, at: port, configuration: "/etc/nginx/main.conf", by: Sandbox.nobody)
    let run = try sandbox.wizard(
      "diagnose", "http://localhost:\(port)/", "--json", as: .init(uid: kind == "0600" ? Sandbox.nobody : 0))
    let diagnosis = try Diagnosis(run)
    #expect(
      diagnosis.certain.isEmpty,
      "\(diagnosis.certain) \(diagnosis.checks.filter { $0.id.hasPrefix("route") || $0.id.hasPrefix("proxy") })")
  }

  /// The same configuration with both ends of lines gives the same diagnosis.
  @Test(arguments: ["nginx", "haproxy", "apache2", "caddy", "envoy", "traefik"])
  func row17CRLF(_ kind: String) throws {
    let form = try #require(ProxyForm.all.first { $0.process == kind })
    var outcomes: [[String]] = []
    for end in ["\n", "\r\n"] {
      // A machine for each: the proxy of the one could be taken for the other's app.
      let sandbox = try Sandbox("\(#function) \(kind) \(end.utf8.count)")
      try sandbox.compile("impostor.c", to: "/opt/impostor", "-static")
      let port = sandbox.port()
      let file = "/srv/conf-\(port)"
      let text = form.configuration(port) + (form.process == "traefik" ? form.including?("/srv/d-\(port)") ?? "" : "")
      let dynamic =
        "http:\n  routers:\n    r:\n      rule: Host(`localhost`)\n      service: s\n  services:\n    s:\n      loadBalancer:\n"
        + "        servers:\n        - url: http://127.0.0.1:1\n"
      try sandbox.write(dynamic.replacingOccurrences(of: "\n", with: end), to: "/srv/d-\(port)")
      try sandbox.write(text.replacingOccurrences(of: "\n", with: end), to: file)
      try sandbox.pose(as: form, at: port, configuration: file)
      try sandbox.write("127.0.0.1 localhost\(end)127.0.0.1 app\(end)", to: "/etc/hosts")
      let diagnosis = try Diagnosis(try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json"))
      Self.expectNothingFalse(diagnosis)
      outcomes.append(
        diagnosis.causes.map { "\($0.id)/\($0.confidence)" }
          // Those of the files that have the line ends; others that run ahead of the way may end in time or not.
          + diagnosis.checks.filter { ["route.find", "name.resolve"].contains($0.id) }.map { "\($0.id): \($0.outcome)" }
          .sorted())
    }
    #expect(outcomes[0] == outcomes[1])
    #expect(!outcomes[0].isEmpty)
  }
}
