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

  /// The answer that is true, as far as can be told; else "I do not know".
  func answer(to question: Conversation.Question) async throws -> (key: String, text: String) {
    let key: String? =
      switch question.fact {
      case "problem.page": try await page()
      case "proxy.kind": try await kind()
      case "container.status": try await status()
      case "log.says": try await logSays(question)
      case "app.listens": try await listens(question)
      case "app.published": try await published(question)
      case "app.program": try await programListens(question)
      case "app.networks": try await networks(question)
      case "app.speaks": try await speaks(question)
      case "app.past": try await past(question)
      case "app.past-page": try await pastPage(question)
      case "route.leads-to": try await leadsTo()
      case "route.served": try await served(question)
      case "app.labels": try await labels(question)
      case "proxy.files-say": try await filesSay(question)
      case "source.says": try await sourceSays(question)
      case "edge.past": try await pastEdge(question)
      case "problem.when": "always"
      case "series.count": "20"
      case "problem.changed": try await changed()
      // The answers quote what stands in the output.
      default: question.answer(in: try await output(of: question))
      }
    let answers = question.answers
    guard let answer = answers.first(where: { $0.key == key }) ?? answers.first(where: { $0.key == "unsure" }) else {
      throw CommandFailed(description: "no answer to \(question.text)")
    }
    return answer
  }

  // MARK: What commands print

  private func shell(_ command: String) async throws -> String {
    let engine = site.engine.map { ["env", "DOCKER_HOST=\($0)"] } ?? []
    let output = try await run(engine + ["sh", "-c", command], limit: 20)
    // Nobody sees the marks that colour a line.
    return (output.text + output.errors).replacing(/\u{1B}\[[0-9;]*m/, with: "")
  }

  /// What the question's own command prints, with the names that a person fills in.
  private func output(of question: Conversation.Question) async throws -> String {
    guard var command = question.command else { return "" }
    // Nobody here waits that long.
    command = command.replacing("-m 90", with: "-m 8").replacing("sudo ", with: "")
    if try await app() == nil { command = command.replacing(/\$\([^()]*APP[^()]*\):PORT/, with: "127.0.0.1:PORT") }
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
    var looks = [try await look()]
    // What comes and goes is seen by whoever loads the page a few times.
    while looks.count < 6, looks.allSatisfy({ $0.seconds < 3 }) { looks.append(try await look()) }
    let bad = looks.filter { !$0.answer.isGood(for: site) }
    guard let (answer, seconds) = bad.last else { return "works" }
    if bad.count < looks.count { return "sometimes" }
    if seconds > 10 || answer.status == 504 { return "late" }
    let said = try await shell("curl -skS -m 9 -o /dev/null '\(site.url)'")
    if said.contains("transfer closed") { return "half" }
    switch answer.status {
    case 502, 503: return try await writer(of: answer)
    case 404:
      let isPlain = answer.body.trimmingCharacters(in: .whitespacesAndNewlines) == "404 page not found"
      guard isPlain, try await kind() == "traefik" else { return "not-found" }
      return "unrouted"
    case 520...530: return "edge"
    case 500...: return "error"
    case 400, 403, 421, 426: return "refuses"
    case 0:
      return said.contains("to connect") ? "refused" : "closed"
    default: return "other-page"
    }
  }

  /// Whose page it is, by its own words.
  private func writer(of answer: Answer) async throws -> String {
    // As a browser shows it, which knows no ends of lines.
    let page = answer.body.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if ["Bad Gateway", "Service Unavailable", "no available server"].contains(page) { return "traefik" }
    if page.contains("No server is available to handle this request") { return "haproxy" }
    if page.contains("This connection is live") { return "live" }
    if page.isEmpty { return "empty" }
    if page.contains("Proxy Error") || page.contains("capacity problems") { return "apache" }
    if page.contains("upstream connect error") || page.contains("no healthy upstream") { return "envoy" }
    guard page.contains("<center>nginx") else { return "bad-gateway" }
    // The lab's one is made of Debian's nginx; the real one says openresty.
    return try await kind() == "nginx-proxy-manager" ? "manager" : "nginx"
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

  /// The app's container: its name, or that of one of several, stands in its own answer; it is the proxy's, whose own
  /// page is at port 81; or it is the only one besides that.
  private func app() async throws -> String? {
    let all = try await containers()
    let named = all.filter { !site.says.isEmpty && $0[0].hasPrefix(site.says) }
    if let app = named.first(where: { $0[0] == site.says }) ?? named.first(where: { !$0[2].hasPrefix("Up") })
      ?? named.first
    {
      return app[0]
    }
    let proxy = try await proxy()?.name
    if let line = all.first(where: { $0[0] == proxy }), line[3].contains(":\(port)->81/tcp") { return proxy }
    let others = all.map { $0[0] }.filter { $0 != proxy }
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
    // What has been up for seconds only is looked at a few times more.
    for _ in 0..<5 where line[2].contains(/^Up .*second/) {
      if try await inspect(app, "{{.State.Status}}") == "restarting" { return "restarting" }
      try await Task.sleep(for: .seconds(1))
    }
    let words = [
      ("(Paused)", "paused"), ("(unhealthy)", "unhealthy"), ("starting)", "starting"), ("Up", "running"),
      ("Exited", "exited"), ("Created", "exited"), ("Restarting", "restarting"),
    ]
    return words.first { line[2].contains($0.0) }?.1
  }

  private func isProgram() async throws -> Bool {
    if try await servesSocket() { return true }
    return try await shell("ps -eo args").contains("--name \(site.says) ")
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
    if try await kind() == "proxyos" { return try await dashboard("upstreams") }
    return try await shell(
      "for p in \(files); do docker cp \(proxy.name):$p - 2>/dev/null | tar xO 2>/dev/null; done; "
        + "docker inspect -f '{{json .Config.Labels}} {{json .Config.Env}}' \(app)")
  }

  /// What ProxyOS' dashboard shows of the site's route; nothing if it has none.
  private func dashboard(_ column: String) async throws -> String {
    guard let proxy = try await proxy() else { return "" }
    return try await shell(
      "d=$(mktemp -d); docker cp \(proxy.name):/data/proxyos $d; sqlite3 $d/proxyos/proxyos.db "
        + "\"SELECT \(column) FROM routes WHERE domain='\(url.host() ?? "")'\"; rm -r $d")
  }

  // MARK: The log

  /// What the proxy writes down while the site is asked once more.
  private func log(_ question: Conversation.Question) async throws -> String {
    guard let program = try await program(), try await proxy() == nil, question.command?.contains("curl ") != true
    else {
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
    if question.answers.contains(where: { $0.key == "other-site" }), try await isOfAnotherSite(log) {
      return "other-site"
    }
    var question = question
    question.answers.removeAll { $0.key == "other-site" }
    let said = question.answer(in: log)
    if said == "refused", question.answers.contains(where: { $0.key == "encrypted" }),
      try await kind() == "envoy" ? configuration().contains("transport_socket") : log.contains(/server .* ssl\b/)
    {
      return "encrypted"
    }
    // Both quote the same words: the address tells them apart.
    return said == "refused" || said == "here"
      ? (Target(dialledIn: log)?.isLoopback == true ? "here" : "refused") : said
  }

  /// Whether nginx calls the site by another one's name, which its files do not give to the same server.
  private func isOfAnotherSite(_ log: String) async throws -> Bool {
    let lines = log.split(separator: "\n").reversed()
    guard let host = url.host(), let line = lines.first(where: { $0.contains("host: \"\(host)") }),
      let name = line.firstMatch(of: /server: ([\w-]+\.[\w.-]+),/)?.1, name != host
    else { return false }
    return try await configuration().split(separator: "\n").contains {
      $0.contains("server_name") && $0.contains(name) && !$0.contains(host)
    }
  }

  /// What the proxy dials: by its log, and by its files.
  private func asked() async throws -> (log: Target?, file: Target?) {
    let configuration = try await configuration()
    let app = try await app() ?? "-"
    // The files of Envoy and of Nginx Proxy Manager have a name and its port in two places.
    let between = "(?::|\\b[^{}]{0,60}port_value: *|\";\\s*set \\$port +)(\\d+)"
    let forms = [
      "(\(app))\(between)", "()(?:server\\.port\":\"|VIRTUAL_PORT=|forward_port = )(\\d+)",
      "(127\\.0\\.0\\.1|\\[::1\\]|localhost|172\\.17\\.0\\.1|172\\.18\\.0\\.1)\(between)",
    ]
    let file = try forms.lazy.compactMap {
      try configuration.firstMatch(of: Regex($0, as: (Substring, Substring, Substring).self))?.output
    }.first.map { Target(host: String($0.1), port: String($0.2)) }
    var log: Target?
    if let proxy = try await proxy() {
      log = Target(dialledIn: try await shell("docker logs --tail 20 \(proxy.name)"))
    } else if let program = try await program() {
      let files = try await shell("cat $(readlink /proc/\(program.pid)/fd/* | grep -E 'log$' | sort -u) | tail -20")
      log = Target(dialledIn: files)
    }
    return (log, file)
  }

  // MARK: Where the app is

  private func listens(_ question: Conversation.Question) async throws -> String? {
    let state = try await status()
    if let state, ["missing", "program", "exited", "killed", "restarting"].contains(state) { return state }
    let said = try await output(of: question)
    let list = said.split(separator: "\n").filter { $0.hasPrefix("LISTEN") }
      .compactMap { $0.split(separator: " ").dropFirst(3).first.map(String.init) }.filter {
        !$0.contains("127.0.0.11:")
      }
    if list.isEmpty { return "nothing" }
    if try await isRefusedByCheck(question) { return "mistake" }
    if state == "starting" { return state }
    let asked = try await asked()
    guard let target = asked.log ?? asked.file else { return "runs" }
    let port = target.port
    let isContainer = try await proxy() != nil
    if isContainer, target.isLoopback { return "local" }
    let dialsMachine = try await isThisMachine(target.host)
    if !isContainer || dialsMachine {
      let line = try await containers().first { $0[0] == site.says }
      guard let line, line[3].contains("->") else { return "unpublished" }
      if line[3].contains("127.0.0.1:\(port)->"), !target.isLoopback { return "unpublished" }
      return line[3].contains(":\(port)->") ? try await sinceChanged() ?? "here" : "other-port"
    }
    if let log = asked.log?.port, let file = asked.file?.port, log != file,
      list.contains(where: { $0.hasSuffix(":" + file) })
    {
      return "older"
    }
    let there = list.filter { $0.hasSuffix(":" + port) }
    if there.isEmpty { return "other-port" }
    if there.allSatisfy({ $0.hasPrefix("127.") || $0.hasPrefix("[::1]") }) { return "loopback" }
    if there.allSatisfy({ $0.hasPrefix("[") }) { return "other-family" }
    let makers = try await containers().filter { $0[1].contains(/docker-gen|socket-proxy/) }
    if makers.contains(where: { !$0[2].hasPrefix("Up") }) { return "source" }
    if state == "unhealthy" { return state }
    return try await sinceChanged() ?? "here"
  }

  private func isThisMachine(_ host: String) async throws -> Bool {
    let addresses = try await shell("ip -o addr")
    return host == "host.docker.internal" || addresses.contains(" \(host)/")
  }

  /// True if the proxy's own check of its files fails as an answer says.
  private func isRefusedByCheck(_ question: Conversation.Question) async throws -> Bool {
    guard question.answers.contains(where: { $0.key == "mistake" }), let kind = try await kind() else { return false }
    let checks = [
      "nginx": "nginx -t -c FILE", "haproxy": "haproxy -c -f FILE", "apache": "httpd -t -f FILE",
      "caddy": "caddy validate --adapter caddyfile --config FILE",
    ]
    let files = [
      "nginx": "/etc/nginx/nginx.conf", "haproxy": "/usr/local/etc/haproxy/haproxy.cfg",
      "apache": "/usr/local/apache2/conf/httpd.conf", "caddy": "/etc/caddy/Caddyfile",
    ]
    guard var check = checks[kind], var file = files[kind] else { return false }
    var words = ""
    if let name = try await proxy()?.name {
      words = try await shell("docker top \(name) -eo args")
      check = "docker exec \(name) \(check)"
    } else if let program = try await program() {
      words = try await shell("tr '\\0' ' ' < /proc/\(program.pid)/cmdline")
      check.replace("httpd", with: "apache2")
    }
    // nginx may have been started with a prefix besides.
    if let master = words.split(separator: "\n").first(where: { $0.contains("master process") }) {
      let options = master.matches(of: /-[pc] \S+/).map { String($0.0) }
      if !options.isEmpty { check.replace("-c FILE", with: options.joined(separator: " ")) }
    }
    if kind == "apache", let folder = words.firstMatch(of: /-d (\S*\/apache2)\s/)?.1 {
      check = "APACHE_CONFDIR=\(folder) apachectl configtest"
    }
    file = words.firstMatch(of: /(?:-c|-f|--config) (\/\S+)/).map { String($0.1) } ?? file
    let said = try await shell(check.replacing("FILE", with: file))
    // What cannot be opened is elsewhere, and says nothing of the proxy's own.
    var mistake = question
    mistake.answers.removeAll { $0.key != "mistake" }
    return mistake.answer(in: said) != nil && !said.contains("open() \"\(file)\" failed")
  }

  /// "older" if a file of the proxy's was changed after it was started or loaded its files; "moved" if the app was
  /// started after that; else nil.
  private func sinceChanged() async throws -> String? {
    let (processes, files): (String, String)
    if let name = try await proxy()?.name {
      processes = "docker top \(name) -eo pid | tail -n +2"
      files = "docker inspect -f '{{range .Mounts}}{{.Source}} {{end}}' \(name) | xargs -rn1 | grep -v sock"
    } else if let program = try await program() {
      processes = "pgrep -g $(ps -o pgid= -p \(program.pid))"
      files =
        "tr '\\0' '\\n' < /proc/\(program.pid)/cmdline | grep ^/ | while read -r f; do [ -f $f ] && dirname $f; done"
    } else {
      return nil
    }
    // Seconds since the epoch, as `ps` and `ls` tell them over the years that a person has.
    let loaded = try await shell(
      "n=$(date +%s.%N); t=$(for p in $(\(processes)); do cut -d' ' -f22 /proc/$p/stat; done | sort -n | tail -1); "
        + "awk -v n=$n -v t=$t '{printf \"%.2f\", n - $1 + t / 100}' /proc/uptime")
    let changed = try await shell(
      "\(files) | while read -r f; do find $f -type f \\( -name '*c*f*' -o -name '*.y*ml' -o -name Caddyfile \\); done"
        + " | xargs -r stat -c %.Y | sort -n | tail -1")
    func number(_ text: String) -> Double? { Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) }
    guard let loaded = number(loaded) else { return nil }
    if let changed = number(changed), changed > loaded + 0.1 { return "older" }
    guard let app = try await app() else { return nil }
    let started = try await shell("date +%s.%N -d $(docker inspect -f '{{.State.StartedAt}}' \(app))")
    return number(started).map { $0 > loaded } == true ? "moved" : nil
  }

  /// Whether a proxy of the machine leads to a socket: PHP's, say, which runs on the machine as well.
  private func servesSocket() async throws -> Bool {
    guard try await proxy() == nil else { return false }
    return try await configuration().contains(/(?:unix:|"socket" => ")\/\S+\.sock/)
  }

  private func programListens(_ question: Conversation.Question) async throws -> String? {
    if try await servesSocket() { return "socket" }
    let list = try await listeners()
    guard !list.isEmpty else { return "nowhere" }
    let asked = try await asked()
    guard let target = asked.log ?? asked.file else { return nil }
    let there = list.filter { $0.hasSuffix(":" + target.port) }
    if there.isEmpty { return "other-port" }
    let isOnlyIPv4 = there.allSatisfy { !$0.hasPrefix("[") && !$0.hasPrefix("*") }
    if target.isLoopback {
      let isOther = target.host.hasPrefix("127.") ? there.allSatisfy { $0.hasPrefix("[::1]") } : isOnlyIPv4
      return isOther ? "other-family" : "here"
    }
    return there.allSatisfy { $0.hasPrefix("127.") || $0.hasPrefix("[::1]") } ? "loopback" : "here"
  }

  /// Who has the port of this machine that the proxy dials.
  private func published(_ question: Conversation.Question) async throws -> String? {
    if try await proxy() != nil { return "proxy" }
    if try await isRefusedByCheck(question) { return "mistake" }
    let asked = try await asked()
    guard let port = asked.log?.port ?? asked.file?.port else { return nil }
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
    if let state = try await status() {
      if state == "program" { return "own-program" }
      if ["missing", "exited", "killed", "restarting"].contains(state) { return state }
    }
    let said = try await output(of: question)
    let lines = said.replacing(/\(.*\)/, with: "").split(separator: "\n", omittingEmptySubsequences: false)
      .prefix(2).map { Set($0.split(separator: " ")) }
    guard lines.count == 2 else { return nil }
    if let label = said.firstMatch(of: /\(label: (.*)\)/)?.1, !lines[0].contains(label) { return "none" }
    if lines[1].isEmpty { return "guest" }
    if lines[1] == ["host"] { return "host" }
    if lines[0] == ["bridge"], lines[1] == ["bridge"] { return "bridge" }
    if lines[0].isDisjoint(with: lines[1]) { return "none" }
    return try await asksForAnotherName() ? "misspelt" : "common"
  }

  /// Whether the newest name of which the proxy's log tells is none that the app's container has.
  private func asksForAnotherName() async throws -> Bool {
    guard let proxy = try await proxy()?.name, let app = try await app() else { return false }
    let form =
      /(?:upstream "|lookup |address '|failure for: )([\w-]+)(?:["': ]|$)|(?:^|[ "])([\w-]+) could not be resolved/
    let log = try await shell("docker logs --tail 20 \(proxy)")
    let named = log.split(separator: "\n").reversed().lazy.compactMap { $0.firstMatch(of: form) }.first
    guard let name = named.flatMap({ $0.1 ?? $0.2 }), name != app else { return false }
    let known = try await inspect(app, "{{json .NetworkSettings.Networks}} {{json .Config.Labels}}")
    return !known.contains("\"\(name)\"")
  }

  private func speaks(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    guard let http = said.firstMatch(of: /http (\d+)/)?.1, let https = said.firstMatch(of: /https (\d+)/)?.1 else {
      return nil
    }
    if http == "000", https == "000" {
      if said.contains(/h2 [1-9]/) { return "own" }
      let image = try await inspect(try await app() ?? "-", "{{.Config.Image}}")
      return image.contains("php") || image.contains("uwsgi") || said.contains("HTTP/0.9") ? "own" : "none"
    }
    return http == "000" || http == "400" ? "https" : "http"
  }

  private func past(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    guard let (_, code, time) = said.firstMatch(of: /http (\d{3}) after ([\d.]+) s/)?.output,
      let seconds = Double(time)
    else {
      return nil
    }
    if code == "000" || code == "400", said.contains(/https [1-4]/) { return "tls" }
    if code == "000" { return said.contains("bytes received") || said.contains("Empty reply") ? "never" : "refused" }
    return seconds > 1.5 ? "slow" : "at-once"
  }

  private func pastPage(_ question: Conversation.Question) async throws -> String? {
    let said = try await output(of: question)
    if said.contains(/proxy (200|301|302)/) { return "elsewhere" }
    guard let code = said.firstMatch(of: /app (\d{3})/)?.1 else { return nil }
    return ["200", "301", "302"].contains(code) ? "yes" : code == "404" ? "no" : code == "000" ? "refused" : nil
  }

  // MARK: The route

  private func leadsTo() async throws -> String? {
    let configuration = try await configuration()
    if configuration.contains(/\n[ \t]*(fastcgi|uwsgi|scgi|grpc)_pass\b/) { return "protocol" }
    let asksFirst = configuration.contains(/auth_request|forwardauth|forward_auth/)
    if asksFirst, try await containers().contains(where: { !$0[2].hasPrefix("Up") }) { return "login" }
    if let app = try await app(), configuration.contains("//\(app)") || configuration.contains("\(app):") {
      return "container"
    }
    if try await kind() == "traefik" { return "container" }
    let route =
      /(?:proxy_pass|set \$\w+|ProxyPass \S+|reverse_proxy|server \S+|url:) +"?(?:https?:\/\/)?([^:;\/\s"]+)/
    guard let target = configuration.firstMatch(of: route)?.1 else { return nil }
    if target != url.host() ?? "", target.wholeMatch(of: /[a-z0-9-]+/) != nil { return "nobody" }
    let isInner = ["10.", "172.", "192.168."].contains { target.hasPrefix($0) } || target == "host.docker.internal"
    return isInner ? "machine" : "public"
  }

  private func served(_ question: Conversation.Question) async throws -> String? {
    let printed = try await output(of: question)
    if let said = question.answer(in: printed), ["ignored", "broken"].contains(said) { return said }
    let said = try await printed + configuration()
    let (host, kind) = (url.host() ?? "", try await kind())
    if kind == "proxyos" {
      let rows = try await dashboard("'enabled ' || enabled")
      return rows.contains("enabled 1") ? "yes" : rows.contains("enabled 0") ? "off" : "no"
    }
    if kind == "nginx-proxy-manager" {
      if said.contains(".err") { return "broken" }
      return said.contains(host) ? "yes" : "off"
    }
    let lines = said.split(separator: "\n").filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("#") }
    guard let line = lines.first(where: { $0.contains(host) }) else { return "no" }
    let isWithoutPort = kind == "envoy" && url.port != nil && !line.contains("\(host):") && !line.contains("\"*\"")
    return isWithoutPort ? "no" : "yes"
  }

  /// Traefik tells of a source that it cannot reach only once it has tried for a while.
  private func sourceSays(_ question: Conversation.Question) async throws -> String? {
    if let name = try await proxy()?.name {
      let isOld = "[ $(($(date +%s) - $(date +%s -d $(docker inspect -f '{{.State.StartedAt}}' \(name))))) -ge 45 ]"
      _ = try await eventually(within: 60) { try await shell("\(isOld) && echo old").contains("old") }
    }
    // Whoever has the route in a file reads what is said of files.
    let isInFile = try await configuration().contains(/routers:|\[http\.routers/)
    let lines = try await output(of: question).split(separator: "\n").filter { !isInFile || !$0.contains("docker") }
    return question.answer(in: lines.joined(separator: "\n")) ?? "nothing"
  }

  private func labels(_ question: Conversation.Question) async throws -> String? {
    if let state = try await status(), !["running", "paused", "program"].contains(state) {
      return question.answers.contains { $0.key == state } ? state : "exited"
    }
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

/// A server as a proxy dials it.
private struct Target {
  var host: String
  var port: String

  var isLoopback: Bool { host.hasPrefix("127.") || host == "[::1]" || host == "localhost" }

  init(host: String, port: String) { (self.host, self.port) = (host, port) }

  /// The one in the newest line that names one.
  init?(dialledIn log: String) {
    for line in log.split(separator: "\n").reversed() {
      let found =
        line.firstMatch(of: /(?:upstream: "https?:\/\/|dial tcp |connect to |tcp:)([^ :\/"]+|\[[^\]]+\]):(\d+)/)
      guard let found else { continue }
      self.init(host: String(found.1), port: String(found.2))
      return
    }
    return nil
  }
}

extension Conversation.Question {
  /// The answer whose words stand in the newest line that has any of an answer's.
  func answer(in output: String) -> String? {
    for line in output.split(separator: "\n").reversed() {
      let fitting = answers.filter { $0.key != "unsure" }.map {
        (key: $0.key, length: $0.text.quoted(in: String(line), of: output))
      }
      if let best = fitting.max(by: { $0.length < $1.length }), best.length > 0 { return best.key }
    }
    return nil
  }
}

extension String {
  /// How many characters of what stands here in double quotes stand in a line: of one quote, and of one of those behind
  /// "with". None, if none does, or if one of those behind "without" stands anywhere in the output.
  fileprivate func quoted(in line: String, of output: String) -> Int {
    func longest(_ text: Substring, in seen: String? = nil) -> Int? {
      let seen = (seen ?? line).lowercased()
      let quotes = text.matches(of: /"([^"]+)"/).map { $0.1.lowercased() }
      return quotes.isEmpty ? nil : quotes.filter(seen.contains).map(\.count).max() ?? 0
    }
    if let without = range(of: " without ") {
      return longest(self[without.upperBound...], in: output) ?? 0 > 0 ? 0 : longest(self[..<without.lowerBound]) ?? 0
    }
    guard let with = range(of: " with \"") else { return longest(self[...]) ?? 0 }
    let (head, tail) = (longest(self[..<with.lowerBound]) ?? 0, longest(self[with.lowerBound...]) ?? 0)
    return head > 0 && tail > 0 ? head + tail : 0
  }
}
