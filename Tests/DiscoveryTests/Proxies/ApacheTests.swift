import Fixture
import Foundation
import Glibc
import Model
import Testing
import World

@testable import Discovery
import Routes

private func configuration(
  _ files: [String: String], environment: [String: String] = [:]
) async -> Apache.Configuration {
  var start = Apache.Configuration.Start(main: "/etc/apache2/apache2.conf", root: "/etc/apache2")
  start.environment = environment
  let sources = GrammarFiles {
    files[$0]
  } glob: { pattern in
    files.keys.filter { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }
  }
  return await .load(start, files: sources)
}

private let modules = """
  LoadModule proxy_module modules/mod_proxy.so
  LoadModule proxy_http_module modules/mod_proxy_http.so

  """

private func configuration(_ text: String) async -> Apache.Configuration {
  await configuration(["/etc/apache2/apache2.conf": modules + text])
}

@Suite struct ApacheGrammarTests {
  @Test func wordsQuotesContinuedLinesAndComments() throws {
    let text = """
      # A comment that goes on \\
      ProxyPass /no http://no/
      ProxyPass "/a b" \\
          'http://x/' timeout=5
      \tHeader set X "say \\"hi\\""

      <Location "/x y">
      </Location>
      """
    let (directives, problem) = try Apache.parse(text, file: "f")
    #expect(problem == nil)
    #expect(directives.map(\.name) == ["ProxyPass", "Header", "Location"])
    #expect(directives[0].arguments.map(\.text) == ["/a b", "http://x/", "timeout=5"])
    #expect(directives[0].line == 4)
    #expect(directives[0].arguments[1].place == .init(file: "f", line: 4, column: 5))
    #expect(directives[1].arguments.map(\.text) == ["set", "X", "say \"hi\""])
    #expect(directives[2].arguments.map(\.text) == ["/x y"])
    #expect(directives[2].block?.isEmpty == true)
  }

  @Test(arguments: [
    ("<VirtualHost *:80>\nServerName a", 1, "<VirtualHost> was not closed."),
    ("<IfModule x.c>\n<Location />\n", 2, "<Location> was not closed."),
    ("</VirtualHost>", 1, "</VirtualHost> without matching <VirtualHost> section"),
    ("<VirtualHost *:80>\n</Location>", 2, "Expected </VirtualHost> but saw </Location>"),
    ("<VirtualHost *:80\n</VirtualHost>", 1, "<VirtualHost> directive missing closing '>'"),
  ])
  func theFirstMistakeInHttpdsWords(text: String, line: Int, message: String) throws {
    let problem = try Apache.parse(text, file: "f").problem
    #expect(problem?.line == line)
    #expect(problem?.message == message)
  }

  /// Conditions are judged by the modules loaded before, variables by Define and the environment
  @Test func conditionsAreJudgedByTheModulesLoadedBefore() async {
    let text = """
      <IfModule mod_proxy.c>
      Define port 3000
      </IfModule>
      <IfModule !proxy_module>
      Define port 1
      </IfModule>
      <IfModule mod_ssl.c>
      ServerName never
      </IfModule>
      <IfVersion >= 2.4>
      ServerName ${NAME}
      </IfVersion>
      <IfDefine !other>
      ProxyPass / http://app:${port}/
      </IfDefine>
      ErrorLog ${LOG}/x
      """
    let found = await configuration(["/etc/apache2/apache2.conf": modules + text], environment: ["NAME": "a.test"])
    #expect(found.problems == [])
    #expect(found.directives.last("servername")?.text(0) == "a.test")
    #expect(found.directives.last("proxypass")?.text(1) == "http://app:3000/")
    #expect(found.undefined == ["LOG"])
  }

  /// httpd asks for the end of a condition only where that does not hold
  @Test func aConditionThatTheFilesEndCloses() async {
    let open = await configuration("<IfModule mod_proxy.c>\n<Location />\nProxyPass http://a/\n</Location> </IfModule>")
    #expect(open.problems == [])
    let closed = await configuration("<IfModule mod_none.c>\nTimeout 5")
    #expect(closed.problems.map(\.message) == ["Expected </IfModule> before end of configuration"])
  }

  /// A later macro takes the place of an earlier one, the longest parameter that fits counts, and one may use another
  @Test func macros() async {
    let text = """
      LoadModule macro_module modules/mod_macro.so
      <Macro Pass $to>
      Timeout 1
      </Macro>
      <Macro Pass $to ${port}>
      ProxyPass / http://$to:${port}/
      </Macro>
      <Macro Site @name @n>
      <VirtualHost *:80>
      ServerName @name.test
      ServerAlias @n
      Use PASS @n 3000
      </VirtualHost>
      </Macro>
      <Macro Never $a>
      Nonsense $a
      </Macro>
      Use site one app
      UndefMacro Pass
      """
    let found = await configuration(text)
    #expect(found.problems == [])
    #expect(found.hosts.all.map(\.hostName) == ["one.test"])
    #expect(found.hosts.all.first?.aliases.map(\.text) == ["app"])
    let route = found.route(host: "one.test", port: 80, path: "/x", isTLS: false)
    #expect(route.url?.text == "http://app:3000/")
    #expect(route.url?.place == nil, "it stands in several places")
  }

  @Test(arguments: [
    ("ProxyPass /x http://u/ nonsense", false), ("ProxyPass /x http://u/ retry=0 nocanon", true),
    ("ProxyPass /x !", true), ("<Location /x>\nProxyPass http://u/ keepalive=On\n</Location>", true),
    ("<Location /x>\nProxyPass http://u/ On\n</Location>", false), ("Error stopped", false),
  ])
  func parametersOfProxyPassAndAnErrorOfOnesOwn(text: String, loads: Bool) async {
    #expect(await configuration(text).problems.isEmpty == loads)
  }

  @Test(arguments: [
    ("Use Site a", "no macro defined before Use"),
    ("<Macro A>\n</Macro>\nUse B", "macro 'B' undefined"),
    ("<Macro A $x>\n</Macro>\nUse A 1 2", "macro 'a' used with 2 arguments instead of 1"),
    ("<Macro A>\nUse A\n</Macro>\nUse A", "recursive use of macro 'a' is invalid"),
    ("<Macro A $x $x>\n</Macro>", "argument name conflict in macro 'a': argument '$x'"),
    ("<Macro>\n</Macro>", "<Macro macro definition: empty name"),
    ("UndefMacro A", "no macro defined before UndefMacro"),
  ])
  func mistakesWithMacros(text: String, message: String) async {
    let found = await configuration("LoadModule macro_module modules/mod_macro.so\n" + text)
    #expect(found.problems.first?.message == message)
  }

  /// Without the module `Macro` is a command that nobody knows
  @Test func macrosWithoutTheirModule() async {
    let found = await configuration("<Macro A>\nTimeout 5\n</Macro>\nUse A")
    #expect(found.problems.first?.message.hasPrefix("Invalid command '<Macro'") == true)
  }

  @Test func includesPatternsFoldersFilesThatMayBeMissingAndOneThatMayNot() async {
    let files = [
      "/etc/apache2/apache2.conf":
        "Include conf.d/\nIncludeOptional sites-enabled/*.conf\nIncludeOptional none/*.conf\nInclude gone.conf\n",
      "/etc/apache2/conf.d/b.conf": "Timeout 2", "/etc/apache2/conf.d/a.conf": "Timeout 1",
      "/etc/apache2/sites-enabled/x.conf": "Timeout 3", "/etc/apache2/sites-available/x.conf": "Timeout 3",
    ]
    let found = await configuration(files)
    #expect(found.directives.map { $0.text(0) } == ["1", "2", "3"])
    #expect(
      found.problems.map(\.description) == [
        "/etc/apache2/apache2.conf:4: Could not open configuration file /etc/apache2/gone.conf: No such file or directory"
      ])
    #expect(found.original(of: "/etc/apache2/sites-enabled/x.conf") == "/etc/apache2/sites-available/x.conf")
  }

  /// A command that no loaded module knows is a mistake; a foreign module's may be none
  @Test func aCommandThatNoLoadedModuleKnowsIsAMistake() async {
    let typo = await configuration("ServerNam x\n<VirtualHost *:80>\nSSLEngine on\n</VirtualHost>")
    #expect(typo.problems.first?.message.hasPrefix("Invalid command 'ServerNam'") == true)
    let unloaded = await configuration("<VirtualHost *:80>\nSSLEngine on\n</VirtualHost>")
    #expect(unloaded.problems.first?.line == 4)
    let foreign = await configuration("LoadModule wsgi_module modules/mod_wsgi.so\nWSGIDaemonProcess x")
    #expect(foreign.problems == [])
  }
}

@Suite struct ApacheRouteTests {
  private func target(_ text: String, _ host: String = "a.test", _ path: String = "/") async -> String? {
    let configuration = await configuration(text)
    let route = configuration.route(host: host, port: 80, path: path, isTLS: false)
    guard case .proxied = route.kind else { return nil }
    return route.url.map { $0.text + route.rest }
  }

  @Test func theHostIsChosenByItsNameElseTheFirstForThePortElseTheMainServer() async {
    let text = """
      ProxyPass /main http://main/
      <VirtualHost *:80>
      ServerName first.test
      ProxyPass / http://first/
      </VirtualHost>
      <VirtualHost 10.0.0.1:80>
      ServerName http://own.test:80
      ServerAlias www.own.test *.apps.test
      ProxyPass / http://own/
      </VirtualHost>
      """
    #expect(await target(text, "first.test") == "http://first/")
    #expect(await target(text, "own.test") == "http://own/")
    #expect(await target(text, "x.apps.test") == "http://own/")
    #expect(await target(text, "unknown.test") == "http://first/")
    let other = await configuration(text).route(host: "first.test", port: 81, path: "/main", isTLS: false)
    #expect(other.url?.text == "http://main/")
    #expect(other.choice == .main)
  }

  @Test func thePlacesOfHostPortAndScheme() async throws {
    let configuration = await configuration(
      "<VirtualHost *:80>\n  ProxyPass \"/\" \"http://app:3000/\" timeout=5\n</VirtualHost>")
    let route = configuration.route(host: "a.test", port: 80, path: "/", isTLS: false)
    let worker = try #require(configuration.workers(of: route).first)
    let port = try #require(configuration.span(worker.target.port))
    #expect(port.head == "  ProxyPass \"/\" \"http://app:")
    #expect(port.tail == "/\" timeout=5")
    #expect(configuration.span(worker.target.host)?.tail == ":3000/\" timeout=5")
    #expect(configuration.span(worker.target.scheme)?.head == "  ProxyPass \"/\" \"")
    #expect(worker.value("timeout").flatMap(configuration.span)?.head.hasSuffix("timeout=") == true)
  }

  @Test func membersOfABalancerWithThoseThatAreSwitchedOff() async {
    let configuration = await configuration(
      """
      LoadModule proxy_balancer_module modules/mod_proxy_balancer.so
      <Proxy balancer://apps>
      BalancerMember http://one:1 status=+D
      BalancerMember http://two:2
      </Proxy>
      ProxyPass / balancer://apps/ timeout=7
      """)
    let route = configuration.route(host: "a.test", port: 80, path: "/x", isTLS: false)
    let workers = configuration.workers(of: route)
    #expect(workers.map(\.target.url) == ["http://one:1", "http://two:2"])
    #expect(workers.map(\.isOut) == [true, false])
    #expect(workers[1].value("timeout")?.text == "7")
  }

  @Test func phpByAHandlerAndAUnixSocket() async {
    let text = """
      <FilesMatch "\\.php$">
      SetHandler "proxy:unix:/run/php/php.sock|fcgi://localhost/"
      </FilesMatch>
      """
    let configuration = await configuration(text)
    let route = configuration.route(host: "a.test", port: 80, path: "/index.php", isTLS: false)
    #expect(configuration.workers(of: route).first?.target.socket?.text == "/run/php/php.sock")
    #expect(configuration.route(host: "a.test", port: 80, path: "/logo.png", isTLS: false).kind == .own)
  }
}

@Suite struct ApacheWayTests {
  /// What stands in a virtual host of a.test and *.a.test, what is asked, and where it ends: `=` httpd's own answer,
  /// `?` not to be told, else the URL with the path behind it. Each was tried with httpd 2.4.
  static let ends: [(lines: String, asked: String, end: String)] = [
    // Variables have no case, and a plain request asks for no WebSocket.
    (
      "RewriteCond %{HTTP:UPGRADE} ^WebSocket$ [NC]\nRewriteRule .* ws://up%{REQUEST_URI} [P]\nProxyPass / http://app/",
      "a.test/x", "http://app/x"
    ),
    ("RewriteCond %{Request_Uri} ^/k\nRewriteRule ^ http://app/low [P]", "a.test/k", "http://app/low"),
    // What conditions have matched.
    (
      "RewriteCond %{HTTP_HOST} ^([^.]+)\\.a\\.test$\nRewriteRule ^/(.*)$ http://u:1/%1/$1 [P]", "sub.a.test/x",
      "http://u:1/sub/x"
    ),
    (
      "RewriteCond %{HTTP_HOST} ^(\\w+)\\.\nRewriteCond %1-$1 ^(.*)-(.*)$\nRewriteRule ^/(.*)$ http://u/%1/%2 [P]",
      "sub.a.test/x", "http://u/sub/x"
    ),
    (
      "RewriteCond %{HTTP_HOST} ^(no)\\. [OR]\nRewriteCond %{HTTP_HOST} ^(sub)\\.\nRewriteRule ^/(.*)$ http://u/%1/$1 [P]",
      "sub.a.test/x", "http://u/sub/x"
    ),
    // The query.
    (
      "RewriteCond %{QUERY_STRING} v=2\nRewriteRule ^ http://two:2%{REQUEST_URI} [P]\nProxyPass / http://app/",
      "a.test/x?v=2", "http://two:2/x?v=2"
    ),
    ("RewriteRule ^ http://u/q?z=1 [P]", "a.test/x?v=2", "http://u/q?z=1"),
    ("RewriteRule ^ http://u/q?z=1 [P,QSA]", "a.test/x?v=2", "http://u/q?z=1&v=2"),
    ("RewriteRule ^ http://u/q [P,QSD]", "a.test/x?v=2", "http://u/q"),
    // Maps that are built in, and others.
    ("RewriteMap lc int:tolower\nRewriteRule ^/(.*)$ http://u/${lc:$1} [P]", "a.test/X", "http://u/x"),
    ("RewriteMap m txt:/x\nRewriteRule ^/(.*)$ http://u/${m:$1|no} [P]", "a.test/X", "?"),
    // Flags.
    ("RewriteRule ^/no - [C]\nRewriteRule ^ http://u/c [P]\nRewriteRule ^ http://u/r [P]", "a.test/x", "http://u/r"),
    ("RewriteRule ^/s - [S=1]\nRewriteRule ^ http://u/c [P]\nRewriteRule ^ http://u/r [P]", "a.test/s", "http://u/r"),
    ("RewriteRule ^/a - [E=up:one]\nRewriteCond %{ENV:up} one\nRewriteRule ^ http://u/e [P]", "a.test/a", "http://u/e"),
    ("RewriteRule ^/a/(.*) /b/$1\nProxyPass /b http://u/", "a.test/a/x", "="),
    ("RewriteRule ^/a/(.*) /b/$1 [PT]\nProxyPass /b/ http://u/", "a.test/a/x", "http://u/x"),
    // Rules of sections: the last section counts, and they come after ProxyPass.
    ("<Location />\nRewriteEngine On\nRewriteRule ^ http://u%{REQUEST_URI} [P]\n</Location>", "a.test/x", "http://u/x"),
    (
      "<Location />\nRewriteEngine On\nRewriteRule ^ http://u%{REQUEST_URI} [P]\n</Location>\n<Location /z>\nRewriteEngine Off\n</Location>",
      "a.test/z", "="
    ),
    (
      "ProxyPass /p http://two/\n<Location />\nRewriteEngine On\nRewriteRule ^ http://u%{REQUEST_URI} [P]\n</Location>",
      "a.test/p/x", "http://u/p/x"
    ),
    (
      "<Directory /srv>\nRewriteEngine On\nRewriteRule ^(.*)$ http://u/d/$1 [P]\n</Directory>", "a.test/x/y?q=1",
      "http://u/d/x/y?q=1"
    ),
    (
      "<Directory /srv>\nRewriteEngine On\nRewriteRule ^(.*)$ http://u/d/$1 [P]\n</Directory>", "a.test/",
      "http://u/d/index.html"
    ),
    (
      "ProxyPass /p/ http://u/\n<Directory /srv>\nRewriteEngine On\nRewriteRule ^old/(.*) /p/$1 [L]\n</Directory>",
      "a.test/old/x?q=1", "http://u/x?q=1"
    ),
    ("<If \"%{HTTP_HOST} == 'x'\">\nRedirect / http://b.test/\n</If>\nProxyPass / http://u/", "a.test/x", "?"),
    // Scripts: asked for, by a front controller, and where nothing leads to one.
    (php, "a.test/x/index.php", "fcgi://php:9000/"), (php, "a.test/", "fcgi://php:9000/"), (php, "a.test/x", "="),
    (php + "Redirect permanent / https://a.test/\n", "a.test/", "="),
    ("<Directory /srv>\nFallbackResource /index.php\n</Directory>\n" + php, "a.test/x.png", "fcgi://php:9000/"),
    (
      "FallbackResource /index.php\n<Location /s>\nFallbackResource disabled\n</Location>\n" + php, "a.test/s/y", "="
    ),
    (
      "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_FILENAME} !-f\nRewriteRule ^ /index.php [L]\n" + php, "a.test/x.png",
      "fcgi://php:9000/"
    ),
    (
      "<Directory /srv>\nRewriteEngine On\nRewriteRule ^index\\.php$ - [L]\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule . /index.php [L]\n</Directory>\n"
        + php, "a.test/x/y", "fcgi://php:9000/"
    ),
    (
      "ProxyPassMatch ^/(.*\\.php)$ fcgi://php:9000/srv/$1\nDirectoryIndex index.php\nFallbackResource /index.php",
      "a.test/x", "fcgi://php:9000/srv/index.php"
    ),
  ]

  private static let php =
    "DirectoryIndex index.php\n<FilesMatch \\.php$>\nSetHandler proxy:fcgi://php:9000/\n</FilesMatch>\n"

  private func end(_ configuration: Apache.Configuration, _ asked: String) -> String {
    let (host, path) = (String(asked.prefix { $0 != "/" }), String(asked.drop { $0 != "/" }))
    let route = configuration.route(host: host, port: 80, path: path, isTLS: false)
    switch route.kind {
    case .own: return "="
    case .unclear: return "?"
    case .proxied:
      return (route.url?.text ?? "") + route.rest + (route.url?.text.hasPrefix("fcgi") == true ? "" : route.query)
    }
  }

  @Test(arguments: ends)
  func aRequestEndsWhereHttpdTakesIt(lines: String, asked: String, end expected: String) async {
    let host =
      "<VirtualHost *:80>\nServerName a.test\nServerAlias *.a.test\nDocumentRoot /srv\nRewriteEngine on\n\(lines)\n</VirtualHost>"
    #expect(end(await configuration(host), asked) == expected)
  }

  /// By the Host header of outside, not by the port of httpd
  @Test func theHostAsTheClientNamesIt() async {
    let found = await configuration(
      "<VirtualHost *:8080>\nServerName b.test\nRewriteEngine on\nRewriteCond %{HTTP_HOST}:%{SERVER_PORT} ^b\\.test:8080$\nRewriteRule ^ http://u/ [P]\n</VirtualHost>"
    )
    let route = found.route(host: "b.test", port: 8080, path: "/", isTLS: false, authority: "b.test")
    #expect(route.url?.text == "http://u/")
  }

  /// The main server's lines come first, unless both sides want nothing of it
  @Test func whatTheMainServerPassesOn() async {
    let text =
      "ProxyPass /m http://main/\n<VirtualHost *:80>\nServerName a.test\nProxyPass / http://own/\n</VirtualHost>\n"
    #expect(end(await configuration(text), "a.test/m/x") == "http://main//x")
    #expect(end(await configuration(text), "a.test/x") == "http://own/x")
    let apart = text.replacing("ProxyPass /", with: "ProxyPassInherit Off\nProxyPass /")
    #expect(end(await configuration(apart), "a.test/m/x") == "http://own/m/x")
  }

  /// `.htaccess` is read where httpd reads it; of a folder further below it is not known
  @Test func whatAFolderOverrides() async {
    func found(_ override: String) async -> Apache.Configuration {
      await configuration([
        "/etc/apache2/apache2.conf":
          "\(modules)<VirtualHost *:80>\nServerName a.test\nDocumentRoot /srv\n<Directory /srv>\nAllowOverride \(override)\n</Directory>\n\(Self.php)</VirtualHost>",
        "/srv/.htaccess": "<IfModule mod_proxy.c>\nFallbackResource /index.php\n</IfModule>",
      ]).withOverrides(for: "a.test", port: 80)
    }
    #expect(end(await found("All"), "a.test/x") == "fcgi://php:9000/")
    #expect(end(await found("None"), "a.test/x") == "=")
    #expect(await found("All").files == ["/etc/apache2/apache2.conf"], "it is read at each request")
    let none = await configuration([
      "/etc/apache2/apache2.conf":
        "\(modules)<VirtualHost *:80>\nServerName a.test\nDocumentRoot /srv\n<Directory /srv>\nAllowOverride All\n</Directory>\n\(Self.php)</VirtualHost>"
    ]).withOverrides(for: "a.test", port: 80)
    #expect(end(none, "a.test/x") == "=")
    #expect(end(none, "a.test/blog/x") == "?")
  }
}

@Suite struct ApacheReadingTests {
  /// An escaped slash is httpd's own 404; a longer path behind a shorter one is never asked
  @Test(arguments: [
    ("ProxyPass / http://web:3000/", "/a%2Fb", "AllowEncodedSlashes is off", nil),
    ("AllowEncodedSlashes NoDecode\nProxyPass / http://web:3000/", "/a%2Fb", nil, nil),
    ("ProxyPass / http://web:3000/", "/a", nil, nil),
    ("ProxyPass / http://web:3000/\nProxyPass /api http://api:4000/", "/api/x", nil, "ProxyPass /api http://api:4000/"),
    ("ProxyPass /api http://api:4000/\nProxyPass / http://web:3000/", "/api/x", nil, nil),
    ("ProxyPass / http://web:3000/\nProxyPass /api http://api:4000/", "/x", nil, nil),
    ("ProxyPass / http://web:3000/\nProxyPass /api !", "/api/x", nil, nil),
  ])
  func slashesAndOrder(text: String, path: String, problem: String?, shadowed: String?) async throws {
    let reading = try await reading(of: text, path)
    #expect(reading.problem?.reason.contains(problem ?? "-") == problem.map { _ in true })
    #expect((reading.route?.shadowed.value ?? nil)?.value == shadowed)
  }

  /// What of the path follows a URL without a slash is taken for a part of its host
  @Test(
    arguments: [
      ("ProxyPass / http://web:3000", "/x", "httpd takes web:3000x for its host"),
      ("ProxyPass / http://web:3000", "/", nil), ("ProxyPass / http://web", "/x", "httpd takes webx for its host"),
      ("ProxyPass /a http://web:3000", "/a/x", nil), ("ProxyPass / http://web:3000/b", "/x", nil),
      ("<Location /a/>\nProxyPass http://web:3000\n</Location>", "/a/x", "web:3000x"),
      ("ProxyPass / balancer://app", "/x", "httpd takes appx for its host"),
      ("ProxyPassMatch ^/(.*)$ http://web:3000$1", "/x", "3000x is no port"),
      ("ProxyPass / b://web/", "/", "No protocol handler was valid for the URL b://web/"),
      ("ProxyPass / unix:/run/app.sock|http://web", "/x", "httpd takes webx"),
    ] as [(String, String, String?)])
  func aURLThatHttpdCannotUse(line: String, path: String, problem: String?) async throws {
    let reading = try await reading(of: line, path)
    #expect((reading.outcome == .misconfigured) == (problem != nil))
    #expect(problem.map { reading.facts[.routeProblem]?.contains($0) == true } ?? true, "\(reading.facts)")
    #expect((reading.facts[.routeUpstream] == nil) == false)
  }

  /// Of a site with these lines.
  private func reading(of lines: String, _ path: String) async throws -> Reading {
    let modules = ["proxy", "proxy_http", "proxy_balancer"].map { "LoadModule \($0)_module modules/mod_\($0).so" }
    let text =
      modules.joined(separator: "\n")
      + "\n<Proxy balancer://app>\nBalancerMember http://one:3000\n</Proxy>\n<VirtualHost *:80>\nServerName a.test\n\(lines)\n</VirtualHost>\n"
    let world = Sandbox().container("edge1", #""Name": "/edge""#)
      .file("/etc/apache2/apache2.conf", text, in: .process(7))
    return try await RouteReading.read(
      .init(site: try #require(Site("http://a.test\(path)")), port: 80), kind: "apache",
      at: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world, Signs())
  }
}

/// The reader says what the real httpd does.
@Suite(.serialized)
struct AgainstApache {
  private static let program = "/usr/sbin/apache2"

  private func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }

  /// Two ports of 127.0.0.1 that nothing listens on right now.
  private func freePorts() -> (Int, Int) {
    var ports: [Int] = []
    while ports.count < 2 {
      let port = Int.random(in: 21000..<29000)
      let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(listener) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(port).bigEndian
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if bound == 0 { ports.append(port) }
    }
    return (ports[0], ports[1])
  }

  private func load(_ main: String, root: String) async -> Apache.Configuration {
    let sources = GrammarFiles {
      try? String(contentsOfFile: $0, encoding: .utf8)
    } glob: { pattern in
      var found = glob_t()
      defer { globfree(&found) }
      guard glob(pattern, 0, nil, &found) == 0 else { return [] }
      return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }
    return await .load(.init(main: main, root: root), files: sources)
  }

  private static func text(root: String, port: Int, back: Int) -> String {
    let names = [
      "mpm_event", "authz_core", "alias", "headers", "rewrite", "proxy", "proxy_http", "slotmem_shm", "proxy_balancer",
      "lbmethod_byrequests",
    ]
    return """
      ServerRoot \(root)
      ServerName localhost
      PidFile \(root)/httpd.pid
      ErrorLog \(root)/error.log
      DefaultRuntimeDir \(root)
      User www-data
      Group www-data
      StartServers 1
      Listen 127.0.0.1:\(port)
      Listen 127.0.0.1:\(back)
      \(names.map { "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so" }.joined(separator: "\n"))
      Define back 127.0.0.1:\(back)
      Include sites/*.conf
      <VirtualHost *:\(back)>
        RewriteEngine on
        RewriteRule ^ - [R=404]
        Header always set X-Seen "expr=%{HTTP_HOST} %{REQUEST_URI}"
      </VirtualHost>

      """
  }

  private static func sites(port: Int) -> [String: String] {
    [
      "sites/a.conf": """
      <VirtualHost *:\(port)>
        ServerName first.test
        ProxyPass /no !
        ProxyPass /api/v2 http://${back}/two
        ProxyPass /api/ http://${back}/one/
        ProxyPass /plain http://${back}
        ProxyPassMatch ^/m/(.*)\\.gif$ http://${back}/images/$1
        ProxyPassMatch ^/whole http://${back}
        RewriteEngine on
        RewriteCond %{HTTP:Upgrade} websocket [NC]
        RewriteRule ^/(.*) http://${back}/ws/$1 [P,L]
        RewriteRule ^/old/(.*)$ http://${back}/new/$1 [P]
        RewriteRule ^/move/(.*)$ /api/$1 [PT]
        RewriteCond %{HTTP_HOST} ^never
        RewriteRule ^ http://elsewhere.test/ [R,L]
        <Location /loc>
          ProxyPass http://${back}/location
        </Location>
        <Location /loc/deep/>
          ProxyPass http://${back}/deeper/
        </Location>
        ProxyPass / http://${back}/rest/
      </VirtualHost>
      """,
      "sites/b.conf": """
      <VirtualHost *:\(port)>
        ServerName second.test
        ServerAlias www.second.test *.wild.test
        ProxyPreserveHost On
        <Proxy balancer://apps>
          BalancerMember http://${back}/member
        </Proxy>
        ProxyPass /group balancer://apps/part
        <IfModule mod_ssl.c>
          ProxyPass / http://nowhere.test/
        </IfModule>
        <LocationMatch "^/lm/(\\w+)">
          ProxyPassMatch http://${back}/matched/$1
        </LocationMatch>
      </VirtualHost>
      """,
    ]
  }

  @Test func pathsHostsAndIncludedFiles() async throws {
    let root = NSTemporaryDirectory() + "wizard502-apache-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    try FileManager.default.createDirectory(atPath: root + "/sites", withIntermediateDirectories: true)
    let (port, back) = freePorts()
    let main = root + "/httpd.conf"
    try Data(Self.text(root: root, port: port, back: back).utf8).write(to: URL(filePath: main))
    for (name, text) in Self.sites(port: port) { try Data(text.utf8).write(to: URL(filePath: "\(root)/\(name)")) }
    let configuration = await load(main, root: root)
    #expect(configuration.problems == [])

    let included = try run(Self.program, ["-t", "-D", "DUMP_INCLUDES", "-f", main])
    for file in configuration.files { #expect(included.contains(" \(file)\n")) }
    let hosts = try run(Self.program, ["-S", "-f", main])
    for server in configuration.hosts.all {
      let section = try #require(server.section)
      #expect(hosts.contains("(\(section.file):\(section.line))"), "\(hosts)")
    }

    let server = Process()
    // A child gets the signal mask of this thread, which blocks the signal that ends httpd.
    let unblocked =
      "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execv(sys.argv[1], sys.argv[1:])"
    server.executableURL = URL(filePath: "/usr/bin/python3")
    server.arguments = ["-c", unblocked, Self.program, "-f", main, "-D", "FOREGROUND"]
    server.standardError = FileHandle.nullDevice
    try server.run()
    defer {
      server.terminate()
      server.waitUntilExit()
    }
    for _ in 0..<50 {
      if try run("/usr/bin/curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:\(back)/"]) == "404"
      {
        break
      }
      usleep(100_000)
    }
    let asks = [
      ("first.test", "/"), ("first.test", "/x/y?q=1"), ("first.test", "/no/x"), ("first.test", "/nothing"),
      ("first.test", "/api/v2/users"), ("first.test", "/api/v2x"), ("first.test", "/api/users"), ("first.test", "/api"),
      ("first.test", "/plain"), ("first.test", "/plain/a"), ("first.test", "/m/a/b.gif"), ("first.test", "/whole/z"),
      ("first.test", "/old/page"), ("first.test", "/move/x"), ("first.test", "/loc"), ("first.test", "/loc/a"),
      ("first.test", "/loc/deep/b"), ("first.test", "/locx"), ("second.test", "/group/a"), ("second.test", "/"),
      ("www.second.test", "/group"), ("a.wild.test", "/lm/word/rest"), ("second.test", "/grouped"),
      ("unknown.test", "/api/q"),
    ]
    for (host, path) in asks {
      let route = configuration.route(host: host, port: UInt16(port), path: path, isTLS: false)
      var expected = ""
      if case .proxied = route.kind, let worker = configuration.workers(of: route).first {
        let isKept = configuration.setting("proxypreservehost", route, path: path)?.text(0) == "On"
        let sent = ApacheReading.upstreamPath(route, worker.target).prefix { $0 != "?" }
        expected = "\(isKept ? "\(host):\(port)" : "127.0.0.1:\(back)") \(sent)"
      }
      let seen = try run(
        "/usr/bin/curl",
        [
          "-s", "-o", "/dev/null", "--max-time", "5", "-w",
          "%header{x-seen}", "--path-as-is", "-H", "Host: \(host):\(port)", "http://127.0.0.1:\(port)\(path)",
        ])
      #expect(seen == expected, "\(host) \(path)")
    }
  }
}
