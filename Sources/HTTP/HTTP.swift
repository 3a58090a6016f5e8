internal import CCurl
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// One GET by libcurl, and what came of it in libcurl's terms.
public struct Transfer: Sendable {
  public var url: String
  /// `host:port:address:port`: connect there whatever the URL says.
  public var connectTo: String?
  public var unixSocket: String?
  public var headers: [String] = []
  public var verifies = false
  /// PEM text of the authorities to trust; nil: the system's.
  public var authorities: String?
  /// Client certificate, key and CA as files, for an engine behind TLS.
  public var certificateFile: String?
  public var keyFile: String?
  public var authoritiesFile: String?
  /// Seconds.
  public var limit: Double = 5
  public var bodyLimit = 65_536
  public var headerLimit = 262_144
  /// Makes the socket, in another network namespace for example; nil: libcurl does. Returns -1 on failure.
  public var makeSocket: (@Sendable (_ family: Int32, _ type: Int32, _ protocol: Int32) -> Int32)?

  public init(url: String) { self.url = url }

  public struct Outcome: Sendable {
    public var code: Int
    public var message = ""
    /// The system's error number of a failed connect.
    public var errno = 0
    public var status = 0
    /// True if what came is no HTTP/1 header.
    public var isNotHTTP = false
    public var headerLines: [String] = []
    public var body: [UInt8] = []
    public var isBodyCut = false
    public var isHeaderTooLarge = false
    public var address = ""
    /// Seconds from the start; 0: not reached.
    public var nameTime = 0.0
    public var connectTime = 0.0
    public var tlsTime = 0.0
    public var firstByteTime = 0.0
    public var totalTime = 0.0
    /// X.509 verification result of OpenSSL; 0: trusted.
    public var verifyResult = 0
    /// Fields of the server's own certificate: `Subject`, `Issuer`, `Expire date`, …
    public var certificate: [String: String] = [:]
  }
}

/// libcurl's result codes that callers tell apart.
public enum TransferCode {
  public static let ok = 0
  public static let badURL = [1, 3]
  public static let noName = 6
  public static let noConnection = 7
  public static let partial = 18
  public static let writeStopped = 23
  public static let timedOut = 28
  public static let tlsConnect = 35
  public static let untrusted = 60
  public static let gotNothing = 52
  public static let sendFailed = 55
  public static let receiveFailed = 56
  public static let weirdAnswer = [1, 8]
}

/// libcurl's multi interface on a thread of its own, started by the first request.
///
/// `@unchecked Sendable`: the multi handle is touched only by that thread; requests reach it through `inbox`.
public final class Transfers: @unchecked Sendable {
  public static let shared = Transfers()

  private enum Order {
    case start(Running)
    case cancel(ObjectIdentifier)
  }

  private let inbox = Mutex<[Order]>([])
  private let multi: UnsafeMutableRawPointer?

  private init() {
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    multi = curl_multi_init()
    var thread = pthread_t()
    let pointer = Unmanaged.passRetained(self).toOpaque()
    pthread_create(&thread, nil, { context in
      guard let context else { return nil }
      Unmanaged<Transfers>.fromOpaque(context).takeUnretainedValue().loop()
      return nil
    }, pointer)
    pthread_detach(thread)
  }

  /// Runs one transfer to its end or its limit; a cancelled task ends it at once.
  public func run(_ transfer: Transfer) async -> Transfer.Outcome {
    let running = Running(transfer)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        running.continuation = continuation
        order(.start(running))
      }
    } onCancel: {
      order(.cancel(ObjectIdentifier(running)))
    }
  }

  private func order(_ order: Order) {
    inbox.withLock { $0.append(order) }
    curl_multi_wakeup(multi)
  }

  private func loop() {
    var all: [ObjectIdentifier: Running] = [:]
    var cancelled: Set<ObjectIdentifier> = []
    while true {
      let orders = inbox.withLock { orders in
        defer { orders = [] }
        return orders
      }
      for order in orders {
        switch order {
        case .start(let running):
          let id = ObjectIdentifier(running)
          guard cancelled.remove(id) == nil, running.prepare() else {
            running.finish(42)
            continue
          }
          all[id] = running
          curl_multi_add_handle(multi, running.easy)
        case .cancel(let id):
          guard let running = all.removeValue(forKey: id) else {
            cancelled.insert(id)
            continue
          }
          curl_multi_remove_handle(multi, running.easy)
          running.finish(42)
        }
      }
      var active: Int32 = 0
      curl_multi_perform(multi, &active)
      var left: Int32 = 0
      while let message = curl_multi_info_read(multi, &left) {
        guard message.pointee.msg == CURLMSG_DONE, let context = shim_message_context(message) else { continue }
        let running = Unmanaged<Running>.fromOpaque(context).takeUnretainedValue()
        let result = Int(shim_message_result(message).rawValue)
        curl_multi_remove_handle(multi, running.easy)
        all.removeValue(forKey: ObjectIdentifier(running))
        running.finish(result)
      }
      if all.isEmpty { cancelled = cancelled.count > 1000 ? [] : cancelled }
      curl_multi_poll(multi, nil, 0, 60_000, nil)
    }
  }
}

/// A transfer on its way; lives on the thread of `Transfers` from `prepare` to `finish`.
private final class Running: @unchecked Sendable {
  let transfer: Transfer
  var continuation: CheckedContinuation<Transfer.Outcome, Never>?
  private(set) var easy: UnsafeMutableRawPointer?
  private var outcome = Transfer.Outcome(code: 0)
  private var lists: [UnsafeMutablePointer<curl_slist>] = []
  private var headerBytes = 0
  /// libcurl writes its message here.
  private let errors = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  init(_ transfer: Transfer) {
    self.transfer = transfer
    errors.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit { errors.deallocate() }

  func prepare() -> Bool {
    guard let easy = curl_easy_init() else { return false }
    self.easy = easy
    let context = Unmanaged.passUnretained(self).toOpaque()
    shim_set_text(easy, CURLOPT_URL, transfer.url)
    shim_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
    shim_set_text(easy, CURLOPT_PROXY, "")
    shim_set_text(easy, CURLOPT_USERAGENT, "wizard502")
    shim_set_long(easy, CURLOPT_NOSIGNAL, 1)
    shim_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
    shim_set_long(easy, CURLOPT_HTTP09_ALLOWED, 1)
    shim_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    shim_set_long(easy, CURLOPT_FORBID_REUSE, 1)
    shim_set_long(easy, CURLOPT_FRESH_CONNECT, 1)
    shim_set_long(easy, CURLOPT_TIMEOUT_MS, Int(transfer.limit * 1000))
    shim_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(transfer.limit * 1000))
    shim_set_long(easy, CURLOPT_SSL_VERIFYPEER, transfer.verifies ? 1 : 0)
    shim_set_long(easy, CURLOPT_SSL_VERIFYHOST, transfer.verifies ? 2 : 0)
    shim_set_long(easy, CURLOPT_CERTINFO, 1)
    shim_set_pointer(easy, CURLOPT_PRIVATE, context)
    shim_set_pointer(easy, CURLOPT_ERRORBUFFER, errors)
    if let socket = transfer.unixSocket { shim_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, socket) }
    if let authorities = transfer.authorities {
      let bytes = Array(authorities.utf8)
      shim_set_blob(easy, CURLOPT_CAINFO_BLOB, bytes, bytes.count)
    }
    if let file = transfer.authoritiesFile { shim_set_text(easy, CURLOPT_CAINFO, file) }
    if let file = transfer.certificateFile { shim_set_text(easy, CURLOPT_SSLCERT, file) }
    if let file = transfer.keyFile { shim_set_text(easy, CURLOPT_SSLKEY, file) }
    set(CURLOPT_HTTPHEADER, transfer.headers)
    set(CURLOPT_CONNECT_TO, transfer.connectTo.map { [$0] } ?? [])
    shim_set_bytes(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
      guard let data, let context else { return 0 }
      let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
      return Unmanaged<Running>.fromOpaque(context).takeUnretainedValue().take(header: bytes) ? size * count : 0
    }
    shim_set_pointer(easy, CURLOPT_HEADERDATA, context)
    shim_set_bytes(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
      guard let data, let context else { return 0 }
      let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
      return Unmanaged<Running>.fromOpaque(context).takeUnretainedValue().take(body: bytes) ? size * count : 0
    }
    shim_set_pointer(easy, CURLOPT_WRITEDATA, context)
    if transfer.makeSocket != nil {
      shim_set_opener(easy) { context, _, address in
        guard let context, let address else { return -1 }
        let running = Unmanaged<Running>.fromOpaque(context).takeUnretainedValue()
        return running.transfer.makeSocket?(address.pointee.family, address.pointee.socktype, address.pointee.protocol) ?? -1
      }
      shim_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
    }
    return true
  }

  private func set(_ option: CURLoption, _ lines: [String]) {
    var list: UnsafeMutablePointer<curl_slist>?
    for line in lines { list = curl_slist_append(list, line) }
    guard let list else { return }
    lists.append(list)
    shim_set_list(easy, option, list)
  }

  private func take(header bytes: UnsafeRawBufferPointer) -> Bool {
    headerBytes += bytes.count
    if headerBytes > transfer.headerLimit {
      outcome.isHeaderTooLarge = true
      return false
    }
    let line = String(decoding: bytes, as: UTF8.self)
    if line.hasPrefix("HTTP/") { outcome.headerLines = [] }
    outcome.headerLines.append(String(line.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" }))
    return true
  }

  private func take(body bytes: UnsafeRawBufferPointer) -> Bool {
    outcome.body += bytes.prefix(transfer.bodyLimit - outcome.body.count)
    outcome.isBodyCut = outcome.body.count >= transfer.bodyLimit
    return !outcome.isBodyCut
  }

  /// Ends the transfer with libcurl's result code and gives the outcome to whoever waits.
  func finish(_ code: Int) {
    outcome.code = code
    outcome.message = String(cString: errors)
    if let easy {
      outcome.status = long(CURLINFO_RESPONSE_CODE)
      outcome.errno = long(CURLINFO_OS_ERRNO)
      outcome.verifyResult = long(CURLINFO_SSL_VERIFYRESULT)
      outcome.isNotHTTP = long(CURLINFO_HTTP_VERSION) == 0 && outcome.headerLines.isEmpty && !outcome.body.isEmpty
      outcome.nameTime = time(CURLINFO_NAMELOOKUP_TIME_T)
      outcome.connectTime = time(CURLINFO_CONNECT_TIME_T)
      outcome.tlsTime = time(CURLINFO_APPCONNECT_TIME_T)
      outcome.firstByteTime = time(CURLINFO_STARTTRANSFER_TIME_T)
      outcome.totalTime = time(CURLINFO_TOTAL_TIME_T)
      var address: UnsafePointer<CChar>?
      shim_get_text(easy, CURLINFO_PRIMARY_IP, &address)
      outcome.address = address.map { String(cString: $0) } ?? ""
      outcome.certificate = certificate()
      curl_easy_cleanup(easy)
    }
    easy = nil
    lists.forEach { curl_slist_free_all($0) }
    lists = []
    continuation?.resume(returning: outcome)
    continuation = nil
  }

  private func long(_ info: CURLINFO) -> Int {
    var value = 0
    shim_get_long(easy, info, &value)
    return value
  }

  private func time(_ info: CURLINFO) -> Double {
    var microseconds: curl_off_t = 0
    shim_get_time(easy, info, &microseconds)
    return Double(microseconds) / 1_000_000
  }

  /// `NAME:value` lines of the first certificate of the chain.
  private func certificate() -> [String: String] {
    var pointer: UnsafeMutableRawPointer?
    shim_get_pointer(easy, CURLINFO_CERTINFO, &pointer)
    guard let info = pointer?.assumingMemoryBound(to: curl_certinfo.self).pointee, info.num_of_certs > 0 else { return [:] }
    var fields: [String: String] = [:]
    var line = info.certinfo[0]
    while let entry = line {
      let text = String(cString: entry.pointee.data)
      if let colon = text.firstIndex(of: ":") {
        fields[String(text[..<colon])] = String(text[text.index(after: colon)...])
      }
      line = entry.pointee.next
    }
    return fields
  }
}
