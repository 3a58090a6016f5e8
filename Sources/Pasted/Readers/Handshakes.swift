import Model
import World

/// What a server shows in the handshake of TLS.
struct Handshake: Sendable {
  /// Its own first, then those that it sends besides.
  var chain: [HTTPRequest.Certificate] = []
  /// The same, as far as they were printed in full.
  var texts: [CertificateText] = []
  /// What the system's own authorities say of it: nil: trusted.
  var problem: String?
  /// False where nobody has said what the system's authorities say.
  var isJudged = false
  /// `TLSv1.3`; nil where the handshake has not come to its end.
  var version: String?
  /// Why it has not, in OpenSSL's words.
  var failure: String?
  /// True if the server asks for a certificate of the client's.
  var wantsCertificate = false

  /// What a client sees that wants to be sure of the server.
  ///
  /// - Parameters:
  ///   - name: For which the certificate has to be; nil: that does not count.
  ///   - authorities: Those that are trusted, in PEM; nil: the system's.
  ///   - trustsAll: Who has issued it does not count.
  /// - Returns: nil within the result: it is trusted. Nil: that cannot be told.
  func judgement(name: String?, authorities: String?, trustsAll: Bool, now: Double) -> String?? {
    guard let own = chain.first else { return .none }
    let text = texts.first
    let names = text?.names.isEmpty == false ? text?.names : own.names.isEmpty ? nil : own.names
    if let name, let names, !names.contains(where: { Self.fits($0, name) }) { return .some("hostname mismatch") }
    if let text, text.end < now { return .some("certificate has expired") }
    if let said = problem, said.contains("expired") { return .some(said) }
    // For whom it is was not printed: it is not trusted for what is known, or that cannot be told.
    if name != nil, names == nil { return authorities == nil && !trustsAll && problem != nil ? .some(problem) : .none }
    if trustsAll { return text == nil ? .none : .some(nil) }
    guard let authorities else { return isJudged ? .some(problem) : .none }
    let trusted = CertificateText.all(in: authorities)
    guard let text, !trusted.isEmpty else { return .none }
    if text.isOne(of: trusted) || texts.contains(where: { $0.isIssued(byOneOf: trusted) && !$0.isSelfSigned }) {
      return .some(nil)
    }
    return .some(text.isSelfSigned ? "self-signed certificate" : "unable to get local issuer certificate")
  }

  /// `*.example.org` fits `shop.example.org`.
  private static func fits(_ pattern: String, _ name: String) -> Bool {
    let (pattern, name) = (pattern.lowercased(), name.lowercased())
    if pattern == name { return true }
    guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
    return pattern.dropFirst(2) == name[name.index(after: dot)...]
  }
}

extension Account {
  static let handshakeReaders = [
    // `openssl s_client -connect HOST:PORT`. Source: openssl-s_client(1), of OpenSSL 1.1 and 3.
    OutputReader(
      claims: { passage in
        passage.isOf("openssl", "s_client") || passage.lines.contains { $0.hasPrefix("CONNECTED(") }
          || passage.lines.contains { $0.hasPrefix("SSL handshake has read ") }
      },
      read: { passage, account in
        guard let place = account.place(of: passage),
          let option = passage.words.firstIndex(of: "-connect"), option + 1 < passage.words.count,
          let colon = passage.words[option + 1].lastIndex(of: ":"),
          let port = UInt16(passage.words[option + 1][passage.words[option + 1].index(after: colon)...])
        else { return account.addUnread(0, of: passage) }
        let host = passage.words[option + 1][..<colon].filter { !"[]".contains($0) }
        if let outcome = passage.lines.lazy.compactMap(failedConnection).first {
          account.connections[Connection(place: place, address: String(host), port: port)] = outcome
          return
        }
        guard passage.lines.contains(where: { $0.hasPrefix("CONNECTED(") }) else {
          return account.addUnread(0, of: passage)
        }
        let connection = Connection(place: place, address: String(host), port: port)
        account.certificates[connection] = Handshake(openssl: passage.lines)
        account.connections[connection] = .accepted
      })
  ]

  private static func failedConnection(_ line: String) -> TCPConnect.Sight.Outcome? {
    guard line.contains("connect:") || line.contains("BIO_") else { return nil }
    if line.contains("efused") { return .refused }
    if line.contains("timed out") { return .timeout }
    return line.contains("o route") || line.contains("nreachable") ? .unreachable : nil
  }
}

extension Handshake {
  init(openssl lines: [String]) {
    texts = CertificateText.all(in: lines.joined(separator: "\n")).unique
    chain = texts.map { .init($0, sent: texts.count) }
    for line in lines {
      let text = line.trimmed
      // `verify error:num=18:self-signed certificate`, `Verify return code: 18 (self-signed certificate)`
      if text.hasPrefix("verify error:"), let reason = text.split(separator: ":").last {
        (problem, isJudged) = (problem ?? String(reason), true)
      }
      if text.lowercased().hasPrefix("verify return code: "), let reason = text.components(around: "(")?.1.dropLast() {
        isJudged = true
        if reason != "ok" { problem = String(reason) }
      }
      if text.hasPrefix("Verification: OK") { isJudged = true }
      // TLS 1.3 and 1.2: what a server says only where it asks for one.
      if text.hasPrefix("Requested Signature Algorithms:") || text.hasPrefix("Client Certificate Types:") {
        wantsCertificate = true
      }
      if text.hasPrefix("New, TLS"), let version = text.components(around: "New, ")?.1.prefix(while: { $0 != "," }) {
        self.version = String(version)
      }
      if text.hasPrefix("Protocol"), let version = text.split(separator: " ").last, version.hasPrefix("TLS") {
        self.version = String(version)
      }
      if text.contains(":error:"), text.contains("SSL routines"), failure == nil {
        failure = text.components(around: "error:").map { "error:" + $0.1 }
      }
    }
    if chain.isEmpty, lines.contains(where: { $0.hasPrefix("New, (NONE)") }) {
      (version, failure) = (nil, failure ?? "no certificate was sent")
    }
    // What it says without the certificate in full.
    if chain.isEmpty, let subject = lines.lazy.compactMap({ $0.value(behind: "subject=") }).first,
      let issuer = lines.lazy.compactMap({ $0.value(behind: "issuer=") }).first
    {
      let expires = lines.lazy.compactMap { $0.components(around: "NotAfter: ")?.1 }.first ?? ""
      chain = [
        .init(
          subject: subject, issuer: issuer, names: [], expires: expires, problem: problem,
          sent: max(lines.count { $0.contains(" s:") }, 1))
      ]
    }
    for index in chain.indices { chain[index].problem = problem }
  }

  /// What `curl -v` tells of it; nil where it tells nothing.
  init?(curl lines: [String]) {
    guard let subject = lines.lazy.compactMap({ $0.value(behind: "*  subject: ") }).first else { return nil }
    func value(_ start: String) -> String? { lines.lazy.compactMap { $0.value(behind: start) }.first }
    let verdict = value("*  SSL certificate verify result: ")
    isJudged = verdict != nil || lines.contains { $0.hasPrefix("*  SSL certificate verify ok") }
    problem = verdict.map { String($0.prefix { $0 != "(" && $0 != "," }).trimmed }
    let matched = value("*  subjectAltName: ")?.components(around: "cert's \"")?.1.prefix { $0 != "\"" }
    version = value("* SSL connection using ")?.split(separator: " ").first.map(String.init)
    chain = [
      .init(
        subject: subject, issuer: value("*  issuer: ") ?? "", names: matched.map { [String($0)] } ?? [],
        expires: value("*  expire date: ") ?? "", problem: problem)
    ]
  }
}

extension [CertificateText] {
  /// `-showcerts` prints the server's own twice.
  fileprivate var unique: [CertificateText] {
    reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

extension HTTPRequest.Certificate {
  fileprivate init(_ text: CertificateText, sent: Int) {
    self.init(
      subject: text.subject, issuer: text.issuer, names: text.names, expires: text.expires, problem: nil, sent: sent)
  }
}

extension String {
  fileprivate func value(behind start: String) -> String? { hasPrefix(start) ? String(dropFirst(start.count)) : nil }
}
