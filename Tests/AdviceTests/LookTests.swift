import Checks
import Foundation
import Model
import Reader
import Testing

@testable import Flow
@testable import World

/// Every kind of look has a command by which a person takes it.
@Suite struct LookTests {
  private let catalog: Catalog

  init() throws {
    catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
  }

  /// Looks of each kind, in each form that has a way of its own; `name` stands in every place that has one.
  private static func looks(_ name: String, _ place: Place) -> [any Look] {
    let path = "/srv/" + name
    var request = HTTPRequest(
      url: "https://shop.example.org/", host: "other.example.org", address: "10.0.0.2", port: 8443, place: place,
      headers: ["X-Real-Name: " + name])
    (request.version, request.tlsName) = (.oneZero, "name.example.org")
    var old = HTTPRequest(url: "https://shop.example.org/", unixSocket: path, place: place, tls: .verifyNameAndDate)
    (old.version, old.offer) = (.two, .old)
    return [
      CommandRun(.packetFilter, place: place), CommandRun(.packetFilter6, place: place),
      CommandRun(.nftables, place: place),
      DNSQuery(name: name, servers: ["127.0.0.11"], place: place),
      DNSQuery(name: name, servers: ["10.0.0.2:5353"], place: place),
      DockerGet(path: "/containers/json?all=1"), DockerGet(path: "/containers/\(name)/json"),
      DockerGet(path: "/containers/\(name)/logs?stdout=1", since: 5), DockerGet(path: "/networks"),
      DockerGet(path: "/containers/\(name)/archive?path=/etc/nginx"), DockerGet(path: "/services"),
      DockerGet(path: "/tasks?filters=%7B%22service%22%3A%5B%22shop%22%5D%7D"),
      DockerGet(path: "/events?filters=%7B%22event%22%3A%5B%22die%22%5D%7D", since: 5),
      DockerGet(path: "/images/\(name)/json"),
      Exchange(address: "10.0.0.2", port: 80, place: place, sends: [0, 255, 39], limit: 1),
      Exchange(unixSocket: path, place: place, limit: 1),
      FileGlob(pattern: path + "/*.conf", place: place), FileRead(path: path, place: place),
      FileRead(path: path, place: place, fromEnd: true), FileSystem(path: path, place: place), request, old, IsRoot(),
      Listeners(place: place), OnlyRootChanges(path: path), OwnAddresses(), Processes(names: [name]),
      SQLiteQuery(path: path, place: place, sql: "SELECT '\(name)'"),
      UnixConnect(path: path, place: place), UnixConnect(path: path, place: place, user: 7),
      StatsSocket(path: path, place: place, question: .info), SystemLookup(name: name),
      TCPConnect(address: "10.0.0.2", port: 80, place: place),
    ]
  }

  private func command(for look: any Look, _ more: Facts) throws(Template.Unfilled) -> String? {
    try catalog.command(
      for: Sighting(kind: type(of: look).kind, facts: look.parts.merging(more), lines: []),
      ["engine.command": "docker"])
  }

  @Test func everyKindHasItsCommandAndNoneIsForNothing() {
    let kinds = Set(Recording.kinds.map { $0.kind })
    #expect(Set(Self.looks("x", .host).map { type(of: $0).kind }) == kinds)
    #expect(Set(catalog.looks.keys) == kinds)
  }

  /// What a command asks for is what looks of its kind tell.
  @Test func everyCommandIsFilledInByItsLook() {
    for (kind, ways) in catalog.looks {
      let looks = [Place.host, .process(7)].flatMap { Self.looks("x", $0) }.filter { type(of: $0).kind == kind }
      let told = Set(looks.flatMap { $0.parts.names }).union([
        "engine.command", "look.container", "look.header-2", "look.header-3", "look.of",
      ])
      for part in ways.flatMap(\.parts) {
        let wanted = Set(part.text.placeholders + [part.condition].compactMap(\.self))
        #expect(told.isSuperset(of: wanted), "\(kind): \(wanted.subtracting(told).map(\.text))")
      }
    }
  }

  /// In every place, and with every name that it may have: one line that a shell takes, and the name is a word of it.
  @Test(arguments: [
    "app", "a b'c$(touch PWNED);`touch PWNED`\"&|>PWNED #", "~root/{a,b}*?[x]!!", "$(reboot)", "e\u{301}'; reboot; '",
  ])
  func aNameIsAWordOfTheCommand(name: String) throws {
    let word = try #require(name.shellWord)
    var scripts: [String] = []
    for place in [Place.host, .process(7)] {
      for more in [Facts(), place == .host ? [:] : ["look.container": name]] {
        for look in Self.looks(name, place) {
          let command = try #require(try command(for: look, more), "\(look)")
          #expect(!command.contains("\n") && !command.contains("{look."), "\(command)")
          if command.contains(name) || command.contains(word) {
            let rest = command.replacing(word, with: "").replacing(("/srv/" + name).shellWord ?? "", with: "")
              .replacing(("/srv/" + name + "/*.conf").shellWord ?? "", with: "")
              .replacing(("X-Real-Name: " + name).shellWord ?? "", with: "")
              .replacing("SELECT '\(name)'".shellWord ?? "", with: "").replacing(("/" + name).shellWord ?? "", with: "")
            #expect(!rest.contains(name) || name == "app", "\(command)")
          }
          scripts.append(command)
        }
      }
    }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-n"]
    let (input, errors) = (Pipe(), Pipe())
    (process.standardInput, process.standardError) = (input, errors)
    try process.run()
    input.fileHandleForWriting.write(Data((scripts.joined(separator: "\n") + "\n").utf8))
    try input.fileHandleForWriting.close()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
  }

  /// What nobody would see as itself is in no command.
  @Test func aNameThatHidesIsWithheld() throws {
    #expect(throws: Template.Unfilled.withheld(value: "a\u{202E}b")) {
      try command(for: SystemLookup(name: "a\u{202E}b"), [:])
    }
  }
}
