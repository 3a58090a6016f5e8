import Foundation
import Testing

/// The program as an image starts it, in namespaces of its own, which need root.
@Suite(.serialized) struct HostTests {
  private static let container = ["unshare", "--mount", "--net", "--uts", "--cgroup"]

  private func run(_ command: [String], _ words: String...) async throws -> Program.Run {
    try await Program.run(words, command: command + [Program.path], limit: 20)
  }

  @Test func theMachineOutsideIsLookedAt() async throws {
    let server = try Server { peer in
      while peer.request() != nil { peer.answer("502 Bad Gateway", body: []) }
    }
    let inside = try await run(Self.container, "diagnose", server.url, "--json")
    #expect(try inside.diagnosis.observed.status == nil)
    let outside = try await run(Self.container, "--enter-host", "diagnose", server.url, "--json")
    #expect(try outside.diagnosis.observed.status == 502)
    // A file that is only outside, under the path that it has there.
    let folder = try Folder()
    try folder.write("connect() failed\n", to: "outside.log")
    let hidden = Self.container + ["sh", "-c", "mount -t tmpfs none \"$0\" && exec \"$@\"", folder.path]
    #expect(try await run(hidden, "explain", folder.path + "/outside.log").status == 66)
    #expect(try await run(hidden, "--enter-host", "explain", folder.path + "/outside.log").status != 66)
  }

  @Test(arguments: [
    (["unshare", "--pid", "--fork", "--mount-proc"], "--pid=host is missing"),
    (container + ["setpriv", "--bounding-set", "-sys_admin"], "--privileged is missing"),
  ])
  func whatIsMissingIsSaid(_ command: [String], _ what: String) async throws {
    for words in [["diagnose", "http://127.0.0.1:9/"], ["diagnose", "--all"], ["http://127.0.0.1:9/"]] {
      let refused = try await Program.run(["--enter-host"] + words, command: command + [Program.path], limit: 20)
      #expect(refused.status == 70)
      #expect(refused.complaint?.contains(what) == true)
    }
    // What needs nothing of the machine.
    #expect(try await run(command, "--enter-host", "show", "wrong-port").status == 0)
  }
}
