public import Flow
import Glibc
public import Model
public import Screen

/// A small case for the tests of the screens: a site, its proxy and its app; one question, two causes.
public enum ScreenCase {
  public static let shapes = [
    CheckShape(
      id: "site.answer", needs: [.url], learns: [.siteStatus, .siteSeconds],
      outcomes: ["good", "bad-gateway", "unknown"]),
    CheckShape(
      id: "route.find", needs: [.url],
      learns: [
        .proxyKind, .proxyWhere, "proxy.container", .routeHost, .routeUpstream, "upstream.container", "upstream.port",
      ],
      outcomes: ["found", "missing", "unknown"]),
    CheckShape(
      id: "port.listening", needs: ["upstream.port"], learns: ["upstream.listening"],
      outcomes: ["listening", "other-port", "nothing", "unknown"]),
  ]

  public static func catalog(words: [String: Template] = words()) -> Catalog {
    Catalog(
      tree: Tree(
        start: "site",
        nodes: Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0) }),
        follows: ["redirect": Follow(how: .anew, to: .siteRedirect)]),
      hops: ["site", "route", "port"], middle: "route",
      pages: Pages(Dictionary(uniqueKeysWithValues: pages.map { ($0.id, $0) })), guides: [guide.id: guide],
      checks: checks,
      looks: [
        "file": [ByHand([.init(Template("sudo cat {look.file}"))])],
        "docker": [
          ByHand([
            .init(Template("docker logs")), .init(Template("--since {look.since}"), isNeeded: false),
            .init(Template("{look.log}")),
          ])
        ],
      ], words: words,
      glossary: Glossary([
        .init(forms: ["proxy", "proxies"], explanation: "The program that takes requests and hands them to an app."),
        .init(forms: ["container", "containers"], explanation: "A program in a closed box of its own."),
      ]),
      signs: Signs(
        formats: [.init(proxy: "nginx", pattern: #"\[error\] \d+#\d+: "#)],
        lines: [
          .init(
            proxy: "nginx", pattern: #"\(111: .*upstream: "http://(?<address>[^/"]+)"#, shows: "refused",
            meaning: "nobody listens at that address and port", causes: ["wrong-port", "backend-stopped"])
        ]))
  }

  /// A line that nginx writes about the app of this case.
  public static let logLine =
    #"2026/11/25 04:47:50 [error] 29#29: *1 connect() failed (111: Connection refused), upstream: "http://10.0.0.2:3000/""#

  /// `Screens/words.yaml`: one `name: "text"` a line.
  public static func words() -> [String: Template] {
    let here = #filePath
    let root = here.split(separator: "/").dropLast(3).joined(separator: "/")
    guard let file = fopen("/\(root)/Screens/words.yaml", "r") else { return [:] }
    defer { fclose(file) }
    var words: [String: Template] = [:]
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard !text.hasPrefix("#"), let colon = text.firstIndex(of: ":") else { continue }
      let name = text[..<colon]
      let plain = text[text.index(after: colon)...].drop { $0 == " " }.prefix { $0 != "\n" }
      guard let quote = plain.firstIndex(of: "\""), let last = plain.lastIndex(of: "\""), quote < last else {
        words[String(name)] = Template(String(plain))
        continue
      }
      var value = ""
      var isEscaped = false
      for character in text[text.index(after: quote)..<last] {
        if character == "\\", !isEscaped {
          isEscaped = true
        } else {
          value.append(character)
          isEscaped = false
        }
      }
      words[String(name)] = Template(value)
    }
    return words
  }

  /// An address with a scheme, as facts.
  public static func site(_ typed: String) -> Facts? {
    guard !typed.isEmpty, typed.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-.:/".contains($0)) }) else {
      return nil
    }
    let url = typed.hasPrefix("http") ? typed : "http://\(typed)/"
    let host = url.split(separator: "/").dropFirst().first.map(String.init) ?? typed
    return [.url: url, .siteHost: host]
  }

  public static let badGateway = Finding(
    check: "site.answer", outcome: "bad-gateway", facts: [.siteStatus: "502", .siteSeconds: "0.02"], seconds: 0.03)

  public static let routeFound = Finding(
    check: "route.find", outcome: "found",
    facts: [
      .proxyKind: "nginx", .proxyWhere: "container edge", "proxy.container": "edge", .routeHost: "shop.example.org",
      .routeUpstream: "http://shop:3000", .routeDefinedIn: "/etc/nginx/conf.d/shop.conf:7",
      "upstream.container": "shop", "upstream.port": "3000", "route.file": "/etc/nginx/conf.d/shop.conf",
      "route.line": "7",
    ], seconds: 0.4,
    sightings: [
      Sighting(
        kind: "file", facts: ["look.file": "/etc/nginx/conf.d/shop.conf"],
        lines: ["    server_name shop.example.org;", "        proxy_pass http://shop:3000;"]),
      Sighting(kind: "docker", facts: ["look.log": "edge"], lines: []),
    ])

  public static let otherPort = Finding(
    check: "port.listening", outcome: "other-port", facts: ["upstream.listening": "8080"], seconds: 1.2)

  /// What each check finds on a system whose route has a wrong port.
  public static let broken = Dictionary(
    uniqueKeysWithValues: [badGateway, routeFound, otherPort].map { ($0.check, $0) })

  public static let works = Finding(
    check: "site.answer", outcome: "good", facts: [.siteStatus: "200", .siteSeconds: "0.05"], seconds: 0.05)

  public static func unseen(_ check: String) -> Finding {
    Finding(check: check, outcome: Finding.unknown, unseen: .notPermitted(what: "/var/run/docker.sock"), seconds: 0.01)
  }

  public static let routes = [
    RouteLine(
      url: "http://shop.example.org/", proxy: "nginx, container edge", upstream: "http://shop:3000", status: "502",
      mark: .bad),
    RouteLine(
      url: "http://wiki.example.org/", proxy: "nginx, container edge", upstream: "http://wiki:8080", status: "200",
      mark: .ok),
    RouteLine(
      url: "http://mail.example.org/", proxy: "Caddy, process 812", upstream: "http://127.0.0.1:9000", status: nil,
      mark: nil),
  ]

  // MARK: The tree

  private static let at = SourcePlace(file: "ScreenCase", line: 1, column: 1)

  private static func branch(
    _ key: String, _ text: String? = nil, shows: [String] = [], cause: String? = nil,
    _ confidence: Confidence = .certain, go: String? = nil,
    end: Diagnosis.Verdict? = nil, follow: String? = nil
  ) -> Branch {
    Branch(
      keys: [key], text: text.map { Wording(Template($0)) }, shows: shows,
      names: cause.map { [.init(cause: $0, confidence: confidence)] } ?? [],
      go: go, end: end, follow: follow, at: at)
  }

  private static let nodes = [
    Node(
      id: "site", looks: .check("site.answer"),
      branches: [
        branch("good", end: .working, follow: "redirect"), branch("bad-gateway", go: "route"),
        branch("unknown", go: "route"),
      ],
      at: at),
    Node(
      id: "route", looks: .check("route.find"),
      branches: [
        branch("found", go: "port"), branch("missing", cause: "route-missing"), branch("unknown", go: "runs-in"),
      ],
      at: at),
    Node(
      id: "port", looks: .check("port.listening"),
      branches: [
        branch("listening", end: .inconclusive), branch("other-port", cause: "wrong-port"),
        branch("nothing", cause: "backend-stopped"), branch("unknown", cause: "wrong-port", .possible, go: "runs-in"),
      ], at: at),
    Node(
      id: "runs-in",
      looks: .fact(
        "upstream.place",
        Question(
          text: Template("What does the app behind {site.host} run in?"),
          why: Template("The program could not look for itself; the next question depends on it."),
          findOut: Wording(Template("Run \"docker ps -a\" on the server and look for the app's name.")))),
      branches: [
        branch("container", "A container", go: "status"), branch("host", "A program of the machine itself", go: "runs"),
        branch("unsure", "I do not know", end: .inconclusive),
      ], at: at),
    Node(
      id: "status",
      looks: .fact(
        "container.status",
        Question(
          text: Template("What does \"docker ps -a\" say in the column STATUS of the app?"),
          why: Template("Most 502s are an app that does not run."),
          findOut: Wording(
            Template("Run \"docker ps -a\" on the server. If it asks for permission, put \"sudo\" before it.")))),
      branches: [
        branch("running", "Up", end: .inconclusive), branch("exited", "Exited or Created", cause: "backend-stopped"),
      ], at: at),
    Node(
      id: "runs",
      looks: .fact(
        "app.runs",
        Question(
          text: Template("Does the app itself run?"), why: Template("Most 502s are an app that does not run."),
          findOut: Wording(Template("Look for it in \"ps aux\".")))),
      branches: [
        branch("yes", "It runs", end: .inconclusive),
        branch("no", "It does not run", shows: ["refused"], cause: "backend-stopped"),
        branch("unsure", "I do not know", cause: "backend-stopped", .possible, end: .inconclusive),
      ], at: at),
  ]

  private static func outcome(_ mark: Diagnosis.Evidence.Mark, _ sentences: String...) -> CheckText.Outcome {
    .init(mark: mark, sentences: sentences.map { Template($0) })
  }

  private static let checks: [String: CheckText] = [
    "site.answer": CheckText(
      title: "What does the site answer?", hop: "site", byHand: Template("curl -sS -o /dev/null -D - -m 70 {site.url}"),
      outcomes: [
        "good": outcome(.ok, "{site.url} answers {site.status} after {site.seconds} s"),
        "bad-gateway": outcome(.bad, "{site.url} answers 502 Bad Gateway after {site.seconds} s"),
        "unknown": outcome(.unknown, "could not see what {site.url} answers: {unseen.reason}"),
      ]),
    "route.find": CheckText(
      title: "Which route serves the site?", hop: "route", byHand: nil,
      outcomes: [
        "found": outcome(.ok, "{route.host} goes to {route.upstream} ({route.defined-in})"),
        "missing": outcome(.bad, "no route is for {site.host}"),
        "unknown": outcome(.unknown, "could not read the proxy's routes: {unseen.reason}"),
      ]),
    "port.listening": CheckText(
      title: "Does the app listen on that port?", hop: "port",
      byHand: Template("docker exec {upstream.container} ss -ltn"),
      outcomes: [
        "listening": outcome(.ok, "the app listens on port {upstream.port}"),
        "other-port": outcome(
          .bad, "nobody listens on port {upstream.port} there; the app listens on {upstream.listening}",
          "nobody listens on port {upstream.port}; the app listens on another one"),
        "nothing": outcome(.bad, "nobody listens on port {upstream.port}"),
        "unknown": outcome(.unknown, "could not see where the app listens: {unseen.reason}"),
      ]),
  ]

  private static let guide = Page(
    id: "release", title: Template("After a release"), hides: [],
    explanation: [.init(text: Template("What changed last is the first place to look."), when: [])],
    sections: [
      .init(
        heading: "Look at what changed",
        steps: [
          .init(
            text: Template("List what was changed lately."), when: [], body: .command(Template("last -n 20")),
            place: .host, changes: false)
        ])
    ], prevention: [], sources: ["https://nginx.org/en/docs/control.html"])

  private static let pages = [
    Page(
      id: "wrong-port", title: Template("The proxy dials a port nobody listens on"), hides: [],
      explanation: [
        .init(
          text: Template(
            "{proxy.kind} sends {route.host} to {route.upstream}. The container {upstream.container} runs, and it listens on port {upstream.listening}, not on {upstream.port}."
          ), when: [])
      ],
      drawings: [
        .init(
          places: [
            [Template("container {proxy.container}"), Template("dials port {upstream.port}")],
            [Template("container {upstream.container}"), Template("listens on port {upstream.listening}")],
          ], when: [])
      ],
      sections: [
        .init(
          heading: "See for yourself",
          steps: [
            .init(
              text: Template("Ask the container which ports it listens on."), when: [],
              body: .command(Template("docker exec {upstream.container} ss -ltn")), place: .host, changes: false)
          ]),
        .init(
          heading: "Put it right: nginx",
          steps: [
            .init(
              text: Template("Write the right port into the route."), when: [],
              body: .patch(
                file: Template("{route.file}"), line: Template("{route.line}"),
                lines: [
                  Template("-    proxy_pass http://{upstream.container}:{upstream.port};"),
                  Template("+    proxy_pass http://{upstream.container}:{upstream.listening};"),
                ]), place: .file, changes: true),
            .init(
              text: Template("Let nginx test the file and load it."), when: [],
              body: .command(Template("nginx -t && nginx -s reload")), place: .container, changes: true),
            .init(
              text: Template("Ask the site again, past every cache, and see that the answer has come from the app."),
              when: [],
              body: .command(
                Template(
                  "curl --silent --show-error --output /dev/null --dump-header - --max-time 70 --header 'Cache-Control: no-cache' {site.url}"
                )), place: .host, changes: false),
          ]),
      ], prevention: [Template("Give the port in one place, and let the proxy read it from there.")],
      sources: ["https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass"]),
    Page(
      id: "backend-stopped", title: Template("The app does not run"), hides: [],
      explanation: [
        .init(text: Template("Nothing answers behind {site.host}, because the app is not running."), when: [])
      ],
      sections: [
        .init(
          heading: "Put it right",
          steps: [
            .init(
              text: Template("Start the app's container; its name stands in the last column."), when: [],
              body: .command(Template("docker ps -a")), place: .host, changes: false)
          ])
      ], prevention: [], sources: []),
    Page(
      id: "route-missing", title: Template("The proxy has no route for {site.host}"), hides: [],
      explanation: [.init(text: Template("The proxy answers, and knows no site of this name."), when: [])],
      sections: [
        .init(
          heading: "Put it right",
          steps: [
            .init(
              text: Template("Add a route in the web page of the proxy."), when: [],
              body: .form(Template("Domain: {site.host}\nScheme: http")), place: .webUI, changes: true)
          ])
      ], prevention: [], sources: []),
  ]
}
