import Archive
import Checks
import Flow
import Foundation
import Model
import Reader
import Testing
import World

/// Recordings of real broken systems, with other names: the same causes, and no name of before.
@Suite struct AnonymousTests {
  private static let catalog =
    Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog

  private static let systems: [String] = Reader.exercises(Reader.builtIn).exercises.flatMap { exercise in
    (1...exercise.causes.count + 1).map { "\(exercise.name).\($0)" }
  }

  @Test(arguments: systems)
  func theCausesAreTheSameAndTheNamesAreNot(system: String) async throws {
    let parts = system.split(separator: ".")
    let number = try #require(Int(parts[1]))
    let bytes = try #require(Reader.recording(String(parts[0]), number))
    let recording = try Recording(reading: try plain(bytes))
    let other = try Recording(reading: recording.anonymized.written)
    let (before, after) = (try await diagnosis(recording), try await diagnosis(other))
    #expect(after.verdict == before.verdict)
    #expect(after.causes.map(\.id) == before.causes.map(\.id))
    #expect(after.causes.map(\.confidence) == before.causes.map(\.confidence))
    #expect(after.checks.map(\.outcome) == before.checks.map(\.outcome))

    let names = try self.names(recording)
    #expect(names.count > 1)
    let written = String(decoding: other.written, as: UTF8.self)
    for name in names {
      let pattern = "(?<![\\w-])" + NSRegularExpression.escapedPattern(for: name) + "(?![\\w-])"
      let left = try NSRegularExpression(pattern: pattern)
      let whole = NSRange(written.startIndex..., in: written)
      #expect(left.firstMatch(in: written, range: whole) == nil, "\(name) is left")
    }
  }

  /// Those of the site and of the containers, found in another way than the program finds them.
  private func names(_ recording: Recording) throws -> Set<String> {
    let text = String(decoding: recording.written, as: UTF8.self)
    let host = try #require(recording.course?.given[.siteHost])
    let containers = text.matches(of: /\\"Names\\":\[\\"\/([\w.-]+)\\"\]/).map { String($0.output.1) }
    return Set(containers + [host, String(host.prefix { $0 != "." })])
  }

  private func plain(_ bytes: [UInt8]) throws -> [UInt8] {
    var rest = bytes[...]
    let stream = try Decompressor { buffer in
      defer { rest = rest.dropFirst(buffer.count) }
      buffer.copyBytes(from: rest.prefix(buffer.count))
      return min(buffer.count, rest.count)
    }
    var plain: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = try block.withUnsafeMutableBytes({ try stream.read($0) }), count > 0 {
      plain += block.prefix(count)
    }
    return plain
  }

  private func diagnosis(_ recording: Recording) async throws -> Diagnosis {
    let catalog = try #require(Self.catalog)
    let course = try #require(recording.course)
    var run = Run(
      Session(catalog: catalog, shapes: Check.all.map(\.shape), asks: false, given: course.givenAgain))
    return await run.runToEnd(as: course) { check, facts, _ in
      guard let named = Check.named(check) else { return Finding(check: check, outcome: Finding.unknown) }
      return await named.finding(in: recording, facts: facts, signs: catalog.signs)
    }
  }
}
