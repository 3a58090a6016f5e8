import Fixture
import Model
import Testing
import World

/// Which address was probably meant, where nobody serves the one that was asked.
@Suite struct SiteIntendedTests {
  private let facts: Facts = [
    "site.url": "http://shop.example.org:8443/", "site.host": "shop.example.org", "site.port": "8443", "site.path": "/",
    "site.asked": "1", "site.asked-at": "here", "site.status": "404",
  ]

  private func found(_ answer: HTTPRequest.Sight) async throws -> Finding {
    let world = Sandbox().with(
      HTTPRequest(url: "https://shop.example.org:8443/", address: "127.0.0.1", port: 8443, limit: 3), answer)
    return try await look("site.intended", world, facts, signs: realSigns())
  }

  @Test(arguments: [200, 302, 401, 502]) func theOtherSchemeIsServed(status: Int) async throws {
    let found = try await found(.init(status: status))
    #expect(found.outcome == "other-scheme")
    #expect(found.facts["intended.url"] == "https://shop.example.org:8443/")
  }

  /// A proxy may speak TLS at any port, and say there, too, that it has no such site.
  @Test(arguments: [400, 404]) func whoSaysNoByBothServesNeither(status: Int) async throws {
    #expect(try await found(.init(status: status)).outcome == "none")
  }

  @Test func noAnswerIsNone() async throws {
    #expect(try await found(.init(failure: .handshake("wrong version number"))).outcome == "none")
  }
}
