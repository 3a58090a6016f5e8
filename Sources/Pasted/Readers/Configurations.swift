import Model
import Pattern
import World

/// A proxy's configuration, or a part of one, that stands in a paste by itself: by what it is known, and where its proxy
/// would read it.
private struct ConfigurationForm: Sendable {
  let kind: String
  /// Of one of its lines.
  let pattern: String
  /// Where a part of that form lies on a machine, and in a container of the proxy's own image.
  let onHost: String
  let inImage: String

  init(_ kind: String, _ pattern: String, at onHost: String, inImage: String? = nil) {
    (self.kind, self.pattern, self.onHost, self.inImage) = (kind, pattern, onHost, inImage ?? onHost)
  }

  /// The more special ones first.
  static let all = [
    ConfigurationForm("nginx", #"^(http|events) *\{"#, at: "/etc/nginx/nginx.conf"),
    ConfigurationForm(
      "nginx", #"^\s*(server *\{|upstream \S+ *\{|proxy_pass \S+;)"#, at: "/etc/nginx/conf.d/pasted.conf"),
    ConfigurationForm(
      "apache", #"^\s*<VirtualHost [^>]+>"#, at: "/etc/apache2/sites-enabled/pasted.conf",
      inImage: "/usr/local/apache2/conf/pasted.conf"),
    ConfigurationForm(
      "haproxy", #"^(frontend|backend|listen|defaults|global)\b( \S+)?\s*$"#, at: "/etc/haproxy/haproxy.cfg",
      inImage: "/usr/local/etc/haproxy/haproxy.cfg"),
    ConfigurationForm("envoy", #"^\s*static_resources:"#, at: "/etc/envoy/envoy.yaml"),
    ConfigurationForm("cloudflared", #"^(tunnel|ingress):"#, at: "/etc/cloudflared/config.yml"),
    ConfigurationForm(
      "traefik", #"^(entryPoints|providers):|^\[(entryPoints|providers)\b"#, at: "/etc/traefik/traefik.yml"),
    ConfigurationForm(
      "traefik", #"^\s*(routers|loadBalancer):|^\s*\[(http|tcp)\.(routers|services)\."#, at: "/etc/traefik/pasted.yml"),
    ConfigurationForm(
      "lighttpd", #"^\s*(\$(HTTP|SERVER)\["|proxy\.server *=|server\.modules *\+?=)"#, at: "/etc/lighttpd/lighttpd.conf"
    ),
    ConfigurationForm("caddy", #"^\s*(reverse_proxy|handle_path|php_fastcgi)\b(?!:)"#, at: "/etc/caddy/Caddyfile"),
  ]

  /// The first that fits.
  static func of(_ lines: [String]) -> ConfigurationForm? {
    all.first { form in
      guard let pattern = try? Pattern(form.pattern) else { return false }
      return lines.prefix(2000).contains { pattern.matches($0) }
    }
  }
}

extension Account {
  static let configurationReaders = [
    // What a proxy tells of itself, copied out of a browser.
    OutputReader(
      claims: { passage in
        passage.command == nil && ["{", "["].contains(passage.lines.first?.first)
          && passage.lines.joined().utf8.count > 20
          && JSON(passage.text.utf8) != nil
      },
      read: { passage, account in
        guard let body = JSON(passage.text.utf8), account.tell(body, at: nil) else {
          return account.addUnread(0, of: passage)
        }
      }),
    // HAProxy's `show stat` and `show info`, as `socat` prints them.
    OutputReader(
      claims: { passage in
        passage.lines.contains { $0.hasPrefix("# pxname,") } || passage.lines.first?.hasPrefix("Name: HAProxy") == true
      },
      read: { passage, account in
        let isInfo = passage.lines.first?.hasPrefix("Name: HAProxy") == true
        account.statistics[isInfo ? .info : .statistics] = passage.text + "\n"
      }),
    // Labels that Traefik reads, out of their file: `- "traefik.http.routers.shop.rule=Host(`shop.example.org`)"`.
    OutputReader(
      claims: { passage in
        passage.command == nil && passage.lines.contains { label($0) != nil }
          && !passage.lines.contains { $0.trimmed == "services:" }
      },
      read: { passage, account in
        let found = passage.lines.map(label)
        let labels = Dictionary(found.compactMap(\.self)) { $1 }
        guard let index = account.bearer(of: labels) else { return account.addUnread(0, of: passage) }
        account.add(labels, to: index)
        for (index, line) in passage.lines.enumerated() where found[index] == nil {
          if line.trimmed != "labels:" { account.addUnread(index, of: passage) }
        }
      }),
    OutputReader(
      claims: { $0.command == nil && ConfigurationForm.of($0.lines) != nil },
      read: { passage, account in
        guard let form = ConfigurationForm.of(passage.lines) else { return }
        let place = account.place(ofKind: form.kind)
        var path = place == .host ? form.onHost : form.inImage
        if form.kind == "traefik",
          passage.lines.contains(where: { $0.trimmed.hasPrefix("[") && $0.trimmed.hasSuffix("]") })
        {
          path = String(path.dropLast(3)) + "toml"
        }
        let known = account.files[place]?[path]?.text.map { $0 + "\n" } ?? ""
        account.files[place, default: [:]][path, default: File()].text = known + passage.text + "\n"
      }),
  ]

  private static let labelForm = try? Pattern(
    #"^\s*(?:- |-l |--label[ =])?["']?(?<name>traefik\.(?:enable|docker|http|tcp|udp)[\w.\[\]-]*)["']?(?:=|: )["']?(?<value>.*?)["']?\s*\\?$"#
  )

  private static func label(_ line: String) -> (String, String)? {
    guard let match = labelForm?.firstMatch(in: line), let name = match.text(of: "name") else { return nil }
    return (name, match.text(of: "value") ?? "")
  }

  /// The container that has such labels: that of which they name a router or a service, or the only one that is no proxy.
  private func bearer(of labels: [String: String]) -> Int? {
    let named = Set(
      labels.keys.compactMap { key in
        let parts = key.split(separator: ".")
        return parts.count > 3 ? String(parts[3]) : nil
      })
    let rows = containers.indices.map { ($0, containers[$0].containerName ?? "") }
    if let fitting = rows.first(where: { _, name in
      named.contains { name == $0 || name.split { "-_".contains($0) }.contains($0[...]) }
    }) {
      return fitting.0
    }
    let apps = rows.filter { proxy(in: containers[$0.0]) == nil }
    return apps.count == 1 ? apps[0].0 : nil
  }

  private mutating func add(_ labels: [String: String], to index: Int) {
    var members = containers[index].members
    var config = members["Config"]?.members ?? [:]
    config["Labels"] = .object((config["Labels"]?.members ?? [:]).merging(labels.mapValues { .string($0) }) { $1 })
    members["Config"] = .object(config)
    containers[index] = .object(members)
  }

  /// The proxy that a container is, by its image.
  func proxy(in container: JSON) -> Signs.Proxy? {
    let image = (container["Config"]?["Image"] ?? container["Image"])?.text ?? ""
    let name = image.withoutTag
    return signs.proxies.first { $0.images.contains { (try? Pattern($0))?.matches(name) == true } }
  }

  /// Where a proxy of a kind reads its files: its container that runs, else this machine.
  func place(ofKind kind: String) -> Place {
    let own = containers.first { container in
      proxy(in: container).map { $0.kind == kind || signs.logs(of: $0.kind) == kind } == true && container.pid != nil
    }
    return own?.pid.map { .process($0) } ?? .host
  }

  /// Files with which a proxy begins, of which it takes the first that is there.
  private static let mains: [[String]] = [
    UsualFiles.traefik(), UsualFiles.cloudflared,
    ["/etc/apache2/apache2.conf", "/usr/local/apache2/conf/httpd.conf", "/etc/httpd/conf/httpd.conf"],
  ]

  /// True where another of the files with which a proxy may begin was pasted: then it begins with that one.
  func begins(otherThan path: String, in place: Place) -> Bool {
    Self.mains.contains { mains in
      mains.contains(path) && mains.contains { files[place]?[$0]?.text != nil }
    }
  }

  /// The file with which a proxy begins, where only those are known that it takes in: as its package has it. Nobody knows
  /// which of its sites is asked for all other names, so a site of its own stands for that one.
  mutating func completeConfigurations() {
    for (place, known) in files {
      for main in Main.all where known[main.path] == nil {
        let parts = known.filter { path, file in
          file.text != nil && main.folders.contains { path == $0 || path.hasPrefix($0 + "/") }
        }
        guard !parts.isEmpty else { continue }
        files[place]?[main.path] = File(text: main.text(parts.values.compactMap(\.text).joined(separator: "\n")))
      }
    }
  }
}

/// The file with which a proxy begins, if nobody has changed it.
private struct Main {
  let path: String
  /// Where what it takes in lies: folders, or files.
  let folders: [String]
  /// Of what was pasted of these.
  let text: @Sendable (String) -> String

  static let all = [
    Main(path: "/etc/nginx/nginx.conf", folders: ["/etc/nginx/conf.d", "/etc/nginx/sites-enabled"]) { parts in
      let ports = found(#"^\s*listen\s+([^;\s]+)[^;]*;"#, in: parts)
      let other = ports.map { "listen \($0) default_server; " }.joined()
      let own = parts.contains("default_server") || ports.isEmpty ? "" : "    server { \(other)return 444; }\n"
      return
        "events {}\nhttp {\n\(own)    include /etc/nginx/conf.d/*.conf;\n    include /etc/nginx/sites-enabled/*;\n}\n"
    },
    Main(path: "/etc/apache2/apache2.conf", folders: ["/etc/apache2/sites-enabled", "/etc/apache2/conf-enabled"]) {
      hosts($0) + "IncludeOptional conf-enabled/*.conf\nIncludeOptional sites-enabled/*.conf\n"
    },
    Main(path: "/usr/local/apache2/conf/httpd.conf", folders: ["/usr/local/apache2/conf/pasted.conf"]) {
      hosts($0) + "Include conf/pasted.conf\n"
    },
    traefik("/etc/traefik/pasted.yml"), traefik("/etc/traefik/pasted.toml"),
  ]

  private static func traefik(_ part: String) -> Main {
    Main(path: "/etc/traefik/traefik.yml", folders: [part]) { _ in
      "entryPoints:\n  web:\n    address: \":80\"\nproviders:\n  file:\n    filename: \(part)\n"
    }
  }

  private static func hosts(_ parts: String) -> String {
    let addresses = found(#"^\s*<VirtualHost\s+([^>\s]+)"#, in: parts)
    let ports = Set(addresses.compactMap { $0.split(separator: ":").last.flatMap { UInt16($0) } }).sorted()
    return ports.map { "Listen \($0)\n" }.joined()
      + addresses.map { "<VirtualHost \($0)>\n    ServerName other.invalid\n</VirtualHost>\n" }.joined()
  }

  /// What the group of a pattern is in the lines of a text, each once.
  private static func found(_ pattern: String, in text: String) -> [String] {
    guard let pattern = try? Pattern(pattern) else { return [] }
    return text.lines.compactMap { pattern.firstMatch(in: String($0))?.groups[1] }.reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
  }
}
