import Checks
import Flow
import Model
import World

/// A recording: read, written again, without its secrets, and diagnosed.
struct RecordingDriver: Driver {
  let name = "recording"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    repository.kept(name) + [Self.seed.written, Self.seed.redacted.written]
  }

  func run(_ input: [UInt8]) async {
    let recording: Recording
    do throws(Recording.Mistake) { recording = try Recording(reading: input) } catch {
      expect(error.line > 0 && !error.description.isEmpty, "a mistake has a place and words")
      return
    }
    let written = recording.written
    expect((try? Recording(reading: written))?.written == written, "what is written is read as it was")
    let redacted = recording.redacted.written
    expect((try? Recording(reading: redacted))?.written == redacted, "it is read without secrets, too")
    guard let site = Site("http://shop.example.org/") else { return }
    var session = Session(
      catalog: DiagnosisDriver.catalog, shapes: Check.all.map(\.shape), asks: false,
      given: site.facts.merging([.limitSeconds: "20"]))
    var ready = session.start()[...]
    while let name = ready.popFirst() {
      guard let check = Check.named(name) else { continue }
      ready += session.learn(
        await check.finding(in: recording, facts: session.facts, signs: DiagnosisDriver.catalog.signs))
    }
    _ = session.diagnosis()
  }

  /// One look of several kinds.
  private static let seed = Recording(now: InventedMachine.now)
    .with(SystemLookup(name: "shop.example.org"), ["203.0.113.5"])
    .with(OwnAddresses(), ["203.0.113.5"])
    .with(
      HTTPRequest(url: "http://shop.example.org/", address: "203.0.113.5", port: 80),
      .init(status: 502, headers: [.init(name: "Server", value: "nginx")], body: Array("<h1>502</h1>".utf8)),
      seconds: 60.5
    )
    .with(Processes(names: ["nginx"]), unseen: .notPermitted(what: "/proc"))
    .with(
      DockerGet(path: "/containers/json?all=1"),
      .init(status: 200, body: [2, 0, 0, 0, 0, 0, 0, 1, 0x61], version: "1.41", engine: "Docker")
    )
    .with(FileRead(path: "/etc/a", place: .process(7)), .init(bytes: [0xFF, 0], size: 2, modified: 1.5))
}
