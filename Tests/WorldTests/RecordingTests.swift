import Fixture
import Model
import Testing

@testable import World

private let page = HTTPRequest(
  url: "https://shop.example.org/?token=hunter2hunter2", address: "192.0.2.1", port: 443, limit: 30)

/// One look of each kind, with what was seen.
private func whole() -> Recording {
  Recording(now: 1_764_388_800.25)
    .with(CommandRun(.nftables, place: .process(7)), .init(exitCode: 0, output: "{\"nftables\": []}\n"))
    .with(DNSQuery(name: "app", servers: ["127.0.0.11"], place: .process(7)), .init(answer: .noData, addresses: []))
    .with(
      DockerGet(path: "/containers/a/logs?stdout=1"),
      .init(status: 200, body: frame("one “two”\n") + frame("three\n", stream: 1), version: "1.41", engine: "Docker")
    )
    .with(Exchange(address: "10.0.0.2", port: 80, place: .host, sends: [1, 255], limit: 1), .init(end: .reset))
    .with(FileGlob(pattern: "/etc/*"), ["/etc/a", "/etc/ü"])
    .with(FileRead(path: "/etc/a"), .init(bytes: Array("a\r\n\0\u{1B}é".utf8), size: 7, modified: 12.125))
    .with(FileRead(path: "/etc/b", fromEnd: true), .init(bytes: [0xC3, 0x28, 0], size: 3, modified: 0))
    .with(FileRead(path: "/etc/c"), unseen: .notPermitted(what: "/etc/c"))
    .with(FileSystem(path: "/"), .init(size: .max, free: 1, files: 0, freeFiles: 0))
    .with(
      page,
      .init(
        status: 502, headers: [.init(name: "Server", value: "nginx")], body: Array("<h1>502</h1>".utf8),
        times: .init(connect: 0.001, total: 60.25), address: "192.0.2.1", failure: .other("odd"),
        certificate: .init(subject: "a", issuer: "b", names: ["c"], expires: "d", problem: nil),
        headerSize: .init(bytes: 1, longest: 2, lines: 3), tlsVersion: "TLSv1.3", wantsCertificate: true),
      seconds: 60.25
    )
    .with(IsRoot(), true)
    .with(Listeners(place: .host), [Listener(address: "::", port: 80, waiting: 1, most: 128, processes: [7])])
    .with(OnlyRootChanges(path: "/etc/a"), false)
    .with(OwnAddresses(), unseen: .unreadable(what: "the interfaces", why: .said("odd")))
    .with(
      Processes(names: ["nginx"]),
      [
        ProcessSeen(
          id: 7, parent: 1, name: "nginx", command: ["nginx", "-c", "/etc/a"], started: 5, sharesNetwork: nil,
          container: nil, standing: .service(user: "www-data"))
      ]
    )
    .with(SQLiteQuery(path: "/data/a", place: .host, sql: "SELECT 1"), [["a": "1"]])
    .with(UnixConnect(path: "/run/a", place: .host, user: 7), .init(outcome: .denied, errno: 13, isAsUser: true))
    .with(StatsSocket(path: "/run/b", place: .host, question: .info), "Maxconn: 1\n")
    .with(SystemLookup(name: "shop.example.org"), ["192.0.2.1"])
    .with(TCPConnect(address: "10.0.0.2", port: 80, place: .process(7)), unseen: .noAnswer(seconds: 4))
}

private func text(_ recording: Recording) -> String { String(decoding: recording.written, as: UTF8.self) }

@Suite struct RecordingTests {
  @Test func everyKindOfLookComesBackAsItWas() async throws {
    let first = whole()
    let second = try Recording(reading: first.written)
    #expect(text(second) == text(first))
    #expect(second.count == first.count && second.now == 1_764_388_800.25)
    for kind in Recording.kinds { #expect(text(first).contains("{\"kind\":\"\(kind.kind)\""), "\(kind.kind)") }
    #expect(Set(Recording.kinds.map { $0.kind }).count == Recording.kinds.count)
    #expect(try await second.see(page).status == 502)
    #expect(try await second.see(FileRead(path: "/etc/b", fromEnd: true)).bytes == [0xC3, 0x28, 0])
    #expect(try await second.see(FileRead(path: "/etc/a")).bytes == Array("a\r\n\0\u{1B}é".utf8))
    await #expect(throws: Unseen.notPermitted(what: "/etc/c")) { try await second.see(FileRead(path: "/etc/c")) }
    #expect(await second.answer(to: page).seconds == 60.25)
  }

  @Test func itsFormIsTheOneThatIsDocumented() {
    let recording = Recording(now: 1_764_388_800.25).with(FileRead(path: "/etc/x"), unseen: .missing(what: "/etc/x"))
      .with(OwnAddresses(), ["192.0.2.1"], seconds: 0.001)
    #expect(
      text(recording) == """
        {"now":1764388800.25,"records":2,"version":3,"wizard502":"recording"}
        {"kind":"addresses","look":{},"seconds":0.001,"sight":["192.0.2.1"]}
        {"kind":"file","look":{"fromEnd":false,"path":"/etc/x","place":"host"},"seconds":0,"unseen":{"missing":{"what":"/etc/x"}}}

        """)
  }

  @Test func itKeepsHowItsDiagnosisWent() throws {
    var course = Course(given: [.url: "http://shop.test/?token=hunter2hunter2", .limitSeconds: "30"])
    course.add(Finding(check: "site.answer", outcome: "good", seconds: 0.1), round: 1)
    course.add(Finding(check: "app", outcome: "unknown", unseen: .noAnswer(seconds: 9), seconds: 9), round: 2)
    let recorder = Recorder(Sandbox(now: 5))
    let recording = try Recording(reading: recorder.recording(of: course).written)
    #expect(recording.course == course)
    let redacted = try Recording(reading: recording.redacted.written).course
    #expect(redacted?.ended == course.ended)
    #expect(redacted?.given[.url] == "http://shop.test/?token=…")
    #expect(redacted?.givenAgain[.url].flatMap { Site($0) } != nil)
  }

  @Test func whatIsNotInItIsNotSeen() async throws {
    let recording = try Recording(reading: whole().written)
    let other = FileRead(path: "/etc/other", place: .process(7))
    await #expect(
      throws: Unseen.notRecorded(what: "file /etc/other")
    ) { try await recording.see(other) }
  }

  @Test func howFarALookGoesIsNoPartOfIt() async throws {
    let recording = Recording().with(FileRead(path: "/etc/a"), .init(bytes: [1, 2, 3], size: 3, modified: 0))
      .with(FileRead(path: "/log", limit: 2, fromEnd: true), .init(bytes: [8, 9], size: 9, modified: 0))
    #expect(try await recording.see(FileRead(path: "/etc/a", limit: 2)).bytes == [1, 2])
    #expect(try await recording.see(FileRead(path: "/log", limit: 1, fromEnd: true)).bytes == [9])
    await #expect(throws: Unseen.self, "a part of a file is never taken for the whole") {
      try await recording.see(FileRead(path: "/log", fromEnd: true))
    }
    let log = DockerGet(path: "/events?filters=%7B%7D", since: 1)
    #expect(log == DockerGet(path: "/events?filters=%7B%7D", since: 2, bodyLimit: 1, limit: 1))
  }

  @Test func aRecorderKeepsTheAnswerThatTellsMost() async throws {
    let file = FileRead(path: "/etc/a")
    let recorder = Recorder(Sandbox(now: 5, files: ["/etc/a": "whole"]))
    for limit in [1, nil, 2] { _ = try await recorder.see(FileRead(path: "/etc/a", limit: limit)) }
    let recording = try Recording(reading: recorder.recording.written)
    #expect(try await recording.see(file).text == "whole")
    #expect(recorder.now == 5 && recording.now == 5 && recording.count == 1)
  }

  // MARK: What is no recording

  private func mistake(_ text: String) -> Recording.Mistake? {
    do throws(Recording.Mistake) {
      _ = try Recording(reading: Array(text.utf8))
      return nil
    } catch { return error }
  }

  private func head(_ records: Int, version: Int = Recording.version) -> String {
    #"{"now":1,"records":\#(records),"version":\#(version),"wizard502":"recording"}"# + "\n"
  }

  private let record = #"{"kind":"addresses","look":{},"seconds":0,"sight":[]}"# + "\n"

  @Test func eachMistakeIsNamedWithItsLine() {
    #expect(mistake(head(1) + record) == nil)
    let file = #"{"kind":"file","look":{"fromEnd":false,"path":"/x","place":"host"},"seconds":0,"#
    let cases: [(String, Int, Recording.Mistake.Reason)] = [
      ("", 1, .noRecording), ("\n", 1, .noRecording), ("{}\n", 1, .noRecording), ("nginx: [emerg]\n", 1, .noRecording),
      (#"{"wizard502":"diagnosis","version":1}"# + "\n", 1, .noRecording),
      (head(0, version: 1), 1, .otherVersion(1)),
      (head(-1), 1, .otherForm("it has no such numbers")), (head(1_000_000), 1, .tooLarge),
      (head(2) + record, 2, .cut(has: 1, said: 2)), (head(0) + record, 2, .tooMany(said: 0)),
      (head(1) + record.dropLast(5), 2, .cut(has: 0, said: 1)), (head(1) + record + "{\"ki", 3, .cut(has: 1, said: 1)),
      (head(2) + record + record, 3, .twice), (head(1) + "x\n", 2, .notJSON), (head(1) + "\n", 2, .notJSON),
      (head(1) + String(repeating: "[", count: 100_000) + "\n", 2, .notJSON),
      (head(1) + #"{"kind":"magic","look":{},"seconds":0,"sight":[]}"# + "\n", 2, .unknownLook("magic")),
      (head(1) + #"{"kind":"addresses","look":{},"seconds":0}"# + "\n", 2, .otherForm("sight is missing")),
      (
        head(1) + #"{"kind":"addresses","look":{},"seconds":0,"sight":[1]}"# + "\n", 2,
        .otherForm("sight 0 is of another type")
      ),
      (
        head(1) + file + #""sight":{"bytes":{"base64":"%"},"modified":0,"size":1}}"# + "\n", 2,
        .otherForm("sight bytes base64 cannot be understood")
      ),
      (
        head(1) + file.replacing("host", with: "moon") + #""sight":{}}"# + "\n", 2,
        .otherForm("look place cannot be understood")
      ),
    ]
    for (text, line, reason) in cases {
      let found = mistake(text)
      #expect(found?.line == line && found?.reason == reason, "\(text.prefix(120)): \(found?.description ?? "read")")
      #expect(found?.description.hasPrefix("line \(line): ") == true)
    }
  }

  @Test func aRecordingThatIsTooLargeIsNotRead() {
    let text = [UInt8](repeating: 0x0A, count: Limits.recording + 1)
    #expect(throws: Recording.Mistake(line: 1, reason: .tooLarge)) { try Recording(reading: text) }
  }

  @Test func aRecordingThatIsCutAnywhereIsNeverRead() {
    let bytes = whole().written
    for end in stride(from: 0, to: bytes.count, by: 97) {
      #expect(throws: Recording.Mistake.self) { try Recording(reading: Array(bytes[..<end])) }
    }
  }

  // MARK: Secrets

  @Test func withoutItsSecretsItIsReadAgainAndItsLooksAreFound() async throws {
    let environment = DockerGet(path: "/containers/a/json")
    let recording = whole()
      .with(
        environment,
        .init(
          status: 200, body: Array(#"{"Id": "a", "Config": {"Env": ["DB_PASSWORD=s3cr3t-9x7", "PORT=80"]}}"#.utf8),
          version: "1.41", engine: "Docker")
      )
      .with(
        FileRead(path: "/etc/latin"),
        .init(bytes: Array("password=s3cr3t-9x7 ".utf8) + [0xE9], size: 21, modified: 0))
    let redacted = recording.redacted
    #expect(!text(redacted).contains("s3cr3t") && !text(redacted).contains("hunter2"))
    let read = try Recording(reading: redacted.written)
    #expect(read.count == recording.count)
    #expect(text(read) == text(redacted) && text(read.redacted) == text(redacted))
    #expect(try await read.see(page).status == 502)
    #expect(try await read.see(environment).body.contains(Array("PORT=80".utf8)))
    #expect(
      try await read.see(DockerGet(path: "/containers/a/logs?stdout=1")).body == frame("one “two”\n")
        + frame("three\n", stream: 1))
  }
}

@Suite struct SandboxTests {
  /// Every look, so that a test which forgot one hears of what is not there.
  @Test func everyLookIsAnsweredByWhatIsNotThere() async throws {
    let sandbox = Sandbox(files: ["/etc/nginx/nginx.conf": ""])
    #expect(try await sandbox.see(FileGlob(pattern: "/etc/*")) == ["/etc/nginx"])
    #expect(try await sandbox.see(FileGlob(pattern: "/etc/nginx/*.conf")) == ["/etc/nginx/nginx.conf"])
    await #expect(throws: Unseen.missing(what: "/etc/x")) { try await sandbox.see(FileRead(path: "/etc/x")) }
    await #expect(throws: Unseen.missing(what: "a Docker engine")) {
      try await sandbox.see(DockerGet(path: "/containers/json?all=1"))
    }
    for record in whole().sorted {
      guard let look = record.identity.base as? any Look else { continue }
      await expectNothing(look, in: sandbox)
    }
  }

  private func expectNothing<L: Look>(_ look: L, in sandbox: Sandbox) async {
    if case .failure(let unseen) = await sandbox.result(of: look) { #expect(unseen.isMissing, "\(L.kind)") }
  }
}
