import Model

/// One HTTP request (GET), answered by a server or by the reason why not.
public struct HTTPRequest: Look {
  public static let kind = "http"

  public var url: String
  /// The `Host` header if it differs from the URL's host; also the TLS server name, without the port.
  public var host: String?
  /// Where to connect instead of the URL's own host: an IP address or, at `Place.host` only, a name. At another place a
  /// request whose address is a name fails with `badURL`: ask for the name with `DNSQuery`.
  public var address: String?
  public var port: UInt16?
  /// A Unix socket's absolute path among the files of `place`, instead of TCP.
  public var unixSocket: String?
  public var place: Place
  public var headers: [String]
  public var tls: TLS
  /// The name in the TLS handshake (SNI), for which the certificate has to be, if that is not the `Host`.
  public var tlsName: String?
  /// False: the handshake names nobody.
  public var sendsTLSName = true
  public var offer: Offer = .usual
  public var version: Version = .one
  /// Seconds for the whole request.
  @Beside public var limit: Double
  /// Bytes of the body that are kept; the transfer stops there.
  @Beside public var bodyLimit: Int
  public var bounds: Bounds { Bounds(seconds: limit, bytes: bodyLimit) }

  public enum TLS: Hashable, Sendable, Codable {
    /// Any certificate is taken; the answer tells whether it would have been trusted.
    case anyCertificate
    /// Verified against the system's store, or these PEM certificates, for the TLS name.
    case verify(authorities: String?)
    /// Its name and its dates count; who issued it does not.
    case verifyNameAndDate
  }

  /// TLS versions and ciphers that are offered in the handshake.
  public enum Offer: String, Hashable, Sendable, Codable {
    /// OpenSSL's own choice: TLS 1.2 and 1.3.
    case usual
    /// Without RSA key exchange and CBC with SHA-256, as Go and BoringSSL do.
    case modern
    /// TLS 1.0 and 1.1, and every cipher that OpenSSL still has.
    case old
  }

  public enum Version: String, Hashable, Sendable, Codable {
    /// 1.1, as nearly all proxies speak it.
    case one
    /// 1.0, as nginx spoke it to its upstreams for long.
    case oneZero = "1.0"
    /// Without TLS by prior knowledge (h2c), with it as the server chooses (ALPN).
    case two
  }

  public init(
    url: String, host: String? = nil, address: String? = nil, port: UInt16? = nil, unixSocket: String? = nil,
    place: Place = .host, headers: [String] = [], tls: TLS = .anyCertificate, limit: Double = 5,
    bodyLimit: Int = 65_536
  ) {
    self.url = url
    self.host = host
    self.address = address
    self.port = port
    self.unixSocket = unixSocket
    self.place = place
    self.headers = headers
    self.tls = tls
    self.limit = limit
    self.bodyLimit = bodyLimit
  }

  public struct Sight: Sendable, Codable, Equatable {
    /// Nil if there was no HTTP answer.
    public var status: Int?
    /// As sent, in order, names in their own case.
    public var headers: [Header]
    /// The first `bodyLimit` bytes. For an answer that is not HTTP: its first bytes.
    @Bytes public var body: [UInt8]
    public var times: Times
    /// The address that was dialled.
    public var address: String?
    public var failure: Failure?
    public var certificate: Certificate?
    /// Of the header as far as it came; nil if not even its first line did.
    public var headerSize: HeaderSize?
    /// `TLSv1.2`, as OpenSSL calls what was spoken; nil before the handshake's end.
    public var tlsVersion: String?
    /// Known to be true if the server asked for a certificate of the client's.
    public var wantsCertificate: Bool?

    public init(
      status: Int? = nil, headers: [Header] = [], body: [UInt8] = [], times: Times = Times(), address: String? = nil,
      failure: Failure? = nil, certificate: Certificate? = nil, headerSize: HeaderSize? = nil,
      tlsVersion: String? = nil, wantsCertificate: Bool? = nil
    ) {
      self.status = status
      self.headers = headers
      self.body = body
      self.times = times
      self.address = address
      self.failure = failure
      self.certificate = certificate
      self.headerSize = headerSize
      self.tlsVersion = tlsVersion
      self.wantsCertificate = wantsCertificate
    }

    /// The first header of that name, whatever its case.
    public func header(_ name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
  }

  public struct Header: Sendable, Codable, Equatable {
    public let name: String
    public let value: String
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// How large the header of an answer is.
  public struct HeaderSize: Sendable, Codable, Equatable {
    /// The status line, all other lines and the empty one, with their ends.
    public let bytes: Int
    /// Bytes of the longest line, without its end.
    public let longest: Int
    /// Without the status line.
    public let lines: Int
    public init(bytes: Int, longest: Int, lines: Int) {
      self.bytes = bytes
      self.longest = longest
      self.lines = lines
    }
  }

  /// Seconds from the start of the request; nil if that point was not reached.
  public struct Times: Sendable, Codable, Equatable {
    public var name: Double?
    public var connect: Double?
    public var tls: Double?
    public var firstByte: Double?
    public var total: Double?
    public init(
      name: Double? = nil, connect: Double? = nil, tls: Double? = nil, firstByte: Double? = nil, total: Double? = nil
    ) {
      self.name = name
      self.connect = connect
      self.tls = tls
      self.firstByte = firstByte
      self.total = total
    }
  }

  /// What stopped a request. With a `status` present it struck after the header.
  public enum Failure: Sendable, Codable, Equatable {
    /// The name has no address here.
    case name
    /// TCP: refused (errno 111).
    case refused
    /// TCP: no route, or a gateway said no (errno 101, 113).
    case unreachable
    /// No TCP connection within the limit.
    case connectTimeout
    /// Connected; the TLS handshake did not end within the limit.
    case tlsTimeout
    /// Connected and asked; no complete header within the limit.
    case answerTimeout
    /// The header came; the body did not end within the limit.
    case bodyTimeout
    /// The other side closed before a full header (or, with a status, before the full body).
    case closed
    /// The other side reset the connection.
    case reset
    /// The other side does not speak TLS.
    case notTLS(String)
    /// The TLS handshake failed: alert or local reason.
    case handshake(String)
    /// The certificate is not trusted, and why.
    case untrusted(String)
    /// Bytes came that are not HTTP; the first of them are in `body`, up to the header line that is none.
    case notHTTP
    /// The header is larger than the program reads: 256 KB, or 100 KB in one line.
    case headerTooLarge
    /// The URL cannot be asked for.
    case badURL(String)
    case other(String)
  }

  public struct Certificate: Sendable, Codable, Equatable {
    public var subject: String
    public var issuer: String
    public var names: [String]
    /// As OpenSSL prints it: `Jan  1 00:00:00 2030 GMT`.
    public var expires: String
    /// Nil: trusted by the authorities asked for. Else the reason, in OpenSSL's words.
    public var problem: String?
    /// How many certificates the server sent: its own, and those of its issuers.
    public var sent: Int
    public init(
      subject: String, issuer: String, names: [String], expires: String, problem: String?, sent: Int = 1
    ) {
      self.subject = subject
      self.issuer = issuer
      self.names = names
      self.expires = expires
      self.problem = problem
      self.sent = sent
    }
  }
}

/// One TCP connect, nothing sent.
public struct TCPConnect: Look {
  public static let kind = "tcp"
  /// An IP address.
  public var address: String
  public var port: UInt16
  public var place: Place
  @Beside public var limit: Double
  public var bounds: Bounds { Bounds(seconds: limit) }

  public init(address: String, port: UInt16, place: Place, limit: Double = 5) {
    self.address = address
    self.port = port
    self.place = place
    self.limit = limit
  }

  public struct Sight: Sendable, Codable, Equatable {
    public enum Outcome: String, Sendable, Codable { case accepted, refused, timeout, unreachable, denied, other }
    public let outcome: Outcome
    /// The system's error number, 0 for none.
    public let errno: Int32
    public let seconds: Double
    public init(outcome: Outcome, errno: Int32, seconds: Double) {
      self.outcome = outcome
      self.errno = errno
      self.seconds = seconds
    }
  }
}

/// One connection on which some bytes are sent, and what comes back: for what is not HTTP.
public struct Exchange: Look {
  public static let kind = "exchange"
  /// An IP address.
  public var address: String?
  public var port: UInt16?
  /// A Unix socket's absolute path among the files of `place`, instead of TCP.
  public var unixSocket: String?
  public var place: Place
  @Bytes public var sends: [UInt8]
  /// Bytes after which it stops reading.
  @Beside public var enough: Int
  @Beside public var limit: Double
  public var bounds: Bounds { Bounds(seconds: limit, bytes: enough) }

  public init(
    address: String? = nil, port: UInt16? = nil, unixSocket: String? = nil, place: Place, sends: [UInt8] = [],
    enough: Int = 1, limit: Double
  ) {
    self.address = address
    self.port = port
    self.unixSocket = unixSocket
    self.place = place
    self.sends = sends
    self.enough = enough
    self.limit = limit
  }

  public struct Sight: Sendable, Codable, Equatable {
    public enum End: String, Sendable, Codable {
      /// Enough came, or the time was up.
      case open
      case closed, reset
      /// There was no connection.
      case none
    }
    @Bytes public private(set) var received: [UInt8]
    public let end: End
    public init(received: [UInt8] = [], end: End) {
      self.received = received
      self.end = end
    }
  }
}

/// One connect to a Unix socket among the files of `place`, nothing sent.
///
/// With `user` it is done with the user, the groups and the rights of that process, as far as this program may take
/// them: the kernel itself judges then.
public struct UnixConnect: Look {
  public static let kind = "socket"
  /// Absolute.
  public var path: String
  public var place: Place
  public var user: Int32?

  public init(path: String, place: Place, user: Int32? = nil) {
    self.path = path
    self.place = place
    self.user = user
  }

  public struct Sight: Sendable, Codable, Equatable {
    public enum Outcome: String, Sendable, Codable {
      case accepted
      /// errno 2: no such file, or no such folder on the way.
      case missing
      /// errno 13
      case denied
      /// errno 111: the file is there, and nobody listens at it.
      case refused
      /// errno 11: its queue of waiting connections is full.
      case full
      /// Something else than a socket.
      case notSocket = "not-socket"
      case other
    }
    public let outcome: Outcome
    /// The system's error number, 0 for none.
    public let errno: Int32
    /// False if the connect had to be made with this program's own rights.
    public let isAsUser: Bool
    /// What denies: the socket, or a folder on the way to it.
    public let obstacle: Obstacle?
    public init(outcome: Outcome, errno: Int32, isAsUser: Bool, obstacle: Obstacle? = nil) {
      self.outcome = outcome
      self.errno = errno
      self.isAsUser = isAsUser
      self.obstacle = obstacle
    }
  }

  public struct Obstacle: Sendable, Codable, Equatable {
    public let path: String
    public let owner: UInt32
    public let group: UInt32
    /// Permission bits: `0o660`.
    public let mode: UInt32
    public init(path: String, owner: UInt32, group: UInt32, mode: UInt32) {
      self.path = path
      self.owner = owner
      self.group = group
      self.mode = mode
    }
  }
}

/// A name asked of DNS servers directly (no hosts file), from a place.
public struct DNSQuery: Look {
  public static let kind = "dns"
  public var name: String
  /// Addresses of DNS servers, asked in turn, a port after a colon if it is not 53: `127.0.0.11`, `10.0.0.2:5353`,
  /// `[::1]:5353`. Each gets an equal share of the time that is left.
  public var servers: [String]
  public var place: Place
  @Beside public var limit: Double
  public var bounds: Bounds { Bounds(seconds: limit) }

  public init(name: String, servers: [String], place: Place, limit: Double = 3) {
    self.name = name
    self.servers = servers
    self.place = place
    self.limit = limit
  }

  public struct Sight: Sendable, Codable, Equatable {
    public enum Answer: String, Sendable, Codable { case addresses, noSuchName, noData, serverFailure, refused, silent }
    public let answer: Answer
    /// IPv4 before IPv6.
    public let addresses: [String]
    public init(answer: Answer, addresses: [String]) {
      self.answer = answer
      self.addresses = addresses
    }
  }
}

/// A name as the system's own resolver sees it on the host: hosts file, then DNS.
public struct SystemLookup: Look {
  public static let kind = "lookup"
  public var name: String
  public init(name: String) { self.name = name }

  /// Addresses, IPv4 before IPv6; empty if the name has none.
  public typealias Sight = [String]
}

/// The addresses of this machine's own interfaces.
public struct OwnAddresses: Look {
  public static let kind = "addresses"
  public var isOfMachine: Bool { true }
  public init() {}
  public typealias Sight = [String]
}

/// Who listens on TCP in a place.
public struct Listeners: Look {
  public static let kind = "listeners"
  public var isOfMachine: Bool { true }
  public var place: Place
  public init(place: Place) { self.place = place }

  public typealias Sight = [Listener]
}

public struct Listener: Sendable, Codable, Equatable {
  /// `0.0.0.0`, `::`, `127.0.0.1`, …
  public let address: String
  public let port: UInt16
  /// Connections that wait to be accepted.
  public let waiting: Int
  /// How many may wait; nil where that could not be seen.
  public let most: Int?
  /// Connections to its port that were accepted and are still open.
  public let accepted: Int
  /// Of an IPv6 socket: true if it takes no IPv4 connections (IPV6_V6ONLY); nil where that could not be seen.
  public let isIPv6Only: Bool?
  /// Ids of the processes that hold the socket; empty where that could not be seen.
  public let processes: [Int32]
  public init(
    address: String, port: UInt16, waiting: Int, most: Int? = nil, accepted: Int = 0, isIPv6Only: Bool? = nil,
    processes: [Int32]
  ) {
    self.address = address
    self.port = port
    self.waiting = waiting
    self.most = most
    self.accepted = accepted
    self.isIPv6Only = isIPv6Only
    self.processes = processes
  }

  public var isLoopback: Bool { address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.") }
  /// Whether it takes connections to addresses of a family; nil where that could not be seen.
  public func takes(isIPv6: Bool) -> Bool? {
    if !address.isIPv6 { return !isIPv6 }
    if isIPv6 { return true }
    return address == "::" ? isIPv6Only.map { !$0 } : address.hasPrefix("::ffff:")
  }
  /// `0.0.0.0` or `::`: every address of its place.
  public var isEverywhere: Bool { address.isAnyAddress }
}
