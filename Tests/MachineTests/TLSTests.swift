import Glibc
import Machine
import Model
import Testing
import World

/// An authority, and one server for each kind of certificate.
private struct Authority {
  let folder: TestFolder
  let machine = Machine()

  init() throws {
    folder = try TestFolder()
    try run(
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2",
      "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", in: folder.path)
  }

  func server(days: Int = 2, selfSigned: Bool = false, options: [String] = []) throws -> (TestProgram, UInt16) {
    try run(
      "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", "site.key",
      "-out", "site.csr", "-subj", "/CN=site", "-addext", "subjectAltName=DNS:site.test,IP:127.0.0.1", in: folder.path)
    let signer = selfSigned ? ["-signkey", "site.key"] : ["-CA", "ca.pem", "-CAkey", "ca.key"]
    try run(
      arguments: [
        "openssl", "x509", "-req", "-in", "site.csr", "-copy_extensions", "copy", "-days", "\(days)", "-out",
        "site.pem",
      ]
        + signer, in: folder.path)
    let program = try TestProgram(
      [
        "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "\(folder.path)/site.pem", "-key",
        "\(folder.path)/site.key",
      ] + options, until: "ACCEPT")
    let port = program.text.split(separator: "ACCEPT 127.0.0.1:").last.flatMap { UInt16($0.prefix { $0.isNumber }) }
    return (program, try #require(port))
  }

  var certificates: String {
    get throws { try run("cat", "\(folder.path)/ca.pem") }
  }

  func ask(_ port: UInt16, host: String, verified: Bool) async throws -> HTTPRequest.Sight {
    let tls: HTTPRequest.TLS = verified ? .verify(authorities: try certificates) : .anyCertificate
    return try await machine.see(
      HTTPRequest(url: "https://\(host):\(port)/", address: "127.0.0.1", tls: tls))
  }
}

@Test(arguments: ["site.test", "127.0.0.1"])
func aCertificateOfTheAuthorityIsTrusted(host: String) async throws {
  let authority = try Authority()
  let (server, port) = try authority.server()
  let sight = try await authority.ask(port, host: host, verified: true)
  #expect(sight.status == 200)
  #expect(sight.failure == nil)
  let certificate = try #require(sight.certificate)
  #expect(certificate.problem == nil)
  #expect(certificate.subject == "CN = site")
  #expect(certificate.issuer == "CN = Test CA")
  #expect(certificate.names == ["site.test", "127.0.0.1"])
  #expect(certificate.expires.hasSuffix(" GMT"))
  #expect(try #require(sight.times.tls) >= #require(sight.times.connect))
  withExtendedLifetime(server) {}
}

@Test(arguments: [
  (2, false, "other.test", "hostname mismatch"),
  (2, false, "127.0.0.1", nil),
  (-1, false, "site.test", "certificate has expired"),
  (2, true, "site.test", "self-signed certificate"),
])
func aCertificateThatIsNotTrustedIsShownWithTheReason(
  days: Int, selfSigned: Bool, host: String, problem: String?
) async throws {
  let authority = try Authority()
  let (server, port) = try authority.server(days: days, selfSigned: selfSigned)
  let verified = try await authority.ask(port, host: host, verified: true)
  #expect(verified.failure == problem.map { .untrusted($0) })
  #expect(verified.status == (problem == nil ? 200 : nil))
  #expect(verified.certificate?.problem == problem)
  let any = try await authority.ask(port, host: host, verified: false)
  #expect(any.failure == nil)
  #expect(any.status == 200)
  #expect(any.certificate?.subject == "CN = site")
  #expect(any.certificate?.problem != nil)
  withExtendedLifetime(server) {}
}

@Test func aServerThatWantsACertificateRefusesTheHandshake() async throws {
  let authority = try Authority()
  let (server, port) = try authority.server(options: ["-Verify", "1"])
  let sight = try await authority.ask(port, host: "site.test", verified: false)
  guard case .handshake(let reason) = sight.failure else {
    Issue.record("\(sight)")
    return
  }
  #expect(reason.contains("alert"))
  #expect(sight.wantsCertificate == true)
  withExtendedLifetime(server) {}
}

@Test func aPlainServerIsNotTLS() async throws {
  let plain = try await TestServer { $0.send("HTTP/1.1 400 Bad Request\r\n\r\n") }
  let sight = try await Machine().see(HTTPRequest(url: "https://127.0.0.1:\(plain.port)/"))
  guard case .notTLS(let reason) = sight.failure else {
    Issue.record("\(sight)")
    return
  }
  #expect(reason.contains("wrong version number"))
  #expect(sight.times.tls == nil)
}

@Test func aHandshakeCanBeSilentClosedOrReset() async throws {
  let silent = try await TestServer { $0.hold() }
  let machine = Machine()
  let sight = try await machine.see(HTTPRequest(url: "https://127.0.0.1:\(silent.port)/", limit: 0.3))
  #expect(sight.failure == .tlsTimeout)
  #expect(sight.times.connect != nil, "\(sight)")
  let closing = try await TestServer { connection in
    var bytes = [UInt8](repeating: 0, count: 4096)
    _ = read(connection.number, &bytes, bytes.count)
  }
  #expect(try await machine.see(HTTPRequest(url: "https://127.0.0.1:\(closing.port)/")).failure == .closed)
  let resetting = try await TestServer { $0.reset() }
  let reset = try await machine.see(HTTPRequest(url: "https://127.0.0.1:\(resetting.port)/"))
  #expect(reset.failure == .reset)
}

@Test func aTLSServerAskedInPlainIsNotHTTP() async throws {
  let authority = try Authority()
  let (server, port) = try authority.server()
  let sight = try await authority.machine.see(HTTPRequest(url: "http://127.0.0.1:\(port)/"))
  #expect(sight.failure == .notHTTP || sight.failure == .closed || sight.failure == .reset)
  withExtendedLifetime(server) {}
}

@Test func onlyTheNameAndTheDatesOfACertificateCanCount() async throws {
  let authority = try Authority()
  for (days, host, problem) in [
    (2, "site.test", nil), (2, "other.test", "hostname mismatch"), (-1, "site.test", "certificate has expired"),
  ] {
    let (server, port) = try authority.server(days: days, selfSigned: true)
    let sight = try await authority.machine.see(
      HTTPRequest(url: "https://\(host):\(port)/", address: "127.0.0.1", tls: .verifyNameAndDate))
    #expect(sight.failure == problem.map { .untrusted($0) })
    withExtendedLifetime(server) {}
  }
}

@Test func theNameInTheHandshakeIsTheHostAnotherOneOrNone() async throws {
  let authority = try Authority()
  let (server, port) = try authority.server(options: [
    "-servername", "site.test", "-servername_fatal", "-cert2", "\(authority.folder.path)/site.pem", "-key2",
    "\(authority.folder.path)/site.key",
  ])
  var request = HTTPRequest(url: "https://other.test:\(port)/", address: "127.0.0.1")
  guard case .handshake(let reason) = try await authority.machine.see(request).failure else {
    Issue.record("the wrong name was taken")
    return
  }
  #expect(reason.contains("unrecognized name"))
  request.tlsName = "site.test"
  #expect(try await authority.machine.see(request).status == 200)
  request.tlsName = nil
  request.sendsTLSName = false
  #expect(try await authority.machine.see(request).status == 200)
  withExtendedLifetime(server) {}
}

@Test func oldVersionsAreSpokenOnlyWhenTheyAreOffered() async throws {
  let authority = try Authority()
  let (server, port) = try authority.server(options: ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
  var request = HTTPRequest(url: "https://site.test:\(port)/", address: "127.0.0.1")
  let usual = try await authority.machine.see(request)
  #expect(usual.status == nil)
  #expect(usual.times.tls == nil)
  request.offer = .old
  let old = try await authority.machine.see(request)
  #expect(old.status == 200)
  #expect(old.tlsVersion == "TLSv1.1")
  withExtendedLifetime(server) {}
}
