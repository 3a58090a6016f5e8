internal import CCurl
internal import Glibc
internal import Synchronization
internal import World

/// One request on its way.
///
/// `@unchecked Sendable`: once it is posted, only the client's thread touches it, but for `continuation`.
final class Transfer: @unchecked Sendable {
  /// Bytes of all header lines that are read; libcurl itself refuses a line of more than 100 KB.
  static let headerLimit = 262_144
  /// Bytes of an answer that is not HTTP.
  private static let oddLimit = 4096

  let continuation = Mutex<CheckedContinuation<HTTPRequest.Sight?, Never>?>(nil)
  let easy: UnsafeMutableRawPointer
  var isCancelled = false

  private let request: HTTPRequest
  private var dial: Dial
  private var lists: [UnsafeMutablePointer<curl_slist>?] = []
  private let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  /// The header's lines, the status line first.
  private var header: [[UInt8]] = []
  private var isHeaderComplete = false
  private var headerSize = 0
  /// What `headerSize` was when the last interim answer ended.
  private var interimSize = 0
  private var tlsVersion: String?
  /// 1 once the server has asked for a certificate of the client's.
  private let certificateWish = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
  private var body: [UInt8] = []
  private var stop: Stop?
  /// libcurl tells the time of the TCP connect only after the TLS handshake; that one starts right after it.
  private let clock = ContinuousClock()
  private var started: ContinuousClock.Instant?
  private var handshakeStarted: Double?

  /// Why this side ended the transfer.
  private enum Stop { case bodyLimit, headerLimit, notHTTP, untrusted }

  /// Nil if there is no memory for it.
  init?(_ request: HTTPRequest, _ dial: Dial) {
    guard let easy = curl_easy_init() else {
      if let socket = dial.socket { close(socket) }
      return nil
    }
    self.easy = easy
    self.request = request
    self.dial = dial
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    certificateWish.initialize(to: 0)
  }

  deinit {
    curl_easy_cleanup(easy)
    for list in lists { curl_slist_free_all(list) }
    reason.deallocate()
    certificateWish.deallocate()
    if let socket = dial.socket { close(socket) }
  }

  /// Ends the request: nil if it was cancelled.
  func finish(_ sight: HTTPRequest.Sight?) {
    let continuation = continuation.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    continuation?.resume(returning: sight)
  }

  // MARK: Asking

  /// Milliseconds: three attempts of the kernel's, after 0, 1 and 3 s.
  private static let connectLimit = 5000

  /// Tells libcurl everything; false if it refused an option, which only a lack of memory can cause.
  func prepare() -> Bool {
    started = clock.now
    let milliseconds = Int(exactly: (request.limit * 1000).rounded(.up)).map { max(1, $0) } ?? 60_000
    // Who takes connections does so at once. With a name to look up first, or TLS after it, that cannot be told apart.
    let isPlain = request.address != nil && !dial.isTLS
    let me = Unmanaged.passUnretained(self).toOpaque()
    let isSet = [
      shim_set_text(easy, CURLOPT_URL, dial.url),
      shim_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
      shim_set_long(easy, CURLOPT_PATH_AS_IS, 1),
      list(CURLOPT_CONNECT_TO, [dial.connectTo]),
      list(CURLOPT_HTTPHEADER, (dial.hostHeader.map { ["Host: \($0)"] } ?? []) + request.headers),
      shim_set_text(easy, CURLOPT_USERAGENT, "wizard502"),
      shim_set_long(easy, CURLOPT_HTTP_VERSION, httpVersion),
      shim_set_long(easy, CURLOPT_HTTP09_ALLOWED, 1),
      shim_set_text(easy, CURLOPT_PROXY, ""),
      shim_set_long(easy, CURLOPT_NOSIGNAL, 1),
      shim_set_long(easy, CURLOPT_TIMEOUT_MS, milliseconds),
      shim_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, isPlain ? min(milliseconds, Self.connectLimit) : milliseconds),
      // A cancelled request does not wait for the system's resolver, and no answer of it is kept.
      shim_set_long(easy, CURLOPT_QUICK_EXIT, 1),
      shim_set_long(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0),
      // Each look dials and shakes hands anew.
      shim_set_long(easy, CURLOPT_FRESH_CONNECT, 1),
      shim_set_long(easy, CURLOPT_FORBID_REUSE, 1),
      shim_set_long(easy, CURLOPT_SSL_SESSIONID_CACHE, 0),
      shim_set_pointer(easy, CURLOPT_ERRORBUFFER, reason),
      shim_set_pointer(easy, CURLOPT_HEADERDATA, me),
      shim_set_receive(easy, CURLOPT_HEADERFUNCTION) { Transfer.from($3)?.takeHeader($0, $1 * $2) ?? 0 },
      shim_set_pointer(easy, CURLOPT_WRITEDATA, me),
      shim_set_receive(easy, CURLOPT_WRITEFUNCTION) { Transfer.from($3)?.takeBody($0, $1 * $2) ?? 0 },
    ]
    return (isSet + prepareSocket(me) + (dial.isTLS ? prepareTLS(me) : [])).allSatisfy { $0 == CURLE_OK }
  }

  private func prepareSocket(_ me: UnsafeMutableRawPointer) -> [CURLcode] {
    if let path = dial.unixSocket { return [shim_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, path)] }
    guard dial.socket != nil else { return [] }
    return [
      shim_set_pointer(easy, CURLOPT_OPENSOCKETDATA, me),
      shim_set_open_socket(easy) { me, _, _ in Transfer.from(me)?.takeSocket() ?? CURL_SOCKET_BAD },
    ]
  }

  /// OpenSSL always finishes the handshake and says what it thinks of the certificate, host name included. So the
  /// certificate can be shown in any case, and `verify` stops before the request is sent.
  private func prepareTLS(_ me: UnsafeMutableRawPointer) -> [CURLcode] {
    var codes = [
      shim_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0),
      shim_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0),
      shim_set_long(easy, CURLOPT_CERTINFO, 1),
      shim_set_pointer(easy, CURLOPT_SSL_CTX_DATA, me),
      shim_set_tls_context(easy) { _, context, me in
        guard let context, let transfer = Transfer.from(me) else { return CURLE_FAILED_INIT }
        return transfer.expectCertificate(context)
      },
      shim_set_pointer(easy, CURLOPT_PREREQDATA, me),
      shim_set_before_request(easy) { me, _, _, _, _ in
        Transfer.from(me)?.mayAsk() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
      },
    ]
    switch request.offer {
    case .usual: break
    case .modern: codes.append(shim_set_text(easy, CURLOPT_SSL_CIPHER_LIST, Self.modernCiphers))
    case .old:
      codes.append(shim_set_long(easy, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_0)))
      // OpenSSL 3 has TLS 1.0 and 1.1 on this level only.
      codes.append(shim_set_text(easy, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0"))
    }
    // `expectCertificate` brings them.
    codes.append(shim_set_text(easy, CURLOPT_CAINFO, nil))
    codes.append(shim_set_text(easy, CURLOPT_CAPATH, nil))
    if let identity = dial.identity {
      codes.append(shim_set_text(easy, CURLOPT_SSLCERT, identity.certificate))
      codes.append(shim_set_text(easy, CURLOPT_SSLKEY, identity.key))
    }
    return codes
  }

  /// What Go's `crypto/tls` offers for TLS 1.2.
  private static let modernCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"

  private var httpVersion: Int {
    switch request.version {
    case .one: Int(CURL_HTTP_VERSION_1_1)
    case .oneZero: Int(CURL_HTTP_VERSION_1_0)
    case .two: Int(dial.isTLS ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
    }
  }

  /// A list option; libcurl does not copy lists, so they live as long as the transfer.
  private func list(_ option: CURLoption, _ lines: [String]) -> CURLcode {
    let list = lines.reduce(nil) { curl_slist_append($0, $1) }
    lists.append(list)
    return shim_set_list(easy, option, list)
  }

  // MARK: Called by libcurl

  private static func from(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
    pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Hands over the prepared socket; there is one address, so libcurl asks once.
  private func takeSocket() -> curl_socket_t {
    defer { dial.socket = nil }
    return dial.socket ?? CURL_SOCKET_BAD
  }

  /// Tells OpenSSL whom to trust and which host the certificate has to be for.
  private func expectCertificate(_ context: UnsafeMutableRawPointer) -> CURLcode {
    handshakeStarted = started.map { $0.duration(to: clock.now) / .seconds(1) }
    if case .verify(let authorities?) = request.tls {
      guard shim_trust_text(context, authorities) == 1 else { return CURLE_SSL_CACERT_BADFILE }
    } else if let systemAuthorities, shim_trust_file(context, systemAuthorities) != 1 {
      return CURLE_SSL_CACERT_BADFILE
    }
    if request.tls == .verifyNameAndDate { shim_ignore_issuers(context) }
    shim_watch_requests(context, certificateWish)
    return shim_expect_host(context, dial.name) == 1 ? CURLE_OK : CURLE_SSL_CONNECT_ERROR
  }

  private func mayAsk() -> Bool {
    tlsVersion = shim_get_tls_version(easy).map { String(cString: $0) }
    if request.tls != .anyCertificate, certificateProblem != nil { stop = .untrusted }
    return stop == nil
  }

  /// Takes one header line; any other number than `count` ends the transfer.
  private func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    var line = UnsafeRawBufferPointer(start: bytes, count: count)[...]
    // What comes after the body are trailers.
    if isHeaderComplete { return count }
    headerSize += count
    guard headerSize <= Self.headerLimit else {
      stop = .headerLimit
      return 0
    }
    while let last = line.last, last == 0x0D || last == 0x0A { line.removeLast() }
    if line.isEmpty {
      // An interim answer (1xx) is followed by the real one.
      if shim_get_long(easy, CURLINFO_RESPONSE_CODE) >= 200 {
        isHeaderComplete = true
      } else {
        header = []
        interimSize = headerSize
      }
    } else {
      header.append(Array(line))
    }
    return count
  }

  /// Takes a piece of the body; any other number than `count` ends the transfer.
  private func takeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    let isHTTP = !header.isEmpty
    let limit = isHTTP ? request.bodyLimit : Self.oddLimit
    body += UnsafeRawBufferPointer(start: bytes, count: min(count, max(0, limit - body.count)))
    if !isHTTP {
      stop = .notHTTP
      return 0
    }
    guard body.count < limit || count == 0 else {
      stop = .bodyLimit
      return 0
    }
    return count
  }

  // MARK: Answering

  /// What came of the request, once libcurl is done with it.
  func sight(_ code: CURLcode) -> HTTPRequest.Sight {
    var times = HTTPRequest.Times(
      name: seconds(CURLINFO_NAMELOOKUP_TIME_T), connect: seconds(CURLINFO_CONNECT_TIME_T),
      tls: seconds(CURLINFO_APPCONNECT_TIME_T), firstByte: seconds(CURLINFO_STARTTRANSFER_TIME_T),
      total: seconds(CURLINFO_TOTAL_TIME_T))
    if let handshakeStarted { times.connect = min(handshakeStarted, times.tls ?? handshakeStarted) }
    let dialled = shim_get_text(easy, CURLINFO_PRIMARY_IP).map { String(cString: $0) } ?? ""
    var sight = HTTPRequest.Sight(
      times: times, address: dialled.isEmpty ? dial.ipAddress : dialled, failure: failure(code, times),
      certificate: dial.isTLS ? certificate : nil, tlsVersion: tlsVersion,
      wantsCertificate: certificateWish.pointee == 1 ? true : nil)
    if !header.isEmpty, sight.failure != .notHTTP {
      sight.headerSize = .init(
        bytes: headerSize - interimSize, longest: header.map(\.count).max() ?? 0, lines: header.count - 1)
    }
    if sight.failure == .notHTTP {
      // libcurl keeps the line to itself that it does not understand; these are the ones before.
      sight.body = Array((header.flatMap { $0 + [0x0D, 0x0A] } + body).prefix(Self.oddLimit))
    } else if isHeaderComplete {
      sight.status = shim_get_long(easy, CURLINFO_RESPONSE_CODE)
      sight.headers = headers
      sight.body = body
    }
    return sight
  }

  /// A point libcurl did not reach is 0 there.
  private func seconds(_ info: CURLINFO) -> Double? {
    let microseconds = shim_get_microseconds(easy, info)
    return microseconds > 0 ? Double(microseconds) / 1_000_000 : nil
  }

  private func failure(_ code: CURLcode, _ times: HTTPRequest.Times) -> HTTPRequest.Failure? {
    switch stop {
    case .bodyLimit: return nil
    case .headerLimit: return .headerTooLarge
    case .notHTTP: return .notHTTP
    case .untrusted: return .untrusted(certificateProblem ?? "")
    case nil: break
    }
    let text = reasonText(code)
    switch code {
    // Not even the header was whole.
    case CURLE_OK: return isHeaderComplete ? nil : .closed
    case CURLE_COULDNT_RESOLVE_HOST: return .name
    case CURLE_URL_MALFORMAT: return .badURL(text)
    case CURLE_OPERATION_TIMEDOUT: return timeout(times)
    case CURLE_COULDNT_CONNECT: return connectFailure(text)
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: return .closed
    case CURLE_SSL_CONNECT_ERROR: return handshakeFailure(text)
    case CURLE_OUT_OF_MEMORY: return .headerTooLarge
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_HTTP2: return .notHTTP
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR: return brokenConnection(text)
    default: return .other(text)
    }
  }

  private func timeout(_ times: HTTPRequest.Times) -> HTTPRequest.Failure {
    if times.name == nil, dial.unixSocket == nil { return .other("the name lookup did not end within the limit") }
    if times.connect == nil { return .connectTimeout }
    if dial.isTLS, times.tls == nil { return .tlsTimeout }
    return isHeaderComplete ? .bodyTimeout : .answerTimeout
  }

  private func connectFailure(_ text: String) -> HTTPRequest.Failure {
    switch Int32(shim_get_long(easy, CURLINFO_OS_ERRNO)) {
    case ECONNREFUSED: .refused
    case ENETUNREACH, EHOSTUNREACH: .unreachable
    case ETIMEDOUT: .connectTimeout
    // Accepted and reset before libcurl looked.
    case ECONNRESET: .reset
    case 0: .other(text)
    case let code: .other(String(cString: strerror(code)))
    }
  }

  private func handshakeFailure(_ text: String) -> HTTPRequest.Failure {
    // What OpenSSL says of bytes that are no TLS record.
    for reason in ["wrong version number", "packet length too long", "http request", "unknown protocol"]
    where text.contains(reason) {
      return .notTLS(text)
    }
    if text.contains("Connection reset by peer") { return .reset }
    if text.contains("unexpected eof") || text.contains("SSL_ERROR_SYSCALL") { return .closed }
    return .handshake(text)
  }

  private func brokenConnection(_ text: String) -> HTTPRequest.Failure {
    // With TLS 1.3 a server refuses the client's certificate after the handshake.
    if text.contains("alert") { return .handshake(text) }
    switch Int32(shim_get_long(easy, CURLINFO_OS_ERRNO)) {
    case ECONNRESET, EPIPE: return .reset
    default: break
    }
    if text.contains("reset by peer") { return .reset }
    if text.contains("unexpected eof") || text.contains("SSL_ERROR_SYSCALL") { return .closed }
    if text.contains("header") { return .headerTooLarge }
    return .other(text)
  }

  private func reasonText(_ code: CURLcode) -> String {
    let text = String(cString: reason)
    return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }

  private var headers: [HTTPRequest.Header] {
    var headers: [HTTPRequest.Header] = []
    for line in header.dropFirst() {
      if let first = line.first, first == 0x20 || first == 0x09, let last = headers.popLast() {
        headers.append(.init(name: last.name, value: last.value + " " + String.trimmed(line[...])))
      } else if let colon = line.firstIndex(of: 0x3A) {
        let name = String(decoding: line[..<colon], as: UTF8.self)
        headers.append(.init(name: name, value: .trimmed(line[(colon + 1)...])))
      }
    }
    return headers
  }

  // MARK: The certificate

  /// OpenSSL's words for what is wrong with the certificate; nil if it is trusted.
  private var certificateProblem: String? {
    let code = shim_get_long(easy, CURLINFO_SSL_VERIFYRESULT)
    if code == shim_trusted { return nil }
    if systemAuthorities == nil, request.tls == .anyCertificate || request.tls == .verify(authorities: nil) {
      return "this machine has no list of trusted authorities"
    }
    return String(cString: X509_verify_cert_error_string(code))
  }

  /// The server's own certificate; nil before it came.
  private var certificate: HTTPRequest.Certificate? {
    guard let chain = shim_get_certificates(easy)?.pointee, chain.num_of_certs > 0, let lines = chain.certinfo else {
      return nil
    }
    var fields: [String: String] = [:]
    var line = lines[0]
    while let field = line {
      let text = field.pointee.data.map { String(cString: $0) } ?? ""
      if let colon = text.firstIndex(of: ":") {
        fields[String(text[..<colon])] = String(text[text.index(after: colon)...])
      }
      line = field.pointee.next
    }
    let names = fields["X509v3 Subject Alternative Name"] ?? ""
    return HTTPRequest.Certificate(
      subject: fields["Subject"] ?? "", issuer: fields["Issuer"] ?? "",
      names: names.split(separator: ",").map { name in
        String(name.drop { $0 == " " }.replacing(/^(DNS|IP Address):/, with: ""))
      },
      expires: fields["Expire date"] ?? "", problem: certificateProblem, sent: Int(chain.num_of_certs))
  }
}

/// Where the distributions keep the authorities they trust; a static libcurl knows only its builder's place.
private let systemAuthorities: String? = [
  "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
].first { access($0, R_OK) == 0 }

extension String {
  fileprivate static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
    var bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
