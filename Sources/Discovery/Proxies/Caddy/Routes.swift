import Routes

/// Caddy 2: its servers and routes, whether they come from its JSON (what runs) or from a Caddyfile.
///
/// Sources: caddyserver.com/docs/json, and Caddy's `modules/caddyhttp`.
enum Caddy {
  /// What the HTTP app serves.
  struct Configuration: Sendable {
    var servers: [Server] = []
    /// The file of its default log; nil: it writes to standard error.
    var logFile: String?
    /// The file of JSON that it comes from.
    var source: (path: String, text: String)?
  }

  /// One set of listeners, and its routes.
  struct Server: Sendable {
    var name = ""
    /// Its TCP ports.
    var ports: [ClosedRange<UInt16>] = []
    /// True if it takes TLS on the names it serves.
    var isTLS = false
    var routes: [Route] = []
    /// By name, for `invoke`.
    var named: [String: Route] = [:]
    /// True if it has error routes: then Caddy writes the reason of a failure only at the level DEBUG.
    var handlesErrors = false
  }

  struct Route: Sendable {
    /// The route is taken if one of the sets matches in all of its members; no set takes everything.
    var matchers: [[Matcher]] = []
    var handlers: [Handler] = []
    var isTerminal = false
    /// Of the routes of one group only the first that matches is taken.
    var group: String?
    /// The names of the site that it belongs to, with their places.
    var sites: [String: Span] = [:]
  }

  indirect enum Matcher: Sendable, Equatable {
    case host([String])
    case path([String])
    /// What it finds is known to placeholders by the name.
    case pathPattern(String, name: String = "")
    /// The same for the host that is asked for, which is a header as well.
    case hostPattern(String, name: String)
    case method([String])
    case scheme(String)
    /// Files that are tried in turn; the last one is taken whether it is there or not.
    case file(last: String?)
    /// Files that are tried in turn, and the status where none of them is there.
    case files([String], otherwise: Int)
    /// A query: none of it fits a request without one.
    case query
    case not([[Matcher]])
    /// One whose answer is known: addresses of private networks, headers a plain request has not.
    case always(Bool)
    /// It depends on the address of who asks.
    case asker
    /// Nothing here can tell: an expression, a variable, a plugin's matcher.
    case unclear

    /// True if it hangs on more than the site's name.
    var isOfRequest: Bool {
      switch self {
      case .host, .hostPattern, .always(true): false
      case .path(let paths): !paths.contains("*")
      default: true
      }
    }
  }

  indirect enum Handler: Sendable {
    case subroute([Route])
    case invoke(String)
    case rewrite(Rewrite)
    case proxy(Proxy)
    /// Caddy answers itself: with this status, or where to send the client on to.
    case answer(status: Int, by: (words: String, place: Span?)? = nil)
    case files
    /// It gives placeholders their values.
    case sets([Assignment])
    /// It passes the request on to the next handler.
    case passes

    /// True if it only answers, or only lets pass.
    var isAnswer: Bool { if case .answer = self { true } else { false } }
    var isPassage: Bool {
      switch self {
      case .passes, .sets: true
      default: false
      }
    }
    var isRewrite: Bool { if case .rewrite = self { true } else { false } }
  }

  /// A placeholder that a `map` or `vars` gives a value.
  struct Assignment: Sendable {
    /// Without its braces.
    let name: String
    /// What the first key that fits gives: a text, or behind `~` a regular expression.
    var source = ""
    var cases: [(key: String, value: String)] = []
    /// Nil: it stays without a value.
    var otherwise: String?
  }

  struct Rewrite: Sendable, Equatable {
    var uri: String?
    var prefix: String?
    var suffix: String?
    /// Texts to find in the path, and what comes in their place.
    var replacements: [(find: String, replace: String)] = []
    /// The directive that says so, and the place of its name.
    var by: (words: String, place: Span?)?

    static func == (left: Self, right: Self) -> Bool {
      (left.uri, left.prefix, left.suffix) == (right.uri, right.prefix, right.suffix)
        && left.replacements.elementsEqual(right.replacements, by: ==)
    }
  }

  /// Where a request is passed on to, and how.
  struct Proxy: Sendable {
    var upstreams: [Upstream] = []
    /// An address is empty, as where it is the value of a variable that nobody has set.
    var isNowhere = false
    /// Addresses with placeholders in them.
    var templates: [String] = []
    /// `http`, `h2c`, `fastcgi`.
    var speaks = "http"
    var isTLS = false
    var verifies = true
    /// The name for which the certificate has to be made out, if it is not the upstream's host.
    var tlsName: String?
    /// The files of trusted certificates, as the proxy sees them.
    var authorities: [String] = []
    /// Certificates are trusted that are no files: written in the configuration, or from elsewhere.
    var hasOtherAuthorities = false
    /// Seconds.
    var connectTimeout = 3.0
    /// Seconds to the answer's header; nil: it waits for ever.
    var answerTimeout: Double?
    /// Bytes.
    var headerLimit: Double?
    var health: Health?
    /// The `Host` header as configured.
    var hostHeader: String?
    /// It begins a connection with the PROXY protocol.
    var sendsPreamble = false
    var rewrite = Rewrite()
    /// A login or authorisation service, asked before the request goes on.
    var isAuth = false
    /// `JSON path`, or `file:line`.
    var definedIn = ""
    /// Places of values in a file, by the names that pages use. `transport`: where an option for the connection may
    /// stand, with what has to be written around it; `health`: the same for one of the health check.
    var places: [String: Span] = [:]
  }

  struct Upstream: Sendable, Equatable {
    var host = ""
    var port: UInt16 = 80
    var socket: String?
    /// Looked up for each request: `dynamic a`, `dynamic srv`.
    var isDynamic = false
    /// Where its host, or the socket's path, and its port are written.
    var hostPlace: Span?
    var portPlace: Span?

    /// `shop:3000`, or the socket's path.
    var address: String { socket ?? "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
  }

  /// An active health check.
  struct Health: Sendable, Equatable {
    var path: String
    /// `200`, `200-299`.
    var expects = "200-299"
    var port: UInt16?
  }
}
