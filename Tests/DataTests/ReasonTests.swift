import Flow
import Foundation
import Model
import Reader
import Testing

@testable import Checks

/// Why something cannot be read is a kind, and its sentence a word of the data.
@Suite struct ReasonTests {
  @Test func everyKindHasItsSentence() throws {
    let catalog = try #require(
      Reader.read(files: Reader.builtIn, shapes: Check.all.map(\.shape), checkingPatterns: false).catalog)
    for kind in Unseen.Reason.Kind.allCases {
      let text = catalog.reason(.unreadable(what: "/etc/thing", why: .init(kind, "12")))
      #expect(text.hasPrefix("/etc/thing cannot be read ("))
      #expect(!text.contains("unseen."), "\(kind)")
    }
  }

  /// The program's own sentences are told and never asked: whoever has to decide asks for a kind.
  @Test func nothingIsDecidedByASentence() throws {
    let sources = URL(filePath: #filePath).appending(path: "../../../Sources").standardizedFileURL
    let compared =
      /\b(message|why|problem|mistake|description)\)?[?!]?\.(hasPrefix|hasSuffix|contains|starts|firstRange)\b|\.unreadable\(_, "|\b(message|why) [!=]= "/
    for case let file as URL in FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil) ?? .init()
    where file.pathExtension == "swift" {
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        #expect(line.firstMatch(of: compared) == nil, "\(file.lastPathComponent): \(line)")
      }
    }
  }
}
