import Foundation

/// Whoever runs the site: knows which app and which proxy are theirs, and of the fault what commands print.
struct Owner {
  let site: Site
  private let url: URL

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
      case "problem.page": try await page()
      case "proxy.kind": try await kind()
      case "container.status": try await status()
      case "log.says": try await logSays(question)
      case "app.listens": try await listens(question)
      case "app.published": try await published()
      case "app.program": try await programListens(question)
      case "app.networks": try await networks(question)
      case "app.speaks": try await speaks(question)
      case "app.past": try await past(question)
      case "app.past-page": try await pastPage(question)
      case "route.leads-to": try await leadsTo()
      case "route.served": try await served(question)
      case "app.labels": try await labels(question)
      case "proxy.files-say": try await filesSay(question)
      case "source.says": question.answer(in: try await output(of: question)) ?? "nothing"
      case "edge.past": try await pastEdge(question)
      case "problem.when": "always"
      case "series.count": "20"
      case "problem.changed": try await changed()
      // The answers quote what stands in the output.
      default: question.answer(in: try await output(of: question))
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

  /// What the question's own command prints, with the names that a person fills in.
  private func output(of question: Conversation.Question) async throws -> String {
    guard var command = question.command else { return "" }
    // Nobody here waits that long.
    command = command.replacing("-m 90", with: "-m 8").replacing("sudo ", with: "")
    let names = [
      ("PROXY", try await proxy()?.name), ("APP", try await app()), ("PORT", try await appPorts().first),
      ("ORIGIN_IP", "127.0.0.1"),
    ]
    for (word, name) in names {
      if let name { command = command.replacing(word, with: name) }
    }
    return try await shell(command)
  }

  /// What the browser shows.
  private func look() async throws -> (answer: Answer, seconds: Double) {
    let start = ContinuousClock.now
    let answer = try await Answer.from(site)
    return (answer, (ContinuousClock.now - start) / .seconds(1))
  }

  private func page() async throws -> String? {
    var (answer, seconds) = try await look()
    // An error that comes and goes is seen by whoever loads the page a few times.
    for _ in 0..<5 where answer.isGood(for: site) { (answer, seconds) = try await look() }
    if answer.isGood(for: site) { return "works" }
    if seconds > 10 || answer.status == 504 { return "late" }
    switch answer.status {
    case 502: return "bad-gateway"
    case 503: return "unavailable"
    case 404: return "not-found"
    case 520...530: return "edge"
    case 500...: return "error"
    case 400, 403, 421, 426: return "refuses"
    case 0:
      let said = try await shell("curl -skS -m 9 -o /dev/null '\(site.url)'")
      return said.contains("to connect") ? "refused" : "closed"
    default: return "other-page"
    }
  }

  // MARK: What is there

  /// The lines of `docker ps -a`: name, image, status, ports.
  private func containers() async throws -> [[String]] {
    try await shell(#"docker ps -a --format '{{.Names}}\t{{.Image}}\t{{.Status}}\t{{.Ports}}'"#).split(separator: "\n")
      .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }.filter { $0.count == 4 }
  }

  private func inspect(_ name: String, _ format: String) async throws -> String {
    try await shell("docker inspect -f '\(format)' \(name)").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The name and the image of the container that has the site's port.
  private func proxy() async throws -> (name: String, image: String)? {
    let all = try await containers()
    if let running = all.first(where: { $0[3].contains(":\(port)->") }) { return (running[0], running[1]) }
    for container in all {
      let ports = try await inspect(container[0], "{{json .HostConfig.PortBindings}}")
      if ports.contains("\"HostPort\":\"\(port)\"") { return (container[0], container[1]) }
    }
    return nil
  }

  /// The app's container: its name stands in its own answer, or it is the only one besides the proxy's.
  private func app() async throws -> String? {
    let all = try await containers().map { $0[0] }
    if all.contains(site.says) { return site.says }
    let proxy = try await proxy()?.name
    let others = all.filter { $0 != proxy }
    return others.count == 1 ? others[0] : nil
  }

  /// The program of this machine that listens at the site's port.
  private func program() async throws -> (name: String, pid: String)? {
    let line = try await shell("ss -Hltnp 'sport = :\(port)'")
    return line.firstMatch(of: /\(\("([^"]+)",pid=(\d+)/).map { (String($0.1), String($0.2)) }
  }

  private func kind() async throws -> String? {
    let names = [
      ("nginx-proxy-manager", "nginx-proxy-manager"), ("proxyos", "proxyos"), ("traefik", "traefik"),
      ("caddy", "caddy"), ("haproxy", "haproxy"), ("lighttpd", "lighttpd"), ("httpd", "apache"), ("apache", "apache"),
      ("envoy", "envoy"),
      ("nginx", "nginx"), ("swag", "nginx"), ("appliance", "nginx"),
    ]
    let known =
      if let proxy = try await proxy() { proxy.image } else if let program = try await program() { program.name } else {
        // It does not run: what is there for this site?
        try await shell("grep -lrs \(url.host() ?? "") /etc/nginx /etc/haproxy /etc/apache2 /etc/caddy /etc/lighttpd")
      }
    return names.first { known.contains($0.0) }?.1
  }

  private func status() async throws -> String? {
    guard let app = try await app(), let line = try await containers().first(where: { $0[0] == app }) else {
      return try await isProgram() ? "program" : "missing"
    }
    if try await inspect(app, "{{.State.OOMKilled}}") == "true", line[2].hasPrefix("Exited") { return "killed" }
    let words = [
      ("(Paused)", "paused"), ("(unhealthy)", "unhealthy"), ("starting)", "starting"), ("Up", "running"),
      ("Exited", "exited"), ("Created", "exited"), ("Restarting", "restarting"),
    ]
    return words.first { line[2].contains($0.0) }?.1
  }

  private func isProgram() async throws -> Bool {
    try await shell("ps -eo args").contains("--name \(site.says) ")
      || FileManager.default.fileExists(atPath: "/etc/systemd/system/\(site.says).service")
  }

  /// The ports on which the app listens.
  private func appPorts() async throws -> [String] {
    try await listeners().compactMap { $0.split(separator: ":").last.map(String.init) }
  }

  /// The addresses at which the app listens: `0.0.0.0:3000`.
  private func listeners() async throws -> [String] {
    let ours =
      if let app = try await app() {
        try await shell("nsenter -t $(docker inspect -f '{{.State.Pid}}' \(app)) -n ss -Hltn")
      } else {
        try await shell(
          "ss -Hltnp | grep -E \"pid=($(pgrep -d '|' -f -- '--name \(site.says) ')),\"")
      }
    return ours.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(3).first.map(String.init) }
      .filter { !$0.contains("127.0.0.11:") }
  }

  /// The proxy's files, or the labels that take their place.
  private func configuration() async throws -> String {
    let app = try await app() ?? "-"
    guard let proxy = try await proxy() else {
      guard let program = try await program() else { return "" }
      return try await shell(
        "for f in $(tr '\\0' '\\n' < /proc/\(program.pid)/cmdline | grep ^/); do "
          + "[ -f $f ] && grep -rhs '' $(dirname $f); done")
    }
    let files =
      "/etc/nginx/conf.d /etc/caddy /usr/local/etc/haproxy /etc/traefik /usr/local/apache2/conf /etc/envoy "
      + "/etc/lighttpd /data/nginx /config/nginx"
    return try await shell(
      "for p in \(files); do docker cp \(proxy.name):$p - 2>/dev/null | tar xO 2>/dev/null; done; "
        + "docker inspect -f '{{json .Config.Labels}} {{json .Config.Env}}' \(app)")
  }

  // MARK: The log

  /// What the proxy writes down while the site is asked once more.
  private func log(_ question: Conversation.Question) async throws -> String {
    guard let program = try await program(), try await proxy() == nil else {
      let since = try await shell("date +%s.%N").trimmingCharacters(in: .newlines)
      _ = try await look()
      try await Task.sleep(for: .milliseconds(300))
      guard let command = question.command, command.contains(" logs ") else { return try await output(of: question) }
      var now = question
      now.command = command.replacing("--tail 20", with: "--since \(since)")
      let new = try await output(of: now)
      return new.isEmpty ? try await output(of: question) : new
    }
    let files = try await shell("readlink /proc/\(program.pid)/fd/* | grep -E 'log$' | grep -v access | sort -u")
      .split(separator: "\n")
    _ = try await look()
    var text = ""
    for file in files { text += try await shell("tail -n 5 \(file)") }
    return text
  }

  private func logSays(_ question: Conversation.Question) async throws -> String? {
    let log = try await log(question)
    let said = question.answer(in: log)
    let dialled = Self.dialled(in: log)?.host ?? ""
    let isHere = dialled.hasPrefix("127.") || dialled == "[::1]" || dialled == "localhost"
    // Both quote the same words: the address tells them apart.
    return said == "refused" || said == "here" ? (isHere ? "here" : "refused") : said
  }

  /// The address in the newest line that names one.
  private static func dialled(in log: String) -> (host: String, port: String)? {
    for line in log.split(separator: "\n").reversed() {
      let found =
        line.firstMatch(of: /(?:upstream: "https?:\/\/|dial tcp |connect to |tcp:)([^ :\/"]+|\[[^\]]+\]):(\d+)/)
      if let found { return (String(found.1), String(found.2)) }
    }
    return nil
  }

  /// The port that the proxy asks: by its log, or by its files.
  private func asked() async throws -> (log: String?, file: String?) {
    let configuration = try await configuration()
    let app = try await app() ?? "-"
    // Envoy's files have a name and its port in two places.
    let named = configuration.firstMatch(
      of: try Regex("\(app)(?::|\\b[^{}]{0,60}port_value: *)(\\d+)", as: (Substring, Substring).self))?.1
    let other = configuration.firstMatch(
      of:
        /(?:server\.port":"|VIRTUAL_PORT=|(?:127\.0\.0\.1|localhost|172\.17\.0\.1|172\.18\.0\.1):|forward_port = )(\d+)/
    )?.1
    var log: String?
    if let proxy = try await proxy() {
      log = Self.dialled(in: try await shell("docker logs --tail 20 \(proxy.name)"))?.port
    } else if let program = try await program() {
      let files = try await shell("cat $(readlink /proc/\(program.pid)/fd/* | grep -E 'log$' | sort -u) | tail -20")
      log = Self.dialled(in: files)?.port
    }
    return (log, (named ?? other).map(String.init))
  }

  // MARK: Where the app is

  private func listens(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    if said.contains("/proc/0/") { return "stopped" }
    let list = said.split(separator: "\n").filter { $0.hasPrefix("LISTEN") }
      .compactMap { $0.split(separator: " ").dropFirst(3).first.map(String.init) }.filter {
        !$0.contains("127.0.0.11:")
      }
    if list.isEmpty { return "nothing" }
    let asked = try await asked()
    if let log = asked.log, let file = asked.file, log != file, list.contains(where: { $0.hasSuffix(":" + file) }) {
      return "older"
    }
    guard let port = asked.log ?? asked.file else { return nil }
    let there = list.filter { $0.hasSuffix(":" + port) }
    if there.isEmpty { return "other-port" }
    if there.allSatisfy({ $0.hasPrefix("127.") || $0.hasPrefix("[::1]") }) { return "loopback" }
    return there.allSatisfy { $0.hasPrefix("[") && !$0.hasPrefix("[::]") } ? "other-family" : "here"
  }

  private func programListens(_ question: Conversation.Question) async throws -> String? {
    let list = try await listeners()
    guard !list.isEmpty else { return "nowhere" }
    let asked = try await asked()
    guard let port = asked.log ?? asked.file else { return nil }
    let there = list.filter { $0.hasSuffix(":" + port) }
    if there.isEmpty { return "other-port" }
    return there.allSatisfy { $0.hasPrefix("127.") || $0.hasPrefix("[::1]") } ? "loopback" : "here"
  }

  /// Who has the port of this machine that the proxy dials.
  private func published() async throws -> String? {
    if try await proxy() != nil { return "proxy" }
    let asked = try await asked()
    guard let port = asked.log ?? asked.file else { return nil }
    guard let app = try await app(), let line = try await containers().first(where: { $0[0] == app }) else {
      let list = try await listeners()
      return list.isEmpty ? "stopped" : list.contains { $0.hasSuffix(":" + port) } ? "elsewhere" : "other-port"
    }
    if !line[2].contains("Up") { return "stopped" }
    if !line[3].contains("->") { return "unpublished" }
    guard line[3].contains(":\(port)->") else { return "other-port" }
    return line[3].contains("0.0.0.0:\(port)->") ? "app" : "elsewhere"
  }

  private func networks(_ question: Conversation.Question) async throws -> String? {
    guard try await proxy() != nil else { return "program" }
    let lines = try await output(of: question).split(separator: "\n", omittingEmptySubsequences: false).prefix(2)
      .map { Set($0.split(separator: " ")) }
    guard lines.count == 2 else { return nil }
    if lines[1].isEmpty { return "guest" }
    if lines[1] == ["host"] { return "host" }
    if lines[0] == ["bridge"], lines[1] == ["bridge"] { return "bridge" }
    return lines[0].isDisjoint(with: lines[1]) ? "none" : "common"
  }

  private func speaks(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    guard let http = said.firstMatch(of: /http (\d+)/)?.1, let https = said.firstMatch(of: /https (\d+)/)?.1 else {
      return nil
    }
    if http == "000", https == "000" {
      let image = try await inspect(try await app() ?? "-", "{{.Config.Image}}")
      return image.contains("php") || image.contains("uwsgi") ? "own" : "none"
    }
    return http == "000" || http == "400" ? "https" : "http"
  }

  private func past(_ question: Conversation.Question) async throws -> String? {
    var question = question
    if try await app() == nil {
      question.command = question.command?.replacing(/http:\/\/\$\(.*\):PORT/, with: "http://127.0.0.1:PORT")
    }
    let said = try await output(of: question)
    guard let (_, code, time) = said.firstMatch(of: /(\d{3}) after ([\d.]+) s/)?.output, let seconds = Double(time)
    else {
      return nil
    }
    if code == "000" { return said.contains("bytes received") || said.contains("Empty reply") ? "never" : "refused" }
    return seconds > 1.5 ? "slow" : "at-once"
  }

  private func pastPage(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    guard let code = said.firstMatch(of: /(\d{3})/)?.1 else { return nil }
    return ["200", "301", "302"].contains(code) ? "yes" : code == "404" ? "no" : code == "000" ? "refused" : nil
  }

  // MARK: The route

  private func leadsTo() async throws -> String? {
    let configuration = try await configuration()
    if let app = try await app(), configuration.contains("//\(app)") || configuration.contains("\(app):") {
      return "container"
    }
    if try await kind() == "traefik" { return "container" }
    let host = url.host() ?? ""
    guard let target = configuration.firstMatch(of: /proxy_pass +https?:\/\/([^:;\/]+)/)?.1 else { return nil }
    return target == host || target.contains(".example.") ? "public" : target.hasPrefix("172.") ? "machine" : "public"
  }

  private func served(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question) + configuration()
    let (host, kind) = (url.host() ?? "", try await kind())
    if kind == "nginx-proxy-manager" || kind == "proxyos" {
      if said.contains(".err") { return "broken" }
      return said.contains(host) ? "yes" : "off"
    }
    let lines = said.split(separator: "\n").filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("#") }
    return lines.contains { $0.contains(host) } ? "yes" : "no"
  }

  private func labels(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    if said.contains("Host(`\(url.host() ?? "")`)") { return "rule" }
    if try await configuration().contains("routers:") { return "file" }
    return said.contains(".rule\"") ? "name" : "none"
  }

  private func filesSay(_ question: Conversation.Question) async throws -> String? {
    if let said = question.answer(in: try await output(of: question)), said == "broken" { return said }
    guard let name = try await proxy()?.name else { return try await program() == nil ? "stopped" : "runs" }
    return try await containers().first { $0[0] == name }?[2].hasPrefix("Up") == true ? "runs" : "stopped"
  }

  private func pastEdge(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    return said.contains(" \(site.answers)") ? "good" : "bad"
  }

  /// What `docker ps` tells of what was changed last.
  private func changed() async throws -> String? {
    guard let proxy = try await proxy()?.name, let app = try await app() else { return nil }
    let times = [try await inspect(proxy, "{{.State.StartedAt}}"), try await inspect(app, "{{.State.StartedAt}}")]
    return times[1] > times[0] ? "recreated" : nil
  }
}

extension Conversation.Question {
  /// The answer whose words stand in the newest line that has any of an answer's.
  func answer(in output: String) -> String? {
    for line in output.split(separator: "\n").reversed() {
      let fitting = answers.filter { $0.key != "unsure" }.map {
        (key: $0.key, length: $0.text.quoted(in: String(line)))
      }
      if let best = fitting.max(by: { $0.length < $1.length }), best.length > 0 { return best.key }
    }
    return nil
  }
}

extension String {
  /// How many characters of what stands here in double quotes stand in a line: of one quote, and of one of those behind
  /// "with". None, if none does, or one of those behind "without".
  fileprivate func quoted(in line: String) -> Int {
    let line = line.lowercased()
    func longest(_ text: Substring) -> Int? {
      let quotes = text.matches(of: /"([^"]+)"/).map { $0.1.lowercased() }
      return quotes.isEmpty ? nil : quotes.filter(line.contains).map(\.count).max() ?? 0
    }
    if let without = range(of: " without ") {
      return longest(self[without.upperBound...]) ?? 0 > 0 ? 0 : longest(self[..<without.lowerBound]) ?? 0
    }
    guard let with = range(of: " with \"") else { return longest(self[...]) ?? 0 }
    let (head, tail) = (longest(self[..<with.lowerBound]) ?? 0, longest(self[with.lowerBound...]) ?? 0)
    return head > 0 && tail > 0 ? head + tail : 0
  }
}
