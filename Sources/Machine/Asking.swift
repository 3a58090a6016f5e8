import Glibc
import HTTP
import Model
import World

extension Machine {
  func ask(_ request: HTTPRequest) async throws(Unseen) -> HTTPRequest.Sight {
    if request.place != .host, request.address == nil, request.unixSocket == nil {
      throw .unreadable(what: request.url, why: "a place needs an address")
    }
    try Self.checkPermission(for: request.place)
    var transfer = Transfer(url: request.url)
    if let address = request.address {
      let shown = address.contains(":") ? "[\(address)]" : address
      transfer.connectTo = "::\(shown):\(request.port.map { String($0) } ?? "")"
    }
    transfer.unixSocket = request.unixSocket
    transfer.headers = request.headers + (request.host.map { ["Host: \($0)"] } ?? [])
    transfer.limit = request.limit
    transfer.bodyLimit = request.bodyLimit
    if case .verify(let authorities) = request.tls { (transfer.verifies, transfer.authorities) = (true, authorities) }
    if request.place != .host {
      let place = request.place
      transfer.makeSocket = { makeSocket(in: place, $0, $1, $2) }
    }
    return HTTPRequest.Sight(await Transfers.shared.run(transfer))
  }

  /// Throws if the place's network may not be entered.
  static func checkPermission(for place: Place) throws(Unseen) {
    guard case .process(let pid) = place else { return }
    let path = "/proc/\(pid)/ns/net"
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { throw Unseen(errno: errno, what: "the network of process \(pid)") }
    close(fd)
    guard geteuid() == 0 else { throw .notPermitted(what: "the network of process \(pid)") }
  }
}

extension HTTPRequest.Sight {
  init(_ outcome: Transfer.Outcome) {
    let isAnswer = outcome.status > 0 && !outcome.isNotHTTP
    self.init(
      status: isAnswer ? outcome.status : nil,
      headers: outcome.headerLines.compactMap { line in
        line.firstIndex(of: ":").map {
          .init(name: String(line[..<$0]), value: String(line[$0...].dropFirst().drop { $0 == " " }))
        }
      }, body: outcome.body,
      times: .init(
        name: outcome.nameTime.ifReached, connect: outcome.connectTime.ifReached, tls: outcome.tlsTime.ifReached,
        firstByte: outcome.firstByteTime.ifReached, total: outcome.totalTime.ifReached),
      address: outcome.address.isEmpty ? nil : outcome.address, failure: HTTPRequest.Failure(outcome, isAnswer: isAnswer),
      certificate: HTTPRequest.Certificate(outcome))
  }
}

extension Double {
  fileprivate var ifReached: Double? { self > 0 ? self : nil }
}

extension HTTPRequest.Failure {
  /// Nil where the answer came whole, or as much of it as was asked for.
  init?(_ outcome: Transfer.Outcome, isAnswer: Bool) {
    let hasConnected = outcome.connectTime > 0
    let isTLS = outcome.tlsTime > 0 || !outcome.certificate.isEmpty
    switch outcome.code {
    case TransferCode.ok: if outcome.isNotHTTP { self = .notHTTP } else { return nil }
    case TransferCode.writeStopped where outcome.isBodyCut && !outcome.isNotHTTP: return nil
    case TransferCode.writeStopped: self = outcome.isHeaderTooLarge ? .headerTooLarge : .notHTTP
    case _ where outcome.isNotHTTP: self = .notHTTP
    case TransferCode.noName: self = .name
    case TransferCode.noConnection: self = Self(connectError: Int32(outcome.errno))
    case TransferCode.timedOut:
      if isAnswer {
        self = .bodyTimeout
      } else if !hasConnected {
        self = .connectTimeout
      } else {
        self = outcome.message.contains("SSL") ? .tlsTimeout : .answerTimeout
      }
    case TransferCode.untrusted: self = .untrusted(outcome.message.withoutCurlPrefix)
    case TransferCode.tlsConnect: self = Self(tlsError: outcome.message)
    case TransferCode.gotNothing, TransferCode.partial: self = .closed
    case TransferCode.receiveFailed, TransferCode.sendFailed:
      if outcome.message.contains("SSL") || outcome.message.contains("alert") {
        self = isTLS ? .handshake(outcome.message) : Self(tlsError: outcome.message)
      } else {
        self = outcome.errno == Int(EPIPE) ? .closed : .reset
      }
    case let code where TransferCode.badURL.contains(code): self = outcome.headerLines.isEmpty ? .badURL(outcome.message) : .notHTTP
    case 8: self = .notHTTP
    default: self = .other(outcome.message.isEmpty ? "libcurl error \(outcome.code)" : outcome.message)
    }
  }

  private init(connectError code: Int32) {
    switch code {
    case ECONNREFUSED: self = .refused
    case EHOSTUNREACH, ENETUNREACH: self = .unreachable
    case ETIMEDOUT: self = .connectTimeout
    default: self = .other(code == 0 ? "cannot connect" : String(cString: strerror(code)))
    }
  }

  /// OpenSSL's words for what broke the handshake.
  private init(tlsError message: String) {
    let isPlain = ["wrong version number", "packet length too long", "http request", "unknown protocol", "record layer failure"]
    if isPlain.contains(where: { message.contains($0) }) {
      self = .notTLS(message)
    } else if message.contains("unexpected eof") || message.contains("SSL_ERROR_SYSCALL") || message.contains("Connection reset") {
      self = message.contains("reset") ? .reset : .closed
    } else {
      self = .handshake(message)
    }
  }
}

extension HTTPRequest.Certificate {
  /// Nil where no certificate came. Names beside the subject's are in OpenSSL's text form: `DNS:a, DNS:b`.
  init?(_ outcome: Transfer.Outcome) {
    guard let subject = outcome.certificate["Subject"] else { return nil }
    let names = (outcome.certificate["X509v3 Subject Alternative Name"] ?? "").split(separator: ",").compactMap { name in
      name.split(separator: ":", maxSplits: 1).last.map { String($0) }
    }
    self.init(
      subject: subject, issuer: outcome.certificate["Issuer"] ?? "",
      names: names.isEmpty ? subject.commonName.map { [$0] } ?? [] : names,
      expires: outcome.certificate["Expire date"] ?? "",
      problem: outcome.code == TransferCode.untrusted ? outcome.message.withoutCurlPrefix : nil)
  }
}

extension String {
  /// The `CN` of a subject such as `C = DE, CN = app.example`.
  fileprivate var commonName: String? {
    split(separator: ",").lazy.map { $0.split(separator: "=", maxSplits: 1) }
      .first { $0.first?.filter { $0 != " " } == "CN" }?.last.map { String($0.drop { $0 == " " }) }
  }

  /// libcurl's message without its introduction: the reason alone.
  fileprivate var withoutCurlPrefix: String {
    hasPrefix("SSL certificate problem: ") ? String(dropFirst("SSL certificate problem: ".count))
      : hasPrefix("SSL: ") ? String(dropFirst("SSL: ".count)) : self
  }
}
