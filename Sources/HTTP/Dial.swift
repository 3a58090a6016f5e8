internal import CCurl
internal import Glibc
public import World

/// Where and how a request goes out: its URL taken apart, and the socket it uses.
public struct Dial: Sendable {
  /// The URL that names the server: its host is the TLS server name, else `Host` without the port.
  let url: String
  /// The server's name: what its certificate has to be for.
  let name: String
  /// `Host: …`, where it is not what the URL says.
  let hostHeader: String?
  /// Where to connect: an IP address or a name.
  public let address: String
  public let port: UInt16
  let isTLS: Bool

  /// Connects to the Unix socket at this path (at most 107 bytes) instead.
  public var unixSocket: String?
  /// A TCP socket, not connected yet, that fits `address`, an IP address. The client closes it.
  public var socket: Int32?
  /// The program's own certificate and key.
  public var identity: Identity?

  /// Files in PEM form.
  public struct Identity: Sendable, Equatable {
    public let certificate: String
    public let key: String
    public init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  /// Fails, with the reason in words, if `request` cannot be asked for.
  public init(_ request: HTTPRequest) throws(BadURL) {
    // A line break in a header would be a second header; it can come from a hostile label.
    for line in request.headers + [request.host ?? ""] where line.unicodeScalars.contains(where: { $0.value < 0x20 }) {
      throw BadURL(reason: "a header has a control character in it")
    }
    let url = try URLParts(request.url)
    let scheme = try url.get(CURLUPART_SCHEME)
    guard scheme == "http" || scheme == "https" else { throw BadURL(reason: "the scheme is \(scheme)") }
    let ownHost = try url.get(CURLUPART_HOST)
    guard let ownPort = UInt16(try url.get(CURLUPART_PORT)), ownPort > 0 else { throw BadURL(reason: "the port is 0") }

    isTLS = scheme == "https"
    address = (request.address ?? ownHost).withoutBrackets
    port = request.port ?? ownPort
    if let host = request.host {
      let authority = try URLParts("http://" + host)
      try url.set(CURLUPART_HOST, try authority.get(CURLUPART_HOST))
    }
    let host = try url.get(CURLUPART_HOST)
    var header = request.host
    if isTLS, request.tlsName != nil || !request.sendsTLSName {
      header = header ?? (ownPort == 443 ? host : "\(host):\(ownPort)")
      // An address is never named in the handshake (RFC 6066, 3), and where to connect is told otherwise.
      try url.set(CURLUPART_HOST, request.sendsTLSName ? request.tlsName ?? host : "127.0.0.1")
    }
    hostHeader = header
    name = (request.tlsName ?? host).withoutBrackets
    self.url = try url.get(CURLUPART_URL)
    // libcurl's `HOST:PORT:TO-HOST:TO-PORT` has no escapes.
    guard !address.isEmpty, !address.unicodeScalars.contains(where: { $0.value <= 0x20 || $0 == "]" || $0 == "[" })
    else { throw BadURL(reason: "the address is not one") }
  }

  /// `address`, if it is not a name.
  var ipAddress: String? {
    var bytes = in6_addr()
    let isAddress = unixSocket == nil && [AF_INET, AF_INET6].contains { inet_pton($0, address, &bytes) == 1 }
    return isAddress ? address : nil
  }

  /// For `CURLOPT_CONNECT_TO`: whatever the URL names, connect here.
  var connectTo: String { "::" + (address.contains(":") ? "[\(address)]" : address) + ":\(port)" }
}

/// Why a URL cannot be asked for.
public struct BadURL: Error, Equatable {
  public let reason: String
}

/// libcurl's own URL parser, so that what is checked here is what it dials.
private final class URLParts {
  private let handle: OpaquePointer

  init(_ text: String) throws(BadURL) {
    if let obstacle = Library.obstacle { throw BadURL(reason: obstacle) }
    guard let handle = curl_url() else { throw BadURL(reason: "out of memory") }
    self.handle = handle
    try set(CURLUPART_URL, text)
  }

  deinit { curl_url_cleanup(handle) }

  func set(_ part: CURLUPart, _ text: String) throws(BadURL) {
    try check(curl_url_set(handle, part, text, UInt32(CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS)))
  }

  func get(_ part: CURLUPart) throws(BadURL) -> String {
    var text: UnsafeMutablePointer<CChar>?
    try check(curl_url_get(handle, part, &text, UInt32(part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0)))
    defer { curl_free(text) }
    return text.map { String(cString: $0) } ?? ""
  }

  private func check(_ code: CURLUcode) throws(BadURL) {
    guard code == CURLUE_OK else { throw BadURL(reason: String(cString: curl_url_strerror(code))) }
  }
}

extension String {
  /// `::1` for `[::1]`.
  fileprivate var withoutBrackets: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self }
}
