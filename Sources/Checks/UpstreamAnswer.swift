import Discovery
import Model
import Routes
import World

extension FactName {
  static let upstreamStatus: FactName = "upstream.status"
  static let upstreamSameStatus: FactName = "upstream.same-status"
  static let upstreamSeconds: FactName = "upstream.seconds"
  static let upstreamError: FactName = "upstream.error"
  static let upstreamTwoLengths: FactName = "upstream.two-lengths"
  static let upstreamLastLine: FactName = "upstream.last-line"
  static let timeoutNeeded: FactName = "timeout.needed"
  static let headerBytes: FactName = "upstream.header-bytes"
  static let headerLongest: FactName = "upstream.header-longest"
  static let headerLines: FactName = "upstream.header-lines"
  static let headerRoom: FactName = "header.room"
  static let headerKilobytes: FactName = "header.kilobytes"
  static let headerDouble: FactName = "header.double"
  static let headerLinesRoom: FactName = "header.lines-room"
  static let headerExcess: FactName = "header.excess"
  static let dropWhen: FactName = "drop.when"
  static let dropHow: FactName = "drop.how"
}

private enum AnswerOutcome: String, CheckOutcome {
  case good
  /// The app itself answers 5xx.
  case error
  /// It answers, later than the proxy waits.
  case late
  case never, closes, refused, unknown
  /// A status, and then a body that breaks off.
  case cut
  /// Its header is larger than the proxy takes.
  case tooLarge = "too-large"
  case notHTTP = "not-http"
  /// The route speaks something in which this program asks nothing.
  case notAsked = "not-asked"
}

extension Check {
  /// Asks the upstream just as the proxy does, from its place, and waits longer than the proxy would.
  static let upstreamAnswer = Check(
    "upstream.answer", needs: [.upstreamDial, .proxyPlace, .upstreamScheme],
    learns: [
      .upstreamStatus, .upstreamSameStatus, .upstreamSeconds, .upstreamError, .upstreamTwoLengths, .upstreamLastLine,
      .timeoutNeeded, .headerBytes,
      .headerLongest, .headerLines,
      .headerRoom, .headerKilobytes, .headerDouble, .headerLinesRoom, .headerExcess, .dropWhen, .dropHow,
    ], outcome: AnswerOutcome.self, limit: nil
  ) { world, given, _ throws(Unseen) in
    guard ["http", "h2c", "h2", "grpc", nil].contains(given[.routeProtocol]) else { return (.notAsked, [:]) }
    // Absent: the proxy waits for ever, and so does the visitor.
    let patience = given.seconds(.routeReadTimeout)
    // A little less than the check itself has, so that "never" is its own finding.
    let limit = min(given.limit - 0.5, patience.map { max(8, $0 * 1.5 + 4) } ?? 60)
    let sight = try await world.see(try given.asProxy(given.speaksTLS ? "https" : "http", limit: limit))
    let seconds = sight.times.firstByte
    var learned: Facts = [
      .upstreamStatus: sight.status.map { String($0) } ?? "", .upstreamError: sight.failure?.inShort ?? "",
      .upstreamSeconds: (seconds ?? limit).inWords,
    ]
    if sight.header("Content-Length") != nil, sight.header("Transfer-Encoding") != nil {
      learned[.upstreamTwoLengths] = "yes"
    }
    if let size = sight.headerSize {
      learned[.headerBytes] = String(size.bytes)
      learned[.headerLongest] = String(size.longest)
      learned[.headerLines] = String(size.lines)
      if let excess = given.excess(of: size) {
        learned[.headerExcess] = excess
        // A quarter of it stays free: a visitor's cookies may be longer than those of this request.
        let room = (size.bytes / 3).clampedProduct(4).powerOfTwo
        learned[.headerRoom] = String(room)
        learned[.headerKilobytes] = String(room / 1024)
        learned[.headerDouble] = String(room.clampedProduct(2))
        learned[.headerLinesRoom] = String((min(size.lines, 1 << 62) + 1).powerOfTwo)
        return (.tooLarge, learned)
      }
    }
    if sight.isDropped {
      learned[.dropHow] = sight.failure == .reset ? "reset" : "closed"
      if sight.status != nil {
        learned[.dropWhen] = "in-body"
        return (.cut, learned)
      }
      learned[.dropWhen] = sight.headerSize != nil ? "in-header" : try await world.drop(given)
      return (.closes, learned)
    }
    switch (sight.status, sight.failure) {
    case (let status?, _):
      if let seconds, let patience, seconds > patience {
        learned[.timeoutNeeded] = String(Int(clamping: (seconds * 2 / 30).rounded(.up)).clampedProduct(30))
        return (.late, learned)
      }
      learned[.upstreamSameStatus] = given[.siteStatus] == String(status) ? "yes" : ""
      return (status >= 500 ? .error : .good, learned)
    case (nil, .answerTimeout): return (.never, learned)
    case (nil, .refused), (nil, .connectTimeout), (nil, .unreachable): return (.refused, learned)
    case (nil, .notHTTP):
      learned[.upstreamLastLine] = sight.lastLine?.excerpt(of: 100)
      return (.notHTTP, learned)
    default: return (.unknown, learned)
    }
  }
}

extension World {
  /// Whether it ends a connection before it is asked anything.
  fileprivate func drop(_ given: Case) async throws(Unseen) -> String {
    guard let quiet = given.exchange([]), let end = try? await see(quiet).end else { return "after-request" }
    return end == .closed || end == .reset ? "at-once" : "after-request"
  }
}

extension HTTPRequest.Sight {
  /// Of an answer that begins like HTTP and whose header has a line that is none: the line before that.
  fileprivate var lastLine: String? {
    let lines = String(decoding: body, as: UTF8.self).lines.map(String.init)
    guard lines.first?.hasPrefix("HTTP/1") == true else { return nil }
    return lines.last { !$0.isEmpty }
  }

  /// True if the connection ended before the answer did. Without a length the end of the connection is that of the
  /// answer, also where TLS is not closed in good form.
  fileprivate var isDropped: Bool {
    switch failure {
    case .reset: true
    case .closed: status == nil || header("Content-Length") != nil || header("Transfer-Encoding") != nil
    default: false
    }
  }
}

extension Int {
  /// The lowest power of two that is larger; the highest one that there is for what a recording makes up.
  fileprivate var powerOfTwo: Int {
    var power = 1
    while power <= self, power < 1 << 62 { power *= 2 }
    return power
  }
}

extension Case {
  /// Which of the proxy's limits the header of an answer breaks; nil if none is known to be broken.
  fileprivate func excess(of size: HTTPRequest.HeaderSize) -> String? {
    func limit(_ name: FactName) -> Int { number(name) ?? .max }
    if size.bytes > limit(.routeHeaderLimit) { return "bytes" }
    if size.longest > limit(.routeHeaderLineLimit) { return "line" }
    return size.lines > limit(.routeHeaderLines) ? "lines" : nil
  }
}
