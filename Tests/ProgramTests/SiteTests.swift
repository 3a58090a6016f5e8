import Foundation
import Testing

/// Sites that answer with everything but a good page, and no Docker to look into.
@Suite(.serialized) struct SiteTests {
  @Test func nobodyListens() async throws {
    // Bound, so that nobody else takes it, and closed again.
    let port = try Server { _ in }.port
    let run = try await diagnose("http://127.0.0.1:\(port)/")
    #expect(run.status == 2)
    #expect(try run.diagnosis.observed.error == "connection refused")
  }

  @Test func nameWithoutAddress() async throws {
    let run = try await diagnose("http://nobody.invalid/")
    #expect(run.status == 2)
    #expect(try run.diagnosis.checks.contains { $0.id == "site.answer" && $0.outcome == "no-name" })
  }

  @Test func goodSiteWorks() async throws {
    let server = try Server { peer in
      _ = peer.request()
      peer.answer("200 OK", body: "fine".utf8)
    }
    let run = try await diagnose(server.url)
    #expect(run.status == 0)
    #expect(try run.diagnosis.verdict == "working" && run.diagnosis.causes.isEmpty)
  }

  @Test func silentSiteEndsAtTheLimit() async throws {
    let server = try Server { $0.hold() }
    let run = try await diagnose(server.url, "--timeout", "3")
    #expect(run.status == 2)
    #expect(run.seconds > 2 && run.seconds < 6)
  }

  @Test func headersWithoutEnd() async throws {
    let server = try Server { peer in
      _ = peer.request()
      peer.send("HTTP/1.1 200 OK\r\n")
      let header = Array("X-Filler: \(String(repeating: "x", count: 1000))\r\n".utf8)
      for _ in 0..<10_000 where !peer.send(header) { return }
      peer.send("\r\n")
    }
    let run = try await diagnose(server.url, "--timeout", "5")
    #expect(run.status == 2)
    #expect(try run.diagnosis.verdict == "inconclusive")
  }

  @Test func bodyWithoutEnd() async throws {
    let server = try Server { peer in
      _ = peer.request()
      peer.send("HTTP/1.1 200 OK\r\n\r\n")
      let block = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
      while peer.send(block) {}
    }
    let run = try await diagnose(server.url, "--timeout", "3")
    #expect(run.status == 0)
    #expect(try run.diagnosis.observed.status == 200)
    #expect(run.seconds < 6)
  }

  @Test func redirectLoopOfOneHost() async throws {
    let server = try Server { peer in
      let path = peer.request() ?? "/"
      peer.answer("302 Found", headers: "Location: \(path)x\r\n", body: [])
    }
    let run = try await diagnose(server.url)
    #expect(run.status == 2)
    // Five pages, each asked for once and, where that comes first, a few times more to see whether it is steady.
    #expect(server.requests.count > 1 && server.requests.count <= 5 * 5)
  }

  @Test(arguments: ["http://localhost:PORT/", "//localhost:PORT/", "http://127.0.0.1@localhost:PORT/"])
  func redirectToAnotherHostIsNotFollowed(_ target: String) async throws {
    let other = try Server { peer in
      _ = peer.request()
      peer.answer("200 OK", body: [])
    }
    let location = target.replacing("PORT", with: String(other.port))
    let server = try Server { peer in
      _ = peer.request()
      peer.answer("302 Found", headers: "Location: \(location)\r\n", body: [])
    }
    let run = try await diagnose(server.url)
    #expect(run.status == 0 || run.status == 2)
    #expect(try run.diagnosis.observed.status == 302)
    // Once, and a few times more whether it answers so each time.
    #expect(server.requests.count == 5)
    #expect(other.requests.isEmpty)
  }

  @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "\u{1B}]0;title\u{7}\u{1B}[2J\r\n\r\n", "\0\u{1}\u{2}\u{3}"])
  func noHTTP(_ bytes: String) async throws {
    let server = try Server { peer in
      _ = peer.request()
      peer.send(bytes)
    }
    let run = try await diagnose(server.url)
    #expect(run.status == 2)
    #expect(try run.diagnosis.observed.error != nil)
  }

  @Test(arguments: [[], ["--json"], ["--markdown"]])
  func hostileAnswerIsShownNotObeyed(_ form: [String]) async throws {
    let hostile = "\u{1B}[31mred\u{1B}]0;title\u{7}\u{202E}gpj\u{2066}"
    let server = try Server { peer in
      _ = peer.request()
      peer.answer("502 Bad Gateway", headers: "Server: \(hostile)\r\n", body: hostile.utf8)
    }
    let run = try await Program.run(["diagnose", server.url] + form, limit: 20)
    #expect(run.status == 2)
    #expect(run.errors.isEmpty && !run.output.isEmpty)
  }

  @Test func twoRunsSayTheSame() async throws {
    let server = try Server { peer in
      _ = peer.request()
      peer.answer("502 Bad Gateway", headers: "Server: nginx\r\n", body: [])
    }
    let folder = try Folder()
    let engine = try Server(unixSocket: folder.path + "/docker.sock") { FakeContainer.answer([], to: $0) }
    let environment = ["DOCKER_HOST": "unix://\(folder.path)/docker.sock"]
    let seconds = /("seconds" :|after) [0-9.e-]+/
    let runs = [
      try await Program.run("diagnose", server.url, "--json", environment: environment),
      try await Program.run("diagnose", server.url, "--json", environment: environment),
    ].map { $0.output.replacing(seconds, with: "") }
    withExtendedLifetime(engine) {}
    // Checks stand in the order in which they ended, which is not always the same.
    let lines = runs.map { $0.split(separator: "\n").map { $0.trimmingCharacters(in: [" ", ","]) }.sorted() }
    #expect(lines[0] == lines[1] && runs[0].contains("bad-gateway"))
  }

  @Test func interruptEndsAtOnce() async throws {
    let server = try Server { peer in
      _ = peer.request()
      peer.hold()
    }
    let run = try await Program.run(
      "diagnose", server.url, "--json", limit: 10, interruptedWhen: { !server.requests.isEmpty })
    #expect(run.status == 130)
    #expect(run.output.isEmpty && run.seconds < 4)
  }

  private func diagnose(_ url: String, _ options: String...) async throws -> Program.Run {
    let run = try await Program.run(["diagnose", url, "--json"] + options, limit: 20)
    #expect(run.errors.isEmpty)
    return run
  }
}
