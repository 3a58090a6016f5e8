import Model
import Testing

@testable import World

/// Names and public addresses in a recording are replaced, each by the same word everywhere.
@Suite struct AnonymousTests {
  private static let containers = #"""
    [{"Id":"0123456789abcdef","Names":["/acme-shop_1"],"Image":"nginx:1.27","Labels":{"com.docker.compose.service":"acme"},
    "NetworkSettings":{"Networks":{"acme_default":{"Aliases":["acme","0123456789ab"]}}}}]
    """#

  private func written(_ text: String, host: String = "shop.acme-corp.com") throws -> String {
    var course = Course(given: [.siteHost: host, .url: "https://\(host)/"])
    course.add(Finding(check: "site.answer", outcome: "good"), round: 1)
    let recording = Recording(now: 5, course: course, isRedacted: false)
      .with(
        DockerGet(path: "/containers/json?all=1"),
        .init(status: 200, body: Array(Self.containers.utf8), version: "1.41", engine: "Docker")
      )
      .with(
        FileRead(path: "/etc/nginx/conf.d/a.conf"), .init(bytes: Array(text.utf8), size: text.utf8.count, modified: 0)
      )
      .with(
        DNSQuery(name: "acme-shpo_1", servers: ["10.0.0.1"], place: .host), .init(answer: .noSuchName, addresses: []))
    let other = recording.anonymized
    let file = try #require(
      other.sorted.compactMap { $0 as? Record<FileRead> }.first.flatMap { try? $0.answer.result.get() })
    #expect(file.size == file.bytes.count, "a file that was seen whole is still whole")
    let all = String(decoding: other.written, as: UTF8.self).lowercased()
    #expect(!all.contains("acme"), "\(all)")
    return file.text
  }

  @Test(arguments: [
    "server_name shop.acme-corp.com www.acme-corp.com;", "proxy_pass http://acme-shop_1:8080;",
    "# ask bob@acme-corp.com",
    #"log "acme-shop_1\nacme-shop_1""#, "filters=%7B%22acme-shop_1%22", "ACME-SHOP_1",
  ])
  func namesAreReplaced(text: String) throws { #expect(try written(text) != text) }

  @Test(arguments: [
    "worker_processes 1; include /etc/nginx/mime.types;",
    "listen 443 ssl; # 10.1.2.3 192.168.0.7 127.0.0.1 ::1 fd00::1",
    "image: docker.io/library/nginx:1.27", "proxy_cache off; nginx/1.27.0", "30/Nov/2026:06:29:43 +0000",
  ])
  func whatIsNobodysNameStays(text: String) throws { #expect(try written(text) == text) }

  @Test func publicAddressesAreOthersAndTheSameEverywhere() throws {
    let text = try written("allow 198.18.7.9; allow 198.18.7.9; deny 2a01:4f8::1; deny 94.130.1.2;")
    let words = text.split { "; ".contains($0) }.map(String.init)
    #expect(words[1] == words[3] && words[1].hasPrefix("203.0.113.") && words[7].hasPrefix("203.0.113."))
    #expect(words[1] != words[7] && words[5].hasPrefix("2001:db8::"))
  }

  @Test func aSlipOfThePenStaysOne() throws {
    let text = try written("acme-shop_1 acme-shpo_1")
    let words = text.split(separator: " ").map(String.init)
    #expect(words[0] != words[1])
    #expect(words[0].nearest(among: [words[1]]) == words[1])
  }

  @Test func whatIsAnonymousStaysSo() throws {
    let once = try Recording(
      reading: Recording(now: 5).with(SystemLookup(name: "a.acme.com"), ["94.130.1.2"]).anonymized.written)
    #expect(once.isRedacted)
    #expect(try Recording(reading: once.written).written == once.written)
  }
}
