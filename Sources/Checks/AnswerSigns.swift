import Model
import Pattern
import World

/// Reading answers by the signs of `Flows/signs`.
extension Signs {
  /// Who wrote an answer, what it means, and the reason that its body gives, as far as the signs tell.
  func read(_ answer: HTTPRequest.Sight) -> (by: String?, means: String?, reason: String?) {
    let matching = answers.filter { $0.fits(answer) }
    return (
      matching.lazy.compactMap(\.by).first, matching.lazy.compactMap(\.means).first { $0 != Self.edge },
      matching.lazy.compactMap { $0.reason(answer) }.first
    )
  }

  /// The service in front of this machine that the answer came through.
  func edge(of answer: HTTPRequest.Sight) -> String? {
    answers.first { $0.means == Self.edge && $0.fits(answer) }?.by
  }

  /// What an answer means that came through such a service.
  private static let edge = "edge"
}

extension Signs.Answer {
  fileprivate func fits(_ answer: HTTPRequest.Sight) -> Bool {
    guard let code = answer.status else { return false }
    if let status, (try? Pattern(status))?.matches(String(code)) != true { return false }
    let headersFit = headers.allSatisfy { name, regex in
      answer.header(name).map { (try? Pattern(regex, ignoringCase: true))?.matches($0) == true } ?? (regex == "^$")
    }
    guard headersFit, let body else { return headersFit }
    return (try? Pattern(body, ignoringCase: true))?.matches(String(decoding: answer.body, as: UTF8.self)) == true
  }

  /// The group `reason` of its body's pattern.
  fileprivate func reason(_ answer: HTTPRequest.Sight) -> String? {
    body.flatMap { try? Pattern($0, ignoringCase: true) }?.firstMatch(in: answer.body)?.text(of: "reason")
  }
}

extension HTTPRequest.Failure {
  /// The error as it stands in a report: short, in the words of the field.
  var inShort: String {
    switch self {
    case .name: "the name has no address"
    case .refused: "connection refused"
    case .unreachable: "no route to host"
    case .connectTimeout: "no TCP connection in time"
    case .tlsTimeout: "TLS handshake did not end in time"
    case .answerTimeout: "connected, but no answer in time"
    case .bodyTimeout: "the answer did not end in time"
    case .closed: "closed before a full answer"
    case .reset: "connection reset"
    case .notTLS(let text): "not TLS: \(text.printable)"
    case .handshake(let text): "TLS handshake failed: \(text.printable)"
    case .untrusted(let text): "certificate not trusted: \(text.printable)"
    case .notHTTP: "the answer is not HTTP"
    case .headerTooLarge: "the answer's header is too large"
    case .badURL(let text): "not a URL to ask for: \(text.printable)"
    case .other(let text): text.printable
    }
  }
}
