import Discovery
import Model
import Routes
import World

/// What a server speaks that is neither HTTP/1 nor TLS: a harmless question to which only it answers, or its greeting.
struct Language: Sendable {
  /// The outcome of `upstream.speaks`; nil: `other`.
  let outcome: String?
  /// Its name on a page.
  let name: String
  let fits: @Sendable ([UInt8]) -> Bool

  /// One question of a few bytes, and by what the answers are known.
  struct Question: Sendable {
    let sends: [UInt8]
    let answers: [Language]
  }

  private init(_ name: String, _ outcome: String? = nil, fits: @escaping @Sendable ([UInt8]) -> Bool) {
    (self.name, self.outcome, self.fits) = (name, outcome, fits)
  }

  /// Known by the first bytes, as text.
  private init(_ name: String, starts: String...) {
    self.init(name) { bytes in starts.contains { bytes.starts(with: $0.utf8) } }
  }

  /// `FCGI_GET_VALUES`, which asks for a server's limits and is answered with `FCGI_GET_VALUES_RESULT` (10).
  /// Source: FastCGI specification 1.0, 4.1.
  static let fastCGI = Question(
    sends: record(type: 9, pair("FCGI_MPXS_CONNS", "")),
    answers: [Language("FastCGI", "fastcgi") { $0.count >= 8 && $0[0] == 1 && (1...11).contains($0[1]) }])

  /// A GET in uwsgi, answered in HTTP. A web server that is asked so complains of its form: 400, 501 or 505.
  ///
  /// (A ping, modifier 100, is answered only where that plugin is loaded.) Source: uWSGI, "The uwsgi Protocol".
  static func uwsgi(_ given: Case) throws(Unseen) -> Question {
    let (host, path) = (try given.siteHost, try given.sitePath)
    let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let values = [
      ("REQUEST_METHOD", "GET"), ("REQUEST_URI", path), ("PATH_INFO", parts[0]),
      ("QUERY_STRING", parts.count > 1 ? parts[1] : ""), ("SERVER_PROTOCOL", "HTTP/1.1"),
      ("HTTP_HOST", host), ("SERVER_NAME", host), ("SERVER_PORT", String(try given.sitePort)),
    ]
    let content = values.flatMap { name, value in short(name) + short(value) }
    return Question(
      sends: [0, UInt8(truncatingIfNeeded: content.count), UInt8(truncatingIfNeeded: content.count >> 8), 0] + content,
      answers: [
        Language("uwsgi", "uwsgi") { bytes in
          let words = String(decoding: bytes.prefix(16), as: UTF8.self).split(separator: " ")
          return words.count > 1 && words[0].hasPrefix("HTTP/1.") && !["400", "501", "505"].contains(words[1])
        }
      ])
  }

  /// A text with its length before it, two bytes, the lower one first.
  private static func short(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8.prefix(4000))
    return [UInt8(truncatingIfNeeded: bytes.count), UInt8(truncatingIfNeeded: bytes.count >> 8)] + bytes
  }

  /// The preface of HTTP/2 without TLS and empty settings; a server's own settings (frame type 4, stream 0) come back.
  /// Source: RFC 9113, 3.4 and 6.5.
  static let http2 = Question(
    sends: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0],
    answers: [Language("HTTP/2", "http2") { $0.count >= 9 && $0[3] == 4 && $0[5...8] == [0, 0, 0, 0] }])

  /// Nothing: who speaks first?
  static let greeting = Question(
    sends: [],
    answers: [
      Language("SSH", starts: "SSH-"), Language("SMTP or FTP (mail or files)", starts: "220 ", "220-"),
      Language("POP3 (mail)", starts: "+OK"), Language("IMAP (mail)", starts: "* OK"), Language("VNC", starts: "RFB "),
      // Three bytes of length, a number, then protocol version 10 or an error.
      Language("the MySQL or MariaDB protocol") { $0.count > 5 && $0[3] == 0 && ($0[4] == 10 || $0[4] == 0xFF) },
    ])

  /// A request for TLS that PostgreSQL alone answers with one letter. Source: PostgreSQL, 55.2.11.
  static let postgres = Question(
    sends: [0, 0, 0, 8, 4, 210, 22, 47],
    answers: [Language("the PostgreSQL protocol") { $0 == [0x53] || $0 == [0x4E] }])

  /// What those say who understand lines of text.
  static let text = Question(
    sends: Array("PING\r\n".utf8),
    answers: [
      Language("the Redis protocol", starts: "+PONG", "-NOAUTH", "-DENIED"),
      Language("the memcached protocol", starts: "ERROR\r\n"),
    ])

  private static func record(type: UInt8, _ content: [UInt8]) -> [UInt8] {
    [1, type, 0, 0, UInt8(truncatingIfNeeded: content.count >> 8), UInt8(truncatingIfNeeded: content.count), 0, 0]
      + content
  }

  private static func pair(_ name: String, _ value: String) -> [UInt8] {
    [UInt8(truncatingIfNeeded: name.utf8.count), UInt8(truncatingIfNeeded: value.utf8.count)] + Array(name.utf8)
      + Array(value.utf8)
  }
}

extension World {
  /// Asks each question on a connection of its own, all at once; the first language whose answer fits, in their order.
  func language(_ given: Case, _ questions: [Language.Question]) async -> Language? {
    await withTaskGroup(of: (Int, Language?).self) { group in
      for (index, question) in questions.enumerated() {
        guard let exchange = given.exchange(question.sends) else { continue }
        group.addTask {
          let received = (try? await see(exchange))?.received ?? []
          return (index, question.answers.first { $0.fits(received) })
        }
      }
      return await group.reduce(into: [Int: Language]()) { $0[$1.0] = $1.1 }.min { $0.key < $1.key }?.value
    }
  }
}

extension Case {
  /// Bytes to the upstream from the proxy's place.
  func exchange(_ sends: [UInt8]) -> Exchange? {
    if let socket = self[.upstreamSocket] {
      return proxy.files.map { Exchange(unixSocket: socket, place: $0, sends: sends, limit: 1.5) }
    }
    return (try? dialsFrom).map {
      Exchange(address: self[.nameAddress], port: port(.upstreamPort), place: $0, sends: sends, limit: 1.5)
    }
  }
}
