import Discovery
import Fixture
import Foundation
import Model
import World

@testable import Discovery
import Routes

/// A small configuration that works, or is broken on purpose: a file of `Systems/`, named by its kind.
///
/// Its first line is a comment with the site that is looked for, and `broken` if the real proxy refuses it.
struct System: Sendable, CustomStringConvertible {
  enum Kind: String, CaseIterable, Sendable {
    case nginx, apache, haproxy, caddy, envoy, lighttpd
    /// Traefik with a file, and with the labels of a Compose file.
    case traefik, docker
    /// A Compose file whose service has to join a network or needs another line, and the names of a machine.
    case compose, hosts
    /// A file of a PHP-FPM pool.
    case pool
  }

  let kind: Kind
  let file: String
  let text: String
  let url: String
  let isBroken: Bool

  var description: String { file }

  static let all: [System] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Systems")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
    return files.sorted().compactMap { file in
      guard let kind = Kind(rawValue: String(file.prefix { $0 != "-" })),
        let text = try? String(contentsOf: folder.appending(path: file), encoding: .utf8)
      else { return nil }
      let words = text.prefix { !$0.isNewline }.split(separator: " ")
      return System(
        kind: kind, file: file, text: text, url: words.count > 1 ? String(words[1]) : "",
        isBroken: words.last == "broken")
    }
  }()

  /// The kind of proxy as the facts have it.
  private var proxy: String? {
    switch kind {
    case .docker: "traefik"
    case .compose, .hosts, .pool: nil
    default: kind.rawValue
    }
  }

  /// Where the proxy has its file in a folder of its own.
  func path(in folder: Folder) -> String {
    folder.path + (kind == .traefik ? "/dynamic/" : "/") + file
  }

  /// The text for this folder and port.
  private func text(in folder: Folder, port: UInt16) -> String {
    text.replacing("@DIR@", with: folder.path).replacing("@PORT@", with: String(port))
  }

  /// Puts the file, and what it names, into the folder.
  func stand(in folder: Folder, port: UInt16) throws {
    try folder.write(text(in: folder, port: port), to: (kind == .traefik ? "dynamic/" : "") + file)
    // Every file of certificates that a page may name.
    for name in ["ca.pem", "localhost.pem", "shop-ca.pem", "dynamic/ca.pem", "dynamic/shop-ca.pem"] {
      try folder.write(Certificate.text, to: name)
    }
    if kind == .nginx {
      for name in ["fastcgi_params", "uwsgi_params"] {
        try folder.write(String(contentsOfFile: "/etc/nginx/\(name)", encoding: .utf8), to: name)
      }
    }
  }

  /// What the program's own reader learns of it.
  func facts(in folder: Folder, port: UInt16, _ signs: Signs) async throws -> Facts {
    let file = path(in: folder)
    switch kind {
    case .compose:
      let labels = [
        "com.docker.compose.project": "shop", "com.docker.compose.service": "shop",
        "com.docker.compose.project.config_files": file, "com.docker.compose.project.working_dir": folder.path,
      ]
      guard let service = await ComposeService(of: labels, in: SampleWorld(command: [])),
        let lines = service.joining("edge")
      else { return [:] }
      var facts: Facts = ["join.service": "shop", "join.file": file, "publish.service": "shop", "publish.file": file]
      facts.set(lines.service, .join)
      facts.set(lines.file, .external)
      if let ports = service.publishing(3000, at: 3000) { facts.set(ports, .ports) }
      facts.set(service.commanding("127.0.0.1", as: "0.0.0.0") ?? service.variable("HOST", to: "0.0.0.0"), .listen)
      for line in [FactName.Line.restart, .proxyRestart] {
        facts.set(service.setting("restart", to: "unless-stopped"), line)
      }
      facts.set(service.publishing(80, instead: 3000), .published)
      facts.set(service.unchecked, .unchecked)
      if text.contains("host.docker.internal") {
        facts[.upstreamHost] = "host.docker.internal"
        facts.set(service.adding("\"host.docker.internal:host-gateway\"", to: "extra_hosts"), .source)
      } else if let tag = service.tag {
        facts.set(Edit(onThisMachine: tag), .source)
      } else {
        facts.set(service.adding("/var/run/docker.sock:/var/run/docker.sock:ro", to: "volumes"), .source)
      }
      return facts
    case .pool:
      let inside = "/usr/local/etc/php-fpm.d"
      let world = Sandbox().container(
        "php1",
        #""Name": "/php", "State": {"Pid": 42}, "Mounts": [{"Source": "\#(folder.path)", "Destination": "\#(inside)"}]"#
      ).file("\(inside)/\(self.file)", self.text(in: folder, port: port), in: .process(42))
      return await world.poolSettings(
        of: try await world.container("php1"), at: .network(host: "php", port: 9000))
    case .hosts:
      let lines = text.split(separator: "\n").map(String.init)
      let number = lines.firstIndex { $0.hasSuffix("shop.example.org") } ?? 0
      return [
        "hosts-line.file": file, "hosts-line.number": String(number + 1), "hosts-line.text": lines[number],
        "site.host": "shop.example.org",
      ]
    default: break
    }
    guard let proxy, let site = Site(url.replacing("@PORT@", with: String(port))) else { return [:] }
    var world = SampleWorld(command: command(file, folder, port))
    if kind == .docker { world.engine = try Engine.answers(for: file, in: folder) }
    if kind == .haproxy {
      world.statistics = [
        .info: "Maxconn: 100\n",
        .statistics: "# pxname,svname,scur,slim,qcur,status\nshop,one,10,10,3,UP\nshop,BACKEND,10,10,3,UP\n",
      ]
    }
    let request = RouteReading.Request(site: site, port: port)
    let place = ProxyPlace(id: nil, pid: SampleWorld.pid, usesHostNetwork: true)
    let read = try await RouteReading.read(request, kind: proxy, at: place, in: world, signs)
    let use = try await RouteReading.use(of: request, kind: proxy, at: place, in: world, signs)
    let refusal = (read.route?.refusals.value ?? []).first?.facts ?? [:]
    return read.facts.merging(use?.facts ?? [:]).merging(refusal).merging([.proxyKind: proxy, .siteHost: site.host])
  }

  private func command(_ file: String, _ folder: Folder, _ port: UInt16) -> [String] {
    switch kind {
    case .nginx: ["nginx: master process /usr/sbin/nginx -p \(folder.path) -c \(file)"]
    case .apache: ["/usr/sbin/apache2", "-d", folder.path, "-f", file, "-k", "start"]
    case .haproxy: ["/usr/sbin/haproxy", "-W", "-f", file]
    case .lighttpd: ["/usr/sbin/lighttpd", "-D", "-f", file]
    case .caddy: ["/usr/bin/caddy", "run", "--config", file, "--adapter", "caddyfile"]
    case .envoy: ["/usr/bin/envoy", "-c", file]
    case .traefik, .docker: ["traefik"] + Traefik.flags(kind, folder, port: port)
    case .compose, .hosts, .pool: []
    }
  }
}

/// One certificate for all tests.
enum Certificate {
  static let text: String = {
    let made = try? run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null",
        "-subj", "/CN=shop", "-days", "2",
      ])
    let lines = (made?.output ?? "").split(separator: "\n", omittingEmptySubsequences: false)
    return (lines.firstIndex { $0.hasPrefix("-----BEGIN CERT") }.map { lines[$0...] } ?? []).joined(separator: "\n")
  }()
}
