import Fixture
import Model
import Testing
import World

@testable import Discovery

/// `patch` takes no link for a file, and Debian's sites are links.
@Suite struct LinkTests {
  private let link = "/etc/nginx/sites-enabled/shop"
  private let target = "/etc/nginx/sites-available/shop"

  private func world(in place: Place) -> Sandbox {
    Sandbox().with(
      FileRead(path: link, place: place), .init(bytes: Array("server {}".utf8), size: 9, modified: 0, target: target))
  }

  @Test func aPatchIsForTheFileToWhichTheLinkLeads() async throws {
    let files = try await ProxyFiles(of: ProxyPlace(id: nil, pid: nil, usesHostNetwork: true), in: world(in: .host))
    #expect(try await files.read(link) == "server {}")
    #expect(files.patchPath(of: link) == target)
    #expect(files.patchPath(of: "/etc/nginx/nginx.conf") == "/etc/nginx/nginx.conf")
  }

  /// Where that one is on this machine, nobody knows.
  @Test func aContainersLinkIsNoFileOfThisMachine() async throws {
    let world = world(in: .process(7)).container(
      "edge1",
      #""Name": "/edge", "State": {"Pid": 7}, "Mounts": [{"Source": "/srv/nginx", "Destination": "/etc/nginx"}]"#)
    let files = try await ProxyFiles(of: ProxyPlace(id: "edge1", pid: 7, usesHostNetwork: false), in: world)
    _ = try await files.read(link)
    #expect(files.patchPath(of: link) == "/srv/nginx/sites-enabled/shop")
  }
}
