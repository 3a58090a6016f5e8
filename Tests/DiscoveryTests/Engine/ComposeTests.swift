import Discovery
import Fixture
import Model
import Routes
import Testing
import World

@Suite struct ComposeTests {
  private func joined(_ text: String, _ network: String = "apps_default") async throws -> [String] {
    let labels = [
      "com.docker.compose.project": "edge", "com.docker.compose.service": "proxy",
      "com.docker.compose.project.config_files": "/srv/edge/compose.yml",
    ]
    let world = Sandbox().file("/srv/edge/compose.yml", text)
    let service = try #require(await ComposeService(of: labels, in: world))
    guard let lines = service.joining(network) else { return [] }
    return [lines.service, lines.file].compactMap { $0 }.map { "\($0.line.line): \($0.lines)" }
  }

  @Test func aListAndNetworksThatTheFileNames() async throws {
    #expect(
      try await joined(
        "services:\n  proxy:\n    image: nginx\n    networks:\n      - web\nnetworks:\n  web:\n    external: true\n")
        == ["4:     networks:\n      - apps_default", "6: networks:\n  apps_default:\n    external: true"])
  }

  @Test func aMappingAListInOneLineAndNoneAtAllThenTheProjectsOwnStays() async throws {
    #expect(
      try await joined("services:\n  proxy:\n    networks:\n      web:\n        aliases: [edge]\n")
        == [
          "3:     networks:\n      apps_default:",
          "1: networks:\n  apps_default:\n    external: true\n\nservices:",
        ])
    #expect(
      try await joined("services:\n  proxy:\n    networks: [web]\n").first == "3:     networks: [web, apps_default]")
    #expect(
      try await joined("services:\n  proxy:\n    image: nginx\n").first
        == "2:   proxy:\n    networks:\n      - default\n      - apps_default")
  }

  @Test func aNetworkThatTheFileMakesItselfGoesByItsOwnNameAndIsNotExternal() async throws {
    #expect(
      try await joined(
        "services:\n  proxy:\n    networks:\n      - web\nnetworks:\n  web:\n  back:\n", "edge_back")
        == ["3:     networks:\n      - back"])
  }

  @Test func aServiceInTheMachinesNetworkOrInNoFileIsLeftAlone() async throws {
    #expect(try await joined("services:\n  proxy:\n    network_mode: host\n") == [])
    #expect(try await joined("services:\n  other:\n    image: nginx\n") == [])
  }

  private static let labels = [
    "com.docker.compose.project": "edge", "com.docker.compose.service": "proxy",
    "com.docker.compose.project.config_files": "/srv/edge/compose.yml",
  ]

  @Test func aPublishedPortLeadsToAnotherOneInside() async throws {
    let text = "services:\n  proxy:\n    ports:\n      - \"127.0.0.1:8080:80\"\n      - 53:53/udp\n"
    let world = Sandbox().file("/srv/edge/compose.yml", text)
    let service = try #require(await ComposeService(of: Self.labels, in: world))
    #expect(service.publishing(80, instead: 3000)?.lines == "      - \"127.0.0.1:8080:3000\"")
    #expect(service.publishing(53, instead: 3000) == nil)
  }

  @Test func aHealthCheckGoesAsAWhole() async throws {
    let text =
      "services:\n  proxy:\n    healthcheck:\n      test: curl localhost\n      interval: 5s\n    image: nginx\n"
    let world = Sandbox().file("/srv/edge/compose.yml", text)
    let service = try #require(await ComposeService(of: Self.labels, in: world)?.unchecked)
    #expect(service.line.line == 4)
    #expect(service.line.text == "      test: curl localhost\n      interval: 5s")
    #expect(service.lines == "      disable: true")
  }

  @Test(arguments: ["wiki", "edge-wiki-1", "edge_wiki_1", "the-wiki"])
  func aServiceWithoutAContainerIsKnownByEachOfItsNames(_ name: String) async {
    let text = "services:\n  proxy:\n    image: nginx\n  wiki:\n    image: wiki\n    container_name: the-wiki\n"
    let world = Sandbox().file("/srv/edge/compose.yml", text).containers(#"{"Id": "a"}"#)
    let facts = await world.unmade(name, beside: Self.labels)
    #expect(facts["compose.unmade"] == "yes")
    #expect(facts["compose.service"] == "wiki")
    #expect(await world.unmade("shop", beside: Self.labels)["compose.unmade"] == nil)
  }

  @Test func aServiceWithAContainerIsNotUnmade() async {
    let world = Sandbox().file("/srv/edge/compose.yml", "services:\n  wiki:\n    image: wiki\n").containers(
      #"{"Id": "a", "Labels": {"com.docker.compose.project": "edge", "com.docker.compose.service": "wiki"}}"#)
    #expect(await world.unmade("wiki", beside: Self.labels)["compose.unmade"] == nil)
  }
}
