import Foundation

/// Whoever runs the site: knows which app and which proxy are theirs, and of the fault what commands print.
struct Owner {
  let site: Site
  private let url: URL
  /// The name of the app, which stands in its own answers.
  private var app: String { site.says }

  init(of site: Site) throws {
    self.site = site
    guard let url = URL(string: site.url) else { throw CommandFailed(description: "\(site.url) is no address") }
    self.url = url
  }

  private var port: Int { url.port ?? (url.scheme == "https" ? 443 : 80) }

  /// The number of the answer that is true, as far as can be told; else that of "I do not know".
  func answer(to question: Conversation.Question) async throws -> Int {
    let key: String? =
      switch question.fact {
      case "proxy.kind": try await kind()
      case "site.delay": try await look().seconds < 1.5 ? "at-once" : "later"
      case "problem.where": try await look().isGood ? "nowhere" : nil
      case "problem.when": "always"
      case "series.count": "20"
      case "upstream.place": try await place()
      case "container.status": try await status()
      case "app.runs": try await place() == "host" ? "yes" : nil
      case "port.right": try await isPortRight().map { $0 ? "yes" : "no" }
      case "problem.changed": try await changed()
      case "log.says": question.answer(in: try await log())
      case "app.log-says": question.answer(in: try await shell("docker logs --tail 50 \(app) 2>&1"))
      default: nil
      }
    let answers = question.answers
    return (answers.firstIndex { $0.key == key } ?? answers.firstIndex { $0.key == "unsure" } ?? answers.count - 1) + 1
  }

  // MARK: What commands print

  private func shell(_ command: String) async throws -> String {
    let engine = site.engine.map { ["env", "DOCKER_HOST=\($0)"] } ?? []
    let output = try await run(engine + ["sh", "-c", command], limit: 20)
    return output.text + output.errors
  }

  /// What the browser shows.
  private func look() async throws -> (status: Int, seconds: Double, isGood: Bool) {
    let start = ContinuousClock.now
    let answer = try await Answer.from(site)
    return (answer.status, (ContinuousClock.now - start) / .seconds(1), answer.isGood(for: site))
  }

  /// The lines of `docker ps -a`: name, image, status, ports.
  private func containers() async throws -> [[String]] {
    try await shell(#"docker ps -a --format '{{.Names}}\t{{.Image}}\t{{.Status}}\t{{.Ports}}'"#).split(separator: "\n")
      .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }.filter { $0.count == 4 }
  }

  /// The name and the image of the container that has the site's port.
  private func proxy() async throws -> (name: String, image: String)? {
    let all = try await containers()
    if let running = all.first(where: { $0[3].contains(":\(port)->") }) { return (running[0], running[1]) }
    for container in all {
      let ports = try await shell("docker inspect -f '{{json .HostConfig.PortBindings}}' \(container[0])")
      if ports.contains("\"HostPort\":\"\(port)\"") { return (container[0], container[1]) }
    }
    return nil
  }

  /// The program of this machine that listens at the site's port.
  private func program() async throws -> (name: String, pid: String)? {
    let line = try await shell("ss -Hltnp 'sport = :\(port)'")
    return line.firstMatch(of: /\(\("([^"]+)",pid=(\d+)/).map { (String($0.1), String($0.2)) }
  }

  private func kind() async throws -> String? {
    let names = [
      ("nginx-proxy-manager", "nginx-proxy-manager"), ("proxyos", "proxyos"), ("traefik", "traefik"),
      ("caddy", "caddy"), ("haproxy", "haproxy"), ("httpd", "apache"), ("apache", "apache"), ("envoy", "envoy"),
      ("lighttpd", "lighttpd"), ("nginx", "nginx"), ("swag", "nginx"),
    ]
    let known = if let proxy = try await proxy() { proxy.image } else { try await program()?.name ?? "" }
    return names.first { known.contains($0.0) }?.1
  }

  private func place() async throws -> String? {
    if try await containers().contains(where: { $0[0] == app }) { return "container" }
    return try await shell("ps -eo args").contains("--name \(app) ") ? "host" : nil
  }

  private func status() async throws -> String? {
    guard let line = try await containers().first(where: { $0[0] == app }) else { return nil }
    let words = [
      ("(Paused)", "paused"), ("(unhealthy)", "unhealthy"), ("starting)", "starting"), ("Up", "running"),
      ("Exited", "exited"), ("Created", "exited"), ("Restarting", "restarting"),
    ]
    return words.first { line[2].contains($0.0) }?.1
  }

  /// What the proxy writes down while the site is asked once more.
  private func log() async throws -> String {
    if let proxy = try await proxy() {
      let since = try await shell("date +%s.%N")
      _ = try await look()
      if proxy.image.contains("nginx-proxy-manager") {
        return try await shell("docker exec \(proxy.name) sh -c 'tail -qn 3 /data/logs/*error.log /config/log/*error.log'")
      }
      let new = try await shell("sleep 0.3; docker logs --since \(since.trimmingCharacters(in: .newlines)) \(proxy.name)")
      return new.isEmpty ? try await shell("docker logs --tail 20 \(proxy.name)") : new
    }
    guard let program = try await program() else { return "" }
    let files = try await shell("readlink /proc/\(program.pid)/fd/* | grep -E 'log$' | grep -v access | sort -u")
      .split(separator: "\n")
    _ = try await look()
    var text = ""
    for file in files { text += try await shell("tail -n 5 \(file)") }
    return text
  }

  /// Whether the port that the proxy's configuration has for the app is one on which the app listens.
  private func isPortRight() async throws -> Bool? {
    guard let proxy = try await proxy() else { return nil }
    let files =
      "/etc/nginx/conf.d /etc/caddy /usr/local/etc/haproxy /etc/traefik /usr/local/apache2/conf /etc/envoy "
      + "/etc/lighttpd /data/nginx /config/nginx"
    let configuration = try await shell(
      "for p in \(files); do docker cp \(proxy.name):$p - 2>/dev/null | tar xO 2>/dev/null; done; "
        + "docker inspect -f '{{json .Config.Labels}} {{json .Config.Env}}' \(app)")
    let named = configuration.firstMatch(of: try Regex("\(app):(\\d+)", as: (Substring, Substring).self))?.1
    let labelled = configuration.firstMatch(of: /(?:server\.port":"|VIRTUAL_PORT=)(\d+)/)?.1
    guard let route = named ?? labelled else { return nil }
    let listening = try await shell(
      "nsenter -t $(docker inspect -f '{{.State.Pid}}' \(app)) -n ss -Hltn | awk '{print $4}'")
    return listening.split(separator: "\n").contains { $0.hasSuffix(":\(route)") }
  }

  /// What `docker ps` and the dates of files tell of what was changed last.
  private func changed() async throws -> String? {
    guard let proxy = try await proxy() else { return nil }
    let times = try await shell("docker inspect -f '{{.State.StartedAt}}' \(proxy.name) \(app)").split(separator: "\n")
    return times.count == 2 && times[1] > times[0] ? "recreated" : nil
  }
}

extension Conversation.Question {
  /// The answer whose words stand in the newest line that has any of an answer's.
  func answer(in output: String) -> String? {
    let phrases = answers.filter { $0.key != "unsure" }.flatMap { answer in
      answer.text.phrases.map { (phrase: $0.lowercased(), key: answer.key) }
    }.sorted { $0.phrase.count > $1.phrase.count }
    for line in output.lowercased().split(separator: "\n").reversed() {
      if let found = phrases.first(where: { line.contains($0.phrase) }) { return found.key }
    }
    return nil
  }
}

extension String {
  /// What stands in double quotes, or, where nothing does, what stands between commas and "or", without brackets.
  fileprivate var phrases: [String] {
    let quoted = matches(of: /"([^"]+)"/).map { String($0.1) }
    if !quoted.isEmpty { return quoted }
    return replacing(/\ ?\([^)]*\)/, with: "").split(separator: /,\ or\ |,\ |\ or\ /).map(String.init)
  }
}
