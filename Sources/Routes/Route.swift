/// Where a proxy sends the site's requests, and how, as its configuration has it.
///
/// Every field is asked for: a reader that does not know one says `.notRead` or `.notApplicable`.
public struct Route: Sendable, Equatable {
  public var upstream: Upstream
  /// Every server of its group, in the configuration's order; one alone is its own group.
  public var servers: [Server]
  public var resolution: Known<Resolution>
  public var patience: Patience
  /// Nil: it speaks to the upstream without TLS.
  public var tls: TLS?
  public var path: Path
  /// The `Host` header that the upstream gets.
  public var sentHost: Known<Setting<String>>
  public var limits: Limits
  /// The proxy's own check of the upstream; nil: it makes none.
  public var health: Known<HealthCheck?>
  /// Where a login or authorisation service is asked first, as `scheme://host:port`; nil: nobody is.
  public var login: Known<String?>
  /// The folder, as the app has to see it, in which a FastCGI app is told to look for its scripts; nil: it is not told.
  public var scripts: Known<Setting<String>?>
  /// Rules by which the proxy itself may refuse the request: whether they do hangs on more than its files.
  public var refusals: Known<[Refusal]>
  /// A later rule for a longer path, in its own words, which never acts because this one comes before it.
  public var shadowed: Known<Setting<String>?>
  /// Where lines may be put beside the one that passes the request on.
  public var pass: Pass
  /// Of a route that a container's labels or environment make.
  public var container: FromContainer?
  /// Whether the route that runs is the one in the files.
  public var runs: Known<Runs>

  public init(
    upstream: Upstream, servers: [Server], resolution: Known<Resolution>, patience: Patience, tls: TLS?, path: Path,
    sentHost: Known<Setting<String>>, limits: Limits, health: Known<HealthCheck?>, login: Known<String?>,
    scripts: Known<Setting<String>?>, refusals: Known<[Refusal]>, shadowed: Known<Setting<String>?>, pass: Pass,
    container: FromContainer?, runs: Known<Runs>
  ) {
    (self.upstream, self.servers, self.resolution, self.patience) = (upstream, servers, resolution, patience)
    (self.tls, self.path, self.sentHost, self.limits, self.health) = (tls, path, sentHost, limits, health)
    (self.login, self.scripts, self.refusals, self.shadowed) = (login, scripts, refusals, shadowed)
    (self.pass, self.container, self.runs) = (pass, container, runs)
  }
}

extension Route {
  /// The server that is examined.
  public struct Upstream: Sendable, Equatable {
    public enum Address: Sendable, Equatable {
      /// A name or an address without brackets.
      case network(host: Setting<String>, port: Setting<UInt16>)
      /// The path of a Unix socket, as the proxy sees it.
      case socket(Setting<String>)
    }

    /// The scheme of its URL: `http`, `https`, `grpcs`, `fastcgi`.
    public let scheme: Setting<String>
    public let address: Address
    public let speaks: Dialect

    public init(scheme: Setting<String>, address: Address, speaks: Dialect) {
      (self.scheme, self.address, self.speaks) = (scheme, address, speaks)
    }

    public var endpoint: Endpoint {
      switch address {
      case .network(let host, let port): .network(host: host.value, port: port.value)
      case .socket(let path): .socket(path.value)
      }
    }

    /// `http://shop:3000`, `http://unix:/run/shop.sock`
    public var url: String { "\(scheme.value)://\(endpoint.text)" }
  }

  /// What a proxy speaks to an upstream; the same inside TLS as without.
  public enum Dialect: String, Sendable, Equatable, CaseIterable {
    case http, h2c, h2, grpc, fastcgi, uwsgi, scgi, ajp, ftp, tcp
  }

  /// How the upstream's name becomes an address.
  public struct Resolution: Sendable, Equatable {
    public enum When: Sendable, Equatable {
      /// When the proxy loads its configuration.
      case atStart
      /// Whenever it connects, as the system does it.
      case eachTime
      /// By these name servers alone; without one it is never looked up. In turn: each time by one of them; else all are
      /// asked, and the first good answer counts.
      case eachRequest(by: [String], inTurn: Bool)
    }
    /// Which of a name's addresses are taken, as the others are never tried.
    public enum Family: String, Sendable, Equatable {
      case ipv6First = "ipv6-first"
      case ipv4First = "ipv4-first"
      case ipv6Only = "ipv6-only"
      case ipv4Only = "ipv4-only"
      /// Only the first one in the order of the system's own lookup (RFC 6724).
      case systemFirst = "system-first"
    }

    public let when: Known<When>
    /// Nil: all are tried.
    public let family: Known<Setting<Family?>>
    /// The addresses that the running proxy itself says it dials.
    public let dials: Known<[String]>
    /// Where the name servers stand that it asks by itself.
    public let resolver: Edit?

    public init(
      when: Known<When>, family: Known<Setting<Family?>>, dials: Known<[String]>, resolver: Edit?
    ) {
      (self.when, self.family, self.dials, self.resolver) = (when, family, dials, resolver)
    }
  }

  public enum Wait: Sendable, Equatable {
    case seconds(Double)
    case forever

    /// Of a proxy in whose configuration nothing and 0 mean no limit.
    public init(_ seconds: Double?) { self = seconds.flatMap { $0 > 0 ? .seconds($0) : nil } ?? .forever }
  }

  /// How long the proxy waits.
  public struct Patience: Sendable, Equatable {
    public let connect: Known<Setting<Wait>>
    /// For the answer to begin, or between two parts of it.
    public let answer: Known<Setting<Wait>>
    /// For the whole exchange.
    public let whole: Known<Setting<Wait>>

    public init(connect: Known<Setting<Wait>>, answer: Known<Setting<Wait>>, whole: Known<Setting<Wait>>) {
      (self.connect, self.answer, self.whole) = (connect, answer, whole)
    }
  }

  public struct TLS: Sendable, Equatable {
    public enum Part: String, Sendable, Equatable, CaseIterable { case issuer, name, expiry }
    /// Versions and ciphers that it offers: as OpenSSL does, or as Go and BoringSSL do.
    public enum Offer: String, Sendable, Equatable { case usual, modern }
    /// The place of the value that says whether it verifies, and the word there that ends it.
    public struct Switch: Sendable, Equatable {
      public let edit: Edit
      public let off: String?
      public init(_ edit: Edit, off: String?) { (self.edit, self.off) = (edit, off) }
    }
    /// A file of trusted certificates, as the proxy sees it and as this machine does.
    public struct Authorities: Sendable, Equatable {
      public let inside: String
      public let outside: String?
      public init(inside: String, outside: String?) { (self.inside, self.outside) = (inside, outside) }
    }

    /// What of the certificate is verified; nothing: any certificate is taken.
    public let verified: Known<Set<Part>>
    public let verifySwitch: Switch?
    /// The name that the certificate has to have; nil: it may have any.
    public let name: Known<Setting<String>?>
    /// Whether it names the upstream in the handshake (SNI).
    public let sendsName: Known<Setting<Bool>>
    /// Nil: those of the proxy's system.
    public let authorities: Known<Authorities?>
    /// Whether it has a certificate of its own for the upstream (mutual TLS).
    public let sendsCertificate: Known<Bool>
    public let offer: Known<Offer>
    /// The lines that make it TLS.
    public let block: Edit?

    public init(
      verified: Known<Set<Part>>, verifySwitch: Switch?, name: Known<Setting<String>?>, sendsName: Known<Setting<Bool>>,
      authorities: Known<Authorities?>, sendsCertificate: Known<Bool>, offer: Known<Offer>, block: Edit?
    ) {
      (self.verified, self.verifySwitch, self.name, self.sendsName) = (verified, verifySwitch, name, sendsName)
      (self.authorities, self.sendsCertificate, self.offer) = (authorities, sendsCertificate, offer)
      self.block = block
    }
  }

  public struct Path: Sendable, Equatable {
    /// What changes the path, and the line that would leave it as it was.
    public struct Change: Sendable, Equatable {
      /// In the words of the configuration: `proxy_pass http://shop:3000/`.
      public let by: String
      public let edit: Edit?
      /// The whole line without the change; nil: the line goes.
      public let fixed: String?
      public init(by: String, edit: Edit?, fixed: String?) { (self.by, self.edit, self.fixed) = (by, edit, fixed) }
    }

    /// Path and query that the upstream gets.
    public let passedOn: Known<String>
    /// Nil: nothing that the proxy names.
    public let change: Known<Change?>
    /// The beginning of the path by which the route is chosen, without a slash at its end, if it is passed on with the
    /// rest; nil: the route is for all paths, or the proxy takes it away.
    public let prefix: Known<String?>

    public init(passedOn: Known<String>, change: Known<Change?>, prefix: Known<String?> = .notRead) {
      (self.passedOn, self.change, self.prefix) = (passedOn, change, prefix)
    }
  }

  /// What it takes of one request or answer; a proxy's own default counts where nothing is written.
  public struct Limits: Sendable, Equatable {
    /// Of an answer's header: bytes of all lines, bytes of one line, number of lines. Nil: that is not limited.
    public struct Header: Sendable, Equatable {
      public let bytes: Setting<Int>?
      public let line: Int?
      public let lines: Int?
      public init(bytes: Setting<Int>?, line: Int?, lines: Int?) {
        (self.bytes, self.line, self.lines) = (bytes, line, lines)
      }
    }

    public let header: Known<Header>
    /// Bytes of a request's body; nil: no limit.
    public let body: Known<Setting<Int?>>
    /// Connections to the examined server at a time; nil: no limit.
    public let connections: Known<Setting<Int?>>

    public init(header: Known<Header>, body: Known<Setting<Int?>>, connections: Known<Setting<Int?>>) {
      (self.header, self.body, self.connections) = (header, body, connections)
    }
  }

  /// What the proxy asks the upstream by itself, and what it makes of the answers.
  public struct HealthCheck: Sendable, Equatable {
    /// The path asked for; nil: it only connects.
    public let path: Setting<String>?
    /// The statuses it takes: `200-399`, `200`. Nil: it is not about a status.
    public let expects: Setting<String>?
    /// Nil: the upstream's.
    public let port: Setting<UInt16>?
    /// What the running proxy says of it.
    public let isUp: Known<Bool>

    public init(path: Setting<String>?, expects: Setting<String>?, port: Setting<UInt16>?, isUp: Known<Bool>) {
      (self.path, self.expects, self.port, self.isUp) = (path, expects, port, isUp)
    }
  }

  /// A rule that answers in the app's place.
  public struct Refusal: Sendable, Equatable {
    public enum Condition: Sendable, Equatable {
      /// This file is there: its path as the proxy sees it, and as this machine does.
      case file(inside: String, outside: String?)
      /// A visitor has made more requests, or has more connections, than the rule lets through.
      case rate
      /// Something else that the files do not tell.
      case other
    }

    /// That it answers with.
    public let status: Int
    public let condition: Condition
    /// Its first line, in the configuration's words.
    public let rule: String
    /// `FILE:LINE`, as the proxy sees the file.
    public let definedIn: String
    public let edit: Edit?
    /// The whole line with which it lets more through.
    public let loosened: String?

    public init(
      status: Int, condition: Condition, rule: String, definedIn: String, edit: Edit?, loosened: String?
    ) {
      (self.status, self.condition, self.rule) = (status, condition, rule)
      (self.definedIn, self.edit, self.loosened) = (definedIn, edit, loosened)
    }
  }

  /// The line that passes the request on, and the forms in which a page may write it anew.
  public struct Pass: Sendable, Equatable {
    /// Where a setting of this route may be put.
    public let line: Insertion?
    /// Where one of the whole site may be put.
    public let site: Insertion?
    /// Where an option of the connection to the upstream may be put, with what has to stand around it.
    public let transport: Insertion?
    /// The address in it, if the line has nothing else: `shop:3000`.
    public let target: String?
    /// The whole line with the address in the place of a variable; without TLS; with TLS that verifies nothing.
    public let literal: String?
    public let plain: String?
    public let encrypted: String?
    /// True if a line about the size of buffers would be the first one here.
    public let takesBuffers: Bool
    /// The first word of the proxy's settings for this kind of upstream, where it has several: `proxy`, `fastcgi`.
    public let family: String?
    /// Lines in the place of that one with which the proxy looks the upstream's name up for each request, without their
    /// blanks.
    public let lookedUp: [String]?

    public init(
      line: Insertion?, site: Insertion?, transport: Insertion?, target: String?, literal: String?, plain: String?,
      encrypted: String?, takesBuffers: Bool, family: String?, lookedUp: [String]? = nil
    ) {
      (self.line, self.site, self.transport, self.target) = (line, site, transport, target)
      (self.literal, self.plain, self.encrypted, self.takesBuffers) = (literal, plain, encrypted, takesBuffers)
      (self.family, self.lookedUp) = (family, lookedUp)
    }
  }

  /// What the proxy has from the app's container itself.
  public struct FromContainer: Sendable, Equatable {
    /// The container's id, if no other one can answer in its place.
    public let id: String?
    /// Why the proxy leaves it out: `unhealthy`, `starting`, `restarting`, `stopped`.
    public let dropped: String?
    /// Networks in any of which the proxy may dial it.
    public let networks: [String]
    /// The label that names the network, and the one that names the port.
    public let network: Edit?
    public let portLabel: String?

    public init(id: String?, dropped: String?, networks: [String], network: Edit?, portLabel: String?) {
      (self.id, self.dropped, self.networks) = (id, dropped, networks)
      (self.network, self.portLabel) = (network, portLabel)
    }
  }

  public enum Runs: Sendable, Equatable {
    case asWritten
    /// The running proxy sends it to this URL; nil: nowhere.
    case otherwise(to: String?)
  }
}
